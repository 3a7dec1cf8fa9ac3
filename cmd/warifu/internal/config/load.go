package config

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// Flags are the settings that the command line can give; "" is not given.
type Flags struct {
	Config      string `help:"Configuration file (default: warifu.yaml in the data folder, if it is there)." placeholder:"FILE"`
	Data        string `help:"Data folder." placeholder:"DIR"`
	Listen      string `help:"Address to serve on (default: localhost:7420)." placeholder:"HOST:PORT"`
	AdminListen string `help:"Address of /livez, /readyz and /metrics (default: off)." placeholder:"HOST:PORT"`
	Database    string `help:"SQLite file or postgres:// URL (default: warifu.db in the data folder)." placeholder:"DSN"`
	PublicURL   string `help:"How users reach the server (default: made from --listen)." placeholder:"URL" name:"public-url"`
	KeyFile     string `help:"File of the key-encryption key (default: warifu.key in the data folder)." placeholder:"FILE"`
	LogLevel    string `help:"debug, info, warn or error." placeholder:"LEVEL"`
	LogFormat   string `help:"auto, text or json; auto is text on a terminal." placeholder:"FORMAT"`
}

// given lists the settings that were given.
func (f *Flags) given() (all []struct{ key, flag, value string }) {
	for _, v := range []struct{ key, flag, value string }{
		{"data", "--data", f.Data},
		{"listen", "--listen", f.Listen},
		{"admin_listen", "--admin-listen", f.AdminListen},
		{"database", "--database", f.Database},
		{"public_url", "--public-url", f.PublicURL},
		{"key_file", "--key-file", f.KeyFile},
		{"log.level", "--log-level", f.LogLevel},
		{"log.format", "--log-format", f.LogFormat},
	} {
		if v.value != "" {
			all = append(all, v)
		}
	}
	return all
}

// prefix begins the name of every variable that is a setting.
const prefix = "WARIFU_"

// variable is a setting from the environment.
type variable struct{ name, key, value string }

// Load reads all sources and checks the whole. environ is as os.Environ
// returns it.
func Load(f Flags, environ []string) (*Config, error) {
	vars, file, err := variables(environ)
	if err != nil {
		return nil, err
	}
	c := defaults()
	path, must := configFile(&f, vars, file)
	if path != "" {
		if err := c.readFile(path, must); err != nil {
			return nil, err
		}
	}
	for _, v := range vars {
		if err := c.apply(v.key, v.value, "environment "+v.name); err != nil {
			return nil, fmt.Errorf("%s: %w", v.name, err)
		}
	}
	for _, v := range f.given() {
		if err := c.apply(v.key, v.value, "flag "+v.flag); err != nil {
			return nil, fmt.Errorf("%s: %w", v.flag, err)
		}
	}
	return c, c.check()
}

// configFile returns the file to read and whether it must exist.
func configFile(f *Flags, vars []variable, fromEnv string) (path string, must bool) {
	data := f.Data
	for _, v := range vars {
		if v.key == "data" && data == "" {
			data = v.value
		}
	}
	switch {
	case f.Config != "":
		return f.Config, true
	case fromEnv != "":
		return fromEnv, true
	case data != "":
		return filepath.Join(data, "warifu.yaml"), false
	}
	return "", false
}

// variables reads the environment, sorted by name; config is the file that it
// names.
func variables(environ []string) (vars []variable, config string, err error) {
	environ = slices.Sorted(slices.Values(environ))
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		if name == prefix+"CONFIG" {
			config = value
			continue
		}
		key, ok := variableKey(name)
		if !ok {
			return nil, "", fmt.Errorf("%s names no setting%s", name, suggestion(strings.ToLower(strings.TrimPrefix(name, prefix))))
		}
		vars = append(vars, variable{name, key, value})
	}
	return vars, config, nil
}

