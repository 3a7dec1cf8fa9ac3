package tree

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// Export is what is verified. Nothing in it is trusted but what the key signed.
type Export struct {
	Key         string                        // public key, from elsewhere than the export
	Checkpoints []string                      // of the export
	Anchors     []string                      // checkpoints that were kept elsewhere
	Expired     string                        // signed statement of what was removed when its time had come; "" = nothing
	Leaves      func(n int64) ([]byte, error) // the n'th tile of level 0; fs.ErrNotExist behind the last
	Lines       io.Reader                     // the events, one line per leaf
}

// Fault is what is wrong with the trail.
type Fault string

// The faults.
const (
	Altered    Fault = "altered"
	Removed    Fault = "removed"
	Inserted   Fault = "inserted"
	Reordered  Fault = "reordered"
	CutOff     Fault = "cut off"     // this event and all behind it are gone
	RolledBack Fault = "rolled back" // a checkpoint kept elsewhere tells of a longer or another trail
	BadNote    Fault = "bad checkpoint"
)

// Finding is the first event that something is wrong with.
type Finding struct {
	Fault Fault
	First int64 // the leaf, from 0
	Last  int64 // where it can be told no closer than a range, its last leaf; otherwise First
	Event Place
	Why   string
}

func (f *Finding) String() string {
	where := fmt.Sprintf("event %d", f.First)
	if f.Last > f.First {
		where = fmt.Sprintf("one of the events %d to %d", f.First, f.Last)
	}
	if f.Event.ID != "" {
		where += fmt.Sprintf(" (%s of %s, account %s)", f.Event.ID, f.Event.At, f.Event.Account)
	}
	s := where + " was " + string(f.Fault)
	if f.Fault == BadNote {
		s = fmt.Sprintf("bad checkpoint for the first %d events", f.First)
	}
	if f.Why != "" {
		s += ": " + f.Why
	}
	return s
}

// Report is what verifying found.
type Report struct {
	Size        int64     // leaves of the newest checkpoint
	At          time.Time // its time
	Checkpoints int       // checkpoints that hold, anchors among them
	Expired     int64     // events that were removed when their time had come
	Waiting     int64     // events that are newer than the newest checkpoint
	First       *Finding  // nil: the trail is whole
}

// statement is a checkpoint and where it comes from.
type statement struct {
	Checkpoint
	anchor bool
}

// ErrNoCheckpoint says that there is nothing to compare with.
var ErrNoCheckpoint = errors.New("the export has no checkpoint that the key signed")

// Verify checks an export, offline. The error is that it cannot be read; what is
// wrong with the trail is in the report.
func Verify(x Export) (*Report, error) {
	r := &Report{}
	v := &verifier{x: x, r: r}
	if err := v.readStatements(); err != nil {
		return r, err
	}
	err := v.walk()
	if err == nil {
		r.First = v.first()
	}
	return r, err
}

type verifier struct {
	x          Export
	r          *Report
	statements []statement // by size
	badNote    *Finding
	kept       int64 // leaves before it may be expired

	// Of the walk. Hashes are recorded in tiles and computed from events.
	good  int64    // the size of the largest checkpoint that the recorded hashes agree with
	bad   *Finding // the first checkpoint that they do not agree with
	whole int64    // as good, of the computed ones
	end   int64    // recorded leaves
	lines int64    // events that there are lines of
	found []Finding
	stray *Finding
	held  []statement // the checkpoints that hold

	mark mark
	own  int64 // the size of the newest checkpoint of the export itself

	missingFrom int64 // the first of the missing events that reach to the end; -1 = none
	missing     Place
}

// maxFindings bounds what is kept of the walk: only the first counts, and some
// behind it tell what it was.
const maxFindings = 16

