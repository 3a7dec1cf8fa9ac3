package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
)

// Tx is an open transaction. It belongs to the function it was given to and is
// not safe for concurrent use.
//
// Methods that look for one thing return fault.NotFound, methods that add one
// fault.Exists, each with the noun and the name. A limit of rows is the most
// that a list returns; lists begin after the place given.
type Tx struct {
	ctx    context.Context // never ends: what was begun is completed
	caller context.Context // ends with the caller; for reads that can take long
	s      session
	kindOf func(error) errKind

	oneWriter bool // as of the database
	vouch     *voucher

	err    error        // the first error that the database gave
	bumped name.Account // whose revision this transaction has raised already
}

// fail notes an error of the database, which ends the transaction.
func (tx *Tx) fail(err error, query string) error {
	verb, rest, _ := strings.Cut(strings.TrimSpace(query), " ")
	if len(rest) > 40 {
		rest = rest[:40]
	}
	f := fault.Wrap(err, "store: "+verb+" "+rest)
	if tx.err == nil {
		tx.err = f
	}
	return f
}

// exec runs a statement and returns how many rows it touched.
func (tx *Tx) exec(query string, args ...any) (int64, error) {
	if tx.err != nil {
		return 0, tx.err
	}
	res, err := tx.s.ExecContext(tx.ctx, query, storable(args)...)
	if err != nil {
		return 0, tx.fail(err, query)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, tx.fail(err, query)
	}
	return n, nil
}

// storable makes clean the texts among a statement's arguments, in place: a
// stranger's text is never a reason for a statement to fail, nor for the two
// databases to differ.
func storable(args []any) []any {
	for i, a := range args {
		if s, ok := a.(string); ok {
			if c := clean(s); c != s {
				args[i] = c
			}
		}
	}
	return args
}

// insert runs an INSERT … ON CONFLICT DO NOTHING and returns Exists when it did
// nothing. A conflict is not left to the database's own error because that
// ends a transaction of PostgreSQL.
func (tx *Tx) insert(noun, called, query string, args ...any) error {
	n, err := tx.exec(query, args...)
	if err == nil && n == 0 {
		err = fault.Of(fault.Exists, noun, called)
	}
	return tx.about(noun, called, err)
}

// change runs a statement and returns NotFound when it touched no row.
func (tx *Tx) change(noun, called, query string, args ...any) error {
	n, err := tx.exec(query, args...)
	if err == nil && n == 0 {
		err = fault.Of(fault.NotFound, noun, called)
	}
	return tx.about(noun, called, err)
}

// about says of a foreign key's refusal which noun it concerns.
func (tx *Tx) about(noun, called string, err error) error {
	if err != nil && tx.kindOf(err) == kindForeign {
		tx.err = &fault.Error{Kind: fault.Conflict, Noun: noun, Name: called, Err: err}
		return tx.err
	}
	return err
}

// rename is change for a statement that may meet a unique index.
func (tx *Tx) rename(noun, id, called, query string, args ...any) error {
	err := tx.change(noun, id, query, args...)
	if err != nil && tx.err != nil && tx.kindOf(tx.err) == kindUnique {
		tx.err = &fault.Error{Kind: fault.Exists, Noun: noun, Name: called, Err: tx.err}
		return tx.err
	}
	return err
}

// row is what scans a result row: *sql.Rows.
type row interface{ Scan(dest ...any) error }

// each calls scan for every row of the result.
func (tx *Tx) each(scan func(row) error, query string, args ...any) (err error) {
	if tx.err != nil {
		return tx.err
	}
	rows, err := tx.s.QueryContext(tx.ctx, query, storable(args)...)
	if err != nil {
		return tx.fail(err, query)
	}
	for err == nil && rows.Next() {
		err = scan(rows)
	}
	if e := rows.Err(); err == nil {
		err = e
	}
	if e := rows.Close(); err == nil {
		err = e
	}
	if err != nil {
		return tx.fail(err, query)
	}
	return nil
}

// one scans the only row of the result and reports whether there was one.
func (tx *Tx) one(query string, args []any, dest ...any) (found bool, err error) {
	err = tx.each(func(r row) error {
		found = true
		return r.Scan(dest...)
	}, query, args...)
	return found, err
}

// count returns the one number that the query yields.
func (tx *Tx) count(query string, args ...any) (n int, err error) {
	_, err = tx.one(query, args, &n)
	return n, err
}

// get returns the one thing that the query yields, or NotFound.
func get[T any](tx *Tx, scan func(row, *T) error, noun, called, query string, args ...any) (*T, error) {
	var found *T
	err := tx.each(func(r row) error {
		found = new(T)
		return scan(r, found)
	}, query, args...)
	if err == nil && found == nil {
		err = fault.Of(fault.NotFound, noun, called)
	}
	if err != nil {
		return nil, err
	}
	return found, nil
}

// list returns all things that the query yields.
func list[T any](tx *Tx, scan func(row, *T) error, query string, args ...any) ([]T, error) {
	var all []T
	err := tx.each(func(r row) error {
		var v T
		if err := scan(r, &v); err != nil {
			return err
		}
		all = append(all, v)
		return nil
	}, query, args...)
	if err != nil {
		return nil, err
	}
	return all, nil
}

// fold is how names are compared: names allow ASCII letters only, e-mail
// addresses more.
func fold(s string) string { return strings.ToLower(s) }

// micros spells a time as it is stored; the zero time is 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// stamp scans a stored time.
type stamp struct{ t *time.Time }

// Scan implements sql.Scanner.
func (s stamp) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("a time is stored as %T", v)
	}
	*s.t = time.Time{}
	if n != 0 {
		*s.t = time.UnixMicro(n).UTC()
	}
	return nil
}

// optional spells an id that may be missing: NULL, for the sake of foreign
// keys.
func optional(id name.ID) sql.NullInt64 { return sql.NullInt64{Int64: int64(id), Valid: id != 0} }

// maybe scans an id that may be missing.
type maybe struct{ id *name.ID }

// Scan implements sql.Scanner.
func (m maybe) Scan(v any) error {
	n, ok := v.(int64)
	if !ok && v != nil {
		return fmt.Errorf("an id is stored as %T", v)
	}
	*m.id = name.ID(n)
	return nil
}

// tagText spells tags as they are stored: a JSON array of pairs in the order
// given, "" for none.
func tagText(tags []iam.Tag) string {
	if len(tags) == 0 {
		return ""
	}
	pairs := make([][2]string, len(tags))
	for i, t := range tags {
		pairs[i] = [2]string{t.Key, t.Value}
	}
	b, err := json.Marshal(pairs)
	if err != nil {
		panic("store: JSON refuses strings: " + err.Error())
	}
	return string(b)
}

// tagList scans stored tags.
type tagList struct{ tags *[]iam.Tag }

// Scan implements sql.Scanner.
func (l tagList) Scan(v any) error {
	*l.tags = nil
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("tags are stored as %T", v)
	}
	if s == "" {
		return nil
	}
	var pairs [][2]string
	if err := json.Unmarshal([]byte(s), &pairs); err != nil {
		return fmt.Errorf("stored tags: %w", err)
	}
	for _, p := range pairs {
		*l.tags = append(*l.tags, iam.Tag{Key: p[0], Value: p[1]})
	}
	return nil
}
