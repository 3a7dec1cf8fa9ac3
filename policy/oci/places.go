package oci

import (
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"warifu/policy"
)

// Places keeps statements by the compartment that they count in, so that a decision looks
// at those alone that can count where the request's target lies: most of a large tenancy's
// statements are about other compartments. Its zero value is empty. Once it is filled,
// many may read it at once.
type Places struct{ at map[string]*shelf }

// shelf are the statements of one place.
type shelf struct {
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

// Add adds statements that do not count outside of a place (Bound.Place).
func (p *Places) Add(place string, sets ...*policy.Set) {
	if p.at == nil {
		p.at = map[string]*shelf{}
	}
	if p.at[place] == nil {
		p.at[place] = &shelf{}
	}
	p.at[place].sets = append(p.at[place].sets, sets...)
}

// AddAll adds all that another has.
func (p *Places) AddAll(more *Places) {
	for place, s := range more.at {
		p.Add(place, s.sets...)
	}
}

// All appends all statements, always in the same order.
func (p *Places) All(to []*policy.Set) []*policy.Set {
	for _, place := range slices.Sorted(maps.Keys(p.at)) {
		to = append(to, p.at[place].sets...)
	}
	return to
}

// At appends the statements that can count at a place that Path has spelled.
func (p *Places) At(to []*policy.Set, path string) []*policy.Set {
	if s := p.at[""]; s != nil {
		to = append(to, s.set())
	}
	for path = strings.Trim(path, "/"); path != ""; {
		var step string
		step, path, _ = strings.Cut(path, "/")
		if s := p.at[step]; s != nil {
			to = append(to, s.set())
		}
	}
	return to
}
