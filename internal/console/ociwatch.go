package console

import (
	"errors"
	"strings"

	"warifu/internal/fault"
	"warifu/internal/ops"
)

const oraclePath = "/console/oracle"

func oracleRoutes() []Route {
	return []Route{
		{Method: "GET", Pattern: oraclePath, Who: SignedIn, Nav: "nav.oracle", Section: sectionServer, Icon: "cloud", do: oraclePage},
	}
}

// oracleData is what administrators of Oracle's clients look for: why a request was
// refused, and which statements do less than they seem to.
type oracleData struct {
	Form     *form
	Asked    bool
	Found    []Pair // about the request that was asked for
	Refused  bool
	No       string // why nothing was found
	Policies []ops.OracleAdvice
	Advised  int // statements with advice
}

func oraclePage(rq *request) error {
	f := rq.form()
	f.fill("request", rq.query("request"))
	d := oracleData{Form: f, Asked: strings.TrimSpace(rq.query("request")) != ""}
	var err error
	if d.Policies, err = run(rq, ops.InspectOraclePolicies, struct{}{}); err != nil {
		return err
	}
	for i := range d.Policies {
		for _, s := range d.Policies[i].Statements {
			if len(s.Advice) > 0 {
				d.Advised++
			}
		}
	}
	if d.Asked {
		if err := rq.explain(&d); err != nil {
			return err
		}
	}
	return rq.page("oci/watch", rq.t("nav.oracle"), d)
}

// explain finds out why a request was refused.
func (rq *request) explain(d *oracleData) error {
	x, err := run(rq, ops.ExplainRequest, strings.TrimSpace(rq.query("request")))
	switch e := (*fault.Error)(nil); {
	case err == nil:
	case fault.Is(err, fault.NotFound):
		d.No = rq.t("oci.explain.none")
		return nil
	case fault.Is(err, fault.Invalid) && errors.As(err, &e):
		d.No = rq.t("oci.explain.bad")
		return nil
	default:
		return err
	}
	d.Refused = x.Result != "allowed"
	d.Found = rq.explanation(x)
	return nil
}

// explanation are the lines about a request.
func (rq *request) explanation(x *ops.Explanation) (out []Pair) {
	for _, p := range []Pair{
		{rq.t("audit.action"), x.Operation}, {rq.t("audit.who"), x.Actor.ARN}, {rq.t("activity.result"), rq.t("activity." + string(x.Result))}, {rq.t("audit.why"), x.Why},
		{rq.t("oci.explain.missing"), strings.Join(x.Missing, " ")}, {rq.t("oci.explain.nearest"), x.Statement}, {rq.t("oci.explain.failed"), x.Failed},
		{rq.t("oci.explain.grant"), x.Grant}, {rq.t("oci.explain.place"), x.Place},
	} {
		if p.Value != "" {
			out = append(out, p)
		}
	}
	return out
}
