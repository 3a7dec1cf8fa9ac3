package aws

import (
	"context"
	"reflect"
	"strings"
	"time"

	"warifu/internal/api/aws/codec"
	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/ops"
	"warifu/internal/page"
)

func trailActions() []action {
	return []action{
		bindJSON(serviceCloudTrail, "LookupEvents", ops.LookupEvents, (*lookupInput).in, lookedUp),
	}
}

// bindJSON binds an operation of the AWS JSON protocol, as bind does for Query.
func bindJSON[Shape, In, Out, Answer any](of *service, name string, op ops.Op[In, Out], in func(*Shape) (In, error), out func(Out) (Answer, error)) action {
	run := func(ctx context.Context, s *ops.Server, call ops.Call, body []byte) ([]byte, error) {
		shape, err := codec.DecodeJSON[Shape](body)
		var input In
		if err == nil {
			input, err = in(&shape)
		}
		if err != nil {
			return nil, ops.Reject(ctx, s, &call, &op, err)
		}
		result, err := ops.Run(ctx, s, call, op, input)
		if err != nil {
			return nil, err
		}
		answer, err := out(result)
		if err != nil {
			return nil, err
		}
		return codec.EncodeJSON(&answer)
	}
	return action{service: of, name: name, op: op.Name, json: run, in: reflect.TypeFor[Shape](), out: reflect.TypeFor[Answer]()}
}

type lookupInput struct {
	LookupAttributes []lookupAttribute `json:"LookupAttributes"`
	StartTime        codec.Epoch       `json:"StartTime"`
	EndTime          codec.Epoch       `json:"EndTime"`
	EventCategory    string            `json:"EventCategory"`
	MaxResults       *int32            `json:"MaxResults"`
	NextToken        string            `json:"NextToken"`
}

type lookupAttribute struct {
	AttributeKey   string `json:"AttributeKey"`
	AttributeValue string `json:"AttributeValue"`
}

func (s *lookupInput) in() (in ops.LookupEventsIn, err error) {
	in.Query = audit.Query{From: s.StartTime.Time, To: s.EndTime.Time}
	in.Cursor = s.NextToken
	if s.MaxResults != nil {
		if in.Limit = int(*s.MaxResults); in.Limit < 1 {
			return in, fault.Field("maxResults", "a page has 1 to %d events", ops.MaxEvents)
		}
	}
	if s.EventCategory != "" {
		return in, trailError("InvalidEventCategoryException", "There are management events only; leave EventCategory out.")
	}
	switch len(s.LookupAttributes) {
	case 0:
		return in, nil
	case 1:
		return in, s.LookupAttributes[0].into(&in.Query)
	}
	return in, trailError("InvalidLookupAttributesException", "Only one lookup attribute can be given.")
}

func trailError(code, message string) error {
	return &codec.Error{Code: code, Message: message, Status: 400}
}

// into makes a condition of an attribute.
func (a *lookupAttribute) into(q *audit.Query) error {
	v := a.AttributeValue
	if v == "" || len(v) > 2000 {
		return trailError("InvalidLookupAttributesException", "The value of a lookup attribute must have 1 to 2000 characters.")
	}
	switch a.AttributeKey {
	case "EventId":
		q.ID = v
	case "EventName":
		q.Operation = v
	case "Username":
		q.Actor = v
	case "ResourceName":
		q.TargetName = v
	case "ResourceType":
		q.TargetNoun = nounOf(v)
	case "EventSource":
		q.Service = strings.TrimSuffix(v, sourceSuffix)
	case "AccessKeyId":
		q.AccessKey = v
	case "ReadOnly":
		readOnly := v == "true"
		if !readOnly && v != "false" {
			return trailError("InvalidLookupAttributesException", "The value of ReadOnly must be true or false.")
		}
		q.ReadOnly = &readOnly
	default:
		return trailError("InvalidLookupAttributesException", "The attribute "+a.AttributeKey+" cannot be looked up.")
	}
	return nil
}

// resourceTypes are CloudFormation's names of what operations act on.
var resourceTypes = map[string]string{
	"user": "AWS::IAM::User", "group": "AWS::IAM::Group", "role": "AWS::IAM::Role", "policy": "AWS::IAM::Policy",
	"access key": "AWS::IAM::AccessKey", "mfa device": "AWS::IAM::VirtualMFADevice", "account": "AWS::IAM::Account",
}

// nounOf finds what a resource type is called here; one that is not known
// matches nothing.
func nounOf(resourceType string) string {
	for noun, t := range resourceTypes {
		if t == resourceType {
			return noun
		}
	}
	return resourceType
}

type lookupOutput struct {
	Events    []trailEvent `json:"Events"`
	NextToken string       `json:"NextToken"`
}

type trailEvent struct {
	EventID         string          `json:"EventId"`
	EventName       string          `json:"EventName"`
	ReadOnly        string          `json:"ReadOnly"`
	AccessKeyID     string          `json:"AccessKeyId"`
	EventTime       codec.Epoch     `json:"EventTime"`
	EventSource     string          `json:"EventSource"`
	Username        string          `json:"Username"`
	Resources       []trailResource `json:"Resources"`
	CloudTrailEvent string          `json:"CloudTrailEvent"`
}

type trailResource struct {
	ResourceType string `json:"ResourceType"`
	ResourceName string `json:"ResourceName"`
}

func lookedUp(p page.Page[audit.Event]) (out lookupOutput, err error) {
	out.NextToken = string(p.Next)
	for i := range p.Items {
		e := &p.Items[i]
		record, err := codec.EncodeJSON(newRecord(e))
		if err != nil {
			return out, err
		}
		row := trailEvent{
			EventID: e.ID, EventName: eventName(e), ReadOnly: trueFalse(e.ReadOnly), AccessKeyID: e.Actor.AccessKey,
			EventTime: codec.Epoch{Time: e.At.Truncate(time.Second)}, EventSource: eventSource(e), Username: username(e), CloudTrailEvent: string(record),
		}
		if e.Target.Name != "" {
			row.Resources = []trailResource{{resourceTypes[e.Target.Noun], e.Target.Name}}
		}
		out.Events = append(out.Events, row)
	}
	return out, nil
}

func trueFalse(b bool) string {
	if b {
		return "true"
	}
	return "false"
}
