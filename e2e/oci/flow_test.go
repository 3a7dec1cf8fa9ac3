package oci

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/oracle/oci-go-sdk/v65/common"
	"github.com/oracle/oci-go-sdk/v65/identity"
	"github.com/oracle/oci-go-sdk/v65/identitydataplane"

	"warifu/internal/ops"
	"warifu/internal/signin"
	"warifu/internal/testkit"
)

// The way of the page: a grant for those who signed in with a password and a one-time
// code, a device that only its user enables, and an administrator who takes it away.
func TestMFA(t *testing.T) {
	s := newTenancy(t)
	alice, bob := s.user("alice"), s.user("bob")
	s.group("Operators", alice)
	s.policy("operators", "Allow group Operators to manage groups in tenancy where request.user.mfaTotpVerified='true'")
	list := func(c *client) error {
		_, err := c.ListGroups(ctx, identity.ListGroupsRequest{CompartmentId: s.root})
		return err
	}
	s.denied(list(alice)) // an API key proves no second factor

	pw, err := s.admin.CreateOrResetUIPassword(ctx, identity.CreateOrResetUIPasswordRequest{UserId: &alice.id})
	s.ok(err)
	password := *pw.Password
	plain, _ := s.signIn(alice, "alice", password, "")
	password += "-own"
	s.denied(list(plain)) // nor does a password

	// Only the user enables MFA, whatever policy says.
	_, err = s.admin.CreateMfaTotpDevice(ctx, identity.CreateMfaTotpDeviceRequest{UserId: &alice.id})
	s.denied(err)
	made, err := alice.CreateMfaTotpDevice(ctx, identity.CreateMfaTotpDeviceRequest{UserId: &alice.id})
	s.ok(err)
	if got := made.RawResponse.Header.Get("Warifu-Otp-Label"); got != "Oracle acme - alice" {
		t.Errorf("the label is %q", got)
	}
	if made.Etag == nil || *made.IsActivated || len(*made.Seed) < 16 || !strings.HasPrefix(*made.Id, "ocid1.credential.oc1..") {
		t.Errorf("%+v", made.MfaTotpDevice)
	}
	activate := func(c *client, code string) error {
		_, err := c.ActivateMfaTotpDevice(ctx, identity.ActivateMfaTotpDeviceRequest{
			UserId: &alice.id, MfaTotpDeviceId: made.Id, MfaTotpToken: identity.MfaTotpToken{TotpToken: &code},
		})
		return err
	}
	s.denied(activate(s.admin, s.code(*made.Seed)))
	s.fails(activate(alice, "000000"), 400, "InvalidParameter")
	s.ok(activate(alice, s.code(*made.Seed)))
	s.fails(activate(alice, s.code(*made.Seed)), 409, "Conflict")
	_, err = alice.CreateMfaTotpDevice(ctx, identity.CreateMfaTotpDeviceRequest{UserId: &alice.id})
	s.fails(err, 409, "Conflict") // one device
	u, err := s.admin.GetUser(ctx, identity.GetUserRequest{UserId: &alice.id})
	s.ok(err)
	if !*u.IsMfaActivated {
		t.Error("the user has no MFA")
	}

	verified, _ := s.signIn(alice, "alice", password, *made.Seed)
	s.ok(list(verified))
	s.denied(list(plain))
	s.denied(list(alice))

	// A session that begins with a key, or with a session, proves nothing by itself.
	minted := s.mint(verified)
	s.denied(list(minted))

	// Nobody but an administrator deletes another's device; then the session is worth
	// no more than a password.
	del := func(c *client) error {
		_, err := c.DeleteMfaTotpDevice(ctx, identity.DeleteMfaTotpDeviceRequest{UserId: &alice.id, MfaTotpDeviceId: made.Id})
		return err
	}
	s.denied(del(bob))
	s.ok(del(s.admin))
	s.denied(list(verified))
	devices, err := alice.ListMfaTotpDevices(ctx, identity.ListMfaTotpDevicesRequest{UserId: &alice.id})
	s.ok(err)
	if len(devices.Items) != 0 {
		t.Errorf("%+v", devices.Items)
	}

	// Another seed takes the device back to not activated.
	again, err := alice.CreateMfaTotpDevice(ctx, identity.CreateMfaTotpDeviceRequest{UserId: &alice.id})
	s.ok(err)
	made.MfaTotpDevice = again.MfaTotpDevice
	s.Clock.Advance(30 * time.Second)
	s.ok(activate(alice, s.code(*made.Seed)))
	seed, err := alice.GenerateTotpSeed(ctx, identity.GenerateTotpSeedRequest{UserId: &alice.id, MfaTotpDeviceId: made.Id})
	s.ok(err)
	if *seed.IsActivated || *seed.Id != *made.Id || *seed.Seed == *made.Seed {
		t.Errorf("%+v", seed.MfaTotpDevice)
	}
	got, err := s.admin.GetMfaTotpDevice(ctx, identity.GetMfaTotpDeviceRequest{UserId: &alice.id, MfaTotpDeviceId: made.Id})
	s.ok(err)
	if *got.IsActivated {
		t.Error("a device with another seed is active")
	}
}

