package gateway_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"warifu/internal/gateway"
	"warifu/internal/gateway/acstable"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/reqsig/acs"
	"warifu/internal/reqsig/sigv4"
	"warifu/internal/testkit"
)

const acsOwner = "1000123456789012"

// acsService is a service of Alibaba Cloud's kind in front of an upstream.
func acsService(t testing.TB, code string, up http.Handler) gateway.Service {
	return gateway.Service{Name: code, Protocol: gateway.ACS, Region: "cn-hangzhou", Upstream: upstream(t, up)}
}

// ramUser makes a user with a policy of the RAM language.
func (s *stage) ramUser(called, document string) sigv4.Credentials {
	s.Helper()
	key := s.user(called, "")
	s.attachRAM(called, called+"-policy", document)
	return key
}

func (s *stage) attachRAM(user, policy, document string) {
	s.Helper()
	admin := s.world.Admin(s)
	admin.Source.Language = iam.LanguageRAM
	made := testkit.Do(s, s.world, admin, ops.CreatePolicy, ops.CreatePolicyIn{Name: policy, Document: document})
	testkit.Do(s, s.world, admin, ops.AttachUserPolicy, ops.AttachIn{Holder: ops.Ref{Name: user}, Policy: made.ARN()})
}

var nonces int

// acs sends an RPC request; what stands before a "|" goes into the query, the rest
// into the form.
func (s *stage) acs(key sigv4.Credentials, version, params string, headers ...string) answer {
	s.Helper()
	return s.send(s.acsRequest(key, version, params, headers...))
}

func (s *stage) acsRequest(key sigv4.Credentials, version, params string, headers ...string) *http.Request {
	s.Helper()
	query, form, _ := strings.Cut(params, "|")
	query += "&Version=" + version
	if !strings.Contains(query, "Format=") {
		query += "&Format=JSON"
	}
	if key.Token != "" {
		query += "&SecurityToken=" + url.QueryEscape(key.Token)
	}
	all, err := acs.ParseParams(query, form)
	if err != nil {
		s.Fatal(err)
	}
	nonces++
	signed := acs.Credentials{AccessKeyID: key.AccessKeyID, Secret: key.Secret}.Sign("POST", all, "n"+strconv.Itoa(nonces), s.world.Clock.Now())
	inForm, _ := url.ParseQuery(form)
	signed = slices.DeleteFunc(signed, func(p acs.Param) bool { return inForm.Has(p.Key) })
	r := httptest.NewRequest("POST", s.url+"/?"+signed.Encode(), strings.NewReader(form))
	r.RequestURI = ""
	if form != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header[name] = append(r.Header[name], value)
	}
	return r
}

// code is the error code of an answer.
func (a answer) code() string {
	var doc struct{ Code string }
	_ = json.Unmarshal([]byte(a.body), &doc)
	return doc.Code
}

const ramPolicy = `{"Version":"1","Statement":[
	{"Effect":"Allow","Action":["ecs:Describe*","ecs:StopInstance","ecs:StopInstances"],"Resource":"acs:ecs:cn-hangzhou:*:instance/*"},
	{"Effect":"Deny","Action":"ecs:*","Resource":"acs:ecs:*:*:instance/i-locked"}]}`