func (v *verifier) readStatements() error {
	for i, text := range slices.Concat(v.x.Checkpoints, v.x.Anchors) {
		c, err := OpenCheckpoint(text, v.x.Key)
		anchor := i >= len(v.x.Checkpoints)
		switch {
		case err == nil:
			v.statements = append(v.statements, statement{c, anchor})
		case anchor:
			return fmt.Errorf("a checkpoint kept elsewhere: %w", err)
		case v.badNote == nil:
			v.badNote = &Finding{Fault: BadNote, Why: err.Error()}
		}
	}
	if len(v.statements) == 0 {
		if v.badNote != nil {
			return fmt.Errorf("%w: %s", ErrNoCheckpoint, v.badNote.Why)
		}
		return ErrNoCheckpoint
	}
	slices.SortStableFunc(v.statements, func(a, b statement) int { return cmp.Compare(a.Size, b.Size) })
	for _, s := range v.statements {
		if !s.anchor {
			v.own = s.Size
		}
	}
	last := v.statements[len(v.statements)-1]
	v.r.Size, v.r.At = last.Size, last.At
	if v.x.Expired != "" {
		kept, err := OpenExpired(v.x.Expired, v.x.Key)
		if err != nil {
			return fmt.Errorf("the statement about removed events: %w", err)
		}
		v.kept = kept
	}
	return nil
}

// chunk is what is hashed at once: the lines of one tile of leaves.
type chunk struct {
	lines  []byte
	ends   []int // where each line ends in lines
	hashes []tlog.Hash
	done   chan struct{}
}

func (c *chunk) line(i int) []byte {
	from := 0
	if i > 0 {
		from = c.ends[i-1] + 1
	}
	return c.lines[from:c.ends[i]]
}

// maxLine bounds a line of an export.
const maxLine = 1 << 20

// read hands over the lines of the export, hashed beside each other, in order.
func (v *verifier) read(chunks chan<- *chunk, stop <-chan struct{}) error {
	defer close(chunks)
	work := make(chan *chunk)
	defer close(work)
	for range runtime.GOMAXPROCS(0) {
		go func() {
			for c := range work {
				for i := range c.ends {
					if line := c.line(i); !bytes.HasPrefix(line, special) {
						c.hashes[i] = Leaf(line)
					}
				}
				close(c.done)
			}
		}()
	}
	scan := bufio.NewScanner(v.x.Lines)
	scan.Buffer(make([]byte, 1<<20), maxLine)
	for more := true; more; {
		c := &chunk{lines: make([]byte, 0, perTile*1024), done: make(chan struct{})}
		for len(c.ends) < perTile {
			if more = scan.Scan(); !more {
				break
			}
			c.lines = append(c.lines, scan.Bytes()...)
			c.ends = append(c.ends, len(c.lines))
			c.lines = append(c.lines, '\n')
		}
		c.hashes = make([]tlog.Hash, len(c.ends))
		select {
		case work <- c:
		case <-stop:
			return nil
		}
		select {
		case chunks <- c:
		case <-stop:
			return nil
		}
	}
	return scan.Err()
}

// walk goes through leaves and lines together.
func (v *verifier) walk() error {
	chunks, stop, failed := make(chan *chunk, 2*runtime.GOMAXPROCS(0)), make(chan struct{}), make(chan error, 1)
	defer close(stop)
	go func() { failed <- v.read(chunks, stop) }()
	recorded, computed := &Edge{}, &Edge{}
	v.missingFrom = -1
	n := int64(0)
	for c := range chunks {
		<-c.done
		tile, err := v.tile(n / perTile)
		if err != nil {
			return err
		}
		for i := range max(len(c.ends), len(tile)/tlog.HashSize) {
			if n+int64(i) >= v.r.Size && i < len(c.ends) {
				v.mark.follow(n+int64(i), tlog.Hash{}, false, c.hashes[i])
				v.behind(n+int64(i), c.line(i))
				continue
			}
			v.leaf(n+int64(i), c, i, tile, recorded, computed)
		}
		n += perTile
	}
	if err := <-failed; err != nil {
		return fmt.Errorf("read the events: %w", err)
	}
	for v.end == n && v.end < v.r.Size { // no lines any more
		tile, err := v.tile(n / perTile)
		if err != nil {
			return err
		}
		for i := range len(tile) / tlog.HashSize {
			v.leaf(n+int64(i), &chunk{}, i, tile, recorded, computed)
		}
		n += perTile
	}
	return nil
}

