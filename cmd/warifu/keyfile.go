package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"warifu/internal/seal"
)

// keyFile is the KMS of an installation whose key-encryption key is in a file.
// It reads the file at each use, which is rare: so it follows a rotation that
// another process makes.
type keyFile struct{ path string }

// Wrap implements seal.KMS.
func (k keyFile) Wrap(ctx context.Context, dek []byte) ([]byte, string, error) {
	keys, err := readKeyFile(k.path)
	if err != nil {
		return nil, "", err
	}
	return keys.Wrap(ctx, dek)
}

// Unwrap implements seal.KMS.
func (k keyFile) Unwrap(ctx context.Context, keyID string, wrapped []byte) ([]byte, error) {
	keys, err := readKeyFile(k.path)
	if err != nil {
		return nil, err
	}
	return keys.Unwrap(ctx, keyID, wrapped)
}

// readKeyFile reads the key file and refuses one that others may read. The error
// is seal.ErrNoKey when there is no file.
func readKeyFile(path string) (*seal.FileKeys, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: there is no file %s", seal.ErrNoKey, path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the key file: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("the key file %s can be read by others (mode %04o): run chmod 600 on it, and consider keys that were read as known", path, mode)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the key file: %w", err)
	}
	keys, err := seal.ParseFileKeys(text, rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return keys, nil
}

// createKeyFile makes a key file where there is none.
func createKeyFile(path string) error {
	keys, err := seal.NewFileKeys(rand.Reader)
	if err != nil {
		return err
	}
	return writeKeyFile(path, keys)
}

// writeKeyFile writes keys so that at any moment, also after a power cut, the
// file holds either the old keys or the new ones.
func writeKeyFile(path string, keys *seal.FileKeys) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("write the key file: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = fmt.Errorf("write the key file: %w", err)
		}
	}()
	if _, err := f.Write(keys.Text().Reveal()); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(dir)
}

// syncFolder makes the names in a folder durable.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// errLocked says that another process holds a lock.
var errLocked = errors.New("locked by another process")

// lock locks a file or folder until the returned file is closed or the process
// ends, however it ends.
func lock(path string, flag int) (*os.File, error) {
	f, err := os.OpenFile(path, flag, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = errLocked
		}
		return nil, err
	}
	return f, nil
}
