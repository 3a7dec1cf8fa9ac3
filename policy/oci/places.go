package oci

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"strings"
	"sync/atomic"

	"warifu/policy"
)

// Places keeps statements by the compartment that they count in, so that a decision looks
// at those alone that can count where the request's target lies: most of a large tenancy's
// statements are about other compartments. Its zero value is empty. Once it is filled,
// many may read it at once.
//
// A decision looks up each compartment on the way to its target. A map would hash the
// whole OCID every time, which took half of a decision; what tells OCIDs apart is their
// end, so this hashes that alone and compares the rest once.
type Places struct {
	shelves []*shelf
	slots   []uint32 // one more than an index of shelves, at the place's hash or after; 0 = free
}

// shelf are the statements of one place.
type shelf struct {
	place  string
	sets   []*policy.Set
	merged atomic.Pointer[policy.Set] // all of them with one index, made when it is first asked for
}

func (s *shelf) set() *policy.Set {
	if len(s.sets) == 1 {
		return s.sets[0]
	}
	set := s.merged.Load()
	if set == nil { // two that make it at once make the same
		set = policy.Merge(s.sets...)
		s.merged.Store(set)
	}
	return set
}

// slot is where a place is, or would be. Half of the slots are free, so that it ends.
func (p *Places) slot(place string) *uint32 {
	mask := uint64(len(p.slots) - 1)
	for at := ending(place); ; at++ {
		if slot := &p.slots[at&mask]; *slot == 0 || p.shelves[*slot-1].place == place {
			return slot
		}
	}
}

// ending hashes the last sixteen bytes of a place.
func ending(place string) uint64 {
	var end [16]byte
	copy(end[:], place[max(0, len(place)-len(end)):])
	const odd = 0x9e3779b97f4a7c15
	high, low := bits.Mul64(binary.LittleEndian.Uint64(end[:])^odd, binary.LittleEndian.Uint64(end[8:])^odd)
	return high ^ low
}

// at is a place's shelf; nil = none.
func (p *Places) at(place string) *shelf {
	if len(p.slots) == 0 {
		return nil
	}
	if slot := *p.slot(place); slot != 0 {
		return p.shelves[slot-1]
	}
	return nil
}

// Add adds statements that do not count outside of a place (Bound.Place).
func (p *Places) Add(place string, sets ...*policy.Set) {
	s := p.at(place)
	if s == nil {
		s = &shelf{place: place}
		p.put(s)
	}
	s.sets = append(s.sets, sets...)
}

func (p *Places) put(s *shelf) {
	p.shelves = append(p.shelves, s)
	if 2*len(p.shelves) <= len(p.slots) {
		*p.slot(s.place) = uint32(len(p.shelves))
		return
	}
	p.slots = make([]uint32, max(8, 2*len(p.slots)))
	for i, s := range p.shelves {
		*p.slot(s.place) = uint32(i + 1)
	}
}

// AddAll adds all that another has.
func (p *Places) AddAll(more *Places) {
	for _, s := range more.shelves {
		p.Add(s.place, s.sets...)
	}
}

// All appends all statements, always in the same order.
func (p *Places) All(to []*policy.Set) []*policy.Set {
	sorted := slices.SortedFunc(slices.Values(p.shelves), func(a, b *shelf) int { return strings.Compare(a.place, b.place) })
	for _, s := range sorted {
		to = append(to, s.sets...)
	}
	return to
}

// At appends the statements that can count at a place that Path has spelled.
func (p *Places) At(to []*policy.Set, path string) []*policy.Set {
	if s := p.at(""); s != nil {
		to = append(to, s.set())
	}
	for path = strings.Trim(path, "/"); path != ""; {
		var step string
		step, path, _ = strings.Cut(path, "/")
		if s := p.at(step); s != nil {
			to = append(to, s.set())
		}
	}
	return to
}
