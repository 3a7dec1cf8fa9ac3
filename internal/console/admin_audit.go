package console

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/ops"
	"warifu/internal/page"
)

const auditPath = "/console/audit"

func auditRoutes() []Route {
	return append([]Route{
		{Method: "GET", Pattern: auditPath, Who: SignedIn, Nav: "nav.audit", Section: sectionWatch, Icon: "list", do: auditPage},
		{Method: "GET", Pattern: auditPath + "/event", Who: SignedIn, do: eventPage},
	}, queryRoutes()...)
}

// events is a page of the trail.
type events struct {
	page.Page[audit.Event]
	Pages Pages
}

// ranges are the spans of time that the trail is asked for; the first is what
// there is without a choice.
var ranges = []struct {
	value string
	span  time.Duration
}{{"7d", 7 * 24 * time.Hour}, {"1h", time.Hour}, {"24h", 24 * time.Hour}, {"30d", 30 * 24 * time.Hour}, {"90d", 90 * 24 * time.Hour}}

// reach is how far back the page of one user looks.
const reach = 90 * 24 * time.Hour

// eventQuery asks for what a user did, or for what was done to one.
func (rq *request) eventQuery(actor, target string) ops.LookupEventsIn {
	in := ops.LookupEventsIn{Query: audit.Query{Actor: actor, From: rq.since(reach)}, Listing: rq.listing(0)}
	if target != "" {
		in.Query.TargetNoun, in.Query.TargetName = "user", target
	}
	return in
}

// since is the beginning of a span of time that ends now. Cursors are bound to
// it, so the pages that follow carry it along.
func (rq *request) since(span time.Duration) time.Time {
	if s, err := strconv.ParseInt(rq.query("since"), 10, 64); err == nil && rq.query("after") != "" {
		return time.Unix(s, 0)
	}
	return rq.at.Add(-span).Truncate(time.Second)
}

// events asks for a page of events. A cursor that does not fit any more begins
// anew.
func (rq *request) events(in ops.LookupEventsIn) (out events, err error) {
	out.Page, err = run(rq, ops.LookupEvents, in)
	if fault.Is(err, fault.Invalid) && in.Cursor != "" {
		in.Cursor = ""
		out.Page, err = run(rq, ops.LookupEvents, in)
	}
	out.Pages = rq.pages(string(out.Next))
	if out.Pages.Next != "" && !in.Query.From.IsZero() && rq.query("since") == "" {
		out.Pages.Next += "&since=" + strconv.FormatInt(in.Query.From.Unix(), 10)
	}
	return out, err
}

// auditData is the trail with its filters.
type auditData struct {
	Form     *form
	Events   events
	Ranges   []Option
	Results  []Option
	Kinds    []Option
	Filtered bool
}

func auditPage(rq *request) error {
	f := rq.form()
	d := auditData{Form: f, Results: []Option{{Label: rq.t("audit.any")}}}
	span := ranges[0].span
	for _, r := range ranges {
		d.Ranges = append(d.Ranges, Option{Value: r.value, Label: rq.t("audit.range." + r.value)})
		if r.value == rq.query("range") {
			span = r.span
		}
	}
	for _, r := range []audit.Result{audit.Allowed, audit.Refused, audit.Failed} {
		d.Results = append(d.Results, Option{Value: string(r), Label: rq.t("activity." + string(r))})
	}
	for _, name := range []string{"range", "user", "action", "result", "target", "kind"} {
		f.fill(name, rq.query(name))
		d.Filtered = d.Filtered || name != "range" && rq.query(name) != ""
	}
	action := strings.TrimSpace(rq.query("action"))
	in := ops.LookupEventsIn{Listing: rq.listing(0), Query: audit.Query{
		From: rq.since(span), Actor: strings.TrimSpace(rq.query("user")), Operation: action[strings.LastIndexByte(action, ':')+1:],
		TargetName: strings.TrimSpace(rq.query("target")), Result: audit.Result(rq.query("result")),
	}}
	d.Kinds = []Option{{Label: rq.t("audit.any")}, {Value: "changes", Label: rq.t("audit.changes")}, {Value: "reads", Label: rq.t("audit.reads")}}
	if k := rq.query("kind"); k == "changes" || k == "reads" {
		reads := k == "reads"
		in.Query.ReadOnly = &reads
	}
	var err error
	if d.Events, err = rq.events(in); err != nil {
		return err
	}
	return rq.page("admin/audit", rq.t("nav.audit"), d)
}

// eventData is one event, also as it is stored.
type eventData struct {
	audit.Event
	Raw   string
	Facts []Pair
	Proof proofData
}

// eventPage shows one event. Its moment comes with its id, so that it is found
// without reading the trail.
func eventPage(rq *request) error {
	at, err := strconv.ParseInt(rq.query("at"), 10, 64)
	if err != nil {
		return errNobody
	}
	from := time.UnixMicro(at)
	list, err := run(rq, ops.LookupEvents, ops.LookupEventsIn{Query: audit.Query{ID: rq.query("id"), From: from, To: from.Add(time.Microsecond)}})
	if err != nil {
		return err
	}
	if len(list.Items) != 1 {
		return errNobody
	}
	e := list.Items[0]
	raw, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return fault.Wrap(err, "spell an event")
	}
	d := eventData{Event: e, Raw: string(raw)}
	for _, p := range []Pair{
		{rq.t("audit.action"), e.Action}, {rq.t("audit.who"), e.Actor.ARN}, {rq.t("audit.key"), e.Actor.AccessKey}, {rq.t("audit.target"), e.Target.ARN},
		{rq.t("oci.explain.missing"), e.Params["missingPermissions"]}, {rq.t("oci.explain.nearest"), e.Params["nearestStatement"]}, {rq.t("oci.explain.failed"), e.Params["failedCondition"]},
		{rq.t("activity.from"), e.Source}, {rq.t("audit.agent"), e.UserAgent}, {rq.t("audit.why"), e.Why}, {rq.t("problem.request"), e.RequestID},
	} {
		if p.Value != "" {
			d.Facts = append(d.Facts, p)
		}
	}
	if d.Proof, err = rq.proof(&e); err != nil {
		return err
	}
	return rq.page("admin/event", rq.under("nav.audit", auditPath, rq.lang.event(e.Operation)), d)
}
