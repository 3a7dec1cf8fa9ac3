package config

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"warifu/internal/seal"
)

// Mail says how mail is sent: by a mail server, or into a folder for
// development. With neither no mail is sent.
type Mail struct {
	SMTP     string // HOST:PORT
	Security string // auto, starttls, tls, none; see Protection
	Username string
	Password seal.Secret
	From     mail.Address
	CA       string // file of the certificates that sign the mail server's; "" = the system's
	Folder   string
}

// On reports whether mail is sent.
func (m *Mail) On() bool { return m.SMTP != "" || m.Folder != "" }

// Host and port of the mail server.
func (m *Mail) Host() (host string, port int) {
	host, p, _ := net.SplitHostPort(m.SMTP)
	port, _ = strconv.Atoi(p)
	return host, port
}

// Protection is how the connection is protected: auto is TLS from the start at
// port 465 (RFC 8314) and STARTTLS at any other.
func (m *Mail) Protection() string {
	if m.Security != "auto" {
		return m.Security
	}
	if _, port := m.Host(); port == 465 {
		return "tls"
	}
	return "starttls"
}

func (m *Mail) check() error {
	host, _ := m.Host()
	switch {
	case m.SMTP != "" && m.Folder != "":
		return errors.New("mail.smtp and mail.folder exclude each other")
	case m.On() && m.From.Address == "":
		return errors.New("mail.from is missing: the address that mail comes from")
	case !m.On() && (m.From.Address != "" || m.Username != "" || !m.Password.Empty() || m.CA != ""):
		return errors.New("mail.smtp is missing: without it no mail is sent")
	case (m.Username == "") != m.Password.Empty():
		return errors.New("mail.username and mail.password belong together: one of them is missing")
	case m.Security == "none" && !loopback(host):
		return errors.New("mail.security none is for a mail server on this machine: whoever is between could read codes")
	}
	return nil
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// SMS says how text messages are sent: by a service that takes them, or into a
// folder for development. With neither none is sent.
type SMS struct {
	URL      *url.URL
	Secret   seal.Secret    // signs requests
	Networks []netip.Prefix // that may be asked though they are not public
	Folder   string
}

// On reports whether text messages are sent.
func (s *SMS) On() bool { return s.URL != nil || s.Folder != "" }

// minSMSSecret is the length of the shortest secret that signs requests, in
// bytes.
const minSMSSecret = 16

func (s *SMS) check() error {
	switch {
	case s.URL != nil && s.Folder != "":
		return errors.New("sms.url and sms.folder exclude each other")
	case s.URL == nil && (!s.Secret.Empty() || len(s.Networks) > 0):
		return errors.New("sms.url is missing: without it no text message is sent")
	case s.URL != nil && len(s.Secret.Reveal()) < minSMSSecret:
		return fmt.Errorf("sms.secret must have at least %d bytes: it signs what is sent to sms.url", minSMSSecret)
	case s.URL != nil && s.URL.Scheme != "https" && len(s.Networks) == 0:
		return errors.New("sms.url must be https, or a service in a network of your own that sms.networks names")
	}
	return nil
}

func setSMTP(c *Config, v string) error {
	if v == "" {
		c.Mail.SMTP = ""
		return nil
	}
	host, port, err := net.SplitHostPort(v)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil || host == "" || strings.ContainsAny(host, "/@ ") {
		return errors.New("must be HOST:PORT of a mail server, such as smtp.example.com:587")
	}
	c.Mail.SMTP = v
	return nil
}

func setFrom(c *Config, v string) error {
	if v == "" {
		c.Mail.From = mail.Address{}
		return nil
	}
	a, err := mail.ParseAddress(v)
	if err != nil {
		return fmt.Errorf("must be an address such as Example <iam@example.com>, not %q", v)
	}
	c.Mail.From = *a
	return nil
}

func fromText(a mail.Address) string {
	if a.Address == "" {
		return ""
	}
	return a.String()
}

// setSMSURL takes a query: services have keys there. So it is a secret, and no
// error quotes it.
func setSMSURL(c *Config, v string) error {
	if v == "" {
		c.SMS.URL = nil
		return nil
	}
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" {
		return errors.New("must be a URL that takes text messages, such as https://sms.example.com/send")
	}
	c.SMS.URL = u
	return nil
}

// smsURLText is the part of the URL that is no secret.
func smsURLText(u *url.URL) string {
	if u == nil {
		return ""
	}
	if strings.Trim(u.Path, "/") == "" && u.RawQuery == "" {
		return u.String()
	}
	return u.Scheme + "://" + u.Host + "/" + seal.Redacted
}

func setSMSNetworks(c *Config, v string) (err error) {
	c.SMS.Networks, err = networks(v, "name the network in which the service stands")
	return err
}

func secret(at func(*Config) *seal.Secret) func(*Config, string) error {
	return func(c *Config, v string) error { *at(c) = seal.NewSecret([]byte(v)); return nil }
}
