package ops

import (
	"sync"

	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/store"
	"warifu/policy"
)

// Sizes of the caches, in entries. A full cache is emptied: what is in use
// comes back at once, and nobody can crowd out a single victim for long.
const (
	maxKeys       = 50_000
	maxPrincipals = 50_000
	maxTexts      = 20_000
	maxReadings   = 500 // of those that somebody looks at
)

// cache holds what is looked up for every request. Entries carry the revision
// of their account and are checked against it inside each transaction, so a
// stale one is never acted on.
type cache struct {
	keys        bounded[string, *Credential]
	principals  bounded[name.ID, *principal]
	standing    bounded[name.ID, standing] // users behind sessions
	preferences bounded[name.Account, *keptPreferences]
	oracle      bounded[name.Account, *oracleRules]
	texts       bounded[string, *policy.Set] // compiled policies by what they are: texts never change
	readings    bounded[string, *reading]    // what policies say, by their texts

	powers bounded[store.PolicyRef, power] // what policies give on everything; versions never change
}

// standing is what is known of a user behind a session: it is there, and not
// blocked, as of a revision of its account, and of the one that it acts in.
type standing struct {
	home     name.Account // 0 = there is no user
	revision int64        // of home
	acting   int64        // of the session's account
}

// principal is a user or role with its compiled policies as of a revision.
type principal struct {
	revision int64
	user     iam.User
	role     iam.Role
	layers   []policy.Layer // identity, then boundary if there is one
	plain    int            // how many of the identity sets are not of Oracle's language; they come first
	spoken   tongues        // the languages besides AWS's that the layers speak
	oracle   *oracleSelf    // nil if no policy of Oracle's speaks of it

	scopes map[name.ID]*policy.Layer // what it may in a resource group, besides
}

// bounded is a map of at most max entries, safe for concurrent use.
type bounded[K comparable, V any] struct {
	mu  sync.RWMutex
	max int
	m   map[K]V
}

func (b *bounded[K, V]) get(k K) (V, bool) {
	b.mu.RLock()
	v, ok := b.m[k]
	b.mu.RUnlock()
	return v, ok
}

func (b *bounded[K, V]) put(k K, v V) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.m == nil || len(b.m) >= b.max {
		b.m = make(map[K]V)
	}
	b.m[k] = v
}

func (b *bounded[K, V]) drop(k K) {
	b.mu.Lock()
	delete(b.m, k)
	b.mu.Unlock()
}
