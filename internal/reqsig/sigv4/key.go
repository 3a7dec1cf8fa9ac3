package sigv4

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
)

// algorithm is the only one that we speak; its asymmetric sibling
// AWS4-ECDSA-P256-SHA256 needs keys that IAM does not hand out.
const algorithm = "AWS4-HMAC-SHA256"

const terminator = "aws4_request"

// Scope is what a signing key is good for.
type Scope struct {
	Date    string // UTC day, 20060102
	Region  string
	Service string
}

// SigningKey signs for one scope. It is as secret as the access key, for a day.
type SigningKey [sha256.Size]byte

// Format implements fmt.Formatter, whatever the verb: a key never reaches a log.
func (SigningKey) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[sealed]")) }

// DeriveKey derives the signing key of a secret access key for a scope
// (the chain date, region, service, terminator).
func DeriveKey(secret string, s Scope) SigningKey {
	k := hmacSHA256("AWS4"+secret, []byte(s.Date))
	k = hmacSHA256(string(k[:]), []byte(s.Region))
	k = hmacSHA256(string(k[:]), []byte(s.Service))
	return hmacSHA256(string(k[:]), []byte(terminator))
}

// hmacSHA256 is RFC 2104 on the stack: crypto/hmac allocates its two states
// anew for each of the five short messages of a verification.
func hmacSHA256(key string, msg []byte) [sha256.Size]byte {
	var hashedKey [sha256.Size]byte
	if len(key) > sha256.BlockSize {
		hashedKey = sha256.Sum256([]byte(key))
		key = string(hashedKey[:])
	}
	var inner [sha256.BlockSize + 256]byte
	var outer [sha256.BlockSize + sha256.Size]byte
	copy(inner[:], key)
	copy(outer[:], key)
	for i := range sha256.BlockSize {
		inner[i] ^= 0x36
		outer[i] ^= 0x5c
	}
	sum := sha256.Sum256(append(inner[:sha256.BlockSize], msg...))
	copy(outer[sha256.BlockSize:], sum[:])
	return sha256.Sum256(outer[:])
}

// KeyCache remembers signing keys, which saves more than half of a
// verification. Its zero value is not usable; the owner makes one with
// NewKeyCache. It may be used by several goroutines.
//
// It holds keys, not verdicts: the caller still looks the access key up for
// each request, so a deactivated key stops at once.
type KeyCache struct {
	mu   sync.RWMutex
	max  int
	keys map[cacheKey]SigningKey
}

type cacheKey struct {
	id    string
	scope Scope
}

// NewKeyCache makes a cache of at most max keys. When it is full it is emptied:
// a key costs 3 µs to derive again, so the order of use is not worth keeping.
func NewKeyCache(max int) *KeyCache {
	return &KeyCache{max: max, keys: make(map[cacheKey]SigningKey)}
}

// Get returns the key of an access key id in a scope.
func (c *KeyCache) Get(id string, s Scope) (SigningKey, bool) {
	c.mu.RLock()
	k, ok := c.keys[cacheKey{id, s}]
	c.mu.RUnlock()
	return k, ok
}

// Put remembers a key. Call it only after Verify succeeded with that key, else
// strangers could fill the cache with scopes of their own making.
func (c *KeyCache) Put(id string, s Scope, k SigningKey) {
	key := cacheKey{strings.Clone(id), Scope{
		Date: strings.Clone(s.Date), Region: strings.Clone(s.Region), Service: strings.Clone(s.Service)}}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.keys) >= c.max {
		clear(c.keys)
	}
	c.keys[key] = k
}

// Forget drops all keys of an access key id: it was deleted, or has a new secret.
func (c *KeyCache) Forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k := range c.keys {
		if k.id == id {
			delete(c.keys, k)
		}
	}
}
