package ops

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strconv"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/seal"
	"warifu/internal/signin"
)

// Two things are kept of a browser, each in a cookie of its own. By the one it is
// known to be a browser that some users signed in with before: their wrong
// passwords in it are counted apart, and a sign-in with it is nothing unusual. It
// proves nothing. By the other it stands in for the second factor of one user, if
// the account allows it and the user asked for it.

// Secrets in those cookies say what they are.
const (
	browserToken = "wbro_"
	memoryToken  = "wmem_"
)

const (
	// browserLife is how long a browser is known that nobody signs in with.
	browserLife = 400 * 24 * time.Hour // the longest that browsers keep a cookie
	// browsersKept bounds the browsers of one user.
	browsersKept = 20
	// rotationGrace is how long a spent secret is no proof of a theft: a form that
	// was sent twice comes with the same cookie.
	rotationGrace = 10 * time.Second
)

// SignInCookies are what a browser is to keep once a session is open.
type SignInCookies struct {
	Browser      seal.Secret // empty = it has the right one
	BrowserLife  time.Duration
	Memory       seal.Secret // empty = it has none to keep, see ForgetMemory
	MemoryEnds   time.Time
	ForgetMemory bool // what it has is good for nothing
}

// lane is a user's budget of wrong passwords in the browser that asks: the
// browser's own, if the user signed in with it before, otherwise the one that all
// other browsers share.
type lane struct {
	signin.Lane
	user    *iam.User
	browser *iam.Browser // nil = the shared one
}

// laneOf finds the lane by the cookie of the browser.
func (env *Env) laneOf(u *iam.User, cookie seal.Secret) (l lane, err error) {
	l.user = u
	if isToken(browserToken, cookie) {
		if l.browser, err = env.Tx.Browser(u.ID, hashToken(cookie)); ignoreMissing(err) != nil {
			return l, err
		}
	}
	if l.browser != nil {
		l.Lane = signin.Lane{Failures: l.browser.Failures, Last: l.browser.Failed}
		return l, nil
	}
	l.Failures, l.Last, err = env.Tx.Failures(u.ID)
	return l, err
}

// countIn counts a wrong password, and tells the user when it was the last one of
// that budget.
func (env *Env) countIn(l *lane) (err error) {
	var n int
	if l.browser != nil {
		n, err = env.Tx.CountBrowserFailure(l.user.ID, l.browser.Hash, env.Now)
	} else {
		n, err = env.Tx.CountFailure(l.user.ID, env.Now)
	}
	if err != nil || n != signin.MaxFailures {
		return err
	}
	return env.notify(l.user, iam.NoticeBlocked, strconv.Itoa(n))
}

// forgiveIn takes back the wrong passwords of one budget.
func (env *Env) forgiveIn(l *lane) (err error) {
	if l.browser != nil {
		_, err = env.Tx.ClearBrowserFailures(l.user.ID, l.browser.Hash)
	} else {
		_, err = env.Tx.ClearFailures(l.user.ID)
	}
	return err
}

// pauseAfter is how many wrong passwords in a row the caller's account bears before
// a pause; 0 = no pause. Root has none, as no password policy of a user binds root
// (AWS, Alibaba Cloud): a pause would tell an address of root's from one that is
// nobody's, where accounts differ.
func (env *Env) pauseAfter(root bool) (int, error) {
	if root {
		return 0, nil
	}
	rules, err := env.passwordPolicy()
	return rules.MaxLoginAttempts, err
}

// browserFacts tells what the browser says about the user: its lane of wrong
// passwords, and whether it stands in for the factor.
func (s *signing) browserFacts(f *signin.Facts) (err error) {
	s.memory = nil
	if s.lane, err = s.laneOf(s.user, s.cookies.Browser); err != nil {
		return err
	}
	f.Lane = s.lane.Lane
	if !f.Wanted.Remember || !isToken(memoryToken, s.cookies.Memory) {
		return nil
	}
	m, err := s.Tx.RememberedByHash(hashToken(s.cookies.Memory), s.Now)
	if err != nil || m.User != s.user.ID || m.Created.After(s.Now) {
		return ignoreMissing(err)
	}
	bond, err := s.bond(s.user)
	if err == nil && bytes.Equal(bond, m.Bond) {
		s.memory, f.Remembered = m, true
	}
	return err
}

