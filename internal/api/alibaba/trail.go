package alibaba

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/page"
)

func trailActions() []action {
	return []action{bind(serviceTrail, "LookupEvents", ops.LookupEvents, (*lookupInput).in, lookedUp)}
}

// lookupSpan is how far back events are looked for, unless the request says.
const lookupSpan = 7 * 24 * time.Hour

type lookupInput struct {
	StartTime       string
	EndTime         string
	LookupAttribute []tag // each a condition
	Direction       string
	MaxResults      string
	NextToken       string
}

func (s *lookupInput) in(sc *scene) (in ops.LookupEventsIn, err error) {
	bad := func(code, message string) error { return &failure{400, code, message} }
	to, err := moment(s.EndTime, sc.At)
	if err != nil {
		return in, bad("InvalidParameterEndTime", "The end time is not in the form yyyy-MM-ddTHH:mm:ssZ.")
	}
	from, err := moment(s.StartTime, to.Add(-lookupSpan))
	if err != nil {
		return in, bad("InvalidParameterStartTime", "The start time is not in the form yyyy-MM-ddTHH:mm:ssZ.")
	}
	if to.Before(from) {
		return in, bad("InvalidParameterCombination", "The end time is before the start time.")
	}
	sc.span = [2]time.Time{from, to}
	in.Limit, in.Cursor = 20, s.NextToken
	if s.MaxResults != "" && s.MaxResults != "null" {
		if in.Limit, err = strconv.Atoi(s.MaxResults); err != nil || in.Limit < 0 || in.Limit > ops.MaxEvents {
			return in, bad("InvalidQueryParameter", "MaxResults must be 0 to 50.")
		}
		in.Limit = cmp.Or(in.Limit, 20)
	}
	// The end is a whole second, which belongs to the span.
	in.Query = audit.Query{From: from, To: to.Add(time.Second)}
	switch s.Direction {
	case "", "BACKWARD":
	case "FORWARD":
		in.Query.Forward = true
	default:
		return in, bad("InvalidQueryParameter", "Direction must be FORWARD or BACKWARD.")
	}
	if len(s.LookupAttribute) > 2 {
		return in, bad("InvalidQueryParameter", "At most two attributes can be looked up at once.")
	}
	for _, a := range s.LookupAttribute {
		if !attribute(&in.Query, a.Key, a.Value) {
			return in, bad("InvalidQueryParameter", "The attribute "+a.Key+" cannot be looked up, or its value is not valid.")
		}
	}
	return in, nil
}

// moment reads a time; "" is the default.
func moment(s string, otherwise time.Time) (time.Time, error) {
	if s == "" || s == "null" {
		return otherwise.UTC().Truncate(time.Second), nil
	}
	return time.Parse("2006-01-02T15:04:05Z", s)
}

// attribute adds a condition.
func attribute(q *audit.Query, key, value string) bool {
	if value == "" {
		return false
	}
	switch key {
	case "EventId":
		q.ID = value
	case "EventName":
		if value == consoleSignIn {
			value = "ConsoleLogin" // as the trail has it
		}
		all := ops.ActionsOfRAM(value)
		q.Operation, q.Or = all[0], all[1:]
	case "User":
		q.Actor = value
	case "ResourceType":
		q.TargetNoun = nounOf(value)
	case "ResourceName":
		q.TargetName = value
	case "EventAccessKeyId":
		q.AccessKey = value
	case "ServiceName":
		q.Service = serviceCode(value)
	case "EventRW":
		readOnly := value == "Read"
		q.ReadOnly = &readOnly
		return readOnly || value == "Write"
	default:
		return false
	}
	return true
}

// serviceNames are what ActionTrail calls the services.
var serviceNames = map[string]string{"ram": "Ram", "ims": "Ims", "sts": "Sts", "actiontrail": "Actiontrail", "resourcemanager": "ResourceManager"}

func serviceCode(called string) string {
	for code, n := range serviceNames {
		if n == called {
			return code
		}
	}
	return called
}

