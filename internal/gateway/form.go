package gateway

import (
	"regexp"
	"strings"

	"warifu/policy/aws/catalog"
)

// formType is the content type of a form.
const formType = "application/x-www-form-urlencoded"

// apiName is the form of an operation's name in every AWS service.
var apiName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{0,127}$`)

// fromForm reads a Query or EC2 request: the operation is the parameter Action,
// in the query string or in a form body.
func (d *Derived) fromForm(s *Service, v *View) error {
	params, err := formParams(v)
	if err != nil {
		return err
	}
	seen := make(map[string]bool, len(params))
	action := ""
	for _, p := range params {
		if p.name != "Action" && strings.EqualFold(p.name, "Action") {
			return refuse(Malformed, "The parameter Action is misspelled.")
		}
		if seen[p.name] {
			return refuse(Malformed, "The parameter "+printable(p.name)+" is given twice.")
		}
		seen[p.name] = true
		if p.name == "Action" {
			action = p.value
		}
	}
	if action == "" {
		return refuse(MissingAction, "The request must contain the parameter Action.")
	}
	values := make([]param, 0, len(params))
	for _, p := range params {
		if p.name != "Action" && p.name != "Version" && !isSigning(p.name) {
			values = append(values, p)
		}
	}
	d.formTags(values)
	return d.catalogued(s, v, action, values)
}

// formParams collects the parameters of the query string and of a form body. A
// body of another type is refused if there is one: an upstream might read it as
// a form all the same.
func formParams(v *View) ([]param, error) {
	if v.Method != "GET" && v.Method != "POST" {
		return nil, refuse(BadMethod, "This service takes GET and POST.")
	}
	if v.Path != "" && v.Path != "/" {
		return nil, refuse(UnknownAction, "This service has no path but '/'.")
	}
	params, err := parseParams(v.Query)
	if err != nil {
		return nil, err
	}
	body, err := v.Body(0)
	if err != nil {
		return nil, err
	}
	if len(body) == 0 {
		return params, nil
	}
	if !isForm(v.Header) || v.Method != "POST" || len(v.Header["Content-Encoding"]) > 0 {
		return nil, refuse(Malformed, "A body must be a form sent by POST: "+formType+".")
	}
	form, err := parseParams(strings.TrimRight(string(body), "\r\n"))
	return append(params, form...), err
}

// tagParam is a tag in a Query or EC2 request: Tags.member.1.Key,
// TagSpecification.1.Tag.2.Value.
var tagParam = regexp.MustCompile(`^((?:.*\.)?(?:Tag|Tags\.member|Tags\.Tag|Tags)\.\d+)\.(Key|Value)$`)

// formTags collects the tags that the request sets.
func (d *Derived) formTags(params []param) {
	at := map[string]int{}
	for _, p := range params {
		m := tagParam.FindStringSubmatch(p.name)
		if m == nil {
			continue
		}
		i, known := at[m[1]]
		if !known {
			i = len(d.Tags)
			at[m[1]] = i
			d.Tags = append(d.Tags, Tag{})
		}
		if m[2] == "Key" {
			d.Tags[i].Key = p.value
		} else {
			d.Tags[i].Value = p.value
		}
	}
}

// catalogued finds the action in the catalog and the resources it is
// authorised on among the parameters.
func (d *Derived) catalogued(s *Service, v *View, name string, params []param) error {
	if !apiName.MatchString(name) {
		return refuse(UnknownAction, "The action "+printable(name)+" is not valid for this web service.")
	}
	if s.Protocol == EC2 {
		d.ec2Keys(v)
	}
	info, found := catalog.Action(d.Service, name)
	if !found || info.Name != name {
		return refuse(UnknownAction, "The action "+printable(name)+" is not valid for this web service.")
	}
	d.Operation = info.Name
	d.ReadOnly = info.Access == catalog.Read || info.Access == catalog.List
	resources, err := resolve(d.Service, v, info, params)
	if err != nil {
		return err
	}
	d.need(info.Name, resources...)
	return nil
}

func (d *Derived) ec2Keys(v *View) { d.key("ec2:Region", v.Region) }
