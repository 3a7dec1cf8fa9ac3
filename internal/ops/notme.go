package ops

import (
	"slices"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/seal"
	"warifu/internal/store"
)

// Every mail about a change holds a link by which its reader says "this was not
// me". It ends the user's sessions and keeps the user out, and can do nothing
// else: it signs nobody in and shows nothing.
const (
	notMeToken   = "wnot_"
	notMePurpose = "not me"

	// NotMeLife is how long the link is good: a weekend and a holiday.
	NotMeLife = 7 * 24 * time.Hour
)

// BlockedByOwner is the reason of the block that such a link makes.
const BlockedByOwner = "the user said: this was not me"

// notMeToken makes the secret of a link.
func (env *Env) notMeToken(u *iam.User) (token seal.Secret, until time.Time, err error) {
	if token, err = env.newToken(notMeToken); err != nil {
		return token, until, err
	}
	until = env.Now.Add(NotMeLife)
	return token, until, env.Tx.InsertToken(&store.Token{
		Hash: hashToken(token), Purpose: notMePurpose, Account: u.Account, User: u.ID, Expires: until,
	})
}

// NotMePage is what the page behind the link shows.
type NotMePage struct {
	Account iam.Account
	User    iam.User
	Done    bool // sessions are ended
	Locked  bool // and the user is blocked; root never is
}

// notMeOf finds whose link it is, with find.
func (env *Env) notMeOf(in LinkIn, find func(purpose string, hash []byte, now time.Time) (*store.Token, error)) (*NotMePage, error) {
	gone := fault.Of(fault.NotFound, "report link", "")
	if !isToken(notMeToken, in.Token) {
		return nil, gone
	}
	t, err := find(notMePurpose, hashToken(in.Token), env.Now)
	if fault.Is(err, fault.NotFound) {
		return nil, gone
	}
	if err != nil {
		return nil, err
	}
	u, err := env.Tx.UserByID(t.Account, t.User)
	if fault.Is(err, fault.NotFound) {
		return nil, gone
	}
	if err != nil {
		return nil, err
	}
	a, err := env.Tx.Account(t.Account)
	if err != nil {
		return nil, err
	}
	env.Call.Caller = Caller{Account: u.Account, User: *u}
	env.ev.Account = u.Account
	env.ev.Target = audit.Target{Noun: "user", Name: u.Name, ID: u.ID, ARN: u.ARN()}
	return &NotMePage{Account: *a, User: *u}, nil
}

// InspectNotMe looks at the link and changes nothing: it is for GET (H-5).
//
// Errors: NotFound, noun "report link", whatever is wrong with it.
var InspectNotMe = Op[LinkIn, *NotMePage]{
	Name:       "InspectNotMe",
	Grants:     Names{AWS: "signin:InspectNotMe"},
	Permission: Always,
	Target:     func(*Env, LinkIn) (Target, error) { return Target{Noun: "report link"}, nil },
	Do:         func(env *Env, in LinkIn) (*NotMePage, error) { return env.notMeOf(in, env.Tx.Token) },
}

