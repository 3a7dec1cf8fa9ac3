package config

import (
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"warifu/internal/seal"
)

// Config is every setting with its value.
type Config struct {
	Data        string // the data folder
	Listen      string // HOST:PORT of the server
	AdminListen string // HOST:PORT of health and metrics; "" is off
	Database    seal.Secret
	PublicURL   *url.URL // nil: derived from Listen; see URL
	KeyFile     string   // "" is warifu.key in Data; see KeyPath
	TLS         TLS
	Trusted     []netip.Prefix // reverse proxies that are believed
	Issuer      string         // how authenticator apps name this server
	Places      string         // file of a MaxMind database, by which sign-ins from impossible distances are found; "" = none
	Regions     []string       // that a signature may name; none means any
	Oracle      Oracle
	Log         Log
	Passkeys    Passkeys
	Mail        Mail
	SMS         SMS
	Trail       Trail
	Services    []Service // by name

	origins map[string]Origin
}

// TLS is the server's own certificate; both or neither are set.
type TLS struct{ Cert, Key string }

// Log says what is logged and how.
type Log struct {
	Level  slog.Level
	Format string // auto, text, json
}

// Service is another service of AWS's, Alibaba Cloud's or Oracle's kind behind the
// gateway, which documents what the fields mean.
type Service struct {
	Name        string // as it stands in the scope of a signature
	URL         *url.URL
	Protocol    string // query, ec2, json, s3, acs, oci
	Prefix      string
	Account     string // whose the service is; "" = each account's own
	Target      string
	Domains     []string
	Operations  []string // table of a service of Oracle's kind
	LiteralKeys bool
	Region      string
	AccessKey   string // to sign for the upstream; "" forwards unsigned
	SecretKey   seal.Secret
}

// Origin says where the value of a setting came from.
type Origin struct {
	Source string // "default", "flag --listen", "environment WARIFU_LISTEN", "file warifu.yaml:3:9"
}

// DefaultListen is where the server listens unless told otherwise: on this
// machine only, because there is no TLS by default.
const DefaultListen = "localhost:7420"

func defaults() *Config {
	return &Config{
		Listen:   DefaultListen,
		Issuer:   "Warifu",
		Oracle:   Oracle{Region: defaultRegion, RegionKey: defaultRegionKey},
		Log:      Log{Level: slog.LevelInfo, Format: "auto"},
		Mail:     Mail{Security: "auto"},
		Passkeys: Passkeys{OnRollback: "block"},
		origins:  map[string]Origin{},
	}
}

// SQLite reports whether the database is a file in the data folder.
func (c *Config) SQLite() bool {
	dsn := string(c.Database.Reveal())
	return !strings.HasPrefix(dsn, "postgres://") && !strings.HasPrefix(dsn, "postgresql://")
}

// DSN is what the store opens.
func (c *Config) DSN() string {
	if c.Database.Empty() {
		return filepath.Join(c.Data, "warifu.db")
	}
	return string(c.Database.Reveal())
}

// KeyPath is where the key-encryption key is.
func (c *Config) KeyPath() string {
	if c.KeyFile == "" {
		return filepath.Join(c.Data, "warifu.key")
	}
	return c.KeyFile
}

// URL is how users reach the server, without a slash at the end: public_url if
// it is set, otherwise made from an address that the server listens on.
func (c *Config) URL(listen string) string {
	if c.PublicURL != nil {
		return strings.TrimSuffix(c.PublicURL.String(), "/")
	}
	scheme, implied := "http", "80"
	if c.TLS.Cert != "" {
		scheme, implied = "https", "443"
	}
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return scheme + "://" + listen
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "localhost" // all addresses; this one works here
	}
	if port == implied {
		return scheme + "://" + bracketed(host)
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// AddService adds a service, unless there is one of its name.
func (c *Config) AddService(s Service) bool {
	for _, old := range c.Services {
		if old.Name == s.Name {
			return false
		}
	}
	*c.service(s.Name) = s
	return true
}

// service returns the service of a name, which it adds if need be.
func (c *Config) service(name string) *Service {
	i, found := slices.BinarySearchFunc(c.Services, name, func(s Service, n string) int { return strings.Compare(s.Name, n) })
	if !found {
		c.Services = slices.Insert(c.Services, i, Service{Name: name})
	}
	return &c.Services[i]
}