// strangerFacts are the facts about a name that nobody has. It is paused as a user
// of its account would be, and in an account that there is not as one of some
// account, always the same one for the same name (P-5).
func (s *signing) strangerFacts(f *signin.Facts, root bool, account name.Account) (err error) {
	if f.Lane.Failures, f.Lane.Last, err = s.Tx.StrangerFailures(s.key); err != nil || root {
		return err
	}
	if account, err = s.standIn(account); err != nil || account == 0 {
		return err
	}
	s.Call.Caller.Account = account
	f.Attempts, err = s.pauseAfter(root)
	s.Call.Caller.Account = 0
	return err
}

// standIn is the account itself, or if there is none of that number one by whose
// rules a name is treated that nobody has.
func (s *signing) standIn(account name.Account) (name.Account, error) {
	if account != 0 {
		if _, err := s.Tx.Account(account); !fault.Is(err, fault.NotFound) {
			return account, err
		}
	}
	all, err := s.Tx.Accounts()
	if err != nil || len(all) == 0 {
		return 0, err
	}
	sum := sha256.Sum256([]byte(s.key)) // the key itself is a keyed hash: nobody can tell which it will be
	return all[binary.BigEndian.Uint64(sum[:])%uint64(len(all))].ID, nil
}

// bond is what a remembered browser stands and falls with: which factors the user
// has, and since when its password. Whatever changes one of them, at whatever
// door, ends the memory; no one need think of it.
func (env *Env) bond(u *iam.User) ([]byte, error) {
	all, err := env.Tx.Factors(u.Account, u.ID)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, 0, len(all)+2)
	for i := range all {
		ids = append(ids, int64(all[i].ID))
	}
	slices.Sort(ids)
	profile, err := env.Tx.LoginProfile(u.Account, u.ID)
	if err == nil {
		ids = append(ids, -1, profile.Changed.UnixMicro())
	} else if ignoreMissing(err) != nil {
		return nil, err
	}
	h := sha256.New()
	for _, id := range ids {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(id)))
	}
	return h.Sum(nil), nil
}

// noticeTheft looks at the memory that a first form comes with. One that was
// spent is either the thief's or the owner's after the thief was there: whoever
// it is, the memory is forgotten, and the user told (security checklist S-5).
func (s *signing) noticeTheft(form Submission) error {
	if form.act() != signin.Identified || !isToken(memoryToken, s.cookies.Memory) {
		return nil
	}
	m, spent, err := s.Tx.SpentRemembered(hashToken(s.cookies.Memory))
	if err != nil || s.Now.Sub(spent) < rotationGrace {
		return ignoreMissing(err)
	}
	u, err := s.Tx.UserByID(m.Account, m.User)
	if err != nil {
		return ignoreMissing(err)
	}
	if err := s.Tx.DeleteRemembered(m.Account, m.User, m.ID); err != nil {
		return err
	}
	s.ev.Params["memory"] = "a spent secret of " + m.ID.String() + " was shown"
	return s.notify(u, iam.NoticeMemoryStolen, clipped(m.UserAgent))
}

// remember does what the end of a sign-in asks of the browser: it is known from
// now on, its memory is used up or made, and that of anybody else who used it is
// void.
func (s *signing) remember(out signin.Outcome) (c SignInCookies, err error) {
	if err := s.sight(out); err != nil {
		return c, err
	}
	token := s.cookies.Browser
	if !isToken(browserToken, token) {
		if token, err = s.newToken(browserToken); err != nil {
			return c, err
		}
	}
	c.Browser, c.BrowserLife = token, browserLife
	if err := s.Tx.PutBrowser(s.user.ID, hashToken(token), s.Now, browsersKept); err != nil {
		return c, err
	}
	if out.Remembered {
		if err := s.useMemory(&c); err != nil {
			return c, err
		}
		return c, nil
	}
	if err := s.dropMemory(&c); err != nil {
		return c, err
	}
	wanted, err := s.Tx.Preferences(s.user.Account)
	if err != nil || !s.flow.Remember || !wanted.Remember || s.user.Root {
		return c, err
	}
	return c, s.makeMemory(&c)
}

