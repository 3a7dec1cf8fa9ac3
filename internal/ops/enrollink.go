package ops

import (
	"maps"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
	"warifu/internal/seal"
	"warifu/internal/store"
)

// Lives of enrolment links.
const (
	LinkLife    = 24 * time.Hour      // where none is asked for
	MaxLinkLife = 14 * 24 * time.Hour // longer, and it is a password in a mailbox
	linksKept   = 90 * 24 * time.Hour // in the list after they ran out
)

// CreateEnrolmentLinkIn is the input of CreateEnrolmentLink.
type CreateEnrolmentLinkIn struct {
	User Ref
	Life time.Duration // 0 = LinkLife
}

// NewLink is an enrolment link at the one moment when its secret is shown. The
// door makes the address of it.
type NewLink struct {
	Link
	Token seal.Secret
}

// Link is an enrolment link as lists show it.
type Link struct {
	iam.EnrolmentLink
	State    iam.LinkState
	UserName string
}

// enrolTarget is the target of an operation that binds a device to a user by
// another way than EnableMFADevice: a policy that denies that denies this.
func enrolTarget(env *Env, in CreateEnrolmentLinkIn) (Target, error) {
	t, err := env.userTarget(in.User)
	t.Also = append(t.Also, Need{Grants: Names{AWS: "iam:EnableMFADevice"}})
	return t, err
}

// CreateEnrolmentLink makes a link with which somebody binds a factor to a user,
// once: a virtual device, a passkey, a token that the user was given, an address.
// It signs nobody in, and a user may have several.
//
// Errors: NotFound user; Invalid life; Limit when the user has all devices that
// it may have.
var CreateEnrolmentLink = Op[CreateEnrolmentLinkIn, *NewLink]{
	Name:   "CreateEnrolmentLink",
	Grants: Names{AWS: "warifu:CreateEnrolmentLink"},
	Mode:   Write,
	Needs:  freshly,
	Target: enrolTarget,
	Record: func(in CreateEnrolmentLinkIn) audit.Fields {
		return audit.Fields{"userName": in.User.String(), "life": in.Life.String()}
	},
	Do: func(env *Env, in CreateEnrolmentLinkIn) (*NewLink, error) {
		if in.Life == 0 {
			in.Life = LinkLife
		}
		if in.Life < time.Minute || in.Life > MaxLinkLife {
			return nil, fault.Field("life", "an enrolment link is good for 1 minute to %d days", int(MaxLinkLife/(24*time.Hour)))
		}
		u, err := env.owner(in.User)
		if err != nil {
			return nil, err
		}
		if err := env.bindingAllowed(u, false); err != nil {
			return nil, err
		}
		if err := env.notAbove(u); err != nil {
			return nil, err
		}
		token, err := env.newToken(linkToken)
		if err != nil {
			return nil, err
		}
		l := iam.EnrolmentLink{Hash: hashToken(token), Account: u.Account, User: u.ID, Creator: env.callerName(), Created: env.Now, Expires: env.Now.Add(in.Life)}
		if l.ID, err = name.NewID(env.rand); err != nil {
			return nil, fault.Wrap(err, "make an enrolment link")
		}
		if err := env.Tx.InsertLink(&l); err != nil {
			return nil, err
		}
		l.Hash = nil
		return &NewLink{Link{l, l.State(env.Now), u.Name}, token}, env.notify(u, iam.NoticeEnrolmentLink, "sent")
	},
}

// ListEnrolmentLinksIn is the input of ListEnrolmentLinks; a zero Ref means all
// users of the account.
type ListEnrolmentLinksIn struct {
	User Ref
	Listing
}

// ListEnrolmentLinks lists enrolment links, newest first, without their secrets.
// Those that came to their end are kept for 90 days.
//
// Errors: NotFound user.
var ListEnrolmentLinks = Op[ListEnrolmentLinksIn, page.Page[Link]]{
	Name:   "ListEnrolmentLinks",
	Grants: Names{AWS: "warifu:ListEnrolmentLinks"},
	Target: func(env *Env, in ListEnrolmentLinksIn) (Target, error) {
		if in.User == (Ref{}) {
			return Target{Noun: "enrolment links"}, nil
		}
		return env.userTarget(in.User)
	},
	Record: func(in ListEnrolmentLinksIn) audit.Fields { return audit.Fields{"userName": in.User.String()} },
	Do: func(env *Env, in ListEnrolmentLinksIn) (p page.Page[Link], err error) {
		var only name.ID
		if in.User != (Ref{}) {
			u, err := env.user(in.User)
			if err != nil {
				return p, err
			}
			only = u.ID
		}
		return pagedBy(env, "ListEnrolmentLinks", []string{only.String()}, in.Listing, func(key page.Key, limit int) ([]Link, error) {
			at, id, err := newest(key)
			if err != nil {
				return nil, err
			}
			rows, err := env.Tx.Links(env.Call.Caller.Account, only, store.LinkAfter{Created: at, ID: id}, limit)
			if err != nil {
				return nil, err
			}
			return env.links(rows)
		}, func(l Link) page.Key { return newestKey(l.Created, l.ID) })
	},
}

