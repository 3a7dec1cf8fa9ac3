package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"warifu/internal/gateway"
	"warifu/internal/reqsig/sigv4"
	"warifu/internal/testkit"
)

const formHeader = "Content-Type: application/x-www-form-urlencoded; charset=utf-8"

func TestForwardsWhatPolicyAllows(t *testing.T) {
	up := &recorder{respond: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-From", "upstream")
		w.Header().Set("Set-Cookie", "session=stolen")
		w.WriteHeader(http.StatusAccepted)
		io.WriteString(w, "<ok/>")
	}}
	s := newStage(t, gateway.Service{Name: "ec2", Protocol: gateway.EC2, Upstream: upstream(t, up)})
	alice := s.user("alice", allow("ec2:DescribeInstances", "*"))
	got := s.call(alice, "ec2", "POST", "/", "Action=DescribeInstances&Version=2016-11-15", formHeader, "Cookie: console=1", "User-Agent: test")
	if got.status != http.StatusAccepted || got.body != "<ok/>" || got.header.Get("X-From") != "upstream" {
		t.Fatalf("got %+v", got)
	}
	if got.header.Get("Set-Cookie") != "" || got.header.Get("Content-Security-Policy") != "sandbox" {
		t.Errorf("the answer may act on the console: %v", got.header)
	}
	r, body := up.last(t)
	if body != "Action=DescribeInstances&Version=2016-11-15" || r.URL.Path != "/" || r.Method != "POST" {
		t.Errorf("the upstream got %s %s %q", r.Method, r.URL, body)
	}
	want := map[string]string{
		gateway.HeaderCaller: "arn:aws:iam::123456789012:user/alice", gateway.HeaderPrincipal: "arn:aws:iam::123456789012:user/alice",
		gateway.HeaderAccount: "123456789012", gateway.HeaderAccessKey: alice.AccessKeyID, gateway.HeaderMFA: "false",
		gateway.HeaderAction: "ec2:DescribeInstances", gateway.HeaderMFAAge: "", "Authorization": "", "Cookie": "", "X-Amz-Date": "",
		"User-Agent": "test", "X-Forwarded-For": "192.0.2.10",
	}
	for name, value := range want {
		if r.Header.Get(name) != value {
			t.Errorf("%s is %q, want %q", name, r.Header.Get(name), value)
		}
	}
	if !strings.HasPrefix(r.Header.Get(gateway.HeaderUniqueID), "AIDA") || r.Header.Get(gateway.HeaderRequestID) == "" {
		t.Errorf("id %q, request %q", r.Header.Get(gateway.HeaderUniqueID), r.Header.Get(gateway.HeaderRequestID))
	}

	s.world.Clock.Advance(time.Second)
	denied := s.call(alice, "ec2", "POST", "/", "Action=DescribeRegions", formHeader)
	if denied.status != 403 || up.count() != 1 {
		t.Errorf("status %d, upstream asked %d times", denied.status, up.count())
	}
	events := s.events()
	wantEvents := []string{"DescribeRegions ec2:DescribeRegions refused alice", "DescribeInstances ec2:DescribeInstances allowed alice"}
	if !slices.Equal(events, wantEvents) {
		t.Errorf("the trail has %q, want %q", events, wantEvents)
	}
}

