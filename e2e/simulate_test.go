package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestSimulateWithTheCommandLine asks, with Debian's AWS command line, what a user may
// do with MFA and without.
func TestSimulateWithTheCommandLine(t *testing.T) {
	in := install(t)
	base, _ := in.serve(t)
	aws := func(args ...string) []byte {
		t.Helper()
		cmd := exec.Command("aws", append([]string{"--endpoint-url", base, "--region", "us-east-1", "--output", "json", "iam"}, args...)...)
		cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+in.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+in.SecretAccessKey, "AWS_CONFIG_FILE="+filepath.Join(in.dir, "none"))
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("aws %s: %v", strings.Join(args, " "), err)
		}
		return out
	}
	const forceMFA = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"},
		{"Sid":"NoMFA","Effect":"Deny","Action":"*","Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}]}`
	aws("create-user", "--user-name", "alice")
	aws("put-user-policy", "--user-name", "alice", "--policy-name", "ec2", "--policy-document", forceMFA)
	alice := "arn:aws:iam::" + in.AccountID + ":user/alice"

	for entry, want := range map[string]string{"true": "allowed", "false": "explicitDeny"} {
		var got struct {
			EvaluationResults []struct{ EvalDecision string }
		}
		text := aws("simulate-principal-policy", "--policy-source-arn", alice, "--action-names", "ec2:RunInstances",
			"--context-entries", "ContextKeyName=aws:MultiFactorAuthPresent,ContextKeyType=boolean,ContextKeyValues="+entry)
		if err := json.Unmarshal(text, &got); err != nil || len(got.EvaluationResults) != 1 || got.EvaluationResults[0].EvalDecision != want {
			t.Errorf("MFA %s: %v %s", entry, err, text)
		}
	}
	var custom struct {
		EvaluationResults []struct {
			EvalDecision      string
			MatchedStatements []struct{ SourcePolicyId string }
		}
	}
	text := aws("simulate-custom-policy", "--policy-input-list", forceMFA, "--action-names", "iam:CreateUser")
	if err := json.Unmarshal(text, &custom); err != nil || len(custom.EvaluationResults) != 1 || custom.EvaluationResults[0].MatchedStatements[0].SourcePolicyId != "PolicyInputList.1" {
		t.Errorf("%v %s", err, text)
	}
	for _, args := range [][]string{{"get-context-keys-for-principal-policy", "--policy-source-arn", alice}, {"get-context-keys-for-custom-policy", "--policy-input-list", forceMFA}} {
		var keys struct{ ContextKeyNames []string }
		text := aws(args...)
		if err := json.Unmarshal(text, &keys); err != nil || len(keys.ContextKeyNames) != 1 || keys.ContextKeyNames[0] != "aws:MultiFactorAuthPresent" {
			t.Errorf("%s: %v %s", args[0], err, text)
		}
	}
}
