package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"warifu/cmd/warifu/internal/config"
)

type keysRotateCmd struct {
	config.Flags
	KEK bool `name:"kek" help:"Renew the key-encryption key in the key file instead; sealed secrets stay as they are."`
}

// Run rotates. The server may run meanwhile.
func (cmd *keysRotateCmd) Run(h *host) error {
	conf, err := config.Load(cmd.Flags, h.environ)
	if err != nil {
		return err
	}
	if _, err := os.Stat(conf.DSN()); conf.SQLite() && err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	alone, err := lock(filepath.Dir(conf.KeyPath()), os.O_RDONLY)
	if errors.Is(err, errLocked) {
		return errors.New("another rotation is going on")
	}
	if err != nil {
		return fmt.Errorf("lock the folder of the key file: %w", err)
	}
	defer alone.Close()
	f := &folder{}
	defer f.close()
	if err := f.unlock(h, conf, false); err != nil {
		return err
	}
	if cmd.KEK {
		return f.renewKEK(h, conf.KeyPath())
	}
	rows, err := f.vault.Rotate(h, f.store, rand.Reader, time.Now())
	if err != nil {
		return fmt.Errorf("%w; %d secrets are sealed with the new key, and both keys are kept: run the command again", err, rows)
	}
	_, err = fmt.Fprintf(h.stdout, "Sealed %d secrets with a new key. The key file has not changed.\n", rows)
	return err
}

// renewKEK puts a new key-encryption key into the key file. The file holds the
// old key beside the new one until the database is wrapped with the new one, so
// that an interruption leaves no moment at which they do not fit.
func (f *folder) renewKEK(h *host, path string) error {
	old, err := readKeyFile(path)
	if err != nil {
		return err
	}
	both, err := old.WithNew()
	if err != nil {
		return err
	}
	if err := writeKeyFile(path, both); err != nil {
		return err
	}
	if err := f.vault.Rewrap(h, f.store, keyFile{path}); err != nil {
		return fmt.Errorf("%w; the key file holds the old and the new key: run the command again", err)
	}
	if err := writeKeyFile(path, both.OnlyNewest()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(h.stdout, "The key file %s holds a new key, %s. Keep a copy of it apart from backups of the data; backups made before need the old file.\n", path, both.IDs()[0])
	return err
}
