package console

import (
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/insight"
	"warifu/internal/ops"
)

const insightPath = "/console/insight"

func insightRoutes() []Route {
	const one = insightPath + "/{name}"
	return []Route{
		{Method: "GET", Pattern: insightPath, Who: SignedIn, Nav: "nav.insight", Section: sectionWatch, Icon: "shield", do: insightPage},
		{Method: "POST", Pattern: insightPath, Who: SignedIn, do: renewInsight},
		{Method: "GET", Pattern: one, Who: SignedIn, do: checkPage},
		{Method: "GET", Pattern: one + "/fix", Who: SignedIn, Fresh: true, do: fixPage},
		{Method: "POST", Pattern: one + "/fix", Who: SignedIn, do: fix},
		{Method: "GET", Pattern: usersPath + "/{name}/least", Who: SignedIn, do: func(rq *request) error { return leastPage(rq, holdsUser) }},
		{Method: "POST", Pattern: usersPath + "/{name}/least", Who: SignedIn, do: func(rq *request) error { return leastPage(rq, holdsUser) }},
		{Method: "GET", Pattern: rolesPath + "/{name}/least", Who: SignedIn, do: func(rq *request) error { return leastPage(rq, holdsRole) }},
		{Method: "POST", Pattern: rolesPath + "/{name}/least", Who: SignedIn, do: func(rq *request) error { return leastPage(rq, holdsRole) }},
	}
}

// insightData is the page of how the account stands.
type insightData struct {
	*ops.Insight
	Groups []checkGroup
	Bars   []scoreBar
}

// checkGroup are the checks of one state.
type checkGroup struct {
	State  insight.State
	Checks []checkLine
}

// checkLine is a check and what it comes to in words.
type checkLine struct {
	insight.Check
	Glyph string // class of its sign
	Says  string
}

// scoreBar is a day of the trend, in the drawing's units.
type scoreBar struct {
	X, Y, Height int
	Title        string
}

func insightPage(rq *request) error {
	r, err := run(rq, ops.GetInsight, struct{}{})
	if err != nil {
		return err
	}
	d := insightData{Insight: r, Bars: rq.scoreBars(r)}
	for _, state := range []insight.State{insight.Bad, insight.Warn, insight.Good, insight.None} {
		g := checkGroup{State: state}
		for _, c := range r.Checks {
			if c.State == state {
				g.Checks = append(g.Checks, rq.checkLine(c))
			}
		}
		if len(g.Checks) > 0 {
			d.Groups = append(d.Groups, g)
		}
	}
	return rq.page("admin/insight", rq.t("nav.insight"), d)
}

// checkLine says what a check comes to.
func (rq *request) checkLine(c insight.Check) checkLine {
	line := checkLine{Check: c}
	switch c.State {
	case insight.Good:
		line.Glyph, line.Says = "good", rq.t("insight.good."+string(c.ID))
	case insight.None:
		line.Says = rq.t("insight.none.text")
	case insight.Warn, insight.Bad:
		line.Glyph = string(c.State)
		line.Says = rq.t("insight.found."+string(c.ID), "n", c.Count, "of", c.Of)
	}
	return line
}

// scoreBars draws the trend, a bar for each day on which the account was judged.
func (rq *request) scoreBars(r *ops.Insight) (bars []scoreBar) {
	begin := rq.at.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1-ops.TrendDays)
	for _, d := range r.Trend {
		height := max(1, d.Score)
		bars = append(bars, scoreBar{
			X: int(d.Day.Sub(begin)/(24*time.Hour)) * barWidth, Y: barHeight - height, Height: height,
			Title: rq.t("insight.bar", "day", d.Day.Format(time.DateOnly), "score", d.Score),
		})
	}
	return bars
}

func renewInsight(rq *request) error {
	if _, err := run(rq, ops.RenewInsight, ops.RenewInsightIn{}); err != nil {
		return err
	}
	return rq.done(insightPath, "flash.insight.renewed")
}

// checkData is one check with all that shows it.
type checkData struct {
	checkLine
	At    string // the check's own path
	Trail string // query of the trail that shows more; "" = none
	More  int    // things found that are not listed
	Back  string
	Kept  bool
	Made  time.Time
}

// trails are the queries that show more of what a check is about.
var trails = map[insight.ID]string{
	insight.RootSignIns:    queryPath + "?template=root-sign-ins&range=90d",
	insight.RootOperations: queryPath + "?template=root-operations&range=90d",
	insight.RootKeys:       queryPath + "?template=root-keys&range=90d",
	insight.SharedAccounts: queryPath + "?template=new-addresses&range=30d",
	insight.UserMFA:        queryPath + "?template=sign-ins-without-mfa&range=30d",
}

