package blank

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"warifu/internal/store"
	"warifu/internal/testkit/pg"
)

// SQLite returns the path of a database in a folder of the test.
func SQLite(t testing.TB) string {
	t.Helper()
	image, err := sqlite()
	path := filepath.Join(t.TempDir(), "warifu.db")
	if err == nil {
		err = os.WriteFile(path, image, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Postgres returns the URL of a database that is dropped after the test.
func Postgres(t testing.TB) string {
	t.Helper()
	return pg.Like(t, fill)
}

// sqlite is what a closed database's only file holds.
var sqlite = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "warifu-blank-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "warifu.db")
	if err := fill(path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

func fill(dsn string) error {
	s, err := store.Open(context.Background(), dsn, store.Options{})
	if err != nil {
		return err
	}
	return s.Close()
}