// mint begins a session without a browser.
func (s *tenancy) mint(c *client) *client {
	s.t.Helper()
	d, err := identitydataplane.NewDataplaneClientWithConfigurationProvider(c.cfg)
	s.ok(err)
	d.Host = s.url
	key := newKey(s.t)
	minutes := 5
	out, err := d.GenerateUserSecurityToken(ctx, identitydataplane.GenerateUserSecurityTokenRequest{GenerateUserSecurityTokenDetails: identitydataplane.GenerateUserSecurityTokenDetails{
		PublicKey: common.String(publicPEM(s.t, &key.PublicKey)), SessionExpirationInMinutes: &minutes,
	}})
	s.ok(err)
	return s.session(c.id, *out.Token, key)
}

// Ten wrong passwords block; UpdateUserState lets in again, and blocks nobody.
func TestBlockedUsers(t *testing.T) {
	s := newTenancy(t)
	alice := s.user("alice")
	admin := s.World.Admin(t)
	testkit.Do(t, s.World, admin, ops.BlockUser, ops.BlockUserIn{User: ops.Ref{Name: "alice"}})
	_, err := alice.ListApiKeys(ctx, identity.ListApiKeysRequest{UserId: &alice.id})
	s.fails(err, 401, "NotAuthenticated")
	u, err := s.admin.GetUser(ctx, identity.GetUserRequest{UserId: &alice.id})
	s.ok(err)
	if u.LifecycleState != identity.UserLifecycleStateInactive || u.InactiveStatus == nil || *u.InactiveStatus != 4 {
		t.Errorf("%+v", u.User)
	}
	state := func(blocked bool) error {
		_, err := s.admin.UpdateUserState(ctx, identity.UpdateUserStateRequest{UserId: &alice.id, UpdateStateDetails: identity.UpdateStateDetails{Blocked: &blocked}})
		return err
	}
	s.fails(state(true), 400, "InvalidParameter")
	s.ok(state(false))
	_, err = alice.ListApiKeys(ctx, identity.ListApiKeysRequest{UserId: &alice.id})
	s.ok(err)

	// Ten wrong passwords in a row block, and no time unblocks: only an administrator.
	pw, err := s.admin.CreateOrResetUIPassword(ctx, identity.CreateOrResetUIPasswordRequest{UserId: &alice.id})
	s.ok(err)
	s.signIn(alice, "alice", *pw.Password, "")
	own := *pw.Password + "-own"
	for i := range signin.MaxFailures {
		if !s.opens("alice", own) {
			t.Fatalf("blocked after %d failures", i)
		}
		for range i + 1 { // a success begins anew
			s.opens("alice", "wrong")
		}
	}
	u, err = s.admin.GetUser(ctx, identity.GetUserRequest{UserId: &alice.id})
	s.ok(err)
	if u.LifecycleState != identity.UserLifecycleStateInactive || u.InactiveStatus == nil || *u.InactiveStatus != 4 {
		t.Errorf("%+v", u.User)
	}
	s.Clock.Advance(24 * time.Hour)
	if s.opens("alice", own) {
		t.Error("a day unblocks")
	}
	s.Clock.Advance(-24 * time.Hour)
	s.ok(state(false))
	if !s.opens("alice", own) {
		t.Error("somebody who is blocked no more is not let in")
	}
}

