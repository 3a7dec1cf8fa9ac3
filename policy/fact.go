package policy

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Context answers for the context keys of a request. Decide asks only for keys
// that a rule in play tests, and may ask more than once; an implementation must
// give the same answer each time and must be safe for the callers it has.
type Context interface {
	// Lookup returns what the request says for a key; the zero Fact if nothing.
	Lookup(key *Key) Fact
}

// Key is a context key as compiled.
type Key struct {
	Name string // lower case, whole
	Slot int    // position in the Keys table from 1 on; 0 if the table has no such key
	Arg  string // for a table entry that ends in "/": what follows it, lower case
}

// Keys numbers the context keys that a Context knows, so that its Lookup is a
// switch on Key.Slot. It is immutable.
type Keys struct{ known map[string]*Key }

// NewKeys numbers names from 1 on. Names are case-insensitive; one that ends in
// "/" stands for a family, such as "aws:PrincipalTag/".
func NewKeys(names ...string) *Keys {
	k := &Keys{known: make(map[string]*Key, len(names))}
	for i, n := range names {
		n = strings.ToLower(n)
		k.known[n] = &Key{Name: n, Slot: i + 1}
	}
	return k
}

// Key returns the compiled form of a key's name. A nil table knows no key.
func (k *Keys) Key(name string) *Key {
	name = strings.ToLower(name)
	if k == nil {
		return &Key{Name: name}
	}
	if key := k.known[name]; key != nil {
		return key
	}
	key := &Key{Name: name}
	if family, arg, ok := strings.Cut(name, "/"); ok {
		if f := k.known[family+"/"]; f != nil {
			key.Slot, key.Arg = f.Slot, arg
		}
	}
	return key
}

type factKind uint8

const (
	absent factKind = iota
	factString
	factList
	factBool
	factInt
	factTime
	factIPv4
	factIPv6
)

// Fact is what a request says for one context key: nothing (the zero Fact), one
// value, or a list. The typed forms save the evaluator from parsing; each means
// the same as its text.
type Fact struct {
	kind factKind
	hi   uint64 // upper half of an IPv6 address
	lo   uint64 // bool, int, microseconds, IPv4 or lower half of an IPv6 address
	str  string
	list []string
}

// String is one value. The empty string is a value, too.
func String(s string) Fact { return Fact{kind: factString, str: s} }

// Strings is a multi-valued key; with no values it is present but empty, which
// tests treat like an absent key.
func Strings(s ...string) Fact { return Fact{kind: factList, list: s} }

// Bool is "true" or "false".
func Bool(b bool) Fact {
	if b {
		return Fact{kind: factBool, lo: 1}
	}
	return Fact{kind: factBool}
}

// Int is a whole number.
func Int(n int64) Fact { return Fact{kind: factInt, lo: uint64(n)} }

// At is an instant; what is finer than a microsecond is lost.
func At(t time.Time) Fact { return Fact{kind: factTime, lo: uint64(t.UnixMicro())} }

// Addr is an IP address; an IPv4 address mapped into IPv6 counts as IPv4, and a
// zone is dropped. The zero Addr is absent.
func Addr(a netip.Addr) Fact {
	if !a.IsValid() {
		return Fact{}
	}
	a = a.Unmap()
	if a.Is4() {
		return Fact{kind: factIPv4, lo: uint64(be32(a.As4()))}
	}
	b := a.As16()
	return Fact{kind: factIPv6, hi: be64(b[:8]), lo: be64(b[8:])}
}

// Absent tells whether the request has no such key at all.
func (f Fact) Absent() bool { return f.kind == absent }

// missing tells whether there is no value to compare.
func (f *Fact) missing() bool {
	return f.kind == absent || f.kind == factList && len(f.list) == 0
}

// Text returns the value of a single-valued fact as text.
func (f Fact) Text() (string, bool) { return f.text() }

func (f *Fact) text() (string, bool) {
	switch f.kind {
	case factString:
		return f.str, true
	case factList:
		if len(f.list) == 1 {
			return f.list[0], true
		}
		return "", false
	case factBool:
		if f.lo == 1 {
			return "true", true
		}
		return "false", true
	case factInt:
		return strconv.FormatInt(int64(f.lo), 10), true
	case factTime:
		return time.UnixMicro(int64(f.lo)).UTC().Format(time.RFC3339Nano), true
	case factIPv4, factIPv6:
		return f.addr().String(), true
	}
	return "", false
}

func (f *Fact) addr() netip.Addr {
	if f.kind == factIPv4 {
		return netip.AddrFrom4([4]byte{byte(f.lo >> 24), byte(f.lo >> 16), byte(f.lo >> 8), byte(f.lo)})
	}
	var b [16]byte
	for i := range 8 {
		b[i], b[8+i] = byte(f.hi>>(56-8*i)), byte(f.lo>>(56-8*i))
	}
	return netip.AddrFrom16(b)
}

// Values returns all values as text, for traces and reports.
func (f Fact) Values() []string {
	if f.kind == factList {
		return f.list
	}
	if s, ok := f.text(); ok {
		return []string{s}
	}
	return nil
}

func be32(b [4]byte) uint32 {
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

func be64(b []byte) (n uint64) {
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

// Map is a Context for tests and simulators. Keys are lower case: use Set.
type Map map[string]Fact

// Set stores a fact under a key's name, whatever its case.
func (m Map) Set(name string, f Fact) { m[strings.ToLower(name)] = f }

// Lookup implements Context.
func (m Map) Lookup(key *Key) Fact { return m[key.Name] }
