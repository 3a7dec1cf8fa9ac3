package ops

import (
	"context"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/store"
	"warifu/internal/store/query"
)

// QuerySpan is how far back a query looks unless it says.
const QuerySpan = 7 * 24 * time.Hour

// QueryTrailIn is a query over the events of the caller's account in a span of
// time, which is half open. Its zero values are now and QuerySpan before To.
type QueryTrailIn struct {
	From, To time.Time
	Where    string // a condition on events, in SQL; "" = all
	SQL      string // selects from found, the events that fit; "" = a list of them
	Export   bool   // for a file: more rows than a page shows

	found *query.Result // by Before
}

// QueryResult is what a query found, with the span that it was asked for.
type QueryResult struct {
	query.Result
	From, To time.Time
}

// QueryTrail runs SQL over events of the caller's account: over nothing else, and
// within limits of time, memory and rows. All events of the span are looked at;
// Result.Cut says when the server is not through with putting them in pieces, so that
// older ones were left out.
//
// Errors: Invalid, field where or sql, for a query that is not valid, in the words
// of SQLite; Limit for one that was stopped.
var QueryTrail = Op[QueryTrailIn, QueryResult]{
	Name:   "QueryTrail",
	Grants: Names{AWS: "cloudtrail:StartQuery"},
	Target: func(*Env, QueryTrailIn) (Target, error) { return Target{Noun: "events"}, nil },
	Record: func(in QueryTrailIn) audit.Fields {
		return audit.Fields{"where": clipped(in.Where), "sql": clipped(in.SQL), "from": momentOf(in.From), "to": momentOf(in.To)}
	},
	Before: func(ctx context.Context, s *Server, call *Call, in QueryTrailIn) (QueryTrailIn, error) {
		in.fill(call.At)
		if in.To.Before(in.From) {
			return in, fault.Field("from", "the time range ends before it begins")
		}
		if err := s.store.Flush(); err != nil { // what was answered is found
			return in, err
		}
		limits := query.DefaultLimits
		if in.Export {
			limits.Rows = exportRows
		}
		var err error
		in.found, err = s.queries.Run(ctx, query.Query{Where: in.Where, SQL: in.SQL}, in.From, in.To, limits, accountTrail{s, call.Caller.Account, in.From, in.To})
		return in, err
	},
	Do: func(_ *Env, in QueryTrailIn) (QueryResult, error) { return QueryResult{*in.found, in.From, in.To}, nil },
}

func (in *QueryTrailIn) fill(now time.Time) {
	if in.To.IsZero() {
		in.To = now.Add(time.Microsecond)
	}
	if in.From.IsZero() {
		in.From = in.To.Add(-QuerySpan)
	}
}

// momentOf spells a time for the trail; "" for none.
func momentOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// exportRows is how many rows a query for a file can have.
const exportRows = 50_000

// QueryColumns are the columns of the events that queries see.
func QueryColumns() []string { return query.Columns }

// QueryTemplate is a query that everybody has.
type QueryTemplate struct {
	Key string // names it in the console
	query.Query
}

