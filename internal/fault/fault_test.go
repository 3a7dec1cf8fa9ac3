package fault_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"warifu/internal/fault"
)

func TestKindOfWhatIsWrapped(t *testing.T) {
	f := fault.Of(fault.NotFound, "user", "bob")
	for _, err := range []error{f, fmt.Errorf("look: %w", f), errors.Join(io.EOF, f)} {
		if fault.KindOf(err) != fault.NotFound || !fault.Is(err, fault.NotFound) || fault.Is(err, fault.Exists) {
			t.Errorf("%v is %v", err, fault.KindOf(err))
		}
	}
}

// K-6: an error that nobody classified is internal, and so is a zero kind.
func TestK6UnknownIsInternal(t *testing.T) {
	for _, err := range []error{io.EOF, &fault.Error{}, fault.Wrap(io.EOF, "read")} {
		if fault.KindOf(err) != fault.Internal {
			t.Errorf("%v is %v", err, fault.KindOf(err))
		}
	}
	if fault.Is(nil, fault.Internal) || fault.Is(io.EOF, fault.Internal) {
		t.Error("only a fault is of a kind")
	}
	if s := fault.Kind(200).String(); s != "internal" {
		t.Errorf("an unknown kind is called %q", s)
	}
}

func TestErrorNamesFieldAndCause(t *testing.T) {
	err := fault.Field("userName", "%s must have 1 to %d characters", "userName", 64)
	for _, part := range []string{"invalid", "userName", "1 to 64"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	if w := fault.Wrap(io.EOF, "read a row"); !errors.Is(w, io.EOF) || !strings.Contains(w.Error(), "read a row") {
		t.Errorf("%v", w)
	}
}
