package ops

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"warifu/internal/fault"
	"warifu/internal/seal"
	"warifu/internal/store"
)

// Vault seals and opens the secret columns of a store. It follows a rotation
// made by another process or node: a value sealed with a key that it does not
// know makes it read the keys again.
type Vault struct {
	kms  seal.KMS
	keys atomic.Pointer[seal.Keyring]
}

// OpenVault opens the keys of a store, or makes them in a store that has none.
// The error is seal.ErrNoKey or seal.ErrWrongKey when kms does not fit.
func OpenVault(ctx context.Context, st *store.Store, kms seal.KMS, rand io.Reader, now time.Time) (*Vault, error) {
	v := &Vault{kms: kms}
	var kept []seal.WrappedKey
	err := st.View(ctx, func(tx *store.Tx) (err error) {
		kept, err = wrappedKeys(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(kept) > 0 {
		ring, err := seal.OpenRing(ctx, kms, kept)
		v.keys.Store(ring)
		return v, err
	}
	if kms == nil {
		return nil, seal.ErrNoKey
	}
	ring, fresh, err := seal.NewRing(ctx, kms, rand)
	if err != nil {
		return nil, err
	}
	v.keys.Store(ring)
	return v, st.Update(ctx, func(tx *store.Tx) error {
		for _, w := range fresh {
			if err := tx.InsertDataKey(dataKey(w, w.ID == ring.Active(), now)); err != nil {
				return err
			}
		}
		return nil
	})
}

func dataKey(w seal.WrappedKey, active bool, now time.Time) *store.DataKey {
	return &store.DataKey{ID: w.ID.String(), Wrapped: w.Wrapped, Wrapper: w.KEK, Active: active, Created: now}
}

func wrappedKeys(tx *store.Tx) ([]seal.WrappedKey, error) {
	rows, err := tx.DataKeys()
	if err != nil {
		return nil, err
	}
	keys := make([]seal.WrappedKey, len(rows))
	for i, r := range rows {
		id, err := seal.ParseKeyID(r.ID)
		if err != nil {
			return nil, fault.Wrap(err, "read the number of a data key")
		}
		keys[i] = seal.WrappedKey{ID: id, KEK: r.Wrapper, Wrapped: r.Wrapped}
	}
	return keys, nil
}

func (v *Vault) ring() *seal.Keyring { return v.keys.Load() }

// seal seals a value for its place, in the transaction that stores it. Another
// process may have rotated since the ring was read: then it is read again, for
// the store refuses what is sealed with a key that is gone.
func (v *Vault) seal(tx *store.Tx, rand io.Reader, at seal.Place, value seal.Secret) ([]byte, error) {
	if err := v.follow(tx); err != nil {
		return nil, err
	}
	b, err := v.ring().Seal(rand, at, value)
	if err != nil {
		return nil, fault.Wrap(err, "seal "+at.Table)
	}
	return b, nil
}

// open opens a sealed value, reading the keys again if it was sealed by a newer
// one.
func (v *Vault) open(tx *store.Tx, at seal.Place, sealed []byte) (seal.Secret, error) {
	value, err := v.ring().Open(at, sealed)
	if errors.Is(err, seal.ErrUnknownKey) {
		if err = v.reload(tx); err == nil {
			value, err = v.ring().Open(at, sealed)
		}
	}
	if err != nil {
		return value, fault.Wrap(err, "open "+at.Table)
	}
	return value, nil
}

// follow reads the ring again if its active key is not the store's.
func (v *Vault) follow(tx *store.Tx) error {
	keys, err := tx.DataKeys()
	if err != nil {
		return err
	}
	active := v.ring().Active().String()
	for _, k := range keys {
		if k.Active && k.ID == active {
			return nil
		}
	}
	return v.reload(tx)
}

func (v *Vault) reload(tx *store.Tx) error {
	kept, err := wrappedKeys(tx)
	if err != nil {
		return err
	}
	ring, err := seal.OpenRing(context.Background(), v.kms, kept)
	if err == nil {
		v.keys.Store(ring)
	}
	return err
}

// resealBatch is how many rows one transaction of a rotation seals anew: small
// enough that others hardly wait.
const resealBatch = 200

// Rotate makes a new data key, seals every row with it while others read and
// write, and forgets the old keys. It reports how many rows it sealed anew.
func (v *Vault) Rotate(ctx context.Context, st *store.Store, rand io.Reader, now time.Time) (rows int, err error) {
	if err := st.View(ctx, v.reload); err != nil {
		return 0, err
	}
	ring, fresh, err := v.ring().Rotate(ctx, v.kms, rand)
	if err != nil {
		return 0, err
	}
	if err := st.Update(ctx, func(tx *store.Tx) error { return tx.InsertDataKey(dataKey(fresh, true, now)) }); err != nil {
		return 0, err
	}
	v.keys.Store(ring)
	for _, t := range []struct {
		table  store.SealedTable
		column string
	}{{store.SealedAccessKeys, "secret"}, {store.SealedFactors, "seed"}} {
		n, err := v.resealTable(ctx, st, rand, t.table, t.column)
		if rows += n; err != nil {
			return rows, err
		}
	}
	return rows, v.forget(ctx, st)
}

// resealTable seals the rows of one table with the active key until none is
// left that another key sealed.
func (v *Vault) resealTable(ctx context.Context, st *store.Store, rand io.Reader, table store.SealedTable, column string) (rows int, err error) {
	active := v.ring().Active().String()
	for {
		n := 0
		err := st.Update(ctx, func(tx *store.Tx) error {
			n = 0
			old, err := tx.SealedRows(table, active, resealBatch)
			if err != nil {
				return err
			}
			for _, row := range old {
				at := seal.Place{Table: string(table), Row: row.Row, Column: column}
				sealed, _, err := v.ring().Reseal(rand, at, row.Sealed)
				if err != nil {
					return fault.Wrap(err, "seal "+at.Table+" anew")
				}
				if _, err := tx.UpdateSealed(table, row, sealed); err != nil {
					return err
				}
			}
			n = len(old)
			return nil
		})
		if rows += n; err != nil || n == 0 {
			return rows, err
		}
	}
}

// forget deletes the data keys with which nothing is sealed any more.
func (v *Vault) forget(ctx context.Context, st *store.Store) error {
	for _, id := range v.ring().KeyIDs() {
		if id == v.ring().Active() {
			continue
		}
		err := st.Update(ctx, func(tx *store.Tx) error { return tx.DeleteDataKey(id.String()) })
		if fault.Is(err, fault.Conflict) {
			continue // a server that has not seen the new key yet sealed something meanwhile
		}
		if err != nil {
			return err
		}
		ring, err := v.ring().Without(id)
		if err != nil {
			return err
		}
		v.keys.Store(ring)
	}
	return nil
}

// Rewrap wraps the data keys with the newest key of to, after the key file was
// renewed. What is sealed stays as it is.
func (v *Vault) Rewrap(ctx context.Context, st *store.Store, to seal.KMS) error {
	err := st.Update(ctx, func(tx *store.Tx) error {
		kept, err := wrappedKeys(tx)
		if err != nil {
			return err
		}
		fresh, err := seal.Rewrap(ctx, v.kms, to, kept)
		if err != nil {
			return err
		}
		for _, w := range fresh {
			if err := tx.UpdateDataKeyWrap(w.ID.String(), w.KEK, w.Wrapped); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		v.kms = to
	}
	return err
}
