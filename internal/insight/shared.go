package insight

import (
	"cmp"
	"slices"
	"time"

	"warifu/internal/name"
)

// When several people seem to use one account: so many devices, on so many networks,
// were at work in sessions that overlap. One person has a desk and a telephone; a
// third device elsewhere at the same moment is somebody else's.
const (
	SharedDevices  = 3
	SharedNetworks = 2
	SharedDays     = 30 // how far back traces are looked at
)

// Shared is an account that several people seem to use, and the traces that say so.
type Shared struct {
	Principal name.ID
	At        time.Time  // the moment at which most were at work; the last of several
	Devices   int        // at that moment
	Networks  int        // at that moment
	Traces    []Presence // at that moment, by when they began
}

// FindShared finds accounts that several people seem to use: those where at one
// moment sessions were at work from SharedDevices devices on SharedNetworks networks
// or more. The result is in the order of the principals and depends on nothing but
// the traces.
func FindShared(all []Presence) (found []Shared) {
	by := map[name.ID][]Presence{}
	for _, p := range all {
		by[p.Principal] = append(by[p.Principal], p)
	}
	for id, traces := range by {
		if s, ok := busiest(traces); ok {
			s.Principal = id
			found = append(found, s)
		}
	}
	slices.SortFunc(found, func(a, b Shared) int { return cmp.Compare(a.Principal, b.Principal) })
	return found
}

// busiest is the moment at which most devices were at work, if those are too many.
// Such a moment is the beginning of some trace.
func busiest(traces []Presence) (best Shared, shared bool) {
	slices.SortFunc(traces, func(a, b Presence) int {
		return cmp.Or(a.Began.Compare(b.Began), cmp.Compare(a.Session, b.Session), cmp.Compare(a.Network, b.Network), cmp.Compare(a.Device, b.Device))
	})
	var open []Presence // began, and not ended before the present trace began
	for _, t := range traces {
		open = slices.DeleteFunc(open, func(p Presence) bool { return p.Ended.Before(t.Began) })
		open = append(open, t)
		devices, networks := count(open, func(p *Presence) string { return p.Device }), count(open, func(p *Presence) string { return p.Network })
		if devices < SharedDevices || networks < SharedNetworks || sessions(open) < SharedDevices {
			continue
		}
		if devices >= best.Devices {
			best, shared = Shared{At: t.Began, Devices: devices, Networks: networks, Traces: slices.Clone(open)}, true
		}
	}
	return best, shared
}

// sessions tells in how many sessions traces were left: a browser that changes its
// name after an update is one, and so is a telephone that travels.
func sessions(all []Presence) int { return count(all, func(p *Presence) string { return p.Session }) }

func count(all []Presence, of func(*Presence) string) int {
	seen := make(map[string]bool, len(all))
	for i := range all {
		seen[of(&all[i])] = true
	}
	return len(seen)
}