// resourceTypes are what ActionTrail calls the nouns.
var resourceTypes = map[string]string{
	"user": "ACS::RAM::User", "group": "ACS::RAM::Group", "role": "ACS::RAM::Role", "policy": "ACS::RAM::Policy",
	"mfa device": "ACS::RAM::MFADevice", "access key": "ACS::RAM::AccessKey", "account": "ACS::RAM::Account",
}

// nounOf is the noun of a resource's type; one that is not known matches nothing.
func nounOf(typ string) string {
	for noun, t := range resourceTypes {
		if t == typ {
			return noun
		}
	}
	return typ
}

type lookupOutput struct {
	StartTime string
	EndTime   string
	NextToken string
	Events    []event
}

// event is an event as ActionTrail delivers it, version 1. Members that are empty
// are left out.
type event struct {
	EventID             string              `json:"eventId" xml:"eventId"`
	EventVersion        string              `json:"eventVersion" xml:"eventVersion"`
	EventType           string              `json:"eventType" xml:"eventType"`
	EventCategory       string              `json:"eventCategory" xml:"eventCategory"`
	EventName           string              `json:"eventName" xml:"eventName"`
	EventRW             string              `json:"eventRW" xml:"eventRW"`
	EventTime           string              `json:"eventTime" xml:"eventTime"`
	EventSource         string              `json:"eventSource" xml:"eventSource"`
	ServiceName         string              `json:"serviceName" xml:"serviceName"`
	APIVersion          string              `json:"apiVersion,omitempty" xml:"apiVersion,omitempty"`
	AcsRegion           string              `json:"acsRegion" xml:"acsRegion"`
	IsGlobal            bool                `json:"isGlobal" xml:"isGlobal"`
	RequestID           string              `json:"requestId" xml:"requestId"`
	RequestParameters   map[string]string   `json:"requestParameters,omitempty" xml:"-"`
	ErrorCode           string              `json:"errorCode,omitempty" xml:"errorCode,omitempty"`
	ErrorMessage        string              `json:"errorMessage,omitempty" xml:"errorMessage,omitempty"`
	SourceIPAddress     string              `json:"sourceIpAddress" xml:"sourceIpAddress"`
	UserAgent           string              `json:"userAgent" xml:"userAgent"`
	RecipientAccountID  string              `json:"recipientAccountId" xml:"recipientAccountId"`
	ResourceType        string              `json:"resourceType,omitempty" xml:"resourceType,omitempty"`
	ResourceName        string              `json:"resourceName,omitempty" xml:"resourceName,omitempty"`
	ReferencedResources map[string][]string `json:"referencedResources,omitempty" xml:"-"`
	AdditionalEventData map[string]string   `json:"additionalEventData,omitempty" xml:"-"`
	UserIdentity        eventIdentity       `json:"userIdentity" xml:"userIdentity"`
}

// consoleSignIn is what ActionTrail calls a sign-in, as a name and as a type.
const consoleSignIn = "ConsoleSignin"

type eventIdentity struct {
	Type           string        `json:"type" xml:"type"`
	AccountID      string        `json:"accountId" xml:"accountId"`
	PrincipalID    string        `json:"principalId,omitempty" xml:"principalId,omitempty"`
	UserName       string        `json:"userName,omitempty" xml:"userName,omitempty"`
	AccessKeyID    string        `json:"accessKeyId,omitempty" xml:"accessKeyId,omitempty"`
	SessionContext *eventSession `json:"sessionContext,omitempty" xml:"sessionContext,omitempty"`
}

type eventSession struct {
	Attributes eventAttributes `json:"attributes" xml:"attributes"`
}

type eventAttributes struct {
	MFAAuthenticated string `json:"mfaAuthenticated" xml:"mfaAuthenticated"`
	CreationDate     string `json:"creationDate" xml:"creationDate"`
}

func lookedUp(sc *scene, p page.Page[audit.Event]) lookupOutput {
	return lookupOutput{when(sc.span[0]), when(sc.span[1]), string(p.Next), each(p.Items, newEvent)}
}

