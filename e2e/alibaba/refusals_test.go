package alibaba

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	ims "github.com/alibabacloud-go/ims-20190815/v4/client"
	ramv2 "github.com/alibabacloud-go/ram-20150501/v2/client"
	stsv2 "github.com/alibabacloud-go/sts-20150401/v2/client"
)

// wire stands between an SDK and the server and keeps the last request as it was sent.
type wire struct {
	*httptest.Server
	to   string
	last *http.Request
	body []byte
}

func (s *server) wire(t *testing.T) *wire {
	t.Helper()
	w := &wire{to: "http://" + s.host}
	proxy := httputil.NewSingleHostReverseProxy(ok[*url.URL](t)(url.Parse(w.to)))
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.body, _ = io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(w.body))
		w.last = r.Clone(r.Context())
		proxy.ServeHTTP(rw, r)
	}))
	t.Cleanup(w.Close)
	return w
}

// again sends the last request once more, changed, and answers status and code.
func (w *wire) again(t *testing.T, change func(r *http.Request)) (int, string) {
	t.Helper()
	r := ok[*http.Request](t)(http.NewRequest(w.last.Method, w.to+w.last.URL.RequestURI(), bytes.NewReader(w.body)))
	r.Header, r.Host = w.last.Header.Clone(), w.last.Host
	change(r)
	answer := ok[*http.Response](t)(http.DefaultClient.Do(r))
	defer answer.Body.Close()
	var doc struct{ Code string }
	if err := json.NewDecoder(answer.Body).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, doc.Code
}

// What SDKs have signed, with either signature, cannot be sent again, changed, or sent
// late; nor do other secrets and keys that are turned off sign.
func TestRefusalsOnTheWire(t *testing.T) {
	s := start(t)
	w := s.wire(t)
	through := func(id, secret string) *openapi.Config {
		c := s.config(id, secret, "")
		c.Endpoint = text(strings.TrimPrefix(w.URL, "http://"))
		return c
	}
	r := ok[*ramv2.Client](t)(ramv2.NewClient(s.config(s.AccessKeyID, s.SecretAccessKey, "")))
	ok[*ramv2.CreateUserResponse](t)(r.CreateUser(&ramv2.CreateUserRequest{UserName: text("alice")}))
	k := ok[*ramv2.CreateAccessKeyResponse](t)(r.CreateAccessKey(&ramv2.CreateAccessKeyRequest{UserName: text("alice")})).Body.AccessKey
	query := func(key, value string) func(*http.Request) {
		return func(r *http.Request) {
			q := r.URL.Query()
			q.Set(key, value)
			r.URL.RawQuery = q.Encode()
		}
	}
	late := time.Now().Add(-16 * time.Minute).UTC().Format("2006-01-02T15:04:05Z")
	for signature, c := range map[string]struct {
		ask  func(id, secret string) error
		late func(*http.Request)
	}{
		"ACS3": {func(id, secret string) error {
			_, err := ok[*ims.Client](t)(ims.NewClient(through(id, secret))).GetSecurityPreference()
			return err
		}, func(r *http.Request) { r.Header.Set("X-Acs-Date", late) }},
		"RPC 1.0": {func(id, secret string) error {
			_, err := ok[*stsv2.Client](t)(stsv2.NewClient(through(id, secret))).GetCallerIdentity()
			return err
		}, query("Timestamp", late)},
	} {
		if err := c.ask(s.AccessKeyID, s.SecretAccessKey); err != nil {
			t.Fatal(err)
		}
		if acs3 := w.last.Header.Get("Authorization") != ""; acs3 != (signature == "ACS3") {
			t.Errorf("%s: signed with another signature", signature)
		}
		for what, try := range map[string]struct {
			change func(*http.Request)
			code   string
		}{
			"sent again":             {func(*http.Request) {}, "SignatureNonceUsed"},
			"a parameter is added":   {query("UserName", "admin"), "SignatureDoesNotMatch"},
			"sent by another method": {func(r *http.Request) { r.Method = "GET" }, "SignatureDoesNotMatch"},
			"sent late":              {c.late, "InvalidTimeStamp.Expired"},
		} {
			if status, code := w.again(t, try.change); status != 400 || code != try.code {
				t.Errorf("%s, %s: %d %s", signature, what, status, code)
			}
		}
		if code, status := refused(c.ask(s.AccessKeyID, s.SecretAccessKey+"x")); code != "SignatureDoesNotMatch" || status != 400 {
			t.Errorf("%s, another secret: %s %d", signature, code, status)
		}
		turn := func(to string) {
			ok[*ramv2.UpdateAccessKeyResponse](t)(r.UpdateAccessKey(&ramv2.UpdateAccessKeyRequest{UserName: text("alice"), UserAccessKeyId: k.AccessKeyId, Status: text(to)}))
		}
		turn("Inactive")
		if code, status := refused(c.ask(value(k.AccessKeyId), value(k.AccessKeySecret))); code != "InvalidAccessKeyId.NotFound" || status != 404 {
			t.Errorf("%s, a key that is turned off: %s %d", signature, code, status)
		}
		turn("Active")
	}
	s.preferences(t)
}

