package ram

import (
	"strings"
	"testing"

	"warifu/policy"
)

// TestGrammar: what is wrong with a document is told with the place where it is
// wrong. The marker « stands before that place.
func TestGrammar(t *testing.T) {
	const allow = `"Effect":"Allow","Action":"ram:*","Resource":"*"`
	for _, c := range []struct{ src, found, want string }{
		// JSON and its comments
		{`«`, "the end of the text", "JSON"},
		{`«[]`, "a list as a document", "Version and Statement"},
		{`«"x"`, `"x" as a document`, "Version and Statement"},
		{`{"Version":"1","Statement":[{` + allow + `}]} «{}`, "text after the document", "one document"},
		{`{"Version":"1",«}`, "text that is not JSON", "JSON"},
		{`{«/* never ends`, "comment", ""},
		{`{"Version":"1","Statement":[{"Effect":"Allow","Action":"ram:*","Resource":"*",«`, "the end of the text", "JSON"},
		// the document
		{`«{"Statement":[{` + allow + `}]}`, "without Version", `"1"`},
		{`{"Version":«"2012-10-17","Statement":[]}`, `"2012-10-17" as Version`, `"1"`},
		{`{"Version":«1,"Statement":[]}`, "1 as Version", `"1"`},
		{`«{"Version":"1"}`, "without statements", "Statement"},
		{`«{"Version":"1","Statement":[]}`, "without statements", "Statement"},
		{`{"Version":"1","Statement":«"x"}`, `"x" as Statement`, "list of statements"},
		{`{"Version":"1","Statement":[«1]}`, "1 as a statement", "an object"},
		{`{"Version":"1",«"Id":"x"}`, `"Id"`, "Version, Statement"},
		{`{"Version":"1",«"Version":"1"}`, "a second time", "once"},
		{`{"Version":"1",` + "\n  " + `"Statement":[{«"Sid":"x"}]}`, `"Sid"`, "Effect, Action"},
		// the statement
		{`{"Version":"1","Statement":[«{"Action":"a:b","Resource":"*"}]}`, "without Effect", "Allow"},
		{`{"Version":"1","Statement":{"Effect":«"allow"}}`, `"allow" as Effect`, "in this case"},
		{`{"Version":"1","Statement":{"Effect":«true}}`, "true as Effect", "in this case"},
		{`{"Version":"1","Statement":«{"Effect":"Allow","Resource":"*"}}`, "without actions", "NotAction"},
		{`{"Version":"1","Statement":«{"Effect":"Allow","Action":"a:b"}}`, "without Resource", "Resource"},
		{`{"Version":"1","Statement":{"Effect":"Allow","Action":"a:b",«"NotAction":"a:c","Resource":"*"}}`, "in one statement", "one of the two"},
		{`{"Version":"1","Statement":{"Effect":"Allow","Action":"a:b",«"NotResource":"*"}}`, `"NotResource"`, "Resource"},
		{`{"Version":"1","Statement":{"Effect":"Allow",«"Principal":{}}}`, `"Principal"`, "Resource"},
		{`{"Version":"1","Statement":{"Effect":"Allow","Action":«{}}}`, "an object in Action", "in quotes"},
		{`{"Version":"1","Statement":{"Effect":"Allow","Action":["a:b",«5]}}`, "5 in Action", "in quotes"},
		{`{"Version":"1","Statement":{"Effect":"Allow","Action":[«]}}`, "nothing in Action", "at least one"},
		{`{"Version":"1","Statement":{"Effect":"Allow","NotAction":[«`, "the end of the text", "JSON"},
		{`{"Version":"1","Statement":{"Effect":"Allow","Action":«`, "the end of the text", "JSON"},
		{`{"Version":"1","Statement":[«`, "the end of the text", "JSON"},
		{`{"Version":"1","Statement":«`, "the end of the text", "JSON"},
		{`{"Version":«`, "the end of the text", "JSON"},
		// actions and resources
		{`{"Version":"1","Statement":{"Effect":"Allow","Action":«"GetUser","Resource":"*"}}`, `"GetUser" as an action`, "service:Operation"},
		{`{"Version":"1","Statement":{"Effect":"Allow","Action":"a:b","Resource":«"arn:aws:s3:::b"}}`, `as a resource`, "acs:service:region:account:resource"},
		{`{"Version":"1","Statement":{"Effect":"Allow","Action":"a:b","Resource":["*",«"acs:ram:*:user/x"]}}`, `as a resource`, "acs:service:region:account:resource"},
		{`{"Version":"1","Statement":{"Effect":"Allow","Action":"a:b","Resource":«"acs:ram:*:*:"}}`, `as a resource`, "acs:service:region:account:resource"},
		// conditions
		{`{"Version":"1","Statement":{"Effect":"Allow","Condition":«[]}}`, "a list as Condition", "operators"},
		{`{"Version":"1","Statement":{"Effect":"Allow","Condition":{«"Null":{"acs:MFAPresent":"true"}}}}`, `operator "Null"`, "NotIpAddress"},
		{`{"Version":"1","Statement":{"Effect":"Allow","Condition":{«"BoolIfExists":{"acs:MFAPresent":"true"}}}}`, `operator "BoolIfExists"`, "NotIpAddress"},
		{`{"Version":"1","Statement":{"Effect":"Allow","Condition":{«"ForAnyValue:StringEquals":{"a:k":"v"}}}}`, `"ForAnyValue:StringEquals"`, "NotIpAddress"},
		{`{"Version":"1","Statement":{"Effect":"Allow","Condition":{"Bool":«"true"}}}`, `"true" as the operator Bool`, "condition keys"},
		{`{"Version":"1","Statement":{"Effect":"Allow","Condition":{"Bool":{"acs:MFAPresent":«true}}}}`, "true in acs:MFAPresent", "in quotes"},
		{`{"Version":"1","Statement":{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{"Bool":{«"MFAPresent":"true"}}}}`, `"MFAPresent" as a condition key`, "acs:Key"},
		{`{"Version":"1","Statement":{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{"Bool":{"acs:MFAPresent":["true",«"false"]}}}}`, "more than one value for Bool", "true"},
		{`{"Version":"1","Statement":{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{"Bool":{"acs:MFAPresent":«"yes"}}}}`, `"yes" for Bool`, "true"},
		{`{"Version":"1","Statement":{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{"NumericEquals":{"a:n":«"x"}}}}`, `"x" for NumericEquals`, "number"},
		{`{"Version":"1","Statement":{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{"DateLessThan":{"acs:CurrentTime":«"soon"}}}}`, `"soon"`, "ISO 8601"},
		{`{"Version":"1","Statement":{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{"IpAddress":{"acs:SourceIp":«"10.0.0.0/33"}}}}`, `"10.0.0.0/33"`, "CIDR"},
		{`{"Version":"1","Statement":{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{"NotIpAddress":{"acs:SourceIp":«"fe80::1%eth0"}}}}`, `"fe80::1%eth0"`, "CIDR"},
	} {
		refused(t, c.src, Identity, c.found, c.want)
	}
}

