package deliver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"time"

	"warifu/internal/audit"
	"warifu/internal/audit/tree"
	"warifu/internal/seal"
)

// Checkpoints are the trail's signed checkpoints, as ops.Server serves them.
type Checkpoints interface {
	LastCheckpoint(ctx context.Context) (note string, size int64, err error)
	CheckAnchor(ctx context.Context, note string) error
	RecordTrailEvent(ctx context.Context, operation string, result audit.Result, why string, params audit.Fields) error
}

// Anchor keeps checkpoints elsewhere, so that a database that was set back shows.
type Anchor struct {
	Trail  Checkpoints
	File   string   // appended to; "" = none. It should be on another machine
	URL    *url.URL // posted to; nil = none
	Secret seal.Secret
	Log    *slog.Logger
	Now    func() time.Time
	Every  time.Duration // 0 = anchorEvery

	kept int64 // size of the checkpoint that was put last
}

// anchorEvery is how often a checkpoint is put elsewhere, if there is a new one.
const anchorEvery = time.Minute

// Run compares the trail with the last checkpoint of the file, and then puts new
// ones there until ctx ends.
func (a *Anchor) Run(ctx context.Context) {
	if err := a.Check(ctx); err != nil {
		a.Log.Error("the trail is not the one that was anchored", "error", err)
		if err := a.Trail.RecordTrailEvent(ctx, "TrailRolledBack", audit.Failed, err.Error(), nil); err != nil {
			a.Log.Error("the trail does not say that it was set back", "error", err)
		}
	}
	every := a.Every
	if every == 0 {
		every = anchorEvery
	}
	for {
		if err := a.Put(ctx); err != nil && ctx.Err() == nil {
			a.Log.Error("a checkpoint of the trail could not be put elsewhere; it will be tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
		}
	}
}

// Check compares the trail with the newest checkpoint in the file. The error says
// that the database was set back.
func (a *Anchor) Check(ctx context.Context) error {
	if a.File == "" {
		return nil
	}
	b, err := os.ReadFile(a.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	notes := tree.SplitNotes(string(b))
	if len(notes) == 0 {
		return nil
	}
	return a.Trail.CheckAnchor(ctx, notes[len(notes)-1])
}

// Put puts the newest checkpoint elsewhere, if it is not there yet.
func (a *Anchor) Put(ctx context.Context) error {
	note, size, err := a.Trail.LastCheckpoint(ctx)
	if err != nil || note == "" || size == a.kept {
		return err
	}
	if a.File != "" {
		if err := appendNote(a.File, note); err != nil {
			return fmt.Errorf("append to %s: %w", a.File, err)
		}
	}
	if a.URL != nil {
		if err := post(ctx, a.URL, a.Secret, a.Now(), []byte(note), http.Header{"Content-Type": {"text/plain; charset=utf-8"}}); err != nil {
			return err
		}
	}
	a.kept = size
	return nil
}

func appendNote(path, note string) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.WriteString(note + "\n"); err != nil {
		return err
	}
	return f.Sync()
}