// check reads the check that the page's address names.
func (rq *request) check() (d checkData, err error) {
	r, err := run(rq, ops.GetInsight, struct{}{})
	if err != nil {
		return d, err
	}
	c := r.Find(insight.ID(rq.path("name")))
	if c == nil {
		return d, fault.Of(fault.NotFound, "page", "")
	}
	d = checkData{checkLine: rq.checkLine(*c), At: insightPath + "/" + string(c.ID), Trail: trails[c.ID], Back: insightPath, Kept: r.Kept, Made: r.At}
	if c.ID != insight.Enforcement && c.ID != insight.Passwords && c.ID != insight.RootSignIns && c.ID != insight.RootOperations {
		d.More = max(0, c.Count-len(c.Items))
	}
	return d, nil
}

func checkPage(rq *request) error {
	d, err := rq.check()
	if err != nil {
		return err
	}
	return rq.page("admin/insightcheck", rq.under("nav.insight", insightPath, rq.t("insight.is."+string(d.ID))), d)
}

// fixData is what a fix would do.
type fixData struct {
	checkData
	Form   *form
	Impact *ops.Impact // of preferences; nil for other fixes
}

func fixPage(rq *request) error {
	d, err := rq.check()
	if err != nil {
		return err
	}
	if d.Fix == insight.NoFix {
		return rq.redirect(d.At)
	}
	page := fixData{checkData: d, Form: rq.form()}
	if d.Fix == insight.RequireOfAll {
		wanted, err := rq.requiringAll()
		if err != nil {
			return err
		}
		impact, err := run(rq, ops.PreviewPreferences, wanted)
		if err != nil {
			return err
		}
		page.Impact = &impact
	}
	title := rq.under("nav.insight", insightPath, rq.t("insight.fix."+string(d.Fix)), Crumb{rq.t("insight.is." + string(d.ID)), d.At})
	return rq.page("admin/insightfix", title, page)
}

// requiringAll are the account's preferences with MFA asked of everybody.
func (rq *request) requiringAll() (ops.SecurityPreferences, error) {
	p, err := run(rq, ops.GetSecurityPreferences, struct{}{})
	p.MFAForLogin = iam.MFAMandatory
	return p, err
}

// mark tells the things of a check apart, in a form.
func mark(it insight.Item) string { return strings.TrimSpace(it.User.String() + " " + it.Key) }

// fix does what was shown, by the operations that anybody would do it with: each
// asks policy, and leaves its own event. Only what the check finds is touched.
func fix(rq *request) error {
	d, err := rq.check()
	if err != nil {
		return err
	}
	if d.Fix == insight.RequireOfAll {
		return rq.requireOfAll(&d)
	}
	wanted := rq.form().Values["item"]
	done := 0
	for _, it := range d.Items {
		if !slices.Contains(wanted, mark(it)) {
			continue
		}
		if err := rq.fixOne(d.Fix, it); err != nil && !fault.Is(err, fault.NotFound) { // gone: nothing is left to do
			if done > 0 {
				return rq.half(err, d.At, "flash.note.insight.half", strconv.Itoa(done))
			}
			return err
		}
		done++
	}
	if done == 0 {
		return rq.done(d.At+"/fix", "flash.note.insight.nothing")
	}
	return rq.fixed(&d, done)
}

// fixed goes back to the check, made anew: a report that was kept tells of before.
func (rq *request) fixed(d *checkData, n int) error {
	if _, err := run(rq, ops.RenewInsight, ops.RenewInsightIn{}); err != nil {
		return err
	}
	return rq.done(d.At, "flash.insight.fixed", "n", strconv.Itoa(n))
}

func (rq *request) fixOne(f insight.Fix, it insight.Item) (err error) {
	user, on := ops.Ref{ID: it.User}, true
	switch f {
	case insight.TurnOffKeys:
		_, err = run(rq, ops.UpdateAccessKey, ops.UpdateAccessKeyIn{KeyIn: ops.KeyIn{User: user, Key: it.Key}, Status: iam.KeyInactive})
	case insight.RequireMFA:
		_, err = run(rq, ops.UpdateLoginProfile, ops.UpdateLoginProfileIn{User: user, MFARequired: &on})
	case insight.TakePasswords:
		_, err = run(rq, ops.DeleteLoginProfile, ops.UserIn{User: user})
	case insight.TurnOffUsers:
		_, err = run(rq, ops.UpdateLoginProfile, ops.UpdateLoginProfileIn{User: user, Disabled: &on})
	case insight.RequireOfAll, insight.NoFix:
	}
	return err
}

func (rq *request) requireOfAll(d *checkData) error {
	wanted, err := rq.requiringAll()
	if err != nil {
		return err
	}
	in := ops.SetSecurityPreferencesIn{SecurityPreferences: wanted, Confirmed: rq.form().Get("confirm") != ""}
	if _, err := run(rq, ops.SetSecurityPreferences, in); err != nil {
		return err
	}
	return rq.fixed(d, 1)
}

