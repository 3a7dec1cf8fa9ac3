package notify

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	html "html/template"
	"net/url"
	"strconv"
	"strings"
	text "text/template"
	"time"
	"unicode"
	"unicode/utf8"

	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/seal"
)

//go:embed templates/mail.html
var mailHTML string

//go:embed templates/mail.txt
var mailText string

//go:embed locales/*.json
var localeFiles embed.FS

// Languages are those that messages can be written in; the first is for readers
// whose language is not known.
var Languages = [...]string{"en", "ja", "zh"}

// Words puts messages into words.
type Words struct {
	issuer string
	url    *url.URL // how people reach the server: links begin with it (H-6)
	texts  map[string]map[string]string
	html   *html.Template
	text   *text.Template
}

// Rendered is a message in words.
type Rendered struct {
	ID      name.ID
	Kind    iam.MessageKind
	To      string
	Subject string      // of a mail
	Text    string      // the whole of a text message
	HTML    string      // of a mail
	Body    []byte      // of a webhook's request
	Secret  seal.Secret // that signs it
	Created time.Time
	Expires time.Time
}

// NewWords returns the words of a server that calls itself issuer and that people
// reach at a URL.
func NewWords(issuer string, at *url.URL) (*Words, error) {
	w := &Words{issuer: issuer, url: at, texts: map[string]map[string]string{}}
	for _, l := range Languages {
		b, err := localeFiles.ReadFile("locales/" + l + ".json")
		if err != nil {
			return nil, err
		}
		texts := map[string]string{}
		if err := json.Unmarshal(b, &texts); err != nil {
			return nil, fmt.Errorf("locales/%s.json: %w", l, err)
		}
		w.texts[l] = texts
	}
	var err error
	if w.html, err = html.New("mail").Parse(mailHTML); err != nil {
		return nil, err
	}
	w.text, err = text.New("mail").Parse(mailText)
	return w, err
}

// sheet is what the templates of a mail show, in this order.
type sheet struct {
	Lang, Issuer, Subject string
	Title                 string
	Lead                  []string
	Code                  string
	Facts                 []fact
	Link, Do              string // a link and what its button says
	Foot                  []string
	Not, NotDo            string // the link "this was not me" and its words
	Home                  string
}

type fact struct{ Label, Value string }

// tags are the languages' names (BCP 47).
var tags = map[string]string{"en": "en", "ja": "ja", "zh": "zh-Hans"}

// Render puts a message into words.
func (w *Words) Render(m iam.Message) (r Rendered, err error) {
	r = Rendered{ID: m.ID, Kind: m.Kind, To: m.Letter.To, Created: m.Created, Expires: m.Expires}
	p := w.phrases(&m)
	if m.Channel == iam.ChannelWebhook {
		r.Secret = m.Letter.Secret
		r.Body, err = alertBody(&m)
		return r, err
	}
	if m.Channel == iam.ChannelSMS {
		if r.Text = p.sms(); r.Text == "" {
			err = fmt.Errorf("there is no text message of the kind %q", m.Kind)
		}
		return r, err
	}
	s, ok := p.sheet()
	if !ok {
		return r, fmt.Errorf("there is no mail of the kind %q", m.Kind)
	}
	var h, t bytes.Buffer
	if err = w.html.Execute(&h, s); err == nil {
		err = w.text.Execute(&t, s)
	}
	r.Subject, r.HTML, r.Text = s.Subject, h.String(), t.String()
	return r, err
}

// phrases are the texts of one message.
type phrases struct {
	*Words
	m     *iam.Message
	lang  string
	fills []string
}

func (w *Words) phrases(m *iam.Message) *phrases {
	p := &phrases{Words: w, m: m, lang: m.Letter.Language}
	if w.texts[p.lang] == nil {
		p.lang = Languages[0]
	}
	l := &m.Letter
	user := l.UserName
	if user == "" {
		user = p.say("root")
	}
	p.fills = []string{
		"{issuer}", w.issuer, "{account}", line(l.AccountName), "{user}", line(user), "{subject}", line(l.Subject), "{by}", line(l.By),
		"{code}", string(l.Secret.Reveal()), "{until}", utc(l.Until), "{host}", w.url.Host,
		"{query}", line(l.Alert.Query), "{found}", strconv.Itoa(l.Alert.Found), "{threshold}", strconv.Itoa(l.Alert.Threshold), "{minutes}", strconv.Itoa(int(l.Alert.Span / time.Minute)),
	}
	return p
}

