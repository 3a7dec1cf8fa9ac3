package page

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"

	"warifu/internal/fault"
)

const (
	// MaxCursor is the length of the longest cursor, in characters: what AWS's
	// Marker parameter holds.
	MaxCursor = 320

	// MaxKey is how long a key may be, in bytes, with one byte (two from 128
	// on) for the length of each of its values.
	MaxKey = MaxCursor/4*3 - 1 - tagSize

	format  = 1
	tagSize = aes.BlockSize
	maxVals = 8 // columns that a list is ordered by
)

// List names what a cursor belongs to. A cursor of one list is refused by every
// other.
type List struct {
	Operation string   // "ListUsers"
	Filter    []string // all that selects and orders the rows: the account, a path prefix, …
}

// Codec makes and reads cursors. It is safe for concurrent use.
type Codec struct {
	block cipher.Block
	mac   *[32]byte // a pointer keeps it from printers
}

// NewCodec returns the codec of a key, which serves no other purpose.
func NewCodec(key [32]byte) *Codec {
	enc, mac := subkey(key, "encrypt"), subkey(key, "authenticate")
	block, err := aes.NewCipher(enc[:])
	if err != nil {
		panic("page: AES refuses a 32-byte key: " + err.Error())
	}
	return &Codec{block: block, mac: &mac}
}

func subkey(key [32]byte, use string) [32]byte {
	k, err := hkdf.Expand(sha256.New, key[:], "warifu page cursor 1: "+use, 32)
	if err != nil {
		panic("page: HKDF refuses to make 32 bytes: " + err.Error())
	}
	return [32]byte(k)
}

// Encode makes the cursor for the page after key. The same key and list give the
// same cursor: the nonce is the tag (the SIV construction), so that no
// randomness is needed and a client may compare. It fails for a key over MaxKey.
func (c *Codec) Encode(list List, key Key) (Cursor, error) {
	plain := packKey(key)
	if len(plain) > MaxKey || len(key) > maxVals {
		return "", fault.New(fault.Internal, "page: a key of %d values and %d bytes does not fit a cursor", len(key), len(plain))
	}
	out := make([]byte, 1+tagSize+len(plain))
	out[0] = format
	tag := c.tag(list, plain)
	copy(out[1:], tag)
	cipher.NewCTR(c.block, tag).XORKeyStream(out[1+tagSize:], plain)
	return Cursor(base64.RawURLEncoding.EncodeToString(out)), nil
}

// Decode reads a cursor that Encode made for this list; an empty one gives a nil
// key, the beginning. Anything else is refused with fault.Invalid on the field
// "cursor": altered, cut, extended, or taken from another operation or filter.
func (c *Codec) Decode(list List, cursor Cursor) (Key, error) {
	if cursor == "" {
		return nil, nil
	}
	// The decoder skips line breaks, which would let one cursor be spelled in
	// many ways.
	if len(cursor) > MaxCursor || strings.ContainsAny(string(cursor), "\r\n") {
		return nil, refused()
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(string(cursor))
	if err != nil || len(raw) < 1+tagSize || raw[0] != format {
		return nil, refused()
	}
	tag, plain := raw[1:1+tagSize], raw[1+tagSize:]
	cipher.NewCTR(c.block, tag).XORKeyStream(plain, plain)
	if !hmac.Equal(tag, c.tag(list, plain)) {
		return nil, refused()
	}
	key, ok := unpackKey(plain)
	if !ok {
		return nil, refused()
	}
	return key, nil
}

func refused() error {
	return fault.Field("cursor", "the page cursor is not one that this list gave out with these filters")
}

// tag authenticates the list and the key: HMAC-SHA256 cut to 128 bits.
func (c *Codec) tag(list List, plain []byte) []byte {
	b := make([]byte, 0, 256)
	b = appendString(b, list.Operation)
	b = binary.AppendUvarint(b, uint64(len(list.Filter)))
	for _, s := range list.Filter {
		b = appendString(b, s)
	}
	h := hmac.New(sha256.New, c.mac[:])
	h.Write(append(b, plain...))
	return h.Sum(nil)[:tagSize]
}

func packKey(key Key) []byte {
	var b []byte
	for _, s := range key {
		b = appendString(b, s)
	}
	return b
}

func unpackKey(b []byte) (Key, bool) {
	key := Key{}
	for len(b) > 0 {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) || len(key) == maxVals {
			return nil, false
		}
		b = b[size:]
		key = append(key, string(b[:n]))
		b = b[n:]
	}
	return slices.Clip(key), true
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}
