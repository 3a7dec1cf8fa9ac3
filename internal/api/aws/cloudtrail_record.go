package aws

import (
	"cmp"
	"strings"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/name"
)

// sourceSuffix ends the names of services in the trail: iam.amazonaws.com.
const sourceSuffix = ".amazonaws.com"

// record is an event in CloudTrail's schema (CloudTrail user guide, "CloudTrail
// record contents"). What the schema has no place for stands in
// additionalEventData.
type record struct {
	EventVersion       string            `json:"eventVersion"`
	UserIdentity       userIdentity      `json:"userIdentity"`
	EventTime          string            `json:"eventTime"`
	EventSource        string            `json:"eventSource"`
	EventName          string            `json:"eventName"`
	AWSRegion          string            `json:"awsRegion"`
	SourceIPAddress    string            `json:"sourceIPAddress"`
	UserAgent          string            `json:"userAgent"`
	ErrorCode          string            `json:"errorCode"`
	ErrorMessage       string            `json:"errorMessage"`
	RequestParameters  map[string]string `json:"requestParameters"`
	Additional         additional        `json:"additionalEventData"`
	RequestID          string            `json:"requestID"`
	EventID            string            `json:"eventID"`
	ReadOnly           *bool             `json:"readOnly"`
	Resources          []recordResource  `json:"resources"`
	EventType          string            `json:"eventType"`
	ManagementEvent    bool              `json:"managementEvent"`
	RecipientAccountID string            `json:"recipientAccountId"`
	EventCategory      string            `json:"eventCategory"`
}

type userIdentity struct {
	Type           string          `json:"type"`
	PrincipalID    string          `json:"principalId"`
	ARN            string          `json:"arn"`
	AccountID      string          `json:"accountId"`
	AccessKeyID    string          `json:"accessKeyId"`
	UserName       string          `json:"userName"`
	SessionContext *sessionContext `json:"sessionContext"`
}

type sessionContext struct {
	SessionIssuer *sessionIssuer    `json:"sessionIssuer"`
	Attributes    sessionAttributes `json:"attributes"`
}

type sessionIssuer struct {
	Type        string `json:"type"`
	PrincipalID string `json:"principalId"`
	AccountID   string `json:"accountId"`
	UserName    string `json:"userName"`
}

type sessionAttributes struct {
	CreationDate     string `json:"creationDate"`
	MFAAuthenticated string `json:"mfaAuthenticated"`
}

type additional struct {
	Operation    string   `json:"operation"`        // the operation's own name
	Door         string   `json:"door"`             // where it was asked for
	Result       string   `json:"result"`           // allowed, refused, failed
	DecidedBy    string   `json:"decidedBy"`        // the statement or rule
	MFAMethods   []string `json:"mfaMethods"`       // that the caller had proved
	MFATime      string   `json:"mfaTime"`          // and when
	Remembered   bool     `json:"deviceRemembered"` // a browser stood in for the factor
	RootUse      bool     `json:"rootUse"`          // the account's root user was used
	ForwardedFor string   `json:"forwardedFor"`     // as trusted proxies reported it
}

type recordResource struct {
	ARN       string `json:"ARN"`
	AccountID string `json:"accountId"`
	Type      string `json:"type"`
}

func newRecord(e *audit.Event) *record {
	r := &record{
		EventVersion: "1.11", UserIdentity: identityOf(e), EventTime: second(e.At), EventSource: eventSource(e), EventName: eventName(e),
		AWSRegion: cmp.Or(e.Region, "us-east-1"), SourceIPAddress: e.Source, UserAgent: e.UserAgent,
		RequestID: e.RequestID, EventID: e.ID, ReadOnly: &e.ReadOnly, EventType: "AwsApiCall", ManagementEvent: true,
		RecipientAccountID: e.Account.String(), EventCategory: "Management",
		Additional: additional{
			Operation: e.Operation, Door: e.Door, Result: string(e.Result), DecidedBy: e.Why, MFAMethods: e.MFA.Methods, ForwardedFor: e.Chain,
			Remembered: e.MFA.Remembered, RootUse: e.Root,
		},
	}
	if e.MFA.Present {
		r.Additional.MFATime = second(time.UnixMicro(e.MFA.At))
	}
	if e.Result != audit.Allowed {
		r.ErrorCode, r.ErrorMessage = codeNamed(e.Code), e.Why
	}
	for k, v := range e.Params {
		if v != "" {
			if r.RequestParameters == nil {
				r.RequestParameters = make(map[string]string, len(e.Params))
			}
			r.RequestParameters[k] = v
		}
	}
	if e.Target.ARN != "" && e.Target.ARN != "*" {
		r.Resources = []recordResource{{e.Target.ARN, e.Account.String(), resourceTypes[e.Target.Noun]}}
	}
	return r
}

// identityOf is who asked. Long-term keys have no session context.
func identityOf(e *audit.Event) userIdentity {
	a := &e.Actor
	id := userIdentity{ARN: a.ARN, AccountID: e.Account.String(), AccessKeyID: a.AccessKey, UserName: a.Name}
	if arn, ok := name.ParseARN(a.ARN); ok {
		id.AccountID = arn.Account // of who came in from another account
	}
	var issuer *sessionIssuer
	switch a.Kind {
	case "root":
		id.Type, id.PrincipalID = "Root", id.AccountID
	case "user":
		id.Type, id.PrincipalID = "IAMUser", a.ID.Unique(name.PrefixUser)
	case "role":
		role := a.ID.Unique(name.PrefixRole)
		id.Type, id.PrincipalID, id.UserName = "AssumedRole", role+":"+a.Session, ""
		issuer = &sessionIssuer{"Role", role, id.AccountID, a.Name}
	case "federated":
		id.Type, id.PrincipalID, id.UserName = "FederatedUser", id.AccountID+":"+a.Session, ""
		issuer = &sessionIssuer{"IAMUser", a.ID.Unique(name.PrefixUser), id.AccountID, a.Name}
	case "system":
		id.Type = "AWSService"
	default:
		id.Type = "Unknown"
	}
	if a.Issued != 0 {
		id.SessionContext = &sessionContext{issuer, sessionAttributes{second(time.UnixMicro(a.Issued)), trueFalse(e.MFA.Present)}}
	}
	return id
}

// second is a time as CloudTrail writes it.
func second(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func eventName(e *audit.Event) string { return e.Action[strings.LastIndexByte(e.Action, ':')+1:] }

// eventSource is the service that was asked; the host's own calls name none.
func eventSource(e *audit.Event) string {
	service, _, _ := strings.Cut(e.Action, ":")
	return cmp.Or(e.Service, service) + sourceSuffix
}

// username is what events are looked up by.
func username(e *audit.Event) string {
	if e.Actor.Kind == "root" {
		return "root"
	}
	return e.Actor.Name
}

// codeNamed is AWS's code for a kind of fault by its name in the trail.
func codeNamed(kind string) string {
	for k, a := range byKind {
		if k.String() == kind {
			return a.code
		}
	}
	return byKind[fault.Internal].code
}
