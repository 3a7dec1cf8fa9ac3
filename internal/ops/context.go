package ops

import (
	"slices"
	"strings"
	"time"

	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/policy"
)

// The context keys that the server answers, by the slot that policy gives them.
// A key that ends in a slash is a family. keyNames is in the order of the slots.
const (
	keyUsername = iota + 1
	keyUserID
	keyPrincipalARN
	keyPrincipalAccount
	keyPrincipalType
	keyPrincipalTag
	keyMFAPresent
	keyMFAAge
	keyTokenIssueTime
	keySourceIP
	keySecureTransport
	keyCurrentTime
	keyEpochTime
	keyUserAgent
	keyReferer
	keyRequestedRegion
	keyViaService
	keyIsAWSService
	keySourceIdentity
	keyRequestTag
	keyTagKeys
	keyResourceTag
	keyIAMResourceTag
	keyResourceAccount
	keyMFAMethods
	keyMFAStrength
	keyMFAPhishingResistant
	keyDeviceRemembered
	keySignInMethod
	keyACSMFAPresent
	keyACSSourceIP
	keyACSSecureTransport
	keyACSCurrentTime
	keyACSPrincipalARN
	keyACSRequestTag
	keyACSResourceTag
)

var keyNames = []string{
	"aws:username", "aws:userid", "aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalType",
	"aws:PrincipalTag/", "aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge", "aws:TokenIssueTime",
	"aws:SourceIp", "aws:SecureTransport", "aws:CurrentTime", "aws:EpochTime", "aws:UserAgent",
	"aws:Referer", "aws:RequestedRegion", "aws:ViaAWSService", "aws:PrincipalIsAWSService",
	"aws:SourceIdentity", "aws:RequestTag/", "aws:TagKeys", "aws:ResourceTag/", "iam:ResourceTag/",
	"aws:ResourceAccount", "warifu:MFAMethods", "warifu:MFAStrength", "warifu:MFAPhishingResistant",
	"warifu:DeviceRemembered", "warifu:SignInMethod",
	"acs:MFAPresent", "acs:SourceIp", "acs:SecureTransport", "acs:CurrentTime", "acs:PrincipalARN", "acs:RequestTag/", "acs:ResourceTag/",
}

// facts answers policy's questions about one request. Nothing is computed for a
// key that no statement in play asks for.
type facts struct {
	call   *Call
	now    time.Time
	target *Target
	mfa    *MFA // the caller's, or what the request itself proved

	grants *Names      // the operation's; nil in what-if questions
	self   *oracleSelf // nil if no policy of Oracle's speaks of the caller
	read   policy.Map  // what its statements ask about the target
}

var principalTypes = map[policy.PrincipalKind]string{
	policy.Anonymous: "Anonymous", policy.Root: "Account", policy.User: "User",
	policy.RoleSession: "AssumedRole", policy.FederatedUser: "FederatedUser",
}

// Lookup implements policy.Context.
func (f *facts) Lookup(key *policy.Key) policy.Fact {
	c := &f.call.Caller
	switch key.Slot {
	case keyUsername:
		if c.Kind == policy.User {
			return policy.String(c.User.Name)
		}
	case keyUserID:
		if c.Kind != policy.Anonymous {
			return policy.String(c.UniqueID())
		}
	case keyPrincipalARN:
		if c.Kind != policy.Anonymous {
			return policy.String(c.PrincipalARN())
		}
	case keyACSPrincipalARN:
		if c.Kind != policy.Anonymous {
			return policy.String(c.ramNames().Name)
		}
	case keyPrincipalAccount:
		if c.Kind != policy.Anonymous {
			return policy.String(c.Account.String())
		}
	case keyPrincipalType:
		return policy.String(principalTypes[c.Kind])
	case keyPrincipalTag:
		return tagFact(c.Tags(), key.Arg)
	case keyMFAPresent, keyACSMFAPresent:
		if f.mfa.Known {
			return policy.Bool(f.mfa.Present)
		}
	case keyMFAAge:
		// A clock that went back must not make an old proof younger than any limit.
		if age := f.now.Sub(f.mfa.At); f.mfa.Present && age >= 0 {
			return policy.Int(int64(age / time.Second))
		}
	case keyTokenIssueTime:
		if c.Session != nil {
			return policy.At(c.Session.Issued)
		}
	case keySourceIP, keyACSSourceIP:
		return policy.Addr(f.call.Source.IP)
	case keySecureTransport, keyACSSecureTransport:
		return policy.Bool(f.call.Source.Secure)
	case keyCurrentTime, keyACSCurrentTime:
		return policy.At(f.now)
	case keyEpochTime:
		return policy.Int(f.now.Unix())
	case keyUserAgent:
		return optional(f.call.Source.UserAgent)
	case keyReferer:
		return optional(f.call.Source.Referer)
	case keyRequestedRegion:
		return optional(f.call.Source.Region)
	case keyViaService, keyIsAWSService:
		return policy.Bool(false)
	case keySourceIdentity:
		if c.Session != nil {
			return optional(c.Session.SourceIdentity)
		}
	case keyRequestTag, keyACSRequestTag:
		return tagFact(f.target.RequestTags, key.Arg)
	case keyTagKeys:
		if keys := f.target.tagKeys(); len(keys) > 0 {
			return policy.Strings(keys...)
		}
	case keyResourceTag, keyIAMResourceTag, keyACSResourceTag:
		return tagFact(f.target.ResourceTags, key.Arg)
	case keyResourceAccount:
		return policy.String(f.target.account(c.Account).String())
	default:
		return f.native(key)
	}
	return policy.Fact{}
}

