package console

import (
	"net/url"
	"slices"
	"strings"

	"warifu/internal/iam"
	"warifu/internal/ops"
)

// trial is a request that nobody makes, in a form, and what policy says of it.
// The form is a GET: its address can be kept and sent to somebody.
type trial struct {
	Form    *form
	Hidden  []Pair // what else the address holds
	As      bool   // it can be asked as a user: the policy's own page
	Actions []string
	Way     ops.Way
	Ways    []tried
	Chosen  *ops.Verdict
	Who     string // ARN
}

// tried is the outcome in one way of signing in.
type tried struct {
	Way     ops.Way
	Label   string
	Href    string
	Allowed bool
	Current bool
}

// trial fills the form from the address and asks, if there is anything to ask.
func (rq *request) trial(suggest []string, ask func(action, resource string) (*ops.Trial, error)) (*trial, error) {
	f := rq.form()
	t := &trial{Form: f, Way: ops.Way(rq.query("way")), Actions: suggestions(rq.query("action"), suggest)}
	action, resource := strings.TrimSpace(rq.query("action")), strings.TrimSpace(rq.query("resource"))
	f.fill("action", action, "resource", resource, "as", rq.query("as"))
	if action == "" {
		return t, nil
	}
	out, err := ask(action, resource)
	if err != nil {
		if !f.blame(err, fields{"action": "action", "user": "as", "*": "action"}) {
			return nil, err
		}
		return t, nil
	}
	t.Who = out.Principal
	if !slices.Contains(ops.Ways[:], t.Way) {
		t.Way = ops.WayPassword
	}
	for i := range out.Verdicts {
		v := &out.Verdicts[i]
		q := rq.r.URL.Query()
		q.Set("way", string(v.Way))
		href := (&url.URL{Path: rq.r.URL.Path, RawQuery: q.Encode(), Fragment: "try"}).String()
		t.Ways = append(t.Ways, tried{v.Way, rq.t("way." + string(v.Way)), href, v.Allowed, v.Way == t.Way})
		if v.Way == t.Way {
			t.Chosen = v
		}
	}
	return t, nil
}

// maxSuggested bounds the actions that a page offers: it must stay small.
const maxSuggested = 300

// suggestions are actions for the field: those of the service that was typed, of
// the services given, and some that everybody knows.
func suggestions(typed string, services []string) (all []string) {
	if service, _, ok := strings.Cut(typed, ":"); ok {
		services = append([]string{strings.ToLower(service)}, services...)
	}
	all = []string{"ec2:DescribeInstances", "ec2:StartInstances", "ec2:TerminateInstances", "s3:GetObject", "s3:PutObject", "iam:ListUsers", "iam:CreateUser", "sts:AssumeRole"}
	for _, s := range services {
		for _, a := range ops.SuggestActions(s) {
			if len(all) == maxSuggested {
				return all
			}
			if !slices.Contains(all, a) {
				all = append(all, a)
			}
		}
	}
	return all
}

// accessData is what a user's or role's policies add up to. A role has no access
// keys, so nothing is said of them.
type accessData struct {
	held
	Sum part[*ops.Sum]
	Try *trial
}

func userAccessPage(rq *request) error { return accessPage(rq, holdsUser) }
func roleAccessPage(rq *request) error { return accessPage(rq, holdsRole) }

func accessPage(rq *request, h *holds) error {
	head, err := h.head(rq, "access")
	if err != nil {
		return err
	}
	d := accessData{held: head}
	if d.Sum, err = load(rq, ops.SumUpAccess, ops.SumIn{Kind: h.kind, Who: rq.named()}); err != nil {
		return err
	}
	if h.kind == iam.KindRole && !d.Sum.Has && d.Sum.No == nil {
		return errNobody
	}
	var services []string
	if d.Sum.Has {
		for _, s := range d.Sum.Is.Services {
			services = append(services, s.Prefix)
		}
	}
	d.Try, err = rq.trial(services, func(action, resource string) (*ops.Trial, error) {
		return run(rq, ops.TryAccess, ops.TryIn{Kind: h.kind, Who: rq.named(), Action: action, Resource: resource})
	})
	if err != nil {
		return err
	}
	if h.kind == iam.KindRole {
		d.Try.Ways = slices.DeleteFunc(d.Try.Ways, func(t tried) bool { return t.Way == ops.WayKey })
	}
	return rq.page("admin/access", head.Name, d)
}

type policyTryData struct {
	policyHead
	Try *trial
}

func policyTryPage(rq *request) error {
	head, err := rq.policyHead("try")
	if err != nil {
		return err
	}
	d := policyTryData{policyHead: head}
	d.Try, err = rq.trial(nil, func(action, resource string) (*ops.Trial, error) {
		return run(rq, ops.TryPolicy, ops.TryPolicyIn{Policy: head.ARN(), As: strings.TrimSpace(rq.query("as")), Action: action, Resource: resource})
	})
	if err != nil {
		return err
	}
	d.Try.As, d.Try.Hidden = true, []Pair{{"arn", head.ARN()}}
	return rq.page("admin/policytry", head.Name, d)
}