func TestTrustGrammar(t *testing.T) {
	statement := func(s string) string { return `{"Version":"1","Statement":[` + s + `]}` }
	for _, c := range []struct{ src, found, want string }{
		{`«{"Effect":"Allow","Action":"sts:AssumeRole"}`, "without Principal", "Principal"},
		{`{"Effect":"Allow",«"Resource":"*"}`, `"Resource"`, "Principal"},
		{`{"Effect":"Allow","Principal":«"*"}`, `"*" as Principal`, "RAM, Service, Federated"},
		{`{"Effect":"Allow","Principal":{«}}`, "names nobody", "RAM, Service, Federated"},
		{`{"Effect":"Allow","Principal":{«"AWS":"*"}}`, `"AWS"`, "RAM, Service, Federated"},
		{`{"Effect":"Allow","Principal":{"RAM":«1}}`, "1 in RAM", "in quotes"},
		{`{"Effect":"Allow","Principal":{"RAM":«"*"},"Action":"sts:AssumeRole"}`, `"*" as a principal`, "without wildcards"},
		{`{"Effect":"Allow","Principal":{"RAM":["acs:ram::1:root",«"acs:ram::1:group/x"]},"Action":"sts:AssumeRole"}`, "as a principal of type RAM", "user/name"},
		{`{"Effect":"Allow","Principal":{"Service":«"ecs"},"Action":"sts:AssumeRole"}`, "as a principal of type Service", "aliyuncs.com"},
		{`{"Effect":"Allow","Principal":{"Federated":«"acs:ram::1:user/x"},"Action":"sts:AssumeRole"}`, "as a principal of type Federated", "provider"},
		{`«{"Effect":"Allow","Principal":{"RAM":"acs:ram::1:root"}}`, "without actions", "Action"},
		{`{"Effect":"Allow","Principal":{"RAM":"acs:ram::1:root"},"Action":«"ram:GetUser"}`, "action of a trust policy", "sts:AssumeRole"},
		{`{"Effect":"Allow","Principal":{"RAM":"acs:ram::1:root"},"Action":"sts:AssumeRole","Condition":{"Bool":{"acs:MFAPresent":«"x"}}}`, `"x"`, "true"},
	} {
		refused(t, statement(c.src), TrustPolicy, c.found, c.want)
	}
	for _, ok := range []string{"sts:AssumeRole", "sts:assumerole", "sts:*", "*", "sts:AssumeRoleWithOIDC", "STS:AssumeRole?ithSAML", "sts:SetSourceIdentity"} {
		src := statement(`{"Effect":"Allow","Principal":{"RAM":"acs:ram::1:root"},"Action":"` + ok + `"}`)
		if _, err := Parse([]byte(src), TrustPolicy); err != nil {
			t.Errorf("%s: %v", ok, err)
		}
	}
}

