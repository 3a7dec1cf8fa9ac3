package name

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// uidPrefix makes the 16 digits of an Alibaba Cloud account of our 12. Theirs
// begin with 1 as well; a prefix keeps zeros at the front of an account's number.
const uidPrefix = "1000"

// AlibabaVendor owns Alibaba Cloud's system policies, as 0 owns AWS's.
const AlibabaVendor Account = -1

// Vendor tells whether the account owns policies that exist from the start. No
// person belongs to one.
func (a Account) Vendor() bool { return a == 0 || a == AlibabaVendor }

// UID spells the account as Alibaba Cloud does: 16 digits.
func (a Account) UID() string { return uidPrefix + a.String() }

// ParseUID reads what UID wrote.
func ParseUID(s string) (Account, bool) {
	digits, ok := strings.CutPrefix(s, uidPrefix)
	if !ok {
		return 0, false
	}
	return ParseAccount(digits)
}

// ACS is an Alibaba Cloud resource name taken apart:
// acs:service:region:account:resource. The resource may hold colons.
type ACS struct {
	Service, Region, Account, Resource string
}

// ParseACS splits s. The second result is false when s does not have five parts
// or does not begin with acs.
func ParseACS(s string) (ACS, bool) {
	p := strings.SplitN(s, ":", 5)
	if len(p) != 5 || p[0] != "acs" {
		return ACS{}, false
	}
	return ACS{p[1], p[2], p[3], p[4]}, true
}

// String puts the name together.
func (a ACS) String() string {
	return "acs:" + a.Service + ":" + a.Region + ":" + a.Account + ":" + a.Resource
}

// RAM names a resource of RAM: kind is "user", "role", "mfa", … Paths, which
// Alibaba Cloud has not, are not part of the name.
func RAM(a Account, kind, called string) string {
	return "acs:ram::" + a.UID() + ":" + kind + "/" + called
}

// RAMRoot names an account and its root user.
func RAMRoot(a Account) string { return "acs:ram::" + a.UID() + ":root" }

// RAMSession names a role session, as GetCallerIdentity and the trail spell it.
func RAMSession(a Account, role, session string) string {
	return "acs:sts::" + a.UID() + ":assumed-role/" + role + "/" + session
}

// RAMFederated names a federated user's session, of which Alibaba Cloud has none
// of its own.
func RAMFederated(a Account, session string) string {
	return "acs:sts::" + a.UID() + ":federated-user/" + session
}

// IsACS reports whether a text is spelled as Alibaba Cloud's names of things are.
func IsACS(s string) bool { return strings.HasPrefix(s, "acs:") }

// SplitRAM takes the name of a RAM resource apart; the last result is false when
// s does not name one of that kind. The region may be empty or "*".
func SplitRAM(s, kind string) (a Account, called string, ok bool) {
	acs, ok := ParseACS(s)
	if !ok || acs.Service != "ram" || acs.Region != "" && acs.Region != "*" {
		return 0, "", false
	}
	if acs.Account == "system" {
		a = AlibabaVendor
	} else if a, ok = ParseUID(acs.Account); !ok {
		return 0, "", false
	}
	called, ok = strings.CutPrefix(acs.Resource, kind+"/")
	return a, called, ok && called != ""
}

// ACSOf spells the name of a resource of this directory as Alibaba Cloud does,
// given AWS's spelling. The path is dropped: names are unique without it. The
// result is "" when Alibaba Cloud has no name for it, and "*" stays.
func ACSOf(arn string) string {
	if arn == "*" {
		return arn
	}
	a, ok := ParseARN(arn)
	if !ok || a.Partition != Partition {
		return ""
	}
	if code, foreign := strings.CutPrefix(a.Service, ACSPrefix); foreign {
		account, ok := ParseAccount(a.Account)
		if !ok {
			return ""
		}
		return ACS{code, a.Region, account.UID(), a.Resource}.String()
	}
	if a.Region != "" {
		return ""
	}
	uid := "system"
	if a.Account != "aws" && a.Account != "acs" {
		account, ok := ParseAccount(a.Account)
		if !ok {
			return ""
		}
		uid = account.UID()
	}
	kind, rest, nested := strings.Cut(a.Resource, "/")
	switch {
	case a.Service == "sts" && kind == "assumed-role":
		return "acs:sts::" + uid + ":" + a.Resource
	case a.Service != "iam":
		return ""
	case !nested:
		return "acs:ram::" + uid + ":" + kind // root, and lists of a whole kind
	}
	if kind != "mfa" { // a device is found by path and name
		rest = rest[strings.LastIndexByte(rest, '/')+1:]
	}
	return "acs:ram::" + uid + ":" + kind + "/" + rest
}

