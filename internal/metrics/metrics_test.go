package metrics

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"warifu/internal/audit"
	"warifu/internal/ops"
)

func scrape(m *Metrics) string {
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

func TestScrape(t *testing.T) {
	m := New("1.2.3")
	m.Observe(ops.Observation{Door: "aws", Operation: "CreateUser", Result: audit.Allowed, Took: 2 * time.Millisecond})
	m.Observe(ops.Observation{Door: "aws", Operation: "CreateUser", Result: audit.Refused, Kind: "denied", Took: time.Millisecond})
	for _, op := range []string{"DescribeInstances", "RunInstances"} {
		m.Observe(ops.Observation{Door: "gateway", Operation: op, Result: audit.Allowed})
	}
	end := m.Begin("aws")
	m.Begin("gateway")
	end(403)
	m.Begin("gateway")(999)
	m.Delivered("mail", "sent")
	m.GaugeOf("warifu_mail_waiting", "channel", "sms", func() float64 { return 3 })
	m.Panic()
	m.Gauge("warifu_waiting", func() float64 { return 7 })
	out := scrape(m)
	for _, want := range []string{
		`warifu_operations_total{door="aws",kind="",operation="CreateUser",result="allowed"} 1`,
		`warifu_operations_total{door="aws",kind="denied",operation="CreateUser",result="refused"} 1`,
		`warifu_operations_total{door="gateway",kind="",operation="*",result="allowed"} 2`,
		`warifu_operation_seconds_bucket{door="aws",le="0.001"} 1`,
		`warifu_operation_seconds_count{door="aws"} 2`,
		`warifu_http_requests_total{route="aws",status="4xx"} 1`,
		`warifu_http_requests_total{route="gateway",status="other"} 1`,
		`warifu_http_requests_in_flight{route="aws"} 0`,
		`warifu_http_requests_in_flight{route="gateway"} 1`,
		`warifu_mail_messages_total{channel="mail",outcome="sent"} 1`,
		`warifu_mail_waiting{channel="sms"} 3`,
		`warifu_panics_total 1`,
		`warifu_waiting 7`,
		`version="1.2.3"`,
		`go_goroutines`,
		`process_resident_memory_bytes`,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
}

// Two servers in one process count apart.
func TestNoSharedState(t *testing.T) {
	a, b := New("a"), New("b")
	a.Panic()
	if out := scrape(b); !strings.Contains(out, "warifu_panics_total 0") {
		t.Errorf("b counted a panic of a")
	}
}
