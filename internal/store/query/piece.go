package query

import (
	"bytes"
	"cmp"
	"compress/flate"
	"database/sql/driver"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// PieceLeaves is how many leaves of the tree make a piece: a stretch of the trail
// that is kept column by column, so that a query reads what it asks about and nothing
// else. A piece has the events of one account, in the order of time.
const PieceLeaves = 32768

// Piece is the head of a piece.
type Piece struct {
	First          int64 // leaf that the stretch begins with
	Events         int
	Oldest, Newest int64 // microseconds
}

// data is a column of a piece.
type data struct {
	values []driver.Value // what there is
	codes  []uint16       // for each event, its place in values; nil = all have the first
	uuids  []byte         // for each event 16 bytes, in place of both
}

func (d *data) value(row int) driver.Value {
	switch {
	case d.uuids != nil:
		return spellUUID(d.uuids[16*row:])
	case d.codes == nil:
		return d.values[0]
	}
	return d.values[d.codes[row]]
}

// code is an event's place in values.
func (d *data) code(row int) int {
	if d.codes == nil {
		return 0
	}
	return int(d.codes[row])
}

// size is about how many bytes it takes.
func (d *data) size() int {
	n := len(d.uuids) + 2*len(d.codes) + 32*len(d.values)
	for _, v := range d.values {
		if s, ok := v.(string); ok {
			n += len(s)
		}
	}
	return n
}

// builder makes a column of what is added.
type builder struct {
	places map[value]int
	all    []value
	codes  []uint16
}

func (b *builder) add(v value) {
	n, known := b.places[v]
	if !known {
		if b.places == nil {
			b.places = map[value]int{}
		}
		n = len(b.all)
		b.places[v] = n
		b.all = append(b.all, v)
	}
	b.codes = append(b.codes, uint16(n))
}

// Built is a piece whose columns are in memory.
type Built struct {
	Piece
	times  []int64
	leaves []uint16
	cols   [numColumns]builder
	bodies []string
}

// Build makes a piece of events, as many as PieceLeaves at most, which it sorts.
func Build(first int64, events []Event) *Built {
	slices.SortFunc(events, func(a, b Event) int { return cmp.Or(cmp.Compare(a.At, b.At), strings.Compare(a.ID, b.ID)) })
	p := &Built{Piece: Piece{First: first, Events: len(events)}}
	var v [numColumns]value
	for i := range events {
		e := &events[i]
		p.times, p.bodies = append(p.times, e.At), append(p.bodies, e.Body)
		p.leaves = append(p.leaves, uint16(max(0, e.Leaf-first)))
		e.values(&v)
		for c := range numColumns {
			if c.kept() {
				p.cols[c].add(v[c])
			}
		}
	}
	if len(p.times) > 0 {
		p.Oldest, p.Newest = p.times[0], p.times[len(p.times)-1]
	}
	return p
}

// Encoded are the columns as they are kept, by their keys.
func (p *Built) Encoded() map[int][]byte {
	all := map[int][]byte{}
	var times, leaves []byte
	last := int64(0)
	for i, at := range p.times {
		times = binary.AppendVarint(times, at-last)
		last = at
		leaves = binary.LittleEndian.AppendUint16(leaves, p.leaves[i])
	}
	all[keyTimes], all[keyLeaves] = times, leaves
	for c := range numColumns {
		if c.kept() {
			all[columns[c].key] = p.cols[c].encode(columns[c].form)
		}
	}
	return all
}

// The first byte of a column that is kept.
const (
	formDictionary = 'd' // see encode
	formPacked     = 'z' // likewise, and the dictionary is compressed
	formUUIDs      = 'u' // 16 bytes for each event
)

// packFrom is from which size on compressing a dictionary is worth it, in bytes.
const packFrom = 1024

// encode spells a column: the dictionary, as the number of its values, the length of
// what follows and the values, each after its length and one (0 is NULL); then a byte
// for each event, or two where there are more than 256 values, or none for a single
// one.
func (b *builder) encode(f form) []byte {
	if f == ids {
		if packed, ok := b.uuids(); ok {
			return append([]byte{formUUIDs}, packed...)
		}
	}
	var dict []byte
	for _, v := range b.all {
		if !v.some {
			dict = append(dict, 0)
			continue
		}
		dict = append(binary.AppendUvarint(dict, uint64(len(v.text)+1)), v.text...)
	}
	mark := byte(formDictionary)
	if len(dict) >= packFrom {
		mark, dict = formPacked, pack(dict)
	}
	out := binary.AppendUvarint(binary.AppendUvarint([]byte{mark}, uint64(len(b.all))), uint64(len(dict)))
	out = append(out, dict...)
	switch {
	case len(b.all) == 1:
	case len(b.all) <= 256:
		for _, c := range b.codes {
			out = append(out, byte(c))
		}
	default:
		for _, c := range b.codes {
			out = binary.LittleEndian.AppendUint16(out, c)
		}
	}
	return out
}

func pack(b []byte) []byte {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestSpeed)
	if err == nil {
		if _, err = w.Write(b); err == nil {
			err = w.Close()
		}
	}
	if err != nil {
		panic("query: compress into memory: " + err.Error())
	}
	return out.Bytes()
}

