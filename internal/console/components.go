package console

import (
	"maps"
	"slices"

	"warifu/internal/iam"
	"warifu/internal/ops"
)

// The values of the components. Templates make them with a function of the same
// name; /console/design shows each.

// Button is a button of a form, or with Href a link that looks like one.
type Button struct {
	Label       string
	Kind        string // primary, danger, quiet; "" is the ordinary one
	Name, Value string
	Icon        string
	Href        string
	Form        string // id of the form it belongs to, when it stands outside
	Action      string // formaction
	Download    bool   // what Href leads to is a file
	Dialog      string // id of the dialog that a link opens where there is JavaScript
	Wide        bool
	Small       bool
	Disabled    bool
	Why         string // why it is disabled: shown as its description
}

// Field is a labelled input, its hint and what is wrong with it.
type Field struct {
	Form         *form
	Name         string
	ID           string // "" means Name
	Label        string
	Hint         string
	Type         string // "" means text; textarea makes one
	Value        string // when the form has none
	Autocomplete string
	Placeholder  string
	Inputmode    string
	Prefix       string // shown before the input
	Rows         int
	Max          int
	Required     bool
	Autofocus    bool
	Readonly     bool
	Mono         bool
	Optional     bool // says so beside the label
	Narrow       bool
}

// Key is the id of the input.
func (f Field) Key() string {
	if f.ID != "" {
		return f.ID
	}
	return f.Name
}

// Shown is the value to show. A password is never shown again.
func (f Field) Shown() string {
	if f.Type == "password" {
		return ""
	}
	if f.Form != nil && f.Form.Has(f.Name) {
		return f.Form.Get(f.Name)
	}
	return f.Value
}

// Error is what is wrong with it.
func (f Field) Error() string {
	if f.Form == nil {
		return ""
	}
	return f.Form.Errors[f.Name]
}

// Focus reports whether the input gets the focus: the first wrong one does.
func (f Field) Focus() bool {
	if f.Form != nil && f.Form.First != "" {
		return f.Form.First == f.Name
	}
	return f.Autofocus
}

// Code is the field of a one-time code: one input that takes pasted, spaced and
// full-width digits as they come.
type Code struct {
	Form      *form
	Name      string
	Label     string
	Hint      string
	Autofocus bool
}

// Field is the same as a field, for its error and focus.
func (c Code) Field() Field { return Field{Form: c.Form, Name: c.Name, Autofocus: c.Autofocus} }

// Ask asks for the proof of a factor, in a form that posts device and the answer.
type Ask struct {
	Form   *form
	Prompt ops.Prompt
	Two    bool   // two consecutive codes, to resynchronise a device
	Begin  string // where a form posts device to begin a proof that has to be begun
	Here   string // the page's path, for the links to other factors
	Others []ops.Prompt
}

// Key reports whether it is a passkey or security key that is asked for: any of
// the person's will do.
func (a Ask) Key() bool { return isKey(a.Prompt.Method) }

func isKey(m iam.Method) bool { return m == iam.MethodPasskey || m == iam.MethodU2F }

// Kind is the factor's kind.
func (a Ask) Kind() string { return string(a.Prompt.Method) }

// ask is the Ask of one of several factors: the one that is chosen, or the
// first.
func ask(f *form, all []ops.Prompt, chosen, here string) (a Ask) {
	a = Ask{Form: f, Here: here, Begin: here + "/begin"}
	for i, p := range all {
		if i == 0 || p.ID.String() == chosen {
			a.Prompt = p
		}
	}
	keys := a.Key()
	for _, p := range all {
		if p.ID != a.Prompt.ID && !(keys && isKey(p.Method)) {
			a.Others = append(a.Others, p)
			keys = keys || isKey(p.Method)
		}
	}
	return a
}

// Select is a labelled choice from a list.
type Select struct {
	Form    *form
	Name    string
	Label   string
	Hint    string
	Value   string
	Options []Option
}

// Option is one of a list. A Select or Radios may have a Hint with each.
type Option struct {
	Value, Label, Hint string
}

// Chosen is the value that is selected.
func (s Select) Chosen() string { return Field{Form: s.Form, Name: s.Name, Value: s.Value}.Shown() }

// Error is what is wrong with it.
func (s Select) Error() string { return Field{Form: s.Form, Name: s.Name}.Error() }