// tile reads the recorded hashes of up to 256 leaves, no more than the newest
// checkpoint covers.
func (v *verifier) tile(n int64) ([]byte, error) {
	most := min(v.r.Size-n*perTile, perTile) * tlog.HashSize
	if most <= 0 {
		return nil, nil
	}
	data, err := v.x.Leaves(n)
	if err != nil {
		return nil, err
	}
	data = data[:min(int64(len(data)), most)]
	return data[:len(data)/tlog.HashSize*tlog.HashSize], nil
}

// leaf compares the n'th leaf, the i'th of its tile, with its line.
func (v *verifier) leaf(n int64, c *chunk, i int, tile []byte, recorded, computed *Edge) {
	if n >= v.r.Size {
		return
	}
	var was tlog.Hash
	known := (i+1)*tlog.HashSize <= len(tile)
	if known {
		copy(was[:], tile[i*tlog.HashSize:])
		recorded.Add(was, func(Tile) {})
		v.end = n + 1
	}
	is, finding := v.compare(n, c, i, was, known)
	v.mark.follow(n, was, known, is)
	switch {
	case finding == nil:
		v.missingFrom = -1
	case finding.Fault == Removed:
		if v.missingFrom < 0 {
			v.missingFrom, v.missing = n, finding.Event
		}
		v.note(*finding)
	default:
		v.missingFrom = -1
		v.note(*finding)
		if !v.mark.set && known {
			v.mark = mark{n: n, set: true, was: was, is: is, wasAt: -1, isOf: -1}
		}
	}
	computed.Add(is, func(Tile) {})
	v.weigh(recorded, computed)
}

// note keeps a finding.
func (v *verifier) note(f Finding) {
	if len(v.found) < maxFindings {
		v.found = append(v.found, f)
	}
}

// compare hashes a line and says what is wrong with it: as removed what is not
// there, as altered what is another.
func (v *verifier) compare(n int64, c *chunk, i int, was tlog.Hash, known bool) (tlog.Hash, *Finding) {
	if i >= len(c.ends) {
		return was, &Finding{Fault: Removed, First: n, Last: n}
	}
	line, is := c.line(i), c.hashes[i]
	body := line
	var why string
	if bytes.HasPrefix(line, special) {
		var s specialLine
		ok := s.read(line)
		switch {
		case ok && s.Expired != nil && n < v.kept:
			v.r.Expired++
			return was, nil
		case ok && s.Expired != nil:
			return was, &Finding{Fault: Removed, First: n, Last: n, Event: *s.Expired, Why: "nobody signed that its time had come"}
		case ok && s.Missing != nil:
			return was, &Finding{Fault: Removed, First: n, Last: n, Event: *s.Missing}
		case ok && s.Differs != nil:
			body, is = s.Event, Leaf(s.Event)
			why = fmt.Sprintf("the columns %v do not say what the event says", s.Differs)
		default:
			is = Leaf(line)
		}
	}
	if !bytes.HasPrefix(line, special) || why != "" {
		v.lines = n + 1
	}
	if why == "" && (!known || is == was) {
		return is, nil
	}
	return is, &Finding{Fault: Altered, First: n, Last: n, Event: placeOf(body), Why: why}
}

// behind looks at a line behind the last leaf.
func (v *verifier) behind(n int64, line []byte) {
	var s specialLine
	switch ok := bytes.HasPrefix(line, special) && s.read(line); {
	case ok && s.Stray != nil:
		if v.stray == nil {
			v.stray = &Finding{Fault: Inserted, First: n, Last: n, Event: placeOf(s.Stray), Why: "it is in the trail and no leaf of the tree"}
		}
	default: // waiting, or a leaf that is newer than the newest checkpoint
		v.r.Waiting++
	}
}

