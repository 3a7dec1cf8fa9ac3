package console

import (
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"time"

	"warifu/internal/audit"
	"warifu/internal/iam"
	"warifu/internal/ops"
)

// adminFuncs are what the templates of the administration pages say things with.
func (l *language) adminFuncs() template.FuncMap {
	return template.FuncMap{
		"userHref":   func(name string) string { return holderHref(iam.KindUser, name) },
		"groupHref":  func(name string) string { return holderHref(iam.KindGroup, name) },
		"roleHref":   func(name string) string { return holderHref(iam.KindRole, name) },
		"entityHref": func(e ops.Entity) string { return holderHref(e.Kind, e.Name) },
		"policyHref": func(p ops.PolicyUse) string { return policyAt("view", p.ARN()) },
		"arnHref":    func(arn string) string { return policyAt("view", arn) },
		"arn":        func(p iam.Policy) string { return p.ARN() },
		"useARN":     func(p ops.PolicyUse) string { return p.ARN() },
		"eventHref":  eventHref,
		"linkBadge":  l.linkBadge,
		"policyName": policyName,
		"placeHref":  placeHref,
		"join":       func(s []string) string { return strings.Join(s, l.text("list.separator")) },
		"versionOf":  func(p ops.PolicyUse) string { return versionName(p.Default) },
		"versionID":  func(v ops.PolicyVersion) string { return v.ID() },
		"level":      func(r ops.Reach, n int) string { return r.Level(n) },
		"reaches":    func(r ops.Reach) int { return r.Everywhere + r.Somewhere },
		"source":     func(s *ops.Sum, i int) *ops.PolicySource { return sourceOf(s, i) },
		"kind":       func(k iam.PrincipalKind) string { return l.text("kind." + string(k)) },
		"q":          url.QueryEscape,
		"minus":      func(a, b int) int { return a - b },
		"first":      firstOf,
		"someNames":  l.someNames,
		"stated":     func(s *ops.Sum) []ops.Stated { return s.Statements[:min(len(s.Statements), maxStated)] },
		"unstated":   func(s *ops.Sum) int { return max(0, len(s.Statements)-maxStated) },
		"wayLabel":   func(i int) string { return l.text("way." + string(ops.Ways[i])) },
		"keep":       keep,

		"Tools": component[Tools], "Suggest": component[Suggest], "Deletion": component[Deletion], "Pick": component[Pick], "Links": component[Links],
	}
}

// maxStated is how many statements the page of what somebody may do lists.
const maxStated = 60

// someNames are names in a sentence; of many, the first, and how many more there
// are.
func (l *language) someNames(names []string) string {
	const shown = 20
	text := strings.Join(firstOf(shown, names), l.text("list.separator"))
	if n := len(names) - shown; n > 0 {
		text += " " + l.text("sum.more", "n", n)
	}
	return text
}

// firstOf are at most n of some texts.
func firstOf(n int, all []string) []string { return all[:min(len(all), n)] }

func sourceOf(s *ops.Sum, i int) *ops.PolicySource {
	if i < 0 {
		return s.Boundary
	}
	return &s.Sources[i]
}

// eventHref leads to one event.
func eventHref(e audit.Event) string {
	return auditPath + "/event?" + url.Values{"id": {e.ID}, "at": {strconv.FormatInt(e.At.UnixMicro(), 10)}}.Encode()
}

// placeHref leads to the line of a managed policy where a statement stands; ""
// for an inline one.
func placeHref(policy, version string, line int) string {
	if version == "" {
		return ""
	}
	return policyAt("view", policy) + "&version=" + version + "#L" + strconv.Itoa(line)
}

// linkBadge says where an enrolment link stands.
func (l *language) linkBadge(s iam.LinkState) Badge {
	kind := map[iam.LinkState]string{iam.LinkSent: "info", iam.LinkOpened: "warn", iam.LinkUsed: "good"}[s]
	return Badge{Label: l.text("link." + string(s)), Kind: kind}
}

// keep is a hidden field for a parameter of the URL that stays as it is.
func keep(name, value string) []Pair {
	if value == "" {
		return nil
	}
	return []Pair{{name, value}}
}

// The values of the parts that only administration pages have, made in templates
// like the components.
type (
	// Tools stand above a list: filters and a search by name.
	Tools struct {
		Chips  []Tab
		Search string
		Label  string // of the search
		Hidden []Pair // parameters that searching keeps
	}
	// Suggest is a list of values that a field offers.
	Suggest struct {
		ID    string
		Items []string
	}
	// Deletion is the end of a form that asks for a name.
	Deletion struct {
		Form  *form
		Name  string // to be typed
		Label string
		Back  string
	}
	// Pick is a field beside its button.
	Pick struct {
		Form  *form
		Name  string
		Label string
		List  string // of suggestions; "" = none
	}
	// Links are rows of enrolment links.
	Links struct {
		Items []ops.Link
		Now   time.Time
		Back  string
	}
)
