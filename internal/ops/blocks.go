package ops

import (
	"context"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
	"warifu/internal/signin"
	"warifu/internal/store"
)

// BlockUserIn is the input of BlockUser and UnblockUser.
type BlockUserIn struct {
	User   Ref
	Reason string
}

func (in BlockUserIn) record() audit.Fields {
	return audit.Fields{"userName": in.User.String(), "reason": clipped(in.Reason)}
}

// blockTarget is the target of an operation that keeps a user out or lets it in.
// AWS's words for that are the user's password and keys: a policy that gives all
// but iam:*, or denies it, does not give this.
func blockTarget(env *Env, in BlockUserIn) (Target, error) {
	t, err := env.userTarget(in.User)
	t.Also = append(t.Also, Need{Grants: Names{AWS: "iam:UpdateLoginProfile"}}, Need{Grants: Names{AWS: "iam:UpdateAccessKey"}})
	return t, err
}

// BlockUser keeps a user out until somebody lifts it: no sign-in, and its
// sessions, keys and temporary credentials are good for nothing from the answer
// on (security checklist P-10).
//
// Errors: NotFound user; Unmodifiable for root and for oneself; Invalid reason;
// Denied, noun "above the caller".
var BlockUser = Op[BlockUserIn, struct{}]{
	Name:   "BlockUser",
	Grants: Names{AWS: "warifu:BlockUser"},
	Mode:   Write,
	Needs:  recently,
	Target: blockTarget,
	Record: BlockUserIn.record,
	Do: func(env *Env, in BlockUserIn) (none struct{}, err error) {
		u, err := env.user(in.User)
		switch {
		case err != nil:
			return none, err
		case u.Root:
			return none, fault.New(fault.Unmodifiable, "the root user cannot be blocked")
		case clipped(in.Reason) != in.Reason:
			return none, fault.Field("reason", "reason must have at most 256 bytes and no control characters")
		}
		if err := env.mayEnd(u); err != nil {
			return none, err
		}
		if err := env.Tx.PutBlock(u.Account, &iam.Block{User: u.ID, At: env.Now, By: env.callerName(), Reason: in.Reason}); err != nil {
			return none, err
		}
		if _, err := env.Tx.DeleteSessions(u.Account, u.ID, 0); err != nil {
			return none, err
		}
		if _, err := env.Tx.DeleteAllRemembered(u.Account, u.ID); err != nil {
			return none, err
		}
		return none, env.notify(u, iam.NoticeBlocked, in.Reason)
	},
}

// callerName is how the caller is called in lists.
func (env *Env) callerName() string {
	c := &env.Call.Caller
	switch {
	case c.Role.ID != 0:
		return c.Role.Name + "/" + c.SessionName()
	case c.User.Root:
		return "root"
	}
	return c.User.Name
}

// UnblockUser lets a user in again whom an administrator has blocked, or who has
// too many wrong passwords. As with a password that is switched on again, somebody
// who is above the caller is not for the caller to let in: whoever may forgive
// wrong passwords may guess ten times more (P-8). For root there is
// Server.UnblockByHost.
//
// Errors: NotFound user; Conflict, noun "block", when it is not blocked at all;
// Denied, noun "above the caller".
var UnblockUser = Op[BlockUserIn, struct{}]{
	Name:   "UnblockUser",
	Grants: Names{AWS: "warifu:UnblockUser"},
	Mode:   Write,
	Needs:  recently,
	Target: blockTarget,
	Record: BlockUserIn.record,
	Do: func(env *Env, in BlockUserIn) (none struct{}, err error) {
		u, err := env.user(in.User)
		if err != nil {
			return none, err
		}
		if err := env.notAbove(u); err != nil {
			return none, err
		}
		return none, env.unblock(u)
	},
}

