package ops

import (
	"context"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
	"warifu/internal/seal"
	"warifu/internal/store"
	"warifu/policy"
)

const (
	// seenEvery is how exact the last request of a session is kept: a write for
	// each would cost more than the request.
	seenEvery = time.Minute
)

// Secrets in cookies and links say what they are, so that one of a kind is never
// taken for another (security checklist S-1, S-6).
const (
	sessionToken = "wses_"
	flowToken    = "wflo_"
	linkToken    = "wenr_"

	tokenSize = 32 // bytes: 256 bits
)

// newToken draws a secret of a kind.
func (s *Server) newToken(kind string) (seal.Secret, error) {
	t, err := randomText(s.rand, tokenSize, base64.RawURLEncoding)
	if err != nil {
		return t, fault.Wrap(err, "draw a secret")
	}
	return seal.NewSecret(append([]byte(kind), t.Reveal()...)), nil
}

// isToken reports whether a secret could be one of a kind: what is not is not
// looked up.
func isToken(kind string, t seal.Secret) bool {
	b := t.Reveal()
	return len(b) == len(kind)+base64.RawURLEncoding.EncodedLen(tokenSize) && string(b[:len(kind)]) == kind
}

// errNoSession answers whoever is not signed in to the console, for whatever
// reason.
var errNoSession = fault.New(fault.Unauthenticated, "the session has ended; sign in again")

// endedSession hides why there is no session, but not that the server could not
// tell.
func endedSession(err error) error {
	if fault.Is(err, fault.NotFound) {
		return errNoSession
	}
	return err
}

// Session finds who is signed in with a session cookie, in a request from an
// address. Its Caller goes into the Call of every operation of the page;
// Caller.Console says when it ends.
//
// A session that was ended, has run out, or whose user was deleted or blocked is
// good for nothing from the next look on, on every node: it is read from the
// database each time (security checklist P-10).
//
// Errors: Unauthenticated, the same for every reason.
func (s *Server) Session(ctx context.Context, token seal.Secret, from Source) (c Caller, err error) {
	if !isToken(sessionToken, token) {
		return c, errNoSession
	}
	now := s.now()
	err = s.store.View(ctx, func(tx *store.Tx) (err error) {
		c, err = s.consoleCaller(tx, hashToken(token), &Call{Source: from}, now)
		return err
	})
	if err != nil {
		return Caller{}, endedSession(err)
	}
	if now.Sub(c.Console.Seen) >= seenEvery {
		s.usage.touchSession(c.Account, c.Console.ID, now)
	}
	return c, nil
}

// consoleCaller reads a session and its user.
func (s *Server) consoleCaller(tx *store.Tx, hash []byte, call *Call, now time.Time) (c Caller, err error) {
	session, err := tx.SessionByHash(hash)
	if err != nil {
		return c, err
	}
	if at, ok := s.usage.session(session.ID); ok && at.After(session.Seen) {
		session.Seen = at
	}
	c = Caller{Account: session.Account, Kind: policy.User, Console: session, MFA: MFA{Known: true}}
	if last, ok := session.Last(true); ok {
		c.MFA.Present, c.MFA.At, c.MFA.Methods = true, last.At, session.Factors()
	}
	if c.revision, err = tx.Revision(c.Account); err != nil {
		return c, err
	}
	if known, ok := s.cache.principals.get(session.User); ok && known.revision == c.revision {
		c.User = known.user
	} else if err = loadUser(tx, &c, session.User); err != nil {
		return c, err
	}
	if c.User.Root {
		c.Kind = policy.Root
	}
	wanted, err := s.preferencesOf(tx, c.Account, c.revision)
	if err != nil {
		return c, err
	}
	if !live(session, &c.User, wanted, call, now) {
		return c, errNoSession
	}
	session.Expires = wanted.Ends(session)
	if at, stood := session.Remembered(); stood && !c.MFA.Present && wanted.RememberedIsMFA {
		c.MFA.Present, c.MFA.At, c.MFA.Methods = true, at, []string{string(iam.MethodRemembered)}
	}
	return c, nil
}

// loadUser reads a caller's user. One who is blocked is not there.
func loadUser(tx *store.Tx, c *Caller, id name.ID) error {
	if err := notBlocked(tx, c.Account, id); err != nil {
		return err
	}
	u, err := tx.UserByID(c.Account, id)
	if err == nil {
		c.User = *u
	}
	return err
}

