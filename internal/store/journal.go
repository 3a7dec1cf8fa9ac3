package store

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
)

const (
	// moveEvery is how long an event of a read can be in the journal alone, and
	// so how much of them a power failure can take: long enough for hundreds of
	// events to share a commit, too short for anybody to wait for.
	moveEvery = 200 * time.Millisecond

	// moveAt is how many events are moved without waiting for that.
	moveAt = 512

	// perMove is how many events are moved in one commit: it takes a few
	// milliseconds, during which no update runs.
	perMove = 256

	// maxJournal bounds, in bytes, what waits in memory and in a file. An event
	// has about 700.
	maxJournal = 16 << 20
)

// journal keeps the events of reads for a moment in files beside the database,
// so that one costs a write to the kernel and not a commit. A mover takes them
// into the database. It serves SQLite; PostgreSQL has a log of its own that does
// the same.
//
// There are two files, and two lists of what is in them: events are added to one
// while the other is moved. Each is locked for as long as its process lives;
// what the next process to open the database finds unlocked was left by a dead
// one, and it moves it. An event that is moved twice is in the trail once.
type journal struct {
	prefix string                      // of the files' names
	insert func(rows []eventRow) error // into the database, durably; again does no harm
	vouch  *voucher

	frames sync.Pool // of *[]byte: what is written to a file at once

	moving sync.Mutex // held by who moves; guards resting
	mu     sync.Mutex // guards the rest; taken after moving

	active, resting *half
	failed          error         // of the last move, until one succeeds
	moved           chan struct{} // closed at the next move's end
	closed          bool

	kick  chan struct{} // there is something to move
	hurry chan struct{} // there is a lot of it
	quit  chan struct{}
	ended chan struct{}
}

// half is one file and what is in it.
type half struct {
	file *os.File // nil until it is needed
	size int64    // of what was written in full
	rows []eventRow
}

func startJournal(prefix string, insert func([]eventRow) error, vouch *voucher) *journal {
	j := &journal{
		prefix: prefix, insert: insert, vouch: vouch, active: &half{}, resting: &half{}, moved: make(chan struct{}),
		kick: make(chan struct{}, 1), hurry: make(chan struct{}, 1), quit: make(chan struct{}), ended: make(chan struct{}),
	}
	j.frames.New = func() any { return new([]byte) }
	go j.loop()
	return j
}