// Checkbox is a box and its label. A form that was posted without it has it off.
type Checkbox struct {
	Form        *form
	Name, Value string // Value "" means on
	Label, Hint string
	Checked     bool
}

// On reports whether it is checked.
func (c Checkbox) On() bool {
	if c.Form != nil && len(c.Form.Values) > 0 {
		for _, v := range c.Form.Values[c.Name] {
			if v == c.Sent() {
				return true
			}
		}
		return false
	}
	return c.Checked
}

// Sent is what the browser sends when it is checked.
func (c Checkbox) Sent() string {
	if c.Value == "" {
		return "on"
	}
	return c.Value
}

// Radios is a choice of one among few.
type Radios struct {
	Form    *form
	Name    string
	Label   string
	Value   string
	Options []Option
}

// Chosen is the value that is selected.
func (r Radios) Chosen() string { return Field{Form: r.Form, Name: r.Name, Value: r.Value}.Shown() }

// Error is what is wrong with it.
func (r Radios) Error() string { return Field{Form: r.Form, Name: r.Name}.Error() }

// Head is the head of a card or of a page's section.
type Head struct {
	Title string
	Text  string
	ID    string // of the heading, for aria-labelledby
	Icon  string
	Badge Badge
	Do    Button // at the right
}

// Badge is a word about a thing's state.
type Badge struct {
	Label string
	Kind  string // good, warn, bad, info; "" is neutral
}

// Callout is a remark that must not be overlooked.
type Callout struct {
	Kind  string // info, good, warn, bad
	Title string
	Text  string
	Rich  []stretch // instead of Text
	Do    Button
}

// Icon is the one that goes with the kind.
func (c Callout) Icon() string {
	switch c.Kind {
	case "good":
		return "check"
	case "warn", "bad":
		return "alert"
	}
	return "info"
}

// Empty stands where a list has nothing.
type Empty struct {
	Icon  string
	Title string
	Text  string
	Do    Button
}

// Copy is a value with a button that copies it.
type Copy struct {
	ID     string
	Value  string
	Label  string // for those who do not see it
	Secret bool   // shown in groups of four, to be typed
}

// Tab is one of several views of a thing: a link.
type Tab struct {
	Label, Href string
	Count       string
	Current     bool
}

// Pages leads through a list by cursors.
type Pages struct {
	First string // href of the first page; "" on it
	Next  string // href of the next page; "" on the last
	Text  string // what is shown
}

// Steps shows how far a flow has come; Now counts from 1.
type Steps struct {
	Names []string
	Now   int
}

// Dialog asks before something is done. Its page is the same question for
// browsers without JavaScript.
type Dialog struct {
	ID     string
	Title  string
	Text   string
	Action string // the form's
	Hidden []Pair
	Do     Button
}

// Pair is a name and a value.
type Pair struct{ Name, Value string }

