package store

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"warifu/internal/fault"
)

//go:embed schema/*.sql
var schemaFiles embed.FS

// migration is one file of schema/: number_name.sql. It never changes once it
// was released; what comes later is a new file.
type migration struct {
	number   int64
	name     string
	text     string
	checksum string
}

// migrate applies the migrations that the database lacks, each in a transaction
// of its own and alone among processes. A database whose migrations are not a
// beginning of ours is refused.
func migrate(ctx context.Context, db database, files fs.FS) error {
	known, err := readMigrations(files)
	if err != nil {
		return err
	}
	for done := false; !done; {
		err := once(ctx, db, migrating, func(tx *Tx) (err error) {
			done, err = migrateOne(tx, db.dialect(), known)
			return err
		})
		if err != nil {
			return fmt.Errorf("bring the database schema up to date: %w", err)
		}
	}
	return nil
}

func readMigrations(files fs.FS) (all []migration, err error) {
	names, err := fs.Glob(files, "schema/*.sql") // sorted
	if err != nil {
		return nil, err
	}
	for i, file := range names {
		text, err := fs.ReadFile(files, file)
		if err != nil {
			return nil, err
		}
		digits, rest, _ := strings.Cut(path.Base(file), "_")
		number, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || number != int64(i+1) {
			return nil, fmt.Errorf("%s: migrations are numbered 0001, 0002, … without gaps", file)
		}
		sum := sha256.Sum256(text)
		all = append(all, migration{number, strings.TrimSuffix(rest, ".sql"), string(text), hex.EncodeToString(sum[:])})
	}
	return all, nil
}

// migrateOne checks what was applied and applies the next migration; done says
// that there was none.
func migrateOne(tx *Tx, dialect string, known []migration) (done bool, err error) {
	// The one table that no migration makes, in words that both databases take.
	if _, err := tx.exec(`CREATE TABLE IF NOT EXISTS schema_migrations (
		number BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied BIGINT NOT NULL)`); err != nil {
		return false, err
	}
	applied, err := list(tx, func(r row, m *migration) error { return r.Scan(&m.number, &m.name, &m.checksum) },
		`SELECT number, name, checksum FROM schema_migrations ORDER BY number`)
	if err != nil {
		return false, err
	}
	if len(applied) > len(known) {
		last := applied[len(applied)-1]
		return false, fault.New(fault.Conflict, "the database has migration %04d_%s, which this version of the program does not know: it was written by a newer version", last.number, last.name)
	}
	for i, a := range applied {
		if a.number != known[i].number || a.checksum != known[i].checksum {
			return false, fault.New(fault.Conflict, "migration %04d_%s of the database is not the one that this version of the program has: they were built from different sources", a.number, a.name)
		}
	}
	if len(applied) == len(known) {
		return true, nil
	}
	next := known[len(applied)]
	for _, statement := range statements(next.text, dialect) {
		if _, err := tx.exec(statement); err != nil {
			return false, fmt.Errorf("migration %04d_%s: %w", next.number, next.name, err)
		}
	}
	_, err = tx.exec(`INSERT INTO schema_migrations (number, name, checksum, applied) VALUES ($1, $2, $3, $4)`,
		next.number, next.name, next.checksum, time.Now().UnixMicro())
	return false, err
}

// statements returns the statements of a migration as one database reads them.
func statements(text, dialect string) (all []string) {
	text = strings.ReplaceAll(text, "--"+dialect+":", "")
	var b strings.Builder
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "--")
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		b.WriteString(line)
		b.WriteByte('\n')
		if strings.HasSuffix(line, ";") {
			all = append(all, strings.TrimSuffix(strings.TrimSpace(b.String()), ";"))
			b.Reset()
		}
	}
	if b.Len() > 0 {
		all = append(all, b.String()) // fails when it is run, and says where
	}
	return all
}