// preferences sends every parameter there and back, and values that are not good.
func (s *server) preferences(t *testing.T) {
	t.Helper()
	i := ok[*ims.Client](t)(ims.NewClient(s.config(s.AccessKeyID, s.SecretAccessKey, "")))
	no := func() *bool { b := false; return &b }
	good := ims.SetSecurityPreferenceRequest{
		EnableSaveMFATicket: yes(), AllowUserToChangePassword: no(), AllowUserToManageAccessKeys: yes(), AllowUserToManageMFADevices: no(),
		AllowUserToLoginWithPasskey: no(), AllowUserToManagePersonalDingTalk: no(), LoginSessionDuration: number(12), LoginNetworkMasks: text("10.0.0.0/8;127.0.0.1"),
		VerificationTypes: []*string{text("email")}, MFAOperationForLogin: text("adaptive"), OperationForRiskLogin: text("enforceVerify"),
		MaxIdleDaysForUsers: number(90), MaxIdleDaysForAccessKeys: number(365),
	}
	ok[*ims.SetSecurityPreferenceResponse](t)(i.SetSecurityPreference(&good))
	p := ok[*ims.GetSecurityPreferenceResponse](t)(i.GetSecurityPreference()).Body.SecurityPreference
	l := p.LoginProfilePreference
	if !*l.EnableSaveMFATicket || *l.AllowUserToChangePassword || !*p.AccessKeyPreference.AllowUserToManageAccessKeys || *p.MFAPreference.AllowUserToManageMFADevices ||
		*l.AllowUserToLoginWithPasskey || *p.PersonalInfoPreference.AllowUserToManagePersonalDingTalk || *l.LoginSessionDuration != 12 || *l.LoginNetworkMasks != "10.0.0.0/8;127.0.0.1" ||
		len(p.VerificationPreference.VerificationTypes) != 1 || *l.MFAOperationForLogin != "adaptive" || *l.OperationForRiskLogin != "enforceVerify" ||
		*p.MaxIdleDays.MaxIdleDaysForUsers != 90 || *p.MaxIdleDays.MaxIdleDaysForAccessKeys != 365 {
		t.Errorf("%v", p)
	}
	for param, bad := range map[string]*ims.SetSecurityPreferenceRequest{
		"LoginSessionDuration": {LoginSessionDuration: number(25)}, "LoginNetworkMasks": {LoginNetworkMasks: text("everywhere")},
		"VerificationTypes": {VerificationTypes: []*string{text("pigeon")}}, "MFAOperationForLogin": {MFAOperationForLogin: text("sometimes")},
		"OperationForRiskLogin": {OperationForRiskLogin: text("pray")}, "MaxIdleDaysForUsers": {MaxIdleDaysForUsers: number(91)},
		"MaxIdleDaysForAccessKeys": {MaxIdleDaysForAccessKeys: number(1)},
	} {
		_, err := i.SetSecurityPreference(bad)
		if c, status := refused(err); c != "InvalidParameter."+param || status != 400 {
			t.Errorf("%s: %s %d", param, c, status)
		}
	}
	// Left out, two are reset and the others stay.
	ok[*ims.SetSecurityPreferenceResponse](t)(i.SetSecurityPreference(&ims.SetSecurityPreferenceRequest{MaxIdleDaysForUsers: number(180)}))
	p = ok[*ims.GetSecurityPreferenceResponse](t)(i.GetSecurityPreference()).Body.SecurityPreference
	if l := p.LoginProfilePreference; *l.LoginSessionDuration != 6 || *l.LoginNetworkMasks != "" || *l.MFAOperationForLogin != "adaptive" || *p.MaxIdleDays.MaxIdleDaysForUsers != 180 {
		t.Errorf("%v", p)
	}
}