func TestSelfService(t *testing.T) {
	s := newTenancy(t)
	alice, bob := s.user("alice"), s.user("bob")
	_, err := alice.GetUser(ctx, identity.GetUserRequest{UserId: &alice.id})
	s.denied(err)
	token, err := alice.CreateAuthToken(ctx, identity.CreateAuthTokenRequest{UserId: &alice.id, CreateAuthTokenDetails: identity.CreateAuthTokenDetails{Description: common.String("for git")}})
	s.ok(err)
	if token.Token == nil || len(*token.Token) < 20 {
		t.Errorf("%+v", token.AuthToken)
	}
	tokens, err := alice.ListAuthTokens(ctx, identity.ListAuthTokensRequest{UserId: &alice.id})
	s.ok(err)
	if len(tokens.Items) != 1 || tokens.Items[0].Token != nil || *tokens.Items[0].Description != "for git" {
		t.Errorf("%+v", tokens.Items)
	}
	smtp, err := alice.CreateSmtpCredential(ctx, identity.CreateSmtpCredentialRequest{UserId: &alice.id, CreateSmtpCredentialDetails: identity.CreateSmtpCredentialDetails{Description: common.String("mail")}})
	s.ok(err)
	if smtp.Password == nil || smtp.Username == nil {
		t.Errorf("%+v", smtp.SmtpCredential)
	}
	secret, err := alice.CreateCustomerSecretKey(ctx, identity.CreateCustomerSecretKeyRequest{UserId: &alice.id, CreateCustomerSecretKeyDetails: identity.CreateCustomerSecretKeyDetails{DisplayName: common.String("s3")}})
	s.ok(err)
	if secret.Key == nil || *secret.DisplayName != "s3" {
		t.Errorf("%+v", secret.CustomerSecretKey)
	}
	s.As(t, *secret.Id, "") // it is an access key of the directory
	_, err = bob.CreateAuthToken(ctx, identity.CreateAuthTokenRequest{UserId: &alice.id, CreateAuthTokenDetails: identity.CreateAuthTokenDetails{Description: common.String("x")}})
	s.denied(err)
	_, err = alice.UploadApiKey(ctx, identity.UploadApiKeyRequest{UserId: &alice.id, CreateApiKeyDetails: identity.CreateApiKeyDetails{Key: common.String("nonsense")}})
	s.fails(err, 400, "InvalidParameter")
	for range 2 {
		_, err = alice.UploadApiKey(ctx, identity.UploadApiKeyRequest{UserId: &alice.id, CreateApiKeyDetails: identity.CreateApiKeyDetails{Key: common.String(publicPEM(t, &newKey(t).PublicKey))}})
		s.ok(err)
	}
	_, err = alice.UploadApiKey(ctx, identity.UploadApiKeyRequest{UserId: &alice.id, CreateApiKeyDetails: identity.CreateApiKeyDetails{Key: common.String(publicPEM(t, &newKey(t).PublicKey))}})
	s.fails(err, 409, "ApiKeyLimitExceeded")

	// A capability that is taken away ends the credential.
	no := false
	_, err = s.admin.UpdateUserCapabilities(ctx, identity.UpdateUserCapabilitiesRequest{UserId: &alice.id, UpdateUserCapabilitiesDetails: identity.UpdateUserCapabilitiesDetails{CanUseApiKeys: &no}})
	s.ok(err)
	_, err = alice.ListApiKeys(ctx, identity.ListApiKeysRequest{UserId: &alice.id})
	s.fails(err, 401, "NotAuthenticated")
	_, err = s.admin.DeleteUser(ctx, identity.DeleteUserRequest{UserId: &alice.id})
	s.ok(err)
	_, err = s.admin.GetUser(ctx, identity.GetUserRequest{UserId: &alice.id})
	s.denied(err)
}