func TestDenialsInEveryProtocol(t *testing.T) {
	down := &url.URL{Scheme: "http", Host: "127.0.0.1:1"}
	s := newStage(t,
		gateway.Service{Name: "ec2", Protocol: gateway.EC2, Upstream: down},
		gateway.Service{Name: "sqs", Protocol: gateway.Query, Upstream: down},
		gateway.Service{Name: "dynamodb", Protocol: gateway.JSON, Upstream: down},
		gateway.Service{Name: "s3", Protocol: gateway.S3, Upstream: down},
	)
	nobody := s.user("nobody", "")
	const who = "User: arn:aws:iam::123456789012:user/nobody is not authorized to perform: "
	jsonHeaders := []string{"Content-Type: application/x-amz-json-1.0", "X-Amz-Target: DynamoDB_20120810.GetItem"}
	tests := []struct {
		service, method, target, body string
		headers                       []string
		status                        int
		want                          []string
	}{
		{"ec2", "POST", "/", "Action=DescribeInstances", []string{formHeader}, 403, []string{
			"<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not authorized to perform this operation. " + who +
				"ec2:DescribeInstances because no identity-based policy allows the ec2:DescribeInstances action. Encoded authorization failure message: "}},
		{"sqs", "POST", "/", "Action=SendMessage&QueueUrl=http://x/1/jobs&MessageBody=x", []string{formHeader}, 403, []string{
			"<ErrorResponse", "<Code>AccessDenied</Code><Message>" + who +
				"sqs:SendMessage on resource: arn:aws:sqs:us-east-1:123456789012:jobs because no identity-based policy allows the sqs:SendMessage action</Message>"}},
		{"dynamodb", "POST", "/", `{"TableName":"music"}`, jsonHeaders, 400, []string{
			`{"__type":"AccessDeniedException","message":"` + who +
				`dynamodb:GetItem on resource: arn:aws:dynamodb:us-east-1:123456789012:table/music because no identity-based policy allows the dynamodb:GetItem action"}`}},
		{"s3", "GET", "/photos/k", "", nil, 403, []string{
			"<Error><Code>AccessDenied</Code><Message>" + who +
				"s3:GetObject on resource: &#34;arn:aws:s3:::photos/k&#34; because no identity-based policy allows the s3:GetObject action</Message><Resource>/photos/k</Resource>"}},
	}
	for _, test := range tests {
		got := s.call(nobody, test.service, test.method, test.target, test.body, test.headers...)
		if got.status != test.status {
			t.Errorf("%s: status %d, want %d", test.service, got.status, test.status)
		}
		for _, want := range test.want {
			if !strings.Contains(got.body, want) {
				t.Errorf("%s: got %s\nwant %s", test.service, got.body, want)
			}
		}
	}
	explicit := s.user("barred", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"ec2:*","Resource":"*"}]}`)
	got := s.call(explicit, "ec2", "POST", "/", "Action=DescribeInstances", formHeader)
	if !strings.Contains(got.body, "is not authorized to perform: ec2:DescribeInstances with an explicit deny in an identity-based policy. Encoded") {
		t.Errorf("got %s", got.body)
	}
}

// The upstream is down: each protocol has its own 503.
func TestUpstreamDown(t *testing.T) {
	down := &url.URL{Scheme: "http", Host: "127.0.0.1:1"}
	s := newStage(t,
		gateway.Service{Name: "ec2", Protocol: gateway.EC2, Upstream: down},
		gateway.Service{Name: "sqs", Protocol: gateway.Query, Upstream: down},
		gateway.Service{Name: "dynamodb", Protocol: gateway.JSON, Upstream: down},
		gateway.Service{Name: "s3", Protocol: gateway.S3, Upstream: down},
	)
	all := s.user("all", allow("*", "*"))
	tests := []struct {
		service, target, body string
		headers               []string
		want                  string
	}{
		{"ec2", "/", "Action=DescribeInstances", []string{formHeader}, "<Response><Errors><Error><Code>Unavailable</Code>"},
		{"sqs", "/", "Action=ListQueues", []string{formHeader}, "<Error><Type>Receiver</Type><Code>ServiceUnavailable</Code>"},
		{"dynamodb", "/", "{}", []string{"Content-Type: application/x-amz-json-1.1", "X-Amz-Target: DynamoDB_20120810.ListTables"}, `{"__type":"ServiceUnavailableException"`},
		{"s3", "/photos/k", "", nil, "<Error><Code>ServiceUnavailable</Code>"},
	}
	for _, test := range tests {
		method := "POST"
		if test.service == "s3" {
			method = "GET"
		}
		got := s.call(all, test.service, method, test.target, test.body, test.headers...)
		if got.status != 503 || !strings.Contains(got.body, test.want) || got.header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s, want 503 %s", test.service, got.status, got.body, test.want)
		}
	}
}

func TestSlowUpstreamIsUnavailable(t *testing.T) {
	release := make(chan struct{})
	up := upstream(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(func() { close(release) })
	s := newStage(t, gateway.Service{Name: "ec2", Protocol: gateway.EC2, Upstream: up, Timeout: 50 * time.Millisecond})
	got := s.call(s.user("all", allow("*", "*")), "ec2", "POST", "/", "Action=DescribeInstances", formHeader)
	if got.status != 503 || !strings.Contains(got.body, "<Code>Unavailable</Code>") {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	other := &recorder{}
	elsewhere := upstream(t, other)
	up := upstream(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.String(), http.StatusTemporaryRedirect)
	}))
	s := newStage(t, gateway.Service{Name: "s3", Protocol: gateway.S3, Upstream: up})
	got := s.call(s.user("all", allow("*", "*")), "s3", "GET", "/photos/k", "")
	if got.status != http.StatusTemporaryRedirect || other.count() != 0 {
		t.Errorf("status %d, the other server was asked %d times", got.status, other.count())
	}
}

// Security checklist N-3: no spelling of an identity header comes through.
func TestForgedIdentityHeaders(t *testing.T) {
	up := &recorder{}
	at := upstream(t, up)
	s := newStage(t, gateway.Service{Name: "ec2", Protocol: gateway.EC2, Upstream: at})
	alice := s.user("alice", allow("ec2:*", "*"))
	forged := []string{
		"Warifu-Account", "warifu-account", "WARIFU-ACCOUNT", "Warifu_Account", "warifu_principal_arn", "Warifu.Mfa", "Warifu-Mfa", "Warifu_Mfa",
		"Warifu-Principal-Arn", "Warifu-Anything", "X-Forwarded-For", "X_Forwarded_For", "X-Http-Method-Override", "X-Original-Url", "Forwarded", "X-Real-Ip",
		"X_Amz_Acl", "Transfer_Encoding", "Content_Length",
	}
	r := s.request(alice, "ec2", "POST", "/", []byte("Action=DescribeInstances"), formHeader)
	var raw strings.Builder
	fmt.Fprintf(&raw, "POST / HTTP/1.1\r\nHost: %s\r\n", r.URL.Host)
	for name, values := range r.Header {
		fmt.Fprintf(&raw, "%s: %s\r\n", name, values[0])
	}
	for _, name := range forged {
		fmt.Fprintf(&raw, "%s: forged\r\n%s: again\r\n", name, name)
	}
	raw.WriteString("Connection: close\r\nContent-Length: 24\r\n\r\nAction=DescribeInstances")

	conn, err := net.Dial("tcp", r.URL.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, raw.String()); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), r)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("%v %v", resp, err)
	}
	resp.Body.Close()
	got, _ := up.last(t)
	for name, values := range got.Header {
		for _, v := range values {
			if v == "forged" || v == "again" {
				t.Errorf("%s: %s came through", name, v)
			}
		}
	}
	if got.Header.Get(gateway.HeaderAccount) != "123456789012" || got.Header.Get(gateway.HeaderMFA) != "false" ||
		got.Header.Get(gateway.HeaderPrincipal) != "arn:aws:iam::123456789012:user/alice" || got.Header.Get(gateway.HeaderCaller) == "" {
		t.Errorf("our headers are gone: %v", got.Header)
	}
}

// Security checklist K-3: who tries spellings that the gateway cannot judge is in
// the trail, once for each.
func TestUnclearRequestsLeaveEvents(t *testing.T) {
	up := &recorder{}
	at := upstream(t, up)
	s := newStage(t, gateway.Service{Name: "s3", Protocol: gateway.S3, Upstream: at}, gateway.Service{Name: "ec2", Protocol: gateway.EC2, Upstream: at})
	alice := s.user("alice", allow("*", "*"))
	for _, test := range []struct{ service, method, target, body, event string }{
		{"s3", "GET", "/photos/a//k", "", "Unknown s3:Unknown failed alice"},
		{"ec2", "POST", "/", "Action=TerminateInstances&InstanceId.1=i-*", "TerminateInstances ec2:TerminateInstances failed alice"},
		{"ec2", "POST", "/", "Action=NoSuchThing", "Unknown ec2:Unknown failed alice"},
	} {
		s.world.Clock.Advance(time.Millisecond)
		before := len(s.events())
		got := s.call(alice, test.service, test.method, test.target, test.body, formHeader)
		events := s.events()
		if got.status != http.StatusBadRequest || len(events) != before+1 || events[0] != test.event {
			t.Errorf("%s: status %d, events %v", test.event, got.status, events)
		}
	}
	if up.count() != 0 {
		t.Errorf("the upstream was asked %d times", up.count())
	}
}

// Security checklist N-4: what two servers could read as different requests is
// refused before the upstream sees it.
func TestSmuggling(t *testing.T) {
	up := &recorder{}
	at := upstream(t, up)
	s := newStage(t, gateway.Service{Name: "ec2", Protocol: gateway.EC2, Upstream: at})
	alice := s.user("alice", allow("ec2:*", "*"))
	r := s.request(alice, "ec2", "POST", "/", []byte("Action=DescribeInstances"), formHeader)
	head := "Host: " + r.URL.Host + "\r\n"
	for name, values := range r.Header {
		head += name + ": " + values[0] + "\r\n"
	}
	for name, request := range map[string]string{
		"length and chunks":  "POST / HTTP/1.1\r\n" + head + "Content-Length: 24\r\nTransfer-Encoding: chunked\r\n\r\n18\r\nAction=DescribeInstances\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n",
		"two lengths":        "POST / HTTP/1.1\r\n" + head + "Content-Length: 24\r\nContent-Length: 5\r\n\r\nAction=DescribeInstances",
		"folded header":      "POST / HTTP/1.1\r\n" + head + "X-A: b\r\n Content-Length: 24\r\n\r\nAction=DescribeInstances",
		"space before colon": "POST / HTTP/1.1\r\n" + head + "Content-Length : 24\r\n\r\nAction=DescribeInstances",
		"odd encoding":       "POST / HTTP/1.1\r\n" + head + "Transfer-Encoding: xchunked\r\n\r\n18\r\nAction=DescribeInstances\r\n0\r\n\r\n",
		"upgrade":            "POST / HTTP/1.1\r\n" + head + "Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 24\r\n\r\nAction=DescribeInstances",
		"absolute target":    "POST http://other.example/ HTTP/1.1\r\n" + head + "Content-Length: 24\r\n\r\nAction=DescribeInstances",
	} {
		conn, err := net.Dial("tcp", at.Host)
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		if conn, err = net.Dial("tcp", r.URL.Host); err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(5 * time.Second))
		io.WriteString(conn, request)
		resp, err := http.ReadResponse(bufio.NewReader(conn), r)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if resp.StatusCode < 400 {
			up.mu.Lock()
			var seen []string
			for _, r := range up.requests {
				seen = append(seen, r.Method+" "+r.URL.String())
			}
			up.mu.Unlock()
			if name != "length and chunks" || slices.ContainsFunc(seen, func(s string) bool { return strings.Contains(s, "smuggled") }) {
				t.Errorf("%s: status %d, upstream saw %q", name, resp.StatusCode, seen)
			}
		}
		conn.Close()
	}
}

func TestSignatureErrors(t *testing.T) {
	up := &recorder{}
	at := upstream(t, up)
	s := newStage(t,
		gateway.Service{Name: "ec2", Protocol: gateway.EC2, Upstream: at},
		gateway.Service{Name: "sqs", Protocol: gateway.Query, Upstream: at},
		gateway.Service{Name: "dynamodb", Protocol: gateway.JSON, Upstream: at},
		gateway.Service{Name: "s3", Protocol: gateway.S3, Upstream: at},
	)
	good := s.user("alice", allow("*", "*"))
	wrong, unknown, stale := good, good, good
	wrong.Secret = "not the secret"
	unknown.AccessKeyID = "AKIAQQQQQQQQQQQQQQQQ"
	stale.Token = "not a token"
	tests := []struct {
		service string
		key     sigv4.Credentials
		status  int
		code    string
	}{
		{"ec2", wrong, 401, "AuthFailure"}, {"ec2", unknown, 401, "AuthFailure"}, {"ec2", stale, 401, "AuthFailure"},
		{"sqs", wrong, 403, "SignatureDoesNotMatch"}, {"sqs", unknown, 403, "InvalidClientTokenId"}, {"sqs", stale, 403, "InvalidClientTokenId"},
		{"dynamodb", wrong, 400, "InvalidSignatureException"}, {"dynamodb", unknown, 400, "UnrecognizedClientException"},
		{"s3", wrong, 403, "SignatureDoesNotMatch"}, {"s3", unknown, 403, "InvalidAccessKeyId"},
	}
	requests := map[string][]string{
		"ec2": {"POST", "/", "Action=DescribeInstances", formHeader}, "sqs": {"POST", "/", "Action=ListQueues", formHeader},
		"dynamodb": {"POST", "/", "{}", "X-Amz-Target: DynamoDB_20120810.ListTables", "Content-Type: application/x-amz-json-1.0"},
		"s3":       {"GET", "/photos/k", ""},
	}
	for _, test := range tests {
		q := requests[test.service]
		got := s.call(test.key, test.service, q[0], q[1], q[2], q[3:]...)
		if got.status != test.status || !strings.Contains(got.body, test.code) {
			t.Errorf("%s: %d %s, want %d %s", test.service, got.status, got.body, test.status, test.code)
		}
	}
	if up.count() != 0 {
		t.Errorf("the upstream was asked %d times", up.count())
	}
}

// Clients that presign with version 2 are told what to change.
func TestOutdatedSignatures(t *testing.T) {
	up := &recorder{}
	s := newStage(t, gateway.Service{Name: "s3", Protocol: gateway.S3, Upstream: upstream(t, up)})
	header, _ := http.NewRequest("GET", s.url+"/photos/k", nil)
	header.Header.Set("Authorization", "AWS AKIAQQQQQQQQQQQQQQQQ:c2lnbmF0dXJl")
	query, _ := http.NewRequest("GET", s.url+"/photos/k?AWSAccessKeyId=AKIAQQQQQQQQQQQQQQQQ&Signature=x&Expires=1900000000", nil)
	for _, r := range []*http.Request{header, query} {
		if got := s.send(r); got.status != 400 || !strings.Contains(got.body, "Please use AWS4-HMAC-SHA256.") || up.count() != 0 {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
}

// Two answers in one are an error of the request, whatever policy would say.
func TestRefusedBeforePolicy(t *testing.T) {
	up := &recorder{}
	at := upstream(t, up)
	s := newStage(t,
		gateway.Service{Name: "ec2", Protocol: gateway.EC2, Upstream: at},
		gateway.Service{Name: "s3", Protocol: gateway.S3, Upstream: at},
	)
	all := s.user("all", allow("*", "*"))
	tests := []struct {
		service, method, target, body string
		status                        int
		code                          string
	}{
		{"ec2", "POST", "/", "Action=DescribeInstances&Action=TerminateInstances", 400, "InvalidRequest"},
		{"ec2", "POST", "/", "Action=Nonsense", 400, "InvalidAction"},
		{"ec2", "POST", "/", "Version=1", 400, "MissingAction"},
		{"ec2", "POST", "/", "Action=DescribeInstances&x=" + strings.Repeat("x", 2<<20), 413, "RequestEntityTooLarge"},
		{"s3", "GET", "/photos/k?acl&tagging", "", 400, "InvalidRequest"},
		{"s3", "GET", "/photos/k?unheard", "", 501, "NotImplemented"},
		{"s3", "GET", "/Photos/k", "", 400, "InvalidBucketName"},
		{"s3", "PATCH", "/photos/k", "", 405, "MethodNotAllowed"},
		{"s3", "POST", "/photos?delete", "<Delete>", 400, "MalformedXML"},
	}
	for _, test := range tests {
		got := s.call(all, test.service, test.method, test.target, test.body, formHeader)
		if got.status != test.status || !strings.Contains(got.body, "<Code>"+test.code+"</Code>") {
			t.Errorf("%s %.60s: %d %s, want %d %s", test.method, test.target+test.body, got.status, got.body, test.status, test.code)
		}
	}
	if up.count() != 0 {
		t.Errorf("the upstream was asked %d times", up.count())
	}
}

// verifying is an upstream that knows one key and checks every signature.
func verifying(t *testing.T, service string, key sigv4.Credentials, now func() time.Time, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, query, _ := strings.Cut(r.RequestURI, "?")
		req := sigv4.Request{Method: r.Method, Host: r.Host, Path: path, Query: query, Header: r.Header}
		o := sigv4.Options{Service: service, Regions: []string{"moon-1"}, S3: service == "s3"}
		sig, err := sigv4.Parse(&req)
		if err == nil && service != "s3" {
			body, _ := io.ReadAll(r.Body)
			req.BodyHash = hashOf(body)
			r.Body = io.NopCloser(strings.NewReader(string(body)))
		}
		if err == nil {
			err = sig.Verify(&req, sigv4.DeriveKey(key.Secret, sig.Scope), now(), o)
		}
		if err != nil || sig.AccessKeyID != key.AccessKeyID {
			t.Errorf("the upstream refuses the gateway's signature: %v", err)
			w.WriteHeader(http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func TestSignsForTheUpstream(t *testing.T) {
	key := sigv4.Credentials{AccessKeyID: "UPSTREAM", Secret: "upstream secret"}
	up := &recorder{}
	var s *stage
	now := func() time.Time { return s.world.Clock.Now() }
	service := func(name string, p gateway.Protocol) gateway.Service {
		return gateway.Service{Name: name, Protocol: p, Upstream: upstream(t, verifying(t, name, key, now, up)), Key: &key, Region: "moon-1"}
	}
	ec2, s3 := service("ec2", gateway.EC2), service("s3", gateway.S3)
	s3.Domains = []string{"s3.test"}
	s = newStage(t, ec2, s3)
	all := s.user("all", allow("*", "*"))
	if got := s.call(all, "ec2", "POST", "/", "Action=DescribeInstances", formHeader); got.status != 200 {
		t.Errorf("ec2: %d", got.status)
	}
	if got := s.call(all, "s3", "PUT", "/photos/%E5%89%B2%20%2B%26=~", "content", "X-Amz-Acl: private"); got.status != 200 {
		t.Errorf("s3: %d", got.status)
	}
	if r, body := up.last(t); body != "content" || r.URL.Path != "/photos/割 +&=~" || !strings.Contains(r.Header.Get("Authorization"), "warifu-account") {
		t.Errorf("the upstream got %s %q, signed %s", r.URL.Path, body, r.Header.Get("Authorization"))
	}
	query, err := sigv4.Presign(&sigv4.Request{Method: "GET", Host: strings.TrimPrefix(s.url, "http://"), Path: "/photos/k", Query: "versionId=v1"},
		all, s.world.Clock.Now(), time.Minute, sigv4.SignOptions{Region: "us-east-1", Service: "s3", S3: true})
	if err != nil {
		t.Fatal(err)
	}
	r, _ := http.NewRequest("GET", s.url+"/photos/k?"+query, nil)
	if got := s.send(r); got.status != 200 {
		t.Errorf("presigned: %d %s", got.status, got.body)
	}
	if r, _ := up.last(t); r.URL.RawQuery != "versionId=v1" {
		t.Errorf("the upstream got the query %q", r.URL.RawQuery)
	}
	virtual, _ := http.NewRequest("PUT", s.url+"/a/b", strings.NewReader("x"))
	virtual.Host = "photos.s3.test"
	signed := sigv4.Request{Method: "PUT", Host: "photos.s3.test", Path: "/a/b", Header: http.Header{}, BodyHash: hashOf([]byte("x"))}
	if _, err := sigv4.Sign(&signed, all, s.world.Clock.Now(), sigv4.SignOptions{Region: "us-east-1", Service: "s3", S3: true}); err != nil {
		t.Fatal(err)
	}
	virtual.Header = signed.Header
	if got := s.send(virtual); got.status != 200 {
		t.Errorf("virtual host: %d %s", got.status, got.body)
	}
	if r, _ := up.last(t); r.URL.Path != "/photos/a/b" {
		t.Errorf("the upstream got the path %q", r.URL.Path)
	}
}

// A service that belongs to an account is closed to the others.
func TestServiceOfAnAccount(t *testing.T) {
	up := &recorder{}
	at := upstream(t, up)
	s := newStage(t,
		gateway.Service{Name: "ec2", Protocol: gateway.EC2, Upstream: at, Account: "999999999999"},
		gateway.Service{Name: "s3", Protocol: gateway.S3, Upstream: at, Account: testkit.Account.String()},
	)
	all := s.user("all", allow("*", "*"))
	if got := s.call(all, "ec2", "POST", "/", "Action=DescribeInstances", formHeader); got.status != 403 || up.count() != 0 {
		t.Errorf("another's: %d %s", got.status, got.body)
	}
	if got := s.call(all, "s3", "GET", "/photos/k", ""); got.status != 200 {
		t.Errorf("our own: %d %s", got.status, got.body)
	}
	if events := s.events(); !slices.Contains(events, "DescribeInstances ec2:DescribeInstances refused all") {
		t.Errorf("the trail has %q", events)
	}
}

// A body that is not what was signed never reaches the upstream whole.
func TestForgedBodyIsCutOff(t *testing.T) {
	up := &recorder{}
	s := newStage(t, gateway.Service{Name: "s3", Protocol: gateway.S3, Upstream: upstream(t, up)})
	all := s.user("all", allow("*", "*"))
	for _, size := range []int{1, 1000, 300 << 10} {
		signed := s.request(all, "s3", "PUT", "/photos/k", []byte(strings.Repeat("a", size)))
		forged := strings.Repeat("a", size-1) + "b"
		signed.Body, signed.ContentLength = io.NopCloser(strings.NewReader(forged)), int64(size)
		got := s.send(signed)
		if got.status != 400 || !strings.Contains(got.body, "XAmzContentSHA256Mismatch") {
			t.Errorf("%d bytes: %d %s", size, got.status, got.body)
		}
	}
	waitFor(t, func() bool { up.mu.Lock(); defer up.mu.Unlock(); return len(up.requests) == len(up.broken) })
	up.mu.Lock()
	defer up.mu.Unlock()
	for _, body := range up.bodies {
		if strings.HasSuffix(body, "b") {
			t.Errorf("the upstream got a forged body whole, %d bytes", len(body))
		}
	}
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited too long")
		}
	}
}

// zeros yields n zero bytes.
type zeros struct{ left int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), z.left))
	clear(p[:n])
	z.left -= int64(n)
	return n, nil
}

// Bodies of 200 MB go both ways in little memory, whether they are hashed,
// unsigned or in chunks.
func TestStreamsWithoutBuffering(t *testing.T) {
	const size = 200 << 20
	var got atomic.Int64
	at := upstream(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			t.Errorf("the upstream cannot read: %v", err)
		}
		got.Store(n)
		if r.Method == "GET" {
			w.Header().Set("Content-Length", fmt.Sprint(size))
			io.Copy(w, &zeros{size})
		}
	}))
	s := newStage(t, gateway.Service{Name: "s3", Protocol: gateway.S3, Upstream: at})
	all := s.user("all", allow("*", "*"))
	var peak atomic.Uint64
	stop := make(chan struct{})
	go func() {
		var m runtime.MemStats
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
				runtime.ReadMemStats(&m)
				peak.Store(max(peak.Load(), m.HeapInuse))
			}
		}
	}()
	defer close(stop)
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)

	for _, payload := range []string{hashOfZeros(size), sigv4.UnsignedPayload} {
		r, _ := http.NewRequest("PUT", s.url+"/photos/k", &zeros{size})
		r.ContentLength = size
		s.sign(r, all, "s3", payload)
		if a := s.send(r); a.status != 200 || got.Load() != size {
			t.Fatalf("%s: %d %s, %d bytes arrived", payload, a.status, a.body, got.Load())
		}
	}
	r, _ := http.NewRequest("GET", s.url+"/photos/k", nil)
	s.sign(r, all, "s3", sigv4.EmptyPayload)
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if err != nil || n != size {
		t.Fatalf("read %d bytes, %v", n, err)
	}
	if grown := int64(peak.Load()) - int64(before.HeapInuse); grown > 24<<20 {
		t.Errorf("the heap grew by %d MB", grown>>20)
	}
}

// What the upstream sends is passed on at once, not when the answer ends.
func TestAnswersFlushAtOnce(t *testing.T) {
	next := make(chan struct{})
	at := upstream(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "first\n")
		w.(http.Flusher).Flush()
		<-next
		io.WriteString(w, "second\n")
	}))
	s := newStage(t, gateway.Service{Name: "s3", Protocol: gateway.S3, Upstream: at})
	resp, err := http.DefaultTransport.RoundTrip(s.request(s.user("all", allow("*", "*")), "s3", "GET", "/photos/k", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	in := bufio.NewReader(resp.Body)
	if line, err := in.ReadString('\n'); err != nil || line != "first\n" {
		t.Fatalf("%q, %v", line, err)
	}
	close(next)
	if line, err := in.ReadString('\n'); err != nil || line != "second\n" {
		t.Fatalf("%q, %v", line, err)
	}
}

func TestConfiguration(t *testing.T) {
	ok := &url.URL{Scheme: "http", Host: "127.0.0.1:1"}
	tests := []struct {
		services []gateway.Service
		want     string
	}{
		{[]gateway.Service{{Protocol: gateway.EC2, Upstream: ok}}, "no name"},
		{[]gateway.Service{{Name: "iam", Protocol: gateway.Query, Upstream: ok}}, "itself"},
		{[]gateway.Service{{Name: "x", Prefix: "sts", Protocol: gateway.Query, Upstream: ok}}, "itself"},
		{[]gateway.Service{{Name: "ec2", Protocol: "soap", Upstream: ok}}, "protocol"},
		{[]gateway.Service{{Name: "ec2", Protocol: gateway.EC2}}, "upstream"},
		{[]gateway.Service{{Name: "ec2", Protocol: gateway.EC2, Upstream: &url.URL{Scheme: "ftp", Host: "x"}}}, "upstream"},
		{[]gateway.Service{{Name: "nosuch", Protocol: gateway.Query, Upstream: ok}}, "prefix"},
		{[]gateway.Service{{Name: "s3", Protocol: gateway.S3, Upstream: &url.URL{Scheme: "http", Host: "x", Path: "/base"}}}, "path"},
		{[]gateway.Service{{Name: "ec2", Protocol: gateway.EC2, Upstream: ok, Account: "1234"}}, "12 digits"},
		{[]gateway.Service{{Name: "ec2", Protocol: gateway.EC2, Upstream: ok, Key: &sigv4.Credentials{}}}, "key"},
		{[]gateway.Service{{Name: "ec2", Protocol: gateway.EC2, Upstream: ok}, {Name: "ec2", Protocol: gateway.EC2, Upstream: ok}}, "twice"},
	}
	for _, test := range tests {
		if _, err := gateway.New(gateway.Config{Services: test.services}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %q", test.services, err, test.want)
		}
	}
}

// BenchmarkForward is a small signed GET through the gateway; BenchmarkFloor is
// the same through a reverse proxy that looks at nothing.
func BenchmarkForward(b *testing.B) {
	at := small(b)
	s := newStage(b, gateway.Service{Name: "s3", Protocol: gateway.S3, Upstream: at})
	key := s.user("all", allow("s3:GetObject", "*"))
	r := s.request(key, "s3", "GET", "/photos/k", nil)
	run(b, s, r)
}

func BenchmarkFloor(b *testing.B) {
	at := small(b)
	floor := upstream(b, httputil.NewSingleHostReverseProxy(at))
	s := newStage(b, gateway.Service{Name: "s3", Protocol: gateway.S3, Upstream: at})
	r := s.request(s.user("all", allow("s3:GetObject", "*")), "s3", "GET", "/photos/k", nil)
	r.URL.Host = floor.Host
	run(b, s, r)
}

func small(b *testing.B) *url.URL {
	return upstream(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") }))
}

func run(b *testing.B, s *stage, r *http.Request) {
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if got := s.send(r.Clone(r.Context())); got.status != 200 {
				b.Fatalf("%d %s", got.status, got.body)
			}
		}
	})
}