// uuids packs a column of UUIDs; false if a value is none.
func (b *builder) uuids() ([]byte, bool) {
	out := make([]byte, 0, 16*len(b.codes))
	for _, c := range b.codes {
		v := b.all[c]
		raw, ok := readUUID(v.text)
		if !ok || !v.some {
			return nil, false
		}
		out = append(out, raw[:]...)
	}
	return out, true
}

// readUUID reads a UUID in its usual spelling: lower case, with hyphens.
func readUUID(s string) (raw [16]byte, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return raw, false
	}
	digits := s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]
	_, err := hex.Decode(raw[:], []byte(digits))
	return raw, err == nil && digits == strings.ToLower(digits)
}

func spellUUID(raw []byte) string {
	var b [36]byte
	hex.Encode(b[:8], raw[:4])
	hex.Encode(b[9:13], raw[4:6])
	hex.Encode(b[14:18], raw[6:8])
	hex.Encode(b[19:23], raw[8:10])
	hex.Encode(b[24:], raw[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// data is the column in memory.
func (b *builder) data(f form) *data {
	d := &data{values: make([]driver.Value, len(b.all)), codes: b.codes}
	for i, v := range b.all {
		d.values[i] = f.of(v)
	}
	if len(b.all) == 1 {
		d.codes = nil
	}
	return d
}

// of is a value as the engine takes it.
func (f form) of(v value) driver.Value {
	switch {
	case !v.some:
		return nil
	case f == numbers:
		if n, err := strconv.ParseInt(v.text, 10, 64); err == nil {
			return n
		}
	}
	return v.text
}

// errPiece says that what is kept of a piece is not what was.
var errPiece = errors.New("a column of the trail is damaged")

// decode reads a column of n events.
func decode(b []byte, f form, n int) (*data, error) {
	if len(b) == 0 {
		return nil, errPiece
	}
	mark := b[0]
	b = b[1:]
	if mark == formUUIDs {
		if len(b) != 16*n {
			return nil, errPiece
		}
		return &data{uuids: b}, nil
	}
	count, w := binary.Uvarint(b)
	if w <= 0 || count == 0 || count > PieceLeaves {
		return nil, errPiece
	}
	b = b[w:]
	size, w := binary.Uvarint(b)
	if w <= 0 || size > uint64(len(b)-w) {
		return nil, errPiece
	}
	dict, codes := b[w:w+int(size)], b[w+int(size):]
	if mark == formPacked {
		var err error
		if dict, err = io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(dict)), maxDictionary)); err != nil {
			return nil, fmt.Errorf("%w: %v", errPiece, err)
		}
	}
	d := &data{values: make([]driver.Value, 0, count)}
	all := string(dict) // once, not for each value
	for range count {
		long, w := binary.Uvarint(dict)
		if w <= 0 || long > 0 && long-1 > uint64(len(dict)-w) {
			return nil, errPiece
		}
		v := value{some: long > 0}
		if v.some {
			v.text = all[w : w+int(long)-1]
		}
		end := w + max(0, int(long)-1)
		dict, all = dict[end:], all[end:]
		d.values = append(d.values, f.of(v))
	}
	return d, d.readCodes(codes, n)
}

// maxDictionary bounds a dictionary, in bytes: as many texts as a piece has events, of
// some length.
const maxDictionary = 256 << 20

func (d *data) readCodes(b []byte, n int) error {
	wide := 1
	switch {
	case len(d.values) == 1:
		if len(b) != 0 {
			return errPiece
		}
		return nil
	case len(d.values) > 256:
		wide = 2
	}
	if len(b) != wide*n {
		return errPiece
	}
	d.codes = make([]uint16, n)
	for i := range d.codes {
		if wide == 1 {
			d.codes[i] = uint16(b[i])
		} else {
			d.codes[i] = binary.LittleEndian.Uint16(b[2*i:])
		}
		if int(d.codes[i]) >= len(d.values) {
			return errPiece
		}
	}
	return nil
}

// decodeTimes reads the times of n events, which must be in order.
func decodeTimes(b []byte, n int) ([]int64, error) {
	times := make([]int64, n)
	last := int64(0)
	for i := range times {
		step, w := binary.Varint(b)
		if w <= 0 || i > 0 && step < 0 {
			return nil, errPiece
		}
		b, last = b[w:], last+step
		times[i] = last
	}
	if len(b) != 0 {
		return nil, errPiece
	}
	return times, nil
}
