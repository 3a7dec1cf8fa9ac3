package ops

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/store"
	"warifu/policy"
)

// No policy binds the root user. What does are the account's rules for it, and
// that whoever uses it is seen.

// RootUser is how the account's root user stands.
type RootUser struct {
	Rules    iam.RootRules
	Email    string // "" until it is set up
	Password bool
	Factors  []iam.Factor // that count, in the order in which they are offered
	Keys     []iam.AccessKey
	Sessions int
	Sighted  time.Time // last sign-in; zero = none, as far as is known
	Source   string    // address of that
}

// GetRootUser tells how the account's root user stands, and what binds it.
var GetRootUser = Op[struct{}, *RootUser]{
	Name:   "GetRootUser",
	Grants: Names{AWS: "warifu:GetRootUser"},
	Target: func(*Env, struct{}) (Target, error) { return Target{Noun: "root rules"}, nil },
	Do: func(env *Env, _ struct{}) (*RootUser, error) {
		u, err := env.Tx.RootUser(env.Call.Caller.Account)
		if err != nil {
			return nil, err
		}
		wanted, err := env.Tx.Preferences(u.Account)
		if err != nil {
			return nil, err
		}
		r := &RootUser{Rules: wanted.Root, Email: u.Email}
		_, err = env.Tx.LoginProfile(u.Account, u.ID)
		r.Password = err == nil
		if err = ignoreMissing(err); err != nil {
			return nil, err
		}
		if r.Factors, err = env.usable(u); err != nil {
			return nil, err
		}
		if r.Keys, err = env.Tx.Keys(u.Account, u.ID, "", MaxPage); err != nil {
			return nil, err
		}
		open, err := env.Tx.Sessions(u.Account, u.ID, store.SessionAfter{}, MaxPage)
		if err != nil {
			return nil, err
		}
		r.Sessions = len(slices.DeleteFunc(open, func(s iam.Session) bool { return !s.Live(env.Now) }))
		last, err := env.Tx.LastSighting(u.ID)
		if err == nil && last != nil {
			r.Sighted, r.Source = last.At, last.Source
		}
		return r, ignoreMissing(err)
	},
}

// RootRulesIn are rules for root, as a whole.
type RootRulesIn struct {
	iam.RootRules
	Confirmed bool // the person was told that root could not sign in from where it is
}

func (in RootRulesIn) record() audit.Fields {
	return audit.Fields{"mfa": strconv.FormatBool(in.MFA), "networks": clipped(in.Networks), "noKeys": strconv.FormatBool(in.NoKeys)}
}

// check refuses rules that no account may have.
func (in *RootRulesIn) check() error {
	_, err := iam.ParseMasks(in.Networks)
	return err
}

// SetRootRules sets what binds the account's root user. It takes effect at once,
// on open sessions, too, and switches root's keys off where root may have none.
// Root and the administrators are told.
//
// Errors: Invalid; Conflict, noun "own way in", when root could not sign in from
// where the person is who asks, and it has not confirmed that.
var SetRootRules = Op[RootRulesIn, struct{}]{
	Name:   "SetRootRules",
	Grants: Names{AWS: "warifu:SetRootRules"},
	Mode:   Write,
	Needs:  freshly,
	Target: func(*Env, RootRulesIn) (Target, error) {
		t := preferencesTarget("")
		t.Noun = "root rules"
		return t, nil
	},
	Record: RootRulesIn.record,
	Do: func(env *Env, in RootRulesIn) (none struct{}, err error) {
		if err := in.check(); err != nil {
			return none, err
		}
		if !in.Admits(env.Call.Source.IP) && !in.Confirmed {
			return none, fault.Of(fault.Conflict, "own way in", "")
		}
		root, err := env.Tx.RootUser(env.Call.Caller.Account)
		if err != nil {
			return none, err
		}
		p, err := env.Tx.Preferences(root.Account)
		if err != nil {
			return none, err
		}
		in.Since = p.Root.Since
		p.Root = in.RootRules
		p.Root.Changed, p.Root.By = env.Now, env.callerName()
		if err := env.Tx.SetPreferences(root.Account, p); err != nil {
			return none, err
		}
		if in.NoKeys {
			if err := env.switchKeysOff(root); err != nil {
				return none, err
			}
		}
		return none, env.tellOfRoot(root, iam.NoticeRootRules, "")
	},
}

// switchKeysOff switches all keys of a user off.
func (env *Env) switchKeysOff(u *iam.User) error {
	all, err := env.activeKeys(u)
	for i := 0; i < len(all) && err == nil; i++ {
		err = env.Tx.UpdateKeyStatus(u.Account, u.ID, all[i].ID, iam.KeyInactive, env.Now)
	}
	return err
}

func (env *Env) activeKeys(u *iam.User) ([]iam.AccessKey, error) {
	all, err := env.Tx.Keys(u.Account, u.ID, "", MaxPage)
	return slices.DeleteFunc(all, func(k iam.AccessKey) bool { return k.Status != iam.KeyActive }), err
}

// RootImpact is what rules would change, before they are saved.
type RootImpact struct {
	Here     string          // address of the person who asks
	Outside  bool            // from which root could not sign in
	Others   []string        // addresses that root signed in from lately, and could not any more
	Sessions int             // open sessions of root's that would end
	Keys     []iam.AccessKey // that would be switched off
	Refused  []iam.AccessKey // that would be good for nothing without a code
	Binds    bool            // root has no factor: it binds one at its next sign-in
}

