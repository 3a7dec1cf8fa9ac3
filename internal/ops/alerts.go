package ops

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strconv"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/seal"
	"warifu/internal/store"
	"warifu/internal/store/query"
)

// An alert asks a kept query again and again, how many events fit its condition in
// the span of time that ends now. When they are as many as its threshold it tells
// somebody, once in a span. Which node asks is settled by one conditional update.

const (
	// maxAlerts is how many alerts an account can have: each costs a query every
	// AlertEvery.
	maxAlerts = 20
	// MinAlertSpan and MaxAlertSpan bound the time that an alert looks back on.
	MinAlertSpan = 5 * time.Minute
	MaxAlertSpan = 24 * time.Hour
	// maxThreshold is how many events a query looks at.
	maxThreshold = 100_000
	// AlertEvery is how often an alert is looked at.
	AlertEvery = time.Minute
	// alertsAtOnce is how many are looked at in one go: others wait for the next.
	alertsAtOnce = 50
)

// AlertIn is an alert as people write it; one of its name is changed, and begins
// anew.
type AlertIn struct {
	Name      string
	Query     string        // name of a kept query
	Threshold int           // events, 1 to 100,000
	Span      time.Duration // MinAlertSpan to MaxAlertSpan
	Mail      string        // name of the user who gets a mail; "" = nobody
	Webhook   string        // https URL; "" = none
}

func (in AlertIn) record() audit.Fields {
	return audit.Fields{
		"name": clipped(in.Name), "query": clipped(in.Query), "threshold": strconv.Itoa(in.Threshold), "span": in.Span.String(),
		"mail": clipped(in.Mail), "webhook": strconv.FormatBool(in.Webhook != ""), // which may hold a key
	}
}

func (in *AlertIn) check() error {
	if err := iam.CheckName("name", in.Name, 64); err != nil {
		return err
	}
	switch {
	case in.Threshold < 1 || in.Threshold > maxThreshold:
		return fault.Field("threshold", "threshold must be 1 to %d events", maxThreshold)
	case in.Span < MinAlertSpan || in.Span > MaxAlertSpan:
		return fault.Field("span", "span must be 5 minutes to 24 hours")
	case in.Mail == "" && in.Webhook == "":
		return fault.Field("mail", "an alert must go somewhere: name a user who reads mail, or a webhook")
	case in.Webhook == "":
		return nil
	}
	u, err := url.Parse(in.Webhook)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || len(in.Webhook) > 1000 {
		return fault.Field("webhook", "webhook must be an https URL of at most 1000 characters")
	}
	return nil
}

func alertTarget(_ *Env, in AlertIn) (Target, error) {
	return Target{Noun: "alert", Name: in.Name}, nil
}

// PutAlert adds an alert or changes the one of its name.
//
// Errors: Invalid; NotFound, noun "query" or "user"; Limit when there are too many.
var PutAlert = Op[AlertIn, struct{}]{
	Name:   "PutAlert",
	Grants: Names{AWS: "warifu:PutTrailAlert"},
	Mode:   Write,
	Needs:  recently,
	Target: alertTarget,
	Record: AlertIn.record,
	Do: func(env *Env, in AlertIn) (none struct{}, err error) {
		if err := in.check(); err != nil {
			return none, err
		}
		a := env.Call.Caller.Account
		if _, err := env.Tx.Query(a, in.Query); err != nil {
			return none, err
		}
		if in.Mail != "" {
			if err := env.readsMail(in.Mail); err != nil {
				return none, err
			}
		}
		all, err := env.Tx.Alerts(a)
		if err != nil {
			return none, err
		}
		known := false
		for _, k := range all {
			known = known || k.Name == in.Name
		}
		if !known && len(all) >= maxAlerts {
			return none, limited("alerts", maxAlerts)
		}
		row := store.Alert{Account: a, Name: in.Name, Query: in.Query, Threshold: in.Threshold, Span: in.Span, Mail: in.Mail,
			Creator: env.callerName(), Created: env.Now}
		if in.Webhook != "" {
			if row.Webhook, err = env.post.urls.Seal(nil, env.rand, []byte(in.Webhook), alertPlace(a, in.Name)); err != nil {
				return none, fault.Wrap(err, "seal a webhook")
			}
		}
		return none, env.Tx.PutAlert(&row)
	},
}

// readsMail refuses a user who has no address, or a server that sends no mail.
func (env *Env) readsMail(user string) error {
	if !env.post.Mail.On {
		return notConfigured(iam.ChannelMail)
	}
	u, err := env.Tx.UserByName(env.Call.Caller.Account, user)
	if err != nil {
		return err
	}
	to, err := env.addressesOf(u)
	if err == nil && len(to) == 0 {
		err = fault.Field("mail", "the user %s has no e-mail address", user)
	}
	return err
}

