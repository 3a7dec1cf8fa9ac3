package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const whole = `# everything that can be said
listen: 0.0.0.0:8443
admin_listen: 127.0.0.1:9000
database: postgres://warifu:hunter2@db:5432/warifu?sslmode=verify-full
public_url: https://iam.example.com
key_file: /etc/warifu/key
tls:
  cert: /etc/warifu/cert.pem
  key: "/etc/warifu/key.pem"
trusted_proxies:
  - 10.0.0.0/8
  - 192.0.2.1
issuer: Example Ltd
regions: [us-east-1, eu-central-1]
log:
  level: warn
  format: json
services:
  s3:
    url: http://127.0.0.1:9000
    protocol: s3
    domains: [s3.example.com]
    literal_keys: true
    region: us-east-1
    access_key: upstream
    secret_key: hunter3
    account: 012345678901
`

// load loads a file's text with an environment and flags.
func load(t *testing.T, text string, f Flags, environ ...string) (*Config, error) {
	t.Helper()
	f.Data = t.TempDir()
	if text != "" {
		if err := os.WriteFile(filepath.Join(f.Data, "warifu.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Load(f, environ)
}

func printed(t *testing.T, c *Config) string {
	t.Helper()
	var b strings.Builder
	if err := c.Print(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestFileSaysEverything(t *testing.T) {
	c, err := load(t, whole, Flags{})
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != "0.0.0.0:8443" || c.AdminListen != "127.0.0.1:9000" || c.SQLite() ||
		c.DSN() != "postgres://warifu:hunter2@db:5432/warifu?sslmode=verify-full" ||
		c.URL(c.Listen) != "https://iam.example.com" || c.KeyPath() != "/etc/warifu/key" ||
		c.TLS != (TLS{"/etc/warifu/cert.pem", "/etc/warifu/key.pem"}) || c.Issuer != "Example Ltd" ||
		len(c.Regions) != 2 || c.Regions[1] != "eu-central-1" || c.Log.Level.String() != "WARN" || c.Log.Format != "json" {
		t.Errorf("read %+v", c)
	}
	if len(c.Trusted) != 2 || c.Trusted[0].String() != "10.0.0.0/8" || c.Trusted[1].String() != "192.0.2.1/32" {
		t.Errorf("proxies %v", c.Trusted)
	}
	s := c.Services[0]
	if len(c.Services) != 1 || s.Name != "s3" || s.URL.String() != "http://127.0.0.1:9000" || s.Protocol != "s3" || s.Account != "012345678901" ||
		s.Region != "us-east-1" || !s.LiteralKeys || len(s.Domains) != 1 || s.AccessKey != "upstream" || string(s.SecretKey.Reveal()) != "hunter3" {
		t.Errorf("service %+v", s)
	}
}

// Security checklist K-2.
func TestPrintHidesSecretsAndNamesSources(t *testing.T) {
	c, err := load(t, whole, Flags{LogLevel: "debug"}, "WARIFU_LISTEN=localhost:1", "WARIFU_SERVICES_S3_REGION=eu-west-1")
	if err != nil {
		t.Fatal(err)
	}
	out := printed(t, c)
	if strings.Contains(out, "hunter") {
		t.Errorf("a secret is printed:\n%s", out)
	}
	for _, want := range [][2]string{
		{`listen: "localhost:1"`, "# environment WARIFU_LISTEN"},
		{`level: debug`, "# flag --log-level"},
		{`format: json`, "warifu.yaml:17:11"},
		{`region: eu-west-1`, "# environment WARIFU_SERVICES_S3_REGION"},
		{`database: "postgres://[sealed]@db:5432/warifu"`, "warifu.yaml:4:11"},
		{`secret_key: "[sealed]"`, "warifu.yaml:26:17"},
	} {
		found := false
		for line := range strings.Lines(out) {
			found = found || strings.Contains(line, want[0]) && strings.Contains(line, want[1])
		}
		if !found {
			t.Errorf("no line with %s and %s in:\n%s", want[0], want[1], out)
		}
	}
}

func TestDefaults(t *testing.T) {
	c, err := load(t, "", Flags{})
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != DefaultListen || c.AdminListen != "" || !c.SQLite() || len(c.Trusted) != 0 ||
		c.DSN() != filepath.Join(c.Data, "warifu.db") || c.KeyPath() != filepath.Join(c.Data, "warifu.key") ||
		c.URL(c.Listen) != "http://localhost:7420" {
		t.Errorf("defaults %+v", c)
	}
	for line := range strings.Lines(printed(t, c)) {
		if !strings.HasSuffix(line, ":\n") && !strings.Contains(line, "# default") && !strings.Contains(line, "# flag --data") {
			t.Errorf("not a default: %s", line)
		}
	}
}

// What is printed can be read back, secrets apart.
func TestPrintReadsBack(t *testing.T) {
	c, err := load(t, strings.ReplaceAll(whole, "postgres://warifu:hunter2@db:5432/warifu?sslmode=verify-full", "other.db"), Flags{})
	if err != nil {
		t.Fatal(err)
	}
	out := printed(t, c)
	again, err := load(t, out, Flags{})
	if err != nil {
		t.Fatalf("%v in:\n%s", err, out)
	}
	values := func(s string) (v string) {
		for line := range strings.Lines(s) {
			text, _, _ := strings.Cut(line, "  #")
			if !strings.HasPrefix(text, "data:") {
				v += strings.TrimRight(text, " \n") + "\n"
			}
		}
		return v
	}
	if a, b := values(out), values(printed(t, again)); a != b {
		t.Errorf("read back as\n%s\nnot\n%s", b, a)
	}
}

func TestPrecedence(t *testing.T) {
	for _, c := range []struct {
		what, file, flag, want string
		env                    []string
	}{
		{"default", "", "", DefaultListen, nil},
		{"file over default", "listen: a:1", "", "a:1", nil},
		{"environment over file", "listen: a:1", "", "b:2", []string{"WARIFU_LISTEN=b:2"}},
		{"flag over environment", "listen: a:1", "c:3", "c:3", []string{"WARIFU_LISTEN=b:2"}},
		{"flag over file", "listen: a:1", "c:3", "c:3", nil},
	} {
		got, err := load(t, c.file, Flags{Listen: c.flag}, c.env...)
		if err != nil || got.Listen != c.want {
			t.Errorf("%s: %v, %v", c.what, got, err)
		}
	}
}

// Security checklist A-2: nothing that was written is silently without effect.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		what, file string
		env        []string
		want       string
	}{
		{"unknown key", "listen: a:1\nlisen: b:2\n", nil, `warifu.yaml:2:1: unknown key "lisen" (did you mean "listen"?)`},
		{"unknown nested key", "log:\n  levle: info\n", nil, `warifu.yaml:2:3: unknown key "log.levle" (did you mean "log.level"?)`},
		{"unknown field of a service", "services:\n  s3:\n    uri: x\n", nil, `warifu.yaml:3:5: unknown key "services.s3.uri"`},
		{"a dotted key", "log.level: info\n", nil, `warifu.yaml:1:1: unknown key "log.level"`},
		{"key given twice", "listen: a:1\nlisten: b:2\n", nil, "warifu.yaml:2:1: mapping key \"listen\" already defined"},
		{"secret and its file", "services:\n  s3:\n    url: http://x\n    protocol: s3\n    secret_key: a\n    secret_key_file: /dev/null\n", nil, "warifu.yaml:6:22: services.s3.secret_key_file: also given by file"},
		{"wrong value", "listen: 7420\n", nil, "warifu.yaml:1:9: listen: must be HOST:PORT"},
		{"mapping for a value", "listen:\n  host: x\n", nil, "warifu.yaml:2:3: listen is one value, not a mapping"},
		{"value for a mapping", "log: info\n", nil, "warifu.yaml:1:6: log must be a mapping"},
		{"list at the top", "- a\n", nil, "warifu.yaml:1:1: the configuration must be a mapping"},
		{"list of mappings", "regions:\n  - a: b\n", nil, "regions must be a list of plain values"},
		{"alias", "issuer: &x a\n", nil, "issuer must be a plain value"},
		{"second document", "listen: a:1\n---\nlisten: b:2\n", nil, "a second document"},
		{"not YAML", "listen: [a\n", nil, "warifu.yaml:1:"},
		{"missing secret file", "database_file: /nowhere/secret\n", nil, "database_file: read the secret: open /nowhere/secret"},
		{"unknown variable", "", []string{"WARIFU_LISEN=x"}, `WARIFU_LISEN names no setting (did you mean "listen"?)`},
		{"variable in lower case", "", []string{"WARIFU_listen=a:1"}, "WARIFU_listen names no setting"},
		{"file variable of no secret", "", []string{"WARIFU_LISTEN_FILE=x"}, "WARIFU_LISTEN_FILE names no setting"},
		{"wrong variable", "", []string{"WARIFU_LOG_LEVEL=loud"}, "WARIFU_LOG_LEVEL: must be one of debug, info, warn, error"},
		{"variable and its file", "", []string{"WARIFU_DATABASE=a", "WARIFU_DATABASE_FILE=/dev/null"}, "WARIFU_DATABASE_FILE: also given by environment WARIFU_DATABASE"},
		{"one half of TLS", "tls:\n  cert: x\n", nil, "tls.cert and tls.key belong together"},
		{"everybody is a proxy", "trusted_proxies: 0.0.0.0/0\n", nil, "the whole internet"},
		{"a proxy by name", "trusted_proxies: [localhost]\n", nil, "must be networks such as 10.0.0.0/8"},
		{"public URL with a path", "public_url: https://x/y\n", nil, "without a path"},
		{"public URL with a password", "public_url: https://a:b@x\n", nil, "without a path"},
		{"database of another kind", "database: mysql://x\n", nil, "must be the path of an SQLite file or postgres://"},
		{"health for everybody", "listen: a:1\nadmin_listen: a:1\n", nil, "must not be the address of listen"},
		{"our own service", "services:\n  iam:\n    url: http://x\n", nil, "iam is served here"},
		{"service without URL", "services:\n  s3:\n    protocol: s3\n", nil, "services.s3: url is missing"},
		{"service without protocol", "services:\n  s3:\n    url: http://x\n", nil, "services.s3: protocol is missing"},
		{"unknown protocol", "services:\n  s3:\n    url: http://x\n    protocol: soap\n", nil, "must be one of query, ec2, json, s3, acs, oci"},
		{"half a key", "services:\n  s3: {url: http://x, protocol: s3, access_key: a}\n", nil, "access_key and secret_key belong together"},
		{"not a truth", "services:\n  s3: {url: http://x, protocol: s3, literal_keys: maybe}\n", nil, "must be true or false"},
		{"half an account", "services:\n  s3: {url: http://x, protocol: s3, account: 12345}\n", nil, "must be the 12 digits of an account"},
		{"service's name", "services:\n  S3: {url: http://x}\n", nil, `"S3" is not a service's name`},
	} {
		_, err := load(t, c.file, Flags{}, c.env...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s:\ngot  %v\nwant %s", c.what, err, c.want)
		}
	}
}

func TestDataMustBeGiven(t *testing.T) {
	if _, err := Load(Flags{}, nil); err == nil || !strings.Contains(err.Error(), "--data") {
		t.Errorf("got %v", err)
	}
	c, err := Load(Flags{}, []string{"WARIFU_DATA=/x", "HOME=/root"})
	if err != nil || c.Data != "/x" {
		t.Errorf("got %v, %v", c, err)
	}
}

func TestConfigFileThatWasAskedForMustExist(t *testing.T) {
	for _, c := range []struct {
		f   Flags
		env []string
	}{
		{Flags{Config: "/nowhere/warifu.yaml"}, nil},
		{Flags{}, []string{"WARIFU_CONFIG=/nowhere/warifu.yaml"}},
	} {
		if _, err := load(t, "", c.f, c.env...); err == nil || !strings.Contains(err.Error(), "/nowhere/warifu.yaml") {
			t.Errorf("got %v", err)
		}
	}
}

func TestSecretFromFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte("postgres://u:hunter2@h/d\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := load(t, "database: other.db\n", Flags{}, "WARIFU_DATABASE_FILE="+path)
	if err != nil || c.DSN() != "postgres://u:hunter2@h/d" {
		t.Fatalf("got %v, %v", c, err)
	}
	if out := printed(t, c); !strings.Contains(out, "environment WARIFU_DATABASE_FILE") || strings.Contains(out, "hunter2") {
		t.Errorf("printed\n%s", out)
	}
}

// Security checklist K-2: an error about a secret does not repeat it.
func TestErrorsHideSecrets(t *testing.T) {
	for _, text := range []string{"database: mysql://u:hunter2@h/d\n", "database: 'postgres://u:hunter2@h:port/d'\n"} {
		_, err := load(t, text, Flags{})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestURL(t *testing.T) {
	for _, c := range []struct {
		listen string
		tls    bool
		want   string
	}{
		{"localhost:7420", false, "http://localhost:7420"},
		{":7420", false, "http://localhost:7420"},
		{"0.0.0.0:7420", false, "http://localhost:7420"},
		{"[::]:7420", false, "http://localhost:7420"},
		{"[::1]:7420", false, "http://[::1]:7420"},
		{"iam.example.com:443", true, "https://iam.example.com"},
		{"[2001:db8::1]:443", true, "https://[2001:db8::1]"},
		{"iam.example.com:443", false, "http://iam.example.com:443"},
		{"iam.example.com:80", false, "http://iam.example.com"},
	} {
		conf := defaults()
		if c.tls {
			conf.TLS = TLS{"c", "k"}
		}
		if got := conf.URL(c.listen); got != c.want {
			t.Errorf("%s, TLS %v: got %s, want %s", c.listen, c.tls, got, c.want)
		}
	}
}

func FuzzFile(f *testing.F) {
	f.Add(whole)
	f.Add("a: &a [*a]\n? {x: y}\n: z\n<<: *a")
	f.Fuzz(func(t *testing.T, text string) {
		entries, err := parse([]byte(text))
		for _, e := range entries {
			if _, ok := find(e.key); !ok && err == nil {
				t.Errorf("%q gave the unknown key %q", text, e.key)
			}
		}
	})
}

// TestProtocolNames: AWS's own name for S3's protocol is understood, too.
func TestProtocolNames(t *testing.T) {
	c, err := load(t, "services:\n  s3: {url: http://x, protocol: rest-xml}\n", Flags{})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Services[0].Protocol; got != "s3" {
		t.Errorf("protocol = %q, want s3", got)
	}
}
