package acs

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"
)

// The vectors are those of Alibaba Cloud's documentation.
const (
	rpcQuery = "AccessKeyId=testid&Action=CreateUser&DisplayName=test&Format=JSON&SignatureMethod=HMAC-SHA1" +
		"&SignatureNonce=3f6b4e80-56f7-11eb-a256-a9f756ea7e85&SignatureVersion=1.0&Timestamp=2021-01-15T06%3A02%3A28Z" +
		"&UserPrincipalName=test%40example.onaliyun.com&Version=2019-08-15"
	rpcText = "GET&%2F&AccessKeyId%3Dtestid%26Action%3DCreateUser%26DisplayName%3Dtest%26Format%3DJSON%26SignatureMethod%3DHMAC-SHA1" +
		"%26SignatureNonce%3D3f6b4e80-56f7-11eb-a256-a9f756ea7e85%26SignatureVersion%3D1.0%26Timestamp%3D2021-01-15T06%253A02%253A28Z" +
		"%26UserPrincipalName%3Dtest%2540example.onaliyun.com%26Version%3D2019-08-15"
	rpcSigned = "02heLegtw4+BFamznl1Ltj+vJ4A="

	acs3Signature = "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
	acs3Headers   = "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version"
)

func rpcRequest(query string) *Request {
	return &Request{Method: "GET", Host: "ims.aliyuncs.com", Path: "/", Query: query, BodyHash: EmptyBody}
}

func acs3Request() *Request {
	return &Request{
		Method: "POST", Host: "ecs.cn-shanghai.aliyuncs.com", Path: "/", BodyHash: EmptyBody,
		Query: "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai",
		Header: map[string][]string{
			"Authorization":         {"ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=" + acs3Headers + ",Signature=" + acs3Signature},
			"X-Acs-Action":          {"RunInstances"},
			"X-Acs-Version":         {"2014-05-26"},
			"X-Acs-Date":            {"2023-10-26T10:22:32Z"},
			"X-Acs-Signature-Nonce": {"3156853299f313e23d1673dc12e1703d"},
			"X-Acs-Content-Sha256":  {EmptyBody},
			"User-Agent":            {"not signed"},
		},
	}
}

// verify does all that a door does with a request but the look-ups.
func verify(r *Request, form, secret string, now time.Time) (Signature, error) {
	p, err := ParseParams(r.Query, form)
	if err != nil {
		return Signature{}, err
	}
	s, err := Parse(r, p)
	if err == nil {
		err = s.Check(now)
	}
	if err == nil {
		err = s.Verify(r, p, []byte(secret))
	}
	return s, err
}

func code(err error) string {
	var e *Error
	if !errors.As(err, &e) || e.Status < 400 || e.Message == "" {
		return "?"
	}
	return e.Code
}

var (
	rpcTime  = time.Date(2021, 1, 15, 6, 2, 28, 0, time.UTC)
	acs3Time = time.Date(2023, 10, 26, 10, 22, 32, 0, time.UTC)
)

func TestVectors(t *testing.T) {
	p, err := ParseParams(rpcQuery, "")
	if err != nil {
		t.Fatal(err)
	}
	if got := string(rpcStringToSign("GET", p)); got != rpcText {
		t.Errorf("string to sign\n got %s\nwant %s", got, rpcText)
	}
	if got := rpcSignature([]byte(rpcText), []byte("testsecret")); got != rpcSigned {
		t.Errorf("signature %s", got)
	}
	s, err := verify(rpcRequest(rpcQuery+"&Signature="+url.QueryEscape(rpcSigned)), "", "testsecret", rpcTime)
	want := Signature{AccessKeyID: "testid", Nonce: "3f6b4e80-56f7-11eb-a256-a9f756ea7e85", Time: rpcTime, Action: "CreateUser", Version: "2019-08-15", signature: rpcSigned}
	if err != nil || s != want {
		t.Errorf("RPC: %+v, %v", s, err)
	}
	s, err = verify(acs3Request(), "", "YourAccessKeySecret", acs3Time)
	want = Signature{
		AccessKeyID: "YourAccessKeyId", Nonce: "3156853299f313e23d1673dc12e1703d", Time: acs3Time,
		Action: "RunInstances", Version: "2014-05-26", signature: acs3Signature, acs3: true, signedHeaders: acs3Headers,
	}
	if err != nil || s != want {
		t.Errorf("ACS3: %+v, %v", s, err)
	}
}

// Parameters may stand in the query, in the body, or some here and some there.
func TestRPCParametersAnywhere(t *testing.T) {
	signature := "Signature=" + url.QueryEscape(rpcSigned)
	for _, c := range []struct{ query, form string }{
		{rpcQuery, signature}, {signature, rpcQuery}, {"", rpcQuery + "&" + signature},
		{"DisplayName=test&&", signature + "&" + strings.Replace(rpcQuery, "&DisplayName=test", "", 1)},
	} {
		if _, err := verify(rpcRequest(c.query), c.form, "testsecret", rpcTime); err != nil {
			t.Errorf("query %q, form %q: %v", c.query, c.form, err)
		}
	}
}