// PreviewRootRules tells what rules would change if they were saved now.
//
// Errors: Invalid.
var PreviewRootRules = Op[RootRulesIn, *RootImpact]{
	Name:   "PreviewRootRules",
	Grants: Names{AWS: "warifu:GetRootUser"},
	Target: func(*Env, RootRulesIn) (Target, error) { return Target{Noun: "root rules"}, nil },
	Record: RootRulesIn.record,
	Do: func(env *Env, in RootRulesIn) (*RootImpact, error) {
		if err := in.check(); err != nil {
			return nil, err
		}
		u, err := env.Tx.RootUser(env.Call.Caller.Account)
		if err != nil {
			return nil, err
		}
		i := &RootImpact{Here: env.source(), Outside: !in.Admits(env.Call.Source.IP)}
		if err := env.impactOnRootPlaces(i, &in, u); err != nil {
			return nil, err
		}
		active, err := env.activeKeys(u)
		if err != nil {
			return nil, err
		}
		switch {
		case in.NoKeys:
			i.Keys = active
		case in.MFA:
			i.Refused = active
		}
		n, err := env.Tx.FactorCount(u.Account, u.ID)
		i.Binds = n == 0
		return i, err
	},
}

// addressOf reads an address that was kept; one that is none is in no network.
func addressOf(s string) netip.Addr {
	a, _ := netip.ParseAddr(s)
	return a
}

func (env *Env) impactOnRootPlaces(i *RootImpact, in *RootRulesIn, u *iam.User) error {
	open, err := env.Tx.Sessions(u.Account, u.ID, store.SessionAfter{}, MaxPage)
	if err != nil {
		return err
	}
	for _, s := range open {
		if s.Live(env.Now) && !in.Admits(addressOf(s.Source)) {
			i.Sessions++
		}
	}
	lately, err := env.Tx.RecentSources(u.Account, env.Now.AddDate(0, 0, -90), impactRows)
	for _, s := range lately {
		if s.User == u.ID && !in.Admits(addressOf(s.Source)) && !slices.Contains(i.Others, s.Source) && len(i.Others) < impactNames {
			i.Others = append(i.Others, s.Source)
		}
	}
	return err
}

// mayHaveKeys refuses keys of root's where root may have none that work.
//
// Errors: Unmodifiable, noun "root keys".
func (env *Env) mayHaveKeys(u *iam.User) error {
	if !u.Root {
		return nil
	}
	wanted, err := env.Tx.Preferences(u.Account)
	if err == nil && wanted.Root.NoKeys {
		err = &fault.Error{Kind: fault.Unmodifiable, Noun: "root keys", What: "in this account the root user has no access keys that work: make a user, or a role, for what a program does"}
	}
	return err
}

// rootProved refuses root without a second factor where the account asks for one at
// every door. GetSessionToken is how to prove one: what it gives without a code is
// refused in turn.
func (env *Env) rootProved(grants Names, t *Target) error {
	c := &env.Call.Caller
	if c.Kind != policy.Root || c.MFA.Present || t.MFA != nil && t.MFA.Present || grants.AWS == GetSessionToken.Grants.AWS {
		return nil
	}
	wanted, err := env.preferencesOf(env.Tx, c.Account, c.revision)
	if err == nil && wanted.Root.MFA {
		err = &fault.Error{Kind: fault.Denied, Noun: "root without MFA", What: "in this account the root user proves a second factor at every door: get session credentials with a code, or sign in to the console"}
	}
	return err
}

// tellOfRoot tells root and the account's administrators that root was used, or
// what binds it changed. Root itself has no need of a notice on its own page.
func (env *Env) tellOfRoot(root *iam.User, kind iam.NoticeKind, subject string) error {
	l := iam.Letter{Notice: kind, Subject: subject, By: env.doer(root)}
	if err := env.mailAlarm(root, root, l); err != nil {
		return err
	}
	return env.tellAdministrators(root, kind, subject, l)
}

// rootKeys are the credentials of root's whose use of a day (Unix time, UTC) the
// administrators were told of by this process.
type rootKeys struct {
	mu  sync.Mutex
	day map[string]int64
}

// first reports whether the use is the first of its day, as far as is known.
func (r *rootKeys) first(key string, day int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.day == nil || len(r.day) > 1000 {
		r.day = map[string]int64{}
	}
	if r.day[key] == day {
		return false
	}
	r.day[key] = day
	return true
}

// rootSession stands for session credentials of root's, which are many.
const rootSession = "session credentials"

// noteRootKey tells the administrators that a key of root's, or session credentials,
// were used: once a day each, however many nodes there are. A sign-in to the console
// is told of where the session is opened.
func (s *Server) noteRootKey(call *Call, ev *audit.Event) {
	c := &call.Caller
	if c.Kind != policy.Root || c.Console != nil || c.AccessKey == "" {
		return
	}
	key := c.AccessKey
	if c.Session != nil {
		key = rootSession
	}
	day := call.At.Unix() / 86400
	if !s.rootKeys.first(c.Account.String()+" "+key, day) {
		return
	}
	err := s.store.Update(context.Background(), func(tx *store.Tx) error {
		fresh, err := tx.Burn("root key", c.Account.String()+" "+key+" "+strconv.FormatInt(day, 10), call.At.Add(48*time.Hour))
		if err != nil || !fresh {
			return err
		}
		env := &Env{Context: context.Background(), Server: s, Call: *call, Tx: tx, Now: call.At, ev: ev}
		return env.tellOfRoot(&c.User, iam.NoticeRootUsed, key)
	})
	if err != nil {
		s.log.Error("administrators were not told that root's credentials were used", "error", err)
	}
}
