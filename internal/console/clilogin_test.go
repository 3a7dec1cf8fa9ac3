package console

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"warifu/internal/ops"
)

const cliChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" // of RFC 7636, appendix B

// authorize is the address that AWS's command line opens.
func authorize(pairs ...string) string {
	v := url.Values{
		"response_type": {"code"}, "client_id": {ops.ClientSameDevice}, "state": {"5f0d"}, "code_challenge_method": {"SHA-256"},
		"scope": {"openid"}, "redirect_uri": {"http://127.0.0.1:43210/oauth/callback"}, "code_challenge": {cliChallenge},
	}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return authorizePath + "?" + v.Encode()
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([a-z_]+)" value="([^"]*)">`)

// answer posts the form of a page with an answer.
func (s *site) answer(t testing.TB, path, page, answer string) (status int, to string, body string) {
	t.Helper()
	pairs := []string{"answer", answer}
	for _, m := range hidden.FindAllStringSubmatch(page, -1) {
		pairs = append(pairs, m[1], strings.NewReplacer("&amp;", "&", "&#43;", "+").Replace(m[2]))
	}
	w := s.post(path, pairs...)
	return w.Code, w.Header().Get("Location"), w.Body.String()
}

func TestCommandLineOnThisComputer(t *testing.T) {
	s := open(t)
	s.user(t, "alice", adminWord, false)
	w := s.get(authorize())
	if to := w.Header().Get("Location"); w.Code != 303 || !strings.HasPrefix(to, "/signin?next=") {
		t.Fatalf("%d to %s", w.Code, to)
	}
	next, err := url.ParseQuery(strings.TrimPrefix(w.Header().Get("Location"), "/signin?"))
	if err != nil {
		t.Fatal(err)
	}
	s.get("/signin")
	w = s.post("/signin", "account", "acme", "user", "alice", "password", adminWord, "next", next.Get("next"))
	back := w.Header().Get("Location")
	if w.Code != 303 || !strings.HasPrefix(back, authorizePath) {
		t.Fatalf("%d to %s", w.Code, back)
	}
	w = s.get(back)
	page := says(t, w, 200, "Sign in a command line", "alice", "acme", "On this computer", "127.0.0.1:43210", "did not use a second factor")
	if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' http://127.0.0.1:43210;") {
		t.Errorf("the form may not lead there: %s", csp)
	}
	status, to, _ := s.answer(t, authorizePath, page, "approve")
	u, err := url.Parse(to)
	if err != nil || status != 303 || u.Host != "127.0.0.1:43210" || u.Path != "/oauth/callback" {
		t.Fatalf("%d to %s, %v", status, to, err)
	}
	if q := u.Query(); q.Get("state") != "5f0d" || !strings.HasPrefix(q.Get("code"), "wcod_") || q.Get("iss") != origin {
		t.Errorf("it gets %v", q)
	}
	_, to, _ = s.answer(t, authorizePath, page, "refuse")
	if u, err := url.Parse(to); err != nil || u.Query().Get("error") != "access_denied" || u.Query().Has("code") || u.Query().Get("state") != "5f0d" {
		t.Errorf("refused: %s", to)
	}
	says(t, s.get("/security/notices"), 200, "You signed in a command line from 192.0.2.7.")
}

func TestCommandLineOnAnotherComputer(t *testing.T) {
	s := open(t)
	s.user(t, "alice", adminWord, false)
	s.signIn(t, "alice", adminWord)
	page := says(t, s.get(authorize("client_id", ops.ClientCrossDevice, "redirect_uri", origin+"/v1/sessions/confirmation")), 200,
		"On another computer", "Did you start this yourself")
	status, _, body := s.answer(t, authorizePath, page, "approve")
	m := regexp.MustCompile(`id="cli-code"[^>]*>(.*?)</`).FindStringSubmatch(body)
	if status != 200 || m == nil {
		t.Fatalf("%d\n%s", status, body)
	}
	code := strings.ReplaceAll(tags.ReplaceAllString(m[1], ""), "&#43;", "+")
	raw, err := base64.StdEncoding.DecodeString(code)
	v, err2 := url.ParseQuery(string(raw))
	if err != nil || err2 != nil || v.Get("state") != "5f0d" || !strings.HasPrefix(v.Get("code"), "wcod_") {
		t.Errorf("the code is %s, %v", raw, err)
	}
}

// F-4, H-4: what is not a command line's request leads nowhere.
func TestF4NoOpenRedirect(t *testing.T) {
	s := open(t)
	s.user(t, "alice", adminWord, false)
	s.signIn(t, "alice", adminWord)
	for _, path := range []string{
		authorize("redirect_uri", "https://evil.example/"), authorize("code_challenge_method", "plain"), authorize("code_challenge", ""),
		authorize("client_id", "x"), authorize() + "&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2F", authorizePath,
	} {
		w := s.get(path)
		if w.Code != 400 || w.Header().Get("Location") != "" || strings.Contains(w.Header().Get("Content-Security-Policy"), "127.0.0.1") {
			t.Errorf("%s: %d to %q", path, w.Code, w.Header().Get("Location"))
		}
		u, _ := url.Parse(path)
		for _, answer := range []string{"approve", "refuse", ""} {
			var pairs []string
			for k, all := range u.Query() {
				for _, v := range all {
					pairs = append(pairs, k, v)
				}
			}
			if w := s.post(authorizePath, append(pairs, "answer", answer)...); w.Header().Get("Location") != "" {
				t.Errorf("%s of %s: %d to %q", answer, path, w.Code, w.Header().Get("Location"))
			}
		}
	}
}

func TestDevicePages(t *testing.T) {
	s := open(t)
	s.user(t, "alice", adminWord, false)
	s.signIn(t, "alice", adminWord)
	says(t, s.get("/device?user_code=BCDF-GHJK"), 200, "Connect a command line", "Eight letters")
	says(t, s.get("/device/confirm?user_code=BCDF-GHJK"), 422, "No command line waits")
	says(t, s.post("/device/confirm", "user_code", "BCDF-GHJK", "answer", "approve"), 422, "No command line waits")
}
