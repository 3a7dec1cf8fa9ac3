package ops_test

import (
	"strings"
	"testing"

	"warifu/internal/ops"
)

// Every operation that policy is asked about has a name in every language: a rule that denies everything
// must find it, at whichever door it is asked for.
func TestEveryOperationHasItsNameInEveryLanguage(t *testing.T) {
	for _, e := range ops.Catalog() {
		if e.Permission == ops.Always {
			continue // policy is not asked
		}
		if got := e.Grants.InRAM(); !strings.Contains(got, ":") {
			t.Errorf("%s is %q in the RAM language", e.Name, got)
		}
	}
}

func TestRAMNames(t *testing.T) {
	for aws, want := range map[string]string{
		"iam:CreateUser":                  "ram:CreateUser",
		"iam:EnableMFADevice":             "ram:BindMFADevice",
		"iam:GetAccountPasswordPolicy":    "ram:GetPasswordPolicy",
		"sts:AssumeRole":                  "sts:AssumeRole",
		"cloudtrail:LookupEvents":         "actiontrail:LookupEvents",
		"sts:DecodeAuthorizationMessage":  "ram:DecodeDiagnosticMessage",
		"warifu:SetSecurityPreferences":   "ram:SetSecurityPreference",
		"ec2:RunInstances":                "", // of another cloud: no RAM policy speaks of it
		"iam:DeleteAccountPasswordPolicy": "ram:SetPasswordPolicy",
	} {
		if got := (ops.Names{AWS: aws}).InRAM(); got != want {
			t.Errorf("%s is %q in the RAM language, want %q", aws, got, want)
		}
	}
	if got := (ops.Names{AWS: "warifu:UseThing", RAM: "ram:UseThing"}).InRAM(); got != "ram:UseThing" {
		t.Errorf("a name of its own is %q", got)
	}
}
