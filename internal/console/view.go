package console

import (
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"time"

	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/seal"
)

//go:embed templates
var templateFiles embed.FS

// views are the parsed templates, one set per language.
type views map[string]*template.Template

func loadViews(a *assets) (views, error) {
	var files []string
	err := fs.WalkDir(templateFiles, "templates", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, name)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	all := views{}
	for code, l := range languages {
		set := template.New("").Option("missingkey=error").Funcs(l.funcs(a)).Funcs(l.securityFuncs()).Funcs(l.adminFuncs()).Funcs(mailFuncs()).Funcs(bindFuncs()).Funcs(l.insightFuncs()).Funcs(l.passkeyFuncs())
		if all[code], err = set.ParseFS(templateFiles, files...); err != nil {
			return nil, fmt.Errorf("templates: %w", err)
		}
	}
	return all, nil
}

// view is what a page's template sees.
type view struct {
	Title     string
	Lang      *language
	Theme     string
	Nonce     string
	Here      string // path and query, to come back to
	Path      string
	Token     string // for sign-in forms
	Flash     string
	FlashNote bool // it tells of something that did not happen
	Nav       []navGroup
	Crumbs    []Crumb
	Me        *me // nil when nobody is signed in
	Form      *form
	D         any // the page's own data

	Version string
	Now     time.Time
	Langs   []*language
}

// me is who is signed in, for the page's frame.
type me struct {
	Name    string // user name, or root's
	Root    bool
	Account string // alias, or the number
	MFA     bool
	Notices int         // unread
	Loud    *iam.Notice // of those, one that must not be missed
}

// navGroup is a part of the navigation.
type navGroup struct {
	Title string
	Items []navItem
}

type navItem struct {
	Label, Path, Icon string
	Current           bool
}

// Crumb is a step of the way to a page.
type Crumb struct{ Label, Href string }

// view gathers what the page's frame shows.
func (rq *request) view(title string, data any) *view {
	v := &view{
		Title: title, Lang: rq.lang, Theme: rq.theme, Nonce: rq.nonce, Here: rq.here(), Path: rq.r.URL.Path,
		Me: rq.me(), Form: rq.form(), D: data, Version: rq.c.Version, Now: rq.at, Crumbs: rq.crumbs,
	}
	for _, code := range languageOrder {
		v.Langs = append(v.Langs, languages[code])
	}
	if f := rq.hear(); f.key != "" {
		v.Flash, v.FlashNote = rq.t(f.key, f.args...), strings.HasPrefix(f.key, flashPrefix+"note.")
	}
	if v.Me == nil {
		v.Token, _ = rq.token() // without one the form is refused
	} else {
		v.Nav = rq.nav()
	}
	return v
}

// nav is the navigation: the routes that have an entry, in the table's order.
func (rq *request) nav() (groups []navGroup) {
	current := ""
	for i := range rq.c.routes {
		if r := &rq.c.routes[i]; r.Nav != "" && inside(rq.r.URL.Path, r.Pattern) && len(r.Pattern) > len(current) {
			current = r.Pattern
		}
	}
	for i := range rq.c.routes {
		r := &rq.c.routes[i]
		if r.Nav == "" {
			continue
		}
		title := ""
		if r.Section != "" {
			title = rq.t(r.Section)
		}
		if len(groups) == 0 || groups[len(groups)-1].Title != title {
			groups = append(groups, navGroup{Title: title})
		}
		g := &groups[len(groups)-1]
		g.Items = append(g.Items, navItem{Label: rq.t(r.Nav), Path: r.Pattern, Icon: r.Icon, Current: r.Pattern == current})
	}
	return groups
}

// inside reports whether a page belongs under an entry of the navigation.
func inside(path, entry string) bool {
	return path == entry || entry != home && strings.HasPrefix(path, entry+"/")
}

// funcs are what templates can call besides html/template's own.
func (l *language) funcs(a *assets) template.FuncMap {
	return template.FuncMap{
		"t":     l.text,
		"rich":  l.rich,
		"asset": func(file string) string { return a.prefix + file },
		"at":    func(t time.Time) moment { return moment{At: t, Zero: t.IsZero()} },
		"ago":   l.ago,
		"short": func(n int, s string) string { return short(n, s) },
		"list":  func(v ...any) []any { return v },
		"icon":  iconOf,
		"fours": func(s string) []string { return chunks(s, 4) },
		"rules": l.passwordRules,
		// A secret is shown where a template says so, and nowhere else.
		"reveal":  func(s seal.Secret) string { return string(s.Reveal()) },
		"num":     func(n int) string { return shown(n) },
		"str":     func(v any) string { return fmt.Sprint(v) },
		"id":      func(id name.ID) string { return id.String() },
		"add":     func(a, b int) int { return a + b },
		"minutes": func(d time.Duration) int { return int(d / time.Minute) },

		"Button": component[Button], "Field": component[Field], "Select": component[Select], "Option": component[Option],
		"Checkbox": component[Checkbox], "Radios": component[Radios], "Code": component[Code], "Head": component[Head],
		"Badge": component[Badge], "Callout": component[Callout], "Empty": component[Empty], "Copy": component[Copy],
		"Tab": component[Tab], "Pages": component[Pages], "Steps": component[Steps], "Dialog": component[Dialog], "Pair": component[Pair],
		"Crumb": component[Crumb],
	}
}

