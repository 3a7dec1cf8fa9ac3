package gateway

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"warifu/internal/body"
	"warifu/internal/gateway/acstable"
	"warifu/internal/name"
	"warifu/internal/reqsig/acs"
	"warifu/policy"
)

// A request of Alibaba Cloud's RPC style does not say which service it is for: its
// version does. Where several services of one version are configured, one for each
// region, the parameter RegionId chooses.

// forACS is the service that a request is meant for; nil if it is none of this
// kind. Where the parameters stand in the body, it is read and stays readable.
func (g *Gateway) forACS(r *http.Request) *route {
	auth := r.Header.Get("Authorization")
	if len(g.versions) == 0 || r.URL.Path != "/" {
		return nil
	}
	query, err := acs.ParseParams(r.URL.RawQuery, "")
	if err != nil {
		query = nil
	}
	if strings.HasPrefix(auth, "ACS3-") {
		return g.ofVersion(r.Header.Get("X-Acs-Version"), regionOf(query, r))
	}
	if auth != "" {
		return nil
	}
	if v, ok := query.Lookup("Version"); ok {
		return g.ofVersion(v, regionOf(query, r))
	}
	if r.Method != http.MethodPost || !isForm(r.Header) {
		return nil
	}
	all, err := acs.ParseParams(r.URL.RawQuery, string(body.Peek(r, DefaultMaxBody)))
	if err != nil {
		return nil
	}
	return g.ofVersion(all.Get("Version"), all.Get("RegionId"))
}

// regionOf is the parameter RegionId, wherever it stands.
func regionOf(query acs.Params, r *http.Request) string {
	if region, ok := query.Lookup("RegionId"); ok || r.Method != http.MethodPost || !isForm(r.Header) {
		return region
	}
	all, err := acs.ParseParams("", string(body.Peek(r, DefaultMaxBody)))
	if err != nil {
		return ""
	}
	return all.Get("RegionId")
}

// addACS takes a service in.
func (g *Gateway) addACS(r *route) error {
	r.Table = r.table()
	version := r.Table.Version
	if old := g.ofVersion(version, r.Region); old != nil && old.Region == r.Region {
		return fmt.Errorf("services: %s: %s serves the version %s in %s already", r.Name, old.Name, version, r.Region)
	}
	g.versions[version] = append(g.versions[version], r)
	return nil
}

// ofVersion is the service of a version and region, or the version's first.
func (g *Gateway) ofVersion(version, region string) *route {
	routes := g.versions[version]
	for _, r := range routes {
		if r.Region == region {
			return r
		}
	}
	if len(routes) == 0 {
		return nil
	}
	return routes[0]
}

// isForm tells whether a body is a form. One in another encoding than UTF-8 is none:
// the upstream would find other parameters in it.
func isForm(h http.Header) bool {
	kind, more, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && kind == formType && len(h["Content-Type"]) == 1 && (more["charset"] == "" || strings.EqualFold(more["charset"], "utf-8"))
}

// receiveACS takes the parameters of a request, from the query and from a form.
func (p *passage) receiveACS() (err error) {
	if p.Method != http.MethodGet && p.Method != http.MethodPost {
		return refuse(BadMethod, "This http method is not supported: GET and POST of / are.")
	}
	form := ""
	if isForm(p.Header) {
		form = string(p.whole)
	}
	if len(p.whole) > 0 && (form == "" || p.Method == http.MethodGet) {
		return refuse(Malformed, "A body must be a form sent by POST: "+formType+".")
	}
	if len(p.Header["Content-Encoding"]) > 0 {
		return refuse(Malformed, "A body must not be encoded.")
	}
	p.acs = &acs.Request{
		Method: p.Method, Host: p.Host, Path: p.signed.Path, Query: p.signed.Query, Header: p.Header, BodyHash: p.signed.BodyHash,
	}
	p.params, err = acs.ParseParams(p.signed.Query, form)
	return err
}

// verifyACS verifies either signature, and keeps of the parameters those that are
// the operation's: its name and version among them, which only headers hold
// where ACS3 signed.
func (p *passage) verifyACS() (err error) {
	caller, sig, once, err := p.g.Ops.ACS(p.Context(), p.acs, p.params, p.route.Name, p.at)
	if err != nil {
		return err
	}
	p.caller, p.once = caller, once
	p.sig.Scope.Region, p.sig.Scope.Service = p.route.Region, p.route.Name
	own := acs.Params{{Key: "Action", Value: sig.Action}, {Key: "Version", Value: sig.Version}}
	for _, x := range p.params {
		if x.Value == unset {
			continue
		}
		if !acs.IsCommon(x.Key) && !strings.EqualFold(x.Key, "Action") && !strings.EqualFold(x.Key, "Version") {
			own = append(own, x)
		}
	}
	own.Sort()
	p.params = own
	return nil
}

