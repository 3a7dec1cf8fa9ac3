package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"warifu/cmd/warifu/internal/config"
	"warifu/internal/ops"
	"warifu/internal/password"
	"warifu/internal/seal"
	"warifu/internal/store"
)

// folder is an open data folder: its lock, its keys and its database, which may
// be on a PostgreSQL server.
type folder struct {
	lock  *os.File
	store *store.Store
	vault *ops.Vault
	gate  *password.Gate
	ops   *ops.Server
}

// waitingSignIns is how many sign-ins may wait for a password hash to be
// computed; with two cores the last of them waits for about a second.
const waitingSignIns = 64

// openFolder opens a data folder for serving, and makes it if need be. One
// process at a time may do so where the database is SQLite.
func openFolder(ctx context.Context, conf *config.Config, log *slog.Logger, observe func(ops.Observation)) (_ *folder, err error) {
	if err := os.MkdirAll(conf.Data, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	f := &folder{gate: password.NewGate(runtime.GOMAXPROCS(0), waitingSignIns)}
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	if conf.SQLite() {
		if f.lock, err = lockFolder(conf.Data); err != nil {
			return nil, err
		}
	}
	if err := f.unlock(ctx, conf, true); err != nil {
		return nil, err
	}
	locate, err := openPlaces(conf.Places)
	if err != nil {
		return nil, err
	}
	quotas, err := oracleLimits(conf)
	if err != nil {
		return nil, err
	}
	f.ops, err = ops.New(ops.Config{
		Locate: locate,
		Store:  f.store, Keys: f.vault, Gate: f.gate, Now: time.Now, Rand: rand.Reader, Log: log, Observe: observe, Issuer: conf.Issuer,
		Delivery: delivery(conf), Fetch: fetchPinned, OracleLimits: quotas,
	})
	return f, err
}

// openBeside opens a data folder for a command of the host; a server may be
// serving it meanwhile.
func openBeside(h *host, flags config.Flags, log slog.Handler) (*folder, *config.Config, error) {
	conf, err := config.Load(flags, h.environ)
	if err != nil {
		return nil, nil, err
	}
	if _, err := os.Stat(conf.DSN()); conf.SQLite() && err != nil {
		return nil, nil, fmt.Errorf("open the database: %w", err)
	}
	f := &folder{gate: password.NewGate(runtime.GOMAXPROCS(0), waitingSignIns)}
	if err = f.unlock(h, conf, false); err == nil {
		f.ops, err = ops.New(ops.Config{Store: f.store, Keys: f.vault, Gate: f.gate, Now: time.Now, Rand: rand.Reader, Log: slog.New(log), Delivery: delivery(conf)})
	}
	if err != nil {
		f.close()
		return nil, nil, err
	}
	return f, conf, nil
}

// lockFolder keeps a second server away from an SQLite database: each would
// answer from its own memory.
func lockFolder(data string) (*os.File, error) {
	f, err := lock(filepath.Join(data, "warifu.lock"), os.O_RDWR|os.O_CREATE)
	if errors.Is(err, errLocked) {
		return nil, fmt.Errorf("another warifu serves the data folder %s; an SQLite database has one server at a time", data)
	}
	if err != nil {
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	return f, nil
}

// unlock opens the database and its vault; make says that a key file may be
// made for a database that has no keys yet.
func (f *folder) unlock(ctx context.Context, conf *config.Config, make bool) (err error) {
	if f.store, err = store.Open(ctx, conf.DSN(), store.Options{}); err != nil {
		return err
	}
	sealedWith, err := f.sealedWith(ctx)
	if err != nil {
		return err
	}
	path := conf.KeyPath()
	_, err = os.Stat(path)
	missing := errors.Is(err, fs.ErrNotExist)
	switch {
	case missing && sealedWith != "":
		return fmt.Errorf("the key file %s is missing. The secrets in the database are sealed with the key %s: put the file that holds it back from your copy, or name it with --key-file. Without it they cannot be read; to begin anew, use an empty data folder and database", path, sealedWith)
	case missing && !make:
		return fmt.Errorf("the data folder %s is not initialised: it has no key file %s", conf.Data, path)
	case missing:
		if err := createKeyFile(path); err != nil {
			return err
		}
	}
	if _, err := readKeyFile(path); err != nil {
		return err
	}
	f.vault, err = ops.OpenVault(ctx, f.store, keyFile{path}, rand.Reader, time.Now())
	if errors.Is(err, seal.ErrWrongKey) {
		keys, _ := readKeyFile(path)
		return fmt.Errorf("the key file %s is the wrong one: it holds %v, but the secrets in the database are sealed with the key %s. Put the right file back from your copy, or name it with --key-file", path, keys.IDs(), sealedWith)
	}
	return err
}

// sealedWith is the name of the key-encryption key of the database, "" if it has
// none yet.
func (f *folder) sealedWith(ctx context.Context) (key string, err error) {
	err = f.store.View(ctx, func(tx *store.Tx) error {
		keys, err := tx.DataKeys()
		if err == nil && len(keys) > 0 {
			key = keys[0].Wrapper
		}
		return err
	})
	return key, err
}

// close closes what is open. The last connection to an SQLite database moves its
// write-ahead log into it.
func (f *folder) close() (err error) {
	if f.store != nil {
		err = f.store.Close()
	}
	if f.lock != nil {
		err = errors.Join(err, f.lock.Close())
	}
	f.store, f.lock = nil, nil
	return err
}
