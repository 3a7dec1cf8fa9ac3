package insight

import (
	"cmp"
	"slices"
	"time"

	"warifu/internal/iam"
	"warifu/internal/name"
)

// ID names a check.
type ID string

// The checks.
const (
	RootMFA        ID = "root-mfa"
	RootKeys       ID = "root-keys"
	RootSignIns    ID = "root-sign-ins"
	RootOperations ID = "root-operations"
	UserMFA        ID = "user-mfa"
	WeakMFA        ID = "weak-mfa"
	SharedAccounts ID = "shared-accounts"
	OldKeys        ID = "old-keys"
	NeverUsedKeys  ID = "never-used-keys"
	IdleKeys       ID = "idle-keys"
	BothWays       ID = "console-and-keys"
	Applications   ID = "applications"
	IdleUsers      ID = "idle-users"
	Wildcards      ID = "wildcards"
	Administrators ID = "administrators"
	Enforcement    ID = "enforcement"
	Passwords      ID = "passwords"
)

// State is how a check came out.
type State string

// The states. A check that is about something the account does not have is None and
// counts for nothing.
const (
	Good State = "good"
	Warn State = "warn"
	Bad  State = "bad"
	None State = "none"
)

// Fix is what puts a check right at once. Where there is none that is safe, somebody
// has to look first.
type Fix string

// The fixes. Each is undone as easily as it was done.
const (
	NoFix         Fix = ""
	TurnOffKeys   Fix = "turn-off-keys"  // they stay, and can be turned on again
	RequireMFA    Fix = "require-mfa"    // of the users found, at their next sign-in
	RequireOfAll  Fix = "require-of-all" // of everybody, by the account's preferences
	TakePasswords Fix = "take-passwords" // of applications' accounts
	TurnOffUsers  Fix = "turn-off-users" // their passwords let in no more, until turned on again
)

// Item is one thing that a check found.
type Item struct {
	User   name.ID // 0 = it is about no user
	Root   bool
	Kind   string // user, role, key, policy, inline, use, probe
	Name   string // of the user, role, policy or action
	Key    string // id of an access key
	At     time.Time
	Event  string // with At, the newest event that shows it
	Times  int
	Detail string   // in the words of the kind: a policy's ARN, a holder, what a probe is
	Words  []string // actions as written
	Asked  bool     // a user who must bind a factor at the next sign-in already
	Held   bool     // of a probe
	Traces []Presence
}

// Check is one thing that was looked at.
type Check struct {
	ID     ID
	State  State
	Weight int
	Count  int // things found; more than len(Items) when there are many
	Of     int // out of how many; 0 = that says nothing
	Items  []Item
	Fix    Fix
}

// MaxItems is how many things a check lists.
const MaxItems = 100

// Report is how an account stands.
type Report struct {
	At     time.Time
	Score  int // 0 to 100
	Users  int
	Checks []Check
}

// Find returns the check of an id, nil if there is none.
func (r *Report) Find(id ID) *Check {
	for i := range r.Checks {
		if r.Checks[i].ID == id {
			return &r.Checks[i]
		}
	}
	return nil
}

// Judge makes the checks from the facts. Their order is that in which they are shown:
// what is worst first among equals of state.
func Judge(f *Facts) *Report {
	r := &Report{At: f.Now, Users: max(0, len(f.Rows)-1)}
	j := &judge{f: f}
	j.sort()
	for _, c := range []Check{
		j.rootMFA(), j.rootKeys(), j.rootSignIns(), j.rootOperations(),
		j.userMFA(), j.weakMFA(), j.enforcement(), j.shared(),
		j.wildcards(), j.administrators(), j.applications(), j.bothWays(),
		j.neverUsed(), j.idleKeys(), j.oldKeys(), j.idleUsers(), j.passwords(),
	} {
		c.Items = c.Items[:min(len(c.Items), MaxItems)]
		if c.State == Good || c.State == None {
			c.Fix = NoFix
		}
		r.Checks = append(r.Checks, c)
	}
	r.Score = score(r.Checks)
	return r
}

// score is how much of all that could be kept is kept; a warning is half.
func score(all []Check) int {
	kept, sum := 0, 0
	for i := range all {
		switch c := &all[i]; c.State {
		case Good:
			kept, sum = kept+2*c.Weight, sum+2*c.Weight
		case Warn:
			kept, sum = kept+c.Weight, sum+2*c.Weight
		case Bad:
			sum += 2 * c.Weight
		}
	}
	if sum == 0 {
		return 100
	}
	return 100 * kept / sum
}

type judge struct {
	f     *Facts
	root  *iam.CredentialRow // nil if the account has none
	users []*iam.CredentialRow
}

func (j *judge) sort() {
	for i := range j.f.Rows {
		if r := &j.f.Rows[i]; r.Root {
			j.root = r
		} else {
			j.users = append(j.users, r)
		}
	}
}