// ACSPrefix stands before the code of a service of Alibaba Cloud's where AWS's
// language speaks of it: "acs-ecs". Some codes are those of other services there.
const ACSPrefix = "acs-"

// ACSResourceARN names a resource of a service of Alibaba Cloud's as AWS's language
// spells it; ACSOf gives back its own name.
func ACSResourceARN(code, region string, a Account, resource string) string {
	return ARN{Partition, ACSPrefix + code, region, a.String(), resource}.String()
}

// ARNOfMFA is AWS's serial number of the device that Alibaba Cloud names s; the
// last result is false when s names none.
func ARNOfMFA(s string) (string, bool) {
	a, called, ok := SplitRAM(s, "mfa")
	if !ok || a.Vendor() {
		return "", false
	}
	return MFAARN(a, "/", called), true
}

// ParseID reads the 18 digits of an id, which is how Alibaba Cloud spells those of
// its users.
func ParseID(s string) (ID, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	id := ID(n)
	return id, err == nil && len(s) == 18 && id >= minID && id < minID+spanN
}

// Prefixes of Alibaba Cloud's access key ids.
const (
	PrefixRAMKey = "LTAI" // of a user's key
	PrefixSTSKey = "STS." // of a session's
)

// alphanumerics are what Alibaba Cloud's key ids and secrets are made of.
const alphanumerics = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// Alphanumeric draws n letters and digits, each as likely as another: 5.95 bits
// each.
func Alphanumeric(rand io.Reader, n int) ([]byte, error) {
	out := make([]byte, 0, n)
	var b [32]byte
	for len(out) < n {
		if _, err := io.ReadFull(rand, b[:]); err != nil {
			return nil, fmt.Errorf("draw letters and digits: %w", err)
		}
		for _, c := range b {
			if i := int(c & 63); i < len(alphanumerics) && len(out) < n {
				out = append(out, alphanumerics[i])
			}
		}
	}
	return out, nil
}

// NewRAMKeyID mints the id of a user's access key as Alibaba Cloud spells them: the
// prefix and 20 letters and digits, 119 bits.
func NewRAMKeyID(rand io.Reader) (string, error) {
	b, err := Alphanumeric(rand, 20)
	return PrefixRAMKey + string(b), err
}

// RAMSystemPolicy names one of Alibaba Cloud's system policies.
func RAMSystemPolicy(called string) string { return "acs:ram::system:policy/" + called }

// domainSuffix is what Alibaba Cloud puts behind an account's alias.
const domainSuffix = ".onaliyun.com"

// Domain is the default domain of an account: its alias, or its number while it has
// none, in Alibaba Cloud's own.
func Domain(a Account, alias string) string {
	if alias == "" {
		alias = a.UID()
	}
	return alias + domainSuffix
}

// UPN is a user's principal name.
func UPN(user, domain string) string { return user + "@" + domain }

// SplitUPN takes a principal name apart. The domain may be left out, and so may
// what all default domains end in.
func SplitUPN(s string) (user, domain string) {
	i := strings.LastIndexByte(s, '@')
	if i < 0 {
		return s, ""
	}
	user, domain = s[:i], s[i+1:]
	if domain != "" && !strings.Contains(domain, ".") {
		domain += domainSuffix
	}
	return user, domain
}