// links adds to links whose they are.
func (env *Env) links(rows []iam.EnrolmentLink) ([]Link, error) {
	all := make([]Link, len(rows))
	for i, l := range rows {
		u, err := env.Tx.UserByID(l.Account, l.User)
		if err != nil {
			return nil, err
		}
		l.Hash = nil
		all[i] = Link{l, l.State(env.Now), u.Name}
	}
	return all, nil
}

// LinkIDIn names an enrolment link.
type LinkIDIn struct{ Link name.ID }

// RevokeEnrolmentLink takes back a link that was not used yet.
//
// Errors: NotFound, noun "enrolment link", also when it came to its end.
var RevokeEnrolmentLink = Op[LinkIDIn, struct{}]{
	Name:   "RevokeEnrolmentLink",
	Grants: Names{AWS: "warifu:RevokeEnrolmentLink"},
	Mode:   Write,
	Target: func(env *Env, in LinkIDIn) (Target, error) {
		l, err := env.Tx.LinkByID(env.Call.Caller.Account, in.Link)
		if err != nil {
			return Target{Noun: "enrolment link", Name: in.Link.String()}, ignoreMissing(err)
		}
		return env.userTarget(Ref{ID: l.User})
	},
	Record: func(in LinkIDIn) audit.Fields { return audit.Fields{"link": in.Link.String()} },
	Do: func(env *Env, in LinkIDIn) (none struct{}, err error) {
		return none, env.Tx.RevokeLink(env.Call.Caller.Account, in.Link, env.Now)
	},
}

// LinkIn holds the secret of an enrolment link.
type LinkIn struct{ Token seal.Secret }

// UseEnrolmentLinkIn is the secret of an enrolment link and one of the forms of
// its page: SubmitPair, SubmitNewPasskey, SubmitAddress, SubmitAddressCode.
type UseEnrolmentLinkIn struct {
	LinkIn
	Form Submission
}

func (in UseEnrolmentLinkIn) record() audit.Fields {
	if in.Form == nil {
		return nil
	}
	return in.Form.record()
}

// Enrolment is what the pages behind an enrolment link show.
type Enrolment struct {
	Account iam.Account
	User    iam.User
	Expires time.Time
	Opened  bool

	Bindable            // nothing before the link is opened
	Bound    iam.Method // UseEnrolmentLink: what was bound, which uses the link up; "" = nothing yet
	Wrong    bool       // UseEnrolmentLink: what was sent was not right
}

// linked is an enrolment link inside a transaction.
type linked struct {
	*Env
	link *iam.EnrolmentLink
	user *iam.User
}

// inBrowserOf names in the event, and to the user, who was signed in in the
// browser that a link was opened in: an administrator, perhaps.
func (env *Env) inBrowserOf(c *Caller, user name.ID) {
	if c.Console == nil || c.User.ID == user {
		return
	}
	env.behind = env.callerName()
	env.ev.Params = maps.Clone(env.ev.Params)
	if env.ev.Params == nil {
		env.ev.Params = audit.Fields{}
	}
	env.ev.Params["signedIn"] = env.behind
}

// linked finds the link of a secret. One that came to its end, or whose user is
// gone or blocked, is not there.
func (env *Env) linked(in LinkIn) (*linked, error) {
	gone := fault.Of(fault.NotFound, "enrolment link", "")
	if !isToken(linkToken, in.Token) {
		return nil, gone
	}
	link, err := env.Tx.LinkByHash(hashToken(in.Token))
	if fault.Is(err, fault.NotFound) || err == nil && !link.Live(env.Now) {
		return nil, gone
	}
	if err != nil {
		return nil, err
	}
	c := Caller{Account: link.Account}
	if err := loadUser(env.Tx, &c, link.User); fault.Is(err, fault.NotFound) {
		return nil, gone
	} else if err != nil {
		return nil, err
	}
	env.inBrowserOf(&env.Call.Caller, link.User)
	env.Call.Caller = c
	env.ev.Account = link.Account
	env.ev.Target = audit.Target{Noun: "user", Name: c.User.Name, ID: c.User.ID, ARN: c.User.ARN()}
	return &linked{env, link, &env.Call.Caller.User}, nil
}

// page makes what the pages show; d is nil before the link is opened, and after
// it was used.
func (l *linked) page(d *NewDevice) (*Enrolment, error) {
	a, err := l.Tx.Account(l.link.Account)
	if err != nil {
		return nil, err
	}
	e := &Enrolment{Account: *a, User: *l.user, Expires: l.link.Expires}
	if d != nil {
		e.Opened = true
		e.Bindable, err = l.binding(&d.Factor).offer(d)
	}
	return e, err
}

// binding is the link as a place where a factor is bound. Whoever holds it is not
// known to be the user.
func (l *linked) binding(shown *iam.Factor) *binding {
	return &binding{Env: l.Env, user: l.user, bound: l.link.Hash, shown: shown}
}

