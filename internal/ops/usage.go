package ops

import (
	"context"
	"sync"
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/signin"
	"warifu/internal/store"
)

// When credentials were last used is gathered in memory and written now and
// then: a write for each request would cost more than the request. A crash loses
// at most MaintainEvery of it; what was gathered and not written yet is answered
// from memory.
const (
	// MaintainEvery is how often Maintain writes and tidies up.
	MaintainEvery = 15 * time.Second

	usageBatch = 500  // rows in one transaction of flush: others hardly wait
	sweepBatch = 1000 // rows that one transaction of sweep forgets
)

// use is the last use of a key or a role.
type use struct {
	account         name.Account
	at              time.Time
	service, region string
}

// usage gathers last uses. Its zero value is ready.
type usage struct {
	mu    sync.Mutex
	keys  map[string]use
	roles map[name.ID]use

	sessions map[name.ID]use // of the console, by id
}

// touch notes that a caller's credentials were used: the key of a user, the role
// behind a role session.
func (u *usage) touch(c *Caller, at time.Time, service, region string) {
	now := use{c.Account, at, service, region}
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case c.Session == nil && c.AccessKey != "":
		noteUse(&u.keys, c.AccessKey, now)
	case c.Role.ID != 0:
		noteUse(&u.roles, c.Role.ID, now)
	}
}

// noteUse keeps the later of two uses.
func noteUse[K comparable](m *map[K]use, k K, u use) {
	if *m == nil {
		*m = make(map[K]use)
	}
	if old, ok := (*m)[k]; !ok || old.at.Before(u.at) {
		(*m)[k] = u
	}
}

// touchSession notes that somebody used a console session.
func (u *usage) touchSession(a name.Account, id name.ID, at time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	noteUse(&u.sessions, id, use{account: a, at: at})
}

// session is the last use of a console session that was not written yet.
func (u *usage) session(id name.ID) (time.Time, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	v, ok := u.sessions[id]
	return v.at, ok
}

// key is the use of a key that was not written yet.
func (u *usage) key(id string) (use, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	v, ok := u.keys[id]
	return v, ok
}

// role is the use of a role that was not written yet.
func (u *usage) role(id name.ID) (use, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	v, ok := u.roles[id]
	return v, ok
}

// take empties what was gathered.
func (u *usage) take() (keys map[string]use, roles, sessions map[name.ID]use) {
	u.mu.Lock()
	defer u.mu.Unlock()
	keys, roles, sessions = u.keys, u.roles, u.sessions
	u.keys, u.roles, u.sessions = nil, nil, nil
	return keys, roles, sessions
}

// Flush writes the last uses and the nonces that were gathered. On an error they are kept for
// the next time. Call it once more when the server stops.
func (s *Server) Flush(ctx context.Context) error {
	keys, roles, sessions := s.usage.take()
	err := writeUses(ctx, s.store, keys, func(tx *store.Tx, id string, u use) error {
		return tx.SetKeyUsed(u.account, id, u.at, u.service, u.region)
	})
	if err == nil {
		err = writeUses(ctx, s.store, roles, func(tx *store.Tx, id name.ID, u use) error {
			return tx.SetRoleUsed(u.account, id, u.at, u.region)
		})
	}
	if err == nil {
		err = writeUses(ctx, s.store, sessions, func(tx *store.Tx, id name.ID, u use) error {
			return tx.SetSessionSeen(u.account, id, u.at)
		})
	}
	if err != nil {
		s.usage.mu.Lock()
		defer s.usage.mu.Unlock()
		for k, u := range keys {
			noteUse(&s.usage.keys, k, u)
		}
		for k, u := range roles {
			noteUse(&s.usage.roles, k, u)
		}
		for k, u := range sessions {
			noteUse(&s.usage.sessions, k, u)
		}
		return err
	}
	return s.flushNonces(ctx)
}

// writeUses writes in batches and takes what is written out of m. A key or role
// that was deleted meanwhile is no error.
func writeUses[K comparable](ctx context.Context, st *store.Store, m map[K]use, write func(*store.Tx, K, use) error) error {
	for len(m) > 0 {
		var batch []K
		for k := range m {
			if batch = append(batch, k); len(batch) == usageBatch {
				break
			}
		}
		err := st.Update(ctx, func(tx *store.Tx) error {
			for _, k := range batch {
				if err := write(tx, k, m[k]); err != nil && !fault.Is(err, fault.NotFound) {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, k := range batch {
			delete(m, k)
		}
	}
	return nil
}

// Maintain writes last uses and forgets what has run out, every MaintainEvery,
// until ctx ends. Each node runs one.
func (s *Server) Maintain(ctx context.Context) {
	tick := time.NewTicker(MaintainEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, do := range []func(context.Context) error{s.Flush, s.Sweep, s.DisableIdle, s.DigestTrail, s.CheckAlerts} {
			if err := do(ctx); err != nil && ctx.Err() == nil {
				s.log.Error("maintenance failed; it will be tried again", "error", err)
			}
		}
	}
}

// Sweep forgets pending devices, sessions, sign-ins and one-time things that
// have run out. They are
// refused from the moment they run out, swept or not.
func (s *Server) Sweep(ctx context.Context) error {
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.PurgeTokens(s.now())
		return err
	})
	if err != nil {
		return err
	}
	sweeps := []func(*store.Tx, time.Time, int) (int, error){
		(*store.Tx).DeleteExpiredFactors, (*store.Tx).PurgeOracleRetries, (*store.Tx).PurgeBurned, (*store.Tx).PurgeSessions, (*store.Tx).PurgeFlows, (*store.Tx).PurgeCeremonies,
		(*store.Tx).PurgeCLILogins, (*store.Tx).PurgeDeviceRequests,
		func(tx *store.Tx, now time.Time, limit int) (int, error) {
			return tx.PurgeLinks(now.Add(-linksKept), limit)
		},
		(*store.Tx).PurgeRemembered,
		func(tx *store.Tx, now time.Time, limit int) (int, error) {
			return tx.PurgeRecycled(now.Add(-iam.RecycleLife), limit)
		},
		func(tx *store.Tx, now time.Time, limit int) (int, error) {
			return tx.PurgeBrowsers(now.Add(-browserLife), limit)
		},
		func(tx *store.Tx, now time.Time, limit int) (int, error) {
			return tx.PurgeSightings(now.Add(-signin.SightingLife), limit)
		},
		func(tx *store.Tx, _ time.Time, limit int) (int, error) { return tx.TrimStrangers(strangersKept, limit) },
	}
	for _, sweep := range append(sweeps, outboxSweeps()...) {
		for n := sweepBatch; n == sweepBatch; {
			err := s.store.Update(ctx, func(tx *store.Tx) (err error) {
				n, err = sweep(tx, s.now(), sweepBatch)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
