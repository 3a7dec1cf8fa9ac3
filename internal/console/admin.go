package console

import (
	"slices"
	"strings"

	"warifu/internal/iam"
	"warifu/internal/ops"
)

// The parts of the navigation.
const (
	sectionManage = "nav.manage"
	sectionSignIn = "nav.signin"
	sectionWatch  = "nav.watch"
	sectionServer = "nav.server"
)

// adminRoutes are the pages for looking after the account. The order is that of
// the navigation.
func adminRoutes() []Route {
	return slices.Concat(
		[]Route{{Method: "GET", Pattern: "/console", Who: SignedIn, Nav: "nav.home", Icon: "home", do: homePage}},
		serviceRoutes(), userRoutes(), groupRoutes(), roleRoutes(), policyRoutes(), jobRoutes(),
		preferencesRoutes(), linkRoutes(), tokenRoutes(), blockRoutes(), rootRoutes(),
		insightRoutes(), auditRoutes(), alertRoutes(),
		settingsRoutes(), oracleRoutes(),
	)
}

// home is what the dashboard shows.
type homeData struct {
	Health  part[ops.Health]
	Refused part[events]
	KeysAge int // days
	Calm    bool
}

// homePage says what should be looked at. Whoever may not know is greeted.
func homePage(rq *request) (err error) {
	d := homeData{KeysAge: int(ops.KeyOld.Hours() / 24)}
	if d.Health, err = load(rq, ops.GetAccountHealth, struct{}{}); err != nil {
		return err
	}
	if h := &d.Health.Is; d.Health.Has {
		d.Calm = (h.RootFactors > 0 || !h.RootPassword) && h.RootKeys+h.NoMFA+h.OldKeys+h.UnusedKeys+h.Blocked+h.Refused == 0
	}
	return rq.page("admin/home", rq.t("nav.home"), d)
}

// under sets the way back to an entry of the navigation, and what is between.
func (rq *request) under(entry, path, title string, between ...Crumb) string {
	rq.crumbs = append([]Crumb{{Label: rq.t(entry), Href: path}}, between...)
	rq.crumbs = append(rq.crumbs, Crumb{Label: title})
	return title
}

// named is the noun of the route's name.
func (rq *request) named() ops.Ref { return ops.Ref{Name: rq.path("name")} }

// listing is the stretch of a list that the URL asks for.
func (rq *request) listing(limit int) ops.Listing {
	return ops.Listing{Limit: limit, Cursor: rq.query("after")}
}

// rowsShown is how many rows lists have on a page.
const rowsShown = 50

// chips are links that choose one of several values of a parameter; the first is
// what there is without it. Choosing begins the list anew.
func (rq *request) chips(param string, options ...Option) (tabs []Tab) {
	now := rq.query(param)
	for i, o := range options {
		q := rq.r.URL.Query()
		q.Del("after")
		q.Set(param, o.Value)
		if i == 0 {
			q.Del(param)
		}
		href := rq.r.URL.Path
		if len(q) > 0 {
			href += "?" + q.Encode()
		}
		tabs = append(tabs, Tab{Label: o.Label, Href: href, Current: now == o.Value || i == 0 && now == ""})
	}
	return tabs
}

// tags reads the fields "key" and "value" of a form that stand in pairs.
func (f *form) tags() (tags []iam.Tag) {
	values := f.Values["value"]
	for i, k := range f.Values["key"] {
		if k = strings.TrimSpace(k); k != "" && i < len(values) {
			tags = append(tags, iam.Tag{Key: k, Value: strings.TrimSpace(values[i])})
		}
	}
	return tags
}

// retag makes a noun's tags those of the form, by the operations that set and
// remove them.
func retag(rq *request, old []iam.Tag, tag func([]iam.Tag) error, untag func([]string) error) error {
	set := rq.form().tags()
	var gone []string
	for _, t := range old {
		if !slices.ContainsFunc(set, func(s iam.Tag) bool { return strings.EqualFold(s.Key, t.Key) }) {
			gone = append(gone, t.Key)
		}
	}
	set = slices.DeleteFunc(set, func(s iam.Tag) bool { return slices.Contains(old, s) })
	if len(gone) > 0 {
		if err := untag(gone); err != nil {
			return err
		}
	}
	if len(set) > 0 {
		return tag(set)
	}
	return nil
}

// confirmed reports whether the form repeats a name, and marks it if not.
func (f *form) confirmed(name string) bool {
	if f.text("confirm") == name {
		return true
	}
	f.wrong("confirm", "form.confirm.differs")
	return false
}
