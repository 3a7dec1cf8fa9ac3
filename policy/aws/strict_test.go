package aws

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"warifu/policy"
)

const statementOK = `{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}`

func document(statement string) string {
	return `{"Version": "2012-10-17", "Statement": ` + statement + `}`
}

// TestStrictReading: what could be read in two ways is refused, and the error says
// where and why.
func TestStrictReading(t *testing.T) {
	deep := strings.Repeat("[", 4000) + strings.Repeat("]", 4000)
	for _, c := range []struct{ name, src, found string }{ // § marks where the error should point
		{"duplicate element", document("{\n \"Effect\": \"Deny\",\n §\"Effect\": \"Allow\", \"Action\": \"*\", \"Resource\": \"*\"}"), `the element "Effect" a second time`},
		{"element in another case", document(`{"Effect": "Deny", §"effect": "Allow", "Action": "*", "Resource": "*"}`), `the element "effect" a second time`},
		{"only the other case", document(`{§"effect": "Allow", "Action": "*", "Resource": "*"}`), `the element "effect"`},
		{"duplicate escaped", document(`{"Effect": "Deny", §"\u0045ffect": "Allow", "Action": "*", "Resource": "*"}`), `the element "Effect" a second time`},
		{"duplicate at the top", `{"Version": "2012-10-17", §"Version": "2008-10-17", "Statement": ` + statementOK + `}`, `the element "Version" a second time`},
		{"duplicate operator", document(`{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"a": "true"}, §"Bool": {"a": "false"}}}`), `the condition operator "Bool" a second time`},
		{"duplicate key in another case", document(`{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:A": "true", §"AWS:a": "false"}}}`), `the condition key "AWS:a" a second time`},
		{"invalid UTF-8", document("{\"Effect\": \"Allow\", \"Action\": §\"s3:\xff\", \"Resource\": \"*\"}"), "text that is not JSON"},
		{"lone surrogate", document(`{"Effect": "Allow", "Action": §"s3:\ud800", "Resource": "*"}`), "text that is not JSON"},
		{"comment", "§// hello\n" + document(statementOK), "text that is not JSON"},
		{"trailing comma", document(`[` + statementOK + `,§]`), "text that is not JSON"},
		{"second document", document(statementOK) + " §{}", "text after the document"},
		{"rubbish behind", document(statementOK) + " §x", "text after the document"},
		{"cut off", `{"Version": "2012-10-17", "Statement": [§`, "the end of the text"},
		{"cut off after the document", document(statementOK) + " §[", "text after the document"},
		{"empty", "§", "the end of the text"},
		{"a list", "§[]", "a list"},
		{"no statement", `{"Version": "2012-10-17"§}`, "a document without statements"},
		{"version as number", `{"Version": §2012, "Statement": ` + statementOK + `}`, "2012 as Version"},
		{"id as list", `{"Id": §[], "Statement": ` + statementOK + `}`, "a list as Id"},
		{"nested lists", document(`[§` + deep + `]`), "a list as a statement"},
		{"nested lists in a condition", document(`{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"a": [§` + deep + `]}}}`), "a list in a"},
		{"fault in a later statement", document(`[` + statementOK + `, {§"effect": "Allow"}]`), `the element "effect"`},
		{"text as a statement", document(`[§"x"]`), `"x" as a statement`},
		{"end of the object", `{"Statement": §}`, "text that is not JSON"},
		{"cut off in a list of statements", `{"Statement": [` + statementOK + `§`, "the end of the text"},
		{"null", document("§null"), "null as Statement"},
		{"number as action", document(`{"Effect": "Allow", "Action": §1, "Resource": "*"}`), "1 in Action"},
		{"null in a list", document(`{"Effect": "Allow", "Action": ["a:b", §null], "Resource": "*"}`), "null in Action"},
		{"principal as text", document(`{"Effect": "Allow", "Principal": §"everyone", "Action": "*", "Resource": "*"}`), `"everyone" as Principal`},
		{"principal type", document(`{"Effect": "Allow", "Principal": {§"GCP": "x"}, "Action": "*", "Resource": "*"}`), `the principal type "GCP"`},
		{"principal value", document(`{"Effect": "Allow", "Principal": {"AWS": §{}}, "Action": "*", "Resource": "*"}`), "an object in AWS"},
		{"both principals", document(`{"Effect": "Allow", "Principal": "*", §"NotPrincipal": "*", "Action": "*", "Resource": "*"}`), "Principal and NotPrincipal in one statement"},
		{"operator without object", document(`{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": §true}}`), "true for the operator Bool"},
		{"Null has no IfExists", document(`{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {§"NullIfExists": {"a": "true"}}}`), `the condition operator "NullIfExists"`},
		{"operator in another case", document(`{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {§"bool": {"a": "true"}}}`), `the condition operator "bool"`},
		{"cut off in a name", `{"Version": "2012-10-17", §"Stat`, "text that is not JSON"},
		{"cut off in a statement", `{"Statement": {"Effect": §`, "the end of the text"},
		{"cut off in a version", `{"Version": §`, "the end of the text"},
		{"cut off before Statement", `{"Statement": §`, "the end of the text"},
		{"cut off in a list", `{"Statement": {"Action": [§`, "the end of the text"},
		{"cut off before an action", `{"Statement": {"Action": §`, "the end of the text"},
		{"cut off before a principal", `{"Statement": {"Principal": §`, "the end of the text"},
		{"cut off before a condition", `{"Statement": {"Condition": §`, "the end of the text"},
		{"cut off before an operator", `{"Statement": {"Condition": {"Bool": §`, "the end of the text"},
		{"cut off in an operator", `{"Statement": {"Condition": {"Bool": {§`, "the end of the text"},
	} {
		src := strings.Replace(c.src, "§", "", 1)
		before := c.src[:strings.Index(c.src, "§")]
		line := strings.Count(before, "\n") + 1
		column := len(before) - strings.LastIndex(before, "\n")
		for _, kind := range []Kind{Inline, ResourcePolicy} {
			_, err := Parse([]byte(src), kind)
			var e *Error
			if !errors.As(err, &e) {
				t.Errorf("%s: accepted by kind %d", c.name, kind)
				continue
			}
			if e.Line != line || e.Column != column || e.Found != c.found || e.Message != msgSyntax {
				t.Errorf("%s: %v (%s)\nwant line %d, column %d, found %s", c.name, err, e.Message, line, column, c.found)
			}
			if want := fmt.Sprintf("line %d, column %d: found %s; allowed: ", e.Line, e.Column, e.Found); !strings.HasPrefix(err.Error(), want) || e.Want == "" {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	}
}

// TestQuota: sizes count without white space; the text with it is bounded, too.
func TestQuota(t *testing.T) {
	fill := func(n int) string {
		frame := document(`{"Effect":"Allow","Action":"s3:","Resource":"*"}`)
		return strings.Replace(frame, "s3:", "s3:"+strings.Repeat("x", n-Size([]byte(frame))), 1)
	}
	for kind, quota := range map[Kind]int{Managed: 6144, BoundaryPolicy: 6144, Inline: 10240, SessionPolicy: 2048, ServiceControl: 5120} {
		if _, err := Parse([]byte(fill(quota)), kind); err != nil {
			t.Errorf("kind %d: %d characters refused: %v", kind, quota, err)
		}
		_, err := Parse([]byte(fill(quota+1)), kind)
		if e, ok := err.(*Error); !ok || !e.Quota || e.Message != fmt.Sprintf("Cannot exceed quota for PolicySize: %d", quota) {
			t.Errorf("kind %d: %d characters: %v", kind, quota+1, err)
		}
	}
	if TrustPolicy.Quota() != MaxTrustSize || ResourcePolicy.Quota() != 20480 || ResourceControl.Quota() != 5120 || VendorPolicy.Quota() != MaxVendorSize {
		t.Error("quotas")
	}
	spaces := strings.Repeat(" \n", MaxSource/4)
	if _, err := Parse([]byte(document(statementOK)+spaces), Managed); err != nil {
		t.Errorf("white space counts: %v", err)
	}
	_, err := Parse([]byte(document(statementOK)+spaces+spaces), Managed)
	if e, ok := err.(*Error); !ok || !e.Quota {
		t.Errorf("a text of %d bytes: %v", MaxSource, err)
	}
}

// TestKinds: what each kind of document demands beyond the grammar.
func TestKinds(t *testing.T) {
	const trust = `{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"}`
	for _, c := range []struct {
		kind      Kind
		statement string
		message   string // "" if accepted
	}{
		{TrustPolicy, trust, ""},
		{TrustPolicy, `{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": ["sts:TagSession", "sts:assumerole", "sts:Assume*"]}`, ""},
		{TrustPolicy, `{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "s3:GetObject"}`, msgTrustActions},
		{TrustPolicy, `{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:GetCallerIdentity"}`, msgTrustActions},
		{TrustPolicy, `{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "*"}`, msgTrustActions},
		{TrustPolicy, `{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "AssumeRole"}`, msgVendor},
		{TrustPolicy, `{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole", "Resource": "*"}`, "Has prohibited field Resource"},
		{TrustPolicy, `{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole", "NotResource": "*"}`, "Has prohibited field Resource"},
		{TrustPolicy, `{"Effect": "Allow", "NotPrincipal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"}`, "Has prohibited field NotPrincipal"},
		{TrustPolicy, `{"Effect": "Allow", "Action": "sts:AssumeRole"}`, "Missing required field Principal"},
		{TrustPolicy, `{"Effect": "Allow", "Principal": {"AWS": "111122223333"}}`, msgActions},
		{TrustPolicy, `{"Effect": "Allow", "Principal": {"AWS": "alice"}, "Action": "sts:AssumeRole"}`, `Invalid principal in policy: "AWS":"alice"`},
		{TrustPolicy, `x`, msgInvalidJSON},
		{Inline, `{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}`, msgNoPrincipal},
		{Managed, `{"Effect": "Allow", "NotPrincipal": {"AWS": "*"}, "Action": "*", "Resource": "*"}`, msgNoPrincipal},
		{ResourcePolicy, statementOK, "Missing required field Principal"},
		{ResourcePolicy, `{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}`, ""},
		{ResourcePolicy, `{"Effect": "Allow", "Principal": {"CanonicalUser": "abc", "Service": ["a.amazonaws.com"], "Federated": "*", "AWS": ["*", "AIDAJQABLZS4A3QDU576"]}, "Action": "*", "Resource": "*"}`, ""},
		{ResourcePolicy, `{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:user/*"}, "Action": "*", "Resource": "*"}`, `Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:user/*"`},
		{ResourcePolicy, `{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:group/g"}, "Action": "*", "Resource": "*"}`, `Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:group/g"`},
		{ResourcePolicy, `{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::1:user/a"}, "Action": "*", "Resource": "*"}`, `Invalid principal in policy: "AWS":"arn:aws:iam::1:user/a"`},
		{ResourcePolicy, `{"Effect": "Allow", "Principal": {"Service": ""}, "Action": "*", "Resource": "*"}`, `Invalid principal in policy: "Service":""`},
		{ResourceControl, `{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}`, ""},
		{ResourceControl, `{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "s3:*", "Resource": "*"}`, ""},
		{ResourceControl, `{"Effect": "Deny", "Principal": {"AWS": "111122223333"}, "Action": "s3:*", "Resource": "*"}`, msgSyntax},
		{ResourceControl, `{"Effect": "Deny", "NotPrincipal": "*", "Action": "s3:*", "Resource": "*"}`, msgSyntax},
		{ServiceControl, `{"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}`, ""},
		{SessionPolicy, statementOK, ""},
		{Inline, `{"Effect": "Allow", "Action": "*", "Resource": "arn:aws:iam::111122223333:root"}`, ""},
		{Inline, `{"Effect": "Allow", "Action": "*", "Resource": "arn:aws:iam::111122223333:ro*"}`, ""},
		{Inline, `{"Effect": "Allow", "Action": "*", "Resource": "arn:aws:iam::111122223333:x*"}`, "IAM resource path must either be \"*\", root, or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/."},
		{Inline, `{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/33"}}}`, msgLegacy},
		{Inline, `{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "fe80::1%eth0"}}}`, msgLegacy},
		{Inline, `{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"NumericEquals": {"k": "ten"}}}`, msgLegacy},
		{Inline, `{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"NumericEquals": {"k": 10}}}`, ""},
		{Inline, `{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Null": {"k": "maybe"}}}`, msgLegacy},
		{Inline, `{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"BinaryEquals": {"k": "!"}}}`, msgLegacy},
	} {
		src := document(c.statement)
		_, err := Parse([]byte(src), c.kind)
		switch e, _ := err.(*Error); {
		case c.message == "" && err != nil:
			t.Errorf("kind %d: %s\nrefused: %v", c.kind, c.statement, err)
		case c.message != "" && err == nil:
			t.Errorf("kind %d: %s\naccepted, want %q", c.kind, c.statement, c.message)
		case c.message != "" && e.Message != c.message:
			t.Errorf("kind %d: %s\n%q, want %q", c.kind, c.statement, e.Message, c.message)
		}
	}
	old := `{"Version": "2008-10-17", "Id": "x", "Statement": [` + trust + `]}`
	d, err := Parse([]byte(old), TrustPolicy)
	if err != nil || d.Version() != "2008-10-17" || d.Len() != 1 {
		t.Errorf("an old trust policy: %v", err)
	}
	if d, err := Parse([]byte(`{"Statement": [`+trust+`]}`), TrustPolicy); err != nil || d.Version() != "2008-10-17" {
		t.Errorf("a trust policy without version: %v", err)
	}
	if _, err := Parse([]byte(`{"Statement": `+statementOK+`}`), ServiceControl); err == nil || err.(*Error).Message != msgVersion {
		t.Errorf("a control policy without version: %v", err)
	}
}

// TestRuleIDs: a rule says where it stands.
func TestRuleIDs(t *testing.T) {
	d, err := Parse([]byte("{\"Version\": \"2012-10-17\", \"Statement\": [\n  "+statementOK+",\n  {\"Sid\": \"B\", \"Effect\": \"Deny\", \"Action\": \"*\", \"Resource\": \"*\"}]}"), Managed)
	if err != nil {
		t.Fatal(err)
	}
	r := d.Rules(policy.RuleID{Policy: "p", Version: "v2"})
	want := []policy.RuleID{{Policy: "p", Version: "v2", Index: 0, Line: 2, Column: 3, EndLine: 2, EndColumn: 65}, {Policy: "p", Version: "v2", Sid: "B", Index: 1, Line: 3, Column: 3, EndLine: 3, EndColumn: 65}}
	if r[0].ID != want[0] || r[1].ID != want[1] || r[1].Effect.String() != "Deny" || r[0].Effect.String() != "Allow" {
		t.Errorf("%+v", r)
	}
}
