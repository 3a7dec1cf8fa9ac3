package ops_test

import (
	"strings"
	"testing"
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/testkit"
)

// inRAM makes a call one that came through Alibaba Cloud's door.
func inRAM(c ops.Call) ops.Call {
	c.Source.Language = iam.LanguageRAM
	return c
}

// withKey makes a user and a key, and returns the user's calls.
func withKey(t *testing.T, w *testkit.World, user string) ops.Call {
	t.Helper()
	admin := w.Admin(t)
	testkit.Do(t, w, admin, ops.CreateUser, ops.CreateUserIn{Name: user})
	key := testkit.Do(t, w, admin, ops.CreateAccessKey, ops.UserIn{User: ops.Ref{Name: user}})
	return w.As(t, key.ID, "")
}

// give makes a policy in a call's language and attaches it to a user.
func give(t *testing.T, w *testkit.World, c ops.Call, user, policy, document string) {
	t.Helper()
	p := testkit.Do(t, w, c, ops.CreatePolicy, ops.CreatePolicyIn{Name: policy, Document: document})
	testkit.Do(t, w, c, ops.AttachUserPolicy, ops.AttachIn{Holder: ops.Ref{Name: user}, Policy: p.ARN()})
}

const (
	allowAllInRAM = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"*:*","Resource":"*"}]} // everything`
	allowAllInAWS = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
)

// A policy of either language allows, and a deny of either stops, whichever door
// the operation is asked for at.
func TestAllowsAndDeniesOfTwoLanguages(t *testing.T) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) {
		admin := w.Admin(t)
		for _, c := range []struct{ user, allow, deny string }{
			{"ram-ram", allowAllInRAM, `{"Version":"1","Statement":{"Effect":"Deny","Action":"ram:UnbindMFADevice","Resource":"acs:ram:*:*:user/ram-ram"}}`},
			{"ram-aws", allowAllInRAM, `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:DeactivateMFADevice","Resource":"arn:aws:iam::*:user/ram-aws"}}`},
			{"aws-ram", allowAllInAWS, `{"Version":"1","Statement":{"Effect":"Deny","Action":"ram:UnbindMFADevice","Resource":"acs:ram:*:*:user/aws-ram"}}`},
			{"aws-aws", allowAllInAWS, `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:DeactivateMFADevice","Resource":"arn:aws:iam::*:user/aws-aws"}}`},
		} {
			call := withKey(t, w, c.user)
			unbind := ops.DeviceIn{User: ops.Ref{Name: c.user}, Serial: "arn:aws:iam::" + admin.Caller.Account.String() + ":mfa/none"}
			for _, at := range []ops.Call{call, inRAM(call)} {
				if err := testkit.Fails(t, w, at, ops.DeactivateMFADevice, unbind); !fault.Is(err, fault.Denied) {
					t.Errorf("%s, without policies: %v", c.user, err)
				}
			}
			for i, document := range []string{c.allow, c.deny} {
				as := admin
				if strings.Contains(document, `"1"`) {
					as = inRAM(admin)
				}
				give(t, w, as, c.user, c.user+[]string{"-allow", "-deny"}[i], document)
				for _, at := range []ops.Call{call, inRAM(call)} {
					err := testkit.Fails(t, w, at, ops.DeactivateMFADevice, unbind)
					if want := []fault.Kind{fault.NotFound, fault.Denied}[i]; !fault.Is(err, want) {
						t.Errorf("%s, after %s: %v, want %v", c.user, document, err, want)
					}
				}
			}
			// Another user is not what the deny names.
			testkit.Do(t, w, call, ops.GetUser, ops.UserIn{User: ops.Ref{Name: c.user}})
		}
	})
}

// Each door takes documents of its own language only; what is stored stays as it
// was written.
func TestDocumentsOfADoorsLanguage(t *testing.T) {
	w := testkit.New(t)
	admin := w.Admin(t)
	if err := testkit.Fails(t, w, admin, ops.CreatePolicy, ops.CreatePolicyIn{Name: "x", Document: allowAllInRAM}); !fault.Is(err, fault.Malformed) {
		t.Errorf("RAM's language at the AWS door: %v", err)
	}
	if err := testkit.Fails(t, w, inRAM(admin), ops.CreatePolicy, ops.CreatePolicyIn{Name: "x", Document: allowAllInAWS}); !fault.Is(err, fault.Malformed) || !strings.Contains(err.Error(), "line 1, column") {
		t.Errorf("AWS's language at Alibaba Cloud's door: %v", err)
	}
	p := testkit.Do(t, w, inRAM(admin), ops.CreatePolicy, ops.CreatePolicyIn{Name: "x", Document: allowAllInRAM})
	v := testkit.Do(t, w, admin, ops.GetPolicyVersion, ops.VersionIn{Policy: p.ARN(), Version: "v1"})
	if v.Document != allowAllInRAM {
		t.Errorf("the document became %s", v.Document)
	}
	// A policy keeps its language.
	if err := testkit.Fails(t, w, admin, ops.CreatePolicyVersion, ops.CreateVersionIn{Policy: p.ARN(), Document: allowAllInAWS}); !fault.Is(err, fault.Malformed) {
		t.Errorf("a version in another language: %v", err)
	}
}

