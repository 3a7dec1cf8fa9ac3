package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
)

// ErrBroken says that a sealed value does not open: it was altered, cut,
// extended, moved to another place, or sealed under another key.
var ErrBroken = errors.New("seal: the sealed value does not open: altered, moved or sealed for another use")

const (
	nonceSize = 24
	tagSize   = 16

	// Overhead is how many bytes longer than its content a Box's output is.
	Overhead = nonceSize + tagSize
)

// Box seals and opens under one key with XAES-256-GCM (C2SP, XAES-256-GCM
// specification): AES-256-GCM under a key derived from half of a 24-byte random
// nonce. Random nonces may thus be drawn 2^80 times before a repetition is to
// be feared, where plain AES-GCM allows 2^32: a busy token service passes that
// within days. A Box is safe for concurrent use.
type Box struct {
	hidden
	kdf    cipher.Block
	subkey *[aes.BlockSize]byte // CMAC's K1; a pointer keeps it from printers
}

// NewBox returns the box of a key.
func NewBox(key [32]byte) *Box {
	kdf, err := aes.NewCipher(key[:])
	if err != nil {
		panic("seal: AES refuses a 32-byte key: " + err.Error())
	}
	k1 := new([aes.BlockSize]byte)
	kdf.Encrypt(k1[:], k1[:])
	top := k1[0] >> 7
	for i := range k1 {
		k1[i] <<= 1
		if i+1 < len(k1) {
			k1[i] |= k1[i+1] >> 7
		}
	}
	// The field's polynomial, chosen by the top bit without a branch on it.
	k1[len(k1)-1] ^= byte(subtle.ConstantTimeSelect(int(top), 0x87, 0))
	return &Box{kdf: kdf, subkey: k1}
}

// Seal appends to dst a nonce drawn from rand and the sealed content, both bound
// to context: Open wants the same. It fails only when rand does.
func (b *Box) Seal(dst []byte, rand io.Reader, content, context []byte) ([]byte, error) {
	var nonce [nonceSize]byte
	if _, err := io.ReadFull(rand, nonce[:]); err != nil {
		return nil, fmt.Errorf("seal: draw a nonce: %w", err)
	}
	dst = append(dst, nonce[:]...)
	return b.gcm(&nonce).Seal(dst, nonce[12:], content, context), nil
}

// Open appends to dst the content of what Seal made. Its only error is
// ErrBroken.
func (b *Box) Open(dst, sealed, context []byte) ([]byte, error) {
	if len(sealed) < Overhead {
		return nil, ErrBroken
	}
	nonce := [nonceSize]byte(sealed[:nonceSize])
	out, err := b.gcm(&nonce).Open(dst, nonce[12:], sealed[nonceSize:], context)
	if err != nil {
		return nil, ErrBroken
	}
	return out, nil
}

// gcm derives the message key from the first half of the nonce (specification,
// "Overview": two CMAC blocks) and returns its cipher.
func (b *Box) gcm(nonce *[nonceSize]byte) cipher.AEAD {
	var key [32]byte
	for i := range 2 {
		m := key[i*aes.BlockSize : (i+1)*aes.BlockSize]
		m[1], m[2] = byte(i+1), 'X'
		copy(m[4:], nonce[:12])
		subtle.XORBytes(m, m, b.subkey[:])
		b.kdf.Encrypt(m, m)
	}
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("seal: AES refuses a 32-byte key: " + err.Error())
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("seal: GCM refuses AES: " + err.Error())
	}
	return aead
}