// notBlocked is NotFound for a user whom an administrator has blocked.
func notBlocked(tx *store.Tx, a name.Account, user name.ID) error {
	_, err := tx.Block(a, user)
	if err == nil {
		return fault.Of(fault.NotFound, "user", user.String())
	}
	return ignoreMissing(err)
}

// stillSignedIn reads the caller's session again inside the transaction.
func (env *Env) stillSignedIn() error {
	fresh, err := env.consoleCaller(env.Tx, env.Call.Caller.Console.Hash, &env.Call, env.Now)
	if err != nil {
		return endedSession(err)
	}
	env.Call.Caller = fresh
	return nil
}

// openSession signs a user in. It is the one place where sessions are made, and
// the sign-in machine's Open the one reason (security checklist S-8).
func (env *Env) openSession(u *iam.User, proved []iam.Proved) (*OpenedSession, error) {
	id, err := name.NewID(env.rand)
	if err != nil {
		return nil, fault.Wrap(err, "open a session")
	}
	token, err := env.newToken(sessionToken)
	if err != nil {
		return nil, err
	}
	wanted, err := env.Tx.Preferences(u.Account)
	if err != nil {
		return nil, err
	}
	s := iam.Session{
		ID: id, Hash: hashToken(token), Account: u.Account, User: u.ID, Created: env.Now, Seen: env.Now,
		Idle: wanted.Idle(), Expires: env.Now.Add(wanted.Life()), Proved: proved,
		Source: env.source(), UserAgent: clipped(env.Call.Source.UserAgent),
	}
	if err := env.Tx.InsertSession(&s); err != nil {
		return nil, err
	}
	if err := env.keepLanguage(u); err != nil {
		return nil, err
	}
	if u.Root {
		if err := env.tellOfRoot(u, iam.NoticeRootUsed, ""); err != nil {
			return nil, err
		}
	}
	return &OpenedSession{Token: token, Session: s}, env.Tx.SetPasswordUsed(u.Account, u.ID, env.Now)
}

// clipped is a text as far as it is kept: 256 bytes of what a stranger sent, less
// what a database refuses or a terminal obeys.
func clipped(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, s[:min(len(s), 256)])
}

// OpenedSession is a session at the one moment when its secret is known here.
type OpenedSession struct {
	iam.Session
	Token seal.Secret // the session cookie
}

// sessionsTarget is the target of an operation on a user's sessions: its own
// unless policy denies it, another's if policy allows it.
func (env *Env) sessionsTarget(r Ref) (Target, error) {
	t, err := env.userTarget(r)
	t.Granted = err == nil && t.ID != 0 && t.ID == env.Call.Caller.ID()
	return t, err
}

// SessionInfo is a session as lists show it.
type SessionInfo struct {
	iam.Session
	Current bool // it is the one that asks
}

// ListSessions lists a user's console sessions, newest first.
//
// Errors: NotFound user.
var ListSessions = Op[UserListing, page.Page[SessionInfo]]{
	Name:   "ListSessions",
	Grants: Names{AWS: "warifu:ListSessions"},
	Target: func(env *Env, in UserListing) (Target, error) { return env.sessionsTarget(in.User) },
	Record: func(in UserListing) audit.Fields { return audit.Fields{"userName": in.User.String()} },
	Do: func(env *Env, in UserListing) (p page.Page[SessionInfo], err error) {
		u, err := env.user(in.User)
		if err != nil {
			return p, err
		}
		return pagedBy(env, "ListSessions", []string{u.ID.String()}, in.Listing, func(key page.Key, limit int) ([]SessionInfo, error) {
			at, id, err := newest(key)
			if err != nil {
				return nil, err
			}
			return env.sessionsOf(u, store.SessionAfter{Created: at, ID: id}, limit)
		}, func(s SessionInfo) page.Key { return newestKey(s.Created, s.ID) })
	},
}