func alertPlace(a name.Account, called string) []byte {
	return []byte("trail_alerts\x00" + a.String() + "\x00" + called)
}

// AlertState is an alert as it stands.
type AlertState struct {
	store.Alert
	Host   string      // of the webhook; "" = none. The rest of the URL may hold a key
	Secret seal.Secret // that signs what the webhook gets
}

// AlertList are an account's alerts and what they did lately.
type AlertList struct {
	Alerts  []AlertState
	History []store.AlertMoment // newest first
	Late    []Trouble           // messages of alerts that were not delivered, or not at once
}

// ListAlerts lists the account's alerts, how they stand and what they told.
var ListAlerts = Op[struct{}, *AlertList]{
	Name:   "ListAlerts",
	Grants: Names{AWS: "warifu:ListTrailAlerts"},
	Target: func(*Env, struct{}) (Target, error) { return Target{Noun: "alerts"}, nil },
	Do: func(env *Env, _ struct{}) (*AlertList, error) {
		a := env.Call.Caller.Account
		rows, err := env.Tx.Alerts(a)
		if err != nil {
			return nil, err
		}
		list := &AlertList{}
		for _, r := range rows {
			s := AlertState{Alert: r}
			to, err := env.webhookOf(&r)
			if err != nil {
				return nil, err
			}
			if u, err := url.Parse(to); err == nil && to != "" {
				s.Host, s.Secret = u.Host, env.alertSecret(&r)
			}
			s.Webhook = nil
			list.Alerts = append(list.Alerts, s)
		}
		if list.History, err = env.Tx.AlertHistory(a, "", 50); err != nil {
			return nil, err
		}
		late, err := env.Tx.TroubledOutgoing(a, 20)
		for _, t := range late {
			if t.Kind == iam.MessageAlert {
				list.Late = append(list.Late, Trouble{Undelivered: t})
			}
		}
		return list, err
	},
}

// webhookOf opens an alert's URL; "" if it has none.
func (s *Server) webhookOf(a *store.Alert) (string, error) {
	if len(a.Webhook) == 0 {
		return "", nil
	}
	text, err := s.post.urls.Open(nil, a.Webhook, alertPlace(a.Account, a.Name))
	return string(text), err
}

// alertSecret signs what an alert's webhook gets. It follows from the server's own
// keys, so that it need not be kept.
func (s *Server) alertSecret(a *store.Alert) seal.Secret {
	mac := hmac.New(sha256.New, s.post.hooks[:])
	mac.Write(alertPlace(a.Account, a.Name))
	return seal.NewSecret([]byte(hex.EncodeToString(mac.Sum(nil))))
}

// DeleteAlert forgets an alert and its history.
//
// Errors: NotFound.
var DeleteAlert = Op[AlertIn, struct{}]{
	Name:   "DeleteAlert",
	Grants: Names{AWS: "warifu:DeleteTrailAlert"},
	Mode:   Write,
	Needs:  recently, // who has taken a session would silence it first
	Target: alertTarget,
	Record: func(in AlertIn) audit.Fields { return audit.Fields{"name": clipped(in.Name)} },
	Do: func(env *Env, in AlertIn) (none struct{}, err error) {
		return none, env.Tx.DeleteAlert(env.Call.Caller.Account, in.Name)
	},
}

// TestAlert sends what an alert would, marked as a test.
//
// Errors: NotFound; Throttled.
var TestAlert = Op[AlertIn, struct{}]{
	Name:   "TestAlert",
	Grants: Names{AWS: "warifu:TestTrailAlert"},
	Mode:   Write,
	Needs:  recently,
	Target: alertTarget,
	Record: func(in AlertIn) audit.Fields { return audit.Fields{"name": clipped(in.Name)} },
	Do: func(env *Env, in AlertIn) (none struct{}, err error) {
		a, err := env.Tx.Alert(env.Call.Caller.Account, in.Name)
		if err != nil {
			return none, err
		}
		if err := env.countSent(env.codeLimits(env.Call.Caller.ID(), iam.ChannelWebhook, a.Name)...); err != nil {
			return none, err
		}
		if err := env.Tx.AddAlertMoment(a.Account, store.AlertMoment{Name: a.Name, At: env.Now, Outcome: AlertTested, Detail: env.callerName()}); err != nil {
			return none, err
		}
		return none, env.tellAlert(a, true)
	},
}

// What an alert's history tells.
const (
	AlertFired   = "fired"
	AlertCleared = "cleared"
	AlertTested  = "test"
	AlertFailed  = "failed" // it could not be looked at
	AlertWorks   = "works"  // it can be again
)