// component makes the value of a component from pairs of field and value.
func component[T any](pairs ...any) (v T, err error) {
	if len(pairs)%2 != 0 {
		return v, fmt.Errorf("%T: a field has no value", v)
	}
	s := reflect.ValueOf(&v).Elem()
	for i := 0; i < len(pairs); i += 2 {
		field, ok := pairs[i].(string)
		if !ok {
			return v, fmt.Errorf("%T: %v is no field's name", v, pairs[i])
		}
		if err := assign(s.FieldByName(field), pairs[i+1]); err != nil {
			return v, fmt.Errorf("%T.%s: %w", v, field, err)
		}
	}
	return v, nil
}

// assign sets a field. A slice field takes what the template function list made.
func assign(to reflect.Value, v any) error {
	if !to.IsValid() {
		return fmt.Errorf("there is no such field")
	}
	from := reflect.ValueOf(v)
	items, isList := v.([]any)
	switch {
	case v == nil:
		return nil
	case from.Type().AssignableTo(to.Type()):
		to.Set(from)
	case to.Kind() == reflect.String && from.Kind() == reflect.String:
		to.SetString(from.String())
	case to.Kind() == reflect.Slice && isList:
		for _, it := range items {
			e := reflect.New(to.Type().Elem()).Elem()
			if err := assign(e, it); err != nil {
				return err
			}
			to.Set(reflect.Append(to, e))
		}
	default:
		return fmt.Errorf("%s does not fit", from.Type())
	}
	return nil
}

// moment is a time for the templates "time" and "ago".
type moment struct {
	At   time.Time
	Zero bool
	Text string // how long ago, in words
}

// ISO is the machine's form.
func (m moment) ISO() string { return m.At.UTC().Format("2006-01-02T15:04:05Z") }

// UTC is the form that a page without JavaScript shows.
func (m moment) UTC() string { return m.At.UTC().Format("2006-01-02 15:04") + " UTC" }

// ago says how long before now a time was, or how far ahead it lies.
func (l *language) ago(t, now time.Time) moment {
	m := moment{At: t, Zero: t.IsZero()}
	d, key := now.Sub(t), "ago."
	if d < -time.Second {
		d, key = -d, "in."
	}
	switch {
	case d < time.Minute:
		m.Text = l.text(key + "moment")
	case d < time.Hour:
		m.Text = l.text(key+"minutes", "n", int(d/time.Minute))
	case d < 24*time.Hour:
		m.Text = l.text(key+"hours", "n", int(d/time.Hour))
	case d < 60*24*time.Hour:
		m.Text = l.text(key+"days", "n", int(d/(24*time.Hour)))
	case d < 2*365*24*time.Hour:
		m.Text = l.text(key+"months", "n", int(d/(30*24*time.Hour)))
	default:
		m.Text = l.text(key+"years", "n", int(d/(365*24*time.Hour)))
	}
	return m
}

// short is the first n characters of a text.
func short(n int, s string) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(slices.Concat(r[:n], []rune("…")))
}

// passwordRules says what a policy asks of a new password.
func (l *language) passwordRules(p ops.PasswordPolicy) string {
	var what []string
	for _, r := range []struct {
		on  bool
		key string
	}{{p.RequireUppercase, "uppercase"}, {p.RequireLowercase, "lowercase"}, {p.RequireNumbers, "number"}, {p.RequireSymbols, "symbol"}} {
		if r.on {
			what = append(what, l.text("password.rules."+r.key))
		}
	}
	if p.DifferentCharacters > 1 {
		what = append(what, l.text("password.rules.different", "n", p.DifferentCharacters))
	}
	rules := l.text("password.rules", "n", p.MinimumLength)
	if len(what) > 0 {
		rules = l.text("password.rules.more", "n", p.MinimumLength, "what", strings.Join(what, l.text("list.separator")))
	}
	if p.NotContainName {
		rules += " " + l.text("password.rules.noname")
	}
	return rules
}

// chunks cuts a text into pieces of n bytes.
func chunks(s string, n int) (all []string) {
	for piece := range slices.Chunk([]byte(s), n) {
		all = append(all, string(piece))
	}
	return all
}
