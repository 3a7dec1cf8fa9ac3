package signin

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"
	awssignin "github.com/aws/aws-sdk-go-v2/service/signin"
	"github.com/aws/aws-sdk-go-v2/service/signin/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"warifu/internal/ops"
	"warifu/internal/seal"
	"warifu/internal/testkit"
)

const (
	word     = "tall ships sail at dawn"
	redirect = "http://127.0.0.1:43210/oauth/callback"
	verifier = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG-._~"
)

// house is a world whose clock is the real one, for the SDK's proofs, with a
// server in front.
type house struct {
	*testkit.World
	url string
	key *ecdsa.PrivateKey
}

func newHouse(t *testing.T) *house {
	t.Helper()
	w := testkit.New(t)
	h := &house{World: w}
	at := &url.URL{Scheme: "https", Host: "warifu.example"}
	door := New(Config{
		Ops: w.Server, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), URL: at,
		Client: func(*http.Request) (netip.Addr, string, bool) { return netip.MustParseAddr("192.0.2.8"), "", false },
	})
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.Clock.Advance(time.Since(w.Clock.Now()))
		if !Owns(r) {
			http.NotFound(rw, r)
			return
		}
		door.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	h.url = server.URL
	w.Clock.Advance(time.Since(w.Clock.Now()))
	var err error
	if h.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	admin := w.Admin(t)
	testkit.Do(t, w, admin, ops.CreateUser, ops.CreateUserIn{Name: "alice"})
	testkit.Do(t, w, admin, ops.CreateLoginProfile, ops.CreateLoginProfileIn{User: ops.Ref{Name: "alice"}, Password: seal.NewSecret([]byte(word))})
	return h
}

// console is a call of alice, signed in.
func (h *house) console(t *testing.T) ops.Call {
	t.Helper()
	source := ops.Source{Door: "console", IP: netip.MustParseAddr("192.0.2.7"), Secure: true}
	step := testkit.Do(t, h.World, ops.Call{Source: source}, ops.SignIn, ops.SignInIn{Form: ops.SubmitPassword{Account: "acme", User: "alice", Password: seal.NewSecret([]byte(word))}})
	c, err := h.Session(t.Context(), step.Session.Token, source)
	if err != nil {
		t.Fatal(err)
	}
	return ops.Call{Caller: c, Source: source}
}

func (h *house) approve(t *testing.T, me ops.Call) string {
	t.Helper()
	sum := sha256.Sum256([]byte(verifier))
	ok := testkit.Do(t, h.World, me, ops.ApproveCLILogin, ops.CLIRequest{
		Client: ops.ClientSameDevice, Redirect: redirect, Challenge: base64.RawURLEncoding.EncodeToString(sum[:]), Method: "SHA-256", Type: "code",
	})
	return string(ok.Code.Reveal())
}

// proof is a proof of possession for an address.
func (h *house) proof(t *testing.T, at string) string {
	t.Helper()
	b, err := h.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	enc := base64.RawURLEncoding.EncodeToString
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		t.Fatal(err)
	}
	text := enc([]byte(`{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":"`+enc(b[1:33])+`","y":"`+enc(b[33:])+`"}}`)) + "." +
		enc(fmt.Appendf(nil, `{"jti":"%s","htm":"POST","htu":"%s","iat":%d}`, enc(id), at, time.Now().Unix()))
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, h.key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	sig := make([]byte, 64)
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	return text + "." + enc(sig)
}

// client is AWS's own, unmodified.
func (h *house) client(t *testing.T) *awssignin.Client {
	return awssignin.New(awssignin.Options{Region: "us-east-1", BaseEndpoint: &h.url, RetryMaxAttempts: 1}, func(o *awssignin.Options) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
			return s.Finalize.Add(middleware.FinalizeMiddlewareFunc("dpop", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				r := in.Request.(*smithyhttp.Request)
				if r.Header.Get("DPoP") == "" {
					r.Header.Set("DPoP", h.proof(t, r.URL.String()))
				}
				return next.HandleFinalize(ctx, in)
			}), middleware.After)
		})
	})
}

