package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"warifu/internal/clientip"
	"warifu/internal/console"
	"warifu/internal/metrics"
)

// Limits of a connection (security checklist N-4). Bodies have their limits at
// the doors.
const (
	headerTimeout = 10 * time.Second // from the first byte of a request to the end of its header
	idleTimeout   = 2 * time.Minute  // between requests; longer than SDKs keep connections
	bodyTimeout   = 30 * time.Second // for the whole request, where nothing streams
	answerTimeout = time.Minute      // for the whole answer, where nothing streams

	// maxHeader is 16 KiB less the 4 KiB that net/http adds to the number.
	maxHeader = 12 << 10
)

// newHTTPServer returns a server with the limits that every listener has.
func newHTTPServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12},
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug), // what strangers send
	}
}

// front stands before the doors: it chooses the door, sets the deadlines of its
// kind, counts, logs, and catches panics.
type front struct {
	doors   *doors
	clients clientip.Proxies
	metrics *metrics.Metrics
	log     *slog.Logger
}

// ServeHTTP implements http.Handler.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d := f.doors.of(r)
	began := time.Now()
	out := &observed{ResponseWriter: w}
	end := f.metrics.Begin(d.name)
	defer func() {
		if p := recover(); p != nil {
			f.recovered(out, r, p)
		}
		end(out.code())
		f.report(out, r, d.name, began)
	}()
	setDeadlines(w, d.streams)
	if len(r.TransferEncoding) > 0 {
		// The request may have had a Content-Length, too, which net/http drops
		// without a word: a proxy that went by it would take what follows for a
		// part of this request (RFC 9112, section 6.3, asks to close).
		w.Header().Set("Connection", "close")
	}
	d.handler.ServeHTTP(out, r)
}

// setDeadlines limits the time of a request. What streams has no limit as a
// whole: a deadline left over from an earlier request on the connection is taken
// away.
func setDeadlines(w http.ResponseWriter, streams bool) {
	var read, write time.Time
	if !streams {
		now := time.Now()
		read, write = now.Add(bodyTimeout), now.Add(answerTimeout)
	}
	c := http.NewResponseController(w)
	c.SetReadDeadline(read)   //nolint:errcheck // not supported by a test's recorder
	c.SetWriteDeadline(write) //nolint:errcheck
}

// recovered answers for a handler that panicked, if nothing was answered yet.
func (f *front) recovered(out *observed, r *http.Request, p any) {
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p) // a gateway's way to end a connection; net/http says nothing about it
	}
	f.metrics.Panic()
	f.log.Error("a request ended in a panic", "method", r.Method, "path", console.Loggable(r.URL.Path), "request", requestID(out), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	if out.status == 0 {
		http.Error(out, "internal error", http.StatusInternalServerError)
		return
	}
	panic(http.ErrAbortHandler) // half an answer must not look like a whole one
}

// report logs a request: those that failed through our fault as warnings, the
// others for debugging. Neither query nor body is logged, for both hold secrets;
// the audit trail is the record of who did what.
func (f *front) report(out *observed, r *http.Request, door string, began time.Time) {
	level := slog.LevelDebug
	if out.code() >= 500 {
		level = slog.LevelWarn
	}
	if !f.log.Enabled(r.Context(), level) {
		return
	}
	c := f.client(r)
	f.log.Log(r.Context(), level, "request", "door", door, "method", r.Method, "path", console.Loggable(r.URL.Path), "status", out.code(),
		"bytes", out.bytes, "took", time.Since(began).String(), "client", c.IP, "request", requestID(out))
}

// client says where a request came from.
func (f *front) client(r *http.Request) clientip.Client { return clientOf(f.clients, r) }

func clientOf(p clientip.Proxies, r *http.Request) clientip.Client {
	return p.Client(r.RemoteAddr, r.TLS != nil, r.Header["X-Forwarded-For"], r.Header["X-Forwarded-Proto"])
}

// requestID is the id that the door gave the request.
func requestID(out *observed) string {
	h := out.Header()
	if id := h.Get("X-Amzn-Requestid"); id != "" {
		return id
	}
	return h.Get("X-Amz-Request-Id")
}

// observed notes what was answered.
type observed struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader implements http.ResponseWriter.
func (o *observed) WriteHeader(status int) {
	if o.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		o.status = status
	}
	o.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (o *observed) Write(b []byte) (int, error) {
	if o.status == 0 {
		o.status = http.StatusOK
	}
	n, err := o.ResponseWriter.Write(b)
	o.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach flushing and deadlines.
func (o *observed) Unwrap() http.ResponseWriter { return o.ResponseWriter }

// code is the status; a handler that writes nothing answers 200.
func (o *observed) code() int {
	if o.status == 0 {
		return http.StatusOK
	}
	return o.status
}
