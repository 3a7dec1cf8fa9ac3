package gateway

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"warifu/internal/fault"
	"warifu/internal/name"
	"warifu/internal/ops"
	sig "warifu/internal/reqsig/oci"
	"warifu/policy"
	"warifu/policy/oci"
)

// OCI is the protocol of Oracle's services: REST with JSON, signed with an API key or
// for a session. What an operation is called and needs stands in the service's table,
// since paths tell neither.
const OCI Protocol = "oci"

// Operation is a line of such a table.
type Operation struct {
	Method string
	Path   string // "/20160918/instances/{instanceId}"; each variable is one segment
	Name   string // "GetInstance"

	// Permissions are what Oracle's language asks for, all of them; none means those
	// of Oracle's own reference.
	Permissions []string

	// Compartment says where the compartment stands in which they are asked for:
	// "query:compartmentId", "body:compartmentId", a compartment's OCID, "tenancy", or
	// "at:/20160918/instances/{instanceId}", which asks the upstream there whose
	// compartment it is.
	Compartment string
}

// ParseOperation reads a line of a table: "GET /20160918/instances ListInstances
// INSTANCE_INSPECT query:compartmentId". Several permissions are joined by "+"; "-"
// takes those of Oracle's reference.
func ParseOperation(line string) (Operation, error) {
	words := strings.Fields(line)
	if len(words) != 5 {
		return Operation{}, fmt.Errorf("%q is not METHOD PATH NAME PERMISSIONS COMPARTMENT", line)
	}
	o := Operation{Method: words[0], Path: words[1], Name: words[2], Compartment: words[4]}
	if words[3] != "-" {
		o.Permissions = strings.Split(words[3], "+")
	}
	return o, o.check()
}

var (
	operationName  = regexp.MustCompile(`^[A-Z][A-Za-z0-9]{1,99}$`)
	operationPath  = regexp.MustCompile(`^(/([A-Za-z0-9._-]+|\{[A-Za-z0-9]+\}))+$`)
	permissionName = regexp.MustCompile(`^[A-Z][A-Z0-9_]{1,99}$`)
	memberName     = regexp.MustCompile(`^[A-Za-z0-9]{1,64}$`)
)

// check reports what is wrong with a line.
func (o *Operation) check() error {
	kind, at, _ := strings.Cut(o.Compartment, ":")
	switch {
	case !slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}, o.Method):
		return fmt.Errorf("%s is not a method of HTTP", o.Method)
	case !operationPath.MatchString(o.Path) || strings.Contains(o.Path, "/."):
		return fmt.Errorf("%s is not a path such as /20160918/instances/{instanceId}", o.Path)
	case !operationName.MatchString(o.Name):
		return fmt.Errorf("%s is not the name of an operation, such as GetInstance", o.Name)
	case strings.HasPrefix(o.Path, identityBase) && slices.Contains(identityNouns, strings.Split(o.Path, "/")[2]):
		return fmt.Errorf("%s: Warifu answers this path itself", o.Path)
	case kind == "query" || kind == "body":
		if !memberName.MatchString(at) {
			return fmt.Errorf("%s: %s names no parameter", o.Name, o.Compartment)
		}
	case kind == "at":
		if !operationPath.MatchString(at) || !subset(variables(at), variables(o.Path)) {
			return fmt.Errorf("%s: %s is not a path with variables of %s", o.Name, at, o.Path)
		}
	case o.Compartment != "tenancy" && !isCompartment(o.Compartment):
		return fmt.Errorf("%s: %s is not query:NAME, body:NAME, at:PATH, tenancy or the OCID of a compartment", o.Name, o.Compartment)
	}
	if _, known := oci.Permissions(o.Name); len(o.Permissions) == 0 && !known {
		return fmt.Errorf("%s is not in Oracle's reference: name its permissions", o.Name)
	}
	for _, p := range o.Permissions {
		if !permissionName.MatchString(p) {
			return fmt.Errorf("%s: %s is not the name of a permission, such as INSTANCE_READ", o.Name, p)
		}
	}
	return nil
}