func TestACSPassesWhatPolicyAllows(t *testing.T) {
	up := &recorder{respond: func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"RequestId":"R"}`)) }}
	s := newStage(t, acsService(t, "ecs", up))
	key := s.ramUser("alice", ramPolicy)

	got := s.acs(key, "2014-05-26", "Action=StopInstance&InstanceId=i-1&RegionId=cn-hangzhou")
	if got.status != 200 || got.body != `{"RequestId":"R"}` {
		t.Fatalf("%d %s", got.status, got.body)
	}
	r, _ := up.last(t)
	q := r.URL.Query()
	if q.Get("Action") != "StopInstance" || q.Get("InstanceId") != "i-1" || q.Get("Version") != "2014-05-26" {
		t.Errorf("the upstream was asked %s", r.URL.RawQuery)
	}
	for _, p := range []string{"Signature", "AccessKeyId", "SignatureNonce", "Timestamp", "SecurityToken"} {
		if q.Has(p) {
			t.Errorf("the client's %s went on", p)
		}
	}
	for h, want := range map[string]string{
		gateway.HeaderAction: "ecs:StopInstance", gateway.HeaderCaller: "arn:aws:iam::123456789012:user/alice", gateway.HeaderMFA: "false",
		"X-Acs-Action": "StopInstance", "X-Acs-Version": "2014-05-26",
	} {
		if r.Header.Get(h) != want {
			t.Errorf("%s = %q, want %q", h, r.Header.Get(h), want)
		}
	}
	if e := s.events(); len(e) != 1 || e[0] != "StopInstance acs-ecs:StopInstance allowed alice" {
		t.Errorf("events %q", e)
	}

	// Parameters in a form, with the signature in the query, and all of it signed.
	got = s.acs(key, "2014-05-26", "Action=StopInstance|InstanceId=i-2")
	if r, body := up.last(t); got.status != 200 || body != "InstanceId=i-2" || r.URL.Query().Has("InstanceId") {
		t.Errorf("%d %s: the upstream read %q", got.status, got.body, body)
	}
}

func TestACSRefusals(t *testing.T) {
	up := &recorder{}
	s := newStage(t, acsService(t, "ecs", up))
	key := s.ramUser("alice", ramPolicy)
	for _, c := range []struct {
		what, params, code string
		status             int
	}{
		{"a denied instance", "Action=StopInstance&InstanceId=i-locked", "Forbidden.RAM", 403},
		{"an instance denied among others, as JSON", `Action=StopInstances&InstanceId=["i-1","i-locked"]`, "Forbidden.RAM", 403},
		{"another operation", "Action=DeleteInstance&InstanceId=i-1", "Forbidden.RAM", 403},
		{"unknown operation", "Action=Explode", "InvalidAction.NotFound", 404},
		{"another spelling", "Action=stopinstance&InstanceId=i-1", "InvalidAction.NotFound", 404},
		{"no target", "Action=StopInstance", "InvalidParameter", 400},
		{"no target but an empty one", "Action=StopInstance&InstanceId=", "InvalidParameter", 400},
		{"a wildcard", "Action=StopInstance&InstanceId=i-*", "InvalidParameter", 400},
		{"white space", "Action=StopInstance&InstanceId=%20i-locked", "InvalidParameter", 400},
		{"another case", "Action=StopInstance&InstanceId=i-1&instanceId=i-locked", "InvalidParameter", 400},
		{"broken structure", `Action=StopInstances&InstanceId={"a":"i-1","a":"i-2"}`, "InvalidParameter", 400},
		{"another region", "Action=StopInstance&InstanceId=i-1&RegionId=cn-beijing", "InvalidParameter", 400},
		{"instances chosen by tag", "Action=RunCommand&InstanceId.1=i-1&ResourceTag.1.Key=a", "InvalidParameter", 400},
		{"an item of an item", "Action=StopInstances&InstanceId.1=i-1&InstanceId.1.1=i-locked", "InvalidParameter", 400},
		{"a position that is none", "Action=StopInstances&InstanceId.1=i-1&InstanceId.99999=i-locked", "InvalidParameter", 400},
		{"a list in a list", `Action=StopInstances&InstanceId=["i-1",["i-locked"]]`, "InvalidParameter", 400},
		{"white space around a user", "Action=RunCommand&InstanceId.1=i-1&Username=root%20", "InvalidParameter", 400},
		{"a template by name", "Action=RunInstances&LaunchTemplateName=web", "InvalidParameter", 400},
	} {
		params := strings.NewReplacer(`[`, "%5B", `]`, "%5D", `"`, "%22", `{`, "%7B", `}`, "%7D").Replace(c.params)
		if got := s.acs(key, "2014-05-26", params); got.status != c.status || got.code() != c.code {
			t.Errorf("%s: %d %s", c.what, got.status, got.body)
		}
	}
	if n := up.count(); n != 0 {
		t.Errorf("%d requests have reached the upstream", n)
	}
	denied := s.acs(key, "2014-05-26", "Action=StopInstance&InstanceId=i-locked")
	for _, want := range []string{`"AuthAction":"ecs:StopInstance"`, `"NoPermissionType":"ExplicitDeny"`, `"AuthPrincipalOwnerId":"` + acsOwner + `"`} {
		if !strings.Contains(denied.body, want) {
			t.Errorf("%s is missing in %s", want, denied.body)
		}
	}
	asXML := s.acs(key, "2014-05-26", "Action=StopInstance&InstanceId=i-locked&Format=XML")
	if asXML.status != 403 || !strings.Contains(asXML.body, "<Error><RequestId>") || !strings.Contains(asXML.body, "<Code>Forbidden.RAM</Code>") {
		t.Errorf("as XML: %s", asXML.body)
	}
}