func linkTarget[In any](*Env, In) (Target, error) { return Target{Noun: "enrolment link"}, nil }

// InspectEnrolmentLink looks at an enrolment link and changes nothing, so that
// what looks at links before people do spoils none (security checklist H-5): it
// is for GET. The device appears once somebody has opened the link.
//
// Errors: NotFound, noun "enrolment link", whatever is wrong with it.
var InspectEnrolmentLink = Op[LinkIn, *Enrolment]{
	Name:       "InspectEnrolmentLink",
	Grants:     Names{AWS: "signin:InspectEnrolmentLink"},
	Permission: Always,
	Target:     linkTarget[LinkIn],
	Do: func(env *Env, in LinkIn) (*Enrolment, error) {
		l, err := env.linked(in)
		if err != nil {
			return nil, err
		}
		f, err := env.pending(l.link.Account, l.link.Device)
		if err != nil || f == nil {
			return l.shown(nil, err)
		}
		return l.shown(env.show(f))
	},
}

// shown is page for a device that had to be made or found first.
func (l *linked) shown(d *NewDevice, err error) (*Enrolment, error) {
	if err != nil {
		return nil, err
	}
	return l.page(d)
}

// OpenEnrolmentLink begins with an enrolment link: it makes the device, or shows
// the one that was made a moment ago.
//
// Errors: NotFound, noun "enrolment link", whatever is wrong with it.
var OpenEnrolmentLink = Op[LinkIn, *Enrolment]{
	Name:       "OpenEnrolmentLink",
	Grants:     Names{AWS: "signin:OpenEnrolmentLink"},
	Permission: Always,
	Mode:       Write,
	Target:     linkTarget[LinkIn],
	Record:     func(LinkIn) audit.Fields { return nil }, // nothing but the secret
	Do: func(env *Env, in LinkIn) (*Enrolment, error) {
		l, err := env.linked(in)
		if err != nil {
			return nil, err
		}
		d, err := l.open()
		return l.shown(d, err)
	},
}

// open makes or finds the link's device.
func (l *linked) open() (*NewDevice, error) {
	f, err := l.pending(l.link.Account, l.link.Device)
	if err != nil {
		return nil, err
	}
	if f != nil {
		return l.show(f)
	}
	d, err := l.deviceFor(l.user)
	if err != nil {
		return nil, err
	}
	return d, l.Tx.OpenLink(l.link.Account, l.link.ID, d.ID, l.source(), l.Now)
}

// UseEnrolmentLink binds a factor to the link's user, and uses the link up. It
// opens no session. Codes that are not right are an outcome and no error: they
// are counted, and the link stays; so it does when a code was sent. The user is
// told.
//
// Errors: NotFound, noun "enrolment link", whatever is wrong with it; those of
// the factor, see binding.take.
var UseEnrolmentLink = Op[UseEnrolmentLinkIn, *Enrolment]{
	Name:       "UseEnrolmentLink",
	Grants:     Names{AWS: "signin:UseEnrolmentLink"},
	Permission: Always,
	Mode:       Write,
	Target:     linkTarget[UseEnrolmentLinkIn],
	Record:     UseEnrolmentLinkIn.record,
	Do: func(env *Env, in UseEnrolmentLinkIn) (*Enrolment, error) {
		l, err := env.linked(in.LinkIn)
		if err != nil {
			return nil, err
		}
		shown, err := env.pending(l.link.Account, l.link.Device)
		if err != nil {
			return nil, err
		}
		pair, scanned := in.Form.(SubmitPair)
		scanned = scanned && pair.Serial == ""
		if l.link.Opened.IsZero() || shown == nil && scanned { // or it ran out while the page was open
			return l.again(false)
		}
		f, ok, err := l.binding(shown).take(in.Form)
		if err != nil {
			return nil, err
		}
		if !ok {
			_, sent := in.Form.(SubmitAddress)
			return l.again(!sent)
		}
		return l.used(f)
	},
}

// again is the page once more; wrong says that what was sent was not right.
func (l *linked) again(wrong bool) (*Enrolment, error) {
	if wrong {
		l.ev.Result, l.ev.Code, l.ev.Why = audit.Refused, fault.BadCode.String(), "wrong codes"
	}
	d, err := l.open()
	out, err := l.shown(d, err)
	if err == nil {
		out.Wrong = wrong
	}
	return out, err
}

// used ends the link with which f was bound. The device that it showed, if that
// was not it, runs out.
func (l *linked) used(f *iam.Factor) (*Enrolment, error) {
	if err := l.Tx.UseLink(l.link.Account, l.link.ID, l.source(), l.Now); err != nil {
		return nil, err
	}
	l.ev.Params = maps.Clone(l.ev.Params)
	for k, v := range map[string]string{"next": "bound", "kind": string(f.Kind), "device": f.Name, "link": l.link.ID.String()} {
		l.ev.Params[k] = v
	}
	out, err := l.page(nil)
	if err == nil {
		out.Bound = iam.Method(f.Kind)
	}
	return out, err
}
