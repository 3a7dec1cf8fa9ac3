package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"warifu/internal/seal"
)

// setting is one setting: its name, how a text becomes its value and back.
type setting struct {
	key    string // in the file, levels joined by dots
	secret bool   // never shown; KEY_file names a file that holds it
	set    func(c *Config, text string) error
	get    func(c *Config) string
}

// settings are all but those of services, in the order of `config print`.
var settings = slices.Concat([]setting{
	{key: "data", set: text(func(c *Config) *string { return &c.Data }), get: func(c *Config) string { return c.Data }},
	{key: "listen", set: address(func(c *Config) *string { return &c.Listen }), get: func(c *Config) string { return c.Listen }},
	{key: "admin_listen", set: setAdminListen, get: func(c *Config) string { return orElse(c.AdminListen, off) }},
	{key: "database", secret: true, set: setDatabase, get: getDatabase},
	{key: "public_url", set: setPublicURL, get: func(c *Config) string { return c.URL(c.Listen) }},
	{key: "key_file", set: text(func(c *Config) *string { return &c.KeyFile }), get: (*Config).KeyPath},
	{key: "tls.cert", set: text(func(c *Config) *string { return &c.TLS.Cert }), get: func(c *Config) string { return c.TLS.Cert }},
	{key: "tls.key", set: text(func(c *Config) *string { return &c.TLS.Key }), get: func(c *Config) string { return c.TLS.Key }},
	{key: "trusted_proxies", set: setTrusted, get: getTrusted},
	{key: "issuer", set: setIssuer, get: func(c *Config) string { return c.Issuer }},
	{key: "places", set: text(func(c *Config) *string { return &c.Places }), get: func(c *Config) string { return c.Places }},
	{key: "regions", set: setRegions, get: func(c *Config) string { return strings.Join(c.Regions, ", ") }},
	{key: "oracle.region", set: setRegion, get: func(c *Config) string { return c.Oracle.Region }},
	{key: "oracle.region_key", set: setRegionKey, get: func(c *Config) string { return c.Oracle.RegionKey }},
	{key: "oracle.limits", set: setLimits, get: getLimits},
	{key: "log.level", set: setLevel, get: func(c *Config) string { return strings.ToLower(c.Log.Level.String()) }},
	{key: "log.format", set: oneOf(func(c *Config) *string { return &c.Log.Format }, "auto", "text", "json"), get: func(c *Config) string { return c.Log.Format }},

	{key: "passkeys.rp_id", set: text(func(c *Config) *string { return &c.Passkeys.RPID }), get: func(c *Config) string { return c.Passkeys.RPID }},
	{key: "passkeys.app_id", set: text(func(c *Config) *string { return &c.Passkeys.AppID }), get: func(c *Config) string { return c.Passkeys.AppID }},
	{key: "passkeys.on_rollback", set: oneOf(func(c *Config) *string { return &c.Passkeys.OnRollback }, "block", "flag"), get: func(c *Config) string { return c.Passkeys.OnRollback }},
	{key: "passkeys.roots", set: text(func(c *Config) *string { return &c.Passkeys.Roots }), get: func(c *Config) string { return c.Passkeys.Roots }},
	{key: "passkeys.aaguids", set: setPasskeyAAGUIDs, get: func(c *Config) string { return strings.Join(c.Passkeys.AAGUIDs, ", ") }},

	// mail.go
	{key: "mail.smtp", set: setSMTP, get: func(c *Config) string { return c.Mail.SMTP }},
	{key: "mail.security", set: oneOf(func(c *Config) *string { return &c.Mail.Security }, "auto", "starttls", "tls", "none"), get: func(c *Config) string { return c.Mail.Security }},
	{key: "mail.username", set: text(func(c *Config) *string { return &c.Mail.Username }), get: func(c *Config) string { return c.Mail.Username }},
	{key: "mail.password", secret: true, set: secret(func(c *Config) *seal.Secret { return &c.Mail.Password }), get: func(c *Config) string { return shownSecret(c.Mail.Password) }},
	{key: "mail.from", set: setFrom, get: func(c *Config) string { return fromText(c.Mail.From) }},
	{key: "mail.ca", set: text(func(c *Config) *string { return &c.Mail.CA }), get: func(c *Config) string { return c.Mail.CA }},
	{key: "mail.folder", set: text(func(c *Config) *string { return &c.Mail.Folder }), get: func(c *Config) string { return c.Mail.Folder }},
	{key: "sms.url", secret: true, set: setSMSURL, get: func(c *Config) string { return smsURLText(c.SMS.URL) }},
	{key: "sms.secret", secret: true, set: secret(func(c *Config) *seal.Secret { return &c.SMS.Secret }), get: func(c *Config) string { return shownSecret(c.SMS.Secret) }},
	{key: "sms.networks", set: setSMSNetworks, get: func(c *Config) string { return networksText(c.SMS.Networks) }},
	{key: "sms.folder", set: text(func(c *Config) *string { return &c.SMS.Folder }), get: func(c *Config) string { return c.SMS.Folder }},
}, trailSettings)

