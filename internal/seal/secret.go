package seal

import (
	"bytes"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// Redacted is all that a Secret ever prints.
const Redacted = "[sealed]"

// Secret holds bytes that must not be shown: in logs, errors, JSON, templates
// or a debugger's dump of a struct it sits in. Its zero value is an empty
// secret. Secrets cannot be compared with ==; use Equal.
type Secret struct {
	hidden
	// A function, because fmt and other printers reach into unexported fields
	// by reflection and there find an address instead of the bytes. It also
	// makes == a compile-time error.
	reveal func() []byte
}

// NewSecret returns a Secret that holds a copy of b.
func NewSecret(b []byte) Secret {
	own := bytes.Clone(b)
	return Secret{reveal: func() []byte { return own }}
}

// Reveal returns the bytes themselves, not a copy: do not change or print them.
func (s Secret) Reveal() []byte {
	if s.reveal == nil {
		return nil
	}
	return s.reveal()
}

// Empty reports whether there is nothing to hide.
func (s Secret) Empty() bool { return len(s.Reveal()) == 0 }

// Equal reports whether both hold the same bytes, in a time that depends on the
// lengths only.
func (s Secret) Equal(t Secret) bool {
	return subtle.ConstantTimeCompare(s.Reveal(), t.Reveal()) == 1
}

// hidden answers every printer and encoder with Redacted. What embeds it is
// hidden too, as long as it is printed as itself; keep bytes out of reach of
// reflection all the same.
type hidden struct{}

// Format implements fmt.Formatter for every verb.
func (hidden) Format(f fmt.State, _ rune) { io.WriteString(f, Redacted) }

// String implements fmt.Stringer, which templates ask for.
func (hidden) String() string { return Redacted }

// LogValue implements slog.LogValuer.
func (hidden) LogValue() slog.Value { return slog.StringValue(Redacted) }

// MarshalText implements encoding.TextMarshaler, which the JSON, XML and YAML
// encoders ask for.
func (hidden) MarshalText() ([]byte, error) { return []byte(Redacted), nil }