// found makes a check of things that should not be: good when there are none.
func found(id ID, weight int, otherwise State, of int, items []Item, fix Fix) Check {
	c := Check{ID: id, State: Good, Weight: weight, Count: len(items), Of: of, Items: items, Fix: fix}
	if len(items) > 0 {
		c.State = otherwise
	}
	return c
}

func (j *judge) rootMFA() Check {
	c := Check{ID: RootMFA, State: Good, Weight: 10}
	switch {
	case j.root == nil || !j.root.Password:
		c.State = None // nobody can sign in as root
	case !j.root.MFA:
		c.State, c.Items = Bad, []Item{{Kind: "user", Root: true, User: j.root.ID}}
	}
	return c
}

func (j *judge) rootKeys() Check {
	var items []Item
	if j.root != nil {
		for i := range j.root.Keys {
			if k := &j.root.Keys[i]; k.Active {
				items = append(items, keyItem(j.root, k))
			}
		}
	}
	return found(RootKeys, 10, Bad, 0, items, TurnOffKeys)
}

func keyItem(r *iam.CredentialRow, k *iam.CredentialKey) Item {
	return Item{Kind: "key", Root: r.Root, User: r.ID, Name: r.Name, Key: k.ID, At: k.Used}
}

// signIn is what the trail calls a sign-in.
const signIn = "SignIn"

func (j *judge) rootSignIns() Check {
	c := Check{ID: RootSignIns, State: Good, Weight: 6}
	for i := len(j.f.RootUses) - 1; i >= 0; i-- {
		if u := &j.f.RootUses[i]; u.Operation == signIn && u.Result == "allowed" {
			c.Count += u.Times
			c.Items = append(c.Items, useItem(u))
		}
	}
	switch {
	case c.Count > RootOften:
		c.State = Bad
	case c.Count > 0:
		c.State = Warn
	}
	return c
}

func useItem(u *Use) Item {
	return Item{Kind: "use", Name: u.Action, At: u.At, Event: u.Event, Times: u.Times, Detail: u.Source, Held: u.Proof == Proved}
}

// rootOperations counts what root changed, by operation.
func (j *judge) rootOperations() Check {
	c := Check{ID: RootOperations, State: Good, Weight: 6}
	by := map[string]*Item{}
	days := map[Day]bool{}
	for i := range j.f.RootUses {
		u := &j.f.RootUses[i]
		if !u.Changes || u.Operation == signIn || u.Result != "allowed" {
			continue
		}
		days[u.Day] = true
		c.Count += u.Times
		it := by[u.Action]
		if it == nil {
			it = &Item{}
			by[u.Action] = it
		}
		times := it.Times + u.Times
		if !u.At.Before(it.At) {
			*it = useItem(u)
		}
		it.Times = times
	}
	for _, it := range by {
		c.Items = append(c.Items, *it)
	}
	slices.SortFunc(c.Items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(b.Times, a.Times), cmp.Compare(a.Name, b.Name))
	})
	c.Of = len(days)
	switch {
	case len(days) > RootOften:
		c.State = Bad
	case c.Count > 0:
		c.State = Warn
	}
	return c
}

func userItem(r *iam.CredentialRow) Item {
	return Item{Kind: "user", User: r.ID, Name: r.Name, At: r.PasswordUsed}
}

func (j *judge) userMFA() Check {
	var items []Item
	people := 0
	for _, r := range j.users {
		if !r.Password || !r.PasswordActive {
			continue
		}
		people++
		if !r.MFA {
			it := userItem(r)
			it.Asked = j.f.Asked[r.ID]
			items = append(items, it)
		}
	}
	c := found(UserMFA, 10, Bad, people, items, RequireMFA)
	if people == 0 {
		c.State = None
	}
	if !slices.ContainsFunc(items, func(it Item) bool { return !it.Asked }) {
		c.Fix = NoFix // all are asked already
		if c.State == Bad {
			c.State = Warn
		}
	}
	return c
}

func (j *judge) weakMFA() Check {
	var items []Item
	some := 0
	for _, r := range j.users {
		if r.MFA {
			some++
		}
		if r.MFA && j.f.Weak[r.ID] {
			items = append(items, userItem(r))
		}
	}
	c := found(WeakMFA, 4, Warn, some, items, NoFix)
	if some == 0 {
		c.State = None
	}
	return c
}

func (j *judge) shared() Check {
	names := map[name.ID]string{}
	for _, r := range j.users {
		names[r.ID] = r.Name
	}
	var items []Item
	for i := range j.f.Shared {
		s := &j.f.Shared[i]
		it := Item{Kind: "user", User: s.Principal, At: s.At, Times: s.Devices, Traces: s.Traces}
		switch called, ok := names[s.Principal]; {
		case ok:
			it.Name = called
		case j.root != nil && j.root.ID == s.Principal:
			it.Root = true
		default:
			continue // gone meanwhile
		}
		items = append(items, it)
	}
	return found(SharedAccounts, 5, Warn, 0, items, NoFix)
}

