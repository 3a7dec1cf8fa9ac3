package oci

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oracle/oci-go-sdk/v65/common"
	"github.com/oracle/oci-go-sdk/v65/identity"

	"warifu/internal/gateway"
	"warifu/internal/ops"
	"warifu/internal/testkit"
)

// table is that of docs/operations.md.
var table = []string{
	"GET /20160918/instances ListInstances INSTANCE_INSPECT query:compartmentId",
	"POST /20160918/instances LaunchInstance INSTANCE_CREATE+INSTANCE_IMAGE_READ+VNIC_CREATE+VNIC_ATTACH+SUBNET_ATTACH body:compartmentId",
	"GET /20160918/instances/{instanceId} GetInstance - at:/20160918/instances/{instanceId}",
	"DELETE /20160918/instances/{instanceId} TerminateInstance INSTANCE_DELETE at:/20160918/instances/{instanceId}",
}

// compute is a pretended service with instances.
type compute struct {
	mu   sync.Mutex
	at   map[string]string // compartment of each instance
	seen []*http.Request   // but for the gateway's own questions
}

func (c *compute) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !strings.HasSuffix(r.Header.Get(gateway.HeaderAction), ":Locate") {
		c.seen = append(c.seen, r.Clone(r.Context()))
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Opc-Request-Id", "upstream")
	id := strings.TrimPrefix(r.URL.Path, "/20160918/instances/")
	switch place, ok := c.at[id]; {
	case r.URL.Path == "/20160918/instances":
		json.NewEncoder(w).Encode([]any{})
	case !ok:
		w.WriteHeader(404)
	default:
		json.NewEncoder(w).Encode(map[string]string{"id": id, "compartmentId": place})
	}
}

// behind puts the pretended service behind the gateway, which takes what is for it and
// leaves the rest to the door.
func (s *tenancy) behind(c *compute) {
	s.t.Helper()
	up := httptest.NewServer(c)
	s.t.Cleanup(up.Close)
	at, err := url.Parse(up.URL)
	s.ok(err)
	service := gateway.Service{Name: "iaas", Protocol: gateway.OCI, Upstream: at}
	for _, line := range table {
		o, err := gateway.ParseOperation(line)
		s.ok(err)
		service.Operations = append(service.Operations, o)
	}
	g, err := gateway.New(gateway.Config{
		Services: []gateway.Service{service}, Ops: s.Server, Log: slog.New(slog.DiscardHandler),
		Client: func(*http.Request) (netip.Addr, string, bool) { return netip.MustParseAddr("192.0.2.7"), "", true },
	})
	s.ok(err)
	s.t.Cleanup(g.Close)
	door := s.handler
	s.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.Serves(r) {
			g.ServeHTTP(w, r)
			return
		}
		door.ServeHTTP(w, r)
	})
}

