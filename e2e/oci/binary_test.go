package oci

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oracle/oci-go-sdk/v65/common"
	"github.com/oracle/oci-go-sdk/v65/identity"
)

// The program itself: a folder is initialised and served, a key is made while it is
// served, and the SDK reads the file that was written.
func TestConfigFile(t *testing.T) {
	dir := t.TempDir()
	bin, data := filepath.Join(dir, "warifu"), filepath.Join(dir, "data")
	run := func(name string, args ...string) string {
		t.Helper()
		out, err := exec.Command(name, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s %v: %v\n%s", name, args, err, out)
		}
		return string(out)
	}
	build := exec.Command("go", "build", "-o", bin, "./cmd/warifu")
	build.Dir = "../.." // of the program's own module
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	run(bin, "init", "--data", data, "--account-alias", "acme")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	l.Close()
	serve := exec.Command(bin, "serve", "--data", data, "--listen", at)
	serve.Stderr = os.Stderr
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		serve.Process.Signal(os.Interrupt)
		serve.Wait()
	}()
	for range 100 {
		if c, err := net.Dial("tcp", at); err == nil {
			c.Close()
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	file := filepath.Join(dir, "oci", "config")
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	told := run(bin, "admin", "oci-config", "--data", data, "--user", "admin", "--out", file)
	if !strings.Contains(told, file) || strings.Contains(told, "PRIVATE") {
		t.Error(told)
	}
	for _, path := range []string{file, file + ".pem"} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", path, info, err)
		}
	}
	if out, err := exec.Command(bin, "admin", "oci-config", "--data", data, "--user", "admin", "--out", file).CombinedOutput(); err == nil {
		t.Errorf("a file is written over: %s", out)
	}
	if out, err := exec.Command(bin, "admin", "oci-config", "--data", data, "--user", "nobody", "--out", file+"2").CombinedOutput(); err == nil {
		t.Errorf("nobody gets a key: %s", out)
	}
	if left, err := os.ReadDir(filepath.Dir(file)); err != nil || len(left) != 2 {
		t.Errorf("what is left of a key that was not made: %v %v", left, err)
	}
	cfg, err := common.ConfigurationProviderFromFile(file, "")
	if err != nil {
		t.Fatal(err)
	}
	c, err := identity.NewIdentityClientWithConfigurationProvider(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c.Host = "http://" + at
	root, err := cfg.TenancyOCID()
	if err != nil {
		t.Fatal(err)
	}
	users, err := c.ListUsers(ctx, identity.ListUsersRequest{CompartmentId: &root})
	if err != nil || len(users.Items) != 1 || *users.Items[0].Name != "admin" {
		t.Errorf("%+v %v", users.Items, err)
	}

	// The host's operator learns why a request was refused: somebody without a policy asks.
	key := newKey(t)
	u, err := c.CreateUser(ctx, identity.CreateUserRequest{CreateUserDetails: identity.CreateUserDetails{CompartmentId: &root, Name: common.String("alice"), Description: common.String("a")}})
	if err != nil {
		t.Fatal(err)
	}
	k, err := c.UploadApiKey(ctx, identity.UploadApiKeyRequest{UserId: u.Id, CreateApiKeyDetails: identity.CreateApiKeyDetails{Key: common.String(publicPEM(t, &key.PublicKey))}})
	if err != nil {
		t.Fatal(err)
	}
	alice, err := identity.NewIdentityClientWithConfigurationProvider(common.NewRawConfigurationProvider(root, *u.Id, "us-ashburn-1", *k.Fingerprint, privatePEM(t, key), nil))
	if err != nil {
		t.Fatal(err)
	}
	alice.Host = c.Host
	never := common.NoRetryPolicy()
	alice.SetCustomClientConfiguration(common.CustomClientConfiguration{RetryPolicy: &never})
	_, err = alice.ListGroups(ctx, identity.ListGroupsRequest{CompartmentId: &root})
	var refused common.ServiceError
	if !errors.As(err, &refused) || refused.GetHTTPStatusCode() != 404 {
		t.Fatal(err)
	}
	var said []byte
	for range 100 { // what was read is in the trail a moment after the answer
		if said, err = exec.Command(bin, "admin", "explain", "--data", data, refused.GetOpcRequestID()).CombinedOutput(); err == nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	for _, want := range []string{"ListGroups", "user/alice", "Missing permissions: GROUP_INSPECT", "Allow group <name> to inspect groups in tenancy"} {
		if !strings.Contains(string(said), want) {
			t.Errorf("%v: %s has no %q", err, said, want)
		}
	}
}
