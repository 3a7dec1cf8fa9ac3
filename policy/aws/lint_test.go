package aws

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"warifu/policy"
	"warifu/policy/aws/catalog"
)

func mustParse(t testing.TB, src string, kind Kind) *Document {
	t.Helper()
	d, err := Parse([]byte(src), kind)
	if err != nil {
		t.Fatalf("%s\n%v", src, err)
	}
	return d
}

// known is the catalogue as a vocabulary.
var known = Vocabulary{
	Actions: func(service string) ([]string, bool) {
		if !catalog.KnownService(service) {
			return nil, false
		}
		var names []string
		for _, a := range catalog.Actions(service) {
			names = append(names, a.Name)
		}
		return names, true
	},
	Key: catalog.ConditionKeyKnown,
}

func TestFindings(t *testing.T) {
	for _, c := range []struct {
		statement string
		want      string // code@line:column, joined by spaces
	}{
		{statementOK, ""},
		{`{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": ["false", "true"]}}}`, ""},
		{"{\"Effect\": \"Deny\", \"Action\": \"*\", \"Resource\": \"*\",\n \"Condition\": {\"Bool\": {\"aws:MultiFactorAuthPresent\": \"false\"}}}", "mfa-bool-misses-keys@2:16"},
		{`{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}`, ""},
		{`{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"ForAllValues:Bool": {"aws:MultiFactorAuthPresent": "false"}}}`, ""},
		{`{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"AWS:multifactorauthpresent": true}}}`, ""},
		{`{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"BoolIfExists": {"AWS:multifactorauthpresent": true}}}`, "mfa-allow-ifexists@1:106"},
		{`{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Null": {"aws:MultiFactorAuthPresent": "true"}}}`, "mfa-null@1:105"},
		{`{"Effect": "Allow", "NotAction": "iam:*", "NotResource": "arn:aws:s3:::b"}`, "allow-not-action@1:60 allow-not-resource@1:82"},
		{`{"Effect": "Deny", "NotAction": "iam:*", "NotResource": "arn:aws:s3:::b"}`, ""},
		{`{"Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjekt", "s3:Get*", "s3:*Xyz", "nosuch:*", "*"], "Resource": "*"}`, "unknown-action@1:87 unknown-action@1:114 unknown-action@1:125"},
		{`{"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": "*", "Condition": {"StringLike": {"s3:prefix": "x"}}}`, ""},
		{`{"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": "*", "Condition": {"StringLike": {"ec2:InstanceType": "x"}}}`, "unknown-key@1:135"},
		{`{"Effect": "Allow", "Action": ["*"], "Resource": "*", "Condition": {"StringLike": {"ec2:InstanceType": "x"}}}`, ""},
		{`{"Sid": "a_b", "Effect": "Allow", "Action": "*", "Resource": "*"}`, "sid-form@1:48"},
		{`{"Sid": "ab", "Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"x": {}}}`, ""},
		{`{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}}`, "for-all-values-allow@1:106"},
		{`{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}}`, ""},
		{`{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:username": ["a*", "${aws:userid}*"]}, "StringLike": {"aws:userid": "b*"}}}`, "wildcard-in-equals@1:139"},
		{`{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": ["yes", "${x}"]}}}`, "value-never-matches@1:138"},
		{`{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"ArnLike": {"aws:PrincipalArn": ["arn:aws:iam", "*"]}}}`, "value-never-matches@1:138"},
	} {
		d := mustParse(t, document(c.statement), Inline)
		var got []string
		for _, f := range d.Findings(known) {
			got = append(got, fmt.Sprintf("%s@%d:%d", f.Code, f.Line, f.Column))
			if f.Message == "" {
				t.Errorf("%s without message", f.Code)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s\n got %v\nwant %s", c.statement, got, c.want)
		}
	}
	who := mustParse(t, document(`{"Sid": "W", "Effect": "Allow", "NotPrincipal": {"AWS": "111122223333"}, "Action": "nosuch:x", "Resource": "*", "Condition": {"Bool": {"no:key": "true"}}}`), ResourcePolicy)
	if f := who.Findings(Vocabulary{}); len(f) != 1 || f[0].Code != LintAllowNotWho || f[0].Sid != "W" {
		t.Errorf("%+v", f)
	}
	old := mustParse(t, `{"Version": "2008-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "arn:aws:s3:::${aws:username}", "Condition": {"StringEquals": {"k": "${aws:userid}"}}}}`, Inline)
	if f := old.Findings(Vocabulary{}); len(f) != 2 || f[0].Code != LintVariable || f[1].Code != LintVariable {
		t.Errorf("%+v", f)
	}
}

func TestFormat(t *testing.T) {
	const src = `{"Statement": [{"Condition": {"Bool": {"b": true}, "StringEquals": {"a": ["x", "y\u0000\""], "n": [1.50]}, "x": {}}, "Resource": [], "Action": "s3:*", "Principal": {"AWS": ["1", "2"], "Service": "s"}, "Effect": "Allow", "Sid": "S"},
		{"NotPrincipal": "*", "Effect": "Deny", "NotAction": ["a:b"], "NotResource": "*"}], "Id": "i", "Version": "2012-10-17"}`
	const want = `{
  "Version": "2012-10-17",
  "Id": "i",
  "Statement": [
    {
      "Sid": "S",
      "Effect": "Allow",
      "Principal": {
        "AWS": [
          "1",
          "2"
        ],
        "Service": "s"
      },
      "Action": "s3:*",
      "Resource": [],
      "Condition": {
        "Bool": {
          "b": true
        },
        "StringEquals": {
          "a": [
            "x",
            "y\u0000\""
          ],
          "n": [
            1.50
          ]
        },
        "x": {}
      }
    },
    {
      "Effect": "Deny",
      "NotPrincipal": "*",
      "NotAction": [
        "a:b"
      ],
      "NotResource": "*"
    }
  ]
}
`
	d, err := read([]byte(src), ResourcePolicy) // the values are nonsense: only the form counts here
	if err != nil {
		t.Fatal(err)
	}
	if got := string(d.Format()); got != want {
		t.Errorf("got %s", got)
	}
	one := mustParse(t, `{"Statement":`+statementOK+`}`, Inline)
	if got := string(one.Format()); got != "{\n  \"Statement\": {\n    \"Effect\": \"Allow\",\n    \"Action\": \"s3:GetObject\",\n    \"Resource\": \"*\"\n  }\n}\n" {
		t.Errorf("got %s", got)
	}
}

func TestVariables(t *testing.T) {
	v := func(name string) policy.Piece { return policy.Piece{Kind: policy.Var, Text: name} }
	d := func(name, def string) policy.Piece {
		return policy.Piece{Kind: policy.Var, Text: name, Default: def, HasDefault: true}
	}
	l := func(s string) policy.Piece { return policy.Piece{Kind: policy.Lit, Text: s} }
	star := policy.Piece{Kind: policy.AnyRun}
	for s, want := range map[string]policy.Pattern{
		"a${k}b":    {l("a"), v("k"), l("b")},
		"${k}${l}*": {v("k"), v("l"), star},
		"${ k }":    {v("k")},
		"${k, 'd'}": {d("k", "d")}, "${k,'}'}": {d("k", "}")}, "${k, '' }x": {d("k", ""), l("x")}, "${k, 'a*'}": {d("k", "a*")},
		"${*}${?}${$}": {l("*"), l("?"), l("$")},
		"${}":          {l("${}")}, "${k": {l("${k")}, "$k}": {l("$k}")}, "$": {l("$")}, "${k, d}": {l("${k, d}")}, "${k, 'd}": {l("${k, 'd}")}, "${k, 'd'x}": {l("${k, 'd'x}")}, "${,'d'}": {l("${,'d'}")},
		"": nil, "**": {star, star},
	} {
		c := converter{variables: true}
		if got := c.pattern(s, true); !slices.Equal(got, want) {
			t.Errorf("%s: %+v", s, got)
		}
	}
}

func TestContextKeys(t *testing.T) {
	d := mustParse(t, document(`[{"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::${aws:USERNAME}/${*}", "Condition": {"StringLike": {"AWS:sourceip": "${aws:PrincipalTag/Team, 'x'}", "s3:prefix": "${aws:username}"}, "NumericEquals": {"aws:MultifactorAuthAge": 1}, "Bool": {"k": "${flag}"}}},
		{"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::${s3:x}"}]`), Inline)
	want := []string{"aws:username", "aws:SourceIp", "aws:PrincipalTag/Team", "s3:prefix", "aws:MultiFactorAuthAge", "k", "flag", "s3:x"}
	if got := d.ContextKeys(); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	if CanonicalKey("AWS:REQUESTTAG/CostCenter") != "aws:RequestTag/CostCenter" || CanonicalKey("ec2:Region") != "ec2:Region" || CanonicalKey("aws:username/x") != "aws:username/x" {
		t.Error("CanonicalKey")
	}
	if !MultiValued("AWS:tagkeys") || MultiValued("aws:username") {
		t.Error("MultiValued")
	}
}

func TestDenialMessage(t *testing.T) {
	const alice, role = "arn:aws:iam::111122223333:user/alice", "arn:aws:iam::111122223333:role/r"
	implicit := func(k policy.LayerKind) policy.Decision { return policy.Decision{Layer: k} }
	explicit := func(k policy.LayerKind) policy.Decision {
		return policy.Decision{Outcome: policy.ExplicitDeny, Layer: k}
	}
	for _, c := range []struct {
		d    Denial
		want string
	}{
		{Denial{Caller: "arn:aws:iam::1:user/u", Action: "iam:CreateVirtualMFADevice", Resource: "arn:aws:iam::1:mfa/deviceName", Decision: implicit(policy.Identity)},
			"User: arn:aws:iam::1:user/u is not authorized to perform: iam:CreateVirtualMFADevice on resource: arn:aws:iam::1:mfa/deviceName because no identity-based policy allows the iam:CreateVirtualMFADevice action"},
		{Denial{Caller: alice, Action: "ec2:DescribeInstances", Decision: explicit(policy.Identity)},
			"User: " + alice + " is not authorized to perform: ec2:DescribeInstances with an explicit deny in an identity-based policy"},
		{Denial{Caller: alice, Action: "a:b", Decision: implicit(policy.Boundary)}, "User: " + alice + " is not authorized to perform: a:b because no permissions boundary allows the a:b action"},
		{Denial{Caller: alice, Action: "a:b", Decision: explicit(policy.Boundary), Policy: "arn:aws:iam::1:policy/x"}, "User: " + alice + " is not authorized to perform: a:b with an explicit deny in a permissions boundary: arn:aws:iam::1:policy/x"},
		{Denial{Caller: alice, Action: "a:b", Decision: implicit(policy.Session)}, "User: " + alice + " is not authorized to perform: a:b because no session policy allows the a:b action"},
		{Denial{Caller: alice, Action: "a:b", Decision: implicit(policy.Resource)}, "User: " + alice + " is not authorized to perform: a:b because no resource-based policy allows the a:b action"},
		{Denial{Caller: alice, Action: "a:b", Decision: implicit(policy.Trust)}, "User: " + alice + " is not authorized to perform: a:b because no role trust policy allows the a:b action"},
		{Denial{Caller: alice, Action: "a:b", Decision: implicit(policy.Control)}, "User: " + alice + " is not authorized to perform: a:b with an explicit deny in a service control policy"},
		{Denial{Caller: alice, Action: "a:b", Decision: explicit(policy.ResourceControl)}, "User: " + alice + " is not authorized to perform: a:b with an explicit deny in a resource control policy"},
		{Denial{Caller: alice, Action: "sts:AssumeRole", Resource: role, Decision: implicit(policy.Trust), Bare: true}, "User: " + alice + " is not authorized to perform: sts:AssumeRole on resource: " + role},
	} {
		if got := c.d.Message(); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// TestExplain: a trace names what decided, and shows what a failed condition saw.
func TestExplain(t *testing.T) {
	d := mustParse(t, `{"Version": "2012-10-17", "Statement": [
  {"Sid": "Read", "Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*", "Condition": {"Bool": {"aws:SecureTransport": "true"}, "StringNotEquals": {"aws:RequestedRegion": ["us-east-1"]}, "Null": {"k": ["true", "false"]}}},
  {"Sid": "MFA", "Effect": "Deny", "NotAction": "iam:*", "Resource": "*", "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}},
  {"Sid": "Other", "Effect": "Allow", "Action": "ec2:*", "Resource": "*"},
  {"Sid": "Elsewhere", "Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::c/*"}]}`, Managed)
	set := policy.Compile(d.Rules(policy.RuleID{Policy: "p", Version: "v3"}), nil)
	req := policy.Request{Principal: principal(t, "user/alice"), Context: policy.Map{"aws:securetransport": policy.Bool(false), "aws:requestedregion": policy.String("us-east-1")}}
	req.Actions[Language], req.Resources[Language] = "s3:GetObject", "arn:aws:s3:::b/k"
	tr := policy.Explain(&req, set.Layer(policy.Identity))
	if dec := tr.Decision; dec.Outcome != policy.ExplicitDeny || *dec.Rule != (policy.RuleID{Policy: "p", Version: "v3", Sid: "MFA", Index: 1, Line: 3, Column: 3, EndLine: 3, EndColumn: 146}) {
		t.Fatalf("%+v", dec)
	}
	l := tr.Layers[0]
	if !l.Deny || l.Allow || len(l.Rules) != 3 || l.Rules[0].Rule.ID.Sid != "MFA" || !l.Rules[0].Applies {
		t.Fatalf("%+v", l)
	}
	if c := l.Rules[0].Conditions; len(c) != 1 || !c[0].Holds || c[0].Found || c[0].Label != `BoolIfExists aws:MultiFactorAuthPresent ["false"]` {
		t.Errorf("%+v", c)
	}
	read := l.Rules[1]
	if read.Rule.ID.Sid != "Read" || read.Applies || !read.Where || read.When || len(read.Conditions) != 4 {
		t.Fatalf("%+v", read)
	}
	if c := read.Conditions[0]; c.Holds || !c.Found || !slices.Equal(c.Saw, []string{"false"}) || c.Label != `Bool aws:SecureTransport ["true"]` {
		t.Errorf("%+v", c)
	}
	if c := read.Conditions[1]; c.Holds || !slices.Equal(c.Saw, []string{"us-east-1"}) || c.Key != "aws:RequestedRegion" {
		t.Errorf("%+v", c)
	}
	if e := l.Rules[2]; e.Rule.ID.Sid != "Elsewhere" || e.Where || !e.When || !e.Who {
		t.Errorf("%+v", e)
	}
}
