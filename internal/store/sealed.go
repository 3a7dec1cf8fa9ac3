package store

import (
	"bytes"
	"strconv"

	"warifu/internal/fault"
	"warifu/internal/name"
	"warifu/internal/seal"
)

// DataKeys returns the kept keys of the ring, in the order of their numbers.
func (tx *Tx) DataKeys() ([]seal.WrappedKey, error) {
	return list(tx, func(r row, k *seal.WrappedKey) error { return r.Scan((*uint32)(&k.ID), &k.KEK, &k.Wrapped) },
		`SELECT id, kek, wrapped FROM data_keys ORDER BY id`)
}

// InsertDataKey keeps a key of the ring. Exists when its number is taken:
// another node rotated first.
func (tx *Tx) InsertDataKey(k seal.WrappedKey) error {
	return tx.insert("data key", k.ID.String(),
		`INSERT INTO data_keys (id, kek, wrapped) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, int64(k.ID), k.KEK, k.Wrapped)
}

// UpdateDataKey keeps a key of the ring as another key-encryption key wrapped
// it.
func (tx *Tx) UpdateDataKey(k seal.WrappedKey) error {
	return tx.change("data key", k.ID.String(), `UPDATE data_keys SET kek = $2, wrapped = $3 WHERE id = $1`, int64(k.ID), k.KEK, k.Wrapped)
}

// DeleteDataKey forgets a key of the ring. Conflict while a value is sealed with
// it.
func (tx *Tx) DeleteDataKey(id seal.KeyID) error {
	for _, t := range SealedTables() {
		c := sealedColumns[t]
		n, err := tx.count(`SELECT count(*) FROM `+string(t)+` WHERE `+c+`_key = $1`, int64(id))
		if err != nil {
			return err
		}
		if n > 0 {
			return fault.Of(fault.Conflict, "data key", id.String())
		}
	}
	return tx.change("data key", id.String(), `DELETE FROM data_keys WHERE id = $1`, int64(id))
}

// SealedTable names a table that has a sealed column.
type SealedTable string

// The tables with sealed columns.
const (
	SealedAccessKeys SealedTable = "access_keys"
	SealedFactors    SealedTable = "factors"
)

var sealedColumns = map[SealedTable]string{SealedAccessKeys: "secret", SealedFactors: "seed"}

// SealedTables returns all tables with sealed columns.
func SealedTables() []SealedTable { return []SealedTable{SealedAccessKeys, SealedFactors} }

// Place returns where a value of the table is sealed for. The row is the access
// key's id or the factor's id in decimal.
func (t SealedTable) Place(row string) seal.Place {
	return seal.Place{Table: string(t), Row: row, Column: sealedColumns[t]}
}

// SealedRow is a sealed column's content.
type SealedRow struct {
	Account name.Account
	Row     string
	Sealed  []byte
}

// SealedRows returns values of a table, of all accounts, that are sealed with
// another data key than the one given, as many as limit.
func (tx *Tx) SealedRows(t SealedTable, not seal.KeyID, limit int) ([]SealedRow, error) {
	c := sealedColumns[t]
	return list(tx, func(r row, s *SealedRow) error { return r.Scan((*int64)(&s.Account), &s.Row, &s.Sealed) },
		`SELECT account, CAST(id AS TEXT), `+c+` FROM `+string(t)+` WHERE `+c+`_key <> $1 ORDER BY id LIMIT $2`, int64(not), limit)
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