// perService are the settings of each service; NAME stands in the key
// services.NAME.FIELD.
var perService = []struct {
	field  string
	secret bool
	set    func(s *Service, text string) error
	get    func(s *Service) string
}{
	{"url", false, setServiceURL, func(s *Service) string { return urlText(s.URL) }},
	{"protocol", false, setProtocol, func(s *Service) string { return s.Protocol }},
	{"prefix", false, serviceText(func(s *Service) *string { return &s.Prefix }), func(s *Service) string { return s.Prefix }},
	{"account", false, setServiceAccount, func(s *Service) string { return s.Account }},
	{"target", false, serviceText(func(s *Service) *string { return &s.Target }), func(s *Service) string { return s.Target }},
	{"domains", false, func(s *Service, v string) error { s.Domains = list(v); return nil }, func(s *Service) string { return strings.Join(s.Domains, ", ") }},
	{"operations", false, func(s *Service, v string) error { s.Operations = list(v); return nil }, func(s *Service) string { return strings.Join(s.Operations, ", ") }},
	{"literal_keys", false, setLiteralKeys, func(s *Service) string { return strconv.FormatBool(s.LiteralKeys) }},
	{"region", false, serviceText(func(s *Service) *string { return &s.Region }), func(s *Service) string { return s.Region }},
	{"access_key", false, serviceText(func(s *Service) *string { return &s.AccessKey }), func(s *Service) string { return s.AccessKey }},
	{"secret_key", true, func(s *Service, v string) error { s.SecretKey = seal.NewSecret([]byte(v)); return nil },
		func(s *Service) string { return shownSecret(s.SecretKey) }},
}

// fileSuffix of a secret's name makes it the name of a file that holds the
// secret.
const fileSuffix = "_file"

// off turns a listener off.
const off = "off"

// find returns the setting of a key. A secret is also found under its name with
// _file.
func find(key string) (setting, bool) {
	for _, s := range settings {
		if s.key == key {
			return s, true
		}
		if s.secret && s.key+fileSuffix == key {
			return s.fromFile(), true
		}
	}
	rest, ok := strings.CutPrefix(key, "services.")
	if !ok {
		return setting{}, false
	}
	name, field, _ := strings.Cut(rest, ".")
	for _, f := range perService {
		s := setting{
			key: "services." + name + "." + f.field, secret: f.secret,
			set: func(c *Config, v string) error {
				if err := checkServiceName(name); err != nil {
					return err
				}
				return f.set(c.service(name), v)
			},
			get: func(c *Config) string { return f.get(c.service(name)) },
		}
		if f.field == field {
			return s, true
		}
		if f.secret && f.field+fileSuffix == field {
			return s.fromFile(), true
		}
	}
	return setting{}, false
}

// section reports whether key is the beginning of settings' keys.
func section(key string) bool {
	if name, ok := strings.CutPrefix(key, "services."); ok {
		return !strings.Contains(name, ".")
	}
	return key == "" || key == "services" || slices.ContainsFunc(settings, func(s setting) bool { return strings.HasPrefix(s.key, key+".") })
}

// fromFile is the setting whose text is the name of a file that holds the
// secret. A line end after the secret is not part of it.
func (s setting) fromFile() setting {
	set := s.set
	s.set = func(c *Config, path string) error {
		b, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read the secret: %w", err)
		}
		return set(c, strings.TrimRight(string(b), "\r\n"))
	}
	return s
}

// every returns the settings that c has, those of its services included.
func (c *Config) every() []setting {
	all := slices.Clone(settings)
	for _, service := range c.Services {
		for _, f := range perService {
			s, _ := find("services." + service.Name + "." + f.field)
			all = append(all, s)
		}
	}
	return all
}

func text(at func(*Config) *string) func(*Config, string) error {
	return func(c *Config, v string) error { *at(c) = v; return nil }
}

func serviceText(at func(*Service) *string) func(*Service, string) error {
	return func(s *Service, v string) error { *at(s) = v; return nil }
}

func oneOf(at func(*Config) *string, values ...string) func(*Config, string) error {
	return func(c *Config, v string) error {
		if !slices.Contains(values, v) {
			return fmt.Errorf("must be one of %s, not %q", strings.Join(values, ", "), v)
		}
		*at(c) = v
		return nil
	}
}

func address(at func(*Config) *string) func(*Config, string) error {
	return func(c *Config, v string) error {
		_, port, err := net.SplitHostPort(v)
		if err == nil {
			_, err = strconv.ParseUint(port, 10, 16)
		}
		if err != nil {
			return fmt.Errorf("must be HOST:PORT, such as %s, not %q", DefaultListen, v)
		}
		*at(c) = v
		return nil
	}
}

func setAdminListen(c *Config, v string) error {
	if v == off {
		c.AdminListen = ""
		return nil
	}
	return address(func(c *Config) *string { return &c.AdminListen })(c, v)
}

