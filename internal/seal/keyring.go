package seal

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
)

// Errors that tell the reasons apart for which a ring or a value stays shut.
var (
	// ErrNoKey: no key-encryption key was given at all.
	ErrNoKey = errors.New("seal: the key-encryption key is missing")
	// ErrWrongKey: a key-encryption key was given, and it is not the one that
	// wrapped these keys.
	ErrWrongKey = errors.New("seal: the key-encryption key is not the one that this data was sealed with")
	// ErrUnknownKey: the value was sealed with a data key that this ring does
	// not hold. Another node may have rotated: load the ring again, once.
	ErrUnknownKey = errors.New("seal: the data key of this value is not in the ring")
)

// KMS holds key-encryption keys: a key file (FileKeys) or a service. It is
// called when a ring is opened, rotated or rewrapped, never per value.
type KMS interface {
	// Wrap encrypts a ring's key under the newest key-encryption key and says
	// which one that is.
	Wrap(ctx context.Context, dek []byte) (wrapped []byte, keyID string, err error)

	// Unwrap decrypts what Wrap made under the key keyID. It returns an error
	// that is ErrWrongKey when it has no such key or the key does not fit; any
	// other error is a fault of the service and may be retried.
	Unwrap(ctx context.Context, keyID string, wrapped []byte) ([]byte, error)
}

// KeyID is the number of a key in its ring: 0 is the root secret; data keys
// count from 1 and are never numbered again.
type KeyID uint32

// String returns the number in decimal.
func (id KeyID) String() string { return strconv.FormatUint(uint64(id), 10) }

// ParseKeyID reads what String wrote.
func ParseKeyID(s string) (KeyID, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || KeyID(n).String() != s {
		return 0, fmt.Errorf("seal: %q is not the number of a key", s)
	}
	return KeyID(n), nil
}

// WrappedKey is one key of a ring as the store keeps it: useless without the
// key-encryption key.
type WrappedKey struct {
	ID      KeyID
	KEK     string // the key-encryption key that wrapped it
	Wrapped []byte
}

const rootID KeyID = 0

// Keyring seals and opens values at rest and derives keys. It never changes:
// Rotate and Without return another ring. It is safe for concurrent use.
type Keyring struct {
	hidden
	root   Secret
	boxes  map[KeyID]*Box
	active KeyID // the highest number
}

// NewRing makes the ring of a new installation: a root secret and data key 1,
// drawn from rand. Keep the wrapped keys.
func NewRing(ctx context.Context, kms KMS, rand io.Reader) (*Keyring, []WrappedKey, error) {
	keys := make([]WrappedKey, 2)
	for id := range keys {
		var err error
		if keys[id], err = newKey(ctx, kms, rand, KeyID(id)); err != nil {
			return nil, nil, err
		}
	}
	ring, err := OpenRing(ctx, kms, keys)
	return ring, keys, err
}

// OpenRing unwraps the kept keys, in any order. The error is ErrNoKey when kms
// is nil, ErrWrongKey when kms does not hold the key that wrapped them, and
// ErrBroken when a wrapped key was altered or exchanged for another: so a server
// can say at its start whether its key is missing or wrong.
func OpenRing(ctx context.Context, kms KMS, keys []WrappedKey) (*Keyring, error) {
	if kms == nil {
		return nil, ErrNoKey
	}
	ring := &Keyring{boxes: make(map[KeyID]*Box, len(keys))}
	for _, w := range keys {
		key, err := unwrap(ctx, kms, w)
		if err != nil {
			return nil, err
		}
		if w.ID == rootID {
			ring.root = NewSecret(key[:])
			continue
		}
		ring.boxes[w.ID] = NewBox(key)
		ring.active = max(ring.active, w.ID)
	}
	if ring.root.Empty() || ring.active == 0 {
		return nil, fmt.Errorf("seal: the ring is incomplete: it needs a root secret and a data key: %w", ErrBroken)
	}
	return ring, nil
}

// Rotate returns a ring with one more data key, drawn from rand, which seals
// from now on, and that key to be kept. Keep it before the new ring seals
// anything; when two nodes rotate at once both make the same number, and the
// store must refuse the second.
func (k *Keyring) Rotate(ctx context.Context, kms KMS, rand io.Reader) (*Keyring, WrappedKey, error) {
	if kms == nil {
		return nil, WrappedKey{}, ErrNoKey
	}
	w, err := newKey(ctx, kms, rand, k.active+1)
	if err != nil {
		return nil, WrappedKey{}, err
	}
	key, err := unwrap(ctx, kms, w)
	if err != nil {
		return nil, WrappedKey{}, err
	}
	next := &Keyring{root: k.root, boxes: maps.Clone(k.boxes), active: w.ID}
	next.boxes[w.ID] = NewBox(key)
	return next, w, nil
}

// Without returns a ring that has forgotten a data key: call it when no row is
// sealed with that key any more. The active key cannot be forgotten.
func (k *Keyring) Without(id KeyID) (*Keyring, error) {
	if id == k.active || id == rootID {
		return nil, fmt.Errorf("seal: key %d is in use and cannot be forgotten", id)
	}
	next := &Keyring{root: k.root, boxes: maps.Clone(k.boxes), active: k.active}
	delete(next.boxes, id)
	return next, nil
}