// computeCall is what the SDK's own Compute client sends: the package that has it takes
// a minute to compile.
func (c *client) compute(method, path, body string) (*http.Response, error) {
	base, err := common.NewClientWithConfig(c.cfg)
	if err != nil {
		return nil, err
	}
	base.Host = c.Host
	path, query, _ := strings.Cut(path, "?")
	r := common.MakeDefaultHTTPRequest(method, "/20160918"+path)
	r.URL.RawQuery = query
	if body != "" {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := base.Call(ctx, &r)
	if res != nil && res.Body != nil {
		res.Body.Close()
	}
	return res, err
}

// The way that the page tells: a request that needs a one-time code at sign-in is
// denied to a session that proved none, allowed through the gateway to one that did,
// and denied again when an administrator takes the device away. Why, an administrator
// learns by the request's id.
func TestTheWholeWay(t *testing.T) {
	s := newTenancy(t)
	dev, err := s.admin.CreateCompartment(ctx, identity.CreateCompartmentRequest{CreateCompartmentDetails: identity.CreateCompartmentDetails{CompartmentId: s.root, Name: common.String("dev"), Description: common.String("d")}})
	s.ok(err)
	const lost, made = "ocid1.instance.oc1.iad.lost", "ocid1.instance.oc1.iad.made"
	up := &compute{at: map[string]string{made: *dev.Id, lost: *s.root}}
	s.behind(up)
	alice := s.user("alice")
	s.group("GroupA", alice)
	s.policy("instances", "allow group GroupA to manage instance-family in compartment dev where request.user.mfaTotpVerified='true'")

	get := func(c *client) error { _, err := c.compute("GET", "/instances/"+made, ""); return err }
	pw, err := s.admin.CreateOrResetUIPassword(ctx, identity.CreateOrResetUIPasswordRequest{UserId: &alice.id})
	s.ok(err)
	plain, _ := s.signIn(alice, "alice", *pw.Password, "")
	s.denied(get(alice))
	err = get(plain)
	s.denied(err)

	x := s.explained(err)
	if strings.Join(x.Missing, " ") != "INSTANCE_READ" || x.Operation != "GetInstance" || x.Actor.Name != "alice" || x.Place != *dev.Id ||
		!strings.HasPrefix(x.Statement, "instances, statement 1: allow group GroupA") ||
		x.Failed != "request.user.mfaTotpVerified='true' (the request has 'false')" ||
		x.Grant != "Allow group <name> to read instances in compartment id "+*dev.Id {
		t.Errorf("%q %q %q %q %+v", x.Missing, x.Statement, x.Failed, x.Grant, x.Event)
	}

	// The audit log says the same.
	events, err := s.events(s.Clock.Now().Add(-time.Minute), s.Clock.Now().Add(time.Minute))
	s.ok(err)
	if !strings.Contains(events, `"missingPermissions":["INSTANCE_READ"]`) || !strings.Contains(events, "request.user.mfaTotpVerified='true' (the request has 'false')") {
		t.Error("the audit log does not say why alice was refused")
	}

	device, err := alice.CreateMfaTotpDevice(ctx, identity.CreateMfaTotpDeviceRequest{UserId: &alice.id})
	s.ok(err)
	_, err = alice.ActivateMfaTotpDevice(ctx, identity.ActivateMfaTotpDeviceRequest{
		UserId: &alice.id, MfaTotpDeviceId: device.Id, MfaTotpToken: identity.MfaTotpToken{TotpToken: common.String(s.code(*device.Seed))},
	})
	s.ok(err)
	verified, _ := s.signIn(alice, "alice", *pw.Password+"-own", *device.Seed)
	s.ok(get(verified))
	s.denied(get(plain))

	// What reaches the service says who asks, and no header of the client's does.
	seen := up.seen[len(up.seen)-1]
	if seen.Header.Get(gateway.HeaderMFA) != "true" || seen.Header.Get(gateway.HeaderUser) != alice.id || seen.Header.Get(gateway.HeaderTenancy) != *s.root ||
		seen.Header.Get("Authorization") != "" || seen.Header.Get(gateway.HeaderAction) != "iaas:GetInstance" {
		t.Errorf("%v", seen.Header)
	}

	// The other operations of the table, and the compartments in which they are asked.
	list := func(c *client, at string) error {
		_, err := c.compute("GET", "/instances?compartmentId="+at, "")
		return err
	}
	launch := func(c *client, body string) error { _, err := c.compute("POST", "/instances", body); return err }
	s.ok(list(verified, *dev.Id))
	s.denied(list(verified, *s.root))
	s.denied(list(plain, *dev.Id))
	s.ok(launch(s.admin, `{"compartmentId":"`+*dev.Id+`"}`))
	err = launch(verified, `{"compartmentId":"`+*dev.Id+`"}`) // instance-family has nothing of subnets
	s.denied(err)
	if x := s.explained(err); strings.Join(x.Missing, " ") != "VNIC_CREATE SUBNET_ATTACH" || x.Statement != "" {
		t.Errorf("%q %q", x.Missing, x.Statement)
	}
	_, err = verified.compute("GET", "/instances/"+lost, "")
	s.denied(err)
	if x := s.explained(err); !strings.Contains(x.Failed, "another compartment") {
		t.Errorf("%+v", x)
	}
	_, err = s.admin.compute("GET", "/instances/ocid1.instance.oc1.iad.absent", "")
	s.denied(err)
	_, err = verified.compute("DELETE", "/instances/"+made, "")
	s.ok(err)

	// What cannot be told for certain goes no further, even for those who may do all.
	before := len(up.seen)
	for what, call := range map[string]func() error{
		"two compartments":           func() error { return list(s.admin, *dev.Id+"&compartmentId="+*s.root) },
		"another spelling":           func() error { return list(s.admin, *dev.Id+"&CompartmentId="+*s.root) },
		"no compartment":             func() error { _, err := s.admin.compute("GET", "/instances", ""); return err },
		"two in the body":            func() error { return launch(s.admin, `{"compartmentId":"`+*dev.Id+`","compartmentId":"`+*s.root+`"}`) },
		"another spelling in a body": func() error { return launch(s.admin, `{"compartmentId":"`+*dev.Id+`","compartmentID":"`+*s.root+`"}`) },
		"a method of no operation":   func() error { _, err := s.admin.compute("PUT", "/instances/"+made, "{}"); return err },
		"nobody's compartment":       func() error { return list(s.admin, "ocid1.compartment.oc1..aaaaaaaanobody") },
	} {
		var f common.ServiceError
		if err := call(); !errors.As(err, &f) || f.GetHTTPStatusCode() < 400 || f.GetHTTPStatusCode() >= 500 || f.GetCode() == "" {
			t.Errorf("%s: %v", what, err)
		}
	}
	if len(up.seen) != before {
		t.Errorf("%d requests went on", len(up.seen)-before)
	}

	// Denies in the other languages stop it as well.
	admin := s.World.Admin(t)
	for _, document := range []string{
		`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iaas:GetInstance","Resource":"*"}}`,
		`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.7"}}}}`,
	} {
		testkit.Do(t, s.World, admin, ops.PutUserPolicy, ops.PutInlineIn{Holder: ops.Ref{Name: "alice"}, Policy: "no", Document: document})
		err := get(verified)
		s.denied(err)
		if x := s.explained(err); !strings.Contains(x.Statement, "inline policy no of user alice") || len(x.Missing) > 0 {
			t.Errorf("%q %q", x.Statement, x.Missing)
		}
	}
	testkit.Do(t, s.World, admin, ops.DeleteUserPolicy, ops.InlineIn{Holder: ops.Ref{Name: "alice"}, Policy: "no"})
	s.ok(get(verified))

	_, err = s.admin.DeleteMfaTotpDevice(ctx, identity.DeleteMfaTotpDeviceRequest{UserId: &alice.id, MfaTotpDeviceId: device.Id})
	s.ok(err)
	s.denied(get(verified))

	// Whoever reads no trail learns no reasons.
	key := testkit.Do(t, s.World, admin, ops.CreateAccessKey, ops.UserIn{User: ops.Ref{Name: "alice"}})
	testkit.Fails(t, s.World, s.As(t, key.ID, ""), ops.ExplainRequest, x.RequestID)
}

// events is the audit log of a span of time, as the Audit API answers it.
func (s *tenancy) events(from, to time.Time) (string, error) {
	base, err := common.NewClientWithConfig(s.admin.cfg)
	if err != nil {
		return "", err
	}
	base.Host = s.url
	r := common.MakeDefaultHTTPRequest("GET", "/20190901/auditEvents")
	r.URL.RawQuery = url.Values{"compartmentId": {*s.root}, "startTime": {from.UTC().Format(time.RFC3339)}, "endTime": {to.UTC().Format(time.RFC3339)}}.Encode()
	var all strings.Builder
	for page := ""; ; {
		res, err := base.Call(ctx, &r)
		if err != nil {
			return "", err
		}
		_, err = io.Copy(&all, res.Body)
		res.Body.Close()
		if page = res.Header.Get("Opc-Next-Page"); err != nil || page == "" {
			return all.String(), err
		}
		q := r.URL.Query()
		q.Set("page", page)
		r.URL.RawQuery = q.Encode()
	}
}

// explained is what an administrator learns about a refusal.
func (s *tenancy) explained(err error) *ops.Explanation {
	s.t.Helper()
	var f common.ServiceError
	if !errors.As(err, &f) {
		s.t.Fatal(err)
	}
	x := testkit.Do(s.t, s.World, s.World.Admin(s.t), ops.ExplainRequest, f.GetOpcRequestID())
	if host, err := s.ExplainRequestFor(ctx, f.GetOpcRequestID()); err != nil || host.ID != x.ID || x.RequestID != f.GetOpcRequestID() {
		s.t.Errorf("%+v %v", host, err)
	}
	return x
}