// icons are drawn on a 16 by 16 grid, 1.5 wide, without fill.
var icons = map[string]string{
	"home":     "M2.5 7.2 8 2.5l5.5 4.7v6.3h-3.8V9.8H6.3v3.7H2.5z",
	"shield":   "M8 1.8 13.2 3.6v4c0 3.2-2.1 5.5-5.2 6.6C4.9 13.1 2.8 10.8 2.8 7.6v-4zM5.8 8l1.6 1.6L10.4 6.5",
	"key":      "M5.4 13.2a2.9 2.9 0 1 0 0-5.8 2.9 2.9 0 0 0 0 5.8zM7.5 8.3l5.7-5.7M10.6 5.2l2 2",
	"phone":    "M5 1.8h6a.8.8 0 0 1 .8.8v10.8a.8.8 0 0 1-.8.8H5a.8.8 0 0 1-.8-.8V2.6A.8.8 0 0 1 5 1.800zM7.200 12h1.600",
	"mail":     "M2 3.800h12v8.400H2zM2.300 4.300 8 8.800l5.700-4.500",
	"lock":     "M3.5 7.2h9v6.300h-9zM5.300 7.200V4.800a2.700 2.700 0 0 1 5.400 0v2.400",
	"user":     "M8 7.600a2.700 2.700 0 1 0 0-5.400 2.700 2.700 0 0 0 0 5.400zM2.800 13.800c.500-2.700 2.500-4 5.200-4s4.700 1.300 5.200 4",
	"group":    "M6 7.400a2.400 2.400 0 1 0 0-4.800 2.400 2.400 0 0 0 0 4.800zM1.600 13.300c.400-2.500 2.100-3.700 4.400-3.700s4 1.200 4.400 3.700M10.700 2.900a2.300 2.300 0 0 1 0 4.300M12 10c1.400.500 2.200 1.700 2.500 3.300",
	"role":     "M8 2v12M2.500 5.500h11M4.500 5.500l-2 4.500h4zM11.500 5.500l-2 4.500h4z",
	"policy":   "M4 1.800h5.500l3 3v9.400H4zM9.300 1.800V5h3.200M6 8h4.500M6 10.700h4.500",
	"list":     "M2.500 4h11M2.500 8h11M2.500 12h11",
	"clock":    "M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM8 4.700V8l2.300 1.500",
	"link":     "M6.600 9.400 9.400 6.600M7.300 4.700l1.500-1.500a2.800 2.800 0 0 1 4 4l-1.500 1.500M8.700 11.300l-1.500 1.500a2.800 2.800 0 0 1-4-4l1.500-1.500",
	"block":    "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM3.800 3.800l8.400 8.400",
	"cloud":    "M4.500 12.500a2.800 2.800 0 0 1-.300-5.600 4 4 0 0 1 7.700.700 2.500 2.500 0 0 1-.400 4.900z",
	"settings": "M2 4.500h7M12 4.500h2M9 2.900v3.200h3V2.900zM2 11.500h2M7 11.500h7M4 9.900v3.200h3V9.900z",
	"check":    "M2.800 8.500l3.400 3.400 7-7.600",
	"alert":    "M8 2.200 14.300 13H1.700zM8 6.500v3M8 11.200v.300",
	"info":     "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 7.300v3.500M8 5v.300",
	"copy":     "M5.500 5.500h8v8h-8zM10.500 5.500v-3h-8v8h3",
	"plus":     "M8 3v10M3 8h10",
	"trash":    "M2.500 4.300h11M6 4.300V2.500h4v1.800M4 4.300l.700 9.200h6.600l.700-9.200",
	"out":      "M6.300 2.500H2.800v11h3.500M6 8h7.500M10.800 5.200 13.500 8l-2.700 2.800",
	"down":     "M4 6.200l4 4 4-4",
	"right":    "M6.200 4l4 4-4 4",
	"menu":     "M2.500 4h11M2.500 8h11M2.500 12h11",
	"sun":      "M8 10.800a2.800 2.800 0 1 0 0-5.600 2.800 2.800 0 0 0 0 5.600zM8 1.500v1.300M8 13.200v1.300M1.500 8h1.300M13.200 8h1.300M3.400 3.400l.900.900M11.700 11.700l.900.900M12.600 3.400l-.900.900M4.300 11.700l-.900.900",
	"globe":    "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM2 8h12M8 2c2 2 2.600 4 2.600 6S10 12 8 14C6 12 5.400 10 5.400 8S6 4 8 2z",
	"bell":     "M3.300 11.500h9.400c-1-1-1.300-2-1.300-4.500a3.400 3.400 0 0 0-6.800 0c0 2.500-.300 3.500-1.300 4.500zM6.700 13.500h2.600",
	"laptop":   "M3.500 3h9v7h-9zM1.500 12.500h13",
	"search":   "M7 11.500a4.500 4.500 0 1 0 0-9 4.500 4.500 0 0 0 0 9zM10.300 10.300l3.200 3.200",
	"download": "M8 2.500v7.300M4.800 6.800 8 10l3.200-3.200M2.800 13.300h10.400",
	"passkey":  "M6 7.400a2.700 2.700 0 1 0 0-5.400 2.700 2.700 0 0 0 0 5.400zM1.200 13.500c.400-2.700 2.200-4 4.800-4 .900 0 1.600.200 2.300.500M12 9.200a1.900 1.900 0 1 0 0-3.800 1.900 1.900 0 0 0 0 3.800zM12 9.200v5.200M12 12h1.700",
	"usb":      "M5.500 6.500h5v7.700h-5zM6.500 6.500V2h3v4.500M8 10.500v.300",
	"pen":      "M3 13l.700-3L10.900 2.800l2.300 2.300L6 12.300z",
}

func iconOf(name string) string { return icons[name] }

func iconNames() []string { return slices.Sorted(maps.Keys(icons)) }
