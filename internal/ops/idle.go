package ops

import (
	"context"
	"time"

	"warifu/internal/audit"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
	"warifu/internal/store"
)

// DisableIdle turns off the passwords of users who did not sign in, and the keys
// that nobody used, for as long as their account bears (MaxIdleDays), once a day
// after midnight UTC and at the start. Root is left alone. Sign-ins through
// another identity provider are no sign of life: they do not use the password.
//
// It is safe to run on every node at once: what one did, the others find done.
func (s *Server) DisableIdle(ctx context.Context) error {
	day := s.now().UTC().Truncate(24 * time.Hour)
	if s.idleDay.Load() == day.Unix() {
		return nil
	}
	var accounts []iam.Account
	err := s.store.View(ctx, func(tx *store.Tx) (err error) {
		accounts, err = tx.Accounts()
		return err
	})
	for i := 0; i < len(accounts) && err == nil; i++ {
		if err = s.disableIdleUsers(ctx, accounts[i].ID); err == nil {
			err = s.disableIdleKeys(ctx, accounts[i].ID)
		}
	}
	if err == nil {
		s.idleDay.Store(day.Unix())
	}
	return err
}

// idleBatch is how many one transaction disables: others hardly wait.
const idleBatch = 100

// inBatches runs do in transactions until it says that there is no more. Each
// call gets an Env without a caller: the program itself is at work.
func (s *Server) inBatches(ctx context.Context, a name.Account, do func(*Env, iam.Preferences) (more bool, err error)) error {
	for more := true; more; {
		err := s.store.Update(ctx, func(tx *store.Tx) error {
			wanted, err := tx.Preferences(a)
			if err != nil {
				return err
			}
			call := Call{Caller: Caller{Account: a}, Source: Source{Door: "host", Service: "warifu"}, At: s.now()}
			more, err = do(&Env{Context: ctx, Server: s, Call: call, Tx: tx, Now: call.At}, wanted)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) disableIdleUsers(ctx context.Context, a name.Account) error {
	return s.inBatches(ctx, a, func(env *Env, wanted iam.Preferences) (bool, error) {
		since := iam.IdleSince(wanted.IdleDaysUsers, env.Now)
		rows, err := env.Tx.IdleUsers(a, since, 0, idleBatch)
		for i := 0; i < len(rows) && err == nil; i++ {
			var done bool
			if done, err = env.Tx.DisableIdleUser(a, rows[i].User, since, env.Now); err != nil || !done {
				continue
			}
			err = env.disabled("DisableIdleLogin", "iam:UpdateLoginProfile", rows[i].User, rows[i].Name, "")
		}
		return len(rows) == idleBatch, err
	})
}

func (s *Server) disableIdleKeys(ctx context.Context, a name.Account) error {
	return s.inBatches(ctx, a, func(env *Env, wanted iam.Preferences) (bool, error) {
		since := iam.IdleSince(wanted.IdleDaysKeys, env.Now)
		rows, err := env.Tx.IdleKeys(a, since, "", idleBatch)
		disabled := 0
		for i := 0; i < len(rows) && err == nil; i++ {
			if used, ok := s.usage.key(rows[i].ID); ok && !used.at.Before(since) {
				continue // used a moment ago, which is not written yet
			}
			var done bool
			if done, err = env.Tx.DisableIdleKey(a, rows[i].ID, since, env.Now); err != nil || !done {
				continue
			}
			disabled++
			err = env.disabled("DisableIdleAccessKey", "iam:UpdateAccessKey", rows[i].User, rows[i].Name, rows[i].ID)
		}
		return len(rows) == idleBatch && disabled > 0, err
	})
}

// disabled records that the program turned something off, and tells the user.
func (env *Env) disabled(operation, action string, user name.ID, userName, key string) error {
	ev := env.newEvent(&env.Call, operation, action, false)
	ev.Actor, ev.Result = audit.Actor{Kind: "service", Name: "warifu"}, audit.Allowed
	ev.Target = audit.Target{Noun: "user", Name: userName, ID: user}
	ev.Params = audit.Fields{"userName": userName, "reason": "idle"}
	if key != "" {
		ev.Params["accessKeyId"] = key
	}
	if err := env.Tx.AppendEvents(ev); err != nil {
		return err
	}
	return env.notify(&iam.User{ID: user, Account: env.Call.Caller.Account, Name: userName}, iam.NoticeIdle, key)
}

// IdleItem is a password or a key that was turned off because nobody used it.
type IdleItem struct {
	User     name.ID
	UserName string
	Key      string    // "" = the password
	Last     time.Time // last sign of life
	Disabled time.Time
}

// ListIdle lists the passwords and then the keys that were turned off because
// nobody used them. UpdateLoginProfile and UpdateAccessKey turn them on again.
var ListIdle = Op[Listing, page.Page[IdleItem]]{
	Name:   "ListIdle",
	Grants: Names{AWS: "warifu:ListIdle"},
	Target: func(*Env, Listing) (Target, error) { return Target{Noun: "users"}, nil },
	Do: func(env *Env, in Listing) (page.Page[IdleItem], error) {
		return pagedSections(env, "ListIdle", nil, in, []section[IdleItem]{
			{env.idleLogins, func(i IdleItem) page.Key { return page.Key{"", i.User.String()} }},
			{env.idleKeys, func(i IdleItem) page.Key { return page.Key{i.Key, "0"} }},
		})
	},
}

func (env *Env) idleLogins(key page.Key, limit int) (all []IdleItem, err error) {
	after, err := afterOf(key)
	if err != nil {
		return nil, err
	}
	rows, err := env.Tx.DisabledUsers(env.Call.Caller.Account, after.ID, limit)
	for _, r := range rows {
		all = append(all, IdleItem{User: r.User, UserName: r.Name, Last: r.Last, Disabled: r.At})
	}
	return all, err
}

func (env *Env) idleKeys(key page.Key, limit int) (all []IdleItem, err error) {
	after, err := afterOf(key)
	if err != nil {
		return nil, err
	}
	rows, err := env.Tx.DisabledKeys(env.Call.Caller.Account, after.Name, limit)
	for _, r := range rows {
		all = append(all, IdleItem{User: r.User, UserName: r.Name, Key: r.ID, Last: r.Last, Disabled: r.At})
	}
	return all, err
}