// unblock lifts whatever keeps a user out.
//
// Errors: Conflict, noun "block", when nothing does.
func (env *Env) unblock(u *iam.User) error {
	forgiven, err := env.forgive(u)
	if err != nil {
		return err
	}
	err = env.Tx.DeleteBlock(u.Account, u.ID)
	switch {
	case fault.Is(err, fault.NotFound) && !forgiven:
		return fault.Of(fault.Conflict, "block", u.Name)
	case ignoreMissing(err) != nil:
		return err
	}
	return env.notify(u, iam.NoticeUnblocked, "")
}

// UnblockByHost lets a user in again by the word of whoever has the server's
// machine: it is the way back for root, of whom nobody else is in charge. user ""
// is root.
//
// Errors: NotFound user; Conflict, noun "block", when it is not blocked at all.
func (s *Server) UnblockByHost(ctx context.Context, account name.Account, user string) error {
	call := Call{Caller: Caller{Account: account}, Source: Source{Door: "host"}, RequestID: s.newID(), At: s.now()}
	ev := s.newEvent(&call, "UnblockUser", "warifu:UnblockUser", false)
	ev.Actor.Kind = "system"
	ev.Target = audit.Target{Noun: "user", Name: user}
	return s.update(ctx, func(tx *store.Tx) error {
		env := &Env{Context: ctx, Server: s, Call: call, Tx: tx, Now: call.At, ev: &ev}
		u, err := tx.RootUser(account)
		if user != "" {
			u, err = tx.UserByName(account, user)
		}
		if err != nil {
			return err
		}
		ev.Target = audit.Target{Noun: "user", Name: u.Name, ID: u.ID, ARN: u.ARN()}
		return env.unblock(u)
	}, &ev)
}

// BlockedUser is a user who cannot sign in, and why.
type BlockedUser struct {
	User     iam.User
	Since    time.Time
	By       string // who blocked it; "" = wrong passwords did
	Reason   string
	Failures int // wrong passwords in a row, if By is ""
}

// ListBlockedUsers lists the users who are blocked by an administrator, and then
// those who have too many wrong passwords; one who is both is there twice.
var ListBlockedUsers = Op[Listing, page.Page[BlockedUser]]{
	Name:   "ListBlockedUsers",
	Grants: Names{AWS: "warifu:ListBlockedUsers"},
	Target: func(*Env, Listing) (Target, error) { return Target{Noun: "users"}, nil },
	Do: func(env *Env, in Listing) (page.Page[BlockedUser], error) {
		return pagedSections(env, "ListBlockedUsers", nil, in, []section[BlockedUser]{
			{env.blockedUsers, blockedKey}, {env.lockedUsers, blockedKey},
		})
	},
}

func blockedKey(b BlockedUser) page.Key { return page.Key{"", b.User.ID.String()} }

func (env *Env) blockedUsers(key page.Key, limit int) (all []BlockedUser, err error) {
	after, err := afterOf(key)
	if err != nil {
		return nil, err
	}
	a := env.Call.Caller.Account
	rows, err := env.Tx.Blocks(a, after.ID, limit)
	for i := 0; i < len(rows) && err == nil; i++ {
		var u *iam.User
		if u, err = env.Tx.UserByID(a, rows[i].User); err == nil {
			all = append(all, BlockedUser{User: *u, Since: rows[i].At, By: rows[i].By, Reason: rows[i].Reason})
		}
	}
	return all, err
}

func (env *Env) lockedUsers(key page.Key, limit int) (all []BlockedUser, err error) {
	after, err := afterOf(key)
	if err != nil {
		return nil, err
	}
	a := env.Call.Caller.Account
	rows, err := env.Tx.Lockouts(a, signin.MaxFailures, after.ID, limit)
	for i := 0; i < len(rows) && err == nil; i++ {
		var u *iam.User
		if u, err = env.Tx.UserByID(a, rows[i].User); err == nil {
			all = append(all, BlockedUser{User: *u, Since: rows[i].At, Failures: rows[i].Failures})
		}
	}
	return all, err
}
