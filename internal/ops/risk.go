package ops

import (
	"net/netip"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
	"warifu/internal/signin"
	"warifu/internal/store"
)

// unusual tells what is out of the ordinary about the sign-in that begins.
func (s *signing) unusual() ([]signin.Reason, error) {
	u := s.user
	wrong, _, err := s.Tx.Failures(u.ID)
	if err != nil {
		return nil, err
	}
	a := signin.Attempt{Now: s.Now, Place: s.whereIs(s.Call.Source.IP), Device: s.lane.browser != nil, Failures: wrong}
	if s.lane.browser != nil {
		a.Failures = max(a.Failures, s.lane.browser.Failures)
	}
	if a.Network, err = s.Tx.SeenNetwork(u.ID, signin.NetworkOf(s.Call.Source.IP)); err != nil {
		return nil, err
	}
	last, err := s.Tx.LastSighting(u.ID)
	if ignoreMissing(err) != nil {
		return nil, err
	}
	placed := last
	if last != nil && a.Place.Known && !last.Place.Known {
		if placed, err = s.Tx.LastPlace(u.ID); ignoreMissing(err) != nil {
			return nil, err
		}
	}
	return signin.Assess(a, last, placed), nil
}

// whereIs is where an address is, if the operator supplied a database.
func (s *Server) whereIs(ip netip.Addr) iam.Place {
	if s.locate == nil || !ip.IsValid() {
		return iam.Place{}
	}
	return s.locate(ip.Unmap().WithZone(""))
}

// sight keeps the sign-in that ends now, for later ones to be compared with, and
// tells the user of a browser that was not seen before.
func (s *signing) sight(out signin.Outcome) error {
	if s.flow.Kind != signin.SignIn {
		return nil
	}
	id, err := name.NewID(s.rand)
	if err != nil {
		return fault.Wrap(err, "keep a sign-in")
	}
	_, err = s.Tx.LastSighting(s.user.ID)
	if ignoreMissing(err) != nil {
		return err
	}
	first := err != nil
	proved := iam.Session{Proved: s.flow.Proved}
	method := proved.Method()
	if out.Remembered {
		method += "+" + string(iam.MethodRemembered)
	}
	err = s.Tx.InsertSighting(&iam.Sighting{
		ID: id, Account: s.user.Account, User: s.user.ID, At: s.Now, Network: signin.NetworkOf(s.Call.Source.IP),
		Source: s.source(), UserAgent: clipped(s.Call.Source.UserAgent), Place: s.whereIs(s.Call.Source.IP),
		Reasons: signin.Words(out.Unusual), Method: method,
	})
	if err != nil || first {
		return err
	}
	if s.lane.browser == nil {
		return s.notify(s.user, iam.NoticeNewBrowser, clipped(s.Call.Source.UserAgent))
	}
	if _, second := proved.Last(true); len(out.Unusual) > 0 && !second {
		return s.notify(s.user, iam.NoticeUnusual, signin.Words(out.Unusual)[0])
	}
	return nil
}

// unusualDays is how far back sign-ins are looked at.
const unusualDays = 30

// UnusualSignIn is a sign-in that the rules call unusual.
type UnusualSignIn struct {
	iam.Sighting
	UserName string // "" for root
	Asked    bool   // the adaptive mode would have asked for a factor; see asksAdaptively
}

// UnusualSignIns are the unusual sign-ins of an account, newest first.
type UnusualSignIns struct {
	Days int // looked at
	SignIns
	page.Page[UnusualSignIn]
}

// SignIns are numbers of sign-ins.
type SignIns struct {
	All     int
	Unusual int // those that the rules call so
	Asked   int // those among them for which the adaptive mode would ask for a factor
}

// signIns counts the account's sign-ins since a time, as an account judges them
// that asks risk of whoever has no factor.
func (env *Env) signIns(since time.Time, risk iam.RiskMode) (n SignIns, err error) {
	sorts, err := env.Tx.CountSightings(env.Call.Caller.Account, since)
	for _, c := range sorts {
		n.All += c.N
		if c.Unusual {
			n.Unusual += c.N
			if asksAdaptively(c.Root, c.Method, risk) {
				n.Asked += c.N
			}
		}
	}
	return n, err
}

// asksAdaptively reports whether the adaptive mode asks for a factor at an unusual
// sign-in that ended by a method (iam.Session.Method). It asks nothing of root, who
// is asked in every mode, nor of a passkey alone, which is one; and whoever came in
// with the password alone had no factor.
func asksAdaptively(root bool, method string, risk iam.RiskMode) bool {
	switch {
	case root, method == string(iam.MethodPasskey):
		return false
	case method == string(iam.MethodPassword):
		return risk != iam.RiskAutonomous
	}
	return true
}