// keys finds active keys of users.
func (j *judge) keys(bad func(*iam.CredentialKey) bool) (items []Item, all int) {
	for _, r := range j.users {
		for i := range r.Keys {
			k := &r.Keys[i]
			if !k.Active {
				continue
			}
			if all++; bad(k) {
				items = append(items, keyItem(r, k))
			}
		}
	}
	return items, all
}

func (j *judge) ofKeys(id ID, weight int, state State, fix Fix, bad func(*iam.CredentialKey) bool) Check {
	items, all := j.keys(bad)
	c := found(id, weight, state, all, items, fix)
	if all == 0 {
		c.State = None
	}
	return c
}

func (j *judge) oldKeys() Check {
	return j.ofKeys(OldKeys, 5, Warn, NoFix, func(k *iam.CredentialKey) bool { return j.f.Now.Sub(k.Created) > KeyOld })
}

func (j *judge) neverUsed() Check {
	return j.ofKeys(NeverUsedKeys, 5, Bad, TurnOffKeys, func(k *iam.CredentialKey) bool {
		return k.Used.IsZero() && j.f.Now.Sub(k.Created) > KeyNever
	})
}

func (j *judge) idleKeys() Check {
	return j.ofKeys(IdleKeys, 4, Warn, TurnOffKeys, func(k *iam.CredentialKey) bool {
		return !k.Used.IsZero() && j.f.Now.Sub(k.Used) > KeyIdle
	})
}

func (j *judge) bothWays() Check {
	var items []Item
	for _, r := range j.users {
		keys := slices.ContainsFunc(r.Keys, func(k iam.CredentialKey) bool { return k.Active })
		if r.Password && r.PasswordActive && keys && !j.f.Apps[r.ID] {
			items = append(items, userItem(r))
		}
	}
	return found(BothWays, 3, Warn, 0, items, NoFix)
}

func (j *judge) applications() Check {
	var items []Item
	for _, r := range j.users {
		if j.f.Apps[r.ID] && r.Password {
			items = append(items, userItem(r))
		}
	}
	c := found(Applications, 6, Bad, len(j.f.Apps), items, TakePasswords)
	if len(j.f.Apps) == 0 {
		c.State = None
	}
	return c
}

func (j *judge) idleUsers() Check {
	var items []Item
	people := 0
	for _, r := range j.users {
		if !r.Password || !r.PasswordActive {
			continue
		}
		people++
		last := r.PasswordUsed
		for _, t := range []time.Time{r.PasswordChanged, r.Created} {
			if t.After(last) {
				last = t
			}
		}
		if j.f.Now.Sub(last) > UserIdle {
			items = append(items, userItem(r))
		}
	}
	c := found(IdleUsers, 4, Warn, people, items, TurnOffUsers)
	if people == 0 {
		c.State = None
	}
	return c
}

func (j *judge) wildcards() Check {
	var items []Item
	state := Warn
	for _, g := range j.f.Wildcards {
		it := Item{Kind: "policy", Name: g.Name, Detail: g.Policy, Words: g.Actions, Times: g.Holders}
		if g.Policy == "" {
			it.Kind, it.Detail, it.Key = "inline", g.Holder, g.Kind
		}
		if slices.Contains(g.Actions, "*") {
			state = Bad
		}
		items = append(items, it)
	}
	return found(Wildcards, 6, state, 0, items, NoFix)
}

func (j *judge) administrators() Check {
	c := Check{ID: Administrators, State: Good, Weight: 6}
	seen := map[name.ID]bool{}
	people := 0
	for _, h := range j.f.Admins {
		if seen[h.ID] {
			continue
		}
		seen[h.ID] = true
		if h.Kind == "user" {
			people++
		}
		c.Items = append(c.Items, Item{Kind: h.Kind, User: h.ID, Name: h.Name, Detail: h.Policy})
	}
	c.Count, c.Of = len(c.Items), people
	switch {
	case len(c.Items) == 0:
		c.State = Bad // all the work is root's
	case people < FewAdmins || len(c.Items) > ManyAdmins:
		c.State = Warn
	}
	return c
}

func (j *judge) enforcement() Check {
	c := Check{ID: Enforcement, State: Good, Weight: 10, Of: len(j.f.Probes)}
	for _, p := range j.f.Probes {
		c.Items = append(c.Items, Item{Kind: "probe", Detail: string(p.ID), Held: p.Held})
		if p.Held {
			continue
		}
		c.Count++
		c.State = Bad
		if p.ID == ProbeSignIn {
			c.Fix = RequireOfAll
		}
	}
	return c
}

func (j *judge) passwords() Check {
	c := Check{ID: Passwords, State: Good, Weight: 4, Count: j.f.Length}
	if j.f.Length < Strong {
		c.State = Warn
	}
	return c
}
