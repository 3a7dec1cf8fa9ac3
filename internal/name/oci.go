package name

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strings"
)

// Kinds of nouns in OCIDs.
const (
	OCITenancy       = "tenancy"
	OCIUser          = "user"
	OCIGroup         = "group"
	OCIMembership    = "groupmembership"
	OCIPolicy        = "policy"
	OCICompartment   = "compartment"
	OCIDynamicGroup  = "dynamicgroup"
	OCICredential    = "credential"
	OCINetworkSource = "networksource"
	OCIWorkRequest   = "workrequest"
	OCITagNamespace  = "tagnamespace"
	OCITag           = "tagdefinition"
	OCITagDefault    = "tagdefault"
	OCIIDP           = "saml2idp"
	OCIIDPMapping    = "idpgroupmapping"
)

// OCID is an Oracle Cloud identifier: what it names, and one or two numbers. A
// membership has the group's and the user's; a tenancy its account's; all others
// have an ID and no second number.
type OCID struct {
	Kind string
	A, B int64
}

// Realm is the realm that OCIDs name: Oracle's commercial one, which is what its
// tools expect.
const Realm = "oc1"

// OCIDs end in 60 characters: eight that all of Oracle's have, and 32 bytes in
// base32 without padding. Ours are the two numbers and half a hash of all that
// stands before, so that a mistyped one is refused instead of naming another noun.
const ocidLead = "aaaaaaaa"

var base32Lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// String spells the OCID.
func (o OCID) String() string {
	head := "ocid1." + o.Kind + "." + Realm + ".."
	var b [32]byte
	o.fill(head, &b)
	return head + ocidLead + base32Lower.EncodeToString(b[:])
}

func (o OCID) fill(head string, b *[32]byte) {
	binary.BigEndian.PutUint64(b[16:], uint64(o.A))
	binary.BigEndian.PutUint64(b[24:], uint64(o.B))
	sum := sha256.Sum256(append([]byte(head), b[16:]...))
	copy(b[:16], sum[:16])
}

// ParseOCID reads what String wrote, in any case; false for any other text.
func ParseOCID(s string) (OCID, bool) {
	s = strings.ToLower(s)
	p := strings.Split(s, ".")
	if len(p) != 5 || p[0] != "ocid1" || p[2] != Realm || p[3] != "" || p[1] == "" {
		return OCID{}, false
	}
	text, ok := strings.CutPrefix(p[4], ocidLead)
	if !ok {
		return OCID{}, false
	}
	b, err := base32Lower.DecodeString(text)
	if err != nil || len(b) != 32 {
		return OCID{}, false
	}
	o := OCID{Kind: p[1], A: int64(binary.BigEndian.Uint64(b[16:])), B: int64(binary.BigEndian.Uint64(b[24:]))}
	return o, o.String() == s
}

// OCID spells the id of a noun of a kind.
func (id ID) OCID(kind string) string { return OCID{Kind: kind, A: int64(id)}.String() }

// ParseIDOf reads the OCID of a noun of a kind.
func ParseIDOf(kind, s string) (ID, bool) {
	o, ok := ParseOCID(s)
	id := ID(o.A)
	return id, ok && o.Kind == kind && o.B == 0 && id >= minID && id < minID+spanN
}

// Tenancy spells the account as Oracle does; it is the root compartment as well.
func (a Account) Tenancy() string { return OCID{Kind: OCITenancy, A: int64(a)}.String() }

// ParseTenancy reads what Tenancy wrote.
func ParseTenancy(s string) (Account, bool) {
	o, ok := ParseOCID(s)
	return Account(o.A), ok && o.Kind == OCITenancy && o.B == 0 && o.A > 0
}

// Membership spells a user's membership of a group.
func Membership(group, user ID) string {
	return OCID{Kind: OCIMembership, A: int64(group), B: int64(user)}.String()
}

// ParseMembership reads what Membership wrote.
func ParseMembership(s string) (group, user ID, ok bool) {
	o, ok := ParseOCID(s)
	return ID(o.A), ID(o.B), ok && o.Kind == OCIMembership && o.B != 0
}

// PlainOCID is the OCID that something of a kind has where there is only its name,
// as in files that policies are tested with. A name that is an OCID stays one.
func PlainOCID(kind, called string) string {
	called = strings.ToLower(called)
	if IsOCID(called) {
		return called
	}
	return "ocid1." + kind + "." + Realm + ".." + called
}

// IsOCID tells whether s begins as OCIDs do.
func IsOCID(s string) bool { return strings.HasPrefix(strings.ToLower(s), "ocid1.") }
