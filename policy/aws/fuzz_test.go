package aws

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"warifu/policy"
)

// FuzzParse: whatever the bytes, the answer is a document or an *Error with a
// position; a document survives formatting, and can be decided on.
func FuzzParse(f *testing.F) {
	b, err := os.ReadFile("testdata/grammar.jsonl")
	if err != nil {
		f.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		var c struct{ Document string }
		if err := json.Unmarshal(line, &c); err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(c.Document), uint8(Managed))
	}
	f.Add([]byte(`{"Statement":{"Effect":"Allow","Principal":{"AWS":["*","111122223333"]},"Action":"sts:AssumeRole"}}`), uint8(TrustPolicy))
	f.Add([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Deny","NotPrincipal":"*","NotAction":["a:*"],"NotResource":"arn:aws:s3:::${k, 'x'}/?"}}`), uint8(ResourcePolicy))
	f.Fuzz(func(t *testing.T, src []byte, kind uint8) {
		k := Kind(kind % (uint8(ResourceControl) + 1))
		d, err := Parse(src, k)
		if err != nil {
			if e, ok := err.(*Error); !ok || e.Line < 1 || e.Column < 1 || e.Message == "" || e.Found == "" || e.Want == "" {
				t.Fatalf("%#v", err)
			}
			return
		}
		if !json.Valid(src) {
			t.Fatal("accepted what is not JSON")
		}
		again, err := Parse(d.Format(), k)
		if err != nil && !err.(*Error).Quota {
			t.Fatalf("%s\n%v", d.Format(), err)
		}
		if err == nil && !bytes.Equal(again.Format(), d.Format()) {
			t.Fatalf("%s\n%s", d.Format(), again.Format())
		}
		d.Findings(Vocabulary{})
		req := policy.Request{Principal: policy.Principal{Kind: policy.User, Account: "111122223333"}}
		keys := policy.Map{}
		for _, key := range d.ContextKeys() {
			keys.Set(key, policy.String("x"))
		}
		req.Context = keys
		req.Actions[Language], req.Resources[Language] = "s3:GetObject", "arn:aws:s3:::b/k"
		l := policy.Compile(d.Rules(policy.RuleID{}), nil).Layer(policy.Identity)
		if tr := policy.Explain(&req, l); tr.Decision != policy.Decide(&req, l) {
			t.Fatal("the trace differs")
		}
	})
}
