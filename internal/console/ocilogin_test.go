package console

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	sig "warifu/internal/reqsig/oci"
)

// oracleAuthorize is the address that Oracle's command line opens.
func oracleAuthorize(key string, pairs ...string) string {
	v := url.Values{
		"action": {"login"}, "client_id": {"iaas_console"}, "response_type": {"token id_token"}, "nonce": {"n-1"}, "scope": {"openid"},
		"public_key": {base64.RawURLEncoding.EncodeToString([]byte(key))}, "redirect_uri": {oracleRedirect}, "tenant": {"acme"},
	}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return oracleAuthorizePath + "?" + v.Encode()
}

func TestOraclesCommandLine(t *testing.T) {
	s := open(t)
	s.user(t, "alice", adminWord, false)
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	jwk := sig.JWK(&private.PublicKey)
	w := s.get(oracleAuthorize(jwk))
	to := w.Header().Get("Location")
	if w.Code != 303 || !strings.HasPrefix(to, "/signin?next=") {
		t.Fatalf("%d to %s", w.Code, to)
	}
	next, err := url.ParseQuery(strings.TrimPrefix(to, "/signin?"))
	if err != nil {
		t.Fatal(err)
	}
	s.get("/signin")
	w = s.post("/signin", "account", "acme", "user", "alice", "password", adminWord, "next", next.Get("next"))
	back := w.Header().Get("Location")
	if w.Code != 303 || !strings.HasPrefix(back, oracleAuthorizePath) {
		t.Fatalf("%d to %s", w.Code, back)
	}
	w = s.get(back)
	page := says(t, w, 200, "Sign in a command line", "alice", "localhost:8181", "did not use a second factor")
	if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' http://localhost:8181;") {
		t.Errorf("the form may not lead there: %s", csp)
	}
	status, to, _ := s.answer(t, oracleAuthorizePath, page, "approve")
	rest, ok := strings.CutPrefix(to, oracleRedirect+"/#")
	v, err := url.ParseQuery(rest)
	if status != 303 || !ok || err != nil || v.Get("nonce") != "n-1" || strings.Count(v.Get("security_token"), ".") != 2 {
		t.Fatalf("%d to %s, %v", status, to, err)
	}
	if _, to, _ = s.answer(t, oracleAuthorizePath, page, "refuse"); to != oracleRedirect+"/#error=access_denied" {
		t.Errorf("refused: %s", to)
	}

	// F-4: what is not the command line's request leads nowhere.
	for _, path := range []string{
		oracleAuthorize(jwk, "redirect_uri", "http://localhost:8181.evil.example"), oracleAuthorize(jwk, "redirect_uri", "http://127.0.0.1:8181"),
		oracleAuthorize(jwk, "client_id", "x"), oracleAuthorize(jwk, "response_type", "code"), oracleAuthorize("", "x", "y"),
		oracleAuthorize(jwk) + "&redirect_uri=http%3A%2F%2Flocalhost%3A8181", oracleAuthorizePath,
	} {
		if w := s.get(path); w.Code != 400 || w.Header().Get("Location") != "" {
			t.Errorf("%s: %d to %q", path, w.Code, w.Header().Get("Location"))
		}
		u, _ := url.Parse(path)
		var pairs []string
		for k, all := range u.Query() {
			for _, v := range all {
				pairs = append(pairs, k, v)
			}
		}
		if w := s.post(oracleAuthorizePath, append(pairs, "answer", "approve")...); w.Header().Get("Location") != "" {
			t.Errorf("%s: %d to %q", path, w.Code, w.Header().Get("Location"))
		}
	}
	// A key that is none, in the right form, is refused when it is approved.
	if w := s.post(oracleAuthorizePath, "answer", "approve", "client_id", "iaas_console", "response_type", "token", "redirect_uri", oracleRedirect,
		"public_key", base64.RawURLEncoding.EncodeToString([]byte(`{"kty":"EC"}`))); strings.HasPrefix(w.Header().Get("Location"), "http") {
		t.Errorf("%d to %q", w.Code, w.Header().Get("Location"))
	}
}
