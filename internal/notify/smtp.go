package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	netmail "net/mail"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"warifu/internal/seal"
)

// Security is how the connection to the mail server is protected.
type Security string

// The ways. There is no opportunistic one: a connection that could have been
// stripped of TLS by somebody between carries no code.
const (
	STARTTLS Security = "starttls" // port 587, RFC 6409
	TLS      Security = "tls"      // port 465, RFC 8314
	NoTLS    Security = "none"     // only for a server on the same machine
)

// SMTP is the mail server that takes what is sent.
type SMTP struct {
	Host     string
	Port     int
	Security Security
	Username string // "" = no authentication
	Password seal.Secret
	From     netmail.Address
	Roots    *x509.CertPool // nil = the system's
	Timeout  time.Duration  // for each step; 0 = 20 s
}

// NewSMTP returns the carrier.
func NewSMTP(c SMTP) (Carrier, error) {
	if c.Timeout == 0 {
		c.Timeout = 20 * time.Second
	}
	if _, err := c.client(); err != nil {
		return nil, err
	}
	return &c, nil
}

func (c *SMTP) client() (*mail.Client, error) {
	opts := []mail.Option{
		mail.WithPort(c.Port), mail.WithTimeout(c.Timeout), mail.WithHELO(helo(c.From.Address)), mail.WithoutNoop(),
		mail.WithTLSConfig(&tls.Config{ServerName: c.Host, RootCAs: c.Roots, MinVersion: tls.VersionTLS12}),
	}
	switch c.Security {
	case TLS:
		opts = append(opts, mail.WithSSL())
	case NoTLS:
		opts = append(opts, mail.WithTLSPolicy(mail.NoTLS))
	default:
		opts = append(opts, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if c.Username != "" {
		kind := mail.SMTPAuthAutoDiscover
		if c.Security == NoTLS {
			kind = mail.SMTPAuthPlainNoEnc
		}
		opts = append(opts, mail.WithSMTPAuth(kind), mail.WithUsername(c.Username), mail.WithPassword(string(c.Password.Reveal())))
	}
	return mail.NewClient(c.Host, opts...)
}

// helo is the name that the server introduces itself by: the sender's domain.
func helo(address string) string {
	if i := strings.LastIndexByte(address, '@'); i >= 0 {
		return address[i+1:]
	}
	return "localhost"
}

// Carry implements Carrier: one connection for the batch.
func (c *SMTP) Carry(ctx context.Context, all []Rendered, done func(int, error)) {
	client, err := c.client()
	if err != nil {
		fail(all, err, done)
		return
	}
	dial, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	conn, err := client.DialToSMTPClientWithContext(dial)
	if err != nil {
		fail(all, fmt.Errorf("connect to the mail server: %w", err), done)
		return
	}
	defer client.CloseWithSMTPClient(conn) //nolint:errcheck // what was taken is taken
	for i := range all {
		if ctx.Err() != nil {
			done(i, ctx.Err())
			continue
		}
		m, err := c.message(&all[i])
		if err != nil {
			done(i, errors.Join(ErrRefused, err))
			continue
		}
		err = client.SendWithSMTPClient(conn, m)
		var failed *mail.SendError
		if errors.As(err, &failed) {
			if failed.Reason == mail.ErrSMTPReset { // it was taken; the server would not go on
				err = nil
			} else {
				err = sendError(failed)
			}
		}
		done(i, err)
	}
}

func fail(all []Rendered, err error, done func(int, error)) {
	for i := range all {
		done(i, err)
	}
}

// sendError tells a refusal for good (a reply of 5xx, RFC 5321 section 4.2.1)
// from one for now.
func sendError(e *mail.SendError) error {
	told := fmt.Sprintf("the mail server answered %d %s", e.ErrorCode(), e.EnhancedStatusCode())
	if e.ErrorCode() == 0 {
		told = "the connection to the mail server broke: " + e.Reason.String()
	}
	if e.ErrorCode() >= 500 {
		return errors.Join(ErrRefused, &toldError{e, told})
	}
	return &toldError{e, told}
}

// toldError is a failure in words that hold nothing of the message: a library's
// error quotes the address.
type toldError struct {
	err  error
	told string
}

func (e *toldError) Error() string { return e.told }
func (e *toldError) Unwrap() error { return e.err }

// message is a mail in text and HTML. Its Message-ID is that of the message in
// the outbox, so that one that goes out twice is one.
func (c *SMTP) message(r *Rendered) (*mail.Msg, error) {
	return message(r, c.From)
}

func message(r *Rendered, from netmail.Address) (*mail.Msg, error) {
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := m.FromFormat(from.Name, from.Address); err != nil {
		return nil, err
	}
	if err := m.To(r.To); err != nil {
		return nil, errors.New("the address is not one") // the library would quote it
	}
	m.Subject(r.Subject)
	m.SetDateWithValue(r.Created)
	m.SetMessageIDWithValue(r.ID.String() + "@" + helo(from.Address))
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no answers from machines
	m.SetBodyString(mail.TypeTextPlain, r.Text)
	m.AddAlternativeString(mail.TypeTextHTML, r.HTML)
	return m, nil
}
