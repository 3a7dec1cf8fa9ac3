package alibaba

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"testing"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	ims "github.com/alibabacloud-go/ims-20190815/v4/client"
	ramv2 "github.com/alibabacloud-go/ram-20150501/v2/client"
)

// browser is a person's browser at the console: cookies, and forms sent as they were
// shown.
type browser struct {
	*testing.T
	*http.Client
	base string
	page string // what it shows
	at   string // path of it
}

func (s *server) browser(t *testing.T) *browser {
	t.Helper()
	return &browser{T: t, Client: &http.Client{Jar: ok[*cookiejar.Jar](t)(cookiejar.New(nil))}, base: "http://" + s.host}
}

func (b *browser) show(r *http.Response, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
	defer r.Body.Close()
	b.page, b.at = string(ok[[]byte](b.T)(io.ReadAll(r.Body))), r.Request.URL.Path
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)

// fill sends a form of the page, with what the page put into it.
func (b *browser) fill(action string, fields ...string) {
	b.Helper()
	form := url.Values{}
	for _, field := range hidden.FindAllStringSubmatch(b.page, -1) {
		form.Set(field[1], html.UnescapeString(field[2]))
	}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	r := ok[*http.Request](b.T)(http.NewRequest("POST", b.base+action, bytes.NewReader([]byte(form.Encode()))))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	b.show(b.Do(r))
}

// says is one request of `aliyun configure --mode CloudSSO`.
func (s *server) says(t *testing.T, method, path, token string, body map[string]string) map[string]any {
	t.Helper()
	r := ok[*http.Request](t)(http.NewRequest(method, "http://"+s.host+path, bytes.NewReader(ok[[]byte](t)(json.Marshal(body)))))
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer := ok[*http.Response](t)(http.DefaultClient.Do(r))
	defer answer.Body.Close()
	var doc map[string]any
	if err := json.NewDecoder(answer.Body).Decode(&doc); err != nil {
		t.Fatalf("%s: %d: %v", path, answer.StatusCode, err)
	}
	return doc
}

// commandLine signs the command line in while user is at the browser with a password
// and, unless it is "", a code; and answers a configuration with the credentials it got.
func (s *server) commandLine(t *testing.T, user, password, code string) *openapi.Config {
	t.Helper()
	const client, verifier = "app-vaz16tltdxs96audqf35", "0123456789abcdef0123456789abcdef0123456789abcdef"
	sum := sha256.Sum256([]byte(verifier))
	began := s.says(t, "POST", "/device-authorization", "", map[string]string{
		"PortalUrl": "http://" + s.host + "/start", "ClientId": client, "CodeChallenge": base64.RawURLEncoding.EncodeToString(sum[:]), "CodeChallengeMethod": "S256",
	})
	b := s.browser(t)
	b.show(b.Get(b.base + "/signin/" + s.AccountID))
	b.fill("/signin", "account", s.AccountID, "user", user, "password", password)
	if code != "" {
		if b.at != "/signin/code" {
			t.Fatalf("after the password the browser is at %s", b.at)
		}
		b.fill("/signin/code", "code", code)
	}
	if b.at != "/console" {
		t.Fatalf("the sign-in ends at %s", b.at)
	}
	b.show(b.Get(began["VerificationUriComplete"].(string)))
	b.show(b.Get(b.base + "/device/confirm?user_code=" + began["UserCode"].(string)))
	b.fill("/device/confirm", "answer", "approve")
	token, _ := s.says(t, "POST", "/token", "", map[string]string{
		"ClientId": client, "DeviceCode": began["DeviceCode"].(string), "CodeVerifier": verifier, "GrantType": "urn:ietf:params:oauth:grant-type:device_code",
	})["AccessToken"].(string)
	c, _ := s.says(t, "POST", "/cloud-credentials", token, map[string]string{"AccountId": s.uid, "AccessConfigurationId": "ac-own-permissions"})["CloudCredential"].(map[string]any)
	if c == nil {
		t.Fatalf("no credentials; the browser is at %s", b.at)
	}
	return s.config(c["AccessKeyId"].(string), c["AccessKeySecret"].(string), c["SecurityToken"].(string))
}

