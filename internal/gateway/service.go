package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"warifu/internal/gateway/acstable"
	"warifu/internal/name"
	"warifu/internal/reqsig/sigv4"
	"warifu/policy/aws/catalog"
)

// Service is one entry of the configuration's services.
type Service struct {
	// Name is the service that requests are signed for, as in a credential
	// scope: "ec2", "s3", "monitoring".
	Name string

	// Prefix is the service's prefix in policies, where it is not Name:
	// "cloudwatch" for "monitoring".
	Prefix string

	Protocol Protocol

	// Upstream is where requests go: scheme, host and, but for S3, a path.
	Upstream *url.URL

	// Account owns what is behind the upstream: 12 digits. Callers of other
	// accounts are refused, since nothing there could grant them access. ""
	// gives every account the service as its own; the upstream must then keep
	// them apart by the header Warifu-Account.
	Account string

	// Key signs requests to the upstream again; nil leaves them unsigned, and
	// the upstream must trust the network that the gateway speaks from.
	Key *sigv4.Credentials

	// Region is the one that Key signs for; "" takes the client's. For ACS it is
	// where the upstream's resources are, and must be given: their names hold it.
	Region string

	// Table says what the service's operations are authorised on (ACS). nil takes
	// the built-in one of the service's prefix.
	Table *acstable.Table

	// Regions are those that clients may sign for; none means any.
	Regions []string

	// Domains are the host names under which a bucket is a subdomain (S3).
	Domains []string

	// LiteralKeys says that the upstream tells object keys apart byte by byte,
	// as S3 does, so that keys with empty or dot segments may be judged (S3).
	LiteralKeys bool

	// Target is what X-Amz-Target must begin with, such as
	// "DynamoDB_20120810"; "" takes any (JSON).
	Target string

	// Operations is the table of a service of Oracle's kind (OCI).
	Operations []Operation

	// MaxBody is the longest form or JSON body that is read; 0 means
	// DefaultMaxBody. S3 bodies stream and have no limit here.
	MaxBody int64

	// Timeout bounds the wait for the head of the upstream's answer; 0 means
	// DefaultTimeout. The bodies may take as long as they move.
	Timeout time.Duration
}

// The defaults of a Service.
const (
	DefaultMaxBody = 1 << 20 // bytes; AWS's own form requests are far below
	DefaultTimeout = 60 * time.Second
)

func (s *Service) actionPrefix() string {
	if s.Prefix != "" {
		return s.Prefix
	}
	return s.Name
}

func (s *Service) maxBody() int64 {
	if s.MaxBody > 0 {
		return s.MaxBody
	}
	return DefaultMaxBody
}

// reserved are the services that Warifu answers itself.
var reserved = map[string]bool{
	"iam": true, "sts": true, "cloudtrail": true, "signin": true,
	"ram": true, "ims": true, "actiontrail": true, "resourcemanager": true,
}

// ownVersions are those of Alibaba Cloud's services that Warifu answers itself;
// the version is what tells services apart there.
var ownVersions = map[string]bool{
	"2015-05-01": true, "2019-08-15": true, "2015-04-01": true, "2020-07-06": true, "2020-03-31": true,
}

// ownPrefix is the service's prefix where AWS's language speaks of it.
func (s *Service) ownPrefix() string {
	if s.Protocol == ACS {
		return name.ACSPrefix + s.actionPrefix()
	}
	return s.actionPrefix()
}

// checkACS goes on for a service of Alibaba Cloud's kind.
func (s *Service) checkACS() error {
	t := s.table()
	switch {
	case t == nil:
		return fmt.Errorf("services: %s: no operations of %s are known; set operations", s.Name, s.actionPrefix())
	case s.Region == "":
		return fmt.Errorf("services: %s: the protocol acs needs region", s.Name)
	case ownVersions[t.Version]:
		return fmt.Errorf("services: %s: Warifu answers the version %s itself", s.Name, t.Version)
	}
	return s.checkUpstream()
}

// table is what is known of the service's operations; nil if nothing is.
func (s *Service) table() *acstable.Table {
	if s.Table != nil {
		return s.Table
	}
	return acstable.Of(s.actionPrefix())
}

// check reports what is wrong with a service's configuration.
func (s *Service) check() error {
	switch {
	case s.Name == "":
		return errors.New("services: a service has no name")
	case reserved[s.Name] || reserved[s.actionPrefix()]:
		return fmt.Errorf("services: %s: Warifu answers this service itself", s.Name)
	case !s.Protocol.known():
		return fmt.Errorf("services: %s: protocol %q is not one of query, ec2, json, s3, acs, oci", s.Name, s.Protocol)
	case s.Protocol == S3 && s.actionPrefix() != "s3":
		return fmt.Errorf("services: %s: the protocol s3 serves only the actions of s3", s.Name)
	case s.Protocol == ACS:
		return s.checkACS()
	case s.Protocol != S3 && s.Protocol != OCI && !catalog.KnownService(s.actionPrefix()):
		return fmt.Errorf("services: %s: no AWS service has the action prefix %q; set prefix", s.Name, s.actionPrefix())
	}
	return s.checkUpstream()
}

// checkUpstream reports what is wrong with where requests go.
func (s *Service) checkUpstream() error {
	switch {
	case s.Upstream == nil || s.Upstream.Host == "" || s.Upstream.Scheme != "http" && s.Upstream.Scheme != "https":
		return fmt.Errorf("services: %s: upstream must be an http or https URL with a host", s.Name)
	case s.Upstream.User != nil || s.Upstream.RawQuery != "" || s.Upstream.Fragment != "":
		return fmt.Errorf("services: %s: upstream must have no user, query or fragment", s.Name)
	case s.Protocol == S3 && strings.Trim(s.Upstream.Path, "/") != "":
		return fmt.Errorf("services: %s: the upstream of the protocol s3 must have no path", s.Name)
	case s.Account != "" && !isAccount(s.Account):
		return fmt.Errorf("services: %s: account must be 12 digits", s.Name)
	case s.Key != nil && (s.Key.AccessKeyID == "" || s.Key.Secret == ""):
		return fmt.Errorf("services: %s: the upstream's key needs an access key id and a secret", s.Name)
	case s.Protocol == OCI:
		return s.checkOCI()
	}
	return nil
}

func isAccount(s string) bool {
	_, ok := name.ParseAccount(s)
	return ok
}

// options are what the signature of a request to this service must obey.
func (s *Service) options() sigv4.Options {
	return sigv4.Options{Service: s.Name, Regions: s.Regions, S3: s.Protocol == S3}
}

// transport makes the connection pool of one service. It follows no redirects,
// which would carry the caller's identity elsewhere, and takes no proxy from
// the environment.
func (s *Service) transport() *http.Transport {
	timeout := s.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  timeout,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true, // the client's Accept-Encoding is the upstream's business
		ForceAttemptHTTP2:      s.Upstream.Scheme == "https",
	}
}
