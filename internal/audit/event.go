package audit

import (
	"time"

	"warifu/internal/name"
)

// Result is how an operation ended.
type Result string

// The results. Refused is policy's or a hard rule's no; Failed is every other
// end without the wanted effect.
const (
	Allowed Result = "allowed"
	Refused Result = "refused"
	Failed  Result = "failed"
)

// Fields are the recorded inputs of an operation: an allow-list made by the
// operation's Record, so that a secret cannot slip in by omission.
type Fields map[string]string

// Actor is who asked.
type Actor struct {
	Kind      string  `json:"kind"`                // root, user, role, federated, anonymous, system
	ID        name.ID `json:"id,omitempty"`        // user or role
	Name      string  `json:"name,omitempty"`      // user or role name
	ARN       string  `json:"arn,omitempty"`       // the caller as AWS spells it
	AccessKey string  `json:"accessKey,omitempty"` // id of the key that signed
	Session   string  `json:"session,omitempty"`   // name of the role or federation session
	Issued    int64   `json:"issued,omitempty"`    // when the session began, microseconds
}

// MFA is what the caller had proved, and how long ago, when the event happened.
type MFA struct {
	Known      bool     `json:"known"`             // the credentials say something about MFA at all
	Present    bool     `json:"present"`           // a second factor was proved
	At         int64    `json:"at,omitempty"`      // when, microseconds
	Methods    []string `json:"methods,omitempty"` // totp, passkey, …
	Remembered bool     `json:"remembered,omitempty"`
}

// Target is what was acted on.
type Target struct {
	Noun string  `json:"noun,omitempty"` // user, group, policy, service, …
	Name string  `json:"name,omitempty"`
	ID   name.ID `json:"id,omitempty"`
	ARN  string  `json:"arn,omitempty"`
}

// Event is one line of the trail. It never changes once written.
type Event struct {
	ID        string       `json:"id"` // UUID, minted by the server
	Account   name.Account `json:"account"`
	At        time.Time    `json:"at"`
	Operation string       `json:"operation"` // the operation's own name: EnableTOTP
	Action    string       `json:"action"`    // as asked for at the door: iam:EnableMFADevice
	Door      string       `json:"door"`      // aws, gateway, console, host
	Service   string       `json:"service"`   // iam, sts, ec2, …
	Region    string       `json:"region,omitempty"`
	ReadOnly  bool         `json:"readOnly"`
	Actor     Actor        `json:"actor"`
	Root      bool         `json:"root,omitempty"` // the account's root user was used, or let back in
	MFA       MFA          `json:"mfa"`
	Target    Target       `json:"target"`
	Source    string       `json:"source"`          // client address
	Chain     string       `json:"chain,omitempty"` // forwarded-for as trusted proxies reported it
	UserAgent string       `json:"userAgent,omitempty"`
	RequestID string       `json:"requestId"`
	Result    Result       `json:"result"`
	Code      string       `json:"code,omitempty"`   // kind of the fault
	Why       string       `json:"why,omitempty"`    // the deciding statement or the rule that refused
	Params    Fields       `json:"params,omitempty"` // recorded inputs
	Also      []Also       `json:"also,omitempty"`   // what else the operation needed, besides Action on Target
}

// Also is a further permission that an operation needed: another action, or the same
// on another resource.
type Also struct {
	Action   string `json:"action"`
	Resource string `json:"resource"`
}

// Query selects events of one account. Conditions that are not set leave
// everything in.
type Query struct {
	Account    name.Account
	From, To   time.Time // half open [From, To); zero = unbounded
	ID         string
	Operation  string   // compared with the last part of Action
	Or         []string // other operations that do as well; none without Operation
	Actor      string   // user name
	AccessKey  string
	TargetNoun string
	TargetName string
	Service    string
	ReadOnly   *bool
	Result     Result // "" = any
	Forward    bool   // oldest first; otherwise newest first
}
