package notify

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"warifu/internal/iam"
	"warifu/internal/seal"
)

var (
	epoch = time.Date(2026, 1, 15, 9, 0, 0, 0, time.UTC)
	home  = &url.URL{Scheme: "https", Host: "iam.example.com"}
)

func words(t testing.TB) *Words {
	t.Helper()
	w, err := NewWords("Warifu", home)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// letters are messages of every kind.
func letters() (all []iam.Message) {
	base := iam.Letter{
		To: "a@example.com", AccountName: "acme", UserName: "alice", Secret: seal.NewSecret([]byte("123456")), Until: epoch.Add(time.Hour),
		By: "admin", At: epoch, Source: "192.0.2.7", Agent: "Firefox / Linux",
	}
	add := func(channel iam.Channel, kind iam.MessageKind, change func(*iam.Letter)) {
		l := base
		change(&l)
		all = append(all, iam.Message{ID: 7, Channel: channel, Kind: kind, Created: epoch, Expires: epoch.Add(time.Hour), Letter: l})
	}
	for _, p := range []string{"sign-in", "step-up", "bind"} {
		add(iam.ChannelMail, iam.MessageCode, func(l *iam.Letter) { l.Purpose = p })
		add(iam.ChannelSMS, iam.MessageCode, func(l *iam.Letter) { l.Purpose = p })
	}
	for _, k := range []iam.NoticeKind{
		iam.NoticeFactorBound, iam.NoticeFactorRemoved, iam.NoticePasswordChanged, iam.NoticeKeyCreated, iam.NoticeSessionsEnded, iam.NoticeBlocked,
		iam.NoticeUnblocked, iam.NoticeEnrolmentLink, iam.NoticeNewBrowser, iam.NoticeNotMe, "command line signed in", "command line ended",
		"disabled as idle", "key copied", "memory stolen", "recovery codes made", "recovery code used", "token given", "unusual sign-in",
		"something that is added later",
	} {
		add(iam.ChannelMail, iam.MessageNotice, func(l *iam.Letter) { l.Notice, l.Subject = k, "AKIA1" })
	}
	for _, k := range []iam.MessageKind{iam.MessageActivation, iam.MessageTest} {
		add(iam.ChannelMail, k, func(*iam.Letter) {})
		add(iam.ChannelSMS, k, func(*iam.Letter) {})
	}
	add(iam.ChannelMail, iam.MessageAlarm, func(*iam.Letter) {})
	for _, test := range []bool{false, true} {
		add(iam.ChannelMail, iam.MessageAlert, func(l *iam.Letter) {
			l.Subject, l.Alert = "many failures", iam.AlertFound{Query: "failures", Found: 7, Threshold: 5, Span: time.Hour, Test: test}
		})
	}
	for _, k := range []iam.NoticeKind{iam.NoticeRootUsed, iam.NoticeRootRules, iam.NoticeRootLink, iam.NoticeRootRecovered} {
		add(iam.ChannelMail, iam.MessageAlarm, func(l *iam.Letter) { l.UserName, l.Notice = "", k })
	}
	return all
}

// Every message says something in every language, in text and HTML, and leaves
// no placeholder.
func TestEveryMessageHasWords(t *testing.T) {
	w := words(t)
	subjects := map[string]bool{}
	for _, lang := range append(Languages[:], "", "xx") {
		for _, m := range letters() {
			m.Letter.Language = lang
			r, err := w.Render(m)
			if err != nil {
				t.Fatalf("%s %s in %q: %v", m.Channel, m.Kind, lang, err)
			}
			for part, text := range map[string]string{"subject": r.Subject, "text": r.Text, "html": r.HTML} {
				if m.Channel == iam.ChannelSMS && part != "text" {
					continue
				}
				if text == "" || regexp.MustCompile(`\{[a-z]+\}|<no value>`).MatchString(text) && part != "html" {
					t.Errorf("%s %s in %q: the %s is %q", m.Channel, m.Kind, lang, part, text)
				}
			}
			if m.Channel == iam.ChannelMail {
				subjects[lang+r.Subject] = true
				if !strings.Contains(r.HTML, `<html lang="`) || !strings.Contains(r.Text, "iam.example.com") {
					t.Errorf("%s in %q: no language, or no sender", m.Kind, lang)
				}
			}
			if m.Kind == iam.MessageCode && !strings.Contains(r.Text, "123456") {
				t.Errorf("a code in %q is not in the text", lang)
			}
			if strings.Contains(r.Subject, "123456") {
				t.Errorf("the code is in the subject, which servers log (K-2): %q", r.Subject)
			}
		}
	}
	if len(subjects) < 120 {
		t.Errorf("only %d subjects: languages or kinds share theirs", len(subjects))
	}
}

// The three languages say the same things.
func TestLanguagesHaveTheSameKeys(t *testing.T) {
	w := words(t)
	placeholders := func(s string) []string {
		all := regexp.MustCompile(`\{[a-z]+\}`).FindAllString(s, -1)
		slices.Sort(all)
		return slices.Compact(all)
	}
	for _, lang := range Languages[1:] {
		for key, text := range w.texts["en"] {
			other, ok := w.texts[lang][key]
			if !ok || !slices.Equal(placeholders(text), placeholders(other)) {
				t.Errorf("%s: %s is %q, in English %q", lang, key, other, text)
			}
		}
		if len(w.texts[lang]) != len(w.texts["en"]) {
			t.Errorf("%s has %d texts, English %d", lang, len(w.texts[lang]), len(w.texts["en"]))
		}
	}
	for _, lang := range Languages {
		b, _ := localeFiles.ReadFile("locales/" + lang + ".json")
		d := json.NewDecoder(strings.NewReader(string(b)))
		seen := map[string]bool{}
		for d.Token(); d.More(); {
			k, _ := d.Token()
			if v, _ := d.Token(); v == "" || seen[k.(string)] {
				t.Errorf("%s: %v is empty or stands twice", lang, k)
			}
			seen[k.(string)] = true
		}
	}
}

// H-6: links begin with the configured URL, and hold the secret. Names that
// strangers chose are text and nothing else.
func TestLinksAndHostileNames(t *testing.T) {
	w := words(t)
	for _, m := range letters() {
		m.Letter.UserName = "<img src=x onerror=alert(1)>\r\nBcc: evil@example.com\u202e"
		m.Letter.Agent, m.Letter.By, m.Letter.AccountName = m.Letter.UserName, m.Letter.UserName, m.Letter.UserName
		m.Letter.Subject = m.Letter.UserName + strings.Repeat("x", 5000)
		r, err := w.Render(m)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(r.HTML, "<img") || strings.Contains(r.Text, "\nBcc") || strings.ContainsAny(r.Subject, "\r\n") || strings.Contains(r.Text, "\u202e") {
			t.Errorf("%s %s takes a name for more than text:\n%s\n%s\n%s", m.Channel, m.Kind, r.Subject, r.Text, r.HTML)
		}
		if len(r.Text) > 6000 || len(r.Subject) > 1500 {
			t.Errorf("%s: a long name makes %d bytes, subject %d", m.Kind, len(r.Text), len(r.Subject))
		}
		for _, link := range regexp.MustCompile(`https?://[^\s"<]+`).FindAllString(r.Text+r.HTML, -1) {
			if !strings.HasPrefix(link, "https://iam.example.com/") {
				t.Errorf("%s links to %s", m.Kind, link)
			}
		}
	}
}

// A phone fills a code in on this site only.
func TestOriginBoundCode(t *testing.T) {
	m := letters()[1]
	r, err := words(t).Render(m)
	if err != nil || !strings.HasSuffix(r.Text, "\n\n@iam.example.com #123456") {
		t.Errorf("%q, %v", r.Text, err)
	}
}