// whatever is signed cannot be changed.
func TestNothingSignedCanBeChanged(t *testing.T) {
	signed := rpcQuery + "&Signature=" + url.QueryEscape(rpcSigned)
	for _, c := range []struct{ what, from, to, code string }{
		{"value", "DisplayName=test", "DisplayName=tesu", "SignatureDoesNotMatch"},
		{"key", "DisplayName", "DisplayNames", "SignatureDoesNotMatch"},
		{"action", "Action=CreateUser", "Action=DeleteUser", "SignatureDoesNotMatch"},
		{"access key", "AccessKeyId=testid", "AccessKeyId=testie", "SignatureDoesNotMatch"},
		{"nonce", "3f6b4e80", "3f6b4e81", "SignatureDoesNotMatch"},
		{"time", "06%3A02%3A28Z", "06%3A02%3A29Z", "SignatureDoesNotMatch"},
		{"parameter added", "&Version", "&Tag=1&Version", "SignatureDoesNotMatch"},
		{"parameter added that is empty", "&Version", "&Zone=&Version", "SignatureDoesNotMatch"},
		{"parameter dropped", "&DisplayName=test", "", "SignatureDoesNotMatch"},
		{"parameter twice", "&Version", "&DisplayName=other&Version", "InvalidParameter"},
		{"token added", "&Version", "&SecurityToken=x&Version", "SignatureDoesNotMatch"},
		{"signature", "02heLegtw4", "02heLegtw5", "SignatureDoesNotMatch"},
		{"signature cut", "vJ4A%3D", "vJ4A", "SignatureDoesNotMatch"},
		{"method of signing", "HMAC-SHA1", "HMAC-MD5", "InvalidSignatureMethod"},
		{"version of signing", "SignatureVersion=1.0", "SignatureVersion=2.0", "InvalidSignatureMethod"},
		{"type of signing", "&Version", "&SignatureType=BEARERTOKEN&Version", "InvalidSignatureMethod"},
		{"escape", "test%40", "test%zz", "InvalidParameter"},
		{"escape in a key", "DisplayName", "Display%4", "InvalidParameter"},
	} {
		query := strings.Replace(signed, c.from, c.to, 1)
		if query == signed {
			t.Fatalf("%s: nothing changed", c.what)
		}
		if _, err := verify(rpcRequest(query), "", "testsecret", rpcTime); code(err) != c.code {
			t.Errorf("RPC, %s changed: %v, want %s", c.what, err, c.code)
		}
	}
	post := rpcRequest(signed)
	post.Method = "POST"
	if _, err := verify(post, "", "testsecret", rpcTime); code(err) != "SignatureDoesNotMatch" {
		t.Errorf("RPC, method changed: %v", err)
	}
	if _, err := verify(rpcRequest(signed), "", "testsecreu", rpcTime); code(err) != "SignatureDoesNotMatch" || !strings.Contains(err.Error(), "server string to sign is:"+rpcText) {
		t.Errorf("RPC, another secret: %v", err)
	}

	for what, c := range map[string]struct {
		change func(*Request)
		code   string
	}{
		"method":         {func(r *Request) { r.Method = "GET" }, "SignatureDoesNotMatch"},
		"path":           {func(r *Request) { r.Path = "/x" }, "SignatureDoesNotMatch"},
		"query":          {func(r *Request) { r.Query += "&x=" }, "SignatureDoesNotMatch"},
		"query twice":    {func(r *Request) { r.Query += "&RegionId=x" }, "InvalidParameter"},
		"host":           {func(r *Request) { r.Host = "other" }, "SignatureDoesNotMatch"},
		"action":         {func(r *Request) { r.Header["X-Acs-Action"] = []string{"StopInstances"} }, "SignatureDoesNotMatch"},
		"version":        {func(r *Request) { r.Header["X-Acs-Version"] = []string{"2014-05-27"} }, "SignatureDoesNotMatch"},
		"nonce":          {func(r *Request) { r.Header["X-Acs-Signature-Nonce"] = []string{"x"} }, "SignatureDoesNotMatch"},
		"nonce too long": {func(r *Request) { r.Header["X-Acs-Signature-Nonce"] = []string{strings.Repeat("x", 129)} }, "IncompleteSignature"},
		"date":           {func(r *Request) { r.Header["X-Acs-Date"] = []string{"2023-10-26T10:22:33Z"} }, "SignatureDoesNotMatch"},
		"date's form":    {func(r *Request) { r.Header["X-Acs-Date"] = []string{"2023-10-26"} }, "InvalidTimeStamp.Format"},
		"header twice":   {func(r *Request) { r.Header["X-Acs-Date"] = append(r.Header["X-Acs-Date"], "2023-10-26T10:22:32Z") }, "InvalidParameter"},
		"header added":   {func(r *Request) { r.Header["X-Acs-Security-Token"] = []string{"x"} }, "IncompleteSignature"},
		"header in another case": {func(r *Request) {
			r.Header["X-ACS-Action"], r.Header["X-Acs-Action"] = r.Header["X-Acs-Action"], []string{"StopInstances"}
		}, "IncompleteSignature"},
		"body":          {func(r *Request) { r.BodyHash = strings.Repeat("0", 64) }, "ContentMD5NotMatched"},
		"hash":          {func(r *Request) { r.Header["X-Acs-Content-Sha256"] = []string{strings.Repeat("0", 64)} }, "ContentMD5NotMatched"},
		"hash left out": {func(r *Request) { delete(r.Header, "X-Acs-Content-Sha256") }, "MissingParameter"},
		"signature":     {func(r *Request) { authorize(r, "06563a", "16563a") }, "SignatureDoesNotMatch"},
		"key":           {func(r *Request) { authorize(r, "YourAccessKeyId", "x") }, ""}, // the credential is not signed: its secret is the key
		"algorithm":     {func(r *Request) { authorize(r, "SHA256", "SM3") }, "InvalidSignatureMethod"},
		"host unsigned": {func(r *Request) { authorize(r, "host;", "") }, "IncompleteSignature"},
		"less signed":   {func(r *Request) { authorize(r, "x-acs-action;", "") }, "IncompleteSignature"},
		"no signature":  {func(r *Request) { authorize(r, ",Signature="+acs3Signature, "") }, "IncompleteSignature"},
		"nonsense":      {func(r *Request) { authorize(r, "Credential=", "Credentials=") }, "IncompleteSignature"},
		"part twice":    {func(r *Request) { authorize(r, ",Signature", ",Credential=x,Signature") }, "IncompleteSignature"},
		"two headers":   {func(r *Request) { r.Header["Authorization"] = append(r.Header["Authorization"], "x") }, "IncompleteSignature"},
		"query escape":  {func(r *Request) { r.Query = "%" }, "InvalidParameter"},
		"nothing":       {func(*Request) {}, ""},
		"space":         {func(r *Request) { authorize(r, ",S", ", S"); r.Header["X-Acs-Action"][0] += " " }, ""},
		"unsigned":      {func(r *Request) { r.Header["User-Agent"] = nil; r.Header["Content-Type"] = []string{"text/plain"} }, ""},
		"type of a body": {func(r *Request) {
			r.Header["Content-Type"] = []string{"text/plain"}
			r.BodyHash = strings.Repeat("0", 64)
			r.Header["X-Acs-Content-Sha256"] = []string{r.BodyHash}
		}, "IncompleteSignature"},
	} {
		r := acs3Request()
		c.change(r)
		_, err := verify(r, "", "YourAccessKeySecret", acs3Time)
		if c.code == "" && err != nil || c.code != "" && code(err) != c.code {
			t.Errorf("ACS3, %s changed: %v, want %q", what, err, c.code)
		}
	}
}

