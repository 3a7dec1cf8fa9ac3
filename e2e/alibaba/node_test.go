//go:build node

package alibaba

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Alibaba Cloud's SDKs for Node, which the test fetches: half a minute of npm. It needs
// node and npm, so it runs by `make node` only.
func TestNodeSDKs(t *testing.T) {
	dir := t.TempDir()
	for _, file := range []string{"package.json", "run.js"} {
		text, err := os.ReadFile(filepath.Join("node", file))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	install := exec.Command("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm install: %v\n%s", err, out)
	}
	s := start(t)
	run := exec.Command("node", "run.js")
	run.Dir = dir
	run.Env = append(os.Environ(), "WARIFU_HOST="+s.host, "WARIFU_KEY="+s.AccessKeyID, "WARIFU_SECRET="+s.SecretAccessKey, "WARIFU_DOMAIN=acme-inc.onaliyun.com")
	if out, err := run.CombinedOutput(); err != nil || !strings.HasSuffix(string(out), "ok\n") {
		t.Errorf("%v\n%s", err, out)
	}
}
