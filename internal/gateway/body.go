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

// pieceSize is the size of the chunks in which a body with a trailer goes on.
const pieceSize = 64 << 10

// chunked writes a body in aws-chunked form with unsigned chunks and the
// trailer that the client's own form had, so that the checksum in it reaches
// the upstream. It never holds more than a piece.
type chunked struct {
	src   *sigv4.ChunkReader
	name  string // of the one trailer that was announced
	piece []byte
	out   bytes.Buffer
	done  bool
}

func newChunked(src *sigv4.ChunkReader, trailer string) *chunked {
	return &chunked{src: src, name: trailer, piece: make([]byte, pieceSize)}
}

func (c *chunked) Read(p []byte) (int, error) {
	for c.out.Len() == 0 {
		if c.done {
			return 0, io.EOF
		}
		if err := c.fill(); err != nil {
			return 0, err
		}
	}
	return c.out.Read(p)
}

// fill makes the next chunk, or the last one with the trailer.
func (c *chunked) fill() error {
	n, err := io.ReadFull(c.src, c.piece)
	last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	if err != nil && !last {
		return err
	}
	c.out.Reset()
	if n > 0 {
		c.out.WriteString(strconv.FormatInt(int64(n), 16))
		c.out.WriteString("\r\n")
		c.out.Write(c.piece[:n])
		c.out.WriteString("\r\n")
	}
	if last {
		value, given := c.src.Trailer()[c.name]
		if !given || len(c.src.Trailer()) != 1 || len(value) != checksumLength[c.name] {
			return refuse(Malformed, "The trailer is not the one that x-amz-trailer announces.")
		}
		c.done = true
		c.out.WriteString("0\r\n" + c.name + ":" + value + "\r\n\r\n")
	}
	return nil
}

// chunkedLength is how long a body of decoded bytes becomes with a trailer of
// one checksum, whose value's length the algorithm fixes. It is -1 if the
// trailer is of another kind.
func chunkedLength(decoded int64, trailer string) int64 {
	value, known := checksumLength[trailer]
	if !known {
		return -1
	}
	chunk := func(n int64) int64 { return int64(len(strconv.FormatInt(n, 16))) + 2 + n + 2 }
	total := decoded / pieceSize * chunk(pieceSize)
	if rest := decoded % pieceSize; rest > 0 {
		total += chunk(rest)
	}
	return total + int64(len("0\r\n")+len(trailer)+len(":")+value+len("\r\n\r\n"))
}

// checksumLength is the length of a checksum in Base64, by its header.
var checksumLength = map[string]int{
	"x-amz-checksum-crc32": 8, "x-amz-checksum-crc32c": 8, "x-amz-checksum-crc64nvme": 12,
	"x-amz-checksum-sha1": 28, "x-amz-checksum-sha256": 44,
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
