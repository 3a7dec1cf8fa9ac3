package password

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"warifu/internal/fault"
)

// Cost is how much work a hash is (RFC 9106 §3.1).
type Cost struct {
	Memory  uint32 // KiB
	Time    uint32 // passes
	Threads uint8  // lanes
}

const defaultMemory = 19 << 10

// DefaultCost is 19 MiB, two passes, one lane: 23 ms of one core. OWASP's
// password storage cheat sheet names it as the least; sign-in is the dearest
// thing that the server does, and the guess budget, not the hash, holds online
// guessing back.
func DefaultCost() Cost { return Cost{Memory: defaultMemory, Time: 2, Threads: 1} }

// Bounds of a stored hash: beyond, a database row could stop the server.
const (
	maxMemory  = 1 << 20 // KiB: 1 GiB
	maxTime    = 64
	maxThreads = 64
	maxHash    = 512 // characters
	saltSize   = 16
	sumSize    = 32
)

// form says what was done to a password before it was hashed.
type form uint8

const (
	formRaw  form = 0 // nothing: hashes that were imported
	formNFKC form = 1 // Unicode NFKC
)

// hash is a PHC string taken apart:
//
//	$argon2id$v=19$m=MEMORY,t=TIME,p=THREADS[,nf=1][,keyid=PEPPER]$SALT$SUM
//
// nf and keyid are ours (keyid as in the PHC string format's own argon2 profile);
// a hash from elsewhere has neither.
type hash struct {
	cost      Cost
	form      form
	pepper    string
	salt, sum []byte
}

var b64 = base64.RawStdEncoding.Strict()

func (h *hash) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "$argon2id$v=19$m=%d,t=%d,p=%d", h.cost.Memory, h.cost.Time, h.cost.Threads)
	if h.form != formRaw {
		fmt.Fprintf(&b, ",nf=%d", h.form)
	}
	if h.pepper != "" {
		b.WriteString(",keyid=" + h.pepper)
	}
	b.WriteString("$" + b64.EncodeToString(h.salt) + "$" + b64.EncodeToString(h.sum))
	return b.String()
}

// parse reads a PHC string in its one canonical spelling. The error is Internal
// (the string comes from our store), and quotes nothing.
func parse(s string) (*hash, error) {
	part := strings.Split(s, "$")
	if len(s) > maxHash || len(part) != 6 || part[0] != "" || part[1] != "argon2id" || part[2] != "v=19" {
		return nil, badHash("it is not an argon2id hash of version 19")
	}
	h := new(hash)
	if !h.parameters(part[3]) {
		return nil, badHash("its parameters are not readable or out of bounds")
	}
	var err1, err2 error
	h.salt, err1 = b64.DecodeString(part[4])
	h.sum, err2 = b64.DecodeString(part[5])
	if err1 != nil || err2 != nil || len(h.salt) < 8 || len(h.salt) > 64 || len(h.sum) < 16 || len(h.sum) > 64 || h.String() != s {
		return nil, badHash("its salt or sum is not readable")
	}
	return h, nil
}

// parameters reads m, t, p and then, perhaps, nf and keyid, in this order.
func (h *hash) parameters(s string) bool {
	for i, param := range strings.Split(s, ",") {
		key, value, _ := strings.Cut(param, "=")
		n, err := strconv.ParseUint(value, 10, 32)
		if key == "keyid" {
			h.pepper = value
			if err = checkPepperID(value); err != nil {
				return false
			}
			continue
		}
		if err != nil || i < 3 && key != "mtp"[i:i+1] || i >= 3 && key != "nf" {
			return false
		}
		switch key {
		case "m":
			h.cost.Memory = uint32(n)
		case "t":
			h.cost.Time = uint32(n)
		case "p":
			h.cost.Threads = uint8(min(n, 255))
		case "nf":
			h.form = form(min(n, 255))
		}
	}
	return h.cost.check() == nil && h.form <= formNFKC
}

// check refuses costs that argon2 does not know or that are out of bounds.
func (c Cost) check() error {
	if c.Threads < 1 || c.Threads > maxThreads || c.Time < 1 || c.Time > maxTime ||
		c.Memory < 8*uint32(c.Threads) || c.Memory > maxMemory {
		return fault.Field("cost", "argon2id takes 1 to %d threads, 1 to %d passes, and 8 KiB a thread to %d KiB of memory", maxThreads, maxTime, maxMemory)
	}
	return nil
}

func checkPepperID(id string) error {
	if id == "" || len(id) > 32 || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return fault.Field("pepper", "the name of a pepper has 1 to 32 of a-z, 0-9 and -")
	}
	return nil
}

func badHash(why string) error {
	return fault.New(fault.Internal, "a stored password hash cannot be used: %s", why)
}
