package ops

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"warifu/internal/audit/tree"
	"warifu/internal/fault"
	"warifu/internal/store"
)

// Names of the files of an export. Tiles are beside them, named as C2SP
// tlog-tiles names them.
const (
	ExportEvents      = "events.jsonl"
	ExportCheckpoint  = "checkpoint"
	ExportCheckpoints = "checkpoints" // all of them, each followed by an empty line
	ExportExpired     = "expired"
	ExportKey         = "public-key"
)

// TilePath names the file of a tile of hashes; the last one of a level says how
// many it has.
func TilePath(level int, n int64, hashes int) string {
	t := tlog.Tile{H: tree.Height, L: level, N: n, W: hashes}
	return "tile/" + strings.TrimPrefix(t.Path(), tileHeight)
}

// tileHeight begins the paths of x/mod, which knows trees of any height. C2SP's do
// not say theirs.
const tileHeight = "tile/8/"

// TrailTile is a tile of hashes, by the name that TilePath gives it: as many hashes
// as the name says, of the tree as the newest checkpoint has it. A tile never
// changes.
//
// Errors: NotFound for what is no such name, and for a tile that the tree does not
// have or not yet as wide.
func (s *Server) TrailTile(ctx context.Context, path string) (data []byte, err error) {
	missing := fault.Of(fault.NotFound, "tile", path)
	rest, ok := strings.CutPrefix(path, "tile/")
	t, err := tlog.ParseTilePath(tileHeight + rest)
	if !ok || err != nil || t.L < 0 {
		return nil, missing
	}
	err = s.store.View(ctx, func(tx *store.Tx) (err error) {
		data, err = tx.TrailTile(t.L, t.N)
		return err
	})
	if err != nil {
		return nil, err
	}
	if size := t.W * tlog.HashSize; len(data) >= size {
		return data[:size], nil
	}
	return nil, missing
}

// exportBatch is how many events one transaction of an export reads.
const exportBatch = 1000

// ExportTrail writes the whole trail, of all accounts, with the tree that it was
// sealed into: what `warifu audit verify` reads. Each file is made by create and
// closed. What is recorded while it goes on is not in it. It returns the number
// of leaves.
func (s *Server) ExportTrail(ctx context.Context, create func(name string) (io.WriteCloser, error)) (size int64, err error) {
	if _, err := s.SealTrail(ctx); err != nil {
		s.log.Warn("the trail is exported without its newest events, which cannot be sealed", "error", err)
	}
	x := &exporter{Server: s, ctx: ctx, create: create}
	for _, step := range []func() error{x.key, x.checkpoints, x.tiles, x.expired, x.events} {
		if err := step(); err != nil {
			return 0, err
		}
	}
	return x.size, nil
}

type exporter struct {
	*Server
	ctx    context.Context
	create func(string) (io.WriteCloser, error)
	size   int64 // leaves
}

// file writes one file.
func (x *exporter) file(name string, write func(io.Writer) error) error {
	f, err := x.create(name)
	if err != nil {
		return err
	}
	b := bufio.NewWriterSize(f, 1<<20)
	err = write(b)
	if err == nil {
		err = b.Flush()
	}
	return errors.Join(err, f.Close())
}

