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
}

// UnusualSignIns are the unusual sign-ins of an account, newest first.
type UnusualSignIns struct {
	Days         int // looked at
	All, Unusual int // sign-ins in those days
	page.Page[UnusualSignIn]
}

// ListUnusualSignIns tells which sign-ins of the last 30 days the rules call
// unusual, whatever was done about it: those that the adaptive mode would ask a
// factor of.
var ListUnusualSignIns = Op[Listing, UnusualSignIns]{
	Name:   "ListUnusualSignIns",
	Grants: Names{AWS: "warifu:ListUnusualSignIns"},
	Target: func(*Env, Listing) (Target, error) { return Target{Noun: "sign-ins"}, nil },
	Record: func(Listing) audit.Fields { return nil },
	Do: func(env *Env, in Listing) (list UnusualSignIns, err error) {
		a, since := env.Call.Caller.Account, env.Now.AddDate(0, 0, -unusualDays)
		list.Days = unusualDays
		if list.All, list.Unusual, err = env.Tx.CountSightings(a, since); err != nil {
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
					all = append(all, UnusualSignIn{rows[i], u.Name})
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
	MustBind      []string // users who would have to bind a factor at their next sign-in
	MustBindCount int
	ShutOut       []string // users who could not sign in any more as they did lately, or not at all
	ShutOutCount  int
	OwnWayIn      bool // the one who asks is among them

	Forgotten int // remembered browsers that would be forgotten

	IdleUsers      []string // users whose password would be turned off at once
	IdleUsersCount int
	IdleKeys       []string // and keys
	IdleKeysCount  int

	All, Unusual int // sign-ins of the last 30 days, and those that the adaptive mode would ask
	Capped       bool

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
	if i.ShutOutCount++; len(i.ShutOut) < impactNames {
		i.ShutOut = append(i.ShutOut, called)
	}
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
			env.impactOnBinding, env.impactOnFactors, env.impactOnPlaces, env.impactOnIdle, env.impactOnSignIns,
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

func (env *Env) impactOnBinding(i *Impact, now, next *iam.Preferences) error {
	if next.MFAForLogin != iam.MFAMandatory || now.MFAForLogin == iam.MFAMandatory && now.LinkOnly == next.LinkOnly {
		return nil
	}
	all, err := env.Tx.UsersWithoutFactor(env.Call.Caller.Account, false, 0, impactRows)
	if err != nil {
		return err
	}
	i.Capped = i.Capped || len(all) == impactRows
	if !next.LinkOnly {
		i.MustBind, i.MustBindCount = names(all)
		return nil
	}
	for _, u := range all {
		i.shutOut(u.User, u.Name)
	}
	return nil
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
	i.All, i.Unusual, err = env.Tx.CountSightings(a, env.Now.Add(-unusualDays*24*time.Hour))
	return err
}