func TestCompartmentsAndPolicies(t *testing.T) {
	s := newTenancy(t)
	dev := s.user("dev")
	s.group("Devs", dev)
	make := func(c *client, parent *string, called string) (identity.Compartment, error) {
		out, err := c.CreateCompartment(ctx, identity.CreateCompartmentRequest{CreateCompartmentDetails: identity.CreateCompartmentDetails{CompartmentId: parent, Name: &called, Description: &called}})
		return out.Compartment, err
	}
	a, err := make(s.admin, s.root, "a")
	s.ok(err)
	b, err := make(s.admin, a.Id, "b")
	s.ok(err)
	_, err = make(s.admin, a.Id, "B")
	s.fails(err, 409, "CompartmentAlreadyExists")

	statements := []string{"Allow  group\n'Default'/'Devs' to MANAGE compartments in compartment a:b "}
	p := s.policy("devs", statements...)
	if len(p.Statements) != 1 || p.Statements[0] != statements[0] {
		t.Errorf("%q became %q", statements, p.Statements)
	}
	c, err := make(dev, b.Id, "c")
	s.ok(err)
	_, err = make(dev, a.Id, "d")
	s.denied(err)
	_, err = dev.GetCompartment(ctx, identity.GetCompartmentRequest{CompartmentId: c.Id})
	s.ok(err)
	_, err = dev.GetCompartment(ctx, identity.GetCompartmentRequest{CompartmentId: a.Id})
	s.denied(err)

	// The policy means the compartment, whatever it is called, wherever it lies.
	_, err = s.admin.UpdateCompartment(ctx, identity.UpdateCompartmentRequest{CompartmentId: b.Id, UpdateCompartmentDetails: identity.UpdateCompartmentDetails{Name: common.String("renamed")}})
	s.ok(err)
	_, err = s.admin.MoveCompartment(ctx, identity.MoveCompartmentRequest{CompartmentId: b.Id, MoveCompartmentDetails: identity.MoveCompartmentDetails{TargetCompartmentId: s.root}})
	s.ok(err)
	_, err = dev.GetCompartment(ctx, identity.GetCompartmentRequest{CompartmentId: c.Id})
	s.ok(err)
	_, err = s.admin.MoveCompartment(ctx, identity.MoveCompartmentRequest{CompartmentId: b.Id, MoveCompartmentDetails: identity.MoveCompartmentDetails{TargetCompartmentId: c.Id}})
	s.fails(err, 409, "IncorrectState")

	// Deleting: only what is empty; recovered for 90 days.
	_, err = s.admin.DeleteCompartment(ctx, identity.DeleteCompartmentRequest{CompartmentId: b.Id})
	s.fails(err, 409, "IncorrectState")
	_, err = s.admin.DeleteCompartment(ctx, identity.DeleteCompartmentRequest{CompartmentId: c.Id})
	s.ok(err)
	gone, err := s.admin.GetCompartment(ctx, identity.GetCompartmentRequest{CompartmentId: c.Id})
	s.ok(err)
	if gone.LifecycleState != identity.CompartmentLifecycleStateDeleted || !strings.HasPrefix(*gone.Name, "c.") || len(*gone.Name) != 10 {
		t.Errorf("%+v", gone.Compartment)
	}
	back, err := s.admin.RecoverCompartment(ctx, identity.RecoverCompartmentRequest{CompartmentId: c.Id})
	s.ok(err)
	if back.LifecycleState != identity.CompartmentLifecycleStateActive {
		t.Errorf("%+v", back.Compartment)
	}

	// What is wrong with a statement is told.
	bad := func(statement string) error {
		_, err := s.admin.CreatePolicy(ctx, identity.CreatePolicyRequest{CreatePolicyDetails: identity.CreatePolicyDetails{
			CompartmentId: s.root, Name: common.String("bad"), Description: common.String("bad"), Statements: []string{statement},
		}})
		s.fails(err, 400, "InvalidParameter")
		return err
	}
	if err := bad("where is it"); !strings.Contains(err.Error(), "Failed to parse policy due to an issue with token: where at character: 0") {
		t.Error(err)
	}
	if err := bad("allow group README to inspect users in tenancy"); !strings.Contains(err.Error(), "does not exist under current compartment hierarchy") {
		t.Error(err)
	}
	s.fails(func() error {
		_, err := s.admin.CreatePolicy(ctx, identity.CreatePolicyRequest{CreatePolicyDetails: identity.CreatePolicyDetails{
			CompartmentId: s.root, Name: common.String("DEVS"), Description: common.String("x"), Statements: statements[:0:0],
		}})
		return err
	}(), 400, "InvalidParameter")
	_, err = s.admin.CreatePolicy(ctx, identity.CreatePolicyRequest{CreatePolicyDetails: identity.CreatePolicyDetails{
		CompartmentId: s.root, Name: common.String("DEVS"), Description: common.String("x"), Statements: []string{"allow any-user to inspect groups in tenancy"},
	}})
	s.fails(err, 409, "PolicyAlreadyExists")
}

