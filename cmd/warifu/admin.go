package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/store"
)

// health answers the questions of supervisors.
type health struct {
	store    *store.Store
	now      func() time.Time
	stopping atomic.Bool
}

// checkTimeout bounds each check: a supervisor that waits longer decides without
// us.
const checkTimeout = 2 * time.Second

// published is the trail's tree, for whoever watches it (C2SP tlog-tiles). It tells
// how much is recorded and nothing of what.
type published interface {
	LastCheckpoint(context.Context) (note string, size int64, err error)
	TrailTile(ctx context.Context, path string) ([]byte, error)
}

// admin serves health, metrics and the trail's tree. It must not be reachable by
// users.
func admin(h *health, metrics http.Handler, trail published, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.Handle("GET /readyz", h)
	mux.Handle("GET /metrics", metrics)
	send := func(w http.ResponseWriter, data []byte, err error) {
		switch {
		case fault.Is(err, fault.NotFound), err == nil && len(data) == 0:
			http.Error(w, "not found", http.StatusNotFound)
		case err != nil:
			log.Error("the trail's tree cannot be read", "error", err)
			http.Error(w, "internal error", http.StatusInternalServerError)
		default:
			w.Write(data) //nolint:errcheck // the client has gone
		}
	}
	mux.HandleFunc("GET /trail/checkpoint", func(w http.ResponseWriter, r *http.Request) {
		note, _, err := trail.LastCheckpoint(r.Context())
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-cache")
		send(w, []byte(note), err)
	})
	mux.HandleFunc("GET /trail/tile/", func(w http.ResponseWriter, r *http.Request) {
		data, err := trail.TrailTile(r.Context(), strings.TrimPrefix(r.URL.Path, "/trail/"))
		if err == nil {
			w.Header().Set("Content-Type", "application/octet-stream")
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		send(w, data, err)
	})
	return mux
}

// ServeHTTP answers 200 when requests can be served and 503 otherwise, with the
// result of each check.
func (h *health) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
	defer cancel()
	status := http.StatusOK
	results := map[string]string{}
	for _, c := range []struct {
		name  string
		check func(context.Context) error
	}{
		{"shutdown", h.shutdown},
		{"database", h.database},
		{"trail", h.trail},
		{"clock", h.clock},
	} {
		results[c.name] = "ok"
		if err := c.check(ctx); err != nil {
			results[c.name], status = err.Error(), http.StatusServiceUnavailable
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(results) //nolint:errcheck // the supervisor has gone
}

func (h *health) shutdown(context.Context) error {
	if h.stopping.Load() {
		return errors.New("the server is shutting down")
	}
	return nil
}

// database reads; the data keys cannot be wrong, or the server would not have
// started.
func (h *health) database(ctx context.Context) error {
	if h.store.Ping(ctx) != nil {
		return errors.New("the database does not answer")
	}
	return nil
}

// trail sends a batch of no events through the trail's writer: without it no
// operation goes on.
func (h *health) trail(ctx context.Context) error {
	if h.store.Record(ctx) != nil {
		return errors.New("the audit trail cannot be written")
	}
	return nil
}

// clockTolerance is how far the clock may be behind the newest event: more nodes
// than one write it.
const clockTolerance = time.Minute

// clock compares with the newest event of each account. A clock that went back
// makes codes and signatures of the past good again.
func (h *health) clock(ctx context.Context) error {
	return h.store.View(ctx, func(tx *store.Tx) error {
		accounts, err := tx.Accounts()
		if err != nil {
			return errors.New("the database does not answer")
		}
		for _, a := range accounts {
			newest, err := tx.Events(audit.Query{Account: a.ID}, store.EventAfter{}, 1)
			if err != nil {
				return errors.New("the database does not answer")
			}
			if len(newest) > 0 && newest[0].At.After(h.now().Add(clockTolerance)) {
				return fmt.Errorf("the clock is behind the audit trail by %s", newest[0].At.Sub(h.now()).Round(time.Second))
			}
		}
		return nil
	})
}
