package ops

import (
	"strconv"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
	"warifu/internal/store"
)

// notify tells a user of a change to its own security, in the same transaction:
// on its pages, and by mail. also are addresses that are told besides the user's
// own.
func (env *Env) notify(u *iam.User, kind iam.NoticeKind, subject string, also ...string) error {
	n, err := env.note(u, kind, subject)
	if err != nil {
		return err
	}
	return env.mailNotice(n, u, also...)
}

// note is notify without the mail.
func (env *Env) note(u *iam.User, kind iam.NoticeKind, subject string) (*iam.Notice, error) {
	id, err := name.NewID(env.rand)
	if err != nil {
		return nil, fault.Wrap(err, "tell a user")
	}
	n := &iam.Notice{ID: id, Account: u.Account, User: u.ID, Kind: kind, At: env.Now, Subject: subject, By: env.doer(u), Source: env.source()}
	return n, env.Tx.InsertNotice(n)
}

// doer is who does this to a user, "" when it is the user.
func (env *Env) doer(u *iam.User) string {
	if env.behind != "" {
		return env.behind
	}
	if env.Call.Caller.ID() == u.ID {
		return ""
	}
	return env.callerName()
}

// NoticeList is a page of the caller's notices, newest first.
type NoticeList struct {
	Unseen int // of all, not of this page
	page.Page[iam.Notice]
}

// ListNotices lists what the caller was told. No policy keeps it from anybody.
//
// Errors: Invalid, noun "caller is no user".
var ListNotices = Op[Listing, NoticeList]{
	Name:       "ListNotices",
	Grants:     Names{AWS: "warifu:ListNotices"},
	Permission: Always,
	Target:     func(env *Env, _ Listing) (Target, error) { return env.userTarget(Ref{}) },
	Do: func(env *Env, in Listing) (list NoticeList, err error) {
		u, err := env.user(Ref{})
		if err != nil {
			return list, err
		}
		if list.Unseen, err = env.Tx.UnseenNotices(u.Account, u.ID); err != nil {
			return list, err
		}
		list.Page, err = pagedBy(env, "ListNotices", []string{u.ID.String()}, in, func(key page.Key, limit int) ([]iam.Notice, error) {
			at, id, err := newest(key)
			if err != nil {
				return nil, err
			}
			return env.Tx.Notices(u.Account, u.ID, store.NoticeAfter{At: at, ID: id}, limit)
		}, func(n iam.Notice) page.Key { return newestKey(n.At, n.ID) })
		return list, err
	},
}

// MarkNoticesSeenIn says up to when the caller has read its notices: the time of
// the newest one that was shown.
type MarkNoticesSeenIn struct{ UpTo time.Time }

// MarkNoticesSeen notes that the caller has seen its notices, and tells how many
// of them it had not.
//
// Errors: Invalid, noun "caller is no user".
var MarkNoticesSeen = Op[MarkNoticesSeenIn, int]{
	Name:       "MarkNoticesSeen",
	Grants:     Names{AWS: "warifu:MarkNoticesSeen"},
	Permission: Always,
	Mode:       Write,
	Target:     func(env *Env, _ MarkNoticesSeenIn) (Target, error) { return env.userTarget(Ref{}) },
	Record: func(in MarkNoticesSeenIn) audit.Fields {
		return audit.Fields{"upTo": strconv.FormatInt(in.UpTo.Unix(), 10)}
	},
	Do: func(env *Env, in MarkNoticesSeenIn) (int, error) {
		u, err := env.user(Ref{})
		if err != nil {
			return 0, err
		}
		return env.Tx.MarkNoticesSeen(u.Account, u.ID, in.UpTo, env.Now)
	},
}
