package name

import (
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"strconv"
	"strings"
)

// ID identifies a user, group, role, policy or factor for ever. It is an
// 18-digit decimal number, so that it can be spelled as each cloud spells its
// own: Alibaba Cloud's user ids are 18 digits, AWS's are 21 characters. Zero
// means none.
type ID int64

const (
	minID = 100_000_000_000_000_000 // the smallest 18-digit number
	spanN = 900_000_000_000_000_000 // how many there are
)

// NewID mints an id from rand. The 59 bits of randomness and the primary key
// of each table make a repeated id impossible in practice and refused in fact,
// so the grants of a deleted principal never reach a later one.
func NewID(rand io.Reader) (ID, error) {
	var b [8]byte
	for {
		if _, err := io.ReadFull(rand, b[:]); err != nil {
			return 0, fmt.Errorf("mint an id: %w", err)
		}
		// 60 bits, rejected above the span, so that every id is equally likely.
		if v := int64(binary.BigEndian.Uint64(b[:]) >> 4); v < spanN {
			return ID(minID + v), nil
		}
	}
}

// FixedID returns the id that stands for s in every installation: the ids of
// managed policies that exist from the start.
func FixedID(s string) ID {
	h := fnv.New64a()
	io.WriteString(h, s)
	return ID(minID + int64(h.Sum64()%spanN))
}

// String returns the 18 digits.
func (id ID) String() string { return strconv.FormatInt(int64(id), 10) }

// Prefixes of AWS unique ids (IAM user guide, "Unique identifiers").
const (
	PrefixUser          = "AIDA"
	PrefixRole          = "AROA"
	PrefixGroup         = "AGPA"
	PrefixManagedPolicy = "ANPA"
	PrefixAccessKey     = "AKIA"
	PrefixSessionKey    = "ASIA"
)

var base32NoPad = base32.StdEncoding.WithPadding(base32.NoPadding)

// Unique spells id as an AWS unique id: the prefix and 17 characters, of which
// the first five are a check of the rest, so that a mistyped id is refused
// instead of naming another principal.
func (id ID) Unique(prefix string) string {
	var b [8]byte
	var digits [13]byte
	binary.BigEndian.PutUint64(b[:], uint64(id)<<4) // 60 bits in the first 12 characters
	base32NoPad.Encode(digits[:], b[:])
	check := checkOf(prefix, digits[:12])
	var room [32]byte
	s := append(room[:0], prefix...)
	s = append(s, check[:]...)
	return string(append(s, digits[:12]...))
}

// ParseUnique reads what Unique wrote. The second result is false for any
// other text.
func ParseUnique(prefix, s string) (ID, bool) {
	rest, ok := strings.CutPrefix(s, prefix)
	if !ok || len(rest) != 17 {
		return 0, false
	}
	if check := checkOf(prefix, []byte(rest[5:])); rest[:5] != string(check[:]) {
		return 0, false
	}
	b, err := base32NoPad.DecodeString(rest[5:] + "A")
	if err != nil {
		return 0, false
	}
	var whole [8]byte
	copy(whole[:], b)
	id := ID(binary.BigEndian.Uint64(whole[:]) >> 4)
	return id, id >= minID && id < minID+spanN
}

// checkOf is five characters that prefix and digits decide.
func checkOf(prefix string, digits []byte) (check [5]byte) {
	var room [32]byte
	h := fnv.New32a()
	h.Write(append(append(room[:0], prefix...), digits...))
	var sum [4]byte
	var text [7]byte
	binary.BigEndian.PutUint32(sum[:], h.Sum32())
	base32NoPad.Encode(text[:], sum[:])
	copy(check[:], text[:])
	return check
}

// NewAccessKeyID mints an access key id: the prefix and 16 characters of the
// base32 alphabet, 80 bits.
func NewAccessKeyID(rand io.Reader, prefix string) (string, error) {
	var b [10]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return "", fmt.Errorf("mint an access key id: %w", err)
	}
	return prefix + base32NoPad.EncodeToString(b[:]), nil
}

// Account is an account's number. AWS spells it with 12 digits.
type Account int64

// String returns the 12 digits.
func (a Account) String() string {
	var room [20]byte
	return string(a.append(room[:0]))
}

func (a Account) append(b []byte) []byte {
	var room [20]byte
	digits := strconv.AppendInt(room[:0], int64(a), 10)
	for range 12 - len(digits) {
		b = append(b, '0')
	}
	return append(b, digits...)
}

// ParseAccount reads 12 digits; 000000000000 is no account.
func ParseAccount(s string) (Account, bool) {
	if len(s) != 12 {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 63)
	return Account(n), err == nil && n > 0
}

// NewAccount mints a random account number without a leading zero.
func NewAccount(rand io.Reader) (Account, error) {
	var b [8]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return 0, fmt.Errorf("mint an account number: %w", err)
	}
	return Account(100_000_000_000 + binary.BigEndian.Uint64(b[:])%900_000_000_000), nil
}
