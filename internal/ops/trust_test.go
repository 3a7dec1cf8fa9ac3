package ops

import (
	"strings"
	"testing"

	"warifu/policy/aws"
)

func same(s string) (string, error) { return s, nil }

// Whatever the policy language accepts can be mapped, and a mapping that is
// undone leaves the document as it was, but for how strings were quoted.
func FuzzMapPrincipals(f *testing.F) {
	for _, principals := range []string{
		`"*"`, `{"AWS":"123456789012"}`, `{"AWS":["123456789012","arn:aws:iam::123456789012:root"],"Service":"a"}`, `{"AWS":["\u0031\u003223456789012"]}`,
	} {
		f.Add(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + principals + `,"Action":"sts:AssumeRole"}]}`)
		f.Add(` {"Statement" : {"Effect":"Allow","Action":["sts:AssumeRole"],"Principal":` + principals + `,"Condition":{"StringEquals":{"AWS":"Principal"}}}}`)
	}
	f.Fuzz(func(t *testing.T, document string) {
		if _, err := aws.Parse([]byte(document), aws.TrustPolicy); err != nil {
			return
		}
		kept, err := mapPrincipals(document, same)
		if err != nil || kept != document {
			t.Fatalf("kept as %q, %v: %q", kept, err, document)
		}
		n := 0
		marked, err := mapPrincipals(document, func(s string) (string, error) { n++; return "<" + s + ">", nil })
		if err != nil {
			t.Fatalf("%v: %q", err, document)
		}
		back, err := mapPrincipals(marked, func(s string) (string, error) { return s[1 : len(s)-1], nil })
		if err != nil {
			t.Fatalf("%v: %q", err, marked)
		}
		if !strings.ContainsRune(document, '\\') && back != document {
			t.Fatalf("%q came back as %q", document, back)
		}
		if n == 0 && marked != document {
			t.Fatalf("%q became %q without a principal", document, marked)
		}
	})
}
