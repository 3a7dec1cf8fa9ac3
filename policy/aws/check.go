package aws

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"warifu/policy"
)

// check looks for what is wrong in a document whose syntax is right. The order is
// that in which AWS reports faults of different kinds; each kind is looked for in
// the whole document before the next one.
func (d *Document) check() error {
	if err := d.checkVersion(); err != nil {
		return err
	}
	checks := []func(*statement) error{
		d.checkPrincipalElements, d.checkLegacy, d.checkSid(), d.checkHasActions, d.checkHasResources,
		d.checkPrincipals, d.checkResources, d.checkActions,
	}
	if d.kind == TrustPolicy {
		checks = []func(*statement) error{d.checkTrust, d.checkLegacy, d.checkSid(), d.checkHasActions, d.checkPrincipals, d.checkActions}
	}
	for _, check := range checks {
		for _, s := range d.statements {
			if err := check(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkVersion: documents that AWS introduced with versions, or later than those,
// must state the present one.
func (d *Document) checkVersion() error {
	switch d.kind {
	case Managed, BoundaryPolicy, ServiceControl, ResourceControl:
		if d.version.s != version2012 {
			found := "no Version"
			if d.version.s != "" {
				found = fmt.Sprintf("Version %q", d.version.s)
			}
			return d.refuse(d.version.off, msgVersion, found, `Version "2012-10-17"`)
		}
	}
	return nil
}

func (d *Document) checkPrincipalElements(s *statement) error {
	p := cmpOr(s.principal, s.notPrinc)
	if !d.kind.hasPrincipal() {
		if p != nil {
			return d.refuse(p.off, msgNoPrincipal, p.name, "no Principal: the policy is about whom it is attached to")
		}
		return nil
	}
	if p == nil {
		return d.refuse(s.off, "Missing required field Principal", "a statement without Principal", "Principal or NotPrincipal")
	}
	if d.kind == ResourceControl && (s.principal == nil || !s.principal.everyone()) {
		return d.refuse(p.off, msgSyntax, p.name+" other than \"*\"", `Principal "*"`)
	}
	return nil
}

// checkTrust: a trust policy is about the role that it belongs to.
func (d *Document) checkTrust(s *statement) error {
	for _, l := range []*list{s.resource, s.notResource} {
		if l != nil {
			return d.refuse(l.off, "Has prohibited field Resource", l.name, "no Resource: the role itself is meant")
		}
	}
	if s.notPrinc != nil {
		return d.refuse(s.notPrinc.off, "Has prohibited field NotPrincipal", "NotPrincipal", "Principal")
	}
	if s.principal == nil {
		return d.refuse(s.off, "Missing required field Principal", "a statement without Principal", "Principal")
	}
	return nil
}

// checkLegacy finds what AWS's older parser refuses.
func (d *Document) checkLegacy(s *statement) error {
	if s.effect.s != "Allow" && s.effect.s != "Deny" {
		return d.refuse(s.effect.off, msgLegacy, fmt.Sprintf("%q as Effect", s.effect.s), `"Allow" or "Deny", in this case`)
	}
	for _, l := range []*list{s.resource, s.notResource} {
		if l == nil {
			continue
		}
		for _, r := range l.items {
			a := strings.SplitN(r.s, ":", 6)
			if len(a) < 3 || !validPartition(a[1]) {
				continue
			}
			if a[2] == "" || len(a) == 5 {
				return d.refuse(r.off, msgLegacy, fmt.Sprintf("%q", r.s), "an ARN of six fields: arn:partition:service:region:account:resource")
			}
		}
	}
	return d.checkConditionValues(s)
}

func (d *Document) checkConditionValues(s *statement) error {
	for _, o := range s.condition.operators() {
		op, _ := parseOperator(o.name.s)
		want := ""
		var valid func(string) bool
		switch op.form.family {
		case famDate:
			want, valid = "an ISO 8601 date or seconds since 1970", func(v string) bool { _, ok := policy.ParseInstant(v); return ok }
		case famNumeric:
			want, valid = "a decimal number", func(v string) bool { _, ok := policy.ParseNumber(v); return ok }
		case famIP:
			want, valid = "an IP address or a network in CIDR form", func(v string) bool { _, ok := parseNetwork(v); return ok }
		case famNull:
			want, valid = `"true" or "false"`, func(v string) bool { return strings.EqualFold(v, "true") || strings.EqualFold(v, "false") }
		case famBinary:
			want, valid = "base64", func(v string) bool { _, err := base64.StdEncoding.DecodeString(v); return err == nil }
		default:
			continue
		}
		for _, key := range o.keys {
			for _, v := range key.items {
				if !valid(v.s) {
					return d.refuse(v.off, msgLegacy, fmt.Sprintf("%q for %s %s", v.s, o.name.s, key.name), want)
				}
			}
		}
	}
	return nil
}

// parseNetwork reads a network or a single address.
func parseNetwork(s string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p, true
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}

// checkSid returns a check that remembers the ids seen. An empty one is none.
func (d *Document) checkSid() func(*statement) error {
	seen := map[string]bool{}
	return func(s *statement) error {
		if s.sid == nil || s.sid.s == "" {
			return nil
		}
		if seen[s.sid.s] {
			return d.refuse(s.sid.off, msgSidUnique, fmt.Sprintf("the Sid %q a second time", s.sid.s), "each Sid once")
		}
		seen[s.sid.s] = true
		return nil
	}
}

const alphanumerics = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

func (d *Document) checkHasActions(s *statement) error {
	if l := cmpOr(s.action, s.notAction); l == nil || len(l.items) == 0 {
		return d.refuse(s.off, msgActions, "a statement without actions", "Action or NotAction with at least one action")
	}
	return nil
}

func (d *Document) checkHasResources(s *statement) error {
	if l := cmpOr(s.resource, s.notResource); l == nil || len(l.items) == 0 {
		return d.refuse(s.off, msgResources, "a statement without resources", "Resource or NotResource with at least one resource")
	}
	return nil
}

func (d *Document) checkResources(s *statement) error {
	for _, r := range cmpOr(s.resource, s.notResource).items {
		if message := resourceFault(r.s); message != "" {
			return d.refuse(r.off, message, fmt.Sprintf("%q", r.s), `"*" or arn:partition:service:region:account:resource`)
		}
	}
	return nil
}

// partitions are AWS's; a wildcard stands for several.
var partitions = []string{"aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"}

func validPartition(p string) bool {
	return slices.Contains(partitions, p) || strings.ContainsAny(p, "*?")
}

// arnFields splits an ARN into six, filling up with "*" as AWS does.
func arnFields(s string) []string {
	f := strings.SplitN(s, ":", 6)
	for len(f) < 6 {
		f = append(f, "*")
	}
	return f
}

// iamPaths are the kinds of IAM resources, as the message lists them.
var iamPaths = []string{"user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/",
	"policy/", "sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/"}

// resourceFault returns AWS's message for a resource that it refuses, or "".
func resourceFault(s string) string {
	if s == "*" {
		return ""
	}
	if !strings.Contains(s, ":") {
		return fmt.Sprintf("Resource %s must be in ARN format or \"*\".", s)
	}
	given := strings.Count(s, ":")
	f := arnFields(s)
	f[0] = "arn"
	switch {
	case !validPartition(f[1]):
		return fmt.Sprintf("Partition %q is not valid for resource %q.", f[1], strings.Join(f, ":"))
	case strings.ContainsAny(f[2], "*?$"):
		return "Resource vendor must be fully qualified and cannot contain regexes."
	case f[2] == "iam" && f[3] != "" && given >= 3:
		return fmt.Sprintf("IAM resource %s cannot contain region information.", s)
	case f[2] == "s3" && f[3] != "" && given >= 3 && !strings.HasPrefix(f[5], "accesspoint"):
		return fmt.Sprintf("Resource %s can not contain region information.", s)
	case f[2] == "iam" && !iamPath(f[5]):
		return `IAM resource path must either be "*", root, or start with ` + strings.Join(iamPaths, ", ") + "."
	}
	return ""
}

// iamPath tells whether a resource of IAM starts like one; where a wildcard or
// variable stands, it may yet.
func iamPath(s string) bool {
	fixed := s
	if i := strings.IndexAny(s, "*?$"); i >= 0 {
		fixed = s[:i]
	}
	if s == "root" {
		return true
	}
	for _, p := range iamPaths {
		if strings.HasPrefix(s, p) || fixed != s && strings.HasPrefix(p, fixed) {
			return true
		}
	}
	return false
}

func (d *Document) checkActions(s *statement) error {
	for _, a := range cmpOr(s.action, s.notAction).items {
		message, want := actionFault(a.s), `service:Action, or "*"`
		if message == "" && d.kind == TrustPolicy && !trustAction(a.s) {
			message, want = msgTrustActions, "sts:AssumeRole, sts:AssumeRoleWithSAML, sts:AssumeRoleWithWebIdentity, sts:TagSession, sts:SetSourceIdentity, sts:SetContext"
		}
		if message != "" {
			return d.refuse(a.off, message, fmt.Sprintf("%q", a.s), want)
		}
	}
	return nil
}

// actionFault returns AWS's message for an action that it refuses, or "".
func actionFault(s string) string {
	if s == "*" {
		return ""
	}
	vendor, _, ok := strings.Cut(s, ":")
	switch {
	case !ok:
		return msgVendor
	case strings.Count(s, ":") > 1:
		return msgColon
	case vendor == "" || strings.Trim(vendor, alphanumerics+".-") != "":
		return fmt.Sprintf("Vendor %s is not valid", vendor)
	}
	return ""
}

var trustActions = []string{"sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity", "sts:tagsession", "sts:setsourceidentity", "sts:setcontext"}

func trustAction(s string) bool {
	low := strings.ToLower(s)
	return slices.Contains(trustActions, low) || strings.HasPrefix(low, "sts:") && strings.ContainsAny(s, "*?")
}

func (d *Document) checkPrincipals(s *statement) error {
	p := cmpOr(s.principal, s.notPrinc)
	if p == nil || p.all {
		return nil
	}
	for _, l := range p.by {
		for _, v := range l.items {
			if _, ok := parseWho(l.name, v.s); !ok {
				return d.refuse(v.off, fmt.Sprintf("Invalid principal in policy: %q:%q", l.name, v.s), fmt.Sprintf("%q", v.s), principalHelp[l.name])
			}
		}
	}
	return nil
}

var principalHelp = map[string]string{
	"AWS":           `"*", an account id, or the ARN of a root user, user, role, role session or federated user; no other wildcard`,
	"Service":       "a service's name such as ec2.amazonaws.com",
	"Federated":     "the ARN or name of an identity provider",
	"CanonicalUser": "a canonical user id",
}

// parseWho reads one principal.
func parseWho(kind, s string) (policy.Who, bool) {
	if s == "" {
		return policy.Who{}, false
	}
	if s == "*" && (kind == "AWS" || kind == "Federated") {
		return policy.Who{Kind: policy.Everyone}, true
	}
	if strings.ContainsAny(s, "*?") {
		return policy.Who{}, false
	}
	if kind != "AWS" {
		return policy.Who{Kind: policy.Named, Name: s}, true
	}
	if isAccountID(s) {
		return policy.Who{Kind: policy.InAccount, Name: s}, true
	}
	if isUniqueID(s) {
		return policy.Who{Kind: policy.WithID, Name: s}, true
	}
	f := strings.SplitN(s, ":", 6)
	if len(f) < 6 || f[0] != "arn" || !slices.Contains(partitions, f[1]) || f[3] != "" || !isAccountID(f[4]) {
		return policy.Who{}, false
	}
	kindOf, _, named := strings.Cut(f[5], "/")
	switch {
	case f[2] == "iam" && f[5] == "root":
		return policy.Who{Kind: policy.InAccount, Name: f[4]}, true
	case named && f[2] == "iam" && (kindOf == "user" || kindOf == "role"),
		named && f[2] == "sts" && (kindOf == "assumed-role" || kindOf == "federated-user"):
		return policy.Who{Kind: policy.Named, Name: s}, true
	}
	return policy.Who{}, false
}

func isAccountID(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

// isUniqueID tells whether s has the form of a user's or role's unique id, which a
// trust policy keeps in place of a deleted principal's ARN.
func isUniqueID(s string) bool {
	return len(s) >= 16 && (strings.HasPrefix(s, "AIDA") || strings.HasPrefix(s, "AROA")) && strings.Trim(s, alphanumerics) == ""
}

// everyone tells whether "*" is among the principals.
func (p *principals) everyone() bool {
	for _, l := range p.by {
		for _, v := range l.items {
			if l.name == "AWS" && v.s == "*" {
				return true
			}
		}
	}
	return p.all
}

// operators returns the operators of a condition that may be absent.
func (c *conditions) operators() []operator {
	if c == nil {
		return nil
	}
	return c.ops
}

func cmpOr[T any](a, b *T) *T {
	if a != nil {
		return a
	}
	return b
}