// setDatabase never quotes the text: it may hold a password.
func setDatabase(c *Config, v string) error {
	if strings.Contains(v, "://") {
		u, err := url.Parse(v)
		if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || u.Host == "" && u.RawQuery == "" {
			return errors.New("must be the path of an SQLite file or postgres://USER:PASSWORD@HOST:PORT/DATABASE")
		}
	}
	c.Database = seal.NewSecret([]byte(v))
	return nil
}

func getDatabase(c *Config) string {
	if c.SQLite() {
		return c.DSN()
	}
	u, err := url.Parse(c.DSN())
	if err != nil {
		return seal.Redacted
	}
	// The query may hold a password too.
	return fmt.Sprintf("%s://%s@%s%s", u.Scheme, seal.Redacted, u.Host, u.Path)
}

// setPublicURL takes no path: signatures cover it.
func setPublicURL(c *Config, v string) error {
	u, err := parseURL(v)
	if err == nil && strings.Trim(u.Path, "/") != "" {
		err = errURL
	}
	c.PublicURL = u
	return err
}

var errURL = errors.New("must be http://HOST[:PORT] or https://HOST[:PORT] without a path")

// parseURL reads the URL of a server. Its error does not quote the text: it may
// hold a password.
func parseURL(v string) (*url.URL, error) {
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errURL
	}
	return u, nil
}

func urlText(u *url.URL) string {
	if u == nil {
		return ""
	}
	return u.String()
}

func setTrusted(c *Config, v string) (err error) {
	c.Trusted, err = networks(v, "everybody could then choose the address that is recorded and judged")
	return err
}

// networks reads networks and single addresses. The whole internet is none; why
// not is told.
func networks(v, why string) (all []netip.Prefix, err error) {
	for _, s := range list(v) {
		network, err := netip.ParsePrefix(s)
		if err != nil {
			ip, err := netip.ParseAddr(s)
			if err != nil {
				return nil, fmt.Errorf("must be networks such as 10.0.0.0/8, not %q", s)
			}
			network = netip.PrefixFrom(ip, ip.BitLen())
		}
		if network.Bits() == 0 {
			return nil, fmt.Errorf("%s is the whole internet: %s", s, why)
		}
		all = append(all, network.Masked())
	}
	return all, nil
}

func getTrusted(c *Config) string { return networksText(c.Trusted) }

func networksText(all []netip.Prefix) string {
	var b strings.Builder
	for i, n := range all {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(n.String())
	}
	return b.String()
}

func setIssuer(c *Config, v string) error {
	if v == "" || len(v) > 64 {
		return errors.New("must have 1 to 64 bytes")
	}
	c.Issuer = v
	return nil
}

func setRegions(c *Config, v string) error {
	c.Regions = list(v)
	for _, r := range c.Regions {
		if strings.Trim(r, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return fmt.Errorf("%q is not the name of a region, such as us-east-1", r)
		}
	}
	return nil
}

func setLevel(c *Config, v string) error {
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		if strings.EqualFold(v, level.String()) {
			c.Log.Level = level
			return nil
		}
	}
	return fmt.Errorf("must be one of debug, info, warn, error, not %q", v)
}

// setServiceURL allows a path, under which the upstream has what is asked for.
func setServiceURL(s *Service, v string) (err error) {
	s.URL, err = parseURL(v)
	return err
}

// protocols are the wire protocols that the gateway understands.
var protocols = []string{"query", "ec2", "json", "s3", "acs", "oci"}

func setProtocol(s *Service, v string) error {
	if v == "rest-xml" {
		v = "s3" // S3 is the only service of AWS's REST-XML protocol that is understood
	}
	if !slices.Contains(protocols, v) {
		return fmt.Errorf("must be one of %s, not %q", strings.Join(protocols, ", "), v)
	}
	s.Protocol = v
	return nil
}

// setServiceAccount takes the number as it stands: it may begin with a 0.
func setServiceAccount(s *Service, v string) error {
	if len(v) != 12 || strings.Trim(v, "0123456789") != "" {
		return fmt.Errorf("must be the 12 digits of an account, not %q", v)
	}
	s.Account = v
	return nil
}

func setLiteralKeys(s *Service, v string) error {
	if v != "true" && v != "false" {
		return fmt.Errorf("must be true or false, not %q", v)
	}
	s.LiteralKeys = v == "true"
	return nil
}

// own are the services that this server is, and which therefore no upstream
// can be.
var own = []string{"iam", "sts", "cloudtrail", "ram", "ims", "actiontrail", "resourcemanager"}

func checkServiceName(name string) error {
	if name == "" || len(name) > 64 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return fmt.Errorf("%q is not a service's name in signatures, such as ec2", name)
	}
	if slices.Contains(own, name) {
		return fmt.Errorf("%s is served here and cannot be forwarded", name)
	}
	return nil
}

// list reads values separated by commas.
func list(v string) (all []string) {
	for s := range strings.SplitSeq(v, ",") {
		if s = strings.TrimSpace(s); s != "" {
			all = append(all, s)
		}
	}
	return all
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func shownSecret(s seal.Secret) string {
	if s.Empty() {
		return ""
	}
	return seal.Redacted
}
