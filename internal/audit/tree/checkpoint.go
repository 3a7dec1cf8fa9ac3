package tree

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint says what the tree was at a size.
type Checkpoint struct {
	Size int64
	Root tlog.Hash
	At   time.Time // by the server's clock, to the second; no earlier than its events were recorded

	// Vouched says that every event behind this tree waits with a code that vouches
	// for it until it is a leaf. Trees of older versions do not say so.
	Vouched bool
}

// Signer signs checkpoints with a key of Ed25519 and knows the origin, which
// names the tree and is the key's name.
type Signer struct {
	note.Signer
	public string
}

// algorithmEd25519 is the first byte of such keys (C2SP signed-note).
const algorithmEd25519 = 1

// NewSigner makes the signer of a seed. The origin is named after the public
// key, so that trees of two installations cannot be mixed up.
func NewSigner(seed [32]byte) (*Signer, error) {
	public := ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
	name := "warifu-trail-" + hex.EncodeToString(public[:8])
	verifier, err := note.NewEd25519VerifierKey(name, public)
	if err != nil {
		return nil, fmt.Errorf("spell the trail's public key: %w", err)
	}
	hash := strings.Split(verifier, "+")[1]
	s, err := note.NewSigner("PRIVATE+KEY+" + name + "+" + hash + "+" + base64.StdEncoding.EncodeToString(append([]byte{algorithmEd25519}, seed[:]...)))
	if err != nil {
		return nil, errors.New("make the trail's signer") // the cause may quote the key
	}
	return &Signer{s, verifier}, nil
}

// Public is the public key as verifiers take it: name, hash and key.
func (s *Signer) Public() string { return s.public }

// Sign spells and signs a checkpoint.
func (s *Signer) Sign(c Checkpoint) (string, error) {
	lines := []string{c.Root.String(), "time " + c.At.UTC().Format(time.RFC3339)}
	if c.Vouched {
		lines = append(lines, vouchedLine)
	}
	return s.sign(s.Name(), c.Size, lines...)
}

// vouchedLine says Checkpoint.Vouched.
const vouchedLine = "vouched"

func (s *Signer) sign(origin string, size int64, lines ...string) (string, error) {
	text := origin + "\n" + strconv.FormatInt(size, 10) + "\n" + strings.Join(lines, "\n") + "\n"
	b, err := note.Sign(&note.Note{Text: text}, s.Signer)
	return string(b), err
}

// maxNote bounds what is read as a checkpoint.
const maxNote = 4096

// OpenCheckpoint reads a checkpoint that key signed, as Signer.Public spells it.
// The error says what is wrong with one that is not.
func OpenCheckpoint(text, key string) (c Checkpoint, err error) {
	lines, err := open(text, key, "")
	if err != nil {
		return c, err
	}
	if len(lines) < 3 {
		return c, errors.New("a checkpoint has an origin, a size and a root")
	}
	if c.Size, err = size(lines[1]); err != nil {
		return c, err
	}
	if c.Root, err = tlog.ParseHash(lines[2]); err != nil {
		return c, fmt.Errorf("the root of the checkpoint of size %d: %w", c.Size, err)
	}
	for _, line := range lines[3:] {
		c.Vouched = c.Vouched || line == vouchedLine
		if at, ok := strings.CutPrefix(line, "time "); ok {
			if c.At, err = time.Parse(time.RFC3339, at); err != nil {
				return c, fmt.Errorf("the time of the checkpoint of size %d: %w", c.Size, err)
			}
		}
	}
	return c, nil
}

// expiredSuffix ends the origin of statements that events were removed because
// their time had come.
const expiredSuffix = "/expired"

// SignExpired states that the events of the leaves before kept were removed
// because they were older than they are kept.
func (s *Signer) SignExpired(kept int64) (string, error) {
	return s.sign(s.Name()+expiredSuffix, kept, "removed by retention")
}

// OpenExpired reads such a statement.
func OpenExpired(text, key string) (kept int64, err error) {
	lines, err := open(text, key, expiredSuffix)
	if err != nil {
		return 0, err
	}
	if len(lines) < 2 {
		return 0, errors.New("the statement about removed events has no number")
	}
	return size(lines[1])
}

// open checks a note's signature and origin, and returns its lines.
func open(text, key, suffix string) ([]string, error) {
	if len(text) > maxNote {
		return nil, fmt.Errorf("a signed statement has at most %d bytes", maxNote)
	}
	v, err := note.NewVerifier(strings.TrimSpace(key))
	if err != nil {
		return nil, fmt.Errorf("the public key: %w", err)
	}
	n, err := note.Open([]byte(text), note.VerifierList(v))
	if err != nil {
		return nil, fmt.Errorf("it is not signed by %s: %w", v.Name(), err)
	}
	lines := strings.Split(strings.TrimSuffix(n.Text, "\n"), "\n")
	if lines[0] != v.Name()+suffix {
		return nil, fmt.Errorf("it is about %q, not %q", lines[0], v.Name()+suffix)
	}
	return lines, nil
}

// size reads a number of leaves.
func size(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != s {
		return 0, fmt.Errorf("a size must be a number in decimal: %q", s)
	}
	return n, nil
}

// Proof spells a proof that leaf n is in the tree of a checkpoint, for other
// programs (C2SP tlog-proof).
func Proof(n int64, p tlog.RecordProof, checkpoint string) string {
	var b strings.Builder
	b.WriteString("c2sp.org/tlog-proof@v1\nindex " + strconv.FormatInt(n, 10) + "\n")
	for _, h := range p {
		b.WriteString(h.String() + "\n")
	}
	b.WriteString("\n" + checkpoint)
	return b.String()
}

// CheckProof checks such a proof for an event's body.
func CheckProof(proof, key string, body []byte) (n int64, c Checkpoint, err error) {
	head, signed, ok := strings.Cut(proof, "\n\n")
	lines := strings.Split(head, "\n")
	if !ok || len(proof) > 2*maxNote || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return 0, c, errors.New("this is no proof of the form c2sp.org/tlog-proof@v1")
	}
	index, ok := strings.CutPrefix(lines[1], "index ")
	if !ok {
		return 0, c, errors.New("the proof names no index")
	}
	if n, err = size(index); err != nil {
		return 0, c, err
	}
	var p tlog.RecordProof
	for _, line := range lines[2:] {
		h, err := tlog.ParseHash(line)
		if err != nil {
			return 0, c, fmt.Errorf("the proof's hash %q: %w", line, err)
		}
		p = append(p, h)
	}
	if c, err = OpenCheckpoint(signed, key); err != nil {
		return 0, c, err
	}
	return n, c, tlog.CheckRecord(p, c.Size, c.Root, n, Leaf(body))
}

// SplitNotes splits signed notes that stand one after another with an empty line
// behind each. A note has one itself, before its signatures.
func SplitNotes(text string) (all []string) {
	parts := strings.Split(text, "\n\n")
	for i := 0; i+1 < len(parts); i += 2 {
		all = append(all, parts[i]+"\n\n"+strings.TrimSuffix(parts[i+1], "\n")+"\n")
	}
	return all
}
