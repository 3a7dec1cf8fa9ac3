package ops

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/store"
)

// mailNotice sends a notice to the addresses that a user reads, and to others.
// Sessions that the user ended itself are no news.
func (env *Env) mailNotice(n *iam.Notice, u *iam.User, others ...string) error {
	if !env.post.Mail.On || n.Kind == iam.NoticeSessionsEnded && n.By == "" {
		return nil
	}
	to, err := env.addressesOf(u)
	if err != nil {
		return err
	}
	for _, a := range others {
		if !slices.ContainsFunc(to, func(b string) bool { return strings.EqualFold(a, b) }) {
			to = append(to, a)
		}
	}
	for _, a := range to {
		l, err := env.letter(u, a)
		if err != nil {
			return err
		}
		if l.Secret, l.Until, err = env.notMeToken(u); err != nil {
			return err
		}
		l.Notice, l.Subject, l.By, l.At, l.Source = n.Kind, n.Subject, n.By, n.At, n.Source
		if n.By == "" {
			l.Agent = agentName(env.Call.Source.UserAgent)
		}
		if err := env.send(iam.Message{Account: u.Account, User: u.ID, Channel: iam.ChannelMail, Kind: iam.MessageNotice, Letter: l}); err != nil {
			return err
		}
	}
	return nil
}

// agentName is a browser in the words that it uses of itself.
func agentName(userAgent string) string {
	b, s := iam.Agent(userAgent)
	return strings.TrimSuffix(strings.TrimPrefix(b+" / "+s, " / "), " / ")
}

// addressesOf are the addresses that a user reads mail at: root's, or the one
// that is bound; while there is none the one in the profile, which is good enough
// to be told something and for nothing else (P-11).
func (env *Env) addressesOf(u *iam.User) (to []string, err error) {
	if u.Created.IsZero() { // a user of whom little was read
		full, err := env.Tx.UserByID(u.Account, u.ID)
		if err != nil {
			return nil, ignoreMissing(err)
		}
		u = full
	}
	if !u.Root {
		all, err := env.Tx.Factors(u.Account, u.ID)
		if err != nil {
			return nil, err
		}
		for _, f := range all {
			if f.Kind == iam.FactorEmail {
				to = append(to, f.Data)
			}
		}
	}
	if len(to) == 0 && u.Email != "" {
		to = append(to, u.Email)
	}
	return to, nil
}

// letter begins a letter to a user.
func (env *Env) letter(u *iam.User, to string) (l iam.Letter, err error) {
	a, err := env.Tx.Account(u.Account)
	if err != nil {
		return l, err
	}
	l = iam.Letter{To: to, AccountName: cmp.Or(a.Alias, a.ID.String()), UserName: u.Name}
	l.Language, err = env.languageOf(u)
	return l, err
}

// languageOf is the language that a user reads: that of the pages it was shown
// last, or else of whoever is at work, who is likely to share it.
func (env *Env) languageOf(u *iam.User) (string, error) {
	if env.Call.Caller.ID() == u.ID && env.Call.Source.Locale != "" {
		return env.Call.Source.Locale, nil
	}
	l, err := env.Tx.Language(u.ID)
	return cmp.Or(l, env.Call.Source.Locale), err
}

// keepLanguage notes the language in which a user signs in.
func (env *Env) keepLanguage(u *iam.User) error {
	l := env.Call.Source.Locale
	if l == "" {
		return nil
	}
	old, err := env.Tx.Language(u.ID)
	if err != nil || old == l {
		return err
	}
	return env.Tx.SetLanguage(u.Account, u.ID, l)
}

// ChannelState is how a channel stands, for administrators.
type ChannelState struct {
	Sending
	Waiting int // of the account's messages
	Oldest  time.Time
	Failed  int // given up within a week
}

// DeliveryState is what the settings page shows of sending.
type DeliveryState struct {
	Mail, SMS ChannelState
	Troubles  []Trouble // newest first
	Own       string    // where a test mail would go; "" = the caller has no address
}

