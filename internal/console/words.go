package console

import (
	"errors"
	"net/http"
	"strings"

	"warifu/internal/fault"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/policy"
)

// The console's own refusals.
var (
	errCrossOrigin = fault.Of(fault.Denied, "cross origin", "")
	errStaleForm   = fault.Of(fault.Expired, "form", "")
	errNobody      = fault.Of(fault.NotFound, "page", "")
	errMethod      = fault.Of(fault.Unsupported, "method", "")
	errSignedOut   = fault.Of(fault.Unauthenticated, "console", "")
)

// lost answers a path that is no page's, and a page asked for by a method that
// it does not have (RFC 9110 section 15.5.6).
func lost(rq *request) error {
	var has []string
	for _, m := range []string{http.MethodGet, http.MethodPost} {
		r := rq.r.Clone(rq.r.Context())
		r.Method = m
		if _, pattern := rq.c.mux.Handler(r); pattern != "/" {
			has = append(has, m)
		}
	}
	if len(has) == 0 {
		return errNobody
	}
	rq.w.Header().Set("Allow", strings.Join(has, ", "))
	return errMethod
}

// statuses is the table from fault kinds to HTTP.
var statuses = map[fault.Kind]int{
	fault.Internal: 500, fault.Invalid: 400, fault.Malformed: 400, fault.WeakPassword: 400, fault.NotFound: 404,
	fault.Exists: 409, fault.Conflict: 409, fault.Unmodifiable: 403, fault.Denied: 403, fault.Unauthenticated: 401,
	fault.Expired: 400, fault.BadCode: 400, fault.StepUp: 403, fault.Limit: 409, fault.Throttled: 429, fault.Unsupported: 501,
}

// fail turns what went wrong into an answer: the way to sign in, to prove a
// factor, or a page that says what stands in the way and what to do.
func (rq *request) fail(err error) {
	kind := fault.KindOf(err)
	switch {
	case errors.Is(err, errSignedOut), kind == fault.Unauthenticated:
		rq.redirect(signInPath(rq.here())) //nolint:errcheck // it cannot fail
		return
	case errors.Is(err, errStaleForm) && rq.route.Who == Signing && rq.recognise() == nil: // another tab has signed in meanwhile
		rq.redirect(local(rq.form().Get("next"))) //nolint:errcheck
		return
	case rq.lostPlace(err): // the list begins anew
		rq.redirect(rq.pages("").First) //nolint:errcheck
		return
	case kind == fault.StepUp:
		path := stepUpPath(rq.cameFrom())
		if f := (*fault.Error)(nil); errors.As(err, &f) && f.Noun == ops.ProveStronger {
			path += "&stronger=1"
		}
		rq.redirect(path) //nolint:errcheck
		return
	}
	if kind == fault.Internal && !errors.Is(err, rq.r.Context().Err()) {
		rq.c.Log.Error("a page failed", "path", Loggable(rq.r.URL.Path), "request", rq.id, "error", err)
	}
	if !rq.visit.signedIn() && rq.cookie(cookieSession) != "" {
		rq.recognise() //nolint:errcheck // it is only about the page's frame
	}
	p := rq.problem(err)
	rq.status = statuses[kind]
	if kind == fault.Throttled {
		rq.busy(err)
	}
	if errors.Is(err, errMethod) {
		rq.status = http.StatusMethodNotAllowed
	}
	if p := rq.page("problem", p.Title, p); p != nil {
		rq.c.Log.Error("a page about a failure failed", "path", Loggable(rq.r.URL.Path), "request", rq.id, "error", p)
		http.Error(rq.w, "internal error", http.StatusInternalServerError)
	}
}

// Seconds after which one may come again (RFC 9110, section 10.2.3): the crowd at
// the door is through in a few, other limits take a minute or more.
const (
	afterCrowd = "5"
	afterLimit = "60"
)

// busy answers that there is too much of something (RFC 6585, section 4).
func (rq *request) busy(err error) {
	rq.status = http.StatusTooManyRequests
	after := afterLimit
	if f := (*fault.Error)(nil); errors.As(err, &f) && f.Noun == "" {
		after = afterCrowd
	}
	rq.w.Header().Set("Retry-After", after)
}

