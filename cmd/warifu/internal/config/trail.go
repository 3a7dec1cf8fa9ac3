package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"warifu/internal/seal"
)

// Trail says how long events are kept, where they are delivered to, and where signed
// checkpoints are put.
type Trail struct {
	KeepDays int // 0 = for ever

	File          string
	Webhook       *url.URL
	WebhookSecret seal.Secret
	Syslog        string // tcp://HOST:PORT or tls://HOST:PORT
	S3            *url.URL
	S3Region      string
	S3AccessKey   string
	S3SecretKey   seal.Secret

	AnchorFile string
	AnchorURL  *url.URL
}

// trailSettings are the settings of the trail.
var trailSettings = []setting{
	{key: "trail.keep_days", set: setKeepDays, get: func(c *Config) string { return strconv.Itoa(c.Trail.KeepDays) }},
	{key: "trail.file", set: text(func(c *Config) *string { return &c.Trail.File }), get: func(c *Config) string { return c.Trail.File }},
	{key: "trail.webhook", secret: true, set: target(func(c *Config) **url.URL { return &c.Trail.Webhook }), get: func(c *Config) string { return smsURLText(c.Trail.Webhook) }},
	{key: "trail.webhook_secret", secret: true, set: secret(func(c *Config) *seal.Secret { return &c.Trail.WebhookSecret }), get: func(c *Config) string { return shownSecret(c.Trail.WebhookSecret) }},
	{key: "trail.syslog", set: setSyslog, get: func(c *Config) string { return c.Trail.Syslog }},
	{key: "trail.s3", set: target(func(c *Config) **url.URL { return &c.Trail.S3 }), get: func(c *Config) string { return urlText(c.Trail.S3) }},
	{key: "trail.s3_region", set: text(func(c *Config) *string { return &c.Trail.S3Region }), get: func(c *Config) string { return c.Trail.S3Region }},
	{key: "trail.s3_access_key", set: text(func(c *Config) *string { return &c.Trail.S3AccessKey }), get: func(c *Config) string { return c.Trail.S3AccessKey }},
	{key: "trail.s3_secret_key", secret: true, set: secret(func(c *Config) *seal.Secret { return &c.Trail.S3SecretKey }), get: func(c *Config) string { return shownSecret(c.Trail.S3SecretKey) }},
	{key: "trail.anchor_file", set: text(func(c *Config) *string { return &c.Trail.AnchorFile }), get: func(c *Config) string { return c.Trail.AnchorFile }},
	{key: "trail.anchor_url", secret: true, set: target(func(c *Config) **url.URL { return &c.Trail.AnchorURL }), get: func(c *Config) string { return smsURLText(c.Trail.AnchorURL) }},
}

func setKeepDays(c *Config, v string) error {
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 || n > 36500 {
		return fmt.Errorf("must be a number of days, 0 for ever, not %q", v)
	}
	c.Trail.KeepDays = n
	return nil
}

// target reads a URL that something is sent to. Its error does not quote the text:
// it may hold a secret.
func target(at func(*Config) **url.URL) func(*Config, string) error {
	return func(c *Config, v string) error {
		if v == "" {
			*at(c) = nil
			return nil
		}
		u, err := url.Parse(v)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" {
			return errors.New("must be a URL that begins with https:// or http://")
		}
		*at(c) = u
		return nil
	}
}

func setSyslog(c *Config, v string) error {
	scheme, address, _ := strings.Cut(v, "://")
	_, _, err := net.SplitHostPort(address)
	if v != "" && (err != nil || scheme != "tcp" && scheme != "tls") {
		return fmt.Errorf("must be tcp://HOST:PORT or tls://HOST:PORT, not %q", v)
	}
	c.Trail.Syslog = v
	return nil
}

func (t *Trail) check() error {
	switch {
	case t.S3 != nil && (t.S3Region == "" || t.S3AccessKey == "" || t.S3SecretKey.Empty()):
		return errors.New("trail.s3 needs trail.s3_region, trail.s3_access_key and trail.s3_secret_key")
	case t.S3 == nil && (t.S3AccessKey != "" || !t.S3SecretKey.Empty() || t.S3Region != ""):
		return errors.New("trail.s3 is missing: the URL of the bucket")
	case t.S3 != nil && t.S3.RawQuery != "":
		return errors.New("trail.s3 must be the URL of a bucket and a prefix, without a query")
	case t.Webhook == nil && t.AnchorURL == nil && !t.WebhookSecret.Empty():
		return errors.New("trail.webhook is missing: the secret signs what is sent there")
	}
	return nil
}