// Trouble is a message that was not delivered, or not at once.
type Trouble struct {
	store.Undelivered
	UserName string
}

// GetDelivery tells whether and how messages are sent, and what was not
// delivered. It holds no address and no text.
var GetDelivery = Op[struct{}, *DeliveryState]{
	Name:   "GetDelivery",
	Grants: Names{AWS: "warifu:GetDelivery"},
	Target: func(*Env, struct{}) (Target, error) { return Target{Noun: "delivery"}, nil },
	Do: func(env *Env, _ struct{}) (*DeliveryState, error) {
		a := env.Call.Caller.Account
		d := &DeliveryState{Mail: ChannelState{Sending: env.post.Mail}, SMS: ChannelState{Sending: env.post.SMS}}
		for channel, state := range map[iam.Channel]*ChannelState{iam.ChannelMail: &d.Mail, iam.ChannelSMS: &d.SMS} {
			b, err := env.Tx.OutgoingBacklog(a, channel)
			if err != nil {
				return nil, err
			}
			state.Waiting, state.Oldest, state.Failed = b.Waiting, b.Oldest, b.Failed
		}
		rows, err := env.Tx.TroubledOutgoing(a, 10)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			t := Trouble{Undelivered: r}
			if u, err := env.Tx.UserByID(a, r.User); err == nil {
				t.UserName = u.Name
			} else if !fault.Is(err, fault.NotFound) {
				return nil, err
			}
			d.Troubles = append(d.Troubles, t)
		}
		if u := &env.Call.Caller.User; u.ID != 0 {
			to, err := env.addressesOf(u)
			if err != nil {
				return nil, err
			}
			if len(to) > 0 {
				d.Own = to[0]
			}
		}
		return d, nil
	},
}

// SendTestIn is where a test message goes; To "" is the caller's own address.
type SendTestIn struct {
	Channel iam.Channel
	To      string
}

// SendTestMessage puts a message into the outbox that says that sending works.
//
// Errors: Conflict, noun "delivery", when the channel is not configured; Invalid
// address; Throttled.
var SendTestMessage = Op[SendTestIn, struct{}]{
	Name:   "SendTestMessage",
	Grants: Names{AWS: "warifu:SendTestMessage"},
	Mode:   Write,
	Needs:  recently,
	Target: func(*Env, SendTestIn) (Target, error) { return Target{Noun: "delivery"}, nil },
	Record: func(in SendTestIn) audit.Fields { return audit.Fields{"channel": string(in.Channel)} },
	Do: func(env *Env, in SendTestIn) (none struct{}, err error) {
		if !env.post.on(in.Channel) {
			return none, notConfigured(in.Channel)
		}
		u := &env.Call.Caller.User
		if in.To == "" && in.Channel == iam.ChannelMail && u.ID != 0 {
			to, err := env.addressesOf(u)
			if err != nil {
				return none, err
			}
			if len(to) > 0 {
				in.To = to[0]
			}
		}
		kind := iam.FactorEmail
		if in.Channel == iam.ChannelSMS {
			kind = iam.FactorSMS
		}
		if in.To, err = checkAddress(kind, in.To); err != nil {
			return none, err
		}
		if err := env.countSent(env.codeLimits(env.Call.Caller.ID(), in.Channel, in.To)...); err != nil {
			return none, err
		}
		a, err := env.Tx.Account(env.Call.Caller.Account)
		if err != nil {
			return none, err
		}
		return none, env.send(iam.Message{Account: a.ID, User: u.ID, Channel: in.Channel, Kind: iam.MessageTest, Letter: iam.Letter{
			To: in.To, Language: env.Call.Source.Locale, AccountName: cmp.Or(a.Alias, a.ID.String()), UserName: u.Name, By: env.callerName(),
		}})
	},
}

// notConfigured answers who asks for a message that nothing could carry.
func notConfigured(c iam.Channel) error { return fault.Of(fault.Conflict, "delivery", string(c)) }