// useMemory spends the browser's secret for another one.
func (s *signing) useMemory(c *SignInCookies) error {
	token, err := s.newToken(memoryToken)
	if err != nil {
		return err
	}
	done, err := s.Tx.RotateRemembered(s.memory, hashToken(token), s.Now)
	if err != nil {
		return err
	}
	if !done {
		return fault.New(fault.Conflict, "the remembered browser was used meanwhile")
	}
	c.Memory, c.MemoryEnds = token, s.memory.Expires
	s.flow.Proved = append(s.flow.Proved, iam.Proved{Method: iam.MethodRemembered, At: s.memory.Created})
	s.ev.Params["method"] = (&iam.Session{Proved: s.flow.Proved}).Method()
	return nil
}

// dropMemory makes void what the browser shows: it is somebody else's, who has
// signed out or run out, or did not serve.
func (s *signing) dropMemory(c *SignInCookies) error {
	if s.cookies.Memory.Empty() {
		return nil
	}
	c.ForgetMemory = true
	m, err := s.Tx.RememberedByHash(hashToken(s.cookies.Memory), s.Now)
	if err != nil {
		return ignoreMissing(err)
	}
	return ignoreMissing(s.Tx.DeleteRemembered(m.Account, m.User, m.ID))
}

// makeMemory lets the browser stand in for the factor that was proved just now.
func (s *signing) makeMemory(c *SignInCookies) error {
	last, ok := (&iam.Session{Proved: s.flow.Proved}).Last(true)
	if !ok {
		return nil
	}
	id, err := name.NewID(s.rand)
	if err != nil {
		return fault.Wrap(err, "remember a browser")
	}
	token, err := s.newToken(memoryToken)
	if err != nil {
		return err
	}
	m := iam.Remembered{
		ID: id, Account: s.user.Account, User: s.user.ID, Hash: hashToken(token), Created: last.At,
		Expires: last.At.Add(iam.RememberedLife), Method: last.Method, Source: s.source(), UserAgent: clipped(s.Call.Source.UserAgent),
	}
	if m.Bond, err = s.bond(s.user); err != nil {
		return err
	}
	c.Memory, c.MemoryEnds, c.ForgetMemory = token, m.Expires, false
	return s.Tx.InsertRemembered(&m)
}

// ListRememberedDevices lists the browsers that stand in for a user's factor,
// newest first. A zero Ref means the caller.
//
// Errors: NotFound user.
var ListRememberedDevices = Op[UserIn, []iam.Remembered]{
	Name:   "ListRememberedDevices",
	Grants: Names{AWS: "warifu:ListRememberedDevices"},
	Target: func(env *Env, in UserIn) (Target, error) { return env.sessionsTarget(in.User) },
	Record: UserIn.record,
	Do: func(env *Env, in UserIn) ([]iam.Remembered, error) {
		u, err := env.user(in.User)
		if err != nil {
			return nil, err
		}
		all, err := env.Tx.Remembered(u.Account, u.ID, env.Now)
		if err != nil || len(all) == 0 {
			return nil, err
		}
		bond, err := env.bond(u)
		if err != nil {
			return nil, err
		}
		good := all[:0]
		for _, m := range all {
			if bytes.Equal(m.Bond, bond) {
				m.Hash, m.Bond = nil, nil
				good = append(good, m)
			}
		}
		return good, nil
	},
}

// ForgetDeviceIn names a remembered browser of a user; a zero Ref means the
// caller, a zero Device all of them.
type ForgetDeviceIn struct {
	User   Ref
	Device name.ID
}

// ForgetDevice lets a browser, or all of them, no longer stand in for a user's
// factor.
//
// Errors: NotFound user or remembered device.
var ForgetDevice = Op[ForgetDeviceIn, struct{}]{
	Name:   "ForgetDevice",
	Grants: Names{AWS: "warifu:ForgetDevice"},
	Mode:   Write,
	Target: func(env *Env, in ForgetDeviceIn) (Target, error) { return env.sessionsTarget(in.User) },
	Record: func(in ForgetDeviceIn) audit.Fields {
		return audit.Fields{"userName": in.User.String(), "device": in.Device.String()}
	},
	Do: func(env *Env, in ForgetDeviceIn) (none struct{}, err error) {
		u, err := env.user(in.User)
		if err != nil {
			return none, err
		}
		if in.Device == 0 {
			_, err = env.Tx.DeleteAllRemembered(u.Account, u.ID)
			return none, err
		}
		return none, env.Tx.DeleteRemembered(u.Account, u.ID, in.Device)
	},
}
