package console

import (
	"context"
	"strings"
	"testing"
	"time"

	"warifu/internal/iam"
	"warifu/internal/ops"
)

// An alert is made of a kept query, shown with how it stands, tested and deleted.
func TestAlertsPage(t *testing.T) {
	s := open(t)
	s.user(t, "alice", adminWord, false, "arn:aws:iam::aws:policy/AdministratorAccess")
	s.signIn(t, "alice", adminWord)
	says(t, s.get("/console/audit/alerts"), 200, "No alerts", "no kept query yet")
	to(t, s.post("/console/audit/query/save", "name", "mine", "where", "target = 'alice'", "sql", ""), "/console/audit/query?kept=mine")
	says(t, s.get("/console/audit/alerts?query=mine"), 200, "Make or change an alert")
	says(t, s.post("/console/audit/alerts", "name", "loud", "query", "mine", "threshold", "x", "span", "60", "webhook", "https://hooks.example.com/?key=canary"), 422, "events")
	says(t, s.post("/console/audit/alerts", "name", "loud", "query", "mine", "threshold", "1", "span", "60"), 422, "")
	to(t, s.post("/console/audit/alerts", "name", "loud", "query", "mine", "threshold", "1", "span", "60", "webhook", "https://hooks.example.com/?key=canary"), "/console/audit/alerts")
	page := says(t, s.get("/console/audit/alerts"), 200, "Tells when mine finds 1 or more events in 60 minutes", "not been asked yet", "Posts to hooks.example.com")
	if strings.Contains(page, "canary") || strings.Contains(s.get("/console/audit/alerts?name=loud").Body.String(), "canary") {
		t.Error("the page shows the webhook's URL")
	}
	s.Clock.Advance(ops.AlertEvery)
	if err := s.CheckAlerts(context.Background()); err != nil {
		t.Fatal(err)
	}
	says(t, s.get("/console/audit/alerts"), 200, "Firing", "Fired: ", "It told last")
	to(t, s.post("/console/audit/alerts/test", "name", "loud"), "/console/audit/alerts")
	says(t, s.get("/console/audit/alerts"), 200, "Test sent by alice")
	lost, err := s.ClaimMessages(context.Background(), iam.ChannelWebhook, 10, time.Minute)
	if err != nil || len(lost) == 0 {
		t.Fatal(lost, err)
	}
	if err := s.MessageFailed(context.Background(), lost[0], s.Clock.Now().Add(time.Minute), "the webhook answered 503"); err != nil {
		t.Fatal(err)
	}
	says(t, s.get("/console/audit/alerts"), 200, "What alerts tell does not arrive", "Webhook: the webhook answered 503")
	says(t, s.post("/console/audit/query/delete", "name", "mine"), 422, "")
	to(t, s.post("/console/audit/alerts/delete", "name", "loud"), "/console/audit/alerts")
	says(t, s.get("/console/audit/alerts"), 200, "The alert loud is deleted", "No alerts")
}