// A deny of Oracle's language stops an operation at every door, and one of AWS's stops
// it here.
func TestDenyAtEveryDoor(t *testing.T) {
	s := newTenancy(t)
	s.group("Admins", s.admin)
	s.policy("allow", "allow group Admins to manage all-resources in tenancy")
	p := s.policy("deny", "deny group Admins to manage users in tenancy where request.operation = 'CreateUser'")
	call := s.World.Admin(t)
	testkit.Fails(t, s.World, call, ops.CreateUser, ops.CreateUserIn{Name: "carol"})
	_, err := s.admin.CreateUser(ctx, identity.CreateUserRequest{CreateUserDetails: identity.CreateUserDetails{CompartmentId: s.root, Name: common.String("carol"), Description: common.String("c")}})
	s.denied(err)
	_, err = s.admin.DeletePolicy(ctx, identity.DeletePolicyRequest{PolicyId: p.Id})
	s.ok(err)
	testkit.Do(t, s.World, call, ops.CreateUser, ops.CreateUserIn{Name: "carol"})

	// A grant of Oracle's language is one at AWS's door.
	dave := s.user("dave")
	s.group("Readers", dave)
	secret, err := dave.CreateCustomerSecretKey(ctx, identity.CreateCustomerSecretKeyRequest{UserId: &dave.id, CreateCustomerSecretKeyDetails: identity.CreateCustomerSecretKeyDetails{DisplayName: common.String("s3")}})
	s.ok(err)
	testkit.Fails(t, s.World, s.As(t, *secret.Id, ""), ops.ListUsers, ops.Listing{})
	s.policy("readers", "allow group Readers to inspect users in tenancy")
	testkit.Do(t, s.World, s.As(t, *secret.Id, ""), ops.ListUsers, ops.Listing{})
	testkit.Do(t, s.World, call, ops.PutUserPolicy, ops.PutInlineIn{
		Holder: ops.Ref{Name: "dave"}, Policy: "no", Document: `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:ListUsers","Resource":"*"}}`,
	})
	_, err = dave.ListUsers(ctx, identity.ListUsersRequest{CompartmentId: s.root})
	s.denied(err)
}

