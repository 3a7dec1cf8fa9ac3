package ops

import (
	"cmp"
	"slices"
	"sort"
	"strconv"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
	"warifu/policy"
)

// rooted returns a path, "/" when none was given.
func rooted(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

// checkNamed checks what every new noun has: name, path and tags.
func checkNamed(field, s string, max int, path string, tags []iam.Tag) error {
	if err := iam.CheckName(field, s, max); err != nil {
		return err
	}
	if err := iam.CheckPath("path", path); err != nil {
		return err
	}
	return iam.CheckTags(tags, true)
}

// tagging is the further permission that tags in a create request need.
func tagging(tags []iam.Tag, action string) []Need {
	if len(tags) == 0 {
		return nil
	}
	return []Need{{Grants: Names{AWS: action}}}
}

// bound tells policy which permissions boundary a request sets.
func (t *Target) bound(arn string) {
	if arn != "" {
		t.key("iam:PermissionsBoundary", policy.String(arn))
	}
}

// key adds a context key that only this target knows.
func (t *Target) key(name string, f policy.Fact) {
	if t.Keys == nil {
		t.Keys = policy.Map{}
	}
	t.Keys.Set(name, f)
}

// recorded is the target as the trail has it.
func (t *Target) recorded() audit.Target {
	a := audit.Target{Noun: t.Noun, Name: t.Name, ID: t.ID}
	if len(t.Resources) > 0 {
		a.ARN = t.Resources[0]
	}
	return a
}

// quota refuses one more of something of which there are limit already; zero is
// no limit.
func (env *Env) quota(what string, limit int, count func(name.Account) (int, error)) error {
	if limit == 0 {
		return nil
	}
	n, err := count(env.Call.Caller.Account)
	if err == nil && n >= limit {
		return limited(what, limit)
	}
	return err
}

// limited is the error of a full quota.
func limited(what string, limit int) error {
	return &fault.Error{Kind: fault.Limit, Noun: what, Name: strconv.Itoa(limit)}
}

// may reports whether policy allows the caller one more action, besides the one
// that was asked for. A no is no refusal and leaves no trace.
func (env *Env) may(action string, t Target) (bool, error) {
	err := env.permit(Need{Names{AWS: action}, t.Resources}, MustAllow, &t, &audit.Event{})
	if fault.Is(err, fault.Denied) {
		return false, nil
	}
	return err == nil, err
}

// boundary reads the policy of a boundary's ARN; "" means none.
func (env *Env) boundary(arn string) (name.ID, error) {
	if arn == "" {
		return 0, nil
	}
	if _, _, _, ok := name.SplitIAM(arn, "policy"); !ok {
		return 0, fault.Of(fault.Invalid, "boundary", arn)
	}
	p, err := policyByARN(env.Tx, env.Call.Caller.Account, arn)
	if fault.Is(err, fault.NotFound) {
		return 0, fault.Of(fault.NotFound, "boundary", arn)
	}
	if err != nil {
		return 0, err
	}
	return p.ID, nil
}

// tagged adds tags to those a noun has.
func tagged(old, set []iam.Tag, fold bool) ([]iam.Tag, error) {
	if err := iam.CheckTags(set, fold); err != nil {
		return nil, err
	}
	all := iam.Tagged(old, set, fold)
	if len(all) > iam.MaxTags {
		return nil, fault.Of(fault.Limit, "tags", strconv.Itoa(iam.MaxTags))
	}
	return all, nil
}

// ignoreMissing drops a NotFound: targets are authorised before existence is
// told.
func ignoreMissing(err error) error {
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// limit is the size of the page that was asked for.
func (l Listing) limit() (int, error) {
	switch {
	case l.Limit == 0:
		return DefaultPage, nil
	case l.Limit < 1 || l.Limit > MaxPage:
		return 0, fault.Field("maxItems", "a page has 1 to %d items", MaxPage)
	}
	return l.Limit, nil
}

// lister reads up to limit items of an account after a key.
type lister[T any] func(account name.Account, pathPrefix, after string, limit int) ([]T, error)

// list reads one page of an account's nouns by name.
func list[T any](env *Env, op string, in Listing, read lister[T], key func(T) string) (page.Page[T], error) {
	account := env.Call.Caller.Account
	return paged(env, op, []string{in.PathPrefix}, in, func(after string, limit int) ([]T, error) {
		return read(account, in.PathPrefix, after, limit)
	}, key)
}

// paged reads one page of a list that is ordered by one text. The cursor is
// bound to the account, the operation and the filter, and opens no other list.
func paged[T any](env *Env, op string, filter []string, in Listing, read func(after string, limit int) ([]T, error), key func(T) string) (page.Page[T], error) {
	return pagedBy(env, op, filter, in, func(after page.Key, limit int) ([]T, error) {
		if after == nil {
			return read("", limit)
		}
		return read(after[0], limit)
	}, func(v T) page.Key { return page.Key{key(v)} })
}

// pagedBy reads one page of any list: one row more than asked for tells whether
// there is a next page.
func pagedBy[T any](env *Env, op string, filter []string, in Listing, read func(after page.Key, limit int) ([]T, error), key func(T) page.Key) (p page.Page[T], err error) {
	limit, err := in.limit()
	if err != nil {
		return p, err
	}
	bound := page.List{Operation: op, Filter: append([]string{env.Call.Caller.Account.String()}, filter...)}
	after, err := env.cursors.Decode(bound, page.Cursor(in.Cursor))
	if err != nil {
		return p, err
	}
	rows, err := read(after, limit+1)
	if err != nil {
		return p, err
	}
	return page.Cut(env.cursors, bound, rows, limit, key)
}

// listTags pages the tags of one noun by key.
func listTags(env *Env, op string, of name.ID, in Listing, tags []iam.Tag) (page.Page[iam.Tag], error) {
	tags = slices.SortedFunc(slices.Values(tags), func(a, b iam.Tag) int { return cmp.Compare(a.Key, b.Key) })
	return paged(env, op, []string{of.String()}, in, func(after string, limit int) ([]iam.Tag, error) {
		rest := tags[sort.Search(len(tags), func(i int) bool { return after == "" || tags[i].Key > after }):]
		return rest[:min(limit, len(rest))], nil
	}, func(t iam.Tag) string { return t.Key })
}