// AWS's SDK redeems a code, and its provider of credentials refreshes them from
// the file that AWS's command line writes.
func TestAWSSDKRedeemsAndRefreshes(t *testing.T) {
	h := newHouse(t)
	me := h.console(t)
	client := h.client(t)
	in := &awssignin.CreateOAuth2TokenInput{TokenInput: &types.CreateOAuth2TokenRequestBody{
		ClientId: aws.String(ops.ClientSameDevice), GrantType: aws.String("authorization_code"), Code: aws.String(h.approve(t, me)),
		CodeVerifier: aws.String(verifier), RedirectUri: aws.String(redirect),
	}}
	got, err := client.CreateOAuth2Token(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	out := got.TokenOutput
	if aws.ToString(out.TokenType) != "aws_sigv4" || aws.ToInt32(out.ExpiresIn) < 890 || aws.ToInt32(out.ExpiresIn) > 900 || out.IdToken == nil {
		t.Errorf("%+v", out)
	}
	h.As(t, *out.AccessToken.AccessKeyId, *out.AccessToken.SessionToken)

	var denied *types.AccessDeniedException
	if _, err := client.CreateOAuth2Token(t.Context(), in); !errors.As(err, &denied) || denied.Error_ != types.OAuth2ErrorCodeAuthcodeExpired {
		t.Errorf("the same code again: %v", err)
	}
	in.TokenInput.Code = aws.String(h.approve(t, me)) // the first one has ended with that
	if got, err = client.CreateOAuth2Token(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	out = got.TokenOutput

	der, err := x509.MarshalECPrivateKey(h.key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "cache.json")
	kept, err := json.Marshal(map[string]any{
		"accessToken": map[string]any{
			"accessKeyId": *out.AccessToken.AccessKeyId, "secretAccessKey": *out.AccessToken.SecretAccessKey, "sessionToken": *out.AccessToken.SessionToken,
			"accountId": "123456789012", "expiresAt": time.Now().Add(-time.Minute).UTC().Format(time.RFC3339),
		},
		"tokenType": "aws_sigv4", "clientId": ops.ClientSameDevice, "refreshToken": *out.RefreshToken, "idToken": *out.IdToken,
		"dpopKey": string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})),
	})
	if err != nil || os.WriteFile(file, kept, 0o600) != nil {
		t.Fatal(err)
	}
	plain := awssignin.New(awssignin.Options{Region: "us-east-1", BaseEndpoint: &h.url, RetryMaxAttempts: 1})
	creds, err := logincreds.New(plain, file).Retrieve(t.Context())
	if err != nil || creds.AccessKeyID == *out.AccessToken.AccessKeyId {
		t.Fatalf("%v: %s", err, creds.AccessKeyID)
	}
	if c := h.As(t, creds.AccessKeyID, creds.SessionToken).Caller; c.User.Name != "alice" {
		t.Errorf("it is %s", c.User.Name)
	}

	testkit.Do(t, h.World, me, ops.SignOut, struct{}{})
	var cached map[string]map[string]any
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_ = json.Unmarshal(b, &cached) // the texts beside do not fit
	spent := strings.Replace(string(b), cached["accessToken"]["expiresAt"].(string), "2020-01-01T00:00:00Z", 1)
	if err := os.WriteFile(file, []byte(spent), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := logincreds.New(plain, file).Retrieve(t.Context()); err == nil || !strings.Contains(err.Error(), "login session has expired") {
		t.Errorf("after the session was ended: %v", err)
	}
}

// post sends a form with a proof.
func (h *house) post(t *testing.T, path string, pairs ...string) (status int, out map[string]any) {
	t.Helper()
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return h.send(t, path, "application/x-www-form-urlencoded", v.Encode(), h.proof(t, h.url+path))
}

