package policy

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unsafe"
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
//
// A decision handles many facts, and three words travel in registers where a larger
// struct goes through memory; so ref and n mean what kind says.
type Fact struct {
	kind factKind
	n    uint64         // bool, integer, microseconds, IPv4 address; length of a string or list
	ref  unsafe.Pointer // bytes of a string, strings of a list, *netip.Addr of an IPv6 address
}

// String is one value. The empty string is a value, too.
func String(s string) Fact {
	return Fact{kind: factString, n: uint64(len(s)), ref: unsafe.Pointer(unsafe.StringData(s))}
}

// Strings is a multi-valued key; with no values it is present but empty, which
// tests treat like an absent key.
func Strings(s ...string) Fact {
	return Fact{kind: factList, n: uint64(len(s)), ref: unsafe.Pointer(unsafe.SliceData(s))}
}

// Bool is "true" or "false".
func Bool(b bool) Fact {
	if b {
		return Fact{kind: factBool, n: 1}
	}
	return Fact{kind: factBool}
}

// Int is a whole number.
func Int(n int64) Fact { return Fact{kind: factInt, n: uint64(n)} }

// At is an instant; what is finer than a microsecond is lost.
func At(t time.Time) Fact { return Micros(t.UnixMicro()) }

// Micros is an instant in microseconds since 1970 UTC.
func Micros(n int64) Fact { return Fact{kind: factTime, n: uint64(n)} }

// Addr is an IP address; an IPv4 address mapped into IPv6 counts as IPv4, and a
// zone is dropped. The zero Addr is absent.
func Addr(a netip.Addr) Fact {
	if a.Is4() {
		return ipv4(a)
	}
	b := a // moves to the heap, unlike a
	return AddrOf(&b)
}

// AddrOf is Addr for an address that stays where it is, so that an IPv6 address need
// not be copied.
func AddrOf(a *netip.Addr) Fact {
	switch {
	case a.Is4():
		return ipv4(*a)
	case a.Is4In6():
		return ipv4(a.Unmap())
	case a.IsValid():
		return Fact{kind: factIPv6, ref: unsafe.Pointer(a)}
	}
	return Fact{}
}

func ipv4(a netip.Addr) Fact { return Fact{kind: factIPv4, n: uint64(be32(a.As4()))} }

// str is the value of a factString.
func (f Fact) str() string { return unsafe.String((*byte)(f.ref), int(f.n)) }

// list is the values of a factList.
func (f Fact) list() []string { return unsafe.Slice((*string)(f.ref), int(f.n)) }

// ipv6 is the value of a factIPv6.
func (f Fact) ipv6() netip.Addr { return (*netip.Addr)(f.ref).WithZone("") }

// Absent tells whether the request has no such key at all.
func (f Fact) Absent() bool { return f.kind == absent }

// missing tells whether there is no value to compare.
func (f Fact) missing() bool { return f.kind == absent || f.kind == factList && f.n == 0 }

// Text returns the value of a single-valued fact as text.
func (f Fact) Text() (string, bool) {
	switch f.kind {
	case factString:
		return f.str(), true
	case factList:
		if f.n == 1 {
			return f.list()[0], true
		}
	case factBool:
		return strconv.FormatBool(f.n == 1), true
	case factInt:
		return strconv.FormatInt(int64(f.n), 10), true
	case factTime:
		return time.UnixMicro(int64(f.n)).UTC().Format(time.RFC3339Nano), true
	case factIPv4:
		return netip.AddrFrom4([4]byte{byte(f.n >> 24), byte(f.n >> 16), byte(f.n >> 8), byte(f.n)}).String(), true
	case factIPv6:
		return f.ipv6().String(), true
	}
	return "", false
}

// Values returns all values as text, for traces and reports.
func (f Fact) Values() []string {
	if f.kind == factList {
		return f.list()
	}
	if s, ok := f.Text(); ok {
		return []string{s}
	}
	return nil
}

func be32(b [4]byte) uint32 {
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

// Map is a Context for tests and simulators. Keys are lower case: use Set.
type Map map[string]Fact

// Set stores a fact under a key's name, whatever its case.
func (m Map) Set(name string, f Fact) { m[strings.ToLower(name)] = f }

// Lookup implements Context.
func (m Map) Lookup(key *Key) Fact { return m[key.Name] }