// fromACS reads a request of the RPC style by the service's table.
func (d *Derived) fromACS(s *Service, v *View) error {
	t := s.table()
	action := v.Params.Get("Action")
	if action == "" {
		return refuse(MissingAction, `The input parameter "Action" that is mandatory for processing this request is not supplied.`)
	}
	known, found := t.Actions[action]
	if !found || v.Params.Get("Version") != t.Version {
		return refuse(UnknownAction, "Specified api is not found, please check your url and method.")
	}
	params, err := acsParams(v.Params)
	if err != nil {
		return err
	}
	d.Operation, d.ReadOnly = known.Name, known.ReadOnly
	for _, p := range params {
		last := p.name[strings.LastIndexByte(p.name, '.')+1:]
		if last == "RegionId" && p.value != v.Region {
			return refuse(UnclearTarget, "This service is that of the region "+v.Region+".")
		}
	}
	l := acsLookup{service: s.actionPrefix(), view: v, action: &known, params: params}
	if err := l.find(); err != nil {
		return err
	}
	d.needACS(s.actionPrefix(), known.Name, l.arns)
	for _, role := range l.roles {
		d.Needs = append(d.Needs, Need{Action: "sts:AssumeRole", Resources: []string{role}})
	}
	for _, k := range known.Keys {
		values, err := l.values(k.Param)
		if err != nil {
			return err
		}
		for _, value := range values {
			if strings.TrimSpace(value) != value {
				return refuse(UnclearTarget, "The parameter "+k.Param+" must have no white space around its value.")
			}
		}
		if len(values) == 0 {
			values = k.Defaults
		}
		d.Keys.Set(k.Name, policy.Strings(values...))
	}
	d.acsTags(params)
	return nil
}

// needACS adds an action of one of Alibaba Cloud's services.
func (d *Derived) needACS(code, action string, arns []string) {
	d.Needs = append(d.Needs, Need{Action: name.ACSPrefix + code + ":" + action, RAM: code + ":" + action, Resources: arns})
}

// unset is what clients send for a list or a structure that is not set. It is not
// judged, and so it does not go on: an upstream may take it for a name.
const unset = "null"

// maxFlat bounds what is unfolded of one request.
const maxFlat = 4096

// acsParams are the parameters with lists and structures unfolded, which clients
// send either as List.1.Member or as JSON. A parameter that differs from another in
// nothing but case is refused.
func acsParams(sent acs.Params) ([]param, error) {
	seen := make(map[string]bool, len(sent))
	var out []param
	for _, x := range sent {
		low := strings.ToLower(x.Key)
		if seen[low] {
			return nil, refuse(Malformed, "The parameter "+printable(x.Key)+" is given twice.")
		}
		seen[low] = true
		if x.Value == "" || x.Value == unset {
			continue // clients send what is not set
		}
		out = append(out, param{x.Key, x.Value})
		if x.Value[0] == '[' || x.Value[0] == '{' {
			inner, err := unfold(x.Value)
			if err != nil {
				return nil, err
			}
			for _, p := range inner {
				out = append(out, param{x.Key + p.name, p.value})
			}
		}
		if len(out) > maxFlat {
			return nil, refuse(TooLarge, "The request has too many parameters.")
		}
	}
	return out, nil
}

// unfold are the texts in a list or a structure, by the rest of their name:
// ".0.Key". A text that only begins like JSON has none.
func unfold(value string) ([]param, error) {
	if !json.Valid([]byte(value)) {
		return nil, nil
	}
	const wrap = "v"
	all, err := jsonParams([]byte(`{"` + wrap + `":` + value + "}"))
	for i := range all {
		all[i].name = strings.TrimPrefix(all[i].name, wrap)
	}
	return all, err
}

// acsLookup finds what an operation is authorised on.
type acsLookup struct {
	service string
	view    *View
	action  *acstable.Action
	params  []param

	arns, roles []string
}

func (l *acsLookup) find() error {
	for _, refused := range l.action.Refused {
		if l.given(refused) {
			return refuse(UnclearTarget, "The gateway cannot tell which resource the parameter "+refused+" chooses; name it by its id.")
		}
	}
	for i := range l.action.Resources {
		if err := l.one(&l.action.Resources[i]); err != nil {
			return err
		}
	}
	slices.Sort(l.arns)
	l.arns = slices.Compact(l.arns)
	return nil
}

// given reports whether a parameter is sent, or a member of it.
func (l *acsLookup) given(wanted string) bool {
	return slices.ContainsFunc(l.params, func(p param) bool {
		return strings.EqualFold(p.name, wanted) || len(p.name) > len(wanted) && strings.EqualFold(p.name[:len(wanted)+1], wanted+".")
	})
}

// one names a resource of the table. What a reading operation does not name is
// everything of its kind.
func (l *acsLookup) one(r *acstable.Resource) error {
	kinds, err := l.kinds(r)
	if err != nil {
		return err
	}
	ids := []string{"*"}
	if r.Param != "" {
		if ids, err = l.values(r.Param); err != nil {
			return err
		}
		for _, id := range ids {
			if err := plain(id); err != nil {
				return err
			}
		}
	}
	switch {
	case len(ids) == 0 && r.Required:
		return refuse(UnclearTarget, "The parameter "+r.Param+" must be given.")
	case len(ids) == 0 && l.action.ReadOnly:
		ids = []string{"*"}
	}
	owner, _ := name.ParseAccount(l.view.Account)
	for _, kind := range kinds {
		for _, id := range ids {
			if r.Service == "ram" {
				arn := name.RoleARN(owner, "/", id)
				l.roles, l.arns = append(l.roles, arn), append(l.arns, arn)
				continue
			}
			code := r.Service
			if code == "" {
				code = l.service
			}
			l.arns = append(l.arns, name.ACSResourceARN(code, l.view.Region, owner, kind+"/"+id))
		}
	}
	return nil
}