func TestETagsPagesAndRetries(t *testing.T) {
	s := newTenancy(t)
	g, err := s.admin.CreateGroup(ctx, identity.CreateGroupRequest{CreateGroupDetails: identity.CreateGroupDetails{CompartmentId: s.root, Name: common.String("g"), Description: common.String("one")}})
	s.ok(err)
	update := func(etag *string, text string) (identity.UpdateGroupResponse, error) {
		return s.admin.UpdateGroup(ctx, identity.UpdateGroupRequest{GroupId: g.Id, IfMatch: etag, UpdateGroupDetails: identity.UpdateGroupDetails{Description: &text}})
	}
	two, err := update(g.Etag, "two")
	s.ok(err)
	_, err = update(g.Etag, "three")
	s.fails(err, 412, "NoEtagMatch")
	_, err = update(two.Etag, "three")
	s.ok(err)

	// Pages.
	for _, called := range []string{"h", "i", "j", "k"} {
		s.group(called)
	}
	var names []string
	for page := (*string)(nil); ; {
		out, err := s.admin.ListGroups(ctx, identity.ListGroupsRequest{CompartmentId: s.root, Limit: common.Int(2), Page: page})
		s.ok(err)
		for _, g := range out.Items {
			names = append(names, *g.Name)
		}
		if page = out.OpcNextPage; page == nil {
			break
		}
	}
	if strings.Join(names, "") != "ghijk" {
		t.Error(names)
	}

	// The same token and the same request: the same answer, once made.
	token, called := "token-1", "once"
	create := func(called string) (identity.CreateUserResponse, error) {
		return s.admin.CreateUser(ctx, identity.CreateUserRequest{OpcRetryToken: &token, CreateUserDetails: identity.CreateUserDetails{CompartmentId: s.root, Name: &called, Description: &called}})
	}
	first, err := create(called)
	s.ok(err)
	second, err := create(called)
	s.ok(err)
	if *first.Id != *second.Id || *first.Etag != *second.Etag {
		t.Errorf("%+v and %+v", first, second)
	}
	_, err = create("other")
	s.fails(err, 409, "InvalidatedRetryToken")
	u, err := s.admin.CreateOrResetUIPassword(ctx, identity.CreateOrResetUIPasswordRequest{UserId: first.Id, OpcRetryToken: &token})
	s.ok(err)
	v, err := s.admin.CreateOrResetUIPassword(ctx, identity.CreateOrResetUIPasswordRequest{UserId: first.Id, OpcRetryToken: &token})
	s.ok(err)
	if *u.Password != *v.Password {
		t.Error("a request that is sent again makes another password")
	}
	s.Clock.Advance(ops.OracleRetryLife)
	defer s.Clock.Advance(-ops.OracleRetryLife)
}

// What is tampered with on its way, or comes too late, is refused alike.
func TestTamperedRequests(t *testing.T) {
	s := newTenancy(t)
	send := func(change func(*http.Request)) int {
		t.Helper()
		body := []byte(`{"compartmentId":"` + *s.root + `","name":"x","description":"x"}`)
		req, err := http.NewRequest("POST", s.url+"/20160918/groups", bytes.NewReader(body))
		s.ok(err)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
		s.ok(common.DefaultRequestSigner(s.admin.cfg).Sign(req))
		change(req)
		res, err := http.DefaultClient.Do(req)
		s.ok(err)
		defer res.Body.Close()
		text, _ := io.ReadAll(res.Body)
		if res.StatusCode == 401 && !bytes.Contains(text, []byte(`"NotAuthenticated"`)) {
			t.Errorf("%s", text)
		}
		if res.Header.Get("Opc-Request-Id") == "" || res.Header.Get("Date") == "" {
			t.Errorf("%v", res.Header)
		}
		return res.StatusCode
	}
	for what, change := range map[string]func(*http.Request){
		"path":         func(r *http.Request) { r.URL.Path = "/20160918/users" },
		"query":        func(r *http.Request) { r.URL.RawQuery = "a=b" },
		"host":         func(r *http.Request) { r.Host = "elsewhere" },
		"date":         func(r *http.Request) { r.Header.Set("Date", time.Now().Add(time.Second).UTC().Format(http.TimeFormat)) },
		"x-date":       func(r *http.Request) { r.Header.Set("X-Date", time.Now().UTC().Format(http.TimeFormat)) },
		"content type": func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") },
		"method":       func(r *http.Request) { r.Method = "PUT" },
		"body": func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(strings.Repeat(" ", int(r.ContentLength))))
		},
		"key": func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "oc1..a", "oc1..b", 1))
		},
		"no signature": func(r *http.Request) { r.Header.Del("Authorization") },
	} {
		if got := send(change); got != 401 {
			t.Errorf("%s: %d", what, got)
		}
	}
	if got := send(func(*http.Request) {}); got != 200 {
		t.Errorf("untouched: %d", got)
	}
	for _, skew := range []time.Duration{6 * time.Minute, -6 * time.Minute} {
		s.Clock.Advance(skew)
		if got := send(func(*http.Request) {}); got != 401 {
			t.Errorf("%s late: %d", skew, got)
		}
		s.Clock.Advance(-skew)
	}
	res, err := http.Head(s.url + "/20160918/users")
	s.ok(err)
	if res.Header.Get("Date") == "" {
		t.Error("HEAD has no date")
	}
}

