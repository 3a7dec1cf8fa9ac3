package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"warifu/internal/metrics"
)

// newFront is a front before one handler, which serves both doors.
func newFront(h http.HandlerFunc, log io.Writer) *front {
	return &front{
		doors: &doors{
			aws: door{"aws", h, false}, gateway: door{"gateway", h, true},
			serves: func(r *http.Request) bool { return r.Header.Get("Gateway") != "" },
		},
		metrics: metrics.New("test"), log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
}

// start serves a handler with the limits of the public listener.
func start(t *testing.T, h http.Handler) (address string) {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.Config = newHTTPServer(h, slog.New(slog.DiscardHandler))
	s.Start()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// exchange sends bytes as they are and returns the status lines that come back.
func exchange(t *testing.T, address, request string) (statuses []string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(2 * time.Second)) //nolint:errcheck // fails the read
	go io.WriteString(conn, request)                  //nolint:errcheck // the server may close first
	for in := bufio.NewReader(conn); ; {
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			return statuses
		}
		io.Copy(io.Discard, res.Body) //nolint:errcheck // the next answer tells
		statuses = append(statuses, res.Status)
		if res.Close {
			return statuses
		}
	}
}

// Security checklist N-4: what two servers could read differently is refused,
// so nothing can be hidden behind it.
func TestSmuggling(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	address := start(t, newFront(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) //nolint:errcheck // what is hidden would be the next request
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, r.Method+" "+r.URL.Path)
	}, io.Discard))
	const hidden = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"
	for _, c := range []struct{ what, request string }{
		{"two lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n" + hidden},
		{"a length that is no number", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +0\r\n\r\n" + hidden},
		{"length and chunks", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden},
		{"chunked twice", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden},
		{"an unknown encoding", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n" + hidden},
		{"a space before the colon", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length : 35\r\n\r\n" + hidden},
		{"a line folded", "POST / HTTP/1.1\r\nHost: x\r\nX-A: b\r\n Content-Length: 35\r\n\r\n" + hidden},
		{"a zero byte", "POST / HTTP/1.1\r\nHost: x\r\nX-A: \x00\r\n\r\n" + hidden},
		{"a carriage return alone", "POST / HTTP/1.1\r\nHost: x\r\nX-A: b\rContent-Length: 35\r\n\r\n" + hidden},
		{"a chunk size with a sign", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n" + hidden},
		{"a chunk longer than its size", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n" + hidden},
		{"two hosts", "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n" + hidden},
		{"no host", "GET / HTTP/1.1\r\n\r\n" + hidden},
		{"not HTTP", "\x16\x03\x01\r\n\r\n" + hidden},
	} {
		mu.Lock()
		seen = nil
		mu.Unlock()
		statuses := exchange(t, address, c.request)
		mu.Lock()
		seen := seen
		mu.Unlock()
		switch c.what {
		case "length and chunks":
			// RFC 9112, section 6.3: chunks count, and the connection ends.
			if len(statuses) != 1 || len(seen) != 1 {
				t.Errorf("%s: answers %q, handled %q", c.what, statuses, seen)
			}
		case "a line folded":
			// Read as one header with one value, here as everywhere.
			if len(statuses) > 2 {
				t.Errorf("%s: answers %q, handled %q", c.what, statuses, seen)
			}
		case "a chunk size with a sign", "a chunk longer than its size":
			// The handler has the request; the rest of the connection is lost.
			if len(statuses) > 1 || len(seen) > 1 {
				t.Errorf("%s: answers %q, handled %q", c.what, statuses, seen)
			}
		default:
			if len(seen) != 0 || len(statuses) > 1 || len(statuses) == 1 && !strings.HasPrefix(statuses[0], "4") && !strings.HasPrefix(statuses[0], "501") {
				t.Errorf("%s: answers %q, handled %q", c.what, statuses, seen)
			}
		}
	}
}

// Security checklist N-4: headers are limited to 16 KiB.
func TestHeaderLimit(t *testing.T) {
	address := start(t, newFront(func(http.ResponseWriter, *http.Request) {}, io.Discard))
	request := func(size int) string {
		return "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Long: " + strings.Repeat("x", size) + "\r\n\r\n"
	}
	if got := exchange(t, address, request(15<<10)); len(got) != 1 || got[0] != "200 OK" {
		t.Errorf("15 KiB: %q", got)
	}
	if got := exchange(t, address, request(17<<10)); len(got) != 1 || !strings.HasPrefix(got[0], "431") {
		t.Errorf("17 KiB: %q", got)
	}
}

// Security checklist N-4: a slow client does not hold a connection for ever,
// and only what streams may take its time.
func TestDeadlines(t *testing.T) {
	s := newHTTPServer(nil, slog.New(slog.DiscardHandler))
	if s.ReadHeaderTimeout <= 0 || s.IdleTimeout <= 0 || s.ReadTimeout != 0 || s.WriteTimeout != 0 {
		t.Errorf("timeouts: %+v", s)
	}
	for _, c := range []struct {
		header string
		want   bool // a deadline
	}{{"Plain", true}, {"Gateway", false}} {
		w := &deadlines{ResponseWriter: httptest.NewRecorder()}
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set(c.header, "1")
		newFront(func(http.ResponseWriter, *http.Request) {}, io.Discard).ServeHTTP(w, r)
		if !w.set || w.read.IsZero() == c.want || w.write.IsZero() == c.want {
			t.Errorf("%s: read until %s, write until %s", c.header, w.read, w.write)
		}
	}
}

// deadlines notes the deadlines that are set.
type deadlines struct {
	http.ResponseWriter
	set         bool
	read, write time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error  { d.set, d.read = true, t; return nil }
func (d *deadlines) SetWriteDeadline(t time.Time) error { d.write = t; return nil }

// A panic is one request's end, is counted, and tells the client nothing.
func TestPanic(t *testing.T) {
	var log bytes.Buffer
	f := newFront(func(http.ResponseWriter, *http.Request) { panic("the reason") }, &log)
	w := httptest.NewRecorder()
	f.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "reason") {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "the reason") || !strings.Contains(log.String(), "public_test.go") {
		t.Errorf("logged %s", &log)
	}
	m := httptest.NewRecorder()
	f.metrics.Handler().ServeHTTP(m, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{"warifu_panics_total 1", `warifu_http_requests_total{route="aws",status="5xx"} 1`, `warifu_http_requests_in_flight{route="aws"} 0`} {
		if !strings.Contains(m.Body.String(), want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

// Half an answer is cut off, so that it does not pass for a whole one.
func TestPanicAfterHalfAnAnswer(t *testing.T) {
	for what, cause := range map[string]any{"a fault": "the reason", "an abort": http.ErrAbortHandler} {
		address := start(t, newFront(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, strings.Repeat("x", 1<<16)) //nolint:errcheck // cut off below
			panic(cause)
		}, io.Discard))
		res, err := http.Get("http://" + address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = io.ReadAll(res.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: the answer ends with %v", what, err)
		}
		res.Body.Close()
	}
}

// Security checklist K-2: neither query nor headers nor body are logged.
func TestLogHoldsNoSecret(t *testing.T) {
	var log bytes.Buffer
	f := newFront(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("x-amzn-RequestId", "id-1")
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, "CANARY") //nolint:errcheck // a recorder
	}, &log)
	r := httptest.NewRequest("POST", "/bucket?X-Amz-Signature=CANARY", strings.NewReader("Password=CANARY"))
	r.Header.Set("Authorization", "CANARY")
	f.ServeHTTP(httptest.NewRecorder(), r)
	for _, want := range []string{"level=WARN", "path=/bucket ", "status=503", "bytes=6", "request=id-1", "client=192.0.2.1", "door=aws"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %s in %s", want, &log)
		}
	}
	f.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/activate/CANARY", nil))
	if strings.Contains(log.String(), "CANARY") {
		t.Errorf("a secret is logged: %s", &log)
	}
}

// A handler that streams reaches the connection through what watches it.
func TestFlush(t *testing.T) {
	address := start(t, newFront(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "first") //nolint:errcheck // the client reads it
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		<-r.Context().Done()
	}, io.Discard))
	r, err := http.NewRequest("GET", "http://"+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Gateway", "1")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b := make([]byte, 5)
	if _, err := io.ReadFull(res.Body, b); err != nil || string(b) != "first" {
		t.Errorf("read %q, %v", b, err)
	}
}
