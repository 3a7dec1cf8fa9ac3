package oci

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/testkit"
)

// Security checklist K-2, K-3: each signed request for an operation of this door
// leaves exactly one event, which tells who asked, whence and how it ended, and no
// secret.
func TestK3EveryRequestLeavesOneEvent(t *testing.T) {
	s := newSite(t)
	s.door = New(Config{Ops: s.Server, Log: slog.New(slog.DiscardHandler), Client: func(*http.Request) (netip.Addr, string, bool) {
		return netip.MustParseAddr("192.0.2.7"), "192.0.2.8", true
	}})
	walk(t, s, "admin", false)
	id, signIn := s.person("alice")
	testkit.Do(t, s.World, s.Admin(t), ops.AttachUserPolicy, ops.AttachIn{Holder: ops.Ref{Name: "alice"}, Policy: "arn:aws:iam::aws:policy/AdministratorAccess"})
	token := signIn()
	device := testkit.Do(t, s.World, s.as(token), ops.CreateMfaTotpDevice, ops.OracleUserIn{User: id})
	code := func() string {
		s.Clock.Advance(30 * time.Second)
		return testkit.Code(t, string(device.Seed.Reveal()), s.Clock.Now())
	}
	testkit.Do(t, s.World, s.as(token), ops.ActivateMfaTotpDevice, ops.OracleDeviceIn{User: id, Device: device.ID, Code: code()})
	token = testkit.Do(t, s.World, s.as(token), ops.StepUp, ops.StepUpIn{FactorIn: ops.FactorIn{Factor: device.ID}, Response: ops.Response{Code: code()}}).Token
	walk(t, s.begin(s.as(token)), "alice", true)
}

// walk asks for each operation, without inputs and with some.
func walk(t *testing.T, s *site, actor string, proved bool) {
	t.Helper()
	for _, b := range bindings(&s.door.Config) {
		for _, filled := range []bool{false, true} {
			s.Clock.Advance(time.Millisecond)
			path := base
			for i, segment := range b.path {
				if strings.HasPrefix(segment, "{") {
					segment = "x"
				}
				if i > 0 {
					path += "/"
				}
				path += segment
			}
			body := ""
			if b.method == "POST" || b.method == "PUT" {
				body = "{}"
			}
			if filled && body != "" {
				body = filledBody(t, b.in)
			}
			out := s.send(b.method, path, body, "User-Agent", "trail test")
			id := out.Header().Get("Opc-Request-Id")
			found := s.EventsOf(t, id)
			what := b.name + " by " + actor
			if len(found) != 1 {
				t.Errorf("%s: %d events of %q; status %d %s", what, len(found), id, out.Code, out.Body)
				continue
			}
			testkit.CheckEvent(t, what, found[0], testkit.Told{Door: "oracle", Operation: b.op, Actor: actor, MFA: proved,
				Source: "192.0.2.7", Chain: "192.0.2.8", Agent: "trail test", OK: out.Code < 300})
		}
	}
}

// filledBody has something in every member that is text.
func filledBody(t *testing.T, shape reflect.Type) string {
	t.Helper()
	all := map[string]string{}
	words := testkit.Filled(shape)
	for i := range shape.NumField() {
		f := shape.Field(i)
		if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); tag != "" && words[f.Name] != "" {
			all[tag] = words[f.Name]
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Events are listed as the Audit service lists them: of a span of time, oldest
// first, page after page, and of the own tenancy only.
func TestListEvents(t *testing.T) {
	s := newSite(t)
	for i := range 70 {
		s.Clock.Advance(time.Second)
		if out := s.send("POST", base+"users", `{"compartmentId":"`+s.root+`","name":"u`+strconv.Itoa(i)+`","description":"x"}`); out.Code != 200 {
			t.Fatalf("%d %s", out.Code, out.Body)
		}
	}
	s.Clock.Advance(time.Second)
	span := auditPath + "?compartmentId=" + s.root + "&startTime=" + testkit.Epoch.Add(time.Second).Format(time.RFC3339) + "&endTime=" + s.Clock.Now().Format(time.RFC3339)
	var names []string
	for next, pages := "", 0; pages == 0 || next != ""; pages++ {
		target := span
		if next != "" {
			target += "&page=" + next
		}
		out := s.send("GET", target, "")
		var all []struct {
			EventType string
			Data      struct {
				EventName, ResourceName string
				Identity                struct{ PrincipalName, IPAddress string }
				Response                struct{ Status string }
			}
		}
		if err := json.Unmarshal(out.Body.Bytes(), &all); err != nil || out.Code != 200 {
			t.Fatalf("%d %s", out.Code, out.Body)
		}
		for _, e := range all {
			if e.Data.EventName == "CreateUser" {
				names = append(names, e.Data.ResourceName)
			}
			if e.EventType == "" || e.Data.Identity.PrincipalName != "admin" || e.Data.Identity.IPAddress != "192.0.2.7" || e.Data.Response.Status == "" {
				t.Fatalf("%+v", e)
			}
		}
		next = out.Header().Get("Opc-Next-Page")
	}
	if len(names) != 70 || names[0] != "u0" || names[69] != "u69" {
		t.Errorf("%d users: %v", len(names), names)
	}
	for target, want := range map[string]int{
		strings.Replace(span, s.root, name.Account(7).Tenancy(), 1): 404,
		strings.Replace(span, "startTime", "begin", 1):              400,
		strings.Replace(span, "endTime=", "endTime=x", 1):           400,
		span + "&page=x": 400,
	} {
		if out := s.send("GET", target, ""); out.Code != want {
			t.Errorf("%s: %d %s", target, out.Code, out.Body)
		}
	}
}
