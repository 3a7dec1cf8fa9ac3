package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"warifu/internal/seal"
)

// SignatureHeader holds the signature of a webhook's request.
const SignatureHeader = "Warifu-Signature"

// Webhook is the service that takes text messages.
type Webhook struct {
	URL      *url.URL
	Secret   seal.Secret
	Networks []netip.Prefix // of the operator, that may be asked though they are not public
	Now      func() time.Time
	Timeout  time.Duration // of one message; 0 = 8 s
}

// webhook is a Webhook that can send.
type webhook struct {
	Webhook
	client *http.Client
}

// NewWebhook returns the carrier.
func NewWebhook(c Webhook) Carrier {
	if c.Timeout == 0 {
		c.Timeout = 8 * time.Second
	}
	return &webhook{c, guarded(c.Networks, c.Timeout)}
}

// textMessage is the body of a request.
type textMessage struct {
	ID      string `json:"id"`
	To      string `json:"to"`
	Text    string `json:"text"`
	Kind    string `json:"kind"`
	Expires string `json:"expires"`
}

// Sign is the signature of a body sent at a time.
func Sign(secret seal.Secret, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, secret.Reveal())
	mac.Write([]byte(t + "."))
	mac.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// Carry implements Carrier.
func (w *webhook) Carry(ctx context.Context, all []Rendered, done func(int, error)) {
	for i := range all {
		done(i, w.post(ctx, &all[i]))
	}
}

func (w *webhook) post(ctx context.Context, r *Rendered) error {
	body, err := json.Marshal(textMessage{r.ID.String(), r.To, r.Text, string(r.Kind), r.Expires.UTC().Format(time.RFC3339)})
	if err != nil {
		return errors.Join(ErrRefused, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL.String(), bytes.NewReader(body))
	if err != nil {
		return errors.Join(ErrRefused, errors.New("sms.url is no URL"))
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "warifu")
	req.Header.Set(SignatureHeader, Sign(w.Secret, w.Now(), body))
	res, err := w.client.Do(req)
	if err != nil {
		return unreached(err)
	}
	io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) //nolint:errcheck // so that the connection can be used again
	res.Body.Close()
	return judged(res.StatusCode)
}

// unreached is a failure without the URL, which may hold a key.
func unreached(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return fmt.Errorf("the text-message service was not reached: %w", err)
}

// judged tells what a status means.
func judged(status int) error {
	err := fmt.Errorf("the text-message service answered %d", status)
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests:
		return err
	case status >= 400 && status < 500:
		return errors.Join(ErrRefused, err)
	}
	return err
}
