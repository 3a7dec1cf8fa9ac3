package ops_test

import (
	"testing"

	"warifu/internal/fault"
	"warifu/internal/ops"
	"warifu/internal/testkit"
)

// What keeps people out or lets them in is management of identities, whatever it
// is called: a policy that leaves out or denies iam:* does not give it.
func TestBlockingIsManagementOfIdentities(t *testing.T) {
	for name, document := range map[string]string{
		"all but IAM":    `{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotAction":["iam:*","organizations:*"],"Resource":"*"}}`,
		"all, no IAM":    `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"iam:*","Resource":"*"}]}`,
		"ours only":      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"warifu:*","Resource":"*"}}`,
		"administration": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["warifu:*","iam:*"],"Resource":"*"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			w := testkit.New(t)
			testkit.Do(t, w, w.Admin(t), ops.CreateUser, ops.CreateUserIn{Name: "victim"})
			p := newPerson(t, w, "alice", document)
			in := ops.BlockUserIn{User: ops.Ref{Name: "victim"}}
			if name == "administration" {
				testkit.Do(t, w, p.call(t), ops.BlockUser, in)
				testkit.Do(t, w, p.call(t), ops.UnblockUser, in)
				testkit.Do(t, w, p.call(t), ops.SetSecurityPreferences, mandatory())
				return
			}
			for what, err := range map[string]error{
				"BlockUser":              testkit.Fails(t, w, p.call(t), ops.BlockUser, in),
				"UnblockUser":            testkit.Fails(t, w, p.call(t), ops.UnblockUser, in),
				"SetSecurityPreferences": testkit.Fails(t, w, p.call(t), ops.SetSecurityPreferences, mandatory()),
			} {
				if !fault.Is(err, fault.Denied) {
					t.Errorf("%s: %v", what, err)
				}
			}
		})
	}
}
