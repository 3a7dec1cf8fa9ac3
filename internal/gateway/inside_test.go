package gateway_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/gateway"
	"warifu/internal/gateway/ec2demo"
	"warifu/internal/ops"
	"warifu/internal/testkit"
)

// A request from inside is decided, recorded and identified as a signed one is.
func TestInsideIsDecidedAndRecorded(t *testing.T) {
	w := testkit.New(t)
	var seen http.Header
	demo := ec2demo.New("us-east-1", w.Clock.Now)
	up := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		seen = r.Header.Clone()
		demo.ServeHTTP(rw, r)
	}))
	defer up.Close()
	at, err := url.Parse(up.URL)
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(gateway.Config{
		Services: []gateway.Service{{Name: "ec2", Protocol: gateway.EC2, Upstream: at}, {Name: "s3", Protocol: gateway.S3, Upstream: at}},
		Ops:      w.Server, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Client: func(r *http.Request) (netip.Addr, string, bool) {
			return netip.MustParseAddrPort(r.RemoteAddr).Addr(), "", r.TLS != nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()

	admin := w.Admin(t)
	admin.Source.Door, admin.Source.Region = "console", ""
	describe := url.Values{"Action": {"DescribeInstances"}, "Version": {"2016-11-15"}}
	status, body, err := g.Inside(context.Background(), admin, "ec2", describe)
	if err != nil || status != 200 || !strings.Contains(string(body), "<instanceId>") {
		t.Fatalf("%d %v %s", status, err, body)
	}
	if seen.Get(gateway.HeaderCaller) != "arn:aws:iam::123456789012:user/admin" || seen.Get(gateway.HeaderAction) != "ec2:DescribeInstances" || seen.Get("X-Forwarded-Proto") != "https" {
		t.Errorf("the upstream was told %v", seen)
	}

	made := testkit.Do(t, w, w.Admin(t), ops.CreateUser, ops.CreateUserIn{Name: "nobody"})
	key := testkit.Do(t, w, w.Admin(t), ops.CreateAccessKey, ops.UserIn{User: ops.Ref{ID: made.ID}})
	seen = nil
	_, _, err = g.Inside(context.Background(), w.As(t, key.ID, ""), "ec2", describe)
	if no, ok := ops.AsDenial(err); !ok || no.Action != "ec2:DescribeInstances" {
		t.Errorf("somebody without permissions: %v", err)
	}
	if seen != nil {
		t.Error("a request that was denied has reached the upstream")
	}
	for _, result := range []audit.Result{audit.Allowed, audit.Refused} {
		found := testkit.Do(t, w, w.Admin(t), ops.LookupEvents, ops.LookupEventsIn{Query: audit.Query{Operation: "DescribeInstances", Result: result}})
		if len(found.Items) != 1 || found.Items[0].Service != "ec2" {
			t.Errorf("%s: %d events", result, len(found.Items))
		}
	}

	for service, form := range map[string]url.Values{"s3": describe, "rds": describe} {
		if _, _, err := g.Inside(context.Background(), admin, service, form); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", service, err)
		}
	}
	if _, _, err := g.Inside(context.Background(), admin, "ec2", url.Values{"Action": {"NoSuchThing"}}); err == nil {
		t.Error("an action that EC2 does not have went through")
	}
	up.Close()
	status, _, err = g.Inside(context.Background(), admin, "ec2", describe)
	if err == nil && status < 500 {
		t.Errorf("an upstream that is down: %d", status)
	}
}
