package ops

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/sts"
	"warifu/policy"
	"warifu/policy/aws"
)

// Identity is who a caller is.
type Identity struct {
	Account name.Account
	ARN     string
	ID      string // unique id as AWS spells it

	Kind       policy.PrincipalKind
	User, Role name.ID // of a role session, User is zero
	Session    string  // name of a role or federation session
}

// GetCallerIdentity tells a caller who it is. No policy can refuse it.
var GetCallerIdentity = Op[struct{}, Identity]{
	Name:       "GetCallerIdentity",
	Grants:     Names{AWS: "sts:GetCallerIdentity"},
	Permission: Always,
	Target:     func(*Env, struct{}) (Target, error) { return Target{Noun: "caller"}, nil },
	Do: func(env *Env, _ struct{}) (Identity, error) {
		c := &env.Call.Caller
		if c.Kind == policy.Anonymous {
			return Identity{}, errUnknownKey
		}
		id := Identity{Account: c.Account, ARN: c.ARN(), ID: c.UniqueID(), Kind: c.Kind, Role: c.Role.ID, Session: c.SessionName()}
		if c.Kind != policy.RoleSession {
			id.User = c.User.ID
		}
		return id, nil
	},
}

// NewSession is what the operations that make sessions answer. ARN and ID name
// the role session or the federated user.
type NewSession struct {
	sts.Credentials
	ARN, ID        string
	SourceIdentity string
	Packed         int // how full policies and tags make the token, in per cent
}

// mint makes the credentials of a session that begins now. claims lack the times
// only.
func (env *Env) mint(claims *sts.Claims, life time.Duration) (*NewSession, error) {
	packed, err := sts.PackedSize(claims.Policies, claims.PolicyARNs, claims.Tags)
	if err != nil {
		return nil, err
	}
	claims.Issued, claims.Expires = env.Now, env.Now.Add(life)
	prefix := name.PrefixSessionKey
	if env.language() == iam.LanguageRAM {
		prefix = name.PrefixSTSKey
	}
	made, err := env.sessions.Mint(env.rand, prefix, claims)
	if err != nil {
		return nil, err
	}
	return &NewSession{Credentials: *made, SourceIdentity: claims.SourceIdentity, Packed: packed}, nil
}

// prove writes into claims what the request or the caller's session proved.
func prove(claims *sts.Claims, m *MFA) {
	if m != nil && m.Present {
		claims.MFA, claims.MFAAt, claims.MFAMethods = true, m.At, m.Methods
	}
}

// GetSessionTokenIn is the input of GetSessionToken.
type GetSessionTokenIn struct {
	Duration     time.Duration // 0 = default
	Serial, Code string        // both or none
}

// GetSessionToken makes temporary credentials of the caller itself, with a
// second factor if a code is given. Anyone may who is not a session, unless a
// statement denies it.
//
// Errors: Invalid duration; Denied for a session, or a code that is not good.
var GetSessionToken = Op[GetSessionTokenIn, *NewSession]{
	Name:       "GetSessionToken",
	Grants:     Names{AWS: "sts:GetSessionToken"},
	Permission: UnlessDenied,
	Mode:       Write,
	Target:     func(*Env, GetSessionTokenIn) (Target, error) { return Target{Noun: "session"}, nil },
	Record: func(in GetSessionTokenIn) audit.Fields {
		return audit.Fields{"serialNumber": in.Serial, "durationSeconds": secondsText(in.Duration)}
	},
	Do: func(env *Env, in GetSessionTokenIn) (*NewSession, error) {
		c := &env.Call.Caller
		life, err := sts.UserLife(in.Duration, c.Kind == policy.Root)
		if err != nil {
			return nil, err
		}
		proof, err := env.verifyCode(c.User.ID, in.Serial, in.Code)
		if err != nil {
			return nil, err
		}
		claims := sts.Claims{Kind: sts.KindUserSession, Account: c.Account, User: c.User.ID}
		prove(&claims, proof)
		return env.mint(&claims, life)
	},
}

// AssumeRoleIn is the input of AssumeRole.
type AssumeRoleIn struct {
	RoleARN        string
	SessionName    string
	Duration       time.Duration // 0 = default
	Serial, Code   string        // both or none
	ExternalID     string
	SourceIdentity string
	SessionPolicy
	Tags           []iam.Tag
	TransitiveKeys []string // of Tags: handed down when the session assumes a role
}

// SessionPolicy narrows what a session may do.
type SessionPolicy struct {
	Policy     string   // a document; "" = none
	PolicyARNs []string // managed policies of the session's account
}

// documents is the policy as sessions keep it.
func (p SessionPolicy) documents() []string {
	if p.Policy == "" {
		return nil
	}
	return []string{p.Policy}
}