// QueryTemplates are the queries that everybody has.
func QueryTemplates() []QueryTemplate {
	return []QueryTemplate{
		{"root-use", query.Query{Where: "root", SQL: "SELECT time, event, result, door, source, mfa_methods, access_key, why, id FROM found ORDER BY at DESC"}},
		{"root-sign-ins", query.Query{Where: "actor_kind = 'root' AND operation = 'SignIn'", SQL: "SELECT time, result, source, mfa, mfa_methods, why, id FROM found ORDER BY at DESC"}},
		{"root-operations", query.Query{Where: "actor_kind = 'root' AND NOT read_only", SQL: "SELECT event, count(*) AS times, max(time) AS last FROM found GROUP BY 1 ORDER BY 2 DESC"}},
		{"root-keys", query.Query{Where: "actor_kind = 'root' AND access_key <> ''", SQL: "SELECT access_key, event, count(*) AS times, max(time) AS last, max(source) AS source FROM found GROUP BY 1, 2 ORDER BY 3 DESC"}},
		{"sign-ins-without-mfa", query.Query{Where: "operation = 'SignIn' AND result = 'allowed' AND NOT mfa", SQL: "SELECT time, actor, source, remembered, user_agent, id FROM found ORDER BY at DESC"}},
		{"failed-sign-ins", query.Query{Where: "operation = 'SignIn' AND result <> 'allowed'", SQL: "SELECT target, source, why, count(*) AS times, max(time) AS last FROM found GROUP BY 1, 2, 3 ORDER BY 4 DESC"}},
		{"blocked-users", query.Query{Where: "event IN ('BlockUser', 'UnblockUser') OR why LIKE '%blocked%'", SQL: "SELECT time, event, actor, target, result, why, source, id FROM found ORDER BY at DESC"}},
		{"policy-changes", query.Query{Where: "NOT read_only AND (event LIKE '%Policy%' OR event LIKE '%PermissionsBoundary' OR event LIKE '%Statement%')", SQL: "SELECT time, actor, event, target, result, source, id FROM found ORDER BY at DESC"}},
		{"denied-by-statement", query.Query{Where: "result = 'refused' AND code = 'denied'", SQL: "SELECT why, action, actor, count(*) AS times, max(time) AS last FROM found GROUP BY 1, 2, 3 ORDER BY 4 DESC"}},
		{"new-addresses", query.Query{Where: "actor <> '' AND source <> ''", SQL: "SELECT actor, source, min(time) AS first, count(*) AS times FROM found GROUP BY 1, 2 ORDER BY 3 DESC"}},
		{"keys-by-user", query.Query{Where: "access_key <> ''", SQL: "SELECT actor, access_key, service, count(*) AS times, max(time) AS last FROM found GROUP BY 1, 2, 3 ORDER BY 1, 4 DESC"}},
		{"factor-changes", query.Query{Where: "NOT read_only AND (event LIKE '%MFA%' OR event LIKE '%Passkey%' OR event LIKE '%Recovery%' OR event LIKE '%Token%' OR event LIKE '%Binding%')", SQL: "SELECT time, actor, event, target, result, source, id FROM found ORDER BY at DESC"}},
		{"trail-itself", query.Query{Where: "target_kind = 'trail' OR event LIKE 'Trail%' OR event = 'ExpireEvents'", SQL: "SELECT time, event, result, why, params, id FROM found ORDER BY at DESC"}},
		{"by-hour", query.Query{SQL: "SELECT hour, count(*) AS events, sum(result = 'refused') AS refused, sum(result = 'failed') AS failed FROM found GROUP BY 1 ORDER BY 1 DESC"}},
	}
}

// maxQueries is how many queries an account can keep.
const maxQueries = 100

// KeptQueryIn is a query to keep under a name; one of that name is changed.
type KeptQueryIn struct{ Name, Where, SQL string }

// SaveQuery keeps a query for everybody in the account who may ask the trail.
//
// Errors: Invalid for a name or a query that is not valid; Limit when there are too
// many.
var SaveQuery = Op[KeptQueryIn, struct{}]{
	Name:   "SaveQuery",
	Grants: Names{AWS: "warifu:SaveTrailQuery"},
	Mode:   Write,
	Target: func(_ *Env, in KeptQueryIn) (Target, error) { return Target{Noun: "query", Name: in.Name}, nil },
	Record: func(in KeptQueryIn) audit.Fields {
		return audit.Fields{"name": in.Name, "where": clipped(in.Where), "sql": clipped(in.SQL)}
	},
	Do: func(env *Env, in KeptQueryIn) (none struct{}, err error) {
		if err := iam.CheckName("name", in.Name, 64); err != nil {
			return none, err
		}
		q := store.KeptQuery{Account: env.Call.Caller.Account, Name: in.Name, Query: query.Query{Where: in.Where, SQL: in.SQL},
			Creator: env.Call.Caller.User.Name, Updated: env.Now}
		if err := q.Check(); err != nil {
			return none, err
		}
		all, err := env.Tx.Queries(q.Account)
		if err != nil {
			return none, err
		}
		known := false
		for _, k := range all {
			known = known || k.Name == q.Name
		}
		if !known && len(all) >= maxQueries {
			return none, limited("queries", maxQueries)
		}
		return none, env.Tx.PutQuery(&q)
	},
}

// ListQueries lists the account's kept queries by name.
var ListQueries = Op[struct{}, []store.KeptQuery]{
	Name:   "ListQueries",
	Grants: Names{AWS: "cloudtrail:StartQuery"},
	Target: func(*Env, struct{}) (Target, error) { return Target{Noun: "queries"}, nil },
	Do: func(env *Env, _ struct{}) ([]store.KeptQuery, error) {
		return env.Tx.Queries(env.Call.Caller.Account)
	},
}

// DeleteQuery forgets a kept query.
//
// Errors: NotFound; Conflict while an alert asks it.
var DeleteQuery = Op[string, struct{}]{
	Name:   "DeleteQuery",
	Grants: Names{AWS: "warifu:DeleteTrailQuery"},
	Mode:   Write,
	Target: func(_ *Env, called string) (Target, error) { return Target{Noun: "query", Name: called}, nil },
	Record: func(called string) audit.Fields { return audit.Fields{"name": called} },
	Do: func(env *Env, called string) (none struct{}, err error) {
		return none, env.Tx.DeleteQuery(env.Call.Caller.Account, called)
	},
}