// refused parses a document with a marker in it.
func refused(t *testing.T, marked string, kind Kind, found, want string) {
	t.Helper()
	before, _, _ := strings.Cut(marked, "«")
	src := strings.Replace(marked, "«", "", 1)
	d, err := Parse([]byte(src), kind)
	e, ok := err.(*Error)
	if !ok || d != nil {
		t.Errorf("%s\naccepted, or refused with %v", src, err)
		return
	}
	line, column := position([]byte(src), len(before))
	if e.Line != line || e.Column != column || e.Quota || !strings.Contains(e.Found, found) || !strings.Contains(e.Want, want) {
		t.Errorf("%s\n%v\nwant line %d, column %d, %q, %q", src, e, line, column, found, want)
	}
	if !strings.HasPrefix(e.Error(), "line ") {
		t.Errorf("the text is %q", e.Error())
	}
}

func TestQuotas(t *testing.T) {
	sized := func(n int) string {
		const frame = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"a:","Resource":"*"}]}`
		return strings.Replace(frame, "a:", "a:"+strings.Repeat("b", n-len(frame)), 1)
	}
	for kind, quota := range map[Kind]int{Identity: 6144, SessionPolicy: 2048, ControlPolicy: 4096, SystemPolicy: MaxSource} {
		if kind.Quota() != quota {
			t.Errorf("the quota of kind %d is %d", kind, kind.Quota())
		}
		if _, err := Parse([]byte(sized(quota)), kind); err != nil {
			t.Errorf("%d characters are refused: %v", quota, err)
		}
		_, err := Parse([]byte(sized(quota+1)), kind)
		if e, ok := err.(*Error); !ok || !e.Quota {
			t.Errorf("one character too many: %v", err)
		}
	}
	if TrustPolicy.Quota() != MaxTrustSize {
		t.Error("quota of trust policies")
	}
	// White space and comments do not count, but have a bound of their own.
	src := "// why\n" + sized(6144) + strings.Repeat(" ", 100) + "/* é */"
	if n := Size([]byte(src)); n != 6144 {
		t.Errorf("the size is %d", n)
	}
	if _, err := Parse([]byte(src), Identity); err != nil {
		t.Error(err)
	}
	_, err := Parse([]byte(sized(6144)+strings.Repeat(" ", MaxSource)), Identity)
	if e, ok := err.(*Error); !ok || !e.Quota {
		t.Errorf("too much white space: %v", err)
	}
	if n := Size([]byte("/*")); n != 2 {
		t.Errorf("the size of a text that is no document is %d", n)
	}
}

func TestSpeaks(t *testing.T) {
	for src, want := range map[string]bool{
		`{"Version":"1"`: true,
		` { // RAM` + "\n" + `"Statement":[{}],"Version":"1"}`: true,
		`{"Version":"2012-10-17"}`:                             false,
		`{"Version":1}`:                                        false,
		`{"Statement":[]}`:                                     false,
		`{"Statement":[`:                                       false,
		`{"Version":`:                                          false,
		`["Version","1"]`:                                      false,
		`/*`:                                                   false,
		``:                                                     false,
	} {
		if got := Speaks([]byte(src)); got != want {
			t.Errorf("%s: %v", src, got)
		}
	}
}

