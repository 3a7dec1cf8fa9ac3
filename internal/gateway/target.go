package gateway

import (
	"bytes"
	"io"
	"mime"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// maxJSONDepth is deeper than any request of an AWS service.
const maxJSONDepth = 64

// fromJSON reads an awsJson request: the operation is the last part of
// X-Amz-Target, its parameters are the members of a JSON object.
func (d *Derived) fromJSON(s *Service, v *View) error {
	if v.Method != "POST" || v.Path != "" && v.Path != "/" {
		return refuse(BadMethod, "This service takes POST on '/'.")
	}
	if query, err := parseParams(v.Query); err != nil || len(query) > 0 {
		return refuse(Malformed, "This service takes no query string.")
	}
	target, err := v.one("X-Amz-Target")
	if err != nil {
		return err
	}
	if target == "" {
		return refuse(MissingAction, "The request must have the header X-Amz-Target.")
	}
	at := strings.LastIndexByte(target, '.')
	if at < 1 || s.Target != "" && target[:at] != s.Target {
		return refuse(UnknownAction, "The target "+printable(target)+" is not valid for this web service.")
	}
	kind, _, err := mime.ParseMediaType(v.Header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(kind, "application/x-amz-json-1.") || len(v.Header["Content-Encoding"]) > 0 {
		return refuse(Malformed, "The body must be of the type application/x-amz-json-1.0 or 1.1.")
	}
	body, err := v.Body(0)
	if err != nil {
		return err
	}
	params, err := jsonParams(body)
	if err != nil {
		return err
	}
	d.jsonTags(params)
	return d.catalogued(s, v, target[at+1:], params)
}

// jsonParams flattens a JSON object to its string members, named by the path
// to them: {"a":[{"b":"c"}]} is a.0.b = c. The member names of a DynamoDB
// batch's RequestItems are tables. Duplicate names and invalid UTF-8 are refused
// by the decoder.
func jsonParams(body []byte) ([]param, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, nil
	}
	bad := refuse(Malformed, "The body is not a valid JSON object.")
	dec := jsontext.NewDecoder(bytes.NewReader(body))
	if dec.PeekKind() != '{' {
		return nil, bad
	}
	var out []param
	for closed := false; ; closed = dec.StackDepth() == 0 {
		token, err := dec.ReadToken()
		if err == io.EOF {
			return out, nil
		}
		if err != nil || closed || dec.StackDepth() > maxJSONDepth {
			return nil, bad
		}
		if token.Kind() != '"' {
			continue
		}
		if kind, n := dec.StackIndex(dec.StackDepth()); kind == '{' && n%2 == 1 {
			if rest, ok := strings.CutPrefix(pathOf(dec), "RequestItems."); ok && dec.StackDepth() == 2 {
				out = append(out, param{"TableName", unescapePointer(rest)})
			}
			continue // a member's name
		}
		out = append(out, param{pathOf(dec), token.String()})
	}
}

// pathOf is the path to what the decoder just read, spelled as in a form: a.1.b.
func pathOf(dec *jsontext.Decoder) string {
	return strings.ReplaceAll(strings.TrimPrefix(string(dec.StackPointer()), "/"), "/", ".")
}

// jsonTags collects tags of the forms {"Tags":[{"Key":…,"Value":…}]} and
// {"tags":{key: value}}.
func (d *Derived) jsonTags(params []param) {
	d.formTags(params)
	for _, p := range params {
		parts := strings.Split(p.name, ".")
		if len(parts) == 2 && strings.EqualFold(parts[0], "tags") {
			d.Tags = append(d.Tags, Tag{unescapePointer(parts[1]), p.value})
		}
	}
}

// unescapePointer undoes RFC 6901, section 4.
func unescapePointer(s string) string {
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(s)
}
