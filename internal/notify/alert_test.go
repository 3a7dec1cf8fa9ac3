package notify

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"warifu/internal/iam"
	"warifu/internal/seal"
)

// An alert's webhook gets what was found, signed; what it does not take is tried
// again, and a private address is not asked (N-6).
func TestAlertHook(t *testing.T) {
	status, header := 503, ""
	var body []byte
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header = r.Header.Get(SignatureHeader)
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(status)
	}))
	defer srv.Close()
	m := iam.Message{ID: 7, Channel: iam.ChannelWebhook, Kind: iam.MessageAlert, Created: epoch, Letter: iam.Letter{
		To: srv.URL + "/x?key=canary", Subject: "many", AccountName: "acme", At: epoch, Secret: seal.NewSecret([]byte("a shared secret")),
		Alert: iam.AlertFound{Query: "made", Found: 7, Threshold: 5, Span: time.Hour},
	}}
	r, err := words(t).Render(m)
	if err != nil {
		t.Fatal(err)
	}
	send := func(c Carrier) (got error) {
		c.Carry(context.Background(), []Rendered{r}, func(_ int, err error) { got = err })
		return got
	}
	c := NewHook(local, func() time.Time { return epoch })
	if err := send(c); err == nil || !strings.Contains(err.Error(), "answered 503") || strings.Contains(err.Error(), "canary") {
		t.Errorf("a receiver that is down: %v", err)
	}
	status = 204
	if err := send(c); err != nil {
		t.Fatal(err)
	}
	if header != Sign(m.Letter.Secret, epoch, body) {
		t.Errorf("signed %q", header)
	}
	var got map[string]any
	if err := json.Unmarshal(body, &got); err != nil || got["alert"] != "many" || got["found"] != 7.0 || got["threshold"] != 5.0 ||
		got["from"] != "2026-01-15T08:00:00Z" || got["to"] != "2026-01-15T09:00:00Z" || got["test"] != false || got["account"] != "acme" {
		t.Errorf("posted %s, %v", body, err)
	}
	if err := send(NewHook(nil, time.Now)); err == nil || !strings.Contains(err.Error(), "not a public one") || strings.Contains(err.Error(), "canary") {
		t.Errorf("a private address: %v", err)
	}
	m.Kind = iam.MessageNotice
	if _, err := words(t).Render(m); err == nil {
		t.Error("a notice goes to a webhook")
	}
}
