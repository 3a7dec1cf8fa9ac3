package browser

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/security"

	sig "warifu/internal/reqsig/oci"
)

// oracleCLI is what `oci session authenticate` does besides opening a browser: a key of
// its own, and a page on port 8181 that hands over the fragment of its address.
type oracleCLI struct {
	t      *testing.T
	client *http.Client
	key    *rsa.PrivateKey
	tokens chan url.Values
}

func newOracleCLI(t *testing.T, client *http.Client) *oracleCLI {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	c := &oracleCLI{t, client, key, make(chan url.Values, 1)}
	l, err := net.Listen("tcp", "localhost:8181") // the port is the command line's own
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, `<!doctype html><html lang="en"><title>oci</title><link rel="icon" href="data:,"><main><h1>Waiting</h1></main>
			<script>fetch('/token?' + location.hash.slice(1)).then(() => document.querySelector('h1').textContent = 'Authorization completed')</script></html>`) //nolint:errcheck // the browser has gone
	})
	mux.HandleFunc("GET /token", func(_ http.ResponseWriter, r *http.Request) { c.tokens <- r.URL.Query() })
	s := &http.Server{Handler: mux, ReadHeaderTimeout: time.Second}
	go s.Serve(l) //nolint:errcheck // it ends when it is closed
	t.Cleanup(func() { s.Close() })
	return c
}

// address is the page that the command line opens.
func (c *oracleCLI) address() string {
	return "/v1/oauth2/authorize?" + url.Values{
		"action": {"login"}, "client_id": {"iaas_console"}, "response_type": {"token id_token"}, "nonce": {"n-0"}, "scope": {"openid"},
		"public_key": {base64.URLEncoding.EncodeToString([]byte(sig.JWK(&c.key.PublicKey)))}, "redirect_uri": {"http://localhost:8181"},
	}.Encode()
}

// token is the one that arrived, with its claims.
func (c *oracleCLI) token() (token string, claims sig.Claims) {
	c.t.Helper()
	select {
	case v := <-c.tokens:
		token = v.Get("security_token")
	case <-time.After(20 * time.Second):
		c.t.Fatal("no token came")
	}
	return token, claimsOf(c.t, token)
}

func claimsOf(t *testing.T, token string) (claims sig.Claims) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("the token is %q", token)
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil {
		err = json.Unmarshal(b, &claims)
	}
	if err != nil {
		t.Fatal(err)
	}
	return claims
}

// send signs a request with the key and a token, and returns its status and body.
func (c *oracleCLI) send(key *rsa.PrivateKey, token, method, address, body string) (int, string) {
	c.t.Helper()
	r, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	names := []string{"date", "(request-target)", "host"}
	r.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	values := map[string]string{"date": r.Header.Get("Date"), "(request-target)": strings.ToLower(method) + " " + r.URL.RequestURI(), "host": r.URL.Host}
	if method == "POST" {
		sum := sha256.Sum256([]byte(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Content-Sha256", base64.StdEncoding.EncodeToString(sum[:]))
		names = append(names, "content-length", "content-type", "x-content-sha256")
		values["content-length"], values["content-type"], values["x-content-sha256"] = fmt.Sprint(len(body)), "application/json", r.Header.Get("X-Content-Sha256")
	}
	var lines []string
	for _, n := range names {
		lines = append(lines, n+": "+values[n])
	}
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Authorization", fmt.Sprintf(`Signature version="1",headers="%s",keyId="ST$%s",algorithm="rsa-sha256",signature="%s"`,
		strings.Join(names, " "), token, base64.StdEncoding.EncodeToString(signature)))
	res, err := c.client.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	var out bytes.Buffer
	if _, err := out.ReadFrom(res.Body); err != nil {
		c.t.Fatal(err)
	}
	return res.StatusCode, out.String()
}