func authorize(r *Request, from, to string) {
	r.Header["Authorization"] = []string{strings.ReplaceAll(r.Header["Authorization"][0], from, to)}
}

// With a session's token and a form as the body; the path may be empty.
func TestACS3WithTokenAndBody(t *testing.T) {
	body := "a=1"
	sum := sha256.Sum256([]byte(body))
	r := acs3Request()
	r.Path, r.Query, r.BodyHash = "", "b&%E5%89%B2=x+y", hex.EncodeToString(sum[:])
	r.Header["X-Acs-Content-Sha256"] = []string{r.BodyHash}
	r.Header["X-Acs-Security-Token"] = []string{"token"}
	r.Header["Content-Type"] = []string{"application/x-www-form-urlencoded"}
	list := "content-type;" + strings.Replace(acs3Headers, "x-acs-sig", "x-acs-security-token;x-acs-sig", 1)
	canonical := strings.Join([]string{
		"POST", "/", "b=&%E5%89%B2=x%20y", "content-type:application/x-www-form-urlencoded", "host:ecs.cn-shanghai.aliyuncs.com",
		"x-acs-action:RunInstances", "x-acs-content-sha256:" + r.BodyHash, "x-acs-date:2023-10-26T10:22:32Z", "x-acs-security-token:token",
		"x-acs-signature-nonce:3156853299f313e23d1673dc12e1703d", "x-acs-version:2014-05-26", "", list, r.BodyHash,
	}, "\n")
	hashed := sha256.Sum256([]byte(canonical))
	mac := hmac.New(sha256.New, []byte("secret"))
	mac.Write([]byte("ACS3-HMAC-SHA256\n" + hex.EncodeToString(hashed[:])))
	r.Header["Authorization"] = []string{"ACS3-HMAC-SHA256 Credential=STS.x,SignedHeaders=" + list + ",Signature=" + hex.EncodeToString(mac.Sum(nil))}
	s, err := verify(r, body, "secret", acs3Time)
	if err != nil || s.Token != "token" {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestTime(t *testing.T) {
	s := Signature{Time: rpcTime}
	for d, ok := range map[time.Duration]bool{
		0: true, MaxSkew: true, -MaxSkew: true, MaxSkew + time.Second: false, -MaxSkew - time.Second: false,
	} {
		err := s.Check(rpcTime.Add(d))
		if ok && err != nil || !ok && code(err) != "InvalidTimeStamp.Expired" {
			t.Errorf("%v after: %v", d, err)
		}
	}
}

func TestWhatIsMissing(t *testing.T) {
	signed := rpcQuery + "&Signature=x"
	for _, key := range []string{"AccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "SignatureNonce", "Timestamp"} {
		values, err := url.ParseQuery(signed)
		if err != nil {
			t.Fatal(err)
		}
		values.Del(key)
		if _, err := verify(rpcRequest(values.Encode()), "", "", rpcTime); code(err) != "MissingParameter" || !strings.Contains(err.Error(), `"`+key+`"`) {
			t.Errorf("without %s: %v", key, err)
		}
	}
	if _, err := verify(rpcRequest(strings.Replace(signed, "2021-01-15T", "2021-01-15 ", 1)), "", "", rpcTime); code(err) != "InvalidTimeStamp.Format" {
		t.Errorf("a time of another form: %v", err)
	}
	if _, err := verify(rpcRequest(strings.Replace(signed, "3f6b", "3f%206b", 1)), "", "", rpcTime); code(err) != "IncompleteSignature" {
		t.Errorf("a nonce with a space: %v", err)
	}
	if _, err := ParseParams(strings.Repeat("a=b&", MaxParams+1), ""); code(err) != "InvalidParameter" {
		t.Errorf("too many parameters: %v", err)
	}
}

func TestSigned(t *testing.T) {
	p, err := ParseParams("Action=AssumeRoleWithOIDC", "")
	if err != nil {
		t.Fatal(err)
	}
	if Signed(rpcRequest(""), p) || !Signed(acs3Request(), p) || !Signed(rpcRequest(""), Params{{"Signature", ""}}) {
		t.Error("signed or not is told wrongly")
	}
	if _, ok := p.Lookup("Actio"); ok || p.Get("Action") != "AssumeRoleWithOIDC" || p.Get("") != "" {
		t.Error("a parameter is looked up wrongly")
	}
}

func TestErrorsOfCallers(t *testing.T) {
	for want, err := range map[string]error{
		"InvalidAccessKeyId.NotFound": ErrUnknownKey(), "SignatureNonceUsed": ErrNonceUsed(), "InvalidSecurityToken.Malformed": ErrBadToken(),
		"InvalidSecurityToken.Expired": ErrExpiredToken(), "MissingSecurityToken": ErrMissingToken(),
	} {
		if code(err) != want || !strings.HasPrefix(err.Error(), want+": ") {
			t.Errorf("%v", err)
		}
	}
}

// FuzzVerify: whatever comes, the answer is an *Error or a verdict, and nothing
// verifies under a secret that did not sign it.
func FuzzVerify(f *testing.F) {
	f.Add(rpcQuery+"&Signature=x", "", "", "")
	f.Add("a=b", "c=d", "ACS3-HMAC-SHA256 Credential=a,SignedHeaders=host;x-acs-date,Signature=b", "2023-10-26T10:22:32Z")
	f.Fuzz(func(t *testing.T, query, form, authorization, date string) {
		r := acs3Request()
		r.Query = query
		if delete(r.Header, "Authorization"); authorization != "" {
			r.Header["Authorization"], r.Header["X-Acs-Date"] = []string{authorization}, []string{date}
		}
		s, err := verify(r, form, "a secret that nobody has signed with", acs3Time)
		if err == nil {
			t.Fatalf("%+v passes", s)
		}
		if code(err) == "?" {
			t.Fatalf("%#v", err)
		}
	})
}

// A query that cannot be decoded is refused, also by a caller that did not parse it.
func TestUndecodableQuery(t *testing.T) {
	r := acs3Request()
	s, err := Parse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Query = "%"
	if err := s.Verify(r, nil, nil); code(err) != "InvalidParameter" {
		t.Errorf("%v", err)
	}
}
