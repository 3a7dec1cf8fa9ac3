package oci

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base32"
	"encoding/pem"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oracle/oci-go-sdk/v65/common"
	"github.com/oracle/oci-go-sdk/v65/identity"

	"warifu/internal/api/oci"
	"warifu/internal/factor/totp"
	"warifu/internal/name"
	"warifu/internal/ops"
	sig "warifu/internal/reqsig/oci"
	"warifu/internal/seal"
	"warifu/internal/signin"
	"warifu/internal/testkit"
)

// tenancy is a server with Oracle's door, and its administrator, who has an API key.
type tenancy struct {
	*testkit.World
	t     *testing.T
	url   string
	admin *client
	root  *string // OCID of the tenancy

	handler http.Handler // what the server is; tests put a gateway before it
}

// client is somebody who talks to the door through Oracle's SDK.
type client struct {
	identity.IdentityClient
	id  string // OCID of the user
	key *rsa.PrivateKey
	cfg common.ConfigurationProvider
}

var ctx = context.Background()

func newTenancy(t *testing.T) *tenancy {
	t.Helper()
	w := testkit.New(t)
	w.Clock.Advance(time.Since(w.Clock.Now())) // the SDK signs by the machine's clock
	door := oci.New(oci.Config{
		Ops: w.Server, Log: slog.New(slog.DiscardHandler),
		Client: func(*http.Request) (netip.Addr, string, bool) { return netip.MustParseAddr("192.0.2.7"), "", true },
	})
	root := testkit.Account.Tenancy()
	s := &tenancy{World: w, t: t, root: &root, handler: door}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }))
	t.Cleanup(srv.Close)
	s.url = srv.URL
	key := newKey(t)
	k, err := w.AddOracleKeyFor(ctx, "admin", publicPEM(t, &key.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	s.admin = s.client(k.User.OCID(name.OCIUser), k.Fingerprint, key)
	return s
}

func newKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func publicPEM(t *testing.T, key *rsa.PublicKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func privatePEM(t *testing.T, key *rsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// client is a user with an API key.
func (s *tenancy) client(user, fingerprint string, key *rsa.PrivateKey) *client {
	s.t.Helper()
	return s.with(user, key, common.NewRawConfigurationProvider(*s.root, user, "us-ashburn-1", fingerprint, privatePEM(s.t, key), nil))
}

// with makes a client whose calls are not tried again.
func (s *tenancy) with(user string, key *rsa.PrivateKey, cfg common.ConfigurationProvider) *client {
	s.t.Helper()
	c, err := identity.NewIdentityClientWithConfigurationProvider(cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	c.Host = s.url
	never := common.NoRetryPolicy()
	c.SetCustomClientConfiguration(common.CustomClientConfiguration{RetryPolicy: &never})
	return &client{c, user, key, cfg}
}

// session is a client that signs with a session token.
func (s *tenancy) session(user, token string, key *rsa.PrivateKey) *client {
	s.t.Helper()
	dir := s.t.TempDir()
	for file, text := range map[string]string{
		"token": token, "key.pem": privatePEM(s.t, key),
		"config": "[DEFAULT]\nfingerprint=x\ntenancy=" + *s.root + "\nregion=us-ashburn-1\nkey_file=" + filepath.Join(dir, "key.pem") +
			"\nsecurity_token_file=" + filepath.Join(dir, "token") + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	cfg, err := common.ConfigurationProviderForSessionTokenWithProfile(filepath.Join(dir, "config"), "DEFAULT", "")
	if err != nil {
		s.t.Fatal(err)
	}
	return s.with(user, key, cfg)
}

// user makes a user with an API key through the SDK.
func (s *tenancy) user(called string) *client {
	s.t.Helper()
	u, err := s.admin.CreateUser(ctx, identity.CreateUserRequest{CreateUserDetails: identity.CreateUserDetails{
		CompartmentId: s.root, Name: &called, Description: common.String("A person called " + called),
	}})
	s.ok(err)
	key := newKey(s.t)
	k, err := s.admin.UploadApiKey(ctx, identity.UploadApiKeyRequest{UserId: u.Id, CreateApiKeyDetails: identity.CreateApiKeyDetails{Key: common.String(publicPEM(s.t, &key.PublicKey))}})
	s.ok(err)
	return s.client(*u.Id, *k.Fingerprint, key)
}

// group makes a group with members.
func (s *tenancy) group(called string, members ...*client) string {
	s.t.Helper()
	g, err := s.admin.CreateGroup(ctx, identity.CreateGroupRequest{CreateGroupDetails: identity.CreateGroupDetails{CompartmentId: s.root, Name: &called, Description: &called}})
	s.ok(err)
	for _, m := range members {
		_, err := s.admin.AddUserToGroup(ctx, identity.AddUserToGroupRequest{AddUserToGroupDetails: identity.AddUserToGroupDetails{UserId: &m.id, GroupId: g.Id}})
		s.ok(err)
	}
	return *g.Id
}

// policy makes a policy at the root.
func (s *tenancy) policy(called string, statements ...string) identity.Policy {
	s.t.Helper()
	p, err := s.admin.CreatePolicy(ctx, identity.CreatePolicyRequest{CreatePolicyDetails: identity.CreatePolicyDetails{
		CompartmentId: s.root, Name: &called, Description: &called, Statements: statements,
	}})
	s.ok(err)
	return p.Policy
}

func (s *tenancy) ok(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// fails makes sure that a call failed with a status and a code.
func (s *tenancy) fails(err error, status int, code string) {
	s.t.Helper()
	var f common.ServiceError
	if !errors.As(err, &f) || f.GetHTTPStatusCode() != status || f.GetCode() != code {
		s.t.Fatalf("%v, want %d %s", err, status, code)
	}
	if f.GetOpcRequestID() == "" || f.GetMessage() == "" {
		s.t.Errorf("%v has no id or message", err)
	}
}

// denied makes sure that a call was denied, or its noun is absent: Oracle tells
// nobody which.
func (s *tenancy) denied(err error) {
	s.t.Helper()
	s.fails(err, 404, "NotAuthorizedOrNotFound")
}

// signIn signs a user in to the console, and begins a session of a command line there,
// as the page does that `oci session authenticate` opens.
func (s *tenancy) signIn(user *client, called, password, seed string) (*client, string) {
	s.t.Helper()
	src := ops.Source{Door: "console", Service: "signin", IP: netip.MustParseAddr("192.0.2.7"), UserAgent: "browser", Secure: true}
	call := func(c ops.Caller) ops.Call {
		return ops.Call{Caller: c, Source: src, RequestID: s.NewRequestID(), At: s.Clock.Now()}
	}
	step := testkit.Do(s.t, s.World, call(ops.Caller{}), ops.SignIn, ops.SignInIn{Form: ops.SubmitPassword{Account: "acme", User: called, Password: seal.NewSecret([]byte(password))}})
	if step.Verdict == signin.Challenge && step.Stage == signin.StageNewPassword {
		step = testkit.Do(s.t, s.World, call(ops.Caller{}), ops.SignIn, ops.SignInIn{Flow: step.Cookie, Form: ops.SubmitNewPassword{Password: seal.NewSecret([]byte(password + "-own"))}})
	}
	if step.Verdict == signin.Challenge && step.Stage == signin.StageFactor {
		s.Clock.Advance(30 * time.Second)
		step = testkit.Do(s.t, s.World, call(ops.Caller{}), ops.SignIn, ops.SignInIn{Flow: step.Cookie, Form: ops.SubmitFactor{Response: ops.Response{Code: s.code(seed)}}})
	}
	if step.Verdict != signin.Open {
		s.t.Fatalf("sign-in of %s: %+v", called, step)
	}
	c, err := s.Session(ctx, step.Session.Token, src)
	s.ok(err)
	key := newKey(s.t)
	session := testkit.Do(s.t, s.World, call(c), ops.BeginOracleSession, ops.BeginOracleIn{JWK: sig.JWK(&key.PublicKey)})
	s.ok(s.SignOracle(ctx, session))
	token := string(session.Plain.Reveal())
	return s.session(user.id, token, key), token
}

// code is what an authenticator shows now.
func (s *tenancy) code(seed string) string {
	s.t.Helper()
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimRight(seed, "="))
	s.ok(err)
	return totp.Code(raw, totp.Params{}, totp.Params{}.Step(s.Clock.Now()))
}

// opens tells whether a password alone lets a user in to the console.
func (s *tenancy) opens(user, password string) bool {
	src := ops.Source{Door: "console", Service: "signin", IP: netip.MustParseAddr("192.0.2.7"), UserAgent: "browser", Secure: true}
	step, err := ops.Run(ctx, s.Server, ops.Call{Source: src, RequestID: s.NewRequestID(), At: s.Clock.Now()}, ops.SignIn,
		ops.SignInIn{Form: ops.SubmitPassword{Account: "acme", User: user, Password: seal.NewSecret([]byte(password))}})
	return err == nil && step.Verdict == signin.Open
}
