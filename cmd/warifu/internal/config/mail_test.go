package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const post = `mail:
  smtp: smtp.example.com:587
  username: warifu
  password: hunter2
  from: Warifu at Example <iam@example.com>
  ca: /etc/warifu/ca.pem
sms:
  url: https://sms.example.com/send?key=hunter3
  secret: hunter4-hunter4-hunter4
  networks: [10.1.0.0/16, 10.2.0.1]
`

// Security checklist K-2: what sends is configured, and its secrets are not
// shown; a printed configuration reads back.
func TestMailSettings(t *testing.T) {
	c, err := load(t, post, Flags{})
	if err != nil {
		t.Fatal(err)
	}
	host, port := c.Mail.Host()
	if host != "smtp.example.com" || port != 587 || c.Mail.Protection() != "starttls" || c.Mail.From.Address != "iam@example.com" || !c.Mail.On() ||
		string(c.Mail.Password.Reveal()) != "hunter2" || !c.SMS.On() || c.SMS.URL.RawQuery != "key=hunter3" || len(c.SMS.Networks) != 2 {
		t.Errorf("read %+v %+v", c.Mail, c.SMS)
	}
	out := printed(t, c)
	if strings.Contains(out, "hunter") || !strings.Contains(out, "smtp.example.com:587") || !strings.Contains(out, "https://sms.example.com/[sealed]") {
		t.Errorf("printed\n%s", out)
	}
	if c, err := load(t, "mail: {smtp: 'x:465', from: a@b.c}\n", Flags{}); err != nil || c.Mail.Protection() != "tls" {
		t.Errorf("port 465: %v, %v", c, err)
	}
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte("hunter5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err = load(t, "mail: {smtp: 'x:587', from: a@b.c, username: u}\n", Flags{}, "WARIFU_MAIL_PASSWORD_FILE="+path)
	if err != nil || string(c.Mail.Password.Reveal()) != "hunter5" {
		t.Errorf("a password from a file: %v, %v", c, err)
	}
}

func TestMailRefusals(t *testing.T) {
	for _, c := range []struct{ what, file, want string }{
		{"both ways", "mail: {smtp: 'x:25', folder: /x, from: a@b.c}\n", "mail.smtp and mail.folder exclude each other"},
		{"no sender", "mail: {smtp: 'x:25'}\n", "mail.from is missing"},
		{"sender alone", "mail: {from: a@b.c}\n", "mail.smtp is missing"},
		{"no port", "mail: {smtp: x, from: a@b.c}\n", "must be HOST:PORT of a mail server"},
		{"a URL", "mail: {smtp: 'smtp://x:25', from: a@b.c}\n", "must be HOST:PORT of a mail server"},
		{"half a login", "mail: {smtp: 'x:25', from: a@b.c, username: u}\n", "mail.username and mail.password belong together"},
		{"in the clear", "mail: {smtp: 'mail.example.com:25', from: a@b.c, security: none}\n", "mail.security none is for a mail server on this machine"},
		{"unknown protection", "mail: {smtp: 'x:25', from: a@b.c, security: ssl}\n", "must be one of auto, starttls, tls, none"},
		{"no address", "mail: {smtp: 'x:25', from: nobody}\n", "must be an address such as"},
		{"unsigned", "sms: {url: 'https://x/'}\n", "sms.secret must have at least 16 bytes"},
		{"in the clear", "sms: {url: 'http://x/', secret: 0123456789abcdef}\n", "sms.url must be https"},
		{"a secret alone", "sms: {secret: 0123456789abcdef}\n", "sms.url is missing"},
		{"not a URL", "sms: {url: 'hunter2', secret: 0123456789abcdef}\n", "must be a URL that takes text messages"},
		{"everything is ours", "sms: {url: 'http://x/', secret: 0123456789abcdef, networks: 0.0.0.0/0}\n", "the whole internet"},
		{"both ways", "sms: {url: 'https://x/', secret: 0123456789abcdef, folder: /x}\n", "sms.url and sms.folder exclude each other"},
	} {
		_, err := load(t, c.file, Flags{})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter") {
			t.Errorf("%s:\ngot  %v\nwant %s", c.what, err, c.want)
		}
	}
	for _, ok := range []string{
		"mail: {smtp: 'localhost:1025', from: a@b.c, security: none}\n", "mail: {folder: /tmp/mail, from: a@b.c}\n", "sms: {folder: /tmp/sms}\n",
		"sms: {url: 'http://10.1.2.3/', secret: 0123456789abcdef, networks: 10.1.2.3}\n",
	} {
		if _, err := load(t, ok, Flags{}); err != nil {
			t.Errorf("%s: %v", ok, err)
		}
	}
}
