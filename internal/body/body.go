package body

import (
	"bytes"
	"errors"
	"io"
	"net/http"
)

// ErrTooLarge is the error of Read for a body above the limit.
var ErrTooLarge = errors.New("the body is too large")

// usual is up to which size a body has its memory at once: the client says the
// length, and could say much and send nothing.
const usual = 64 << 10

// Read reads a whole body of at most limit bytes. Its error is ErrTooLarge, or why
// the body ended early.
func Read(w http.ResponseWriter, r *http.Request, limit int64) (b []byte, err error) {
	n := r.ContentLength
	switch {
	case n > limit:
		return nil, ErrTooLarge
	case 0 <= n && n <= usual:
		b = make([]byte, n)
		_, err = io.ReadFull(r.Body, b)
		return b, err
	}
	b, err = io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		err = ErrTooLarge
	}
	return b, err
}

// Refuse answers a request whose body could not be read: a client that is still
// there must not take silence for success.
func Refuse(w http.ResponseWriter, err error) {
	if errors.Is(err, ErrTooLarge) {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	w.Header().Set("Connection", "close")
	w.WriteHeader(http.StatusRequestTimeout)
}

// Peek reads up to limit bytes of a body, which stays readable as a whole.
func Peek(r *http.Request, limit int64) []byte {
	start, err := io.ReadAll(io.LimitReader(r.Body, limit))
	r.Body = &peeked{io.MultiReader(bytes.NewReader(start), &failing{r.Body, err}), r.Body}
	return start
}

// peeked is a body of which the start has been read.
type peeked struct {
	io.Reader
	io.Closer
}

// failing goes on with a body, or with the error that its start ended with.
type failing struct {
	io.Reader
	err error
}

func (f *failing) Read(b []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return f.Reader.Read(b)
}