// check refuses policies that are too long, malformed, or not there.
func (p SessionPolicy) check(env *Env, account name.Account) error {
	if err := sts.CheckPolicies(p.documents(), p.PolicyARNs); err != nil {
		return err
	}
	if p.Policy != "" {
		if err := checkDocument(p.Policy, aws.SessionPolicy, env.language()); err != nil {
			return err
		}
	}
	for _, arn := range p.PolicyARNs {
		_, err := policyByARN(env.Tx, account, arn)
		if fault.Is(err, fault.NotFound) {
			return fault.Field("policyArns", "the policy %s does not exist in the account of the session", arn)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// AssumeRole makes a session of a role whose trust policy lets the caller in. A
// code that is given is verified, and burnt, before the trust policy is asked,
// so that the policy sees aws:MultiFactorAuthPresent. The session itself never
// has MFA, as AWS has it.
//
// Errors: Denied by trust policy or for a code that is not good, and in the same
// words for a role that does not exist; Invalid; Malformed; Limit.
var AssumeRole = Op[AssumeRoleIn, *NewSession]{
	Name:   "AssumeRole",
	Grants: Names{AWS: "sts:AssumeRole"},
	Mode:   Write,
	Target: func(env *Env, in AssumeRoleIn) (Target, error) {
		t := Target{Noun: "role", Name: in.RoleARN, Resources: []string{in.RoleARN}}
		if err := in.check(); err != nil {
			return t, err
		}
		if env.Call.Caller.Kind == policy.Root {
			return t, fault.New(fault.Denied, "Roles may not be assumed by root accounts.")
		}
		proof, err := env.verifyCode(env.Call.Caller.User.ID, in.Serial, in.Code)
		if err != nil {
			return t, err
		}
		t.MFA = proof
		return t, keepProof(proof, env.trusted(&t, in))
	},
	Record: func(in AssumeRoleIn) audit.Fields {
		return audit.Fields{
			"roleArn": in.RoleARN, "roleSessionName": in.SessionName, "durationSeconds": secondsText(in.Duration),
			"serialNumber": in.Serial, "externalId": in.ExternalID, "sourceIdentity": in.SourceIdentity,
			"policyArns": strings.Join(in.PolicyARNs, " "), "transitiveTagKeys": strings.Join(in.TransitiveKeys, " "),
		}
	},
	Do: func(env *Env, in AssumeRoleIn) (*NewSession, error) {
		s, err := env.assume(in)
		if in.Code != "" {
			err = keepProof(&MFA{}, err)
		}
		return s, err
	},
}

// keepProof makes an error keep what was written before it: a code that was
// proved stays burnt.
func keepProof(proof *MFA, err error) error {
	if proof == nil || err == nil {
		return err
	}
	return refuse(err)
}

// check refuses what the request alone shows to be wrong.
func (in *AssumeRoleIn) check() error {
	if _, _, ok := name.SplitRAM(in.RoleARN, "role"); !ok {
		if arn, ok := name.ParseARN(in.RoleARN); !ok || arn.Partition == "" || arn.Service == "" || arn.Resource == "" {
			return fault.Of(fault.Invalid, "arn", in.RoleARN)
		}
	}
	if err := checkSessionName("roleSessionName", in.SessionName, 64); err != nil {
		return err
	}
	if in.SourceIdentity != "" {
		if err := checkSessionName("sourceIdentity", in.SourceIdentity, 64); err != nil {
			return err
		}
	}
	if in.ExternalID != "" {
		if err := checkExternalID(in.ExternalID); err != nil {
			return err
		}
	}
	return iam.CheckTags(in.Tags, true)
}

// checkSessionName refuses names that AWS refuses for sessions: 2 to max
// characters of those that names may hold.
func checkSessionName(field, s string, max int) error {
	if utf8.RuneCountInString(s) < 2 {
		return fault.Field(field, "%s must have 2 to %d characters", field, max)
	}
	return iam.CheckName(field, s, max)
}

func checkExternalID(s string) error {
	if len(s) < 2 || len(s) > 1224 {
		return fault.Field("externalId", "externalId must have 2 to 1224 characters")
	}
	// What names may hold, and : / besides.
	return iam.CheckName("externalId", strings.NewReplacer(":", "_", "/", "_").Replace(s), 1224)
}

// trusted fills in what the trust policy decides on. A role that does not exist
// has a trust policy that allows nobody. What is wrong with the request itself is
// found out first, so that it does not tell which roles exist.
func (env *Env) trusted(t *Target, in AssumeRoleIn) error {
	tags, source, err := env.handedDown(in)
	if err != nil {
		return err
	}
	role, err := env.roleByARN(in.RoleARN)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	t.Resources = []string{roleARN(in.RoleARN, role)}
	if role == nil {
		t.Trust = &policy.Layer{Kind: policy.Trust, Owner: env.Call.Caller.Account.String()}
		return nil
	}
	t.Name, t.ID, t.Account, t.ResourceTags = role.Name, role.ID, role.Account, role.Tags
	set, err := env.compiled(policy.RuleID{Policy: "trust policy of " + role.ARN()}, role.Trust, aws.TrustPolicy)
	if err != nil {
		return err
	}
	t.Trust = &policy.Layer{Kind: policy.Trust, Owner: role.Account.String(), Sets: []*policy.Set{set}}
	t.RequestTags = make([]iam.Tag, len(tags))
	for i, tag := range tags {
		t.RequestTags[i] = iam.Tag{Key: tag.Key, Value: tag.Value}
	}
	if len(tags) > 0 {
		t.Also = append(t.Also, Need{Grants: Names{AWS: "sts:TagSession"}})
	}
	if source != "" {
		t.Also = append(t.Also, Need{Grants: Names{AWS: "sts:SetSourceIdentity"}})
	}
	t.key("sts:RoleSessionName", policy.String(in.SessionName))
	t.key("sts:ExternalId", optional(in.ExternalID))
	t.key("sts:SourceIdentity", optional(source))
	if in.Duration != 0 {
		t.key("sts:DurationSeconds", policy.Int(int64(in.Duration/time.Second)))
	}
	if len(in.TransitiveKeys) > 0 {
		t.key("sts:TransitiveTagKeys", policy.Strings(in.TransitiveKeys...))
	}
	return nil
}

// roleARN is how AWS names what was asked for, whichever cloud's name was given.
func roleARN(asked string, found *iam.Role) string {
	if found != nil {
		return found.ARN()
	}
	if account, called, ok := name.SplitRAM(asked, "role"); ok {
		return name.RoleARN(account, "/", called)
	}
	return asked
}

// roleByARN reads a role of any account here by its whole ARN, or by its name at
// Alibaba Cloud, where roles have no path.
func (env *Env) roleByARN(arn string) (*iam.Role, error) {
	if account, called, ok := name.SplitRAM(arn, "role"); ok {
		return env.Tx.RoleByName(account, called)
	}
	account, _, roleName, ok := name.SplitIAM(arn, "role")
	if !ok {
		return nil, fault.Of(fault.NotFound, "role", arn)
	}
	role, err := env.Tx.RoleByName(account, roleName)
	if err == nil && role.ARN() != arn {
		return nil, fault.Of(fault.NotFound, "role", arn)
	}
	return role, err
}

// handedDown are the tags and the source identity of the new session: what was
// asked for and what the caller's own session hands down.
func (env *Env) handedDown(in AssumeRoleIn) ([]sts.Tag, string, error) {
	var own []sts.Tag
	var source string
	if s := env.Call.Caller.Session; s != nil {
		own, source = s.Tags, s.SourceIdentity
	}
	tags, err := sts.InheritTags(own, in.Tags, in.TransitiveKeys)
	if err != nil {
		return nil, "", err
	}
	source, err = sts.InheritSourceIdentity(source, in.SourceIdentity)
	return tags, source, err
}

// assume makes the session of a role that the caller is trusted with.
func (env *Env) assume(in AssumeRoleIn) (*NewSession, error) {
	c := &env.Call.Caller
	role, err := env.roleByARN(in.RoleARN)
	if err != nil {
		return nil, err
	}
	chained := c.Kind == policy.RoleSession
	life, err := sts.RoleLife(in.Duration, role.MaxSession, chained)
	if err != nil {
		return nil, err
	}
	if err := in.SessionPolicy.check(env, role.Account); err != nil {
		return nil, err
	}
	tags, source, err := env.handedDown(in)
	if err != nil {
		return nil, err
	}
	s, err := env.mint(&sts.Claims{
		Kind: sts.KindAssumedRole, Account: role.Account, User: c.began(), Role: role.ID, SessionName: in.SessionName,
		Policies: in.documents(), PolicyARNs: in.PolicyARNs, Tags: tags, SourceIdentity: source, Chained: chained,
	}, life)
	if err != nil {
		return nil, err
	}
	s.ARN = name.AssumedRoleARN(role.Account, role.Name, in.SessionName)
	s.ID = role.ID.Unique(name.PrefixRole) + ":" + in.SessionName
	return s, env.visited(role.Account)
}

// visited tells the trail of another account that somebody from outside came in.
func (env *Env) visited(account name.Account) error {
	if account == env.Call.Caller.Account {
		return nil
	}
	ev := *env.ev
	ev.ID, ev.Account = env.newID(), account
	end(&ev, nil)
	return env.Tx.AppendEvents(ev)
}

// GetFederationTokenIn is the input of GetFederationToken.
type GetFederationTokenIn struct {
	Name     string
	Duration time.Duration // 0 = default
	SessionPolicy
	Tags []iam.Tag
}

// GetFederationToken makes a session for somebody whom the caller vouches for.
// It may do what both the caller and the policies passed allow: nothing, when
// none are passed.
//
// Errors: Invalid; Malformed; Limit; Denied by policy, or for a session.
var GetFederationToken = Op[GetFederationTokenIn, *NewSession]{
	Name:   "GetFederationToken",
	Grants: Names{AWS: "sts:GetFederationToken"},
	Mode:   Write,
	Target: func(env *Env, in GetFederationTokenIn) (Target, error) {
		t := Target{Noun: "federated user", Name: in.Name, RequestTags: in.Tags, Also: tagging(in.Tags, "sts:TagSession")}
		t.Resources = []string{name.FederatedUserARN(env.Call.Caller.Account, in.Name)}
		if in.Duration != 0 {
			t.key("sts:DurationSeconds", policy.Int(int64(in.Duration/time.Second)))
		}
		return t, nil
	},
	Record: func(in GetFederationTokenIn) audit.Fields {
		return audit.Fields{
			"name": in.Name, "durationSeconds": secondsText(in.Duration), "policyArns": strings.Join(in.PolicyARNs, " "),
		}
	},
	Do: func(env *Env, in GetFederationTokenIn) (*NewSession, error) {
		c := &env.Call.Caller
		if err := checkSessionName("name", in.Name, 32); err != nil {
			return nil, err
		}
		if err := iam.CheckTags(in.Tags, true); err != nil {
			return nil, err
		}
		life, err := sts.UserLife(in.Duration, c.Kind == policy.Root)
		if err != nil {
			return nil, err
		}
		if err := in.SessionPolicy.check(env, c.Account); err != nil {
			return nil, err
		}
		tags, err := sts.InheritTags(nil, in.Tags, nil)
		if err != nil {
			return nil, err
		}
		s, err := env.mint(&sts.Claims{
			Kind: sts.KindFederatedUser, Account: c.Account, User: c.User.ID, SessionName: in.Name,
			Policies: in.documents(), PolicyARNs: in.PolicyARNs, Tags: tags,
		}, life)
		if err != nil {
			return nil, err
		}
		s.ARN, s.ID = name.FederatedUserARN(c.Account, in.Name), c.Account.String()+":"+in.Name
		return s, nil
	},
}

// GetAccessKeyInfoIn names an access key of any account.
type GetAccessKeyInfoIn struct{ Key string }

// GetAccessKeyInfo tells which account a long-term key belongs to. Session keys
// are not kept; who asks about one that signed the request itself is told.
//
// Errors: Invalid for a key that is not known here.
var GetAccessKeyInfo = Op[GetAccessKeyInfoIn, name.Account]{
	Name:   "GetAccessKeyInfo",
	Grants: Names{AWS: "sts:GetAccessKeyInfo"},
	Target: func(_ *Env, in GetAccessKeyInfoIn) (Target, error) {
		return Target{Noun: "access key", Name: in.Key}, nil
	},
	Record: func(in GetAccessKeyInfoIn) audit.Fields { return audit.Fields{"accessKeyId": in.Key} },
	Do: func(env *Env, in GetAccessKeyInfoIn) (name.Account, error) {
		if c := &env.Call.Caller; c.AccessKey != "" && c.AccessKey == in.Key {
			return c.Account, nil
		}
		k, err := env.Tx.Key(in.Key)
		if fault.Is(err, fault.NotFound) {
			return 0, fault.Field("accessKeyId", "the access key %s is not known here", in.Key)
		}
		if err != nil {
			return 0, err
		}
		return k.Account, nil
	},
}

// DecodeAuthorizationMessageIn holds what EncodeDenial made.
type DecodeAuthorizationMessageIn struct{ Encoded string }

// DecodeAuthorizationMessage tells why a request was refused, as JSON, from the
// message that came with the refusal. Messages of another account stay shut.
//
// Errors: Invalid, noun "authorization message".
var DecodeAuthorizationMessage = Op[DecodeAuthorizationMessageIn, string]{
	Name:   "DecodeAuthorizationMessage",
	Grants: Names{AWS: "sts:DecodeAuthorizationMessage"},
	Target: func(*Env, DecodeAuthorizationMessageIn) (Target, error) {
		return Target{Noun: "authorization message"}, nil
	},
	Do: func(env *Env, in DecodeAuthorizationMessageIn) (string, error) {
		text, err := env.sessions.DecodeMessage(env.Call.Caller.Account, in.Encoded)
		if err != nil {
			return "", fault.Of(fault.Invalid, "authorization message", "")
		}
		return string(text), nil
	},
}

// secondsText is a duration for the trail; "" when none was asked for.
func secondsText(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return strconv.FormatInt(int64(d/time.Second), 10)
}
