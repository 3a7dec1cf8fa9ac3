package policy

import (
	"math/bits"
	"strings"
	"unsafe"
)

// Action names compare without regard to case. A request's action is lowered and
// hashed once, eight bytes at a time, into a buffer that lives with the decision.

// nameBuffer is room for the lowered actions of a request, in all languages; what
// does not fit goes to the heap.
const nameBuffer = 160

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// lowerWord lowers the ASCII capitals among eight bytes.
func lowerWord(w uint64) uint64 {
	low := w &^ highs
	afterZ := low + (0x7f-'Z')*ones
	fromA := low + (0x80-'A')*ones
	return w | (^w&highs&(fromA^afterZ))>>2
}

func mix(h, w uint64) uint64 {
	hi, lo := bits.Mul64(h^w, 0x9e3779b97f4a7c15)
	return hi ^ lo
}

func word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

func word32(s string) uint32 {
	_ = s[3]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

func putWord(b []byte, w uint64) {
	_ = b[7]
	b[0], b[1], b[2], b[3] = byte(w), byte(w>>8), byte(w>>16), byte(w>>24)
	b[4], b[5], b[6], b[7] = byte(w>>32), byte(w>>40), byte(w>>48), byte(w>>56)
}

// lowerInto lowers s into buf, whose first used bytes are taken, or onto the heap if
// it does not fit.
func lowerInto(buf *[nameBuffer]byte, used int, s string) string {
	if len(s) > nameBuffer-8-used {
		return lowerASCII(s)
	}
	n := used
	for ; len(s) >= 8; s = s[8:] {
		putWord(buf[n:], lowerWord(word(s)))
		n += 8
	}
	putWord(buf[n:], lowerWord(tail(s)))
	return unsafe.String(&buf[used], n-used+len(s))
}

// tail reads fewer than eight bytes as one word.
func tail(s string) (w uint64) {
	for i := len(s) - 1; i >= 0; i-- {
		w = w<<8 | uint64(s[i])
	}
	return w
}

// hashName hashes a lowered name.
func hashName(s string) uint32 {
	h := uint64(len(s)) * 0xa0761d6478bd642f
	for ; len(s) >= 8; s = s[8:] {
		h = mix(h, word(s))
	}
	h = mix(h, tail(s))
	return uint32(h>>32) | 1 // 0 marks a free slot
}

// same compares two texts of one length, which are short.
func same(a, b string) bool {
	n := len(a)
	if n < 8 || len(b) != n {
		return a == b
	}
	for i := 0; i+8 < n; i += 8 {
		if word(a[i:]) != word(b[i:]) {
			return false
		}
	}
	return word(a[n-8:]) == word(b[n-8:])
}

// colon returns where the first colon of s is, or -1; fields of names are short.
func colon(s string) int {
	const colons = ':' * ones
	i := 0
	for ; i+8 <= len(s); i += 8 {
		x := word(s[i:]) ^ colons
		if x = (x - ones) &^ x & highs; x != 0 {
			return i + bits.TrailingZeros64(x)/8
		}
	}
	for ; i < len(s); i++ {
		if s[i] == ':' {
			return i
		}
	}
	return -1
}

// sameString compares two strings that mostly are the very same.
func sameString(a, b string) bool {
	return len(a) == len(b) && (unsafe.StringData(a) == unsafe.StringData(b) || a == b)
}

// serviceOf returns what stands before the first colon of a name, or "".
func serviceOf(name string) string {
	if i := strings.IndexByte(name, ':'); i >= 0 {
		return name[:i]
	}
	return ""
}

func lowerASCII(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i]-'A' < 26 {
			b := []byte(s)
			for ; i < len(b); i++ {
				if b[i]-'A' < 26 {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}
