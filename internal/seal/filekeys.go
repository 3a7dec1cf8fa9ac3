package seal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrKeyFile says that a key file's text is damaged.
var ErrKeyFile = errors.New("seal: the key file is damaged")

// A key file is lines of text. A line that is empty or begins with # says
// nothing; any other is
//
//	warifu-kek-1 KEY CHECK
//
// KEY is 32 bytes in unpadded URL-safe base64, CHECK the first 4 bytes of a
// digest of KEY in hexadecimal, so that a mistyped key is called damaged and not
// wrong. The first line wraps; the others only unwrap.
const (
	keyLine     = "warifu-kek-1"
	maxKeyFile  = 64 << 10 // bytes; a file of 700 keys is not a key file
	keyFileHead = "# Key-encryption key. Whoever reads this file can read every secret of the server;\n" +
		"# without it the data is lost. Keep a copy, apart from backups of the data.\n"
)

// FileKeys is the KMS of an installation that keeps its key-encryption key in a
// file. This is its pure part: whoever calls it reads and writes the bytes.
type FileKeys struct {
	hidden
	keys []fileKey // the first wraps
	rand io.Reader
}

type fileKey struct {
	id  string
	key Secret
	box *Box
}

// NewFileKeys makes a key file with one new key. rand serves here and later for
// the nonces of Wrap.
func NewFileKeys(rand io.Reader) (*FileKeys, error) {
	return (&FileKeys{rand: rand}).WithNew()
}

// ParseFileKeys reads the text of a key file. The error is ErrNoKey when it holds
// no key and ErrKeyFile, with the line, when it is damaged; it never quotes the
// text.
func ParseFileKeys(text []byte, rand io.Reader) (*FileKeys, error) {
	if len(text) > maxKeyFile {
		return nil, fmt.Errorf("%w: larger than %d bytes", ErrKeyFile, maxKeyFile)
	}
	f := &FileKeys{rand: rand}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, why := parseKeyLine(line)
		if why != "" {
			return nil, fmt.Errorf("%w: line %d: %s", ErrKeyFile, n, why)
		}
		f.keys = append(f.keys, key)
	}
	if len(f.keys) == 0 {
		return nil, fmt.Errorf("%w: the key file is empty", ErrNoKey)
	}
	return f, nil
}

func parseKeyLine(line string) (key fileKey, why string) {
	word := strings.Fields(line)
	if len(word) != 3 || word[0] != keyLine {
		return key, "a key is written as: " + keyLine + " KEY CHECK"
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(word[1])
	if err != nil || len(b) != 32 {
		return key, "the key is not 32 bytes in base64"
	}
	if subtle.ConstantTimeCompare([]byte(checkOf(b)), []byte(word[2])) != 1 {
		return key, "the key does not match its check"
	}
	return newFileKey([32]byte(b)), ""
}

// Text returns the bytes of the key file. They are the secret itself.
func (f *FileKeys) Text() Secret {
	var b bytes.Buffer
	b.WriteString(keyFileHead)
	for _, k := range f.keys {
		raw := k.key.Reveal()
		fmt.Fprintf(&b, "%s %s %s\n", keyLine, base64.RawURLEncoding.EncodeToString(raw), checkOf(raw))
	}
	return NewSecret(b.Bytes())
}

// WithNew returns keys of which a new one wraps and the present ones still
// unwrap. Write them to the file, Rewrap, then write OnlyNewest.
func (f *FileKeys) WithNew() (*FileKeys, error) {
	var key [32]byte
	if _, err := io.ReadFull(f.rand, key[:]); err != nil {
		return nil, fmt.Errorf("seal: draw a key: %w", err)
	}
	return &FileKeys{keys: append([]fileKey{newFileKey(key)}, f.keys...), rand: f.rand}, nil
}

// OnlyNewest returns the key that wraps, alone.
func (f *FileKeys) OnlyNewest() *FileKeys {
	return &FileKeys{keys: f.keys[:1:1], rand: f.rand}
}

// IDs returns the names of the keys, the one that wraps first. A name is a
// digest of its key and may be shown.
func (f *FileKeys) IDs() []string {
	ids := make([]string, len(f.keys))
	for i, k := range f.keys {
		ids[i] = k.id
	}
	return ids
}

// Wrap implements KMS.
func (f *FileKeys) Wrap(_ context.Context, dek []byte) ([]byte, string, error) {
	k := f.keys[0]
	wrapped, err := k.box.Seal(nil, f.rand, dek, []byte(k.id))
	return wrapped, k.id, err
}

// Unwrap implements KMS. A key of the right name that does not open is not a
// wrong key: the wrapped key was altered, and the error is ErrBroken.
func (f *FileKeys) Unwrap(_ context.Context, keyID string, wrapped []byte) ([]byte, error) {
	for _, k := range f.keys {
		if k.id == keyID {
			return k.box.Open(nil, wrapped, []byte(k.id))
		}
	}
	return nil, fmt.Errorf("%w: wanted %q, the key file holds %s", ErrWrongKey, keyID, strings.Join(f.IDs(), ", "))
}

func newFileKey(key [32]byte) fileKey {
	sum := sha256.Sum256(append([]byte("warifu kek name 1\x00"), key[:]...))
	return fileKey{id: "file-" + hex.EncodeToString(sum[:8]), key: NewSecret(key[:]), box: NewBox(key)}
}

func checkOf(key []byte) string {
	sum := sha256.Sum256(append([]byte("warifu kek check 1\x00"), key...))
	return hex.EncodeToString(sum[:4])
}