// Rewrap returns the kept keys wrapped by the newest key-encryption key of to,
// which may be the same KMS as from. The keys inside stay the same, so every
// sealed value and every open ring stays good.
func Rewrap(ctx context.Context, from, to KMS, keys []WrappedKey) ([]WrappedKey, error) {
	if from == nil || to == nil {
		return nil, ErrNoKey
	}
	out := make([]WrappedKey, len(keys))
	for i, w := range keys {
		key, err := unwrap(ctx, from, w)
		if err != nil {
			return nil, err
		}
		if out[i], err = wrap(ctx, to, w.ID, key); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Active returns the number of the data key that seals.
func (k *Keyring) Active() KeyID { return k.active }

// KeyIDs returns the numbers of the data keys, ascending.
func (k *Keyring) KeyIDs() []KeyID { return slices.Sorted(maps.Keys(k.boxes)) }

// Derive returns the key for a purpose, such as "page cursor": HKDF-SHA256 (RFC
// 5869) of the root secret. It is the same for the life of the installation,
// whatever is rotated. Never show it, and never use one purpose for two things.
func (k *Keyring) Derive(purpose string) [32]byte {
	key, err := hkdf.Key(sha256.New, k.root.Reveal(), nil, "warifu derived key 1: "+purpose, 32)
	if err != nil {
		panic("seal: HKDF refuses to make 32 bytes: " + err.Error())
	}
	return [32]byte(key)
}

// Place is where a sealed value lives. A value opens nowhere else (security
// checklist K-1). Row must be the row's unchanging key.
type Place struct{ Table, Row, Column string }

// Sealed values: format byte, number of the data key (4 bytes, big-endian),
// then a Box's output with the place and this header as its context.
const (
	valueFormat = 1
	headerSize  = 1 + 4
)

// Seal seals a value for a place under the active data key.
func (k *Keyring) Seal(rand io.Reader, at Place, value Secret) ([]byte, error) {
	plain := value.Reveal()
	header := binary.BigEndian.AppendUint32([]byte{valueFormat}, uint32(k.active))
	out := append(make([]byte, 0, headerSize+Overhead+len(plain)), header...)
	return k.boxes[k.active].Seal(out, rand, plain, at.context(header))
}

// Open returns the value that was sealed for this place. The error is
// ErrUnknownKey or ErrBroken.
func (k *Keyring) Open(at Place, sealed []byte) (Secret, error) {
	id, err := KeyOf(sealed)
	if err != nil {
		return Secret{}, err
	}
	box, ok := k.boxes[id]
	if !ok {
		return Secret{}, fmt.Errorf("%w (key %d)", ErrUnknownKey, id)
	}
	header, body := sealed[:headerSize], sealed[headerSize:]
	plain, err := box.Open(nil, body, at.context(header))
	if err != nil {
		return Secret{}, fmt.Errorf("%s.%s: %w", at.Table, at.Column, err)
	}
	return Secret{reveal: func() []byte { return plain }}, nil
}

// Reseal returns the value sealed under the active key, and whether that made a
// difference: a value already under it is returned as it is.
func (k *Keyring) Reseal(rand io.Reader, at Place, sealed []byte) (out []byte, changed bool, err error) {
	value, err := k.Open(at, sealed)
	if err != nil {
		return nil, false, err
	}
	if id, _ := KeyOf(sealed); id == k.active {
		return sealed, false, nil
	}
	out, err = k.Seal(rand, at, value)
	return out, err == nil, err
}

// KeyOf returns the number of the data key that a value is sealed with, without
// opening it. The error is ErrBroken when the value is no sealed value.
func KeyOf(sealed []byte) (KeyID, error) {
	if len(sealed) < headerSize+Overhead || sealed[0] != valueFormat {
		return 0, ErrBroken
	}
	return KeyID(binary.BigEndian.Uint32(sealed[1:])), nil
}

// context spells header and place with lengths in front, so that no two places
// spell alike.
func (p Place) context(header []byte) []byte {
	b := make([]byte, 0, len(header)+len(p.Table)+len(p.Row)+len(p.Column)+12)
	b = append(b, header...)
	for _, s := range [...]string{p.Table, p.Row, p.Column} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}

// What a KMS wraps: format byte, the key's number, the key. The number inside
// keeps anybody who can write the store from passing one key off as another.
const (
	keyFormat   = 1
	keyTextSize = 1 + 4 + 32
)

func newKey(ctx context.Context, kms KMS, rand io.Reader, id KeyID) (WrappedKey, error) {
	if kms == nil {
		return WrappedKey{}, ErrNoKey
	}
	var key [32]byte
	if _, err := io.ReadFull(rand, key[:]); err != nil {
		return WrappedKey{}, fmt.Errorf("seal: draw a key: %w", err)
	}
	return wrap(ctx, kms, id, key)
}

func wrap(ctx context.Context, kms KMS, id KeyID, key [32]byte) (WrappedKey, error) {
	text := binary.BigEndian.AppendUint32([]byte{keyFormat}, uint32(id))
	wrapped, kek, err := kms.Wrap(ctx, append(text, key[:]...))
	if err != nil {
		return WrappedKey{}, fmt.Errorf("seal: wrap key %d: %w", id, err)
	}
	return WrappedKey{ID: id, KEK: kek, Wrapped: wrapped}, nil
}

func unwrap(ctx context.Context, kms KMS, w WrappedKey) (key [32]byte, err error) {
	text, err := kms.Unwrap(ctx, w.KEK, w.Wrapped)
	if err != nil {
		return key, fmt.Errorf("seal: unwrap key %d: %w", w.ID, err)
	}
	if len(text) != keyTextSize || text[0] != keyFormat || KeyID(binary.BigEndian.Uint32(text[1:])) != w.ID {
		return key, fmt.Errorf("seal: what is wrapped as key %d is another key: %w", w.ID, ErrBroken)
	}
	return [32]byte(text[5:]), nil
}
