package aws

import (
	"strings"

	"warifu/policy"
)

// globalKeys are the condition keys that AWS documents for all services, in its
// spelling; one that ends in "/" is a family.
var globalKeys = []string{
	"aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast", "aws:CurrentTime", "aws:Ec2InstanceSourceVpc",
	"aws:Ec2InstanceSourcePrivateIPv4", "aws:EpochTime", "aws:FederatedProvider", "aws:MultiFactorAuthAge",
	"aws:MultiFactorAuthPresent", "aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalIsAWSService",
	"aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:PrincipalServiceName", "aws:PrincipalServiceNamesList",
	"aws:PrincipalTag/", "aws:PrincipalType", "aws:Referer", "aws:RequestedRegion", "aws:RequestTag/",
	"aws:ResourceAccount", "aws:ResourceOrgID", "aws:ResourceOrgPaths", "aws:ResourceTag/", "aws:SecureTransport",
	"aws:SourceAccount", "aws:SourceArn", "aws:SourceIdentity", "aws:SourceIp", "aws:SourceOrgID", "aws:SourceOrgPaths",
	"aws:SourceVpc", "aws:SourceVpce", "aws:TagKeys", "aws:TokenIssueTime", "aws:UserAgent", "aws:userid", "aws:username",
	"aws:ViaAWSService", "aws:VpcSourceIp",
}

// multiValued are those of the global keys that may have several values.
var multiValued = []string{
	"aws:CalledVia", "aws:PrincipalOrgPaths", "aws:PrincipalServiceNamesList", "aws:ResourceOrgPaths", "aws:SourceOrgPaths", "aws:TagKeys",
}

// CanonicalKey returns a condition key in AWS's spelling: a global key whatever the
// case it was given in, with what follows the slash kept; others as they are.
func CanonicalKey(name string) string {
	head, tail, family := strings.Cut(name, "/")
	for _, k := range globalKeys {
		if known, ok := strings.CutSuffix(k, "/"); ok == family && strings.EqualFold(known, head) {
			if family {
				return known + "/" + tail
			}
			return k
		}
	}
	return name
}

// MultiValued tells whether a global condition key may have several values, so that
// only ForAllValues and ForAnyValue fit it.
func MultiValued(name string) bool {
	for _, k := range multiValued {
		if strings.EqualFold(k, name) {
			return true
		}
	}
	return false
}

// ContextKeys returns the condition keys that the document asks about, in conditions
// and in variables: each once, in the order of first appearance.
func (d *Document) ContextKeys() []string {
	var out []string
	seen := map[string]bool{}
	add := func(name string) {
		if low := strings.ToLower(name); !seen[low] {
			seen[low] = true
			out = append(out, CanonicalKey(name))
		}
	}
	c := converter{variables: d.version.s == version2012}
	scan := func(l *list) {
		if l == nil {
			return
		}
		for _, v := range l.items {
			for _, x := range c.pattern(v.s, true) {
				if x.Text != "" && x.Kind == policy.Var {
					add(x.Text)
				}
			}
		}
	}
	for _, s := range d.statements {
		scan(s.resource)
		scan(s.notResource)
		for _, o := range s.condition.operators() {
			for i := range o.keys {
				add(o.keys[i].name)
				if op, _ := parseOperator(o.name.s); op.form.family == famString || op.form.family == famArn || op.form.family == famBool {
					scan(&o.keys[i])
				}
			}
		}
	}
	return out
}
