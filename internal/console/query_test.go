package console

import (
	"context"
	"encoding/csv"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"warifu/internal/audit"
	"warifu/internal/audit/tree"
	"warifu/internal/ops"
	"warifu/internal/testkit"
)

func TestQueryPage(t *testing.T) {
	s := open(t)
	s.user(t, "alice", adminWord, false, "arn:aws:iam::aws:policy/AdministratorAccess")
	s.signIn(t, "alice", adminWord)
	page := says(t, s.get("/console/audit/query"), 200, "Ask the trail in SQL", "Root's sign-ins", "params")
	if strings.Contains(page, "When it happened") {
		t.Error("a query runs before anybody asked")
	}
	says(t, s.get("/console/audit/query?template=sign-ins-without-mfa"), 200, "When it happened", "fits, of", "alice", "192.0.2.7")
	if body := s.get("/console/audit/query?template=sign-ins-without-mfa").Body.String(); !strings.Contains(body, `href="/console/audit/event?at=`) || !strings.Contains(body, "<rect") {
		t.Error("no link to an event, or no histogram")
	}
	ask := func(where, sql string) string {
		return "/console/audit/query?" + url.Values{"where": {where}, "sql": {sql}}.Encode()
	}
	says(t, s.get(ask("event = 'CreateUser'", "SELECT target, count(*) AS times FROM found GROUP BY 1")), 200, "times", "alice", "CSV")
	says(t, s.get(ask("event = 'Nothing'", "")), 200, "No event of this time fits")
	says(t, s.get(ask("mfa = ", "")), 200, "The query cannot be run", "syntax error")
	says(t, s.get(ask("", "DELETE FROM trail")), 200, "begins with SELECT")
	says(t, s.get(ask("", "SELECT * FROM access_keys")), 200, "no such table: access_keys")
	if body := s.get(ask("", "SELECT '<script>' AS x")).Body.String(); strings.Contains(body, "<script>") || !strings.Contains(body, "&lt;script&gt;") {
		t.Error("a value is not text")
	}

	says(t, s.post("/console/audit/query/save", "name", "a b", "where", "mfa", "sql", ""), 422, "Keep this query")
	to(t, s.post("/console/audit/query/save", "name", "mine", "where", "target = 'alice'", "sql", "SELECT event FROM found"), "/console/audit/query?kept=mine")
	says(t, s.get("/console/audit/query?kept=mine"), 200, "The query mine is kept", "CreateLoginProfile", "target = 'alice'")
	to(t, s.post("/console/audit/query/delete", "name", "mine"), "/console/audit/query")

	s.cookies = map[string]string{}
	s.user(t, "eve", adminWord, false)
	s.signIn(t, "eve", adminWord)
	says(t, s.get("/console/audit/query?template=by-hour"), 403, "cloudtrail:StartQuery")
}

// Security checklist K-5: no exported cell is a formula to a spreadsheet.
func TestK5Exports(t *testing.T) {
	s := open(t)
	s.user(t, "alice", adminWord, false, "arn:aws:iam::aws:policy/AdministratorAccess")
	s.signIn(t, "alice", adminWord)
	sql := "VALUES ('=1+1', '+cmd', '-x', '@y', char(9) || '=z', ' =w', '-12.5', 'plain', NULL, char(8238) || '=a', '＝b')"
	export := "/console/audit/query/export?" + url.Values{"sql": {sql}}.Encode()
	w := s.get(export)
	rows, err := csv.NewReader(strings.NewReader(w.Body.String())).ReadAll()
	if err != nil || len(rows) != 2 || w.Header().Get("Content-Disposition") != `attachment; filename="trail.csv"` {
		t.Fatalf("%v, %v: %s", rows, err, w.Body)
	}
	if got, want := strings.Join(rows[1], "|"), "'=1+1|'+cmd|'-x|'@y|' =z|' =w|-12.5|plain||' =a|'＝b"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	w = s.get(export + "&format=jsonl")
	if !strings.HasPrefix(w.Body.String(), `{"column1":"=1+1","column2":"+cmd",`) || !strings.Contains(w.Body.String(), `"column9":null`) || strings.Count(w.Body.String(), "\n") != 1 {
		t.Errorf("got %s", w.Body)
	}
}

// An event's page proves that it is as it was sealed, and gives the proof away.
func TestProofPage(t *testing.T) {
	s := open(t)
	s.user(t, "alice", adminWord, false, "arn:aws:iam::aws:policy/AdministratorAccess")
	s.signIn(t, "alice", adminWord)
	e := testkit.Do(t, s.World, s.Admin(t), ops.LookupEvents, ops.LookupEventsIn{Query: audit.Query{Operation: "CreateUser"}}).Items[0]
	at := url.Values{"at": {strconv.FormatInt(e.At.UnixMicro(), 10)}, "id": {e.ID}}.Encode()
	says(t, s.get("/console/audit/event?"+at), 200, "will be sealed within a few seconds")
	if _, err := s.SealTrail(context.Background()); err != nil {
		t.Fatal(err)
	}
	says(t, s.get("/console/audit/event?"+at), 200, "The event is as it was sealed", "Place in the log")
	proof, event := s.get("/console/audit/proof?"+at), s.get("/console/audit/proof?part=event&"+at)
	key, err := s.TrailKey()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := tree.CheckProof(proof.Body.String(), key, event.Body.Bytes()); err != nil {
		t.Errorf("%v: %s\n%s", err, proof.Body, event.Body)
	}
	says(t, s.get("/console/audit/proof?id=x&at=5"), 404, "")
}
