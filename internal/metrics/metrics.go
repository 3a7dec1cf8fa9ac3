package metrics

import (
	"net/http"
	"runtime/debug"
	"strconv"
	"sync"

	"github.com/VictoriaMetrics/metrics"

	"warifu/internal/ops"
)

// buckets are the bounds of the histograms in seconds: a signed read takes about
// 0.2 ms, a durable write 1 ms, a password 30 ms, what a user notices 1 s.
var buckets = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5}

// Metrics holds the counters of one server. It is safe for concurrent use.
//
//	warifu_operations_total{door,kind,operation,result}  finished operations; kind is that of the fault
//	warifu_operation_seconds{door}                       from the verified signature to the commit
//	warifu_http_requests_total{route,status}             answered requests; status is its class
//	warifu_http_requests_in_flight{route}                requests that are being answered
//	warifu_mail_messages_total{channel,outcome}          tries to send a message: sent, later, never
//	warifu_panics_total                                  requests that ended in a fault of the program
//	warifu_build_info{go,version}                        always 1
type Metrics struct {
	set        *metrics.Set
	operations family[operation, *metrics.Counter]
	durations  family[string, *metrics.PrometheusHistogram]
	requests   family[[2]string, *metrics.Counter]
	inFlight   family[string, *metrics.Gauge]
	messages   family[[2]string, *metrics.Counter]
	panics     *metrics.Counter
}

// operation is the labels of a finished operation.
type operation struct{ door, operation, result, kind string }

// family is series of one name by their labels. Spelling a name is slower than
// the operation that is counted may be, so it is done once per series.
type family[Labels comparable, M any] struct {
	mu    sync.RWMutex
	known map[Labels]M
	make  func(Labels) M
}

func (f *family[Labels, M]) of(l Labels) M {
	f.mu.RLock()
	m, ok := f.known[l]
	f.mu.RUnlock()
	if ok {
		return m
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if m, ok = f.known[l]; !ok {
		m = f.make(l)
		if f.known == nil {
			f.known = map[Labels]M{}
		}
		f.known[l] = m
	}
	return m
}

// New returns metrics of the process and the program; version labels the one
// series that tells which program it is.
func New(version string) *Metrics {
	set := metrics.NewSet()
	m := &Metrics{set: set, panics: set.NewCounter("warifu_panics_total")}
	m.operations.make = func(o operation) *metrics.Counter {
		return set.NewCounter(series("warifu_operations_total", "door", o.door, "kind", o.kind, "operation", o.operation, "result", o.result))
	}
	m.durations.make = func(door string) *metrics.PrometheusHistogram {
		return set.NewPrometheusHistogramExt(series("warifu_operation_seconds", "door", door), buckets)
	}
	m.requests.make = func(l [2]string) *metrics.Counter {
		return set.NewCounter(series("warifu_http_requests_total", "route", l[0], "status", l[1]))
	}
	m.inFlight.make = func(route string) *metrics.Gauge {
		return set.NewGauge(series("warifu_http_requests_in_flight", "route", route), nil)
	}
	m.messages.make = func(l [2]string) *metrics.Counter {
		return set.NewCounter(series("warifu_mail_messages_total", "channel", l[0], "outcome", l[1]))
	}
	set.NewGauge(series("warifu_build_info", "go", goVersion(), "version", version), func() float64 { return 1 })
	return m
}

// series spells the name of a series with its labels.
func series(name string, labels ...string) string {
	b := append([]byte(name), '{')
	for i := 0; i < len(labels); i += 2 {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendQuote(append(append(b, labels[i]...), '='), labels[i+1])
	}
	return string(append(b, '}'))
}

func goVersion() string {
	if b, ok := debug.ReadBuildInfo(); ok {
		return b.GoVersion
	}
	return "unknown"
}

// otherService stands for every operation of the services behind the gateway.
const otherService = "*"

// Observe counts a finished operation.
func (m *Metrics) Observe(o ops.Observation) {
	if o.Door == "gateway" {
		o.Operation = otherService // a client could choose among thousands
	}
	m.operations.of(operation{o.Door, o.Operation, string(o.Result), o.Kind}).Inc()
	m.durations.of(o.Door).Update(o.Took.Seconds())
}

// Gauge adds a value that is read when it is asked for.
func (m *Metrics) Gauge(name string, read func() float64) { m.set.NewGauge(name, read) }

// Delivered counts a try to send a message.
func (m *Metrics) Delivered(channel, outcome string) {
	m.messages.of([2]string{channel, outcome}).Inc()
}

// GaugeOf is Gauge for one of several values that a label tells apart.
func (m *Metrics) GaugeOf(name, label, value string, read func() float64) {
	m.set.NewGauge(series(name, label, value), read)
}

// Panic counts a request that ended in a panic.
func (m *Metrics) Panic() { m.panics.Inc() }

// Begin counts a request of a route as being answered; call the function that it
// returns with the status at the end.
func (m *Metrics) Begin(route string) (end func(status int)) {
	g := m.inFlight.of(route)
	g.Inc()
	return func(status int) {
		g.Dec()
		m.requests.of([2]string{route, class(status)}).Inc()
	}
}

// class is the first digit of a status and xx; unusual statuses would be labels
// that an upstream chooses.
func class(status int) string {
	if status < 100 || status > 599 {
		return "other"
	}
	return strconv.Itoa(status/100) + "xx"
}

// Handler answers scrapes, in the text format of Prometheus.
func (m *Metrics) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		m.set.WritePrometheus(w)
		metrics.WriteProcessMetrics(w)
	})
}