// kindForm is what may stand for a resource's kind.
var kindForm = regexp.MustCompile(`^[A-Za-z]{1,32}$`)

// kinds are what stands before the slash, which a parameter may say.
func (l *acsLookup) kinds(r *acstable.Resource) ([]string, error) {
	param, dynamic := strings.CutPrefix(r.Kind, "{")
	if !dynamic {
		return []string{r.Kind}, nil
	}
	values, err := l.values(strings.TrimSuffix(param, "}"))
	if err != nil {
		return nil, err
	}
	if len(values) != 1 || !kindForm.MatchString(values[0]) {
		return nil, refuse(UnclearTarget, "The parameter "+strings.Trim(r.Kind, "{}")+" must name one kind of resource.")
	}
	return []string{strings.ToLower(values[0])}, nil
}

// values are those of a parameter, or of each of its list. In a name of the table
// N stands for a position. Another spelling of the name's case counts as well. What
// begins with the name and is neither the parameter nor an item of its list is
// refused: an upstream may read more into it.
func (l *acsLookup) values(wanted string) (out []string, err error) {
	want := strings.Split(wanted, ".")
	for _, p := range l.params {
		given := strings.Split(p.name, ".")
		switch {
		case !begins(want, given):
		case !fits(want, given):
			return nil, refuse(UnclearTarget, "The parameter "+printable(p.name)+" is none of the items of "+wanted+".")
		case !isContainer(p.value):
			out = append(out, p.value)
		}
	}
	return out, nil
}

// begins reports whether a parameter's name begins with one of the table, whatever
// stands in place of a position.
func begins(wanted, given []string) bool {
	n := len(wanted)
	return len(given) >= n && slices.EqualFunc(wanted, given[:n], func(w, g string) bool { return w == "N" || strings.EqualFold(w, g) })
}

// isContainer reports whether a value is JSON whose members are parameters of
// their own.
func isContainer(value string) bool {
	return (value[0] == '[' || value[0] == '{') && json.Valid([]byte(value))
}

func fits(wanted, given []string) bool {
	if n := len(given); n == len(wanted)+1 && isPosition(given[n-1]) {
		given = given[:n-1]
	}
	return slices.EqualFunc(wanted, given, func(w, g string) bool { return w == "N" && isPosition(g) || strings.EqualFold(w, g) })
}

func isPosition(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

// acsTags collects the tags that the request sets: Tag.1.Key and Tag.1.Value.
func (d *Derived) acsTags(params []param) {
	at := map[string]int{}
	for _, p := range params {
		parts := strings.Split(p.name, ".")
		if len(parts) != 3 || !strings.EqualFold(parts[0], "Tag") && !strings.EqualFold(parts[0], "Tags") || parts[2] != "Key" && parts[2] != "Value" {
			continue
		}
		i, known := at[parts[1]]
		if !known {
			i = len(d.Tags)
			at[parts[1]] = i
			d.Tags = append(d.Tags, Tag{})
		}
		if parts[2] == "Key" {
			d.Tags[i].Key = p.value
		} else {
			d.Tags[i].Value = p.value
		}
	}
}

// repackACS puts the operation's parameters into the query and the form where they
// were, without the client's signature.
func (p *passage) repackACS() {
	form, err := acs.ParseParams("", string(p.whole))
	if err != nil || !isForm(p.Header) {
		form = nil
	}
	var query, body acs.Params
	for _, x := range p.params {
		if _, inBody := form.Lookup(x.Key); inBody {
			body = append(body, x)
		} else {
			query = append(query, x)
		}
	}
	p.hold([]byte(body.Encode()))
	p.query, p.form = query, body
}

// signACS writes the upstream's query: signed with its key (RPC, version 1.0, which
// covers the form as well), or as it is.
func (p *passage) signACS(r *http.Request) {
	all := p.query
	if key := p.route.Key; key != nil {
		signed := acs.Credentials{AccessKeyID: key.AccessKeyID, Secret: key.Secret}.Sign(
			r.Method, slices.Concat(p.query, p.form), p.g.Ops.NewRequestID(), p.g.Ops.Now())
		all = slices.DeleteFunc(signed, func(x acs.Param) bool {
			_, inBody := p.form.Lookup(x.Key)
			return inBody
		})
	}
	r.URL.RawQuery = all.Encode()
	for name := range r.Header {
		if strings.HasPrefix(folded(name), "x-acs-") {
			delete(r.Header, name)
		}
	}
	r.Header["X-Acs-Action"] = []string{p.derived.Operation}
	r.Header["X-Acs-Version"] = []string{p.route.table().Version}
}