// tellAlert puts what an alert tells into the outbox, which delivers it, later if
// need be.
func (env *Env) tellAlert(a *store.Alert, test bool) error {
	account, err := env.Tx.Account(a.Account)
	if err != nil {
		return err
	}
	l := iam.Letter{Subject: a.Name, At: env.Now, AccountName: cmp.Or(account.Alias, account.ID.String()),
		Alert: iam.AlertFound{Query: a.Query, Found: a.Found, Threshold: a.Threshold, Span: a.Span, Test: test}}
	to, err := env.webhookOf(a)
	if err != nil {
		return err
	}
	if to != "" {
		l := l
		l.To, l.Secret = to, env.alertSecret(a)
		if err := env.send(iam.Message{Account: a.Account, Channel: iam.ChannelWebhook, Kind: iam.MessageAlert, Letter: l}); err != nil {
			return err
		}
	}
	return env.mailAlert(a, l)
}

func (env *Env) mailAlert(a *store.Alert, l iam.Letter) error {
	if a.Mail == "" {
		return nil
	}
	u, err := env.Tx.UserByName(a.Account, a.Mail)
	if err != nil {
		return ignoreMissing(err) // who is gone reads nothing
	}
	to, err := env.addressesOf(u)
	if err != nil {
		return err
	}
	if l.Language, err = env.languageOf(u); err != nil {
		return err
	}
	for _, address := range to {
		l.To = address
		if err := env.send(iam.Message{Account: a.Account, User: u.ID, Channel: iam.ChannelMail, Kind: iam.MessageAlert, Letter: l}); err != nil {
			return err
		}
	}
	return nil
}

// CheckAlerts looks at the alerts of all accounts that are due. Maintain does, on
// each node; of several one looks at each.
func (s *Server) CheckAlerts(ctx context.Context) error {
	var due []store.Alert
	err := s.store.View(ctx, func(tx *store.Tx) (err error) {
		due, err = tx.AlertsDue(s.now().Add(-AlertEvery), alertsAtOnce)
		return err
	})
	for i := 0; i < len(due) && err == nil; i++ {
		err = s.checkAlert(ctx, due[i])
	}
	return err
}

func (s *Server) checkAlert(ctx context.Context, a store.Alert) error {
	now, mine := s.now(), false
	var kept *store.KeptQuery
	err := s.store.Update(ctx, func(tx *store.Tx) (err error) {
		if kept, err = tx.Query(a.Account, a.Query); err == nil {
			mine, err = tx.ClaimAlert(&a, now)
		}
		return err
	})
	if err != nil || !mine {
		return ignoreMissing(err)
	}
	a.Checked = now
	found, err := s.countAlert(ctx, &a, kept.Where, now)
	if ctx.Err() != nil {
		return err
	}
	failed := ""
	if err != nil {
		failed = clipped(reason(err))
	}
	return s.store.Update(ctx, func(tx *store.Tx) error {
		next := a
		moments := settleAlert(&next, found, failed, now)
		if still, err := tx.SetAlertState(&next); err != nil || !still {
			return err
		}
		env := &Env{Context: ctx, Server: s, Call: Call{Caller: Caller{Account: a.Account}, Source: Source{Door: "host"}, At: now}, Tx: tx, Now: now}
		for _, m := range moments {
			if err := tx.AddAlertMoment(a.Account, m); err != nil {
				return err
			}
			if m.Outcome == AlertFired {
				if err := env.tellAlert(&next, false); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// countAlert counts the events that fit an alert's condition in the span up to now.
func (s *Server) countAlert(ctx context.Context, a *store.Alert, where string, now time.Time) (int, error) {
	if err := s.store.Flush(); err != nil {
		return 0, err
	}
	from := now.Add(-a.Span)
	r, err := s.queries.Run(ctx, query.Query{Where: where, SQL: "SELECT 1"}, from, now, query.DefaultLimits, accountTrail{s, a.Account, from, now})
	if err != nil {
		return 0, err
	}
	return r.Found, nil
}

// settleAlert notes what looking at an alert came to, and tells what of it belongs
// into its history. It fires at most once in a span.
func settleAlert(a *store.Alert, found int, failed string, now time.Time) (all []store.AlertMoment) {
	add := func(outcome, detail string) {
		all = append(all, store.AlertMoment{Name: a.Name, At: now, Found: found, Outcome: outcome, Detail: detail})
	}
	if failed != "" {
		if a.Trouble == "" {
			add(AlertFailed, failed)
		}
		a.Trouble = failed
		return all
	}
	if a.Trouble != "" {
		add(AlertWorks, "")
	}
	a.Trouble, a.Found = "", found
	much := found >= a.Threshold
	if a.Firing && !much {
		add(AlertCleared, "")
	}
	a.Firing = much
	if much && (a.Fired.IsZero() || now.Sub(a.Fired) >= a.Span) {
		a.Fired = now
		add(AlertFired, "")
	}
	return all
}
