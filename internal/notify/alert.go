package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"warifu/internal/iam"
)

// alertMessage is the body of the request that tells of an alert.
type alertMessage struct {
	ID        string `json:"id"`
	Kind      string `json:"kind"` // alert
	Account   string `json:"account"`
	Alert     string `json:"alert"`
	Query     string `json:"query"`
	Found     int    `json:"found"`
	Threshold int    `json:"threshold"`
	From      string `json:"from"` // of the events that were looked at
	To        string `json:"to"`
	Test      bool   `json:"test"`
}

// alertBody spells an alert for a program.
func alertBody(m *iam.Message) ([]byte, error) {
	if m.Kind != iam.MessageAlert {
		return nil, fmt.Errorf("there is no webhook for messages of the kind %q", m.Kind)
	}
	l := &m.Letter
	return json.Marshal(alertMessage{
		ID: m.ID.String(), Kind: string(m.Kind), Account: l.AccountName, Alert: l.Subject, Query: l.Alert.Query, Found: l.Alert.Found, Threshold: l.Alert.Threshold,
		From: l.At.Add(-l.Alert.Span).UTC().Format(time.RFC3339), To: l.At.UTC().Format(time.RFC3339), Test: l.Alert.Test,
	})
}

// alertHook posts each message to the URL that it is for.
type alertHook struct {
	client *http.Client
	now    func() time.Time
}

// NewHook returns the carrier of alerts to webhooks. It connects to public addresses,
// and to those of the operator's own networks (security checklist N-6).
func NewHook(own []netip.Prefix, now func() time.Time) Carrier {
	return &alertHook{guarded(own, 8*time.Second), now}
}

// Carry implements Carrier.
func (h *alertHook) Carry(ctx context.Context, all []Rendered, done func(int, error)) {
	for i := range all {
		done(i, h.post(ctx, &all[i]))
	}
}

func (h *alertHook) post(ctx context.Context, r *Rendered) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.To, bytes.NewReader(r.Body))
	if err != nil {
		return errors.Join(ErrRefused, errors.New("the webhook's URL is not valid"))
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "warifu")
	req.Header.Set(SignatureHeader, Sign(r.Secret, h.now(), r.Body))
	res, err := h.client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the URL, which may hold a key
		}
		return fmt.Errorf("the webhook was not reached: %w", err)
	}
	io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) //nolint:errcheck // so that the connection can be used again
	res.Body.Close()
	if res.StatusCode/100 != 2 { // a program that is being put right says no for a while
		return fmt.Errorf("the webhook answered %d", res.StatusCode)
	}
	return nil
}