// weigh compares the trees with the checkpoints of their size.
func (v *verifier) weigh(recorded, computed *Edge) {
	for len(v.statements) > 0 && v.statements[0].Size <= computed.Size() {
		s := v.statements[0]
		v.statements = v.statements[1:]
		if s.Size < computed.Size() {
			continue // of size 0
		}
		isRecorded := recorded.Size() == s.Size && recorded.Root() == s.Root
		if isRecorded {
			v.good = s.Size
		}
		isWhole := computed.Root() == s.Root
		if isWhole {
			v.whole = s.Size
		}
		if isWhole || isRecorded {
			v.r.Checkpoints++
			v.held = append(v.held, s)
			continue
		}
		if v.bad == nil {
			v.bad = &Finding{Fault: Altered, First: max(v.good, v.whole), Last: s.Size - 1, Why: "the tree itself was changed, too"}
			if s.anchor {
				v.bad = &Finding{Fault: RolledBack, First: v.common(s), Last: s.Size - 1,
					Why: fmt.Sprintf("a checkpoint of %s that was kept elsewhere tells of other events", s.At.Format(time.RFC3339))}
			}
		}
	}
}

// common is a size at which the trail was still the one that an anchor tells of:
// that of the newest checkpoint from before the anchor which holds. What was
// signed after it may be of the trail that somebody began in its place.
func (v *verifier) common(anchor statement) (size int64) {
	for _, s := range v.held {
		if s.Size < anchor.Size && !s.At.After(anchor.At) {
			size = s.Size
		}
	}
	return size
}

// first chooses what is reported.
func (v *verifier) first() *Finding {
	if end := max(v.end, v.lines); end < v.r.Size { // shorter than a checkpoint says
		f := &Finding{Fault: CutOff, First: end, Last: end, Why: fmt.Sprintf("there are %d events, and a checkpoint of %s has %d", end, v.r.At.Format(time.RFC3339), v.r.Size)}
		if end >= v.own {
			f.Fault = RolledBack
		}
		if v.missingFrom >= 0 && v.missingFrom < end {
			f.Fault, f.First, f.Last, f.Event = CutOff, v.missingFrom, v.missingFrom, v.missing
		}
		if earlier := v.earliest(f.First); earlier != nil {
			return earlier
		}
		return f
	}
	if f := v.earliest(v.r.Size); f != nil {
		return f
	}
	return cmp.Or(v.bad, v.badNote, v.stray)
}

// earliest is the first finding of the walk before a leaf, told as what it was.
func (v *verifier) earliest(before int64) *Finding {
	if len(v.found) == 0 || v.found[0].First >= before {
		return nil
	}
	f := v.found[0]
	switch {
	case f.First < v.good: // what the tree keeps is as it was signed
	case f.First < v.whole && f.Fault == Altered && f.Why == "":
		f.Why = "the hash that the tree keeps of it is another; the event is as it was signed"
		return &f
	case v.bad != nil && (f.First < v.bad.First || f.First > v.bad.Last):
		return v.bad
	case v.bad != nil && f.Why == "":
		f.Why = v.bad.Why
		return &f
	}
	switch {
	case f.Fault == Removed && v.missingFrom == f.First:
		f.Fault = CutOff
	case f.Fault == Altered && f.Why == "":
		f.Fault = v.mark.fault()
		if f.Fault == Removed {
			f.Event = Place{} // the line is of the event behind it
		}
	}
	return &f
}

// mark follows the first leaf whose line is another event's.
type mark struct {
	n       int64
	set     bool
	was, is tlog.Hash
	wasAt   int64 // the line that has the leaf's event; -1 = none
	isOf    int64 // the leaf that the line's event is; -1 = none
}

// follow looks whether a later line, or a later leaf, is what was marked.
func (m *mark) follow(n int64, was tlog.Hash, known bool, is tlog.Hash) {
	if !m.set || n <= m.n {
		return
	}
	if m.wasAt < 0 && is == m.was {
		m.wasAt = n
	}
	if m.isOf < 0 && known && was == m.is {
		m.isOf = n
	}
}

// fault tells what happened to the leaf.
func (m *mark) fault() Fault {
	switch {
	case m.wasAt < 0 && m.isOf < 0:
		return Altered
	case m.wasAt == m.n+1 && m.isOf < 0:
		return Inserted
	case m.isOf == m.n+1 && m.wasAt < 0:
		return Removed
	}
	return Reordered
}