// sessionsOf reads up to limit live sessions after a place.
func (env *Env) sessionsOf(u *iam.User, after store.SessionAfter, limit int) (live []SessionInfo, err error) {
	for {
		rows, err := env.Tx.Sessions(u.Account, u.ID, after, limit)
		if err != nil {
			return nil, err
		}
		for _, s := range rows {
			if at, ok := env.usage.session(s.ID); ok && at.After(s.Seen) {
				s.Seen = at
			}
			if s.Live(env.Now) && len(live) < limit {
				own := env.Call.Caller.Console
				s.Hash = nil
				live = append(live, SessionInfo{s, own != nil && own.ID == s.ID})
			}
		}
		if len(rows) < limit || len(live) == limit {
			return live, nil
		}
		last := rows[len(rows)-1]
		after = store.SessionAfter{Created: last.Created, ID: last.ID}
	}
}

// newestKey is the key of a row in a list that is newest first; newest reads it.
func newestKey(at time.Time, id name.ID) page.Key {
	return page.Key{strconv.FormatInt(at.UnixMicro(), 10), id.String()}
}

func newest(key page.Key) (at time.Time, id name.ID, err error) {
	if key == nil {
		return at, 0, nil
	}
	if len(key) != 2 {
		return at, 0, fault.New(fault.Internal, "a cursor holds %d values, not a time and an id", len(key))
	}
	micros, err1 := strconv.ParseInt(key[0], 10, 64)
	n, err2 := strconv.ParseInt(key[1], 10, 64)
	if err1 != nil || err2 != nil {
		return at, 0, fault.New(fault.Internal, "a cursor holds no time and id")
	}
	return time.UnixMicro(micros).UTC(), name.ID(n), nil
}

// SessionIn names a session of a user; a zero Ref means the caller.
type SessionIn struct {
	User    Ref
	Session name.ID
}

// EndSession ends one session of a user.
//
// Errors: NotFound user or session, noun "session".
var EndSession = Op[SessionIn, struct{}]{
	Name:   "EndSession",
	Grants: Names{AWS: "warifu:EndSession"},
	Mode:   Write,
	Target: func(env *Env, in SessionIn) (Target, error) { return env.sessionsTarget(in.User) },
	Record: func(in SessionIn) audit.Fields {
		return audit.Fields{"userName": in.User.String(), "session": in.Session.String()}
	},
	Do: func(env *Env, in SessionIn) (none struct{}, err error) {
		u, err := env.user(in.User)
		if err != nil {
			return none, err
		}
		if err := env.Tx.DeleteSession(u.Account, u.ID, in.Session); err != nil {
			return none, err
		}
		return none, env.notify(u, iam.NoticeSessionsEnded, "1")
	},
}

// EndOtherSessions ends all sessions of a user but the one that asks, and tells
// how many there were. A zero Ref means the caller.
//
// Errors: NotFound user.
var EndOtherSessions = Op[UserIn, int]{
	Name:   "EndOtherSessions",
	Grants: Names{AWS: "warifu:EndSession"},
	Mode:   Write,
	Target: func(env *Env, in UserIn) (Target, error) { return env.sessionsTarget(in.User) },
	Record: UserIn.record,
	Do: func(env *Env, in UserIn) (int, error) {
		u, err := env.user(in.User)
		if err != nil {
			return 0, err
		}
		return env.endSessions(u)
	},
}

// endSessions ends the sessions of a user but the caller's own.
func (env *Env) endSessions(u *iam.User) (int, error) {
	var keep name.ID
	if c := env.Call.Caller.Console; c != nil {
		keep = c.ID
	}
	n, err := env.Tx.DeleteSessions(u.Account, u.ID, keep)
	if err != nil || n == 0 {
		return n, err
	}
	return n, env.notify(u, iam.NoticeSessionsEnded, strconv.Itoa(n))
}

// SignOut ends the caller's session. No policy keeps anybody in.
//
// Errors: Unauthenticated when there is none.
var SignOut = Op[struct{}, struct{}]{
	Name:       "SignOut",
	Grants:     Names{AWS: "warifu:SignOut"},
	Permission: Always,
	Mode:       Write,
	Target: func(env *Env, _ struct{}) (Target, error) {
		return Target{Noun: "session"}, nil
	},
	Record: func(struct{}) audit.Fields { return nil },
	Do: func(env *Env, _ struct{}) (none struct{}, err error) {
		c := &env.Call.Caller
		if c.Console == nil {
			return none, errNoSession
		}
		return none, endedSession(env.Tx.DeleteSession(c.Account, c.User.ID, c.Console.ID))
	},
}
