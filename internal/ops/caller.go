package ops

import (
	"time"

	"warifu/internal/audit"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/sts"
	"warifu/policy"
	"warifu/policy/aws"
)

// Caller is who asks, as the credentials prove it.
type Caller struct {
	Account   name.Account
	Kind      policy.PrincipalKind
	User      iam.User     // Root, User; FederatedUser: the user who federated
	Role      iam.Role     // RoleSession
	Session   *sts.Claims  // nil for long-term credentials
	Console   *iam.Session // of a person signed in to the console; nil for signed requests
	AccessKey string
	Oracle    *OracleCredential // at Oracle's door; nil elsewhere
	MFA       MFA

	revision int64    // of the account when the credentials were looked up
	standing standing // the user behind a session, likewise
	arn      string   // User's, spelled once for a cached key; "" if it was not
}

// MFA is what a caller's credentials say about a second factor. Long-term
// credentials say nothing: Known is false, and policy sees no such key.
type MFA struct {
	Known   bool
	Present bool
	At      time.Time // when it was proved
	Methods []string  // totp, …
}

// ID is the user's or role's own id.
func (c *Caller) ID() name.ID {
	if c.Kind == policy.RoleSession {
		return c.Role.ID
	}
	return c.User.ID
}

// began is the user who began: the caller's own, or the one at the beginning of
// a chain of roles. Zero if no user did.
func (c *Caller) began() name.ID {
	if c.Kind == policy.RoleSession {
		return c.Session.User
	}
	return c.User.ID
}

// SessionName is the name of the role or federation session; empty for others.
func (c *Caller) SessionName() string {
	if c.Session == nil {
		return ""
	}
	return c.Session.SessionName
}

// ARN is the caller as AWS spells it.
func (c *Caller) ARN() string {
	switch c.Kind {
	case policy.RoleSession:
		return name.AssumedRoleARN(c.Account, c.Role.Name, c.SessionName())
	case policy.FederatedUser:
		return name.FederatedUserARN(c.Account, c.SessionName())
	}
	if c.arn != "" {
		return c.arn
	}
	return c.User.ARN()
}

// PrincipalARN is what policies call the caller: the role behind a role
// session, with its path; the caller itself otherwise.
func (c *Caller) PrincipalARN() string {
	if c.Kind == policy.RoleSession {
		return c.Role.ARN()
	}
	return c.ARN()
}

// UniqueID is the caller's unique id as AWS spells it (aws:userid,
// GetCallerIdentity's UserId).
func (c *Caller) UniqueID() string {
	switch c.Kind {
	case policy.Root:
		return c.Account.String()
	case policy.RoleSession:
		return c.Role.ID.Unique(name.PrefixRole) + ":" + c.SessionName()
	case policy.FederatedUser:
		return c.Account.String() + ":" + c.SessionName()
	}
	return c.User.ID.Unique(name.PrefixUser)
}

// Tags are the principal's own tags and, over them, those of its session.
func (c *Caller) Tags() []iam.Tag {
	own := c.User.Tags
	if c.Kind == policy.RoleSession {
		own = c.Role.Tags
	}
	if c.Session == nil || len(c.Session.Tags) == 0 {
		return own
	}
	tags := make([]iam.Tag, 0, len(own)+len(c.Session.Tags))
	for _, t := range c.Session.Tags {
		tags = append(tags, iam.Tag{Key: t.Key, Value: t.Value})
	}
	for _, t := range own {
		if iam.TagIndex(tags, t.Key) < 0 {
			tags = append(tags, t)
		}
	}
	return tags
}

// principal is the caller in policy's terms.
func (c *Caller) principal() policy.Principal {
	p := policy.Principal{Kind: c.Kind, Account: c.Account.String()}
	switch c.Kind {
	case policy.Anonymous:
		return policy.Principal{}
	case policy.RoleSession:
		p.ID = c.Role.ID.Unique(name.PrefixRole)
		p.Names[aws.Language] = policy.Names{Name: c.Role.ARN(), Session: c.ARN()}
	case policy.FederatedUser:
		p.ID = c.User.ID.Unique(name.PrefixUser)
		p.Names[aws.Language] = policy.Names{Name: c.User.ARN(), Session: c.ARN()}
	default:
		p.ID = c.User.ID.Unique(name.PrefixUser)
		p.Names[aws.Language] = policy.Names{Name: c.ARN()}
	}
	return p
}

var actorKinds = map[policy.PrincipalKind]string{
	policy.Anonymous: "anonymous", policy.Root: "root", policy.User: "user",
	policy.RoleSession: "role", policy.FederatedUser: "federated",
}

// remembered reports whether a browser stands in for the caller's factor: it did
// at sign-in, and no factor was proved since. Temporary credentials say what held
// when they were approved.
func (c *Caller) remembered() bool {
	if c.Session != nil {
		return c.Session.Remembered
	}
	if c.Console == nil {
		return false
	}
	_, stood := c.Console.Remembered()
	_, proved := c.Console.Last(true)
	return stood && !proved
}

// actor is the caller as the trail records it.
func (c *Caller) actor() audit.Actor {
	a := audit.Actor{Kind: actorKinds[c.Kind], AccessKey: c.AccessKey}
	if c.Kind == policy.Anonymous {
		return a
	}
	a.ID, a.ARN, a.Session = c.ID(), c.ARN(), c.SessionName()
	a.Name = c.User.Name
	if c.Kind == policy.RoleSession {
		a.Name = c.Role.Name
	}
	if c.Session != nil {
		a.Issued = c.Session.Issued.UnixMicro()
	}
	if o := c.Oracle; o != nil {
		a.AccessKey = o.Fingerprint
		if o.Token != nil {
			a.Session = o.Token.ID
		}
	}
	if c.Console != nil {
		a.Session, a.Issued = c.Console.ID.String(), c.Console.Created.UnixMicro()
	}
	return a
}