func newEvent(e *audit.Event) event {
	service := cmp.Or(serviceNames[e.Service], e.Service)
	out := event{
		EventID: e.ID, EventVersion: "1", EventType: "ApiCall", EventCategory: "Management", EventName: ops.NameInRAM(e.Action), EventRW: "Write",
		EventTime: when(e.At), EventSource: cmp.Or(e.Service, "warifu") + ".aliyuncs.com", ServiceName: cmp.Or(service, "Warifu"),
		AcsRegion: cmp.Or(e.Region, "cn-hangzhou"), IsGlobal: true, RequestID: e.RequestID, SourceIPAddress: e.Source, UserAgent: e.UserAgent,
		RecipientAccountID: e.Account.UID(), ResourceType: resourceTypes[e.Target.Noun], ResourceName: e.Target.Name, UserIdentity: identityOf(e),
		AdditionalEventData: map[string]string{"door": e.Door, "operation": e.Operation, "result": string(e.Result)},
	}
	for key, value := range map[string]string{
		"decidedBy": e.Why, "forwardedFor": e.Chain, "mfaMethods": strings.Join(e.MFA.Methods, ","), "mfaTime": mfaTime(e),
	} {
		if value != "" {
			out.AdditionalEventData[key] = value
		}
	}
	if e.MFA.Remembered {
		out.AdditionalEventData["deviceRemembered"] = "true"
	}
	if e.Root {
		out.AdditionalEventData["rootUse"] = "true"
	}
	if e.ReadOnly {
		out.EventRW = "Read"
	}
	if e.Door == "console" {
		out.EventType = "ConsoleOperation"
	}
	if e.Operation == "SignIn" {
		out.EventType, out.EventName, out.EventSource, out.ServiceName = consoleSignIn, consoleSignIn, "signin.aliyun.com", "AasSub"
		out.AdditionalEventData["mfaChecked"] = strconv.FormatBool(e.MFA.Present)
	}
	if e.Result != audit.Allowed {
		out.ErrorCode, out.ErrorMessage = codeNamed(e.Code), e.Why
	}
	for k, v := range e.Params {
		if v != "" {
			if out.RequestParameters == nil {
				out.RequestParameters = map[string]string{}
			}
			out.RequestParameters[k] = v
		}
	}
	if out.ResourceType != "" && out.ResourceName != "" {
		out.ReferencedResources = map[string][]string{out.ResourceType: {out.ResourceName}}
	}
	return out
}

// mfaTime is when the caller proved a factor, "" if it did not.
func mfaTime(e *audit.Event) string {
	if !e.MFA.Present {
		return ""
	}
	return when(time.UnixMicro(e.MFA.At))
}

// codeNamed is this cloud's code for a kind of fault by its name in the trail, as far
// as it does not depend on the noun.
func codeNamed(kind string) string {
	for k, f := range byKind {
		if k.String() == kind {
			return strings.TrimSuffix(f.code, ".")
		}
	}
	return byKind[fault.Internal].code
}

func identityOf(e *audit.Event) eventIdentity {
	a := &e.Actor
	id := eventIdentity{AccountID: e.Account.UID(), UserName: a.Name, AccessKeyID: a.AccessKey}
	if arn, ok := name.ParseARN(a.ARN); ok { // of who came in from another account
		if other, ok := name.ParseAccount(arn.Account); ok {
			id.AccountID = other.UID()
		}
	}
	switch a.Kind {
	case "root":
		id.Type, id.PrincipalID, id.UserName = "root-account", id.AccountID, "root"
	case "role":
		id.Type, id.PrincipalID, id.UserName = "assumed-role", a.ID.String()+":"+a.Session, a.Name+":"+a.Session
	case "federated":
		id.Type = "oidc-user"
		if strings.Contains(a.ARN, ":saml-provider/") {
			id.Type = "saml-user"
		}
	case "user":
		id.Type, id.PrincipalID = "ram-user", a.ID.String()
	case "anonymous":
		id.Type = "anonymous"
	default:
		id.Type = "system"
	}
	if a.Issued != 0 {
		id.SessionContext = &eventSession{eventAttributes{strconv.FormatBool(e.MFA.Present), when(time.UnixMicro(a.Issued))}}
	}
	return id
}