// Alibaba Cloud's names of policies and roles are understood, and policies that
// test AWS's names see those.
func TestAlibabaNames(t *testing.T) {
	w := testkit.New(t)
	admin := w.Admin(t)
	uid := admin.Caller.Account.UID()
	own := testkit.Do(t, w, admin, ops.CreatePolicy, ops.CreatePolicyIn{Name: "own", Path: "/eng/", Document: allowAllInAWS})
	for given, want := range map[string]string{
		"acs:ram::" + uid + ":policy/own":                own.ARN(),
		"acs:ram::" + uid + ":policy/OWN":                own.ARN(),
		"acs:ram::system:policy/AliyunRAMReadOnlyAccess": "arn:aws:iam::acs:policy/AliyunRAMReadOnlyAccess",
	} {
		if p := testkit.Do(t, w, admin, ops.GetPolicy, ops.PolicyIn{Policy: given}); p.ARN() != want {
			t.Errorf("%s is %s", given, p.ARN())
		}
	}
	call := withKey(t, w, "limited")
	give(t, w, admin, "limited", "limited", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"*"},
		{"Effect":"Deny","Action":"iam:AttachUserPolicy","Resource":"*","Condition":{"ArnEquals":{"iam:PolicyARN":"`+own.ARN()+`"}}}]}`)
	attach := ops.AttachIn{Holder: ops.Ref{Name: "limited"}, Policy: "acs:ram::" + uid + ":policy/Own"}
	if err := testkit.Fails(t, w, call, ops.AttachUserPolicy, attach); !fault.Is(err, fault.Denied) {
		t.Errorf("a deny of the policy's ARN: %v", err)
	}
	if err := testkit.Fails(t, w, call, ops.DeletePolicy, ops.PolicyIn{Policy: "acs:ram::system:policy/AdministratorAccess"}); !fault.Is(err, fault.Unmodifiable) {
		t.Errorf("a system policy is deleted: %v", err)
	}
}

// A role whose trust policy is RAM's: both sides must allow, ids stand for names,
// and comments stay.
func TestRolesTrustedInRAM(t *testing.T) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) {
		admin := inRAM(w.Admin(t))
		call := withKey(t, w, "alice")
		uid := admin.Caller.Account.UID()
		trust := `{"Version":"1","Statement":[{"Effect":"Allow","Principal":{"RAM":[/* who */"acs:ram::` + uid + `:user/alice"]},"Action":"sts:AssumeRole"}]}`
		role := testkit.Do(t, w, admin, ops.CreateRole, ops.CreateRoleIn{Name: "ops", Path: "/x/", Trust: trust})
		if role.Trust != trust {
			t.Errorf("the trust policy became %s", role.Trust)
		}
		assume := ops.AssumeRoleIn{RoleARN: "acs:ram::" + uid + ":role/ops", SessionName: "session"}
		if err := testkit.Fails(t, w, inRAM(call), ops.AssumeRole, assume); !fault.Is(err, fault.Denied) {
			t.Errorf("named by the role, without a policy: %v", err)
		}
		give(t, w, admin, "alice", "assume", `{"Version":"1","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"acs:ram:*:*:role/ops"}}`)
		s := testkit.Do(t, w, inRAM(call), ops.AssumeRole, assume)
		if s.ARN == "" {
			t.Error("no session")
		}
		assume.Policy = `{"Version":"1","Statement":{"Effect":"Allow","Action":"ram:GetUser","Resource":"*"}}`
		testkit.Do(t, w, inRAM(call), ops.AssumeRole, assume)
		assume.Policy = allowAllInAWS
		if err := testkit.Fails(t, w, inRAM(call), ops.AssumeRole, assume); !fault.Is(err, fault.Malformed) {
			t.Errorf("a session policy in another language: %v", err)
		}
		assume.Policy = ""

		// One who is made again under the same name is not trusted.
		for _, missing := range []string{"user/nobody", "id/123456789012345678"} {
			bad := strings.Replace(trust, "user/alice", missing, 1)
			if err := testkit.Fails(t, w, admin, ops.UpdateAssumeRolePolicy, ops.UpdateTrustIn{Role: ops.Ref{Name: "ops"}, Trust: bad}); !fault.Is(err, fault.Malformed) {
				t.Errorf("trust in %s: %v", missing, err)
			}
		}
		keys := testkit.Do(t, w, admin, ops.ListAccessKeys, ops.UserListing{User: ops.Ref{Name: "alice"}})
		testkit.Do(t, w, admin, ops.DeleteAccessKey, ops.KeyIn{User: ops.Ref{Name: "alice"}, Key: keys.Items[0].ID})
		testkit.Do(t, w, admin, ops.DetachUserPolicy, ops.AttachIn{Holder: ops.Ref{Name: "alice"}, Policy: "acs:ram::" + uid + ":policy/assume"})
		testkit.Do(t, w, admin, ops.DeleteUser, ops.UserIn{User: ops.Ref{Name: "alice"}})
		again := withKey(t, w, "alice")
		testkit.Do(t, w, admin, ops.AttachUserPolicy, ops.AttachIn{Holder: ops.Ref{Name: "alice"}, Policy: "acs:ram::" + uid + ":policy/assume"})
		if err := testkit.Fails(t, w, inRAM(again), ops.AssumeRole, assume); !fault.Is(err, fault.Denied) {
			t.Errorf("another alice: %v", err)
		}
		if got := testkit.Do(t, w, admin, ops.GetRole, ops.RoleIn{Role: ops.Ref{Name: "ops"}}); !strings.Contains(got.Trust, ":id/") {
			t.Errorf("the trust policy shows %s", got.Trust)
		}
		w.Clock.Advance(time.Second)
	})
}