// lostPlace reports whether it is the place in a list that does not fit: the list
// has changed its filters, or somebody changed the address.
func (rq *request) lostPlace(err error) bool {
	e := fault.In(err)
	return rq.r.Method == http.MethodGet && rq.query("after") != "" && e.Kind == fault.Invalid && e.Name == "cursor"
}

// cameFrom is the page of a form that was posted: what it says of itself in the
// field "back", or the page of the same path.
func (rq *request) cameFrom() string {
	if back := rq.form().Get("back"); back != "" {
		return local(back)
	}
	return rq.here()
}

// problem is a page about what stands in the way.
type problem struct {
	Title string
	Text  []stretch
	Help  []stretch
	Do    Button
	Facts []Pair // what support asks for
}

func (rq *request) problem(err error) problem {
	if d, ok := ops.AsDenial(err); ok {
		return rq.denied(d)
	}
	e := fault.In(err)
	p := problem{Title: rq.t("problem." + kindKey(e.Kind) + ".title"), Text: []stretch{{Text: rq.sentence(e)}}, Do: rq.wayBack()}
	if e.Kind == fault.Internal {
		p.Facts = []Pair{{rq.t("problem.request"), rq.id}}
	}
	return p
}

func (rq *request) wayBack() Button {
	if rq.visit.signedIn() {
		if from := rq.cameFrom(); rq.r.Method == http.MethodPost && from != home {
			return Button{Label: rq.t("form.back"), Href: from}
		}
		return Button{Label: rq.t("problem.back"), Href: home}
	}
	return Button{Label: rq.t("signin.again"), Href: "/signin"}
}

// kindKey is a kind as keys of texts spell it.
func kindKey(k fault.Kind) string { return strings.ReplaceAll(k.String(), " ", "-") }

// sentence words a fault. The most exact text that there is counts: of kind,
// noun and name, of kind and noun, of the kind. For a field whose rule has no
// text, English has the operation's own sentence.
func (rq *request) sentence(e *fault.Error) string {
	base := "fault." + kindKey(e.Kind)
	noun := base + "." + strings.ReplaceAll(e.Noun, " ", "-")
	if e.Kind == fault.WeakPassword {
		return rq.weakPassword(e)
	}
	for _, key := range []string{noun + "." + strings.ReplaceAll(e.Name, " ", "-"), noun} {
		if rq.lang.has(key) {
			return rq.t(key, "name", e.Name, "what", e.What)
		}
	}
	if e.What != "" && e.Kind != fault.Internal && rq.lang.code == "en" {
		return sentenceCase(e.What)
	}
	return rq.t(base, "noun", e.Noun, "name", e.Name, "what", e.What)
}

// weakPassword lists the rules that a password fails.
func (rq *request) weakPassword(e *fault.Error) string {
	var rules []string
	for rule := range strings.SplitSeq(e.Name, ",") {
		what, n, _ := strings.Cut(rule, "=")
		key := "rule." + strings.ReplaceAll(what, " ", "-")
		if !rq.lang.has(key) {
			return rq.t("fault.weak-password")
		}
		rules = append(rules, rq.t(key, "n", n))
	}
	return rq.t("fault.weak-password.and", "rules", strings.Join(rules, rq.t("list.separator")))
}

