package ops

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/insight"
	"warifu/internal/name"
	"warifu/internal/store"
	"warifu/policy/ram/jobs"
)

// Insight is how an account stands, and how it stood.
type Insight struct {
	insight.Report
	Trend []InsightDay // the oldest first; today's is the report itself

	// Kept says that the report was made a while ago, at At: making it takes a
	// moment in an account of this size.
	Kept  bool
	Until time.Time // events from here on are not counted yet; zero = all are
}

// InsightDay is how an account stood at the end of a day.
type InsightDay struct {
	Day    time.Time
	Score  int
	States map[insight.ID]insight.State
}

const (
	// insightKept is for how long the report of a big account is shown again;
	// whoever asks for a new one gets it.
	insightKept = 5 * time.Minute
	insightBig  = 2000 // users

	// TrendDays is how far back the trend goes.
	TrendDays = 90
)

// insights are the reports of big accounts. Its zero value is ready.
type insights struct {
	mu  sync.Mutex
	all map[name.Account]*insight.Report
}

func (k *insights) get(a name.Account, now time.Time) *insight.Report {
	k.mu.Lock()
	defer k.mu.Unlock()
	if r := k.all[a]; r != nil && now.Sub(r.At) < insightKept && !now.Before(r.At) {
		return r
	}
	return nil
}

func (k *insights) put(a name.Account, r *insight.Report) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if r != nil && r.Users < insightBig {
		r = nil
	}
	if k.all == nil {
		k.all = map[name.Account]*insight.Report{}
	}
	if k.all[a] = r; r == nil {
		delete(k.all, a)
	}
}

// GetInsight tells how the account stands: what falls short of good practice, and
// what shows it. In an account of many users the report may be some minutes old, and
// says so.
var GetInsight = Op[struct{}, *Insight]{
	Name:   "GetInsight",
	Grants: Names{AWS: "warifu:GetInsight"},
	Target: func(*Env, struct{}) (Target, error) { return Target{Noun: "account"}, nil },
	Before: func(ctx context.Context, s *Server, call *Call, _ struct{}) (none struct{}, err error) {
		if s.insights.get(call.Caller.Account, call.At) != nil {
			return none, nil
		}
		return none, s.refresh(ctx)
	},
	Do: func(env *Env, _ struct{}) (*Insight, error) {
		if r := env.insights.get(env.Call.Caller.Account, env.Now); r != nil {
			return env.shownInsight(r, true)
		}
		r, err := env.insight()
		if err != nil {
			return nil, err
		}
		return env.shownInsight(r, false)
	},
}

// RenewInsightIn is the input of RenewInsight.
type RenewInsightIn struct{ made *insight.Report } // by Before: others write meanwhile

// RenewInsight makes the report anew and keeps it as today's in the trend.
var RenewInsight = Op[RenewInsightIn, *Insight]{
	Name:   "RenewInsight",
	Grants: Names{AWS: "warifu:GetInsight"},
	Mode:   Write,
	Target: func(*Env, RenewInsightIn) (Target, error) { return Target{Noun: "account"}, nil },
	Record: func(RenewInsightIn) audit.Fields { return nil },
	Before: func(ctx context.Context, s *Server, call *Call, in RenewInsightIn) (RenewInsightIn, error) {
		err := s.refresh(ctx)
		if err == nil {
			in.made, err = s.judge(ctx, call)
		}
		return in, err
	},
	Do: func(env *Env, in RenewInsightIn) (*Insight, error) {
		if err := env.keepInsight(in.made); err != nil {
			return nil, err
		}
		return env.shownInsight(in.made, false)
	},
}

// judge makes the report of the account of a call.
func (s *Server) judge(ctx context.Context, call *Call) (r *insight.Report, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) (err error) {
		r, err = (&Env{Context: ctx, Server: s, Call: *call, Tx: tx, Now: call.At}).insight()
		return err
	})
	return r, err
}

// keepInsights keeps how every account stands, once a day.
func (s *Server) keepInsights(ctx context.Context) error {
	var accounts []iam.Account
	err := s.store.View(ctx, func(tx *store.Tx) (err error) {
		accounts, err = tx.Accounts()
		return err
	})
	for i := 0; i < len(accounts) && err == nil; i++ {
		call := Call{Caller: Caller{Account: accounts[i].ID}, Source: Source{Door: "host", Service: "warifu"}, At: s.now()}
		var made *insight.Report
		if made, err = s.judge(ctx, &call); err == nil {
			err = s.store.Update(ctx, func(tx *store.Tx) error {
				return (&Env{Context: ctx, Server: s, Call: call, Tx: tx, Now: call.At}).keepInsight(made)
			})
		}
	}
	return err
}