// ListUnusualSignIns tells which sign-ins of the last 30 days the rules call
// unusual, whatever was done about it, and at which of them the adaptive mode
// would ask for a factor.
var ListUnusualSignIns = Op[Listing, UnusualSignIns]{
	Name:   "ListUnusualSignIns",
	Grants: Names{AWS: "warifu:ListUnusualSignIns"},
	Target: func(*Env, Listing) (Target, error) { return Target{Noun: "sign-ins"}, nil },
	Record: func(Listing) audit.Fields { return nil },
	Do: func(env *Env, in Listing) (list UnusualSignIns, err error) {
		a, since := env.Call.Caller.Account, env.Now.AddDate(0, 0, -unusualDays)
		list.Days = unusualDays
		wanted, err := env.Tx.Preferences(a)
		if err != nil {
			return list, err
		}
		if list.SignIns, err = env.signIns(since, wanted.RiskLogin); err != nil {
			return list, err
		}
		list.Page, err = pagedBy(env, "ListUnusualSignIns", nil, in, func(key page.Key, limit int) (all []UnusualSignIn, err error) {
			at, id, err := newest(key)
			if err != nil {
				return nil, err
			}
			rows, err := env.Tx.Sightings(store.SightingFilter{Account: a, Since: since, Unusual: true, AfterTime: at, AfterID: id, Limit: limit})
			for i := 0; i < len(rows) && err == nil; i++ {
				var u *iam.User
				if u, err = env.Tx.UserByID(a, rows[i].User); err == nil {
					all = append(all, UnusualSignIn{rows[i], u.Name, asksAdaptively(u.Root, rows[i].Method, wanted.RiskLogin)})
				}
			}
			return all, err
		}, func(s UnusualSignIn) page.Key { return newestKey(s.At, s.ID) })
		return list, err
	},
}

// Impact is what preferences would change, before they are saved. The lists are
// of names, in no more than impactNames each.
type Impact struct {
	MustBind      []string // users who would have to bind a factor at their next sign-in, and had not to
	MustBindCount int
	Unusually     []string // users without a factor of whom unusual sign-ins would ask one, to bind it or, with LinkOnly, in vain
	UnusualCount  int
	InVain        bool
	ShutOut       []string // users who could not sign in any more as they did lately, or not at all
	ShutOutCount  int
	OwnWayIn      bool // the one who asks is among them

	Forgotten int // remembered browsers that would be forgotten

	IdleUsers      []string // users whose password would be turned off at once
	IdleUsersCount int
	IdleKeys       []string // and keys
	IdleKeysCount  int

	SignIns // of the last 30 days
	Capped  bool

	out map[name.ID]bool // who is shut out, whatever for
}

// shutOut notes a user who could not sign in any more, once.
func (i *Impact) shutOut(u name.ID, called string) {
	if i.out[u] {
		return
	}
	if i.out == nil {
		i.out = map[name.ID]bool{}
	}
	i.out[u] = true
	note(&i.ShutOut, &i.ShutOutCount, called)
}

const (
	impactNames = 20
	impactRows  = 10_000 // looked at; beyond it the counts are at least so many
)

// PreviewPreferences tells what preferences would change if they were saved now.
//
// Errors: Invalid.
var PreviewPreferences = Op[SecurityPreferences, Impact]{
	Name:   "PreviewPreferences",
	Grants: Names{AWS: "warifu:GetSecurityPreferences"},
	Target: func(*Env, SecurityPreferences) (Target, error) { return Target{Noun: "preferences"}, nil },
	Record: func(p SecurityPreferences) audit.Fields { return preferenceFields(&p) },
	Do: func(env *Env, p SecurityPreferences) (i Impact, err error) {
		if err := p.Check(); err != nil {
			return i, err
		}
		now, err := env.Tx.Preferences(env.Call.Caller.Account)
		if err != nil {
			return i, err
		}
		for _, step := range []func(*Impact, *iam.Preferences, *iam.Preferences) error{
			env.impactOnBinding, env.impactOnFactors, env.impactOnPasskeys, env.impactOnPlaces, env.impactOnIdle, env.impactOnSignIns,
		} {
			if err := step(&i, &now, &p); err != nil {
				return i, err
			}
		}
		i.OwnWayIn, err = env.shutsOut(&p)
		return i, err
	},
}

// names keeps the first names of a list.
func names(all []store.IdleUser) (some []string, n int) {
	for i := range min(len(all), impactNames) {
		some = append(some, all[i].Name)
	}
	return some, len(all)
}

// asksToBind tells when a sign-in asks a user who has no factor to bind one.
func asksToBind(p *iam.Preferences, flagged bool) signin.Asked {
	return signin.RuleOf(signin.Facts{Wanted: *p, MFARequired: flagged}).Asked
}

// bindsMore reports whether users without a factor would be asked to bind one
// sooner than now, or could do so in another way.
func bindsMore(now, next *iam.Preferences, flagged bool) bool {
	was, will := asksToBind(now, flagged), asksToBind(next, flagged)
	return will != signin.AskedNever && (now.LinkOnly != next.LinkOnly || will != was && was != signin.AskedToBind)
}