// What the command line's sign-in knows of a second factor decides under statements
// with acs:MFAPresent: met after a code, not met after a password alone, and unknown
// of an access key.
func TestMFAPresentByCommandLine(t *testing.T) {
	s := start(t)
	r := ok[*ramv2.Client](t)(ramv2.NewClient(s.config(s.AccessKeyID, s.SecretAccessKey, "")))
	i := ok[*ims.Client](t)(ims.NewClient(s.config(s.AccessKeyID, s.SecretAccessKey, "")))
	const password = "correct horse battery"
	ok[*ramv2.CreateUserResponse](t)(r.CreateUser(&ramv2.CreateUserRequest{UserName: text("alice")}))
	ok[*ims.CreateLoginProfileResponse](t)(i.CreateLoginProfile(&ims.CreateLoginProfileRequest{UserPrincipalName: text(aliceUPN), Password: text(password)}))
	ok[*ramv2.CreatePolicyResponse](t)(r.CreatePolicy(&ramv2.CreatePolicyRequest{PolicyName: text("mfa"), PolicyDocument: text(`{"Version":"1","Statement":[
		{"Effect":"Allow","Action":["actiontrail:LookupEvents","ram:ListUsers"],"Resource":"*","Condition":{"Bool":{"acs:MFAPresent":"true"}}},
		{"Effect":"Allow","Action":"resourcemanager:ListResourceGroups","Resource":"*"},
		{"Effect":"Deny","Action":"resourcemanager:ListResourceGroups","Resource":"*","Condition":{"Bool":{"acs:MFAPresent":"false"}}}]}`)}))
	ok[*ramv2.AttachPolicyToUserResponse](t)(r.AttachPolicyToUser(&ramv2.AttachPolicyToUserRequest{UserName: text("alice"), PolicyName: text("mfa"), PolicyType: text("Custom")}))

	// As whom: what LookupEvents, ListUsers and ListResourceGroups answer.
	judged := func(who string, as *openapi.Config, want ...string) {
		t.Helper()
		for i, ask := range [][2]string{{"2020-07-06", "LookupEvents"}, {"2015-05-01", "ListUsers"}, {"2020-03-31", "ListResourceGroups"}} {
			if got := asks(t, as, ask[0], ask[1]); got != want[i] {
				t.Errorf("%s: %s answers %q, want %q", who, ask[1], got, want[i])
			}
		}
	}
	judged("after a password alone", s.commandLine(t, "alice", password, ""), "NoPermission", "NoPermission", "NoPermission")
	k := ok[*ims.CreateAccessKeyResponse](t)(i.CreateAccessKey(&ims.CreateAccessKeyRequest{UserPrincipalName: text(aliceUPN)})).Body.AccessKey
	judged("with an access key", s.config(value(k.AccessKeyId), value(k.AccessKeySecret), ""), "NoPermission", "NoPermission", "")

	phone := ok[*ims.CreateVirtualMFADeviceResponse](t)(i.CreateVirtualMFADevice(&ims.CreateVirtualMFADeviceRequest{VirtualMFADeviceName: text("alice")})).Body.VirtualMFADevice
	seed := value(phone.Base32StringSeed)
	ok[*ims.BindMFADeviceResponse](t)(i.BindMFADevice(&ims.BindMFADeviceRequest{
		UserPrincipalName: text(aliceUPN), SerialNumber: phone.SerialNumber, AuthenticationCode1: text(code(t, seed, -1)), AuthenticationCode2: text(code(t, seed, 0)),
	}))
	judged("after a password and a code", s.commandLine(t, "alice", password, code(t, seed, 1)), "", "", "")
}
