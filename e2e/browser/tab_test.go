package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long a page may take to load on a busy machine.
const patience = 45 * time.Second

// tab is a tab of the browser.
type tab struct {
	*watch
	t    *testing.T
	ctx  context.Context
	base string
	lang string // what the browser asks for
}

// open opens a tab in a profile of its own: nothing is signed in there.
func (s *site) open(t *testing.T, lang string) *tab {
	t.Helper()
	return newTab(t, world.chrome, s.base, lang, chromedp.WithNewBrowserContext())
}

// another opens a second tab beside b, with the same cookies.
func (b *tab) another() *tab {
	b.t.Helper()
	return newTab(b.t, b.ctx, b.base, b.lang)
}

func newTab(t *testing.T, parent context.Context, base, lang string, options ...chromedp.ContextOption) *tab {
	t.Helper()
	b := &tab{watch: newWatch(), t: t, base: base, lang: lang}
	ctx, cancel := chromedp.NewContext(parent, append(options, chromedp.WithListener(b.listen))...)
	t.Cleanup(cancel)
	b.ctx = ctx
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	must(call(b, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{
		UserAgent: world.agent, AcceptLanguage: acceptLanguage[lang],
	}))(t)
	must(call(b, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}))(t)
	must(call(b, audits.Enable, cdp.Empty{}))(t)
	must(call(b, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true}))(t)
	must(call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watchScript}))(t)
	b.show(false, 1280)
	t.Cleanup(b.settle)
	return b
}

// call sends a command of the protocol to the tab.
func call[P, R any](b *tab, cmd cdp.Command[P, R], params P) (R, error) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	r, err := chromedp.Call(ctx, cmd, params)
	if err != nil {
		err = fmt.Errorf("%s: %w", cmd.Method, err)
	}
	return r, err
}

// must is for commands that fail only when the browser does.
func must[R any](r R, err error) func(*testing.T) R {
	return func(t *testing.T) R {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
}

// show sets what the page is shown in.
func (b *tab) show(dark bool, width int64) {
	b.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	must(call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme},
			{Name: "prefers-reduced-motion", Value: "reduce"}, // colours change at once
		},
	}))(b.t)
	b.resize(width, 800)
}

func (b *tab) resize(width, height int64) {
	b.t.Helper()
	must(call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: height, DeviceScaleFactor: 1,
	}))(b.t)
}

// visit goes to a path of the site, or to a whole address.
func (b *tab) visit(path string) *tab {
	b.t.Helper()
	if strings.HasPrefix(path, "/") {
		path = b.base + path
	}
	b.follow("visit "+path, func() {
		r := must(call(b, page.Navigate, page.NavigateParams{URL: path}))(b.t)
		if r.ErrorText != "" {
			b.t.Fatalf("visit %s: %s", path, r.ErrorText)
		}
	})
	return b
}

// follow does what leads to another page and waits for it.
func (b *tab) follow(what string, do func()) {
	b.t.Helper()
	b.settle()
	b.expect()
	do()
	select {
	case <-b.loaded:
	case <-time.After(patience):
		b.t.Fatalf("%s: no other page came; this one says:\n%s", what, b.text())
	}
	b.settle()
}

func (b *tab) reload() {
	b.t.Helper()
	b.follow("reload", func() { must(call(b, page.Reload, page.ReloadParams{}))(b.t) })
}

// back goes back in the history, as the browser's button does.
func (b *tab) back() {
	b.t.Helper()
	h := must(call(b, page.GetNavigationHistory, cdp.Empty{}))(b.t)
	if h.CurrentIndex == 0 {
		b.t.Fatal("there is no page to go back to")
	}
	b.follow("back", func() {
		must(call(b, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: h.Entries[h.CurrentIndex-1].ID}))(b.t)
	})
}

// eval evaluates an expression in the page.
func eval[T any](b *tab, expression string) (v T) {
	b.t.Helper()
	r := must(call(b, runtime.Evaluate, runtime.EvaluateParams{Expression: expression, ReturnByValue: new(true), AwaitPromise: new(true)}))(b.t)
	if r.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s %s", expression, r.ExceptionDetails.Text, r.ExceptionDetails.Exception.Description)
	}
	if len(r.Result.Value) > 0 {
		if err := json.Unmarshal(r.Result.Value, &v); err != nil {
			b.t.Fatalf("%s: %v", expression, err)
		}
	}
	return v
}

