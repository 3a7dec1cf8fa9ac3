package ops

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"

	"warifu/internal/fault"
	"warifu/internal/store"
)

// Once is a request's right to be carried out a single time: its nonce. A change
// uses it up in the transaction that makes the change, so that neither a restart
// nor another node lets a copy of the request do it again (S-7). A request that
// only reads uses it up in memory, and it is written a moment later: a copy of one
// gets an answer again only if the process died within that moment.
type Once struct {
	Kind, Key string
	Expires   time.Time // from when on the request is refused for its age alone
}

// newOnce names a nonce of an access key. What is kept is a hash: nonces are
// strangers' text, of any length.
func newOnce(kind, accessKey, nonce string, expires time.Time) *Once {
	sum := sha256.Sum256([]byte(accessKey + "\x00" + nonce))
	return &Once{kind, hex.EncodeToString(sum[:16]), expires}
}

// errUsed is the error of a request that was carried out before.
var errUsed = fault.Of(fault.Exists, "nonce", "")

// spend uses up the right of a call that has one.
func (env *Env) spend() error {
	once := env.Call.Once
	if once == nil {
		return nil
	}
	if env.mode == Read {
		used, err := env.Tx.Burned(once.Kind, once.Key)
		if err == nil && used {
			err = errUsed
		}
		return err
	}
	fresh, err := env.Tx.Burn(once.Kind, once.Key, once.Expires)
	if err == nil && !fresh {
		err = errUsed
	}
	return err
}

// maxNonces is how many wait in memory to be written before one that comes is
// written at once: 16 MB.
const maxNonces = 100_000

// nonces are those that were used and are not written yet. Its zero value is ready.
type nonces struct {
	mu      sync.Mutex
	waiting map[Once]bool
}

// use reports whether this process has not seen the nonce since it was last
// written.
func (n *nonces) use(o *Once) (fresh, full bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.waiting[*o] {
		return false, false
	}
	if len(n.waiting) >= maxNonces {
		return true, true
	}
	if n.waiting == nil {
		n.waiting = make(map[Once]bool)
	}
	n.waiting[*o] = true
	return true, false
}

// some are as many as limit of those that wait.
func (n *nonces) some(limit int) (list []Once) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for o := range n.waiting {
		if len(list) == limit {
			break
		}
		list = append(list, o)
	}
	return list
}

func (n *nonces) drop(list []Once) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, o := range list {
		delete(n.waiting, o)
	}
}

// use takes the right that a verified signature gives, or refuses a copy.
func (s *Server) use(ctx context.Context, o *Once) error {
	fresh, full := s.nonces.use(o)
	if !fresh {
		return errUsed
	}
	if !full {
		return nil
	}
	return s.store.Update(ctx, func(tx *store.Tx) error {
		fresh, err := tx.Burn(o.Kind, o.Key, o.Expires)
		if err == nil && !fresh {
			err = errUsed
		}
		return err
	})
}

// flushNonces writes those that wait; changes have written theirs already.
func (s *Server) flushNonces(ctx context.Context) error {
	for {
		list := s.nonces.some(usageBatch)
		if len(list) == 0 {
			return nil
		}
		err := s.store.Update(ctx, func(tx *store.Tx) error {
			for _, o := range list {
				if _, err := tx.Burn(o.Kind, o.Key, o.Expires); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		s.nonces.drop(list)
	}
}
