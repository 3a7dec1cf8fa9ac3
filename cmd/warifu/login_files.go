package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// setting is a line of the AWS command line's files. An empty value takes the
// line away.
type setting struct{ name, value string }

// otherCredentials are settings by which a profile gets credentials in another
// way, which would go before ours or be lost.
var otherCredentials = []string{
	"aws_access_key_id", "role_arn", "sso_session", "sso_account_id", "sso_role_name", "web_identity_token_file", "login_session", "credential_process",
}

// mayTake refuses a profile that has credentials of another kind, unless it is
// one that was signed in before.
func (f *awsFiles) mayTake(profile string, force bool) error {
	if profile == "" || strings.ContainsAny(profile, "/\\[]\r\n\x00\"") || strings.HasPrefix(profile, ".") {
		return fmt.Errorf("the profile's name must not hold slashes, brackets or quotes")
	}
	if _, err := f.load(profile); err == nil || force {
		return nil
	}
	for _, at := range []struct{ file, section string }{{f.config, configSection(profile)}, {f.credentials, profile}} {
		text, err := readOptional(at.file)
		if err != nil {
			return err
		}
		for _, s := range sectionOf(text, at.section) {
			if slices.Contains(otherCredentials, s.name) {
				return fmt.Errorf("profile %s of %s has credentials of another kind (%s): choose another with --profile, or use --force", profile, at.file, s.name)
			}
		}
	}
	return nil
}

func configSection(profile string) string {
	if profile == "default" {
		return profile
	}
	return "profile " + profile
}

// setConfig changes a profile in the config file; a region that it has stays.
func (f *awsFiles) setConfig(profile, region string, settings []setting) error {
	text, err := readOptional(f.config)
	if err != nil {
		return err
	}
	section := configSection(profile)
	if !slices.ContainsFunc(sectionOf(text, section), func(s setting) bool { return s.name == "region" }) {
		settings = append(settings, setting{"region", region})
	}
	return writeOwn(f.config, withSettings(text, section, settings))
}

// setCredentials changes a profile in the credentials file.
func (f *awsFiles) setCredentials(profile string, settings []setting) error {
	text, err := readOptional(f.credentials)
	if err != nil {
		return err
	}
	after := withSettings(text, profile, settings)
	if after == text {
		return nil
	}
	return writeOwn(f.credentials, after)
}

func (f *awsFiles) loginFile(profile string) string { return filepath.Join(f.logins, profile+".json") }

func (f *awsFiles) load(profile string) (*keptLogin, error) {
	b, err := os.ReadFile(f.loginFile(profile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the profile %s is not signed in", profile)
	}
	if err != nil {
		return nil, err
	}
	k := &keptLogin{}
	if err := json.Unmarshal(b, k); err != nil {
		return nil, fmt.Errorf("read %s: %w", f.loginFile(profile), err)
	}
	return k, nil
}

func (f *awsFiles) save(profile string, k *keptLogin) error {
	b, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return err
	}
	return writeOwn(f.loginFile(profile), string(b)+"\n")
}

func (f *awsFiles) forget(profile string) error {
	err := os.Remove(f.loginFile(profile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func readOptional(path string) (string, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(b), err
}

// writeOwn replaces a file that only its owner may read, at once: another process
// reads the old one or the new one. A link keeps pointing where it points.
func writeOwn(path, text string) error {
	if to, err := filepath.EvalSymlinks(path); err == nil {
		path = to
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	t, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".") // mode 0600
	if err != nil {
		return err
	}
	_, err = t.WriteString(text)
	if err == nil {
		err = t.Sync()
	}
	if e := t.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(t.Name(), path)
	}
	if err != nil {
		os.Remove(t.Name()) //nolint:errcheck // the first error counts
	}
	return err
}

// header is the section that a line begins, "" if it begins none.
func header(line string) string {
	line = strings.TrimSpace(line)
	if !strings.HasPrefix(line, "[") {
		return ""
	}
	name, _, _ := strings.Cut(line[1:], "]")
	return strings.Join(strings.Fields(name), " ")
}

// sectionOf are the settings of a section. Indented lines belong to the setting
// above them.
func sectionOf(text, section string) (all []setting) {
	in := false
	for line := range strings.Lines(text) {
		if h := header(line); h != "" {
			in = h == section
			continue
		}
		if name, value, ok := assignment(line); in && ok {
			all = append(all, setting{name, value})
		}
	}
	return all
}

// assignment reads a line "name = value".
func assignment(line string) (name, value string, ok bool) {
	if line == "" || strings.ContainsAny(line[:1], " \t#;") {
		return "", "", false
	}
	name, value, ok = strings.Cut(line, "=")
	return strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value), ok
}

// withSettings is a file with some settings of a section changed, and everything
// else as it was.
func withSettings(text, section string, settings []setting) string {
	var out []string
	end, in, dropping := -1, false, false // end: where new lines of the section go
	left := slices.Clone(settings)
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		h := header(line)
		name, _, assigned := assignment(line)
		switch {
		case h != "":
			in, dropping = h == section, false
		case in && assigned:
			at := slices.IndexFunc(settings, func(s setting) bool { return s.name == name })
			if dropping = at >= 0; dropping {
				continue // it is written anew below
			}
		case in && dropping && strings.TrimLeft(line, " \t") != line && strings.TrimSpace(line) != "":
			continue // belongs to a setting that was taken away
		}
		out = append(out, line)
		if in && strings.TrimSpace(line) != "" {
			end = len(out)
		}
	}
	left = slices.DeleteFunc(left, func(s setting) bool { return s.value == "" })
	if end < 0 {
		if len(left) == 0 {
			return text
		}
		if len(out) > 0 && strings.TrimSpace(out[len(out)-1]) != "" {
			out = append(out, "")
		}
		out = append(out, "["+section+"]")
		end = len(out)
	}
	for i, s := range left {
		out = slices.Insert(out, end+i, s.name+" = "+s.value)
	}
	return strings.Join(out, "\n") + "\n"
}