func TestRulesKnowWhereTheyStand(t *testing.T) {
	const src = "{\"Version\":\"1\",\"Statement\":[\n  // first\n  {\"Effect\":\"Deny\",\"Action\":\"a:b\",\"Resource\":\"*\",\n" +
		"   \"Condition\":{\"StringNotLike\":{\"acs:ResourceTag/k\":[\"x*\",\"y\"]},\"Bool\":{\"ACS:MFAPresent\":\"true\",\"acs:SecureTransport\":\"true\"}}},\n" +
		"  /* second */ {\"Effect\":\"Allow\",\"Action\":\"a:b\",\"Resource\":\"*\",\"Condition\":{\"Bool\":{\"acs:mfapresent\":\"true\"}}}]}"
	d, err := Parse([]byte(src), Identity)
	if err != nil {
		t.Fatal(err)
	}
	rules := d.Rules(policy.RuleID{Policy: "p", Version: "v2"})
	if d.Len() != 2 || len(rules) != 2 {
		t.Fatalf("%d statements, %d rules", d.Len(), len(rules))
	}
	for i, want := range []policy.RuleID{
		{Policy: "p", Version: "v2", Index: 0, Line: 3, Column: 3},
		{Policy: "p", Version: "v2", Index: 1, Line: 5, Column: 16},
	} {
		if rules[i].ID != want || rules[i].Lang != Language {
			t.Errorf("rule %d is %+v", i, rules[i].ID)
		}
	}
	var labels []string
	policy.Walk(rules[0].When, func(x *policy.Test) { labels = append(labels, x.Label) })
	if got := strings.Join(labels, "; "); got != `StringNotLike acs:ResourceTag/k ["x*", "y"]; Bool ACS:MFAPresent ["true"]; Bool acs:SecureTransport ["true"]` {
		t.Errorf("labels: %s", got)
	}
	if got := strings.Join(d.ContextKeys(), " "); got != "acs:ResourceTag/k ACS:MFAPresent acs:SecureTransport" {
		t.Errorf("context keys: %s", got)
	}
}

