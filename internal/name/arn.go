package name

import "strings"

// ARN is an Amazon Resource Name taken apart:
// arn:partition:service:region:account:resource. The resource may hold colons.
type ARN struct {
	Partition, Service, Region, Account, Resource string
}

// ParseARN splits s. The second result is false when s does not have six parts
// or does not begin with arn.
func ParseARN(s string) (ARN, bool) {
	p := strings.SplitN(s, ":", 6)
	if len(p) != 6 || p[0] != "arn" {
		return ARN{}, false
	}
	return ARN{p[1], p[2], p[3], p[4], p[5]}, true
}

// String puts the ARN together.
func (a ARN) String() string {
	return "arn:" + a.Partition + ":" + a.Service + ":" + a.Region + ":" + a.Account + ":" + a.Resource
}

// Partition is the only partition served.
const Partition = "aws"

const iamPrefix = "arn:" + Partition + ":iam::"
const stsPrefix = "arn:" + Partition + ":sts::"

// RootARN names an account and its root user.
func RootARN(a Account) string { return iamPrefix + a.String() + ":root" }

// UserARN names a user; path begins and ends with a slash.
func UserARN(a Account, path, user string) string { return iamARN(a, "user", path, user) }

// GroupARN names a group.
func GroupARN(a Account, path, group string) string { return iamARN(a, "group", path, group) }

// RoleARN names a role.
func RoleARN(a Account, path, role string) string { return iamARN(a, "role", path, role) }

// MFAARN names a virtual MFA device: its serial number.
func MFAARN(a Account, path, device string) string { return iamARN(a, "mfa", path, device) }

// KeyARN is the serial number of a FIDO security key or passkey: that of a user,
// "" for root, with the name that it was given and its id. Characters that serial
// numbers cannot have become hyphens.
func KeyARN(a Account, user, called string, id ID) string {
	spelled := strings.Map(func(r rune) rune {
		if r < 0x80 && (r == '_' || strings.ContainsRune("+=,.@-", r) || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9') {
			return r
		}
		return '-'
	}, called)
	whose := "root-account"
	if user != "" {
		whose = "user/" + user
	}
	return iamARN(a, "u2f", "/"+whose+"/", spelled[:min(len(spelled), 64)]+"-"+id.Unique(""))
}

// SplitKey reads what KeyARN wrote: whose key, and its id. The last result is
// false for anything else.
func SplitKey(s string) (a Account, user string, id ID, ok bool) {
	a, path, called, ok := SplitIAM(s, "u2f")
	if !ok || a.Vendor() {
		return 0, "", 0, false
	}
	if path != "/root-account/" {
		if user, ok = strings.CutPrefix(path, "/user/"); !ok {
			return 0, "", 0, false
		}
		if user = strings.TrimSuffix(user, "/"); user == "" || strings.Contains(user, "/") {
			return 0, "", 0, false
		}
	}
	id, ok = ParseUnique("", called[strings.LastIndexByte(called, '-')+1:])
	return a, user, id, ok
}

// PolicyARN names a managed policy; account 0 is AWS's own, AlibabaVendor
// Alibaba Cloud's.
func PolicyARN(a Account, path, policy string) string { return iamARN(a, "policy", path, policy) }

// AssumedRoleARN names a role session. The role's path is dropped, as AWS does.
func AssumedRoleARN(a Account, role, session string) string {
	return stsPrefix + a.String() + ":assumed-role/" + role + "/" + session
}

// FederatedUserARN names a federated user's session.
func FederatedUserARN(a Account, session string) string {
	return stsPrefix + a.String() + ":federated-user/" + session
}

func iamARN(a Account, kind, path, name string) string {
	var room [192]byte
	b := append(room[:0], iamPrefix...)
	switch a {
	case 0:
		b = append(b, "aws"...)
	case AlibabaVendor:
		b = append(b, "acs"...)
	default:
		b = a.append(b)
	}
	b = append(b, ':')
	b = append(b, kind...)
	b = append(b, path...)
	return string(append(b, name...))
}

// SplitIAM takes an IAM resource ARN apart into its account (0 or AlibabaVendor
// for a vendor's), path and name; kind is "user", "role", "policy", "mfa", …
// The last result is false when s is not an IAM ARN of that kind.
func SplitIAM(s, kind string) (a Account, path, name string, ok bool) {
	arn, ok := ParseARN(s)
	if !ok || arn.Partition != Partition || arn.Service != "iam" || arn.Region != "" {
		return 0, "", "", false
	}
	switch arn.Account {
	case "aws":
	case "acs":
		a = AlibabaVendor
	default:
		if a, ok = ParseAccount(arn.Account); !ok {
			return 0, "", "", false
		}
	}
	rest, ok := strings.CutPrefix(arn.Resource, kind+"/")
	if !ok {
		return 0, "", "", false
	}
	i := strings.LastIndexByte(rest, '/')
	return a, "/" + rest[:i+1], rest[i+1:], rest[i+1:] != ""
}
