package notify

import (
	"context"
	"fmt"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
)

// Folder writes messages into files instead of sending them, for development:
// mails as ID.eml, text messages as ID.txt. Whoever reads the folder can sign in
// as anybody.
type Folder struct {
	Path string
	From netmail.Address // of mails; zero for text messages
}

// Carry implements Carrier.
func (f Folder) Carry(_ context.Context, all []Rendered, done func(int, error)) {
	for i := range all {
		done(i, f.write(&all[i]))
	}
}

func (f Folder) write(r *Rendered) error {
	if err := os.MkdirAll(f.Path, 0o700); err != nil {
		return err
	}
	if f.From.Address == "" {
		text := "To: " + r.To + "\n\n" + r.Text + "\n"
		return replace(filepath.Join(f.Path, r.ID.String()+".txt"), text)
	}
	m, err := message(r, f.From)
	if err != nil {
		return err
	}
	var b strings.Builder
	if _, err := m.WriteTo(&b); err != nil {
		return err
	}
	return replace(filepath.Join(f.Path, r.ID.String()+".eml"), b.String())
}

// replace writes a file that others see complete or not at all.
func replace(path, text string) error {
	if err := os.WriteFile(path+".part", []byte(text), 0o600); err != nil {
		return err
	}
	if err := os.Rename(path+".part", path); err != nil {
		return fmt.Errorf("keep a message: %w", err)
	}
	return nil
}
