package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The AWS command line's files keep everything that is not ours.
func TestSettingsChangeTheirSectionOnly(t *testing.T) {
	const before = "# mine\n[default]\nregion = eu-west-1\ns3 =\n  max_concurrent_requests = 20\n\n[profile warifu]\nregion=ap-northeast-1\ncredential_process = old \\\n  and more\noutput = json\n\n[profile other]\nrole_arn = arn:aws:iam::1:role/x\n"
	after := withSettings(before, "profile warifu", []setting{{"endpoint_url", "http://localhost:7420"}, {"credential_process", "new"}})
	const want = "# mine\n[default]\nregion = eu-west-1\ns3 =\n  max_concurrent_requests = 20\n\n[profile warifu]\nregion=ap-northeast-1\noutput = json\nendpoint_url = http://localhost:7420\ncredential_process = new\n\n[profile other]\nrole_arn = arn:aws:iam::1:role/x\n"
	if after != want {
		t.Errorf("got\n%s", after)
	}
	if again := withSettings(after, "profile warifu", []setting{{"endpoint_url", "http://localhost:7420"}, {"credential_process", "new"}}); again != after {
		t.Errorf("a second time:\n%s", again)
	}
	if got := withSettings("", "profile x", []setting{{"a", "b"}}); got != "[profile x]\na = b\n" {
		t.Errorf("a new file: %q", got)
	}
	if got := withSettings("[a]\nb = c", "d", []setting{{"e", ""}}); got != "[a]\nb = c" {
		t.Errorf("nothing to do: %q", got)
	}
}

func TestProfilesOfAnotherKindAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	f, err := awsFilesOf([]string{"AWS_CONFIG_FILE=" + filepath.Join(dir, "config"), "AWS_SHARED_CREDENTIALS_FILE=" + filepath.Join(dir, "credentials"), "WARIFU_LOGINS=" + filepath.Join(dir, "logins")})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.mayTake("warifu", false); err != nil {
		t.Errorf("no files: %v", err)
	}
	if err := os.WriteFile(f.config, []byte("[profile a]\nsso_session = x\n[profile b]\nregion = x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.credentials, []byte("[b]\naws_access_key_id = x\n[default]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"a", "b"} {
		if err := f.mayTake(p, false); err == nil || !strings.Contains(err.Error(), "another kind") {
			t.Errorf("%s: %v", p, err)
		}
		if err := f.mayTake(p, true); err != nil {
			t.Errorf("%s by force: %v", p, err)
		}
	}
	if err := f.save("b", &keptLogin{}); err != nil {
		t.Fatal(err)
	}
	if err := f.mayTake("b", false); err != nil {
		t.Errorf("one that was signed in: %v", err)
	}
	info, err := os.Stat(f.loginFile("b"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v %v", info.Mode(), err)
	}
	for _, bad := range []string{"", "../x", "a/b", "x]\n[y", `a"b`} {
		if err := f.mayTake(bad, true); err == nil {
			t.Errorf("%q is taken for a profile", bad)
		}
	}
}