func (env *Env) keepInsight(r *insight.Report) error {
	states := make(map[insight.ID]insight.State, len(r.Checks))
	for i := range r.Checks {
		states[r.Checks[i].ID] = r.Checks[i].State
	}
	text, err := json.Marshal(states)
	if err != nil {
		return fault.Wrap(err, "write a report")
	}
	return env.Tx.PutInsightDay(&store.InsightDay{
		Account: env.Call.Caller.Account, Day: insight.DayOf(r.At), At: r.At, Score: r.Score, States: string(text),
	})
}

func (env *Env) shownInsight(r *insight.Report, kept bool) (*Insight, error) {
	out := &Insight{Report: *r, Kept: kept}
	today := insight.DayOf(env.Now)
	days, err := env.Tx.InsightDays(env.Call.Caller.Account, today-TrendDays+1)
	if err != nil {
		return nil, err
	}
	for _, d := range days {
		if d.Day == today {
			continue
		}
		day := InsightDay{Day: d.Day.Begin(), Score: d.Score}
		if err := json.Unmarshal([]byte(d.States), &day.States); err != nil {
			return nil, fault.Wrap(err, "read a report")
		}
		out.Trend = append(out.Trend, day)
	}
	now := InsightDay{Day: today.Begin(), Score: r.Score, States: map[insight.ID]insight.State{}}
	for i := range r.Checks {
		now.States[r.Checks[i].ID] = r.Checks[i].State
	}
	out.Trend = append(out.Trend, now)
	out.Until, err = env.evidenceUntil()
	return out, err
}

// insight gathers the facts and judges them.
func (env *Env) insight() (*insight.Report, error) {
	f, err := env.facts()
	if err != nil {
		return nil, err
	}
	r := insight.Judge(f)
	env.insights.put(env.Call.Caller.Account, r)
	return r, nil
}

func (env *Env) facts() (*insight.Facts, error) {
	f := &insight.Facts{Now: env.Now}
	for _, step := range []func(*insight.Facts) error{
		env.factsOfUsers, env.factsOfTrail, env.factsOfPrograms, env.factsOfPower, env.factsOfRules,
	} {
		if err := step(f); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// allOfThem is more than an account has of anything.
const allOfThem = 1 << 30

func (env *Env) factsOfUsers(f *insight.Facts) (err error) {
	a := env.Call.Caller.Account
	if f.Rows, err = env.credentials(); err != nil {
		return err
	}
	sent := [2]iam.FactorKind{iam.FactorEmail, iam.FactorSMS}
	weak, err := env.Tx.UsersLosingFactors(a, sent, sent, 0, allOfThem)
	if err != nil {
		return err
	}
	f.Weak = idsOf(weak)
	asked, err := env.Tx.UsersWithoutFactor(a, true, 0, allOfThem)
	if err != nil {
		return err
	}
	f.Asked = idsOf(asked)
	wanted, err := env.Tx.Preferences(a)
	if err != nil {
		return err
	}
	if wanted.MFAForLogin == iam.MFAMandatory { // it asks everybody
		for i := range f.Rows {
			f.Asked[f.Rows[i].ID] = true
		}
	}
	return nil
}

func idsOf(users []store.IdleUser) map[name.ID]bool {
	ids := make(map[name.ID]bool, len(users))
	for i := range users {
		ids[users[i].User] = true
	}
	return ids
}

func (env *Env) factsOfTrail(f *insight.Facts) error {
	a := env.Call.Caller.Account
	today := insight.DayOf(env.Now)
	root, err := env.Tx.RootUser(a)
	if err == nil {
		f.RootUses, err = env.Tx.Uses(a, root.ID, insight.DayOf(env.Now.Add(-insight.RootSpan)))
	}
	if err := ignoreMissing(err); err != nil {
		return err
	}
	traces, err := env.Tx.Presences(a, today-insight.SharedDays+1, insight.SharedDevices, insight.SharedNetworks)
	f.Shared = insight.FindShared(traces)
	return err
}

// factsOfPrograms finds the accounts of applications: those that are tagged so, or
// are in the group of that template.
func (env *Env) factsOfPrograms(f *insight.Facts) error {
	a := env.Call.Caller.Account
	f.Apps = map[name.ID]bool{}
	err := env.Tx.EachTagged(a, iam.KindUser, func(id name.ID, _ string, tags []iam.Tag) {
		if slices.Contains(tags, iam.Tag{Key: jobs.TagKey, Value: jobs.Application}) {
			f.Apps[id] = true
		}
	})
	if err != nil {
		return err
	}
	job, _ := jobs.Find(jobs.Application)
	g, err := env.Tx.GroupByName(a, job.Group)
	if err != nil {
		return ignoreMissing(err)
	}
	members, err := env.Tx.Members(a, g.ID, "", allOfThem)
	for i := range members {
		f.Apps[members[i].ID] = true
	}
	return err
}

func (env *Env) factsOfRules(f *insight.Facts) error {
	p, err := env.passwordPolicy()
	if err != nil {
		return err
	}
	f.Length = p.MinimumLength
	f.Probes, err = env.probes()
	return err
}