func (h *house) send(t *testing.T, path, kind, body string, proofs ...string) (status int, out map[string]any) {
	t.Helper()
	r, err := http.NewRequest("POST", h.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	for _, p := range proofs {
		r.Header.Add("DPoP", p)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.Header.Get("Cache-Control") != "no-store" {
		t.Error("the answer may be kept")
	}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		t.Fatalf("%d: %v", resp.StatusCode, err)
	}
	return resp.StatusCode, out
}

// RFC 8628: the answers of a device's sign-in, in OAuth's words.
func TestDeviceGrant(t *testing.T) {
	h := newHouse(t)
	me := h.console(t)
	status, d := h.post(t, DevicePath, "client_id", ops.ClientDevice)
	if status != 200 || d["verification_uri"] != "https://warifu.example/device" || d["interval"] != 5.0 || d["expires_in"] != 600.0 {
		t.Fatalf("%d %v", status, d)
	}
	code, typed := d["device_code"].(string), d["user_code"].(string)
	if d["verification_uri_complete"] != "https://warifu.example/device?user_code="+typed {
		t.Errorf("%v", d)
	}
	poll := func() (int, map[string]any) {
		return h.post(t, TokenPath, "client_id", ops.ClientDevice, "grant_type", deviceGrant, "device_code", code, "duration_seconds", "3600")
	}
	for _, want := range []string{"authorization_pending", "slow_down"} {
		if status, out := poll(); status != 400 || out["error"] != want || out["error_description"] == "" {
			t.Errorf("%d %v, want %s", status, out, want)
		}
	}
	testkit.Do(t, h.World, me, ops.AnswerDeviceLogin, ops.AnswerDeviceLoginIn{DeviceCodeIn: ops.DeviceCodeIn{UserCode: typed}, Approve: true})
	status, out := poll()
	if status != 200 || out["expiresIn"].(float64) < 3590 || out["accountId"] != "123456789012" || out["principalArn"] != "arn:aws:iam::123456789012:user/alice" {
		t.Fatalf("%d %v", status, out)
	}
	refresh := out["refreshToken"].(string)
	if status, out := h.post(t, RevokePath, "client_id", ops.ClientDevice, "token", refresh); status != 200 {
		t.Errorf("%d %v", status, out)
	}
	if status, out := h.post(t, TokenPath, "client_id", ops.ClientDevice, "grant_type", "refresh_token", "refresh_token", refresh); status != 400 || out["error"] != "invalid_grant" {
		t.Errorf("%d %v", status, out)
	}
	if status, out := poll(); status != 400 || out["error"] != "expired_token" {
		t.Errorf("%d %v", status, out)
	}
}

// Bad input gets an answer in the spelling that it came in.
func TestRefusals(t *testing.T) {
	h := newHouse(t)
	at := h.url + TokenPath
	const form, js = "application/x-www-form-urlencoded", "application/json"
	for name, c := range map[string]struct {
		path, kind, body string
		proofs           []string
		status           int
		error            string
	}{
		"no body":            {TokenPath, js, "", nil, 400, "INVALID_REQUEST"},
		"key twice":          {TokenPath, js, `{"grantType":"refresh_token","grantType":"refresh_token"}`, nil, 400, "INVALID_REQUEST"},
		"other type":         {TokenPath, "text/plain", `{}`, nil, 400, "INVALID_REQUEST"},
		"no grant":           {TokenPath, js, `{}`, nil, 400, "INVALID_REQUEST"},
		"no proof":           {TokenPath, js, `{"grantType":"refresh_token","clientId":"x"}`, nil, 400, "INVALID_REQUEST"},
		"two proofs":         {TokenPath, js, `{"grantType":"refresh_token"}`, []string{h.proof(t, at), h.proof(t, at)}, 400, "INVALID_REQUEST"},
		"proof for another":  {TokenPath, js, `{"grantType":"refresh_token"}`, []string{h.proof(t, "https://evil.example"+TokenPath)}, 400, "INVALID_REQUEST"},
		"another endpoint's": {TokenPath, js, `{"grantType":"refresh_token"}`, []string{h.proof(t, h.url+RevokePath)}, 400, "INVALID_REQUEST"},
		"unknown token":      {TokenPath, js, `{"grantType":"refresh_token","refreshToken":"x"}`, []string{h.proof(t, at)}, 401, "TOKEN_EXPIRED"},
		"public address":     {TokenPath, js, `{"grantType":"refresh_token","refreshToken":"x"}`, []string{h.proof(t, "https://warifu.example"+TokenPath)}, 401, "TOKEN_EXPIRED"},
		"unknown code":       {TokenPath, js, `{"grantType":"authorization_code","code":"x"}`, []string{h.proof(t, at)}, 401, "AUTHCODE_EXPIRED"},
		"form, no grant":     {TokenPath, form, "grant_type=password", nil, 400, "unsupported_grant_type"},
		"form, twice":        {TokenPath, form, "grant_type=refresh_token&grant_type=refresh_token", nil, 400, "invalid_request"},
		"form, no proof":     {TokenPath, form, "grant_type=refresh_token", nil, 400, "invalid_dpop_proof"},
		"form, bad seconds":  {TokenPath, form, "grant_type=refresh_token&duration_seconds=-1", nil, 400, "invalid_request"},
		"too long":           {TokenPath, form, "code=" + strings.Repeat("x", maxBody), nil, 400, "invalid_request"},
		"JSON to a device":   {DevicePath, js, `{}`, nil, 400, "INVALID_REQUEST"},
		"other client":       {DevicePath, form, "client_id=evil", []string{h.proof(t, h.url+DevicePath)}, 400, "invalid_request"},
	} {
		status, out := h.send(t, c.path, c.kind, c.body, c.proofs...)
		if status != c.status || out["error"] != c.error {
			t.Errorf("%s: %d %v, want %d %s", name, status, out, c.status, c.error)
		}
	}
	resp, err := http.Get(at)
	if err != nil || resp.StatusCode != 405 || resp.Header.Get("Allow") != "POST" {
		t.Errorf("GET: %v %v", resp, err)
	}
}

func FuzzReadForm(f *testing.F) {
	f.Add([]byte("grant_type=refresh_token&refresh_token=x"))
	f.Fuzz(func(t *testing.T, body []byte) {
		var in input
		if in.readForm(body) == nil && len(in.ClientID) > len(body) {
			t.Error("it grew")
		}
	})
}
