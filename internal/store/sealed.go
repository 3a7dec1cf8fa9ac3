package store

import (
	"bytes"
	"strconv"

	"warifu/internal/fault"
	"warifu/internal/name"
	"warifu/internal/seal"
)

func scanDataKey(r row, k *DataKey) error {
	var id uint32
	err := r.Scan(&id, &k.Wrapped, &k.Wrapper, &k.Active, stamp{&k.Created})
	k.ID = seal.KeyID(id).String()
	return err
}

// dataKeyNumber reads the number of a data key.
func dataKeyNumber(id string) (int64, error) {
	n, err := seal.ParseKeyID(id)
	if err != nil {
		return 0, fault.Wrap(err, "read the number of a data key")
	}
	return int64(n), nil
}

// DataKeys returns the kept keys of the ring in the order of their numbers.
func (tx *Tx) DataKeys() ([]DataKey, error) {
	return list(tx, scanDataKey, `SELECT id, wrapped, wrapper, active, created FROM data_keys ORDER BY id`)
}

// InsertDataKey keeps a key of the ring. When it is active, no other is any
// more. Exists when its number is taken: another node rotated first.
func (tx *Tx) InsertDataKey(k *DataKey) error {
	id, err := dataKeyNumber(k.ID)
	if err != nil {
		return err
	}
	err = tx.insert("data key", k.ID, `INSERT INTO data_keys (id, wrapped, wrapper, active, created)
		VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`, id, k.Wrapped, k.Wrapper, k.Active, micros(k.Created))
	if err == nil && k.Active {
		err = tx.SetActiveDataKey(k.ID)
	}
	return err
}

// SetActiveDataKey makes one key the active one.
func (tx *Tx) SetActiveDataKey(id string) error {
	n, err := dataKeyNumber(id)
	if err != nil {
		return err
	}
	if err := tx.change("data key", id, `UPDATE data_keys SET active = TRUE WHERE id = $1`, n); err != nil {
		return err
	}
	_, err = tx.exec(`UPDATE data_keys SET active = FALSE WHERE id <> $1 AND active`, n)
	return err
}

// UpdateDataKeyWrap keeps a key of the ring as another key-encryption key
// wrapped it.
func (tx *Tx) UpdateDataKeyWrap(id, wrapper string, wrapped []byte) error {
	n, err := dataKeyNumber(id)
	if err != nil {
		return err
	}
	return tx.change("data key", id, `UPDATE data_keys SET wrapper = $2, wrapped = $3 WHERE id = $1`, n, wrapper, wrapped)
}

// DeleteDataKey forgets a key of the ring. Conflict while a value is sealed with
// it.
func (tx *Tx) DeleteDataKey(id string) error {
	n, err := dataKeyNumber(id)
	if err != nil {
		return err
	}
	for t, column := range sealedColumns {
		used, err := tx.count(`SELECT count(*) FROM `+string(t)+` WHERE `+column+`_key = $1`, n)
		if err != nil {
			return err
		}
		if used > 0 {
			return fault.Of(fault.Conflict, "data key", id)
		}
	}
	return tx.change("data key", id, `DELETE FROM data_keys WHERE id = $1`, n)
}

// SealedTable names a table that has a sealed column.
type SealedTable string

// The tables with sealed columns.
const (
	SealedAccessKeys SealedTable = "access_keys" // column secret, row = key id
	SealedFactors    SealedTable = "factors"     // column seed, row = factor id
)

var sealedColumns = map[SealedTable]string{SealedAccessKeys: "secret", SealedFactors: "seed"}

// SealedRow is a sealed column's content.
type SealedRow struct {
	Account name.Account
	Row     string // access key id, or the factor's id in decimal
	Sealed  []byte
}

// SealedRows returns values of a table, of all accounts, that are sealed with
// another data key than the one given, as many as limit.
func (tx *Tx) SealedRows(t SealedTable, notKeyID string, limit int) ([]SealedRow, error) {
	c := sealedColumns[t]
	n, err := dataKeyNumber(notKeyID)
	if err != nil {
		return nil, err
	}
	return list(tx, func(r row, s *SealedRow) error { return r.Scan((*int64)(&s.Account), &s.Row, &s.Sealed) },
		`SELECT account, CAST(id AS CTEXT), `+c+` FROM `+string(t)+` WHERE `+c+`_key <> $1 ORDER BY id LIMIT $2`, n, limit)
}

// UpdateSealed puts a value sealed anew in the place of the old one and reports
// whether the row still held that.
func (tx *Tx) UpdateSealed(t SealedTable, old SealedRow, sealed []byte) (bool, error) {
	dataKey, err := sealedWith(string(t), old.Row, sealed)
	if err != nil || bytes.Equal(old.Sealed, sealed) {
		return false, err
	}
	var id any = old.Row
	if t == SealedFactors {
		if id, err = strconv.ParseInt(old.Row, 10, 64); err != nil {
			return false, fault.Wrap(err, "read the factor's id")
		}
	}
	c := sealedColumns[t]
	n, err := tx.exec(`UPDATE `+string(t)+` SET `+c+` = $1, `+c+`_key = $2 WHERE id = $3 AND account = $4 AND `+c+` = $5`,
		sealed, dataKey, id, int64(old.Account), old.Sealed)
	return n == 1, err
}
