package codec

import (
	"bytes"
	"encoding/xml"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Format is the form of an answer.
type Format uint8

// The formats.
const (
	JSON Format = iota
	XML
)

// ContentType is what the header says of an answer in the format. Clients compare
// that of XML byte by byte.
func (f Format) ContentType() string {
	if f == XML {
		return "text/xml;charset=utf-8"
	}
	return "application/json;charset=utf-8"
}

// Answer writes the answer of an operation: a struct whose fields are called as
// the members are, with the request's id before them. A slice that is nil is an
// empty list.
func Answer(f Format, action, requestID string, answer any) ([]byte, error) {
	if f == XML {
		return element(action+"Response", requestID, answer)
	}
	return object(requestID, answer)
}

// Refusal is an error as clients read it.
type Refusal struct {
	HostId             string
	Code               string
	Message            string
	Recommend          string
	AccessDeniedDetail *AccessDeniedDetail `json:",omitempty" xml:",omitempty"`
}

// AccessDeniedDetail says why policy said no.
type AccessDeniedDetail struct {
	AuthAction               string
	AuthPrincipalType        string
	AuthPrincipalOwnerId     string
	AuthPrincipalDisplayName string
	NoPermissionType         string
	PolicyType               string
	EncodedDiagnosticMessage string
}

// Failure writes an error.
func Failure(f Format, requestID string, r *Refusal) ([]byte, error) {
	if f == XML {
		return element("Error", requestID, r)
	}
	return object(requestID, r)
}

// object writes JSON. The members come after RequestId.
func object(requestID string, v any) ([]byte, error) {
	b := append(make([]byte, 0, 512), `{"RequestId":"`...)
	b = append(append(b, requestID...), '"')
	body, err := json.Marshal(v, jsontext.EscapeForHTML(false))
	if err != nil {
		return nil, err
	}
	if len(body) > 2 { // not {}
		b = append(b, ',')
	}
	return append(b, body[1:]...), nil
}

// element writes XML.
func element(root, requestID string, v any) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	enc := xml.NewEncoder(&b)
	if err := enc.EncodeElement(v, xml.StartElement{Name: xml.Name{Local: root}}); err != nil {
		return nil, err
	}
	open := []byte("<" + root + ">")
	return bytes.Replace(b.Bytes(), open, append(open, []byte("<RequestId>"+requestID+"</RequestId>")...), 1), nil
}