// add appends events. When it returns nil they survive the process, and a flush
// or moveEvery makes them survive the machine. It waits while the mover is
// behind, and fails when the file or the database cannot be written.
func (j *journal) add(ctx context.Context, events []audit.Event) error {
	buf := j.frames.Get().(*[]byte)
	defer j.frames.Put(buf)
	*buf = (*buf)[:0]
	var room [1]eventRow
	rows := room[:0]
	for i := range events {
		var row eventRow
		*buf, row = appendFrame(*buf, events[i], j.vouch)
		rows = append(rows, row)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.wait(ctx); err != nil {
		return err
	}
	if len(rows) == 0 {
		return j.failed // asked whether the trail can be written
	}
	h := j.active
	if err := h.write(j.prefix, *buf); err != nil {
		return fault.Wrap(err, "write the journal of events")
	}
	h.rows = append(h.rows, rows...)
	wake(j.kick)
	if len(h.rows) >= moveAt {
		wake(j.hurry)
	}
	return nil
}

// wait returns when there is room in the active half. It is called with mu held
// and returns with it.
func (j *journal) wait(ctx context.Context) error {
	for ctx.Err() == nil && !j.closed && j.active.size >= maxJournal {
		if j.failed != nil {
			return j.failed
		}
		moved := j.moved
		j.mu.Unlock()
		select {
		case <-moved:
		case <-ctx.Done():
		}
		j.mu.Lock()
	}
	if j.closed {
		return errClosed
	}
	if err := ctx.Err(); err != nil {
		return fault.Wrap(err, "wait for the journal of events")
	}
	return nil
}

// wake does not wait: one signal that nobody has seen yet is enough.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// loop is the mover. It sleeps while nothing is recorded.
func (j *journal) loop() {
	defer close(j.ended)
	pause, hurry := time.NewTimer(0), j.hurry
	for {
		select {
		case <-j.kick:
		case <-j.quit:
			return
		}
		pause.Reset(moveEvery)
		select {
		case <-pause.C:
		case <-hurry:
		case <-j.quit:
			return
		}
		hurry = j.hurry
		if j.move() != nil {
			wake(j.kick) // tried again, but no sooner than after a pause
			hurry = nil
		}
	}
}

// move takes into the database what was added before it was called.
func (j *journal) move() error {
	j.moving.Lock()
	defer j.moving.Unlock()
	err := j.drain() // what an earlier move could not
	if err == nil {
		j.mu.Lock()
		j.active, j.resting = j.resting, j.active
		j.mu.Unlock()
		err = j.drain()
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.failed = err
	close(j.moved)
	j.moved = make(chan struct{})
	return err
}

// drain moves the resting half into the database and empties its file.
func (j *journal) drain() error {
	h := j.resting
	if h.size == 0 {
		return nil
	}
	for rest := h.rows; len(rest) > 0; {
		n := min(len(rest), perMove)
		if err := j.insert(rest[:n]); err != nil {
			return fault.Wrap(err, "move events from the journal")
		}
		rest = rest[n:]
	}
	if err := h.file.Truncate(0); err != nil {
		return fault.Wrap(err, "empty the journal of events")
	}
	clear(h.rows)
	h.rows, h.size = h.rows[:0], 0
	return nil
}

// close moves what is left and removes the files. What cannot be moved stays in
// them for the next time.
func (j *journal) close() error {
	j.mu.Lock()
	j.closed = true
	j.mu.Unlock()
	close(j.quit)
	<-j.ended
	err := j.move()
	for _, h := range []*half{j.active, j.resting} {
		if h.file == nil {
			continue
		}
		if h.size == 0 {
			err = errors.Join(err, os.Remove(h.file.Name()))
		}
		err = errors.Join(err, h.file.Close())
	}
	return err
}

// write appends frames to the file. A piece that a failed write leaves is
// written over by the next, and no frame to replay.
func (h *half) write(prefix string, b []byte) (err error) {
	if h.file == nil {
		if h.file, err = createJournal(prefix); err != nil {
			return err
		}
	}
	if _, err = h.file.WriteAt(b, h.size); err == nil {
		h.size += int64(len(b))
	}
	return err
}

// createJournal makes a file that is this process's own.
func createJournal(prefix string) (*os.File, error) {
	for {
		f, err := os.OpenFile(prefix+strconv.FormatUint(rand.Uint64(), 36), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
		}
		if here, err := sameFile(f); here || err != nil {
			return f, err
		}
		// Before it was locked another process took it for a dead one's, and
		// removed it.
		f.Close()
	}
}

// sameFile reports whether an open file is still there by its name.
func sameFile(f *os.File) (bool, error) {
	open, err := f.Stat()
	if err != nil {
		return false, err
	}
	named, err := os.Stat(f.Name())
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(open, named), err
}

// replay moves what dead processes left in their journals into the database.
func replay(prefix string, insert func([]eventRow) error) error {
	names, err := journals(prefix)
	if err != nil {
		return fmt.Errorf("look for journals of events: %w", err)
	}
	for _, name := range names {
		if err := replayFile(name, insert); err != nil {
			return fmt.Errorf("take over the journal of events %s: %w", name, err)
		}
	}
	return nil
}

// journals lists the journals of a prefix. The prefix is no pattern.
func journals(prefix string) (names []string, err error) {
	dir, base := filepath.Split(prefix)
	if dir == "" {
		dir = "."
	}
	all, err := os.ReadDir(dir)
	for _, e := range all {
		if len(e.Name()) > len(base) && e.Name()[:len(base)] == base && e.Type().IsRegular() {
			names = append(names, filepath.Join(dir, e.Name()))
		}
	}
	return names, err
}

func replayFile(name string, insert func([]eventRow) error) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil // another process was first
	}
	if err != nil {
		return err
	}
	defer f.Close()
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil // its process lives
	}
	if err != nil {
		return err
	}
	if here, err := sameFile(f); !here || err != nil {
		return err // another process took it over meanwhile
	}
	b, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	rows, err := readFrames(b)
	for err == nil && len(rows) > 0 {
		n := min(len(rows), perMove)
		err = insert(rows[:n])
		rows = rows[n:]
	}
	if err != nil {
		return err
	}
	return os.Remove(name)
}

// A frame is the length of what follows and its CRC-32C, both as 4 bytes with the
// lowest first; then an event's body and, if the length says so, the code that vouches
// for it.
const (
	frameHead = 8
	frameCode = 1 << 31 // in the length
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendFrame appends an event as a frame and returns it as a row, too.
func appendFrame(b []byte, e audit.Event, v *voucher) ([]byte, eventRow) {
	from := len(b)
	b = append(b, make([]byte, frameHead)...)
	b, row := appendEvent(b, e, v)
	b = append(b, row.code...)
	rest := b[from+frameHead:]
	long := uint32(len(rest))
	if row.code != "" {
		long |= frameCode
	}
	binary.LittleEndian.PutUint32(b[from:], long)
	binary.LittleEndian.PutUint32(b[from+4:], crc32.Checksum(rest, castagnoli))
	return b, row
}

// readFrames reads frames up to the first that is not whole: a power failure
// can leave one, or zeros, at the end.
func readFrames(b []byte) (rows []eventRow, err error) {
	for len(b) > frameHead {
		n, sum := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
		b = b[frameHead:]
		coded := n&frameCode != 0
		n &^= frameCode
		if n == 0 || uint64(n) > uint64(len(b)) || crc32.Checksum(b[:n], castagnoli) != sum {
			return rows, nil
		}
		body, code := b[:n], []byte(nil)
		if coded {
			body, code = b[:max(codeLong, n)-codeLong], b[max(codeLong, n)-codeLong:n]
		}
		var e audit.Event
		if err := json.Unmarshal(body, &e); err != nil {
			return nil, err // whole, and yet not ours
		}
		row := newRow(&e, string(body))
		row.code = string(code)
		rows = append(rows, row)
		b = b[n:]
	}
	return rows, nil
}