// say is a text, "" when there is none.
func (p *phrases) say(key string) string {
	return strings.NewReplacer(p.fills...).Replace(p.texts[p.lang][key])
}

// sms is a text message: short, and for a code with the line by which a phone
// fills it in on this site only (WICG "Origin-bound one-time codes").
func (p *phrases) sms() string {
	switch p.m.Kind {
	case iam.MessageCode:
		return p.say("sms.code."+p.m.Letter.Purpose) + "\n\n@" + p.url.Hostname() + " #" + string(p.m.Letter.Secret.Reveal())
	case iam.MessageActivation:
		return p.say("sms.activation") + "\n" + p.link("activate")
	case iam.MessageTest:
		return p.say("sms.test")
	}
	return ""
}

// sheet is a mail.
func (p *phrases) sheet() (s sheet, ok bool) {
	l := &p.m.Letter
	s = sheet{Lang: tags[p.lang], Issuer: p.issuer, Home: p.url.Host}
	key := string(p.m.Kind)
	switch p.m.Kind {
	case iam.MessageCode:
		key += "." + l.Purpose
		s.Code = string(l.Secret.Reveal())
		s.Foot = []string{p.say("code.foot"), p.say("code.never")}
	case iam.MessageActivation:
		s.Link, s.Do = p.link("activate"), p.say("activation.do")
		s.Foot = []string{p.say("activation.foot"), p.say("activation.ignore")}
		s.Facts = p.facts("account", "user", "by")
	case iam.MessageNotice:
		if key += "." + strings.ReplaceAll(string(l.Notice), " ", "-"); p.say(key+".subject") == "" {
			key = "notice.other"
		}
		s.Facts = p.facts("account", "user", "by", "at", "source", "agent")
		s.Foot = []string{p.say("notice.foot")}
		if !l.Secret.Empty() {
			s.Not, s.NotDo = p.link("notme"), p.say("notice.not")
		}
	case iam.MessageAlarm:
		s.Facts = p.facts("account", "user", "at", "source", "agent")
		s.Link, s.Do = p.url.JoinPath("console", "blocked").String(), p.say("alarm.do")
		if l.Notice != "" {
			key += "." + strings.ReplaceAll(string(l.Notice), " ", "-")
			s.Facts = p.facts("account", "by", "at", "source", "agent")
			s.Link, s.Do = p.url.JoinPath("console", "root").String(), p.say("alarm.root.do")
		}
	case iam.MessageAlert:
		if l.Alert.Test {
			key += ".test"
		}
		s.Facts = p.facts("account", "at")
		s.Link, s.Do = p.url.JoinPath("console", "audit", "alerts").String(), p.say("alert.do")
		s.Foot = []string{p.say("alert.foot")}
	case iam.MessageTest:
		s.Foot = []string{p.say("test.foot")}
	}
	s.Subject, s.Title = p.say(key+".subject"), p.say(key+".title")
	s.Lead = strings.Split(p.say(key+".lead"), "\n")
	return s, s.Subject != "" && s.Title != ""
}

// link is the address of a page that a secret opens. Nothing happens there until
// a button is pressed (H-5).
func (p *phrases) link(page string) string {
	return p.url.JoinPath(page, string(p.m.Letter.Secret.Reveal())).String()
}

// facts are the rows that have a value.
func (p *phrases) facts(keys ...string) (all []fact) {
	l := &p.m.Letter
	for _, k := range keys {
		v := map[string]string{"account": l.AccountName, "user": p.say("name"), "by": l.By, "at": utc(l.At), "source": l.Source, "agent": l.Agent}[k]
		if v = line(v); v != "" {
			all = append(all, fact{p.say("fact." + k), v})
		}
	}
	return all
}

func utc(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04") + " UTC"
}

// line is a text that strangers chose, as it may stand in a mail: one line, of
// bounded length.
func line(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return ' '
		}
		if unicode.In(r, unicode.Cf) { // direction marks that would turn the text around
			return -1
		}
		return r
	}, s)
	return clip(strings.TrimSpace(s))
}

// clip cuts a text to what a page or a log line holds.
func clip(s string) string {
	const most = 200
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}