// leastData is what a user or role was given and used.
type leastData struct {
	held
	*ops.LeastPrivilege
	Form      *form
	Days      []Tab
	Languages []Tab
	Lines     []line
	Sources   []sourceLine
	Tried     bool   // the text of the form was tried, not the one that was written
	Try       string // the text of the form
	Trail     string
	Refused   []ops.UsedPermission // the first
	Unlisted  int                  // requests used that are not listed
}

// sourceLine is a policy that is held, and where it is read.
type sourceLine struct {
	ops.PolicyWorth
	Href string
}

// usesShown bounds the requests that a page lists.
const usesShown = 50

// leastPage shows what was used; the form tries a text on it. Trying changes nothing:
// it is a POST because a policy is too long for an address.
func leastPage(rq *request, h *holds) error {
	head, err := h.head(rq, "access")
	if err != nil {
		return err
	}
	f := rq.form()
	text := strings.TrimSpace(unixLines(f.Get("text")))
	days, _ := strconv.Atoi(rq.query("days")) // what is no number is the default
	if days < 1 || days > ops.EvidenceDays {
		days = ops.EvidenceDays
	}
	l, err := run(rq, ops.GetLeastPrivilege, ops.LeastPrivilegeIn{
		Kind: h.kind, Who: rq.named(), Days: days, Language: iam.Language(rq.query("language")), Text: text,
	})
	if fault.Is(err, fault.Invalid) && rq.query("language") != "" {
		return fault.Of(fault.NotFound, "page", "")
	}
	if err != nil {
		return err
	}
	d := leastData{held: head, LeastPrivilege: l, Form: f, Tried: text != "", Try: text, Lines: linesOf(strings.TrimRight(l.Text.Document, "\n"))}
	if d.Try == "" {
		d.Try = l.Text.Document
	}
	f.fill("text", d.Try)
	for _, n := range []int{90, 30, 7} {
		d.Days = append(d.Days, rq.leastTab("days", strconv.Itoa(n), rq.t("least.days", "n", n), strconv.Itoa(l.Days)))
	}
	for _, c := range []iam.Language{iam.LanguageAWS, iam.LanguageRAM, ops.LanguageOracle} {
		d.Languages = append(d.Languages, rq.leastTab("language", string(c), rq.t("least.in."+string(c)), string(l.Language)))
	}
	for _, p := range l.Policies {
		s := sourceLine{PolicyWorth: p, Href: head.At + "/policies"}
		if !p.Inline {
			s.Href = policyAt("view", p.Policy)
		}
		d.Sources = append(d.Sources, s)
	}
	d.Trail = queryPath + "?" + url.Values{"range": {"90d"}, "where": {"actor = '" + strings.ReplaceAll(head.Name, "'", "''") + "' AND result = 'allowed'"}}.Encode()
	d.Refused = l.Trial.Refused[:min(len(l.Trial.Refused), usesShown)]
	d.Unlisted = max(0, len(l.Used)-usesShown)
	d.Used = l.Used[:min(len(l.Used), usesShown)]
	return rq.page("admin/least", head.Name, d)
}

func (rq *request) leastTab(param, value, label, now string) Tab {
	q := rq.r.URL.Query()
	q.Set(param, value)
	return Tab{Label: label, Href: rq.r.URL.Path + "?" + q.Encode(), Current: value == now}
}

// momentHref leads to the event of a moment.
func momentHref(id string, at time.Time) string {
	return auditPath + "/event?" + url.Values{"id": {id}, "at": {strconv.FormatInt(at.UnixMicro(), 10)}}.Encode()
}

// InsightItem is a thing that a check found, as a row of a list.
type InsightItem struct {
	Item insight.Item
	Now  time.Time
}

// LeastUses is a table of requests.
type LeastUses struct {
	Items   []ops.UsedPermission
	Now     time.Time
	Caption string
}

// insightFuncs are what the templates of these pages say things with.
func (l *language) insightFuncs() template.FuncMap {
	return template.FuncMap{
		"InsightItem": component[InsightItem], "LeastUses": component[LeastUses],
		"insightMark": mark,
		"insightName": func(it insight.Item) string {
			called := it.Name
			if it.Root {
				called = l.text("frame.root")
			}
			return strings.TrimSpace(called + " " + it.Key)
		},
		"momentHref": momentHref,
		"holderPage": func(kind, called string) string { return holderHref(iam.PrincipalKind(kind), called) },
		"proofWord": func(p insight.Proof) string {
			return l.text("least.proof." + strconv.Itoa(int(p)))
		},
	}
}