// Oracle's command line is signed in through the browser with password and one-time
// code, at the hosts that its tools make of a region: the token says what was proved, is
// bound to the command line's key, and stays what it is when it is refreshed. At the
// server's own host the paths are the same.
func TestOracleCommandLineSignIn(t *testing.T) {
	const region = "xx-warifu-1"
	s := newSite(t, certified(t, "localhost", "login."+region+".localhost", "auth."+region+".localhost", "identity."+region+".oci.localhost")...)
	domain := strings.TrimPrefix(s.base, "https://") // the realm's: localhost and a port
	login, auth, identity := "https://login."+region+"."+domain, "https://auth."+region+"."+domain, "https://identity."+region+".oci."+domain
	s.user(t, "alice", admins)
	b := s.open(t, "en")
	must(call(b, security.SetIgnoreCertificateErrors, security.SetIgnoreCertificateErrorsParams{Ignore: true}))(t) // of an authority that the browser does not know
	c := newOracleCLI(t, s.client)

	// By path, with a password alone.
	b.signIn(s, "alice").at("/console")
	b.visit(c.address()).says(b.w("cli.title"), "localhost:8181", b.w("cli.mfa.no"))
	b.click(b.w("cli.approve")).soon("Authorization completed")
	plain, claims := c.token()
	if len(claims.Proofs) != 0 {
		t.Errorf("%+v", claims)
	}
	// session validate: the token ends with the session in which it was approved
	validate := func(base, token string, want int) {
		t.Helper()
		if status, body := c.send(c.key, token, "GET", base+"/20160918/regions", ""); status != want || strings.Contains(body, "WF1") != (want == 200) {
			t.Errorf("%d %s", status, body)
		}
	}
	for _, base := range []string{s.base, identity} {
		validate(base, plain, 200)
	}
	b.visit("/console")
	phone := b.bind()
	b.signOut()
	validate(identity, plain, 401)

	// By host, with a code.
	b.visit(login + c.address())
	b.fill(b.w("signin.account"), s.AccountID).fill(b.w("signin.user"), "alice").fill(b.w("signin.password"), userPassword).click(b.w("signin.do"))
	b.fill(b.w("signin.code.label"), phone.code()).click(b.w("signin.code.do"))
	b.says(b.w("cli.title"), "localhost:8181", b.w("cli.mfa.yes")).look("consent for Oracle's command line")
	b.click(b.w("cli.approve")).soon("Authorization completed")
	token, claims := c.token()
	if len(claims.Proofs) != 1 || claims.Proofs[0].Method != "totp" || claims.JWK != sig.JWK(&c.key.PublicKey) ||
		!strings.HasPrefix(claims.Subject, "ocid1.user.") || !strings.HasPrefix(claims.Tenant, "ocid1.tenancy.") {
		t.Errorf("%+v", claims)
	}
	if life := time.Duration(claims.Expires-claims.Issued) * time.Second; life < 5*time.Minute || life > time.Hour {
		t.Errorf("the token lives %s", life)
	}

	// with the key and without it
	for _, base := range []string{s.base, identity} {
		validate(base, token, 200)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := c.send(other, token, "GET", identity+"/20160918/regions", ""); status != 401 {
		t.Errorf("with another key: %d", status)
	}

	// session refresh
	status, body := c.send(c.key, token, "POST", auth+"/v1/authentication/refresh", `{"currentToken":"`+token+`"}`)
	var fresh struct{ Token string }
	if err := json.Unmarshal([]byte(body), &fresh); status != 200 || err != nil {
		t.Fatalf("%d %s", status, body)
	}
	if again := claimsOf(t, fresh.Token); !slices.Equal(again.Proofs, claims.Proofs) || again.Ends != claims.Ends || again.JWK != claims.JWK || again.ID != claims.ID {
		t.Errorf("%+v became %+v", claims, again)
	}

	// Whoever refuses sends the command line away empty-handed.
	b.visit(login + c.address()).click(b.w("cli.refuse")).soon("Authorization completed")
	if v := <-c.tokens; v.Get("security_token") != "" || v.Get("error") != "access_denied" {
		t.Errorf("%v", v)
	}
}