// ReportNotMe ends all sessions of the link's user, forgets the browsers that stand
// in for its factor, and blocks the user, once: whoever lifts that lets nobody in
// who was in before (security checklist S-5). The user and the account's administrators are told. Root is not blocked: nobody
// could lift it.
//
// Errors: NotFound, noun "report link", whatever is wrong with it.
var ReportNotMe = Op[LinkIn, *NotMePage]{
	Name:       "ReportNotMe",
	Grants:     Names{AWS: "signin:ReportNotMe"},
	Permission: Always,
	Mode:       Write,
	Target:     func(*Env, LinkIn) (Target, error) { return Target{Noun: "report link"}, nil },
	Record:     func(LinkIn) audit.Fields { return nil }, // nothing but the secret
	Do: func(env *Env, in LinkIn) (*NotMePage, error) {
		p, err := env.notMeOf(in, env.Tx.ConsumeToken)
		if err != nil {
			return nil, err
		}
		u := &p.User
		p.Done, p.Locked = true, !u.Root
		if err := env.Tx.DeleteUserTokens(u.ID, notMePurpose); err != nil {
			return nil, err
		}
		if _, err := env.Tx.DeleteSessions(u.Account, u.ID, 0); err != nil {
			return nil, err
		}
		if _, err := env.Tx.DeleteAllRemembered(u.Account, u.ID); err != nil {
			return nil, err
		}
		if p.Locked {
			err := env.Tx.PutBlock(u.Account, &iam.Block{User: u.ID, At: env.Now, By: u.Name, Reason: BlockedByOwner})
			if err != nil {
				return nil, err
			}
		}
		if err := env.notify(u, iam.NoticeNotMe, u.Name); err != nil {
			return nil, err
		}
		return p, env.alarm(u)
	},
}

// mostTold bounds how many administrators are told of something.
const mostTold = 20

// alarm tells the account's administrators that a user said "this was not me".
func (env *Env) alarm(about *iam.User) error {
	return env.tellAdministrators(about, iam.NoticeNotMe, about.Name, iam.Letter{})
}

// tellAdministrators tells the account's administrators, but not whom it is about,
// of something that happened: on their pages, and by mail. l is what the mail says
// besides.
func (env *Env) tellAdministrators(about *iam.User, kind iam.NoticeKind, subject string, l iam.Letter) error {
	all, err := env.administrators(about.Account)
	if err != nil {
		return err
	}
	for i := range all {
		if all[i].ID == about.ID {
			continue
		}
		if _, err := env.note(&all[i], kind, subject); err != nil {
			return err
		}
		if err := env.mailAlarm(&all[i], about, l); err != nil {
			return err
		}
	}
	return nil
}

// mailAlarm mails an administrator, at every address that it reads.
func (env *Env) mailAlarm(u, about *iam.User, more iam.Letter) error {
	to, err := env.addressesOf(u)
	if err != nil {
		return err
	}
	for _, a := range to {
		l, err := env.letter(u, a)
		if err != nil {
			return err
		}
		l.UserName, l.At, l.Source, l.Agent = about.Name, env.Now, env.source(), agentName(env.Call.Source.UserAgent)
		l.Notice, l.Subject, l.By = more.Notice, more.Subject, more.By
		m := iam.Message{Account: u.Account, User: u.ID, Channel: iam.ChannelMail, Kind: iam.MessageAlarm, Letter: l}
		if err := env.send(m); err != nil {
			return err
		}
	}
	return nil
}

// administrators are root and those who have the policy of administrators, by
// themselves or through a group.
func (env *Env) administrators(a name.Account) ([]iam.User, error) {
	root, err := env.Tx.RootUser(a)
	if err != nil {
		return nil, err
	}
	list := []iam.User{*root}
	add := func(u iam.User) {
		if len(list) < mostTold && !slices.ContainsFunc(list, func(o iam.User) bool { return o.ID == u.ID }) {
			list = append(list, u)
		}
	}
	p, err := env.Tx.PolicyByName(0, administrator)
	if err != nil {
		return nil, err
	}
	users, err := env.Tx.EntitiesFor(a, p.ID, iam.KindUser, store.UsagePermissions, "", "", mostTold)
	if err != nil {
		return nil, err
	}
	for _, e := range users {
		u, err := env.Tx.UserByID(a, e.ID)
		if err != nil {
			return nil, err
		}
		add(*u)
	}
	groups, err := env.Tx.EntitiesFor(a, p.ID, iam.KindGroup, store.UsagePermissions, "", "", mostTold)
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		members, err := env.Tx.Members(a, g.ID, "", mostTold)
		if err != nil {
			return nil, err
		}
		for _, u := range members {
			add(u)
		}
	}
	return list, nil
}
