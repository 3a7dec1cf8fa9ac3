package insight

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"warifu/internal/name"
)

// Day is a day of UTC, counted from 1970.
type Day int64

// DayOf is the day of a moment.
func DayOf(t time.Time) Day { return Day(t.UTC().Unix() / 86400) }

// Begin is the day's first moment.
func (d Day) Begin() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// Proof is what the credentials of a request said of a second factor.
type Proof int

// The proofs. Silent credentials, such as access keys, say neither yes nor no.
const (
	Silent Proof = iota
	Unproved
	Proved
)

// Request is one event of the trail, as far as it is evidence.
type Request struct {
	Account   name.Account
	Principal name.ID // user or role
	At        time.Time
	Event     string // its id
	Operation string // the operation's own name
	Action    string
	Resource  string // ARN; "*" = none in particular
	Also      []Also // what else it needed
	Result    string
	Proof     Proof
	Rule      string // the statement that decided; "" = none was needed
	Source    string // address
	Changes   bool

	Session string // of the console; "" = another way in
	Device  string // what the client says it is
}

// Also is a further permission that a request needed.
type Also struct{ Action, Resource string }

// Use is a number of requests of one principal on one day that are alike.
type Use struct {
	Account   name.Account
	Principal name.ID
	Day       Day
	Action    string
	Resource  string
	Result    string
	Proof     Proof

	// Of the newest.
	Operation string
	Rule      string
	Source    string
	Changes   bool
	At        time.Time
	Event     string

	Times int
}

// Presence is a session of the console at work on one day, from one network and
// with one device.
type Presence struct {
	Account   name.Account
	Principal name.ID
	Day       Day
	Session   string
	Network   string
	Device    string
	Source    string // its first address
	Began     time.Time
	Ended     time.Time
	Times     int
}

// Digest gathers what requests are evidence of. Its zero value is ready.
type Digest struct {
	uses      map[useKey]*Use
	presences map[presenceKey]*Presence
}

type useKey struct {
	account                  name.Account
	principal                name.ID
	day                      Day
	action, resource, result string
	proof                    Proof
}

type presenceKey struct {
	account                  name.Account
	principal                name.ID
	day                      Day
	session, network, device string
}

// Add counts a request. One of nobody in particular is no evidence.
func (d *Digest) Add(r *Request) {
	if r.Principal == 0 {
		return
	}
	d.use(r, r.Action, cmp.Or(r.Resource, "*"))
	for _, a := range r.Also {
		d.use(r, a.Action, cmp.Or(a.Resource, "*"))
	}
	if r.Session != "" {
		d.presence(r)
	}
}

func (d *Digest) use(r *Request, action, resource string) {
	k := useKey{r.Account, r.Principal, DayOf(r.At), action, clip(resource, longest), r.Result, r.Proof}
	if d.uses == nil {
		d.uses = map[useKey]*Use{}
	}
	u := d.uses[k]
	if u == nil {
		u = &Use{Account: k.account, Principal: k.principal, Day: k.day, Action: k.action, Resource: k.resource, Result: k.result, Proof: k.proof}
		d.uses[k] = u
	}
	u.Times++
	if !r.At.Before(u.At) {
		u.At, u.Event, u.Operation, u.Rule, u.Source, u.Changes = r.At, r.Event, r.Operation, r.Rule, r.Source, r.Changes
	}
}

func (d *Digest) presence(r *Request) {
	k := presenceKey{r.Account, r.Principal, DayOf(r.At), r.Session, Network(r.Source), clip(r.Device, longestDevice)}
	if d.presences == nil {
		d.presences = map[presenceKey]*Presence{}
	}
	p := d.presences[k]
	if p == nil {
		p = &Presence{
			Account: k.account, Principal: k.principal, Day: k.day, Session: k.session, Network: k.network, Device: k.device,
			Source: r.Source, Began: r.At, Ended: r.At,
		}
		d.presences[k] = p
	}
	p.Times++
	if r.At.Before(p.Began) {
		p.Began = r.At
	}
	if r.At.After(p.Ended) {
		p.Ended = r.At
	}
}

// The longest resource and device that are told apart. Of longer ones the beginning
// counts.
const (
	longest       = 512
	longestDevice = 160
)

// clip shortens a text, at a character, and marks it as a pattern.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most-1], "") + "*"
}

// Uses are what was gathered, in the order of their keys.
func (d *Digest) Uses() []Use {
	all := make([]Use, 0, len(d.uses))
	for _, u := range d.uses {
		all = append(all, *u)
	}
	slices.SortFunc(all, func(a, b Use) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Principal, b.Principal), cmp.Compare(a.Day, b.Day),
			cmp.Compare(a.Action, b.Action), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Result, b.Result), cmp.Compare(a.Proof, b.Proof))
	})
	return all
}

// Presences are what was gathered, in the order of their keys.
func (d *Digest) Presences() []Presence {
	all := make([]Presence, 0, len(d.presences))
	for _, p := range d.presences {
		all = append(all, *p)
	}
	slices.SortFunc(all, func(a, b Presence) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Principal, b.Principal), cmp.Compare(a.Day, b.Day),
			cmp.Compare(a.Session, b.Session), cmp.Compare(a.Network, b.Network), cmp.Compare(a.Device, b.Device))
	})
	return all
}

// Network is the network that an address is counted as a part of: as wide as one
// place usually has (IPv4: /24; IPv6: /48).
func Network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	bits := 24
	if a = a.Unmap().WithZone(""); a.Is6() {
		bits = 48
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return address
	}
	return p.String()
}

// Wider names what a resource is a part of: all that begins like it, up to its last
// slash or colon. What has neither is everything.
func Wider(resource string) string {
	resource = strings.TrimSuffix(resource, "*")
	end := strings.LastIndexAny(strings.TrimRight(resource, "/:"), "/:")
	if end < 0 || strings.Count(resource[:end+1], ":") < 5 {
		return "*"
	}
	return resource[:end+1] + "*"
}