// impactOnBinding finds users without a factor: those of whom sign-ins would ask
// one, and those who then may not bind it there.
func (env *Env) impactOnBinding(i *Impact, now, next *iam.Preferences) error {
	more := map[bool]bool{true: bindsMore(now, next, true), false: bindsMore(now, next, false)}
	if !more[true] && !more[false] {
		return nil
	}
	a := env.Call.Caller.Account
	required, err := env.Tx.UsersWithoutFactor(a, true, 0, impactRows)
	if err != nil {
		return err
	}
	all, err := env.Tx.UsersWithoutFactor(a, false, 0, impactRows)
	if err != nil {
		return err
	}
	i.Capped, i.InVain = i.Capped || len(all) == impactRows, next.LinkOnly
	flagged := map[name.ID]bool{}
	for _, u := range required {
		flagged[u.User] = true
	}
	for _, u := range all {
		switch when := asksToBind(next, flagged[u.User]); {
		case !more[flagged[u.User]]:
		case when == signin.AskedUnusual:
			note(&i.Unusually, &i.UnusualCount, u.Name)
		case next.LinkOnly:
			i.shutOut(u.User, u.Name)
		default:
			note(&i.MustBind, &i.MustBindCount, u.Name)
		}
	}
	return nil
}

// note counts a user, and keeps the name while there are few.
func note(some *[]string, n *int, called string) {
	if *n++; len(*some) < impactNames {
		*some = append(*some, called)
	}
}

// impactOnPasskeys finds users who signed in of late with a passkey alone, and
// would have to give their password.
func (env *Env) impactOnPasskeys(i *Impact, now, next *iam.Preferences) error {
	if next.PasskeySignIn || !now.PasskeySignIn {
		return nil
	}
	all, err := env.Tx.RecentUsers(env.Call.Caller.Account, string(iam.MethodPasskey), env.Now.AddDate(0, 0, -unusualDays), impactRows)
	i.Capped = i.Capped || len(all) == impactRows
	for _, u := range all {
		i.shutOut(u.User, u.Name)
	}
	return err
}

// impactOnFactors finds users whose only factors are addresses that would not
// count any more: they have a factor and cannot use it.
func (env *Env) impactOnFactors(i *Impact, now, next *iam.Preferences) error {
	var lost, off [2]iam.FactorKind
	for n, kind := range [2]iam.FactorKind{iam.FactorEmail, iam.FactorSMS} {
		if !next.Accepts(kind) {
			off[n] = kind
			if now.Accepts(kind) {
				lost[n] = kind
			}
		}
	}
	if lost == [2]iam.FactorKind{} {
		return nil
	}
	all, err := env.Tx.UsersLosingFactors(env.Call.Caller.Account, lost, off, 0, impactRows)
	i.Capped = i.Capped || len(all) == impactRows
	for _, u := range all {
		i.shutOut(u.User, u.Name)
	}
	return err
}

// impactOnPlaces finds users who signed in of late, and never from where they
// still could.
func (env *Env) impactOnPlaces(i *Impact, now, next *iam.Preferences) error {
	if next.NetworkMasks == now.NetworkMasks || next.NetworkMasks == "" {
		return nil
	}
	a := env.Call.Caller.Account
	rows, err := env.Tx.RecentSources(a, env.Now.AddDate(0, 0, -unusualDays), impactRows)
	if err != nil {
		return err
	}
	i.Capped = i.Capped || len(rows) == impactRows
	admitted := map[name.ID]bool{}
	var order []name.ID
	for _, r := range rows {
		ip, _ := netip.ParseAddr(r.Source)
		if _, seen := admitted[r.User]; !seen {
			order = append(order, r.User)
		}
		admitted[r.User] = admitted[r.User] || next.Admits(ip)
	}
	for _, id := range order {
		if admitted[id] {
			continue
		}
		u, err := env.Tx.UserByID(a, id)
		if err != nil {
			return err
		}
		if u.Root {
			continue
		}
		i.shutOut(id, u.Name)
	}
	return nil
}

func (env *Env) impactOnIdle(i *Impact, now, next *iam.Preferences) error {
	a := env.Call.Caller.Account
	if next.IdleDaysUsers < now.IdleDaysUsers {
		all, err := env.Tx.IdleUsers(a, iam.IdleSince(next.IdleDaysUsers, env.Now), 0, impactRows)
		if err != nil {
			return err
		}
		i.IdleUsers, i.IdleUsersCount = names(all)
	}
	if next.IdleDaysKeys < now.IdleDaysKeys {
		all, err := env.Tx.IdleKeys(a, iam.IdleSince(next.IdleDaysKeys, env.Now), "", impactRows)
		if err != nil {
			return err
		}
		for n, k := range all {
			if n < impactNames {
				i.IdleKeys = append(i.IdleKeys, k.ID+" ("+k.Name+")")
			}
		}
		i.IdleKeysCount = len(all)
	}
	return nil
}

func (env *Env) impactOnSignIns(i *Impact, now, next *iam.Preferences) (err error) {
	a := env.Call.Caller.Account
	if now.Remember && !next.Remember {
		if i.Forgotten, err = env.Tx.CountRemembered(a, env.Now); err != nil {
			return err
		}
	}
	i.SignIns, err = env.signIns(env.Now.AddDate(0, 0, -unusualDays), next.RiskLogin)
	return err
}
