package ops

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
	"warifu/internal/seal"
)

// OracleRetryLife is for how long a request that came with a retry token is answered
// as it was the first time.
const OracleRetryLife = 24 * time.Hour

// Retry says that a request may have come before: the client's token, and a digest of
// what was sent.
type Retry struct {
	Token  string // "" = the client sent none
	Digest [sha256.Size]byte
}

// hidden is an answer that holds a secret, which JSON leaves out.
type hidden interface{ secret() *seal.Secret }

// keptAnswer is an answer as it is kept, encrypted.
type keptAnswer struct {
	Answer json.RawMessage
	Secret []byte
}

// once runs do unless the same request came before: then the answer is the one that
// it got. Nothing is kept of one that failed.
//
// Errors: Conflict, noun "retry token", when the token came with something else.
func once[Out any](env *Env, op string, r Retry, do func() (*Out, error)) (*Out, error) {
	if r.Token == "" {
		return do()
	}
	if len(r.Token) > 64 {
		return nil, fault.Field("opc-retry-token", "opc-retry-token must have at most 64 characters")
	}
	c := &env.Call.Caller
	sum := sha256.Sum256([]byte(c.Account.String() + "\x00" + c.ID().String() + "\x00" + op + "\x00" + r.Token))
	old, err := env.Tx.OracleRetry(sum[:], env.Now)
	switch {
	case err == nil && !slices.Equal(old.Digest, r.Digest[:]):
		return nil, fault.Of(fault.Conflict, "retry token", r.Token)
	case err == nil:
		return again[Out](env, old)
	case !fault.Is(err, fault.NotFound):
		return nil, err
	}
	out, err := do()
	if err != nil {
		return nil, err
	}
	kept := keptAnswer{}
	if kept.Answer, err = json.Marshal(out); err != nil {
		return nil, fault.Wrap(err, "keep an answer")
	}
	if h, ok := any(out).(hidden); ok {
		kept.Secret = h.secret().Reveal()
	}
	plain, err := json.Marshal(kept)
	if err != nil {
		return nil, fault.Wrap(err, "keep an answer")
	}
	return out, env.Tx.InsertOracleRetry(&iam.OracleRetry{
		Key: sum[:], Account: c.Account, Digest: r.Digest[:], Answer: env.oracleSeal(plain), Expires: env.Now.Add(OracleRetryLife),
	})
}

// again is an answer that was kept.
func again[Out any](env *Env, old *iam.OracleRetry) (*Out, error) {
	plain, err := env.oracleOpen(old.Answer)
	if err != nil {
		return nil, fault.Wrap(err, "open an answer that was kept")
	}
	var kept keptAnswer
	out := new(Out)
	if err := json.Unmarshal(plain, &kept); err != nil {
		return nil, fault.Wrap(err, "read an answer that was kept")
	}
	if err := json.Unmarshal(kept.Answer, out); err != nil {
		return nil, fault.Wrap(err, "read an answer that was kept")
	}
	if h, ok := any(out).(hidden); ok {
		*h.secret() = seal.NewSecret(kept.Secret)
	}
	return out, nil
}

