package browser

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
)

// view is one way to look at a page.
type view struct {
	dark  bool
	width int64
}

func (v view) String() string {
	if v.dark {
		return fmt.Sprintf("dark-%d", v.width)
	}
	return fmt.Sprintf("light-%d", v.width)
}

// The views that a page is seen in: both schemes and both widths each time, and
// every combination between the languages.
var (
	someViews  = []view{{false, 1280}, {true, 360}}
	otherViews = []view{{true, 1280}, {false, 360}}
)

func (b *tab) views() []view {
	if b.lang == "ja" {
		return otherViews
	}
	return someViews
}

// look looks at the page as it is, in every view of its language: nothing is
// too wide, unlabelled, untranslated or hard to read. name is for the picture.
func (b *tab) look(name string) *tab {
	b.t.Helper()
	if n := b.transferred(); n > maxBytes {
		b.t.Errorf("%s transfers %d bytes, more than %d", b.path(), n, maxBytes)
	}
	b.translated()
	shape := eval[string](b, shapeScript)
	for _, v := range b.views() {
		b.show(v.dark, v.width)
		b.fits(v)
		b.reachable(v)
		if _, seen := shapes.LoadOrStore(v.String()+shape, true); !seen {
			b.axe(v)
		}
		b.picture(name, v)
	}
	b.show(false, 1280)
	b.settle()
	return b
}

// shapes are the pages that axe has looked at, by view and shape. It takes half a
// second each time, and finds the same where only words differ.
var shapes sync.Map

// shapeScript tells the shape of the page: its elements in order, with what axe
// judges by, and whether there is a text, but not which.
const shapeScript = `(() => {
	const of = (n) => n.nodeType == Node.TEXT_NODE ? (n.data.trim() ? "t" : "") : n.nodeType != Node.ELEMENT_NODE ? "" :
		"<" + n.tagName + [...n.attributes].filter((a) => a.value).map((a) =>
			/^(class|role|type|open|hidden|disabled|tabindex|aria-(current|hidden|expanded|invalid|live))$/.test(a.name) ? a.name + "=" + a.value : a.name).join() +
		">" + (n.tagName == "svg" || n.tagName == "SCRIPT" ? "" : [...n.childNodes].map(of).join("")) + "/";
	return of(document.body);
})()`

// translated checks that the page is in the tab's language, whole.
func (b *tab) translated() {
	b.t.Helper()
	if got := eval[string](b, "document.documentElement.lang"); got != htmlLang[b.lang] {
		b.t.Errorf("%s is in %q, want %q", b.path(), got, htmlLang[b.lang])
	}
	for _, k := range keysIn(b.t, b.text()) {
		b.t.Errorf("%s shows the key %s instead of a text", b.path(), k)
	}
	if b.lang == "en" {
		return
	}
	english := englishOnly(b.t, b.lang)
	for _, text := range eval[[]string](b, textsScript) {
		if key, ok := english[text]; ok {
			b.t.Errorf("%s says %q (%s) in a page in %s", b.path(), text, key, b.lang)
		}
	}
}

// textsScript collects the texts of the page and of its labels.
const textsScript = `(() => {
	const out = [];
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (walk.nextNode()) {
		const el = walk.currentNode.parentElement;
		const s = walk.currentNode.data.trim().replace(/\s+/g, " ");
		if (s && !el.closest("[lang]:not(html), [translate=no], code, pre, script, textarea")) out.push(s);
	}
	for (const el of document.querySelectorAll("[aria-label],[title],[placeholder],[alt]"))
		if (!el.closest("[lang]:not(html)"))
			for (const a of ["aria-label", "title", "placeholder", "alt"]) if (el.hasAttribute(a)) out.push(el.getAttribute(a));
	out.push(document.title.replace(/ · Warifu$/, ""));
	return out;
})()`

// fits checks that the page does not scroll sideways and that no text is cut.
func (b *tab) fits(v view) {
	b.t.Helper()
	for _, s := range eval[[]string](b, fitsScript) {
		b.t.Errorf("%s, %s: %s", b.path(), v, s)
	}
}

const fitsScript = `(() => {
	const out = [], root = document.documentElement, wide = root.clientWidth;
	const say = (el) => el.tagName.toLowerCase() + (el.className && el.className.baseVal === undefined ? "." + el.className.split(" ").join(".") : "") + " " + JSON.stringify((el.textContent || "").trim().slice(0, 40));
	if (root.scrollWidth > wide) {
		out.push("the page is " + root.scrollWidth + " wide and the window " + wide);
		for (const el of document.body.querySelectorAll("*"))
			if (el.getBoundingClientRect().right > wide + 1 && out.length < 4) out.push("too wide: " + say(el));
	}
	for (const el of document.body.querySelectorAll("button, .button, label, th, td, dt, dd, h1, h2, h3, p, .badge, summary")) {
		const s = getComputedStyle(el);
		if (el.closest(".out-of-sight, [hidden], dialog:not([open])") || s.visibility == "hidden" || !el.getClientRects().length) continue;
		if (s.overflowX != "visible" && s.overflowX != "auto" && s.overflowX != "scroll" && el.scrollWidth > el.clientWidth + 1) out.push("text is cut: " + say(el));
	}
	return out;
})()`

