package deliver

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"warifu/internal/notify"
	"warifu/internal/ops"
	"warifu/internal/reqsig/sigv4"
	"warifu/internal/seal"
)

// sendTime bounds one batch on its way.
const sendTime = 30 * time.Second

// lines spells a batch: one event per line.
func lines(b ops.TrailBatch) []byte {
	var out bytes.Buffer
	for _, body := range b.Bodies {
		out.WriteString(body)
		out.WriteByte('\n')
	}
	return out.Bytes()
}

// File appends events to a file, one JSON object per line. A file that was moved or
// deleted is made anew: logs are rotated so.
type File struct{ Path string }

// Send implements Sink.
func (f *File) Send(_ context.Context, b ops.TrailBatch) (err error) {
	out, err := os.OpenFile(f.Path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	info, err := out.Stat()
	if err != nil {
		return err
	}
	if _, err := out.Write(lines(b)); err != nil {
		_ = out.Truncate(info.Size()) // half a line is worse than none
		return err
	}
	return out.Sync()
}

// Webhook posts events to a URL.
type Webhook struct {
	URL    *url.URL
	Secret seal.Secret // signs; may be empty
	Now    func() time.Time
}

// client follows no redirect: where events go is configured.
var client = &http.Client{
	Timeout:       sendTime,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// Send implements Sink.
func (h *Webhook) Send(ctx context.Context, b ops.TrailBatch) error {
	header := http.Header{"Content-Type": {"application/jsonl"}, "Warifu-Trail": {fmt.Sprintf("%d-%d", b.First, b.Next)}}
	return post(ctx, h.URL, h.Secret, h.Now(), lines(b), header)
}

// post sends a signed body and wants 2xx.
func post(ctx context.Context, to *url.URL, secret seal.Secret, now time.Time, body []byte, header http.Header) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), bytes.NewReader(body))
	if err != nil {
		return errors.New("the webhook's URL is not valid")
	}
	r.Header = header
	if !secret.Empty() {
		r.Header.Set(notify.SignatureHeader, notify.Sign(secret, now, body))
	}
	return wantTaken(client.Do(r))
}

// wantTaken wants an answer of 2xx. Its error does not repeat the URL, which may
// hold a secret.
func wantTaken(res *http.Response, err error) error {
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return err
	}
	defer res.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(res.Body, 300))
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("it answered %d %s", res.StatusCode, strings.ToValidUTF8(string(said), "?"))
	}
	return nil
}

// Bucket puts events into a bucket that speaks S3, compressed, an object per batch.
type Bucket struct {
	URL    *url.URL // of the bucket, and the prefix of the objects' names
	Region string
	Key    sigv4.Credentials
	Now    func() time.Time
}

// Send implements Sink. The same batch makes the same object.
func (s *Bucket) Send(ctx context.Context, b ops.TrailBatch) error {
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	if _, err := z.Write(lines(b)); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	name := fmt.Sprintf("%s/%020d-%020d.jsonl.gz", b.Oldest.UTC().Format("2006/01/02"), b.First, b.Next)
	to := s.URL.JoinPath(name)
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, to.String(), &body)
	if err != nil {
		return errors.New("the bucket's URL is not valid")
	}
	sum := sha256.Sum256(body.Bytes())
	r.Header.Set("Content-Type", "application/gzip")
	_, err = sigv4.Sign(&sigv4.Request{Method: r.Method, Host: to.Host, Path: to.EscapedPath(), Header: r.Header, BodyHash: hex.EncodeToString(sum[:])},
		s.Key, s.Now(), sigv4.SignOptions{Region: s.Region, Service: "s3", S3: true})
	if err != nil {
		return err
	}
	return wantTaken(client.Do(r))
}

// Syslog sends events to a syslog server: RFC 5424 over TCP, or TLS.
type Syslog struct {
	Address string // HOST:PORT
	TLS     bool
	Host    string // of this server, in the messages

	conn net.Conn
}

// facilityAudit is the facility "log audit", severity "notice" (RFC 5424 section
// 6.2.1).
const facilityAudit = 13*8 + 5

// Send implements Sink.
func (s *Syslog) Send(ctx context.Context, b ops.TrailBatch) error {
	if s.conn != nil && closed(s.conn) {
		s.conn.Close()
		s.conn = nil
	}
	if s.conn == nil {
		if err := s.dial(ctx); err != nil {
			return err
		}
	}
	var out bytes.Buffer
	for _, body := range b.Bodies {
		message := s.message(body)
		out.WriteString(strconv.Itoa(len(message)) + " " + message)
	}
	s.conn.SetWriteDeadline(time.Now().Add(sendTime)) //nolint:errcheck // a connection that is gone fails below
	if _, err := s.conn.Write(out.Bytes()); err != nil {
		s.conn.Close()
		s.conn = nil
		return err
	}
	return nil
}

func (s *Syslog) dial(ctx context.Context) (err error) {
	d := &net.Dialer{Timeout: sendTime}
	if s.TLS {
		s.conn, err = (&tls.Dialer{NetDialer: d, Config: &tls.Config{MinVersion: tls.VersionTLS12}}).DialContext(ctx, "tcp", s.Address)
	} else {
		s.conn, err = d.DialContext(ctx, "tcp", s.Address)
	}
	return err
}

// closed reports whether the other side has hung up: a server of syslog says
// nothing, so whatever can be read is the end.
func closed(c net.Conn) bool {
	c.SetReadDeadline(time.Now().Add(time.Millisecond)) //nolint:errcheck // likewise
	var one [1]byte
	_, err := c.Read(one[:])
	var timeout net.Error
	return err == nil || !errors.As(err, &timeout) || !timeout.Timeout()
}

// message spells an event. Its text is the event's JSON.
func (s *Syslog) message(body string) string {
	var e struct {
		ID string    `json:"id"`
		At time.Time `json:"at"`
	}
	_ = json.Unmarshal([]byte(body), &e) // without them it is still sent
	host := s.Host
	if host == "" {
		host = "-"
	}
	return fmt.Sprintf("<%d>1 %s %s warifu - event [warifu@0 id=%q] %s", facilityAudit, e.At.UTC().Format("2006-01-02T15:04:05.000000Z"), host, e.ID, body)
}