// native answers Warifu's own keys and those that only the target knows.
func (f *facts) native(key *policy.Key) policy.Fact {
	switch key.Slot {
	case keyMFAMethods:
		return policy.Strings(f.mfa.Methods...)
	case keyMFAStrength:
		return policy.String(f.mfa.Strength().String())
	case keyMFAPhishingResistant:
		return policy.Bool(f.mfa.Strength() == iam.PhishingResistant)
	case keyDeviceRemembered:
		return policy.Bool(f.call.Caller.remembered())
	case keySignInMethod:
		switch c := &f.call.Caller; {
		case c.Console != nil:
			return policy.String(c.Console.Method())
		case c.Session == nil && (c.AccessKey != "" || c.Oracle != nil || c.Kind == policy.Anonymous):
			return policy.String("key")
		} // a command line that redeems what a person approved comes with neither
		return policy.String("session-token")
	}
	if v, ok := f.target.Keys[key.Name]; ok {
		return v
	}
	if key.Slot == 0 {
		return f.oracle(key.Name)
	}
	return policy.Fact{}
}

// Strength grades what was proved, by the strongest of its methods.
func (m *MFA) Strength() (best iam.Strength) {
	if m.Present {
		for _, method := range m.Methods {
			best = max(best, iam.Method(method).Strength())
		}
	}
	return best
}

func optional(s string) policy.Fact {
	if s == "" {
		return policy.Fact{}
	}
	return policy.String(s)
}

// tagFact finds a tag by its key, case-insensitively, as condition keys are.
func tagFact(tags []iam.Tag, key string) policy.Fact {
	for i := range tags {
		if strings.EqualFold(tags[i].Key, key) {
			return policy.String(tags[i].Value)
		}
	}
	return policy.Fact{}
}

// Target is what an operation is authorized on and what the trail says of it.
type Target struct {
	Noun string // user, group, role, policy, mfa, …
	Name string
	ID   name.ID

	// Resources are the names that the operation is authorised on, each of which
	// must be allowed; none means all of them ("*").
	Resources []string

	// Also are further actions that the request needs, on the same resources
	// unless they bring their own.
	Also []Need

	// ACS is what Alibaba Cloud calls the resource where that does not follow from
	// AWS's name; "" where it does.
	ACS string

	Account      name.Account // owner of the resource; zero = the caller's
	RequestTags  []iam.Tag    // tags that the request sets
	TagKeys      []string     // tag keys that the request names without values
	ResourceTags []iam.Tag    // tags that the resource has
	Keys         policy.Map   // further context keys
	MFA          *MFA         // what the request itself proved, instead of the caller's

	// Granted says that a setting of the account allows it, so that only a
	// statement that denies it refuses.
	Granted bool

	// Path is the compartment of the target as policy/oci spells it; "" = the root.
	Path string

	// Scope is the resource group that the target lies in; 0 = none. Where the
	// policies of the account do not speak, those that the caller has in it do.
	Scope name.ID

	// Trust is the policy of the role that is being assumed.
	Trust *policy.Layer
}

// Need is a further permission.
type Need struct {
	Grants    Names
	Resources []string
}

func (t *Target) account(own name.Account) name.Account {
	if t.Account != 0 {
		return t.Account
	}
	return own
}

func (t *Target) tagKeys() []string {
	keys := slices.Clone(t.TagKeys)
	for _, tag := range t.RequestTags {
		keys = append(keys, tag.Key)
	}
	return keys
}
