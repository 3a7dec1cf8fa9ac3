package metrics

import (
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"warifu/internal/ops"
)

// buckets are the bounds of the histograms in seconds: a signed read takes about
// 0.2 ms, a durable write 1 ms, a password 30 ms, what a user notices 1 s.
var buckets = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5}

// Metrics holds the counters of one server. It is safe for concurrent use.
type Metrics struct {
	registry   *prometheus.Registry
	operations *prometheus.CounterVec
	durations  *prometheus.HistogramVec
	requests   *prometheus.CounterVec
	inFlight   *prometheus.GaugeVec
	panics     prometheus.Counter
}

// New returns metrics of the process and the program; version labels the one
// series that tells which program it is.
func New(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		operations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "warifu_operations_total",
			Help: "Finished operations by door, operation, result (allowed, refused, failed) and kind of fault.",
		}, []string{"door", "operation", "result", "kind"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "warifu_operation_seconds", Buckets: buckets,
			Help: "How long operations took, from the verified signature to the commit.",
		}, []string{"door"}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "warifu_http_requests_total",
			Help: "Answered requests by route and class of status.",
		}, []string{"route", "status"}),
		inFlight: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "warifu_http_requests_in_flight",
			Help: "Requests that are being answered.",
		}, []string{"route"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "warifu_panics_total",
			Help: "Requests that ended in a fault of the program. Anything but 0 is worth a report.",
		}),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "warifu_build_info", Help: "Always 1; the labels tell which program this is.",
		ConstLabels: prometheus.Labels{"version": version, "go": goVersion()},
	})
	info.Set(1)
	m.registry.MustRegister(m.operations, m.durations, m.requests, m.inFlight, m.panics, info,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
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
	m.operations.WithLabelValues(o.Door, o.Operation, string(o.Result), o.Kind).Inc()
	m.durations.WithLabelValues(o.Door).Observe(o.Took.Seconds())
}

// Gauge adds a value that is read when it is asked for.
func (m *Metrics) Gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
}

// Panic counts a request that ended in a panic.
func (m *Metrics) Panic() { m.panics.Inc() }

// Begin counts a request of a route as being answered; call the function that it
// returns with the status at the end.
func (m *Metrics) Begin(route string) (end func(status int)) {
	g := m.inFlight.WithLabelValues(route)
	g.Inc()
	return func(status int) {
		g.Dec()
		m.requests.WithLabelValues(route, class(status)).Inc()
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

// Handler answers scrapes.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Timeout: 10 * time.Second})
}
