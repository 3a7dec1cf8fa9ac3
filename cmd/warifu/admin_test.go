package main

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"warifu/cmd/warifu/internal/config"
	"warifu/internal/ops"
)

func TestReadiness(t *testing.T) {
	conf, err := config.Load(config.Flags{Data: t.TempDir()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := openFolder(background, conf, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	if _, err := f.ops.Bootstrap(background, ops.BootstrapIn{}); err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	h := &health{store: f.store, now: func() time.Time { return at }}
	ask := func() (int, map[string]string) {
		t.Helper()
		w := httptest.NewRecorder()
		admin(h, http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest("GET", "/readyz", nil))
		var results map[string]string
		if err := json.Unmarshal(w.Body.Bytes(), &results); err != nil {
			t.Fatalf("%v in %s", err, w.Body)
		}
		return w.Code, results
	}
	if status, results := ask(); status != http.StatusOK || len(results) != 4 {
		t.Errorf("a good server: %d %v", status, results)
	}
	at = at.Add(-time.Hour)
	if status, results := ask(); status != http.StatusServiceUnavailable || !strings.Contains(results["clock"], "behind the audit trail by") || results["database"] != "ok" {
		t.Errorf("a clock that went back: %d %v", status, results)
	}
	at = at.Add(time.Hour)
	h.stopping.Store(true)
	if status, results := ask(); status != http.StatusServiceUnavailable || results["shutdown"] == "ok" || results["clock"] != "ok" {
		t.Errorf("while stopping: %d %v", status, results)
	}
}

// Only reading is answered, and only these three.
func TestAdminRoutes(t *testing.T) {
	h := admin(&health{}, http.NotFoundHandler())
	for _, c := range []struct {
		method, path string
		want         int
	}{{"GET", "/livez", 200}, {"HEAD", "/livez", 200}, {"POST", "/livez", 405}, {"GET", "/", 404}, {"GET", "/debug/pprof/", 404}} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
		if w.Code != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, w.Code, c.want)
		}
	}
}