// path is where the tab is.
func (b *tab) path() string {
	b.t.Helper()
	return eval[string](b, "location.pathname + location.search + location.hash")
}

// at checks where the tab is.
func (b *tab) at(path string) *tab {
	b.t.Helper()
	if got := b.path(); got != path {
		b.t.Fatalf("the tab is at %s, want %s; the page says:\n%s", got, path, b.text())
	}
	return b
}

// text is what can be seen of the page.
func (b *tab) text() string {
	b.t.Helper()
	return eval[string](b, "document.body.innerText")
}

// says checks that the page says something, spaces and lines aside.
func (b *tab) says(want ...string) *tab {
	b.t.Helper()
	page := b.text()
	flat := squeeze(page)
	for _, w := range want {
		if !strings.Contains(flat, squeeze(w)) {
			b.t.Fatalf("%s does not say %q; it says:\n%s", b.path(), w, page)
		}
	}
	return b
}

// soon waits until the page says something that its scripts bring about.
func (b *tab) soon(want string) {
	b.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if strings.Contains(squeeze(b.text()), squeeze(want)) {
			return
		}
	}
	b.says(want)
}

// doesNotSay is the opposite of says.
func (b *tab) doesNotSay(words ...string) *tab {
	b.t.Helper()
	page := b.text()
	for _, w := range words {
		if strings.Contains(squeeze(page), squeeze(w)) {
			b.t.Fatalf("%s says %q:\n%s", b.path(), w, page)
		}
	}
	return b
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// w is the text of a key in the tab's language.
func (b *tab) w(key string, args ...string) string {
	b.t.Helper()
	return word(b.t, b.lang, key, args...)
}

// linkIn is the link in the text of a key.
func (b *tab) linkIn(key string) string {
	b.t.Helper()
	all := must(catalog())(b.t)
	_, after, _ := strings.Cut(all[b.lang][key], "<a>")
	inside, _, _ := strings.Cut(after, "</a>")
	return inside
}

// find finds an element as assistive technology does: by its role and name. A
// name that begins with the wanted one will do when there is one such element.
func (b *tab) find(role, name string) cdp.BackendNodeID {
	b.t.Helper()
	exact, begin, all := b.search(role, name)
	switch {
	case len(exact) == 1:
		return exact[0]
	case len(exact) == 0 && len(begin) == 1:
		return begin[0]
	}
	b.t.Fatalf("%s has %d elements %s %q and %d that begin so; there are %q", b.path(), len(exact), role, name, len(begin), all)
	return 0
}

func (b *tab) search(role, name string) (exact, begin []cdp.BackendNodeID, all []string) {
	b.t.Helper()
	return b.searchIn("document", role, name)
}

// searchIn is search in the part of the page that an expression gives.
func (b *tab) searchIn(part, role, name string) (exact, begin []cdp.BackendNodeID, all []string) {
	b.t.Helper()
	document := must(call(b, runtime.Evaluate, runtime.EvaluateParams{Expression: part}))(b.t)
	found := must(call(b, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{ObjectID: document.Result.ObjectID, Role: role}))(b.t)
	for _, n := range found.Nodes {
		var got string
		if n.Ignored || n.Name == nil || json.Unmarshal(n.Name.Value, &got) != nil {
			continue
		}
		got, name := squeeze(got), squeeze(name)
		all = append(all, got)
		switch {
		case got == name:
			exact = append(exact, n.BackendDOMNodeID)
		case strings.HasPrefix(got, name):
			begin = append(begin, n.BackendDOMNodeID)
		}
	}
	return exact, begin, all
}

// hit clicks on an element with the mouse.
func (b *tab) hit(n cdp.BackendNodeID) {
	b.t.Helper()
	must(call(b, dom.ScrollIntoViewIfNeeded, dom.ScrollIntoViewIfNeededParams{BackendNodeID: n}))(b.t)
	quads := must(call(b, dom.GetContentQuads, dom.GetContentQuadsParams{BackendNodeID: n}))(b.t).Quads
	if len(quads) == 0 {
		b.t.Fatalf("an element to click on is not shown at %s", b.path())
	}
	q := quads[0]
	x, y := (q[0]+q[2]+q[4]+q[6])/4, (q[1]+q[3]+q[5]+q[7])/4
	for _, what := range []input.DispatchMouseEventType{input.DispatchMouseEventTypeMouseMoved, input.DispatchMouseEventTypeMousePressed, input.DispatchMouseEventTypeMouseReleased} {
		p := input.DispatchMouseEventParams{Type: what, X: x, Y: y}
		if what != input.DispatchMouseEventTypeMouseMoved {
			p.Button, p.ClickCount = input.MouseButtonLeft, 1
		}
		must(call(b, input.DispatchMouseEvent, p))(b.t)
	}
}

// press clicks on a button that stays on the page.
func (b *tab) press(role, name string) *tab {
	b.t.Helper()
	b.hit(b.find(role, name))
	return b
}

// click clicks on a button and waits for the page that it leads to.
func (b *tab) click(name string) *tab {
	b.t.Helper()
	n := b.find("button", name)
	b.follow("click on "+name, func() { b.hit(n) })
	return b
}

// link follows a link.
func (b *tab) link(name string) *tab {
	b.t.Helper()
	return b.linkOf("document", name)
}

// view goes to another view of what the page is about.
func (b *tab) view(name string) *tab {
	b.t.Helper()
	return b.linkOf("document.querySelector('.tabs')", name)
}

func (b *tab) linkOf(part, name string) *tab {
	b.t.Helper()
	exact, begin, all := b.searchIn(part, "link", name)
	if exact = append(exact, begin...); len(exact) == 0 {
		b.t.Fatalf("%s has no link %q; there are %q", b.path(), name, all)
	}
	n := exact[0] // the same words lead to the same page
	b.follow("link "+name, func() { b.hit(n) })
	return b
}

// fill types into the field with a label, over what stands there.
func (b *tab) fill(label, text string) *tab {
	b.t.Helper()
	b.hit(b.find("textbox", label))
	b.key("a", ctrl)
	must(call(b, input.InsertText, input.InsertTextParams{Text: text}))(b.t)
	return b
}

// value is what stands in the field with a label.
func (b *tab) value(label string) string {
	b.t.Helper()
	o := must(call(b, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: b.find("textbox", label)}))(b.t)
	r := must(call(b, runtime.CallFunctionOn, runtime.CallFunctionOnParams{
		ObjectID: o.Object.ObjectID, FunctionDeclaration: "function() { return this.value }", ReturnByValue: new(true),
	}))(b.t)
	var s string
	if err := json.Unmarshal(r.Result.Value, &s); err != nil {
		b.t.Fatal(err)
	}
	return s
}

