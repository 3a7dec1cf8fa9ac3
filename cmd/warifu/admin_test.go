package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"warifu/cmd/warifu/internal/config"
	"warifu/internal/audit"
	"warifu/internal/audit/tree"
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
		admin(h, http.NotFoundHandler(), f.ops, slog.New(slog.DiscardHandler)).ServeHTTP(w, httptest.NewRequest("GET", "/readyz", nil))
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
	h := admin(&health{}, http.NotFoundHandler(), nil, slog.New(slog.DiscardHandler))
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

// tiles reads a tree of hashes over HTTP, as a client of C2SP tlog-tiles does.
type tiles struct {
	t   *testing.T
	url string
}

func (r tiles) Height() int                             { return tree.Height }
func (r tiles) SaveTiles(ts []tlog.Tile, data [][]byte) {}
func (r tiles) ReadTiles(ts []tlog.Tile) (all [][]byte, err error) {
	for _, t := range ts {
		data, status := fetch(r.t, r.url+"/trail/tile/"+strings.TrimPrefix(t.Path(), "tile/8/"))
		if status != http.StatusOK {
			return nil, fmt.Errorf("%s: %d", t.Path(), status)
		}
		all = append(all, data)
	}
	return all, nil
}

func fetch(t *testing.T, url string) ([]byte, int) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b, res.StatusCode
}

// A client that knows only the public key follows the trail's tree: what it was is
// what it is, with more behind it.
func TestTreeIsPublished(t *testing.T) {
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
	s := httptest.NewServer(admin(&health{}, http.NotFoundHandler(), f.ops, slog.New(slog.DiscardHandler)))
	defer s.Close()
	key, err := f.ops.TrailKey()
	if err != nil {
		t.Fatal(err)
	}
	if _, status := fetch(t, s.URL+"/trail/checkpoint"); status != http.StatusNotFound {
		t.Errorf("a checkpoint before anything is sealed: %d", status)
	}
	grow := func(events int) tree.Checkpoint {
		t.Helper()
		for range events {
			if err := f.ops.RecordTrailEvent(background, "Test", audit.Allowed, "", nil); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := f.ops.SealTrail(background); err != nil {
			t.Fatal(err)
		}
		note, _ := fetch(t, s.URL+"/trail/checkpoint")
		c, err := tree.OpenCheckpoint(string(note), key)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	old := grow(3)
	now := grow(300)
	if now.Size < old.Size+300 {
		t.Fatalf("%d leaves, and %d before", now.Size, old.Size)
	}
	hashes := tlog.TileHashReader(tlog.Tree{N: now.Size, Hash: now.Root}, tiles{t, s.URL})
	proof, err := tlog.ProveTree(now.Size, old.Size, hashes)
	if err != nil {
		t.Fatal(err)
	}
	if err := tlog.CheckTree(proof, now.Size, now.Root, old.Size, old.Root); err != nil {
		t.Error(err)
	}
	for _, path := range []string{
		"tile/0/000.p/0", "tile/0/000.p/256", "tile/0/001", "tile/0/001.p/255", "tile/1/000", "tile/data/000", "tile/8/0/000",
		"tile/0/0", "tile/0/", "tile/", "tile/-1/000", "tile/0/000/../001", "tile/63/000", "events.jsonl", "",
	} {
		if data, status := fetch(t, s.URL+"/trail/"+path); status != http.StatusNotFound {
			t.Errorf("%q: %d, %d bytes", path, status, len(data))
		}
	}
}