// Sessions end, and a refresh keeps what was proved.
func TestSessions(t *testing.T) {
	s := newTenancy(t)
	minted := s.mint(s.admin)
	_, err := minted.ListRegions(ctx)
	s.ok(err)
	_, err = minted.ListUsers(ctx, identity.ListUsersRequest{CompartmentId: s.root})
	s.ok(err)
	s.Clock.Advance(5*time.Minute - 10*time.Second)
	_, err = minted.ListRegions(ctx)
	s.ok(err)
	s.Clock.Advance(11 * time.Second)
	_, err = minted.ListRegions(ctx)
	s.fails(err, 401, "NotAuthenticated")
}

// The rest of the settings: what clients ask when they begin.
func TestSettings(t *testing.T) {
	s := newTenancy(t)
	tenancy, err := s.admin.GetTenancy(ctx, identity.GetTenancyRequest{TenancyId: s.root})
	s.ok(err)
	if *tenancy.Name != "acme" || *tenancy.Id != *s.root {
		t.Errorf("%+v", tenancy.Tenancy)
	}
	subs, err := s.admin.ListRegionSubscriptions(ctx, identity.ListRegionSubscriptionsRequest{TenancyId: s.root})
	s.ok(err)
	if len(subs.Items) != 1 || !*subs.Items[0].IsHomeRegion {
		t.Errorf("%+v", subs.Items)
	}
	before, err := s.admin.GetAuthenticationPolicy(ctx, identity.GetAuthenticationPolicyRequest{CompartmentId: s.root})
	s.ok(err)
	length := *before.PasswordPolicy.MinimumPasswordLength + 4
	after, err := s.admin.UpdateAuthenticationPolicy(ctx, identity.UpdateAuthenticationPolicyRequest{CompartmentId: s.root, IfMatch: before.Etag, UpdateAuthenticationPolicyDetails: identity.UpdateAuthenticationPolicyDetails{
		PasswordPolicy: &identity.PasswordPolicy{MinimumPasswordLength: &length},
	}})
	s.ok(err)
	if *after.PasswordPolicy.MinimumPasswordLength != length {
		t.Errorf("%+v", after.PasswordPolicy)
	}
	dg, err := s.admin.CreateDynamicGroup(ctx, identity.CreateDynamicGroupRequest{CreateDynamicGroupDetails: identity.CreateDynamicGroupDetails{
		CompartmentId: s.root, Name: common.String("dg"), Description: common.String("d"), MatchingRule: common.String("any {instance.id = 'x'}"),
	}})
	s.ok(err)
	s.policy("dg", "allow dynamic-group dg to read users in tenancy")
	_, err = s.admin.UpdateDynamicGroup(ctx, identity.UpdateDynamicGroupRequest{DynamicGroupId: dg.Id, UpdateDynamicGroupDetails: identity.UpdateDynamicGroupDetails{MatchingRule: common.String("nonsense")}})
	s.fails(err, 400, "InvalidParameter")
	alice := s.user("alice")
	s.group("Office", alice)
	_, err = s.admin.CreateNetworkSource(ctx, identity.CreateNetworkSourceRequest{CreateNetworkSourceDetails: identity.CreateNetworkSourceDetails{
		CompartmentId: s.root, Name: common.String("corpnet"), Description: common.String("d"), PublicSourceList: []string{"192.0.2.0/24"},
	}})
	s.ok(err)
	s.policy("office", "allow group Office to inspect groups in tenancy where request.networkSource.name = 'corpnet'")
	_, err = alice.ListGroups(ctx, identity.ListGroupsRequest{CompartmentId: s.root})
	s.ok(err)
	_, err = s.admin.ListDomains(ctx, identity.ListDomainsRequest{CompartmentId: s.root})
	s.fails(err, 501, "MethodNotImplemented")
}
