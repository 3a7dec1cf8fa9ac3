package console

import (
	"bytes"
	"mime/multipart"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"warifu/internal/factor/totp"
)

// upload posts a form with a file.
func (s *site) upload(t testing.TB, path, field string, file []byte, pairs ...string) *httptest.ResponseRecorder {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for i := 0; i < len(pairs); i += 2 {
		if err := w.WriteField(pairs[i], pairs[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	part, err := w.CreateFormFile(field, "tokens.csv")
	if err != nil {
		t.Fatal(err)
	}
	part.Write(file) //nolint:errcheck // a buffer
	w.Close()        //nolint:errcheck // a buffer
	r := httptest.NewRequest("POST", origin+path, &body)
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return s.do(r)
}

func TestHardwareTokenPages(t *testing.T) {
	s := open(t)
	s.user(t, "boss", adminWord, false, adminPolicy)
	s.user(t, "alice", adminWord, false)
	s.signIn(t, "boss", adminWord)
	says(t, s.get("/console/tokens"), 200, "No hardware tokens")
	const seed = "3132333435363738393031323334353637383930"
	says(t, s.upload(t, "/console/tokens/import", "file", nil), 422, "Please fill this in")
	w := s.upload(t, "/console/tokens/import", "file", []byte("GAHT1,"+seed+",ocra"))
	if says(t, w, 422); strings.Contains(w.Body.String(), seed) {
		t.Error("K-2: the page shows the seed again")
	}
	says(t, s.upload(t, "/console/tokens/import", "file", bytes.Repeat([]byte("x"), maxUpload+1)), 400)
	w = s.post("/console/tokens/import", "text", "GAHT2,"+seed+",bad")
	if says(t, w, 422); strings.Contains(w.Body.String(), seed) {
		t.Error("K-2: the page shows the seed again")
	}
	to(t, s.upload(t, "/console/tokens/import", "file", []byte("GAHT1,"+seed+"\nGAHT2,"+seed+",hotp\n")), "/console/tokens")
	says(t, s.get("/console/tokens"), 200, "2 tokens were imported; 0 were here already.", "GAHT1", "in the pool", "By a counter (HOTP)")
	says(t, s.get("/console/tokens/NONE"), 404)

	says(t, s.post("/console/tokens/GAHT1", "do", "assign", "user", "nobody"), 422, "There is no such user")
	to(t, s.post("/console/tokens/GAHT1", "do", "assign", "user", "alice"), "/console/tokens/GAHT1")
	says(t, s.get("/console/tokens/GAHT1"), 200, "waits for its user", "alice")

	boss := s.cookies
	s.cookies = map[string]string{}
	s.signIn(t, "alice", adminWord)
	says(t, s.get("/security"), 200, "A token for you", "GAHT1")
	says(t, s.get("/security/tokens/GAHT1"), 200, "Type two codes that the token GAHT1 shows")
	alice := s.cookies

	s.cookies = boss // alice may not bind by policy: the administrator does it with the codes
	now := totp.Params{}.Step(s.Clock.Now())
	code := func(step int64) string { return totp.Code([]byte("12345678901234567890"), totp.Params{}, step) }
	_ = alice
	s.user(t, "carol", adminWord, false, adminPolicy)
	to(t, s.post("/console/tokens/GAHT1", "do", "release", "reason", "for carol"), "/console/tokens/GAHT1")
	to(t, s.post("/console/tokens/GAHT1", "do", "assign", "user", "carol"), "/console/tokens/GAHT1")
	s.cookies = map[string]string{}
	s.signIn(t, "carol", adminWord)
	says(t, s.post("/security/tokens/GAHT1", "code1", "000000", "code2", "000001"), 422, "do not follow each other")
	to(t, s.post("/security/tokens/GAHT1", "code1", code(now-1), "code2", code(now)), "/security")
	says(t, s.get("/security"), 200, "GAHT1", "Recovery codes")

	s.cookies = boss
	says(t, s.get("/console/tokens"), 200, "in use", "carol")
	to(t, s.post("/console/tokens/GAHT1", "do", "resync", "user", "carol", "code1", code(now+4), "code2", code(now+5)), "/console/tokens/GAHT1")
	says(t, s.post("/console/tokens/GAHT1", "do", "lose"), 422, "Please fill this in")
	to(t, s.post("/console/tokens/GAHT1", "do", "lose", "reason", "left in a taxi"), "/console/tokens/GAHT1")
	says(t, s.get("/console/tokens/GAHT1"), 200, "lost", "It was found")
	to(t, s.post("/console/tokens/GAHT2", "do", "delete", "confirm", "GAHT2"), "/console/tokens")
	says(t, s.get("/console/tokens/GAHT2"), 404)
}

var codesOf = regexp.MustCompile(`(?:[A-Z2-7]{4}-){3}[A-Z2-7]{4}`)

// C-8: codes are shown once, and let in where the device is lost.
func TestC8RecoveryPages(t *testing.T) {
	s := open(t)
	s.user(t, "alice", adminWord, false, adminPolicy)
	s.signIn(t, "alice", adminWord)
	says(t, s.post("/security/recovery"), 422, "Recovery codes stand in for another factor")
	key := seed(t, s.post("/security/mfa/new", "name", "alice").Body.String())
	one, two := s.codes(t, key)
	to(t, s.post("/security/mfa/bind", "serial", "arn:aws:iam::123456789012:mfa/alice", "code1", one, "code2", two), "/security")
	s.Clock.Advance(30 * time.Second)
	to(t, s.post("/stepup", "code", s.code(t, key), "next", "/security/recovery"), "/security/recovery")
	says(t, s.get("/security/recovery"), 200, "Ten codes, each good once")
	page := says(t, s.post("/security/recovery"), 200, "This is the only time that they are shown", "account acme", "Print")
	codes := codesOf.FindAllString(page, -1)
	if len(codes) != 10 {
		t.Fatalf("%d codes", len(codes))
	}
	if again := s.get("/security/recovery").Body.String() + s.get("/security").Body.String(); codesOf.MatchString(again) {
		t.Error("the codes are shown again")
	}
	says(t, s.get("/security"), 200, "10 left")

	s.cookies = map[string]string{}
	s.get("/signin")
	to(t, s.post("/signin", "account", "acme", "user", "alice", "password", adminWord), "/signin/code")
	page = says(t, s.get("/signin/code"), 200, "Recovery code")
	id := regexp.MustCompile(`device=(\d+)"[^>]*>Recovery code`).FindStringSubmatch(page)
	if id == nil {
		t.Fatal(page)
	}
	says(t, s.get("/signin/code?device="+id[1]), 200, "Recovery code")
	to(t, s.post("/signin/code", "device", id[1], "code", strings.ToLower(codes[3])), "/console")
	says(t, s.get("/security"), 200, "9 left")
	says(t, s.get("/security/notices"), 200, "A recovery code was used. Codes left: 9.")
}