func (x *exporter) text(name, text string) error {
	return x.file(name, func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
}

func (x *exporter) view(fn func(*store.Tx) error) error { return x.store.View(x.ctx, fn) }

func (x *exporter) key() error {
	key, err := x.TrailKey()
	if err != nil {
		return err
	}
	return x.text(ExportKey, key+"\n")
}

func (x *exporter) checkpoints() error {
	newest := ""
	err := x.file(ExportCheckpoints, func(w io.Writer) error {
		for {
			var some []store.TrailNote
			err := x.view(func(tx *store.Tx) (err error) {
				some, err = tx.Checkpoints(x.size, exportBatch)
				return err
			})
			if err != nil || len(some) == 0 {
				return err
			}
			for _, c := range some {
				newest, x.size = c.Note, c.Size
				if _, err := io.WriteString(w, c.Note+"\n"); err != nil {
					return err
				}
			}
		}
	})
	if err != nil || newest == "" {
		return err
	}
	return x.text(ExportCheckpoint, newest)
}

func (x *exporter) tiles() error {
	for level := 0; x.size>>(level*tree.Height) > 0; level++ {
		hashes := x.size >> (level * tree.Height)
		for n := int64(0); n<<tree.Height < hashes; n++ {
			var data []byte
			err := x.view(func(tx *store.Tx) (err error) {
				data, err = tx.TrailTile(level, n)
				return err
			})
			if err != nil {
				return err
			}
			width := min(hashes-n<<tree.Height, 1<<tree.Height)
			data = data[:min(int64(len(data)), width*32)]
			if len(data) < 32 {
				continue // it is missing, which verifying says
			}
			err = x.file(TilePath(level, n, int(width)), func(w io.Writer) error { _, err := w.Write(data); return err })
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (x *exporter) expired() error {
	var text string
	err := x.view(func(tx *store.Tx) (err error) {
		text, err = tx.TrailState(stateExpired)
		return err
	})
	if err != nil || text == "" {
		return err
	}
	return x.text(ExportExpired, text)
}

// events writes a line for every leaf, and what is beside the tree.
func (x *exporter) events() error {
	return x.file(ExportEvents, func(w io.Writer) error {
		if err := x.leaves(w); err != nil {
			return err
		}
		if err := x.loose(w, (*store.Tx).PendingEvents, tree.AppendWaiting); err != nil {
			return err
		}
		return x.loose(w, (*store.Tx).StrayEvents, tree.AppendStray)
	})
}

func (x *exporter) leaves(w io.Writer) error {
	kept := int64(0)
	if key, err := x.TrailKey(); err == nil {
		err = x.view(func(tx *store.Tx) error {
			text, err := tx.TrailState(stateExpired)
			if err == nil && text != "" {
				kept, _ = tree.OpenExpired(text, key) // verifying says what is wrong with it
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	var b []byte
	for n := int64(0); n < x.size; {
		var some []store.StoredEvent
		err := x.view(func(tx *store.Tx) (err error) {
			some, err = tx.Leaves(n, exportBatch, true)
			return err
		})
		if err != nil {
			return err
		}
		b = b[:0]
		for _, e := range some {
			for ; n < min(e.Leaf, x.size); n++ { // which event they were of is not known any more
				b = tree.AppendMissing(b, tree.Place{})
			}
			if n == x.size {
				break
			}
			b = appendLeaf(b, &e, kept)
			n++
		}
		if len(some) == 0 {
			return nil // the last leaves are missing, which verifying says
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

// appendLeaf appends the line of a leaf.
func appendLeaf(b []byte, e *store.StoredEvent, kept int64) []byte {
	switch {
	case e.Body == "" && e.Leaf < kept:
		return tree.AppendExpired(b, leafPlace(e))
	case e.Body == "":
		return tree.AppendMissing(b, leafPlace(e))
	case e.Differs != nil:
		return tree.AppendDiffers(b, e.Differs, e.Body)
	}
	return tree.AppendEvent(b, e.Body)
}

func leafPlace(e *store.StoredEvent) tree.Place {
	return tree.Place{Account: e.Account.String(), At: e.At.Format(time.RFC3339Nano), ID: e.ID}
}

// loose writes events that are no leaves.
func (x *exporter) loose(w io.Writer, read func(*store.Tx, store.EventPlace, int) ([]store.StoredEvent, error), line func([]byte, string) []byte) error {
	var b []byte
	var after store.EventPlace
	for {
		var some []store.StoredEvent
		err := x.view(func(tx *store.Tx) (err error) {
			some, err = read(tx, after, exportBatch)
			return err
		})
		if err != nil || len(some) == 0 {
			return err
		}
		b = b[:0]
		for _, e := range some {
			after = e.EventPlace
			if e.Body != "" {
				b = line(b, e.Body)
			}
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
}

// VerifyExport checks an export in a folder. Nothing of it is trusted but what
// key signed, and anchors are checkpoints from elsewhere that it signed.
func VerifyExport(folder fs.FS, key string, anchors []string) (*tree.Report, error) {
	notes, err := fs.ReadFile(folder, ExportCheckpoints)
	if err != nil {
		return nil, err
	}
	expired, err := fs.ReadFile(folder, ExportExpired)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	events, err := folder.Open(ExportEvents)
	if err != nil {
		return nil, err
	}
	defer events.Close()
	return tree.Verify(tree.Export{
		Key: key, Checkpoints: tree.SplitNotes(string(notes)), Anchors: anchors, Expired: string(expired), Lines: events,
		Leaves: func(n int64) ([]byte, error) { return readTile(folder, n) },
	})
}

// readTile reads a tile of leaves, however many it has; nil if there is none.
func readTile(folder fs.FS, n int64) ([]byte, error) {
	full := TilePath(0, n, 1<<tree.Height)
	data, err := fs.ReadFile(folder, full)
	if !errors.Is(err, fs.ErrNotExist) {
		return data, err
	}
	parts, err := fs.ReadDir(folder, full+".p")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil || len(parts) == 0 {
		return nil, err
	}
	return fs.ReadFile(folder, full+".p/"+parts[len(parts)-1].Name())
}
