package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"warifu/cmd/warifu/internal/config"
	"warifu/internal/iam"
	"warifu/internal/metrics"
	"warifu/internal/notify"
	"warifu/internal/ops"
)

// delivery says what is configured for messages, as the console shows it.
func delivery(conf *config.Config) (d ops.Delivery) {
	switch m := &conf.Mail; {
	case m.SMTP != "":
		d.Mail = ops.Sending{On: true, By: m.SMTP + " (" + strings.ToUpper(m.Protection()) + ")", From: m.From.Address}
	case m.Folder != "":
		d.Mail = ops.Sending{On: true, By: m.Folder, From: m.From.Address}
	}
	switch s := &conf.SMS; {
	case s.URL != nil:
		d.SMS = ops.Sending{On: true, By: s.URL.Host}
	case s.Folder != "":
		d.SMS = ops.Sending{On: true, By: s.Folder}
	}
	return d
}

// carriers are what takes mail and text messages; nil for what is not
// configured.
func carriers(conf *config.Config) (mail, sms notify.Carrier, err error) {
	switch m := &conf.Mail; {
	case m.SMTP != "":
		c := notify.SMTP{Security: notify.Security(m.Protection()), Username: m.Username, Password: m.Password, From: m.From}
		c.Host, c.Port = m.Host()
		if c.Roots, err = roots(m.CA); err != nil {
			return nil, nil, err
		}
		if mail, err = notify.NewSMTP(c); err != nil {
			return nil, nil, fmt.Errorf("mail: %w", err)
		}
	case m.Folder != "":
		mail = notify.Folder{Path: m.Folder, From: m.From}
	}
	switch s := &conf.SMS; {
	case s.URL != nil:
		sms = notify.NewWebhook(notify.Webhook{URL: s.URL, Secret: s.Secret, Networks: s.Networks, Now: time.Now})
	case s.Folder != "":
		sms = notify.Folder{Path: s.Folder}
	}
	return mail, sms, nil
}

// roots reads the certificates that a mail server's must be signed by; nil means
// the system's.
func roots(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("mail.ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("mail.ca: %s holds no certificate in PEM", path)
	}
	return pool, nil
}

// newSender makes what empties the outbox, and its metrics.
func newSender(conf *config.Config, queue *ops.Server, log *slog.Logger, counts *metrics.Metrics, address string) (*notify.Sender, error) {
	mail, sms, err := carriers(conf)
	if err != nil {
		return nil, err
	}
	at, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	words, err := notify.NewWords(conf.Issuer, at)
	if err != nil {
		return nil, err
	}
	for _, c := range []iam.Channel{iam.ChannelMail, iam.ChannelSMS, iam.ChannelWebhook} {
		counts.GaugeOf("warifu_mail_waiting", "channel", string(c), func() float64 {
			waiting, _ := backlog(queue, c)
			return float64(waiting)
		})
		counts.GaugeOf("warifu_mail_oldest_seconds", "channel", string(c), func() float64 {
			_, oldest := backlog(queue, c)
			return oldest.Seconds()
		})
	}
	return notify.New(notify.Config{
		Queue: queue, Words: words, Mail: mail, SMS: sms, Webhook: notify.NewHook(conf.SMS.Networks, time.Now), Now: time.Now, Log: log,
		Observe: func(c iam.Channel, o notify.Outcome) { counts.Delivered(string(c), string(o)) },
	}), nil
}

// backlog tells how a channel stands; nothing when the database does not say so
// in time for the scrape.
func backlog(queue *ops.Server, c iam.Channel) (int, time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	waiting, oldest, err := queue.Backlog(ctx, c)
	if err != nil {
		return 0, 0
	}
	return waiting, oldest
}