// variableKey returns the key of a variable's name. A service's name holds no
// underscore, so one in its place is a hyphen.
func variableKey(name string) (key string, ok bool) {
	low := strings.ToLower(strings.TrimPrefix(name, prefix))
	if strings.ToUpper(low) != strings.TrimPrefix(name, prefix) {
		return "", false
	}
	for _, s := range settings {
		switch spelled := strings.ReplaceAll(s.key, ".", "_"); {
		case low == spelled:
			return s.key, true
		case s.secret && low == spelled+fileSuffix:
			return s.key + fileSuffix, true
		}
	}
	rest, ok := strings.CutPrefix(low, "services_")
	if !ok {
		return "", false
	}
	for _, f := range perService {
		for _, field := range []string{f.field, f.field + fileSuffix} {
			if field != f.field && !f.secret {
				continue
			}
			if service, ok := strings.CutSuffix(rest, "_"+field); ok && service != "" {
				return "services." + strings.ReplaceAll(service, "_", "-") + "." + field, true
			}
		}
	}
	return "", false
}

// apply sets one setting from a text.
func (c *Config) apply(key, value, source string) error {
	s, ok := find(key)
	if !ok {
		return fmt.Errorf("unknown key %q", key)
	}
	if before, twice := c.origins[s.key]; twice && kind(before.Source) == kind(source) {
		return fmt.Errorf("also given by %s", before.Source)
	}
	if err := s.set(c, value); err != nil {
		return err
	}
	c.origins[s.key] = Origin{source}
	return nil
}

// kind is the first word of a source.
func kind(source string) string {
	word, _, _ := strings.Cut(source, " ")
	return word
}

// check judges what no setting can say alone.
func (c *Config) check() error {
	if c.Data == "" {
		return errors.New("the data folder is missing: give --data DIR or WARIFU_DATA")
	}
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		return errors.New("tls.cert and tls.key belong together: one of them is missing")
	}
	if c.AdminListen != "" && c.AdminListen == c.Listen && !strings.HasSuffix(c.Listen, ":0") {
		return errors.New("admin_listen must not be the address of listen: whoever reaches the server would read its metrics")
	}
	if err := c.Mail.check(); err != nil {
		return err
	}
	if err := c.Trail.check(); err != nil {
		return err
	}
	if err := c.SMS.check(); err != nil {
		return err
	}
	for i := range c.Services {
		if err := c.Services[i].check(); err != nil {
			return fmt.Errorf("services.%s: %w", c.Services[i].Name, err)
		}
	}
	return nil
}

func (s *Service) check() error {
	switch {
	case s.URL == nil:
		return errors.New("url is missing")
	case s.Protocol == "":
		return fmt.Errorf("protocol is missing: one of %s", strings.Join(protocols, ", "))
	case (s.AccessKey == "") != s.SecretKey.Empty():
		return errors.New("access_key and secret_key belong together: one of them is missing")
	}
	return nil
}

// Print writes the effective settings as a configuration file, each with where
// it came from. Secrets are not shown.
func (c *Config) Print(w io.Writer) error {
	type line struct{ text, source string }
	var lines []line
	var open []string
	wide := 0
	for _, s := range c.every() {
		path := strings.Split(s.key, ".")
		for depth := range len(path) - 1 {
			if depth >= len(open) || open[depth] != path[depth] {
				open = append(slices.Clone(open[:min(depth, len(open))]), path[depth])
				lines = append(lines, line{strings.Repeat("  ", depth) + path[depth] + ":", ""})
			}
		}
		open = open[:min(len(open), len(path)-1)]
		value := s.get(c)
		if value == "" || strings.ContainsAny(value, ":#[]{},&*!|>'\"%@` ") {
			value = fmt.Sprintf("%q", value)
		}
		l := line{strings.Repeat("  ", len(path)-1) + path[len(path)-1] + ": " + value, orElse(c.origins[s.key].Source, "default")}
		lines = append(lines, l)
		wide = max(wide, len(l.text))
	}
	for _, l := range lines {
		text := l.text
		if l.source != "" {
			text = fmt.Sprintf("%-*s  # %s", wide, l.text, l.source)
		}
		if _, err := fmt.Fprintln(w, text); err != nil {
			return err
		}
	}
	return nil
}
