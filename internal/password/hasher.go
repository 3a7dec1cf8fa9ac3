package password

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"warifu/internal/fault"
	"warifu/internal/seal"
)

// MaxBytes is the length of the longest password, in bytes. It is refused before
// any work (P-2); anything shorter counts in full.
const MaxBytes = 1024

// Pepper is a secret that goes into every hash and is not in the database, so
// that a stolen database alone cannot be guessed at.
type Pepper struct {
	ID  string // stands in the hash: 1 to 32 of a-z, 0-9 and -
	Key seal.Secret
}

// Hasher hashes and verifies passwords behind a Gate. It is safe for concurrent
// use.
type Hasher struct {
	gate    *Gate
	cost    Cost
	current string // pepper of new hashes; "" = none
	peppers map[string]seal.Secret
}

// NewHasher returns a hasher. Of the peppers the first goes into new hashes; the
// others verify old ones. Without any, hashes have none.
func NewHasher(gate *Gate, cost Cost, peppers ...Pepper) (*Hasher, error) {
	if err := cost.check(); err != nil {
		return nil, err
	}
	h := &Hasher{gate: gate, cost: cost, peppers: make(map[string]seal.Secret, len(peppers))}
	for i, p := range peppers {
		if err := checkPepperID(p.ID); err != nil {
			return nil, err
		}
		if len(p.Key.Reveal()) < sha256.Size {
			return nil, fault.Field("pepper", "a pepper must have at least %d bytes", sha256.Size)
		}
		if i == 0 {
			h.current = p.ID
		}
		h.peppers[p.ID] = p.Key
	}
	return h, nil
}

// Hash returns a PHC string for a password, salted from rand. The error is
// fault.Invalid for one that is empty or over MaxBytes, fault.Throttled when the
// gate is full or ctx ends.
func (h *Hasher) Hash(ctx context.Context, rand io.Reader, password seal.Secret) (string, error) {
	if err := checkLength(password); err != nil {
		return "", err
	}
	out := &hash{cost: h.cost, form: formNFKC, pepper: h.current, salt: make([]byte, saltSize), sum: make([]byte, sumSize)}
	if _, err := io.ReadFull(rand, out.salt); err != nil {
		return "", fmt.Errorf("password: draw a salt: %w", err)
	}
	sum, err := h.compute(ctx, password, out)
	if err != nil {
		return "", err
	}
	out.sum = sum
	return out.String(), nil
}

// Verify reports whether password is the one of a stored hash, and if so whether
// the hash should be replaced by a new one of it (Hash), because cost, pepper or
// normal form have changed. Errors are those of Hash, and fault.Internal for a
// stored hash that cannot be used.
func (h *Hasher) Verify(ctx context.Context, password seal.Secret, stored string) (ok, stale bool, err error) {
	if err := checkLength(password); err != nil {
		return false, false, err
	}
	want, err := parse(stored)
	if err != nil {
		return false, false, err
	}
	sum, err := h.compute(ctx, password, want)
	if err != nil {
		return false, false, err
	}
	if subtle.ConstantTimeCompare(sum, want.sum) != 1 {
		return false, false, nil
	}
	return true, want.cost != h.cost || want.form != formNFKC || want.pepper != h.current || len(want.sum) != sumSize || len(want.salt) != saltSize, nil
}

// VerifyNobody does the work of Verify for a user who does not exist or has no
// password, with the same errors, so that neither answer nor time tell (C-6,
// P-5). Whatever the password, it is wrong.
func (h *Hasher) VerifyNobody(ctx context.Context, password seal.Secret) error {
	if err := checkLength(password); err != nil {
		return err
	}
	_, err := h.compute(ctx, password, &hash{cost: h.cost, form: formNFKC, pepper: h.current, salt: make([]byte, saltSize), sum: make([]byte, sumSize)})
	return err
}

// Reused reports whether password is the one of any of the hashes: the present
// one and those before it, as far back as ReusePrevention says.
func (h *Hasher) Reused(ctx context.Context, password seal.Secret, hashes []string) (bool, error) {
	for _, stored := range hashes {
		if ok, _, err := h.Verify(ctx, password, stored); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// compute hashes password in the way of like, inside the gate.
func (h *Hasher) compute(ctx context.Context, password seal.Secret, like *hash) ([]byte, error) {
	text := password.Reveal()
	if like.form == formNFKC {
		text = norm.NFKC.Bytes(text)
	}
	if like.pepper != "" {
		key, ok := h.peppers[like.pepper]
		if !ok {
			return nil, badHash("its pepper " + like.pepper + " is not configured")
		}
		mac := hmac.New(sha256.New, key.Reveal())
		mac.Write(text)
		text = mac.Sum(nil)
	}
	leave, err := h.gate.enter(ctx, like.cost.Memory)
	if err != nil {
		return nil, err
	}
	defer leave()
	return argon2.IDKey(text, like.salt, like.cost.Time, like.cost.Memory, like.cost.Threads, uint32(len(like.sum))), nil
}

func checkLength(password seal.Secret) error {
	if n := len(password.Reveal()); n == 0 || n > MaxBytes {
		return fault.Field("password", "a password must have 1 to %d bytes", MaxBytes)
	}
	return nil
}
