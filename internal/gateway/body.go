package gateway

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"

	"warifu/internal/reqsig/sigv4"
)

// readAll reads a body of at most limit bytes.
func readAll(body io.Reader, length, limit int64) ([]byte, error) {
	if length > limit {
		return nil, refuse(TooLarge, sayTooLarge)
	}
	var b bytes.Buffer
	n, err := b.ReadFrom(io.LimitReader(body, limit+1))
	if err != nil {
		return nil, err
	}
	if n > limit {
		return nil, refuse(TooLarge, sayTooLarge)
	}
	return b.Bytes(), nil
}

// watched is a body that remembers why reading it failed, so that the client
// is told of its own fault and not of the upstream's.
type watched struct {
	io.Reader
	io.Closer
	failed atomic.Pointer[error]
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.failed.CompareAndSwap(nil, &err)
	}
	return n, err
}

// fault is why the body could not be read, or nil.
func (w *watched) fault() error {
	if w == nil {
		return nil
	}
	if err := w.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// decodedLength is the length of a body's content: x-amz-decoded-content-length
// for the streaming forms, Content-Length otherwise; -1 if not given.
func decodedLength(r *http.Request, payload string) (int64, error) {
	if !sigv4.Streaming(payload) {
		return r.ContentLength, nil
	}
	values := r.Header["X-Amz-Decoded-Content-Length"]
	if len(values) != 1 {
		return -1, nil
	}
	n, err := strconv.ParseInt(values[0], 10, 64)
	if err != nil || n < 0 {
		return 0, refuse(Malformed, "x-amz-decoded-content-length is not a length.")
	}
	return n, nil
}
