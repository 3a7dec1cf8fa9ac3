package oci

import (
	"cmp"
	"net/http"
	"strconv"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/page"
)

// auditPath is where the Audit service lists events (Audit API 20190901).
const auditPath = "/20190901/auditEvents"

type eventsIn struct {
	CompartmentID string `query:"compartmentId" required:"true"`
	StartTime     string `query:"startTime" required:"true"`
	EndTime       string `query:"endTime" required:"true"`
	Page          string `query:"page"`
}

func (in *eventsIn) in() (ops.OracleEventsIn, error) {
	from, err := time.Parse(time.RFC3339, in.StartTime)
	if err != nil {
		return ops.OracleEventsIn{}, fault.Field("startTime", "startTime must be a time of RFC 3339")
	}
	to, err := time.Parse(time.RFC3339, in.EndTime)
	if err != nil {
		return ops.OracleEventsIn{}, fault.Field("endTime", "endTime must be a time of RFC 3339")
	}
	return ops.OracleEventsIn{Compartment: in.CompartmentID, From: from, To: to, Listing: ops.Listing{Cursor: in.Page}}, nil
}

func auditBindings() []binding {
	return []binding{bind("ListEvents", http.MethodGet, auditPath, ops.OracleListEvents, (*eventsIn).in, auditEvents)}
}

// auditEvent is an event as the Audit service has it (Audit API, AuditEvent).
type auditEvent struct {
	EventType          string    `json:"eventType"`
	CloudEventsVersion string    `json:"cloudEventsVersion"`
	EventTypeVersion   string    `json:"eventTypeVersion"`
	Source             string    `json:"source"`
	EventID            string    `json:"eventId"`
	EventTime          stamp     `json:"eventTime"`
	ContentType        string    `json:"contentType"`
	Data               auditData `json:"data"`
}

type auditData struct {
	EventGroupingID string            `json:"eventGroupingId"`
	EventName       string            `json:"eventName"`
	CompartmentID   string            `json:"compartmentId"`
	ResourceName    string            `json:"resourceName,omitempty"`
	ResourceID      string            `json:"resourceId,omitempty"`
	Identity        auditIdentity     `json:"identity"`
	Request         auditRequest      `json:"request"`
	Response        auditResponse     `json:"response"`
	Additional      map[string]string `json:"additionalDetails"`
}

type auditIdentity struct {
	PrincipalName    string `json:"principalName"`
	PrincipalID      string `json:"principalId,omitempty"`
	AuthType         string `json:"authType"`
	TenantID         string `json:"tenantId"`
	IPAddress        string `json:"ipAddress"`
	Credentials      string `json:"credentials,omitempty"`
	UserAgent        string `json:"userAgent"`
	ConsoleSessionID string `json:"consoleSessionId,omitempty"`
}

type auditRequest struct {
	ID         string              `json:"id"`
	Action     string              `json:"action"`
	Parameters map[string][]string `json:"parameters"`
}

type auditResponse struct {
	Status       string `json:"status"`
	ResponseTime stamp  `json:"responseTime"`
	Message      string `json:"message,omitempty"`
}

func auditEvents(p page.Page[audit.Event], r *reply) []auditEvent {
	r.next = string(p.Next)
	all := make([]auditEvent, len(p.Items))
	for i := range p.Items {
		all[i] = auditEventOf(&p.Items[i])
	}
	return all
}

func auditEventOf(e *audit.Event) auditEvent {
	called := ops.NameInOracle(e.Operation, e.Action)
	x := auditEvent{
		EventType: "com.oraclecloud.identityControlPlane." + called, CloudEventsVersion: "0.1", EventTypeVersion: "2.0",
		Source: "identityControlPlane", EventID: e.ID, EventTime: stamp(e.At), ContentType: "application/json",
	}
	x.Data = auditData{
		EventGroupingID: e.RequestID, EventName: called, CompartmentID: e.Account.Tenancy(),
		ResourceName: e.Target.Name, ResourceID: auditResource(&e.Target), Identity: auditIdentityOf(e),
		Request:  auditRequest{ID: e.RequestID, Action: auditVerb(e), Parameters: map[string][]string{}},
		Response: auditResponse{Status: strconv.Itoa(auditStatus(e)), ResponseTime: stamp(e.At)},
		Additional: map[string]string{
			"operation": e.Operation, "door": e.Door, "service": e.Service, "result": string(e.Result), "decidedBy": e.Why,
			"forwardedFor": e.Chain, "mfaPresent": strconv.FormatBool(e.MFA.Present), "deviceRemembered": strconv.FormatBool(e.MFA.Remembered),
			"rootUse": strconv.FormatBool(e.Root),
		},
	}
	for i, m := range e.MFA.Methods {
		x.Data.Additional["mfaMethod"+strconv.Itoa(i+1)] = m
	}
	if e.MFA.Present {
		x.Data.Additional["mfaTime"] = time.UnixMicro(e.MFA.At).UTC().Format(time.RFC3339)
	}
	if e.Result != audit.Allowed {
		x.Data.Response.Message = cmp.Or(e.Why, e.Code)
	}
	for k, v := range e.Params {
		x.Data.Request.Parameters[k] = []string{v}
	}
	return x
}

// auditResource is the OCID of what was acted on, where it has one.
func auditResource(t *audit.Target) string {
	kind := map[string]string{"user": name.OCIUser, "group": name.OCIGroup, "policy": name.OCIPolicy}[t.Noun]
	if kind == "" || t.ID == 0 {
		return ""
	}
	return t.ID.OCID(kind)
}

func auditIdentityOf(e *audit.Event) auditIdentity {
	id := auditIdentity{PrincipalName: cmp.Or(e.Actor.Name, e.Actor.Kind), AuthType: "natv", TenantID: e.Account.Tenancy(),
		IPAddress: e.Source, Credentials: e.Actor.AccessKey, UserAgent: e.UserAgent}
	if e.Actor.ID != 0 {
		id.PrincipalID = e.Actor.ID.OCID(name.OCIUser)
	}
	if e.Door == "console" {
		id.ConsoleSessionID = e.Actor.Session
	}
	return id
}

// auditVerb is the method that Oracle has for an operation of the kind.
func auditVerb(e *audit.Event) string {
	if e.ReadOnly {
		return http.MethodGet
	}
	return http.MethodPost
}

// auditStatus is the status that Oracle has for an end of the kind.
func auditStatus(e *audit.Event) int {
	switch e.Code {
	case "":
		return http.StatusOK
	case fault.Invalid.String():
		return http.StatusBadRequest
	case fault.Unauthenticated.String(), fault.BadCode.String():
		return http.StatusUnauthorized
	case fault.Denied.String(), fault.NotFound.String():
		return http.StatusNotFound
	case fault.Exists.String(), fault.Conflict.String():
		return http.StatusConflict
	case fault.Throttled.String():
		return http.StatusTooManyRequests
	case fault.Internal.String():
		return http.StatusInternalServerError
	}
	return http.StatusBadRequest
}