// Modifiers of keys, as the protocol counts them.
const (
	plain = 0
	ctrl  = 2
	shift = 8
)

var keyCodes = map[string]int64{"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "ArrowDown": 40, "ArrowUp": 38}

// key presses and releases a key.
func (b *tab) key(name string, modifiers int64) {
	b.t.Helper()
	p := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeRawKeyDown, Key: name, Modifiers: modifiers, WindowsVirtualKeyCode: keyCodes[name]}
	if upper := strings.ToUpper(name)[0]; keyCodes[name] == 0 && (upper >= 'A' && upper <= 'Z' || upper >= '0' && upper <= '9') {
		p.WindowsVirtualKeyCode = int64(upper) // of other characters it would be another key: 34 is " and Page Down
	}
	switch {
	case name == "Enter":
		p.Type, p.Text = input.DispatchKeyEventTypeKeyDown, "\r"
	case modifiers == ctrl && name == "a":
		p.Commands = []string{"selectAll"}
	case len(name) == 1 && modifiers != ctrl:
		p.Type, p.Text = input.DispatchKeyEventTypeKeyDown, name
	}
	must(call(b, input.DispatchKeyEvent, p))(b.t)
	p.Type, p.Text, p.Commands = input.DispatchKeyEventTypeKeyUp, "", nil
	must(call(b, input.DispatchKeyEvent, p))(b.t)
}

// types types on the keyboard, into whatever has the focus.
func (b *tab) types(text string) {
	b.t.Helper()
	for _, r := range text {
		b.key(string(r), plain)
	}
}

// buttons are all buttons with a name.
func (b *tab) buttons(name string) []cdp.BackendNodeID {
	b.t.Helper()
	exact, begin, _ := b.search("button", name)
	return append(exact, begin...)
}

// choose chooses one of several.
func (b *tab) choose(label string) *tab {
	b.t.Helper()
	b.hit(b.find("radio", label))
	return b
}

// toggle checks a box, or unchecks it.
func (b *tab) toggle(label string) *tab {
	b.t.Helper()
	b.hit(b.find("checkbox", label))
	return b
}