func TestFindings(t *testing.T) {
	for _, c := range []struct{ statement, codes string }{
		{`{"Effect":"Allow","Action":"*","Resource":"*"}`, ""},
		{`{"Effect":"Allow","NotAction":"ram:*","Resource":"*"}`, LintAllowNot},
		{`{"Effect":"Deny","NotAction":"ram:*","Resource":"*"}`, ""},
		{`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"acs:MFAPresent":"false"}}}`, LintMFADeny + " " + LintMFALockout},
		{`{"Effect":"Deny","NotAction":["ram:CreateVirtualMFADevice","ram:BindMFADevice"],"Resource":"*","Condition":{"Bool":{"acs:MFAPresent":"false"}}}`, LintMFADeny},
		{`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"acs:MFAPresent":"true"}}}`, LintMFANegated},
		{`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"acs:MFAPresent":"true"}}}`, ""},
		{`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"ecs:CommandRunAs":"root"}}}`, LintNegated},
		{`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"ecs:CommandRunAs":"root"}}}`, ""},
		{`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"acs:PrincipalARN":"acs:ram:*:*:user/x"}}}`, LintLikeWildcard},
		{`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"acs:RAMMFAPresent":"x","acs:ResourceTag/k":"v"}}}`, LintKey},
		{`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"acs:SourceIp/k":"x"}}}`, LintKey},
		{`{"Effect":"Allow","Action":"ram:*","Resource":["acs:ram:cn-hangzhou:*:user/x","acs:ram:*:*:*","acs:ecs:cn-hangzhou:*:*"]}`, LintRegion},
	} {
		d, err := Parse([]byte(`{"Version":"1","Statement":`+c.statement+`}`), Identity)
		if err != nil {
			t.Fatal(err)
		}
		var codes []string
		for _, f := range d.Findings() {
			codes = append(codes, f.Code)
			if f.Line != 1 || f.Column < 2 || f.Message == "" {
				t.Errorf("%+v", f)
			}
		}
		if got := strings.Join(codes, " "); got != c.codes {
			t.Errorf("%s\n%s, want %s", c.statement, got, c.codes)
		}
	}
	d, err := Parse([]byte(`{"Version":"1","Statement":{"Effect":"Allow","Principal":{"RAM":"acs:ram::1:root"},"Action":"sts:AssumeRole"}}`), TrustPolicy)
	if err != nil || len(d.Findings()) != 0 {
		t.Errorf("a trust policy: %v %v", err, d.Findings())
	}
}

// FuzzParse: whatever the bytes, the answer is a document or an *Error with a
// position, and a document can be decided on.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"Version":"1","Statement":[{"Effect":"Allow","Action":["a:*"],"Resource":"acs:ram:*:*:user/?","Condition":{"StringNotLike":{"acs:ResourceTag/k":["x*"]}}}]}`), uint8(Identity))
	f.Add([]byte("{\"Version\":\"1\",// c\n\"Statement\":{\"Effect\":\"Deny\",\"NotAction\":\"*\",\"Resource\":\"*\",\"Condition\":{\"IpAddress\":{\"acs:SourceIp\":\"::/0\"}}}}"), uint8(ControlPolicy))
	f.Add([]byte(`{"Version":"1","Statement":{"Effect":"Allow","Principal":{"RAM":["acs:ram::1:root","acs:ram:*:1:user/x"],"Service":"ecs.aliyuncs.com"},"Action":"sts:AssumeRole"}}`), uint8(TrustPolicy))
	f.Fuzz(func(t *testing.T, src []byte, kind uint8) {
		k := Kind(kind % uint8(SystemPolicy+1))
		d, err := Parse(src, k)
		if err != nil {
			if e, ok := err.(*Error); !ok || e.Line < 1 || e.Column < 1 || e.Found == "" || e.Want == "" {
				t.Fatalf("%#v", err)
			}
			return
		}
		if !Speaks(src) {
			t.Fatal("a document that does not say what it is")
		}
		d.Findings()
		keys := policy.Map{}
		for _, key := range d.ContextKeys() {
			keys.Set(key, policy.String("x"))
		}
		req := policy.Request{Principal: policy.Principal{Kind: policy.User, Account: "1"}, Context: keys}
		req.Actions[Language], req.Resources[Language] = "ram:GetUser", "acs:ram::1:user/x"
		l := policy.Compile(d.Rules(policy.RuleID{}), nil).Layer(policy.Identity)
		if tr := policy.Explain(&req, l); tr.Decision != policy.Decide(&req, l) {
			t.Fatal("the trace differs")
		}
	})
}