func sentenceCase(s string) string {
	s = strings.ToUpper(s[:1]) + s[1:]
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

func byPolicy(err error) bool { _, ok := ops.AsDenial(err); return ok }

// denied says in plain words which policy stops an action, and what to do.
func (rq *request) denied(d *ops.Denial) problem {
	p := problem{Do: rq.wayBack(), Facts: []Pair{
		{rq.t("denied.action"), d.Action}, {rq.t("denied.resource"), d.Resource}, {rq.t("denied.you"), d.Caller},
	}}
	rule, needs := d.Decision.Rule, false // needs: a second factor would change the answer
	if rule == nil {
		rule = allowsWithMFA(d)
		needs = rule != nil
	} else {
		needs = asksMFA(d)
	}
	say := func(title, key string, args ...any) {
		p.Title = rq.t(title)
		p.Text, _ = rq.lang.rich(key, append(args, "action", d.Action)...)
	}
	switch {
	case rule == nil && d.Decision.Layer == policy.Boundary:
		say("denied.title", "denied.boundary")
	case rule == nil:
		say("denied.title", "denied.nothing")
	case needs && !rq.visit.caller.MFA.Present:
		say("denied.mfa.title", "denied.mfa", "policy", policyName(rule.Policy))
		p.Help, _ = rq.lang.rich("denied.mfa.help", "a", "/security")
		p.Do = Button{Label: rq.t("denied.mfa.do"), Href: "/security", Kind: "primary"}
		if rq.hasDevice() { // added in this session, which did not prove it yet
			p.Help, _ = rq.lang.rich("denied.mfa.help.device")
			p.Do = Button{Label: rq.t("denied.mfa.do.device"), Href: stepUpPath(rq.cameFrom()), Kind: "primary"}
		}
	case needs:
		say("denied.mfa.title", "denied.mfa.old", "policy", policyName(rule.Policy))
		p.Do = Button{Label: rq.t("stepup.do"), Href: stepUpPath(rq.cameFrom()), Kind: "primary"}
	default:
		say("denied.title", "denied.rule", "policy", policyName(rule.Policy))
	}
	if p.Help == nil {
		p.Help, _ = rq.lang.rich("denied.help")
	}
	if rule != nil {
		p.Facts = append(p.Facts, Pair{rq.t("denied.where"), rq.t("denied.place", "policy", policyName(rule.Policy), "line", rule.Line, "column", rule.Column)})
	}
	return p
}

// hasDevice reports whether the person has a second factor, as far as it may
// know.
func (rq *request) hasDevice() bool {
	list, err := run(rq, ops.ListMFADevices, ops.UserListing{Listing: ops.Listing{Limit: 1}})
	return err == nil && len(list.Items) > 0
}

// asksMFA reports whether the statement that denies does so by a condition on
// the second factor.
func asksMFA(d *ops.Denial) bool {
	for i := range d.Trace.Layers {
		for _, r := range d.Trace.Layers[i].Rules {
			if !r.Applies || d.Decision.Rule == nil || r.Rule.ID != *d.Decision.Rule {
				continue
			}
			for _, c := range r.Conditions {
				if aboutMFA(c.Key) {
					return true
				}
			}
		}
	}
	return false
}

// allowsWithMFA is a statement that would allow what was refused, did it not ask
// for a second factor; nil if there is none.
func allowsWithMFA(d *ops.Denial) *policy.RuleID {
	for i := range d.Trace.Layers {
		if d.Trace.Layers[i].Kind != d.Decision.Layer {
			continue
		}
		for _, r := range d.Trace.Layers[i].Rules {
			if r.Rule.Effect != policy.Allow || !r.Who || !r.Where || r.When {
				continue
			}
			fails := 0
			for _, c := range r.Conditions {
				if !c.Holds && !aboutMFA(c.Key) {
					fails = -len(r.Conditions)
				}
				if !c.Holds {
					fails++
				}
			}
			if fails > 0 {
				return &r.Rule.ID
			}
		}
	}
	return nil
}

// aboutMFA tells the keys, in each cloud's language, that are about the second
// factor.
func aboutMFA(key string) bool {
	key = strings.ToLower(key)
	for _, begin := range []string{"aws:MultiFactorAuth", "acs:MFA", "warifu:MFA", "request.user.mfa"} {
		if strings.HasPrefix(key, strings.ToLower(begin)) {
			return true
		}
	}
	return false
}

// policyName is the last part of a policy's ARN, and the name alone of an inline
// one, which traces call "inline policy own of user alice".
func policyName(s string) string {
	if _, _, friendly, ok := name.SplitIAM(s, "policy"); ok {
		return friendly
	}
	if rest, ok := strings.CutPrefix(s, "inline policy "); ok {
		friendly, _, _ := strings.Cut(rest, " of ")
		return friendly
	}
	return s
}