// etagOf is the tag of what is shown of a noun: it changes when that does.
func etagOf(parts ...any) string {
	b, err := json.Marshal(parts)
	if err != nil {
		panic("ops: a noun cannot be spelled: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

// matches refuses a change of something that is not as the client saw it.
//
// Errors: Conflict, noun "etag".
func matches(want, etag string) error {
	if want = strings.Trim(strings.TrimPrefix(want, "W/"), `"`); want == "" || want == "*" || want == etag {
		return nil
	}
	return fault.Of(fault.Conflict, "etag", want)
}

// OracleList is what Oracle's lists have in common.
type OracleList struct {
	Name       string // only the noun of this name
	State      string // only those in this state
	ByName     bool   // sorted by name, else by time
	Descending bool
	Limit      int
	Cursor     string
}

// listing is the part that pages.
func (l OracleList) listing() Listing { return Listing{Limit: l.Limit, Cursor: l.Cursor} }

// filter is what a cursor is bound to.
func (l OracleList) filter(more ...string) []string {
	return append(more, l.Name, l.State, strconv.FormatBool(l.ByName), strconv.FormatBool(l.Descending))
}

// placed is an item of a list and its place there.
type placed[T any] struct {
	item T
	at   page.Key
}

// ordered pages a list that is short enough to be sorted at once. A page begins behind
// the place of the last item of the one before, whether or not that is still there.
func ordered[T any](env *Env, op string, l OracleList, all []T, id, named func(*T) string, created func(*T) time.Time) (out page.Page[T], err error) {
	rows := make([]placed[T], 0, len(all))
	for i := range all {
		v := &all[i]
		if l.Name != "" && !strings.EqualFold(named(v), l.Name) {
			continue
		}
		by := strings.ToLower(named(v))
		if !l.ByName {
			by = fmt.Sprintf("%019d", created(v).UnixMicro())
		}
		rows = append(rows, placed[T]{*v, page.Key{by, id(v)}})
	}
	order := func(a, b page.Key) int {
		if l.Descending {
			a, b = b, a
		}
		return slices.Compare(a, b)
	}
	slices.SortFunc(rows, func(a, b placed[T]) int { return order(a.at, b.at) })
	p, err := pagedBy(env, op, l.filter(), l.listing(), func(after page.Key, limit int) ([]placed[T], error) {
		rest := rows
		if after != nil {
			rest = rows[sort.Search(len(rows), func(i int) bool { return order(rows[i].at, after) > 0 }):]
		}
		return rest[:min(limit, len(rest))], nil
	}, func(r placed[T]) page.Key { return r.at })
	out.Next = p.Next
	for i := range p.Items {
		out.Items = append(out.Items, p.Items[i].item)
	}
	return out, err
}

// principals pages users or groups by name, or finds the one that was asked for. A
// directory may hold a million of them, so that they are not sorted otherwise.
func principals[T, Shown any](env *Env, op string, in OracleListIn,
	all func(a name.Account, path, after string, limit int) ([]T, error), one func(name.Account, string) (*T, error), named func(T) string, show func(*T) (*Shown, error),
) (out page.Page[Shown], err error) {
	if err := env.inRoot(in.Compartment); err != nil {
		return out, err
	}
	a := env.Call.Caller.Account
	p, err := paged(env, op, in.filter(), in.listing(), func(after string, limit int) ([]T, error) {
		if in.Name == "" {
			return all(a, "", after, limit)
		}
		v, err := one(a, in.Name)
		if err != nil || after != "" {
			return nil, ignoreMissing(err)
		}
		return []T{*v}, nil
	}, named)
	out.Next = p.Next
	for i := 0; i < len(p.Items) && err == nil; i++ {
		var v *Shown
		if v, err = show(&p.Items[i]); err == nil {
			out.Items = append(out.Items, *v)
		}
	}
	return out, err
}

// Lengths of texts, in characters (Identity API reference).
const (
	maxOracleName        = 100
	maxOracleDescription = 400
)

// checkOracleName refuses a name that Oracle does not take: letters, digits and
// . _ - + @.
func checkOracleName(s string) error {
	if n := utf8.RuneCountInString(s); n < 1 || n > maxOracleName {
		return fault.Field("name", "name must have 1 to %d characters", maxOracleName)
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-+@", r) {
			return fault.Field("name", "name may hold letters, digits and . _ - + @ only; found %q", r)
		}
	}
	return nil
}

// checkDescribed refuses a description that is missing or too long.
func checkDescribed(s string) error {
	if n := utf8.RuneCountInString(s); n < 1 || n > maxOracleDescription {
		return fault.Field("description", "description must have 1 to %d characters", maxOracleDescription)
	}
	return nil
}

// checkOracleTags refuses tags beyond Oracle's bounds.
func checkOracleTags(t iam.OracleTags) error {
	if len(t.Freeform) > 10 {
		return fault.Field("freeformTags", "at most 10 free-form tags")
	}
	n := 0
	for _, keys := range t.Defined {
		n += len(keys)
	}
	if n > 64 {
		return fault.Field("definedTags", "at most 64 defined tags")
	}
	for k, v := range t.Freeform {
		if k == "" || len(k) > 100 || len(v) > 256 {
			return fault.Field("freeformTags", "a tag has a key of 1 to 100 characters and a value of at most 256")
		}
	}
	return nil
}

// Described are the parts that most nouns of Oracle's have in common. A nil pointer
// leaves a part as it is.
type Described struct {
	Description *string
	Freeform    map[string]string
	Defined     map[string]map[string]any
}

// tags are old ones with those that were sent.
func (d *Described) tags(old iam.OracleTags) (iam.OracleTags, error) {
	if d.Freeform != nil {
		old.Freeform = d.Freeform
	}
	if d.Defined != nil {
		old.Defined = d.Defined
	}
	return old, checkOracleTags(old)
}

// Matching names a noun, and its etag if the client knows one.
type Matching struct {
	ID      name.ID
	Of      name.ID // the noun that it is part of
	Name    string  // of one that is named by the noun that it is part of, and has no ID here
	IfMatch string
	Root    string // of a compartment whose ID is 0: the OCID, which must be the tenancy's
}

// root refuses a compartment that is not the tenancy, where some nouns must lie.
func (env *Env) inRoot(compartment string) error {
	if !strings.EqualFold(compartment, env.Call.Caller.Account.Tenancy()) {
		return fault.Field("compartmentId", "compartmentId must be the tenancy's OCID %s", env.Call.Caller.Account.Tenancy())
	}
	return nil
}

// compartmentID reads the OCID of a compartment of the caller's; 0 is the root.
//
// Errors: NotFound, also for another tenancy's.
func (env *Env) compartmentID(ocid string) (name.ID, error) {
	if strings.EqualFold(ocid, env.Call.Caller.Account.Tenancy()) {
		return 0, nil
	}
	id, ok := name.ParseIDOf(name.OCICompartment, ocid)
	if !ok {
		return 0, fault.Of(fault.NotFound, string(iam.OracleCompartment), ocid)
	}
	return id, nil
}

// oracleTarget is a target in a compartment. One that does not exist is authorised
// on the root: who may not act there learns nothing.
func (env *Env) oracleTarget(t Target, compartment name.ID) (Target, error) {
	path, err := oraclePathOf(env.Tx, env.Call.Caller.Account, compartment)
	if fault.Is(err, fault.NotFound) {
		return t, nil
	}
	t.Path = path
	return t, err
}

// InCompartment is a target in the compartment of an OCID, for services behind the
// gateway. One that does not exist, or is another tenancy's, is authorised on the root,
// and missing says so: what is asked for must not go on.
func (env *Env) InCompartment(t Target, ocid string) (in Target, missing bool, err error) {
	id, err := env.compartmentID(ocid)
	if err == nil && id != 0 {
		t.Path, err = oraclePathOf(env.Tx, env.Call.Caller.Account, id)
	}
	if fault.Is(err, fault.NotFound) {
		return t, true, nil
	}
	return t, false, err
}

// least is the smaller of two limits, of which 0 is none.
func least(a, b int) int {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}