// A parameter that is not judged does not go on, and a form in another encoding, in
// which the upstream would find other parameters, is none.
func TestACSUpstreamReadsWhatWasJudged(t *testing.T) {
	up := &recorder{}
	s := newStage(t, acsService(t, "ecs", up))
	key := s.ramUser("alice", ramPolicy)
	if got := s.acs(key, "2014-05-26", "Action=StopInstance&InstanceId=i-1&Tag=null"); got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if r, _ := up.last(t); r.URL.Query().Has("Tag") {
		t.Errorf("the upstream was asked %s", r.URL.RawQuery)
	}
	for charset, code := range map[string]string{"utf-8": "", "UTF-8": "", "IBM500": "InvalidParameter", "utf-16": "InvalidParameter"} {
		r := s.acsRequest(key, "2014-05-26", "Action=StopInstance|InstanceId=i-1")
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset="+charset)
		if got := s.send(r); got.code() != code {
			t.Errorf("%s: %d %s", charset, got.status, got.body)
		}
	}
	// The groups of a network interface of an instance are judged, too.
	s.attachRAM("alice", "runs", `{"Version":"1","Statement":[{"Effect":"Allow","Action":"ecs:RunInstances","Resource":"*"},
		{"Effect":"Deny","Action":"ecs:*","Resource":"acs:ecs:*:*:securitygroup/sg-locked"}]}`)
	for group, status := range map[string]int{"sg-1": 200, "sg-locked": 403} {
		if got := s.acs(key, "2014-05-26", "Action=RunInstances&NetworkInterface.1.SecurityGroupIds.1="+group); got.status != status {
			t.Errorf("%s: %d %s", group, got.status, got.body)
		}
	}
}

// A copy of a request, one with another secret, one that was changed, and an old one.
func TestACSSignatures(t *testing.T) {
	up := &recorder{}
	s := newStage(t, acsService(t, "ecs", up))
	key := s.ramUser("alice", ramPolicy)
	r := s.acsRequest(key, "2014-05-26", "Action=StopInstance&InstanceId=i-1")
	if got := s.send(r); got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if got := s.send(r.Clone(t.Context())); got.code() != "SignatureNonceUsed" {
		t.Errorf("a copy: %s", got.body)
	}
	wrong := key
	wrong.Secret += "x"
	if got := s.acs(wrong, "2014-05-26", "Action=StopInstance&InstanceId=i-1"); got.code() != "SignatureDoesNotMatch" {
		t.Errorf("another secret: %s", got.body)
	}
	r = s.acsRequest(key, "2014-05-26", "Action=StopInstance&InstanceId=i-1")
	r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "i-1", "i-2", 1)
	if got := s.send(r); got.code() != "SignatureDoesNotMatch" {
		t.Errorf("a changed one: %s", got.body)
	}
	r = s.acsRequest(key, "2014-05-26", "Action=StopInstance&InstanceId=i-1")
	s.world.Clock.Advance(16 * time.Minute)
	if got := s.send(r); got.code() != "InvalidTimeStamp.Expired" {
		t.Errorf("an old one: %s", got.body)
	}
	if n := up.count(); n != 1 {
		t.Errorf("%d requests have reached the upstream", n)
	}
}

// An upstream that wants a signature gets one that it can verify, over the form too.
func TestACSSignsForTheUpstream(t *testing.T) {
	const secret = "upstream-secret"
	var failed error
	up := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.RawQuery
		if err := r.ParseForm(); err != nil {
			failed = err
		}
		p, err := acs.ParseParams(query, r.PostForm.Encode())
		if err == nil {
			req := &acs.Request{Method: r.Method, Host: r.Host, Path: "/", Query: query, Header: r.Header, BodyHash: acs.EmptyBody}
			var sig acs.Signature
			if sig, err = acs.Parse(req, p); err == nil {
				err = sig.Verify(req, p, []byte(secret))
			}
			if err == nil && sig.AccessKeyID != "upstream" {
				t.Errorf("signed by %s", sig.AccessKeyID)
			}
		}
		failed = err
	})
	service := acsService(t, "ecs", up)
	service.Key = &sigv4.Credentials{AccessKeyID: "upstream", Secret: secret}
	s := newStage(t, service)
	key := s.ramUser("alice", ramPolicy)
	if got := s.acs(key, "2014-05-26", "Action=StopInstance|InstanceId=i-1"); got.status != 200 || failed != nil {
		t.Errorf("%d %s: %v", got.status, got.body, failed)
	}
}

