package ops

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"warifu/internal/audit"
	"warifu/internal/factor/totp"
	"warifu/internal/iam"
	"warifu/internal/page"
	"warifu/internal/password"
	"warifu/internal/store"
)

// Surroundings is what stands around every page of the console.
type Surroundings struct {
	Alias  string      // of the account; "" if it has none
	Unseen int         // notices that the caller has not seen
	Loud   *iam.Notice // newest that was not seen and must not be missed; nil = none
}

// Surroundings tells what stands around the pages of a caller that Session
// returned. It is no operation: each page would leave an event for it.
func (s *Server) Surroundings(ctx context.Context, c *Caller) (around Surroundings, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) error {
		a, err := tx.Account(c.Account)
		if err != nil {
			return err
		}
		around.Alias = a.Alias
		around.Loud = nil
		if around.Unseen, err = tx.UnseenNotices(c.Account, c.User.ID); err != nil || around.Unseen == 0 {
			return err
		}
		around.Loud, err = loudNotice(tx, c)
		return err
	})
	return around, err
}

// loudNotice is the newest notice that somebody was let back in as root, or may be.
func loudNotice(tx *store.Tx, c *Caller) (*iam.Notice, error) {
	newest, err := tx.Notices(c.Account, c.User.ID, store.NoticeAfter{}, MaxPage)
	for i := range newest {
		if n := &newest[i]; n.Seen.IsZero() && (n.Kind == iam.NoticeRootLink || n.Kind == iam.NoticeRootRecovered) {
			return n, nil
		}
	}
	return nil, err
}

const (
	// ownActivity is how far back people see what they did. It bounds what a page
	// reads of the trail.
	ownActivity = 90 * 24 * time.Hour

	// maxOwnScan bounds it, too, where others act under the name: a role may have
	// that of a user, and the server has none, as root.
	maxOwnScan = 2000
)

// ListOwnActivity lists the changes that were made in the caller's name within
// 90 days, and the attempts, newest first: whoever sees one that is not its own
// knows that somebody else has its password. No policy keeps it from anybody.
//
// Errors: Invalid, noun "caller is no user"; Invalid cursor or size of a page.
var ListOwnActivity = Op[Listing, page.Page[audit.Event]]{
	Name:       "ListOwnActivity",
	Grants:     Names{AWS: "warifu:ListOwnActivity"},
	Permission: Always,
	Target:     func(env *Env, _ Listing) (Target, error) { return env.userTarget(Ref{}) },
	Do: func(env *Env, in Listing) (list page.Page[audit.Event], err error) {
		u, err := env.user(Ref{})
		if err != nil {
			return list, err
		}
		return pagedBy(env, "ListOwnActivity", []string{u.ID.String()}, in, func(key page.Key, limit int) (own []audit.Event, err error) {
			at, err := eventAfter(key)
			for scanned := 0; err == nil && len(own) < limit && scanned < maxOwnScan; {
				var events []audit.Event
				if events, err = env.Tx.Changes(u.Account, u.Name, env.Now.Add(-ownActivity), at, max(limit, MaxEvents)); len(events) == 0 {
					break
				}
				for i := range events {
					if e := &events[i]; e.Actor.ID == u.ID && len(own) < limit {
						own = append(own, *e)
					}
				}
				last := &events[len(events)-1]
				at, scanned = store.EventAfter{At: last.At, ID: last.ID}, scanned+len(events)
			}
			return own, err
		}, func(e audit.Event) page.Key { return page.Key{strconv.FormatInt(e.At.UnixMicro(), 10), e.ID} })
	},
}

// CodeParams are what an app and the server agree on for the codes of a virtual
// device: algorithm SHA1, SHA256 or SHA512, or "" for SHA1; digits 6 or 8, or ""
// for 6.
//
// Errors: Invalid algorithm or digits.
func CodeParams(algorithm, digits string) (p totp.Params, err error) {
	if algorithm != "" {
		if p.Algorithm, err = totp.ParseAlgorithm(algorithm); err != nil {
			return p, err
		}
	}
	if digits != "" {
		if p.Digits, err = strconv.Atoi(digits); err != nil {
			p.Digits = -1 // no device has so many
		}
	}
	return p, p.Check()
}

// CodeKind is what has to be set in an app whose user types the key of a device.
type CodeKind struct {
	Algorithm string // SHA1, SHA256 or SHA512
	Digits    int
	Period    int // seconds
}

// Codes says which codes the device wants.
func (d *NewDevice) Codes() (CodeKind, error) {
	p, err := totp.ParseData(d.Data)
	return CodeKind{p.Algorithm.String(), cmp.Or(p.Digits, 6), cmp.Or(int(p.Period/time.Second), 30)}, err
}

// DefaultPasswordPolicy is in force while an account has set none.
func DefaultPasswordPolicy() PasswordPolicy { return password.DefaultPolicy() }
