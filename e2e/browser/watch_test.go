package browser

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
)

// maxBytes is what a page may transfer, with everything that belongs to it.
const maxBytes = 100 << 10

// watchScript reports violations of the Content-Security-Policy as errors on the
// console, where the watch finds them.
const watchScript = `document.addEventListener("securitypolicyviolation", (e) => {
	console.error("CSP: " + e.violatedDirective + " " + e.blockedURI + " " + e.sample + " at " + e.sourceFile + ":" + e.lineNumber);
});`

// watch is what happens in a tab while it is used.
type watch struct {
	loaded chan struct{} // a page has loaded

	mu     sync.Mutex
	faults []string
	bytes  float64                      // of the page, so far
	status int64                        // of the page
	last   string                       // its address
	urls   map[network.RequestID]string // for messages
}

func newWatch() *watch {
	return &watch{loaded: make(chan struct{}, 1), urls: map[network.RequestID]string{}}
}

// expect forgets about the page that was there.
func (w *watch) expect() {
	select {
	case <-w.loaded:
	default:
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bytes, w.status = 0, 0
}

func (w *watch) fault(format string, args ...any) {
	w.faults = append(w.faults, fmt.Sprintf(format, args...))
}

// listen hears the events of the tab.
func (w *watch) listen(ev any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch ev := ev.(type) {
	case *page.EventLoadEventFired:
		select {
		case w.loaded <- struct{}{}:
		default:
		}
	case *network.EventRequestWillBeSent:
		w.urls[ev.RequestID] = ev.Request.URL
	case *network.EventResponseReceived:
		if ev.Type == network.ResourceTypeDocument {
			w.status, w.last = ev.Response.Status, ev.Response.URL
		} else if ev.Response.Status >= 400 {
			w.fault("%s: status %d", ev.Response.URL, ev.Response.Status)
		}
	case *network.EventLoadingFinished:
		w.bytes += ev.EncodedDataLength
	case *network.EventLoadingFailed:
		if !ev.Canceled {
			w.fault("%s: %s %s", w.urls[ev.RequestID], ev.ErrorText, ev.BlockedReason)
		}
	case *runtime.EventConsoleAPICalled:
		w.console(ev)
	case *runtime.EventExceptionThrown:
		w.fault("exception: %s", describe(ev.ExceptionDetails))
	case *log.EventEntryAdded:
		w.entry(ev.Entry)
	case *audits.EventIssueAdded:
		w.issue(ev.Issue)
	}
}

func (w *watch) console(ev *runtime.EventConsoleAPICalled) {
	switch ev.Type {
	case runtime.ConsoleAPICalledTypeError, runtime.ConsoleAPICalledTypeWarning, runtime.ConsoleAPICalledTypeAssert:
		var parts []string
		for _, a := range ev.Args {
			parts = append(parts, strings.Trim(string(a.Value), `"`)+a.Description)
		}
		w.fault("console %s: %s", ev.Type, strings.Join(parts, " "))
	}
}

// entry takes what the browser itself has to say. The status of a page is for
// the test to judge.
func (w *watch) entry(e *log.Entry) {
	if e.Level != log.EntryLevelError && e.Level != log.EntryLevelWarning {
		return
	}
	if e.Source == log.EntrySourceNetwork && strings.HasPrefix(e.Text, "Failed to load resource: the server responded with a status of") {
		return
	}
	w.fault("browser log, %s %s: %s (%s)", e.Source, e.Level, e.Text, e.URL)
}

func (w *watch) issue(i *audits.InspectorIssue) {
	b, _ := json.Marshal(i.Details) //nolint:errcheck // it is for a message
	w.fault("issue %s: %s", i.Code, b)
}

func describe(d *runtime.ExceptionDetails) string {
	if d.Exception != nil {
		return d.Text + " " + d.Exception.Description
	}
	return d.Text
}

// take is what went wrong since it was asked last.
func (w *watch) take() (faults []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	faults, w.faults = w.faults, nil
	return faults
}

// settle fails the test for what the browser complained of.
func (b *tab) settle() {
	b.t.Helper()
	for _, f := range b.take() {
		b.t.Errorf("%s: %s", b.url(), f)
	}
}

// url is for messages: it works also when the tab is closed.
func (w *watch) url() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last
}

// transferred is how many bytes the page took, with an empty cache.
func (w *watch) transferred() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return int(w.bytes)
}

// answered is the page's status.
func (w *watch) answered() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.status
}