// reachable checks that all that can be clicked on can be had with the Tab key in
// the order of the page, and that it shows the focus and is not covered then
// (WCAG 2.1.1, 2.4.3, 2.4.7, 2.4.11).
func (b *tab) reachable(v view) {
	b.t.Helper()
	for _, s := range eval[[]string](b, reachableScript) {
		b.t.Errorf("%s, %s: %s", b.path(), v, s)
	}
}

const reachableScript = `(() => {
	const out = [], was = document.activeElement;
	const say = (el) => el.tagName.toLowerCase() + " " + JSON.stringify((el.ariaLabel || el.name || el.textContent || "").trim().slice(0, 40));
	const within = document.querySelector("dialog[open]") || document, menu = document.querySelector(".menu[open]");
	for (const el of within.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]")) {
		if (el.disabled || el.closest("[hidden], dialog:not([open])") || !el.checkVisibility({ visibilityProperty: true }) || el.matches("[tabindex='-1']")) continue;
		if (el.tabIndex !== 0) { out.push("the order of Tab is changed: " + say(el)); continue; }
		document.activeElement.blur();
		el.focus({ focusVisible: true });
		if (document.activeElement !== el) { out.push("it cannot have the focus: " + say(el)); continue; }
		const ring = [el, el.closest(".affix, .pane")].some((e) => e && getComputedStyle(e).outlineStyle !== "none" && parseFloat(getComputedStyle(e).outlineWidth) >= 1);
		if (!ring) out.push("it does not show the focus: " + say(el));
		const r = el.getBoundingClientRect(), x = Math.min(innerWidth - 1, Math.max(0, r.left + Math.min(r.width, innerWidth) / 2)), y = r.top + Math.min(r.height, innerHeight) / 2;
		const top = document.elementFromPoint(x, Math.min(innerHeight - 1, Math.max(0, y)));
		const over = top && top.closest(".bar");
		if (over && !over.contains(el) && !menu) out.push("the bar covers it: " + say(el));
	}
	if (was && was !== document.body) was.focus(); else document.activeElement.blur();
	scrollTo(0, 0);
	return out;
})()`

// axeScript runs axe-core with the rules of WCAG 2.2 AA and says what it finds.
const axeScript = `(async () => {
	const r = await axe.run(document, {
		runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] },
		rules: { "target-size": { enabled: true } },
		resultTypes: ["violations"],
		preload: false,
	});
	return r.violations.flatMap((v) => v.nodes.map((n) => v.id + " (" + v.impact + "): " + v.help + ": " + n.html.slice(0, 200) + " — " + n.any.concat(n.all, n.none).map((c) => c.message).join("; ")));
})()`

// axe runs axe-core in a world of its own, which the page's scripts and its
// Content-Security-Policy do not see.
func (b *tab) axe(v view) {
	b.t.Helper()
	tree := must(call(b, page.GetFrameTree, cdp.Empty{}))(b.t)
	apart := must(call(b, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: tree.FrameTree.Frame.ID, WorldName: "axe"}))(b.t)
	in := func(source string) *runtime.RemoteObject {
		r := must(call(b, runtime.Evaluate, runtime.EvaluateParams{
			Expression: source, ContextID: apart.ExecutionContextID, ReturnByValue: new(true), AwaitPromise: new(true),
		}))(b.t)
		if r.ExceptionDetails != nil {
			b.t.Fatalf("axe-core: %s", describe(r.ExceptionDetails))
		}
		return r.Result
	}
	if string(in("typeof axe").Value) == `"undefined"` {
		in(world.axe + "; 0")
	}
	var findings []string
	if err := json.Unmarshal(in(axeScript).Value, &findings); err != nil {
		b.t.Fatal(err)
	}
	for _, f := range findings {
		b.t.Errorf("%s, %s, %s: axe: %s", b.path(), b.lang, v, f)
	}
}

var (
	pictures atomic.Int64
	odd      = regexp.MustCompile(`[^a-zA-Z0-9]+`)
)

// picture keeps a picture of the whole page, when somebody wants pictures.
func (b *tab) picture(name string, v view) {
	b.t.Helper()
	folder := os.Getenv("WARIFU_SCREENSHOTS")
	if folder == "" {
		return
	}
	// As tall as the page: what lies below the window may not have been drawn.
	height := eval[int64](b, "Math.min(6000, Math.max(document.documentElement.scrollHeight, innerHeight))")
	b.resize(v.width, height)
	shot := must(call(b, page.CaptureScreenshot, page.CaptureScreenshotParams{}))(b.t)
	file := fmt.Sprintf("%s-%s-%s-%s.png", strings.ToLower(odd.ReplaceAllString(b.t.Name(), "-")), odd.ReplaceAllString(name, "-"), b.lang, v)
	if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%03d-%s", pictures.Add(1), file)), shot.Data, 0o644); err != nil {
		b.t.Fatal(err)
	}
}