func isCompartment(ocid string) bool {
	_, ok := name.ParseIDOf(name.OCICompartment, ocid)
	return ok
}

// identityBase and identityNouns are the paths of the Identity service, which is
// Warifu's own.
const identityBase = "/20160918/"

var identityNouns = []string{
	"allowedDomainLicenseTypes", "authenticationPolicies", "availabilityDomains", "compartments", "domains", "dynamicGroups", "faultDomains",
	"groups", "iamWorkRequests", "identityProviders", "networkSources", "policies", "regions", "tagDefaults", "tagNamespaces",
	"taggingWorkRequests", "tags", "tenancies", "userGroupMemberships", "users", "workRequests",
}

// variables are the names in braces of a path.
func variables(path string) (names []string) {
	for segment := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(segment, "{") {
			names = append(names, segment)
		}
	}
	return names
}

func subset(some, all []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

// checkOCI reports what is wrong with the configuration of a service of Oracle's kind.
func (s *Service) checkOCI() error {
	if len(s.Operations) == 0 {
		return fmt.Errorf("services: %s: the protocol oci needs a table of operations", s.Name)
	}
	if slices.Contains([]string{"identity", "auth", "login"}, s.Name) {
		return fmt.Errorf("services: %s: Warifu answers this host itself", s.Name)
	}
	if s.Key != nil {
		return fmt.Errorf("services: %s: the protocol oci forwards unsigned; an access key is for AWS's protocols", s.Name)
	}
	for i := range s.Operations {
		if err := s.Operations[i].check(); err != nil {
			return fmt.Errorf("services: %s: operations: %w", s.Name, err)
		}
	}
	return nil
}

// segmentText is what may stand for a variable of a path: OCIDs, names and numbers, in
// one spelling only.
var segmentText = regexp.MustCompile(`^[A-Za-z0-9_~-][A-Za-z0-9._~-]*$`)

// match tells whether a path is the operation's, and what its variables are.
func (o *Operation) match(path string) (map[string]string, bool) {
	want, got := strings.Split(o.Path, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	vars := map[string]string{}
	for i := range want {
		switch {
		case !strings.HasPrefix(want[i], "{"):
			if want[i] != got[i] {
				return nil, false
			}
		case !segmentText.MatchString(got[i]):
			return nil, false
		default:
			vars[want[i]] = got[i]
		}
	}
	return vars, true
}

// operation finds the line for a request. HEAD is a GET without its answer.
func (s *Service) operation(method, path string) (o *Operation, vars map[string]string, known bool) {
	for i := range s.Operations {
		o := &s.Operations[i]
		vars, ok := o.match(path)
		if !ok {
			continue
		}
		if known = true; o.Method == method || o.Method == "GET" && method == "HEAD" {
			return o, vars, true
		}
	}
	return nil, nil, known
}

// signedOCI reports whether a request has a signature of Oracle's kind.
func signedOCI(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Authorization"), "Signature ")
}

// forOCI is the service of a request that is signed as Oracle's, nil if there is none.
// Such signatures name no service: it is the first label of the host, or the one that
// has the path.
func (g *Gateway) forOCI(r *http.Request) *route {
	label, _, _ := strings.Cut(r.Host, ".")
	if s := g.routes[strings.ToLower(label)]; s != nil && s.Protocol == OCI {
		return s
	}
	for i := range g.oracle {
		if _, _, known := g.oracle[i].operation(r.Method, r.URL.EscapedPath()); known {
			return g.oracle[i]
		}
	}
	return nil
}

// nameOCI gives the request an id of Oracle's kind, which leads to its event.
func (p *passage) nameOCI(w http.ResponseWriter) {
	p.event = p.g.Ops.NewEventID(p.at)
	p.id = sig.RequestID(p.Header.Get("opc-request-id"), p.id, p.event)
	w.Header().Set("Opc-Request-Id", p.id)
}

// verifyOCI checks a signature of Oracle's kind.
func (p *passage) verifyOCI() (err error) {
	sum := sha256.Sum256(p.whole)
	p.sig.Scope.Region = strings.ToLower(p.route.Region)
	p.caller, err = p.g.Ops.VerifyOracle(p.Context(), &sig.Request{
		Method: p.Method, Target: p.RequestURI, Host: p.Host, ContentLength: p.ContentLength, Header: p.Header,
		BodyHash: base64.StdEncoding.EncodeToString(sum[:]),
	}, p.at)
	return err
}

// asked is what an operation of Oracle's kind needs.
type asked struct {
	names       ops.Names
	compartment string // OCID; "" if there is none such
}

// deriveOCI looks the operation up in the service's table.
func (p *passage) deriveOCI() error {
	s := &p.route.Service
	d := &Derived{Service: s.actionPrefix(), ReadOnly: p.Method == "GET" || p.Method == "HEAD", Keys: policy.Map{}}
	p.derived = d
	o, vars, known := s.operation(p.Method, p.signed.Path)
	switch {
	case o == nil && known:
		return refuse(BadMethod, "The path does not take "+p.Method+".")
	case o == nil:
		return refuse(UnknownAction, "The service's table has no operation at this path.")
	}
	d.Operation = o.Name
	d.need(o.Name)
	d.asked = &asked{names: ops.Names{AWS: d.Needs[0].Action, OCI: o.Name, OCIPermissions: strings.Join(o.Permissions, " ")}}
	var err error
	d.asked.compartment, err = p.compartmentOf(o, vars)
	return err
}

// compartmentOf finds the compartment that an operation is about.
func (p *passage) compartmentOf(o *Operation, vars map[string]string) (string, error) {
	query, err := parseParams(p.signed.Query)
	if err != nil {
		return "", err
	}
	kind, at, _ := strings.Cut(o.Compartment, ":")
	switch kind {
	case "query":
		return single(at, query)
	case "body":
		body, err := jsonParams(p.whole)
		if err != nil {
			return "", err
		}
		return single(at, body)
	case "at":
		return p.ask(at, vars)
	case "tenancy":
		return p.owner().Tenancy(), nil
	}
	return o.Compartment, nil
}

// single is the one value of a parameter. A second one, also in other capitals, is
// refused: an upstream might take that.
func single(name string, params []param) (value string, err error) {
	found := false
	for _, q := range params {
		if !strings.EqualFold(q.name, name) {
			continue
		}
		if found || q.name != name {
			return "", refuse(Malformed, "The parameter "+name+" must be there once, and spelled so.")
		}
		value, found = q.value, true
	}
	if value == "" {
		return "", refuse(UnclearTarget, "The parameter "+name+" is missing.")
	}
	return value, nil
}

// maxLocated is the longest answer that is read to find a compartment, in bytes.
const maxLocated = 1 << 20

// ask asks the upstream in which compartment something lies; "" if it does not know.
// The caller sees nothing of the answer.
func (p *passage) ask(path string, vars map[string]string) (string, error) {
	for name, value := range vars {
		path = strings.ReplaceAll(path, name, value)
	}
	up := p.route.Upstream
	at := &url.URL{Scheme: up.Scheme, Host: up.Host, Path: strings.TrimSuffix(up.Path, "/") + path}
	r, err := http.NewRequestWithContext(p.Context(), http.MethodGet, at.String(), nil)
	if err != nil {
		return "", fault.Wrap(err, "ask for a compartment")
	}
	r.Header[HeaderAccount] = []string{p.owner().String()}
	r.Header[HeaderRequestID] = []string{p.id}
	r.Header[HeaderAction] = []string{p.route.actionPrefix() + ":Locate"}
	r.Header["Accept"] = []string{"application/json"}
	answer, err := p.route.pool.RoundTrip(r)
	if err != nil {
		return "", &down{err}
	}
	defer answer.Body.Close()
	switch {
	case answer.StatusCode == http.StatusNotFound:
		return "", nil
	case answer.StatusCode != http.StatusOK:
		return "", &down{fmt.Errorf("status %d", answer.StatusCode)}
	}
	var noun struct {
		CompartmentID string `json:"compartmentId"`
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxLocated))
	if err == nil {
		err = json.Unmarshal(body, &noun)
	}
	if err != nil {
		return "", &down{err}
	}
	return noun.CompartmentID, nil
}

// down is an upstream that could not say where something lies.
type down struct{ err error }

func (d *down) Error() string { return "the upstream does not say where it is: " + d.err.Error() }

// operationOCI is an operation of Oracle's kind as one of the hallway's. What is in no
// compartment of the tenancy does not exist, and that is told only to those who would
// be allowed to see it.
func operationOCI(op ops.Op[*Derived, struct{}]) ops.Op[*Derived, struct{}] {
	absent := false
	target := op.Target
	op.Target = func(env *ops.Env, d *Derived) (ops.Target, error) {
		t, err := target(env, d)
		if err == nil {
			t, absent, err = env.InCompartment(t, d.asked.compartment)
		}
		return t, err
	}
	op.Do = func(_ *ops.Env, d *Derived) (none struct{}, err error) {
		if absent {
			err = fault.Of(fault.NotFound, "compartment", d.asked.compartment)
		}
		return none, err
	}
	return op
}

// Headers that tell an upstream of Oracle's kind who the caller is.
const (
	HeaderTenancy = "Warifu-Tenancy-Ocid"
	HeaderUser    = "Warifu-User-Ocid"
)

// identifyOCI adds them.
func (p *passage) identifyOCI(h http.Header) {
	h[HeaderTenancy] = []string{p.caller.Account.Tenancy()}
	h[HeaderUser] = []string{p.caller.User.ID.OCID(name.OCIUser)}
	delete(h, HeaderAccessKey)
	delete(h, "X-Date")
}

// ociSpellings: "API Errors" of the OCI documentation. Denied and absent are the same.
var ociSpellings = map[trouble]spelling{
	internalTrouble: {500, "InternalServerError", "An internal server error occurred."},
	denied:          {404, "NotAuthorizedOrNotFound", "Authorization failed or requested resource not found."},
	anonymous:       {401, "NotAuthenticated", sayNotOCI},
	badCredential:   {401, "NotAuthenticated", sayNotOCI},
	endedSession:    {401, "NotAuthenticated", sayNotOCI},
	badSignature:    {401, "NotAuthenticated", sayNotOCI},
	badRequest:      {400, "InvalidParameter", "The request cannot be read."},
	unknownAction:   {404, "NotAuthorizedOrNotFound", "Authorization failed or requested resource not found."},
	wrongMethod:     {405, "MethodNotAllowed", "The path does not take this method."},
	tooLarge:        {413, "PayloadTooLarge", sayTooLarge},
	noLength:        {411, "InvalidParameter", "The request must have a Content-Length."},
	unavailable:     {503, "ServiceUnavailable", sayDown},
	throttled:       {429, "TooManyRequests", "User-rate limit exceeded."},
}

const sayNotOCI = "The required information to complete authentication was not provided or was incorrect."

// troubleOCI tells apart what is one for AWS's services.
func troubleOCI(err error) (problem, bool) {
	var no *down
	switch {
	case fault.Is(err, fault.Unauthenticated), fault.Is(err, fault.Expired):
		return problem{trouble: badSignature}, true
	case fault.Is(err, fault.NotFound):
		return problem{trouble: denied}, true
	case errors.As(err, &no):
		return problem{trouble: unavailable}, true
	}
	return problem{}, false
}

// ociError is the body of an error.
func ociError(s spelling) []byte {
	b, err := json.Marshal(map[string]string{"code": s.code, "message": strings.ToValidUTF8(s.message, "?")})
	if err != nil {
		panic("gateway: an error document cannot be written: " + err.Error())
	}
	return b
}