// A deny in AWS's language stops what the RAM language allows, and the other way
// round: an administrator of AWS's language is stopped by a deny in RAM's.
func TestACSIsJudgedInBothLanguages(t *testing.T) {
	up := &recorder{}
	s := newStage(t, acsService(t, "ecs", up), acsService(t, "vpc", up))
	admin := s.world.Admin(t)

	key := s.ramUser("alice", `{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
	testkit.Do(t, s.world, admin, ops.PutUserPolicy, ops.PutInlineIn{Holder: ops.Ref{Name: "alice"}, Policy: "mfa", Document: forceMFA})
	if got := s.acs(key, "2014-05-26", "Action=DescribeInstances"); got.code() != "Forbidden.RAM" {
		t.Errorf("without a second factor: %d %s", got.status, got.body)
	}
	if got := s.acs(s.withMFA("alice", key), "2014-05-26", "Action=DescribeInstances"); got.status != 200 {
		t.Errorf("with a second factor: %d %s", got.status, got.body)
	}

	boss := s.user("boss", allow("*", "*"))
	if got := s.acs(boss, "2016-04-28", "Action=DescribeVpcs"); got.status != 200 {
		t.Errorf("an administrator: %d %s", got.status, got.body)
	}
	s.attachRAM("boss", "no-vpc", `{"Version":"1","Statement":[{"Effect":"Deny","Action":"vpc:*","Resource":"acs:vpc:*:`+acsOwner+`:vpc/vpc-1"}]}`)
	if got := s.acs(boss, "2016-04-28", "Action=DeleteVpc&VpcId=vpc-1"); got.code() != "Forbidden.RAM" {
		t.Errorf("a deny of the RAM language: %d %s", got.status, got.body)
	}
	if got := s.acs(boss, "2016-04-28", "Action=DeleteVpc&VpcId=vpc-2"); got.status != 200 {
		t.Errorf("another network: %d %s", got.status, got.body)
	}
	narrow := s.user("narrow", allow("acs-ecs:StopInstance", "arn:aws:acs-ecs:cn-hangzhou:123456789012:instance/i-1"))
	if got := s.acs(narrow, "2014-05-26", "Action=StopInstance&InstanceId=i-1"); got.status != 200 {
		t.Errorf("an allow in AWS's language: %d %s", got.status, got.body)
	}
	if got := s.acs(narrow, "2014-05-26", "Action=StopInstance&InstanceId=i-2"); got.status != 403 {
		t.Errorf("beyond an allow in AWS's language: %d %s", got.status, got.body)
	}
}

// Regions of one service: the parameter chooses, and names hold it.
func TestACSRegions(t *testing.T) {
	hangzhou, beijing := &recorder{}, &recorder{}
	other := acsService(t, "ecs-beijing", beijing)
	other.Prefix, other.Region = "ecs", "cn-beijing"
	s := newStage(t, acsService(t, "ecs", hangzhou), other)
	key := s.ramUser("alice", `{"Version":"1","Statement":[{"Effect":"Allow","Action":"ecs:*","Resource":"acs:ecs:cn-beijing:*:*"}]}`)
	if got := s.acs(key, "2014-05-26", "Action=StopInstance&InstanceId=i-1&RegionId=cn-beijing"); got.status != 200 || beijing.count() != 1 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := s.acs(key, "2014-05-26", "Action=StopInstance|InstanceId=i-1&RegionId=cn-hangzhou"); got.status != 403 || hangzhou.count() != 0 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestACSServiceSettings(t *testing.T) {
	for _, c := range []struct {
		want    string
		service gateway.Service
	}{
		{"needs region", gateway.Service{Name: "ecs"}},
		{"no operations of oss", gateway.Service{Name: "oss", Region: "cn-hangzhou"}},
		{"Warifu answers this service itself", gateway.Service{Name: "ram", Region: "cn-hangzhou"}},
		{"Warifu answers the version 2015-05-01", gateway.Service{Name: "x", Region: "r", Table: &acstable.Table{Version: "2015-05-01"}}},
		{"upstream must be", gateway.Service{Name: "ecs", Region: "cn-hangzhou", Upstream: &url.URL{}}},
	} {
		c.service.Protocol = gateway.ACS
		if _, err := gateway.New(gateway.Config{Services: []gateway.Service{c.service}}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.want, err)
		}
	}
	up, _ := url.Parse("http://127.0.0.1:1")
	twice := []gateway.Service{
		{Name: "ecs", Protocol: gateway.ACS, Region: "r", Upstream: up},
		{Name: "ecs2", Prefix: "ecs", Protocol: gateway.ACS, Region: "r", Upstream: up},
	}
	if _, err := gateway.New(gateway.Config{Services: twice}); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("two of one region: %v", err)
	}
}

// The name of a resource in either language.
func TestACSResourceNames(t *testing.T) {
	arn := name.ACSResourceARN("ecs", "cn-hangzhou", 123456789012, "instance/i-1")
	if got := name.ACSOf(arn); arn != "arn:aws:acs-ecs:cn-hangzhou:123456789012:instance/i-1" || got != "acs:ecs:cn-hangzhou:"+acsOwner+":instance/i-1" {
		t.Errorf("%s is %s", arn, got)
	}
}
