package store

import (
	"time"

	"warifu/internal/name"
)

// Alert is a kept query that is asked again and again, and what is told when it
// finds much.
type Alert struct {
	Account   name.Account
	Name      string
	Query     string
	Threshold int
	Span      time.Duration
	Mail      string // name of the user who gets a mail; "" = nobody
	Webhook   []byte // the sealed URL; nil = none
	Creator   string
	Created   time.Time

	Checked time.Time // zero = never
	Fired   time.Time // likewise
	Firing  bool      // it found as many when it was looked at last
	Found   int       // how many that were
	Trouble string    // why it could not be looked at; "" = it could
}

const alertColumns = `account, name, query, threshold, span, mail, webhook, creator, created, checked, fired, firing, found, trouble`

func scanAlert(r row, a *Alert) error {
	var span int64
	err := r.Scan((*int64)(&a.Account), &a.Name, &a.Query, &a.Threshold, &span, &a.Mail, &a.Webhook, &a.Creator, stamp{&a.Created},
		stamp{&a.Checked}, stamp{&a.Fired}, &a.Firing, &a.Found, &a.Trouble)
	a.Span = time.Duration(span) * time.Microsecond
	return err
}

// PutAlert adds an alert or changes the one of its name, which begins anew.
func (tx *Tx) PutAlert(a *Alert) error {
	if a.Webhook == nil {
		a.Webhook = []byte{}
	}
	_, err := tx.exec(`INSERT INTO trail_alerts (`+alertColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, FALSE, 0, '')
		ON CONFLICT (account, name) DO UPDATE SET query = excluded.query, threshold = excluded.threshold, span = excluded.span, mail = excluded.mail,
		webhook = excluded.webhook, creator = excluded.creator, checked = 0, fired = 0, firing = FALSE, found = 0, trouble = ''`,
		int64(a.Account), a.Name, a.Query, a.Threshold, a.Span.Microseconds(), a.Mail, a.Webhook, a.Creator, micros(a.Created))
	return err
}

// Alert is one of an account's alerts.
func (tx *Tx) Alert(a name.Account, called string) (*Alert, error) {
	return get(tx, scanAlert, "alert", called, `SELECT `+alertColumns+` FROM trail_alerts WHERE account = $1 AND name = $2`, int64(a), called)
}

// Alerts are an account's alerts by name. There are as many as the quota allows.
func (tx *Tx) Alerts(a name.Account) ([]Alert, error) {
	return list(tx, scanAlert, `SELECT `+alertColumns+` FROM trail_alerts WHERE account = $1 ORDER BY name`, int64(a))
}

// AlertsDue are alerts of all accounts that were looked at before a time, the
// longest ago first, as many as limit.
func (tx *Tx) AlertsDue(before time.Time, limit int) ([]Alert, error) {
	return list(tx, scanAlert, `SELECT `+alertColumns+` FROM trail_alerts WHERE checked <= $1 ORDER BY checked, account, name LIMIT $2`, micros(before), limit)
}

// ClaimAlert notes that an alert is looked at now, and reports whether nobody else
// did since it was read: of any number of nodes, one goes on.
func (tx *Tx) ClaimAlert(a *Alert, now time.Time) (bool, error) {
	n, err := tx.exec(`UPDATE trail_alerts SET checked = $4 WHERE account = $1 AND name = $2 AND checked = $3`,
		int64(a.Account), a.Name, micros(a.Checked), micros(now))
	return n == 1, err
}

// SetAlertState keeps what looking at an alert came to, if it is still the one that
// was claimed at that time.
func (tx *Tx) SetAlertState(a *Alert) (bool, error) {
	n, err := tx.exec(`UPDATE trail_alerts SET fired = $4, firing = $5, found = $6, trouble = $7 WHERE account = $1 AND name = $2 AND checked = $3`,
		int64(a.Account), a.Name, micros(a.Checked), micros(a.Fired), a.Firing, a.Found, a.Trouble)
	return n == 1, err
}

// DeleteAlert forgets an alert and its history.
func (tx *Tx) DeleteAlert(a name.Account, called string) error {
	return tx.change("alert", called, `DELETE FROM trail_alerts WHERE account = $1 AND name = $2`, int64(a), called)
}

// AlertMoment is one line of an alert's history.
type AlertMoment struct {
	Name    string
	At      time.Time
	Found   int
	Outcome string // fired, cleared, test, failed, works
	Detail  string
}

// alertMoments is how much of an alert's history is kept.
const alertMoments = 100

// AddAlertMoment adds to an alert's history and forgets what is too old in it. A
// second thing at one moment is written a microsecond later.
func (tx *Tx) AddAlertMoment(a name.Account, m AlertMoment) error {
	for at := micros(m.At); ; at++ {
		n, err := tx.exec(`INSERT INTO trail_alert_history (account, name, at, found, outcome, detail) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
			int64(a), m.Name, at, m.Found, m.Outcome, m.Detail)
		if err != nil {
			return err
		}
		if n == 1 {
			break
		}
	}
	_, err := tx.exec(`DELETE FROM trail_alert_history WHERE account = $1 AND name = $2 AND at <
		(SELECT min(at) FROM (SELECT at FROM trail_alert_history WHERE account = $1 AND name = $2 ORDER BY at DESC LIMIT $3) AS kept)`,
		int64(a), m.Name, alertMoments)
	return err
}

// AlertHistory is the history of an account's alerts, or of one, newest first.
func (tx *Tx) AlertHistory(a name.Account, called string, limit int) ([]AlertMoment, error) {
	return list(tx, func(r row, m *AlertMoment) error {
		return r.Scan(&m.Name, stamp{&m.At}, &m.Found, &m.Outcome, &m.Detail)
	},
		`SELECT name, at, found, outcome, detail FROM trail_alert_history WHERE account = $1 AND ($2 = '' OR name = $2) ORDER BY at DESC, name LIMIT $3`,
		int64(a), called, limit)
}
