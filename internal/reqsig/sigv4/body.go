package sigv4

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"strconv"
	"strings"
)

// Body holds a body that was not read before Verify to what its signature
// declares (s.Payload), while it is read. length is the number of bytes of
// content: Content-Length, or x-amz-decoded-content-length for the streaming
// forms; it is required for those, and -1 if unknown otherwise.
//
// Bytes are handed out as they come, but never the last piece of a body (or of a
// chunk) before it was checked: a reader that sends them on cannot complete a
// forged body. On an error it must drop what it has. The error is an *Error of
// Reason BadPayload or Mismatch, or that of the body.
func (s *Signature) Body(body io.Reader, key SigningKey, length int64) (io.Reader, error) {
	switch {
	case Streaming(s.Payload):
		return NewChunkReader(body, s, key, length)
	case isHash(s.Payload):
		return &hashReader{src: body, sum: sha256.New(), want: s.Payload, left: length}, nil
	default:
		return body, nil
	}
}

// hashReader checks a body against its hash.
type hashReader struct {
	src  io.Reader
	sum  hash.Hash
	want string
	left int64 // bytes to come; negative if unknown
	err  error // once set, all that Read says
}

func (h *hashReader) Read(p []byte) (int, error) {
	if h.err != nil {
		return 0, h.err
	}
	n, err := h.src.Read(p)
	h.sum.Write(p[:n])
	switch {
	case h.left < 0 && err == io.EOF:
		h.err = h.verdict()
	case h.left < 0:
		h.err = err
	case int64(n) > h.left || err == io.EOF && int64(n) < h.left:
		h.err = errBodyLength()
	default:
		if h.left -= int64(n); h.left == 0 {
			h.err = h.verdict()
		} else {
			h.err = err
		}
	}
	if h.err != nil && h.err != io.EOF && h.err != err {
		return 0, h.err // refused: not even this piece
	}
	return n, h.err
}

func (h *hashReader) verdict() error {
	if hex.EncodeToString(h.sum.Sum(nil)) == h.want {
		return io.EOF
	}
	return badPayload("XAmzContentSHA256Mismatch",
		"The provided 'x-amz-content-sha256' header does not match what was computed.")
}

func errBodyLength() *Error {
	return badPayload("IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header")
}

func errChunk() *Error {
	return badPayload("IncompleteBody", "The request body is not in the aws-chunked form that x-amz-content-sha256 declares.")
}

// The limits of an aws-chunked body.
const (
	chunkLine  = 4 << 10  // bytes of a chunk's header or a trailer's line
	chunkPiece = 32 << 10 // bytes read, hashed and handed out at once
	trailers   = 16       // trailer lines
)

// ChunkReader decodes an aws-chunked body and verifies its chunk and trailer
// signatures (STREAMING-AWS4-HMAC-SHA256-PAYLOAD and its -TRAILER form), or
// only decodes it (STREAMING-UNSIGNED-PAYLOAD-TRAILER, whose trailer holds a
// checksum that the reader of the content may want to check). See
// [Signature.Body] for what it promises.
type ChunkReader struct {
	src     *bufio.Reader
	key     SigningKey
	sig     *Signature
	signed  bool // chunks carry signatures
	trails  bool // trailer lines follow the last chunk
	prev    [64]byte
	sum     hash.Hash
	left    int64 // content bytes to come
	inChunk int64 // content bytes to come in this chunk
	want    [64]byte
	buf     []byte
	pending []byte
	trailer map[string]string
	err     error
}

// NewChunkReader reads a body that was signed by a verified s with key. decoded
// is x-amz-decoded-content-length; the body must hold exactly that much content.
func NewChunkReader(body io.Reader, s *Signature, key SigningKey, decoded int64) (*ChunkReader, error) {
	if !knownStream(s.Payload) {
		return nil, errChunk()
	}
	if decoded < 0 {
		return nil, &Error{BadPayload, "MissingContentLength", "You must provide the Content-Length HTTP header.", 411}
	}
	c := &ChunkReader{
		src: bufio.NewReaderSize(body, chunkLine), key: key, sig: s, sum: sha256.New(), left: decoded,
		signed: s.Payload != StreamingUnsignedTrailer, trails: s.Payload != StreamingPayload,
		buf: make([]byte, chunkPiece),
	}
	copy(c.prev[:], s.signature)
	return c, nil
}

// Trailer returns the trailer, by lower-case name, once Read has said io.EOF.
func (c *ChunkReader) Trailer() map[string]string {
	if c.err != io.EOF {
		return nil
	}
	return c.trailer
}

// Read implements io.Reader.
func (c *ChunkReader) Read(p []byte) (int, error) {
	for len(c.pending) == 0 {
		if c.err != nil {
			return 0, c.err
		}
		c.fill()
	}
	n := copy(p, c.pending)
	c.pending = c.pending[n:]
	return n, nil
}

// fill reads the next piece. It sets pending only to what may be handed out.
func (c *ChunkReader) fill() {
	if c.inChunk == 0 {
		if c.err = c.chunkHeader(); c.err != nil {
			return
		}
		if c.inChunk == 0 { // only an empty body starts with the last chunk
			c.err = c.end()
			return
		}
	}
	piece := c.buf[:min(c.inChunk, int64(len(c.buf)))]
	if _, err := io.ReadFull(c.src, piece); err != nil {
		c.err = broken(err)
		return
	}
	c.sum.Write(piece)
	c.inChunk -= int64(len(piece))
	c.left -= int64(len(piece))
	if c.inChunk == 0 {
		if c.err = c.chunkEnd(); c.err != nil {
			return
		}
		if c.left == 0 {
			if c.err = c.lastChunk(); c.err != io.EOF {
				return
			}
		}
	}
	c.pending = piece
}

// lastChunk reads what follows the content and returns io.EOF if it is good.
func (c *ChunkReader) lastChunk() error {
	if err := c.chunkHeader(); err != nil {
		return err
	}
	return c.end()
}

// chunkHeader reads "hex-size" or "hex-size;chunk-signature=hex".
func (c *ChunkReader) chunkHeader() error {
	line, err := c.line()
	if err != nil {
		return err
	}
	size, ext, _ := strings.Cut(line, ";")
	n, err := strconv.ParseUint(size, 16, 63)
	if err != nil || int64(n) > c.left || n == 0 && c.left > 0 {
		return errChunk()
	}
	sig, ok := strings.CutPrefix(ext, "chunk-signature=")
	if ok != c.signed || !c.signed && ext != "" || c.signed && len(sig) != len(c.want) {
		return errChunk()
	}
	copy(c.want[:], sig)
	c.inChunk = int64(n)
	return nil
}

// chunkEnd reads the line break after a chunk's content and checks the chunk.
func (c *ChunkReader) chunkEnd() error {
	var crlf [2]byte
	if _, err := io.ReadFull(c.src, crlf[:]); err != nil {
		return broken(err)
	}
	if string(crlf[:]) != "\r\n" {
		return errChunk()
	}
	return c.checkChunk()
}

// checkChunk compares the signature of the chunk that was read ("Signature
// calculations for the Authorization header: chunked upload").
func (c *ChunkReader) checkChunk() error {
	var digest [sha256.Size]byte
	c.sum.Sum(digest[:0])
	c.sum.Reset()
	if !c.signed {
		return nil
	}
	return c.check(algorithm+"-PAYLOAD", true, digest, string(c.want[:]))
}

// check compares a signature of the chain and makes it the next one's seed.
func (c *ChunkReader) check(kind string, withHeaders bool, digest [sha256.Size]byte, got string) error {
	var room [512]byte
	b := append(room[:0], kind...)
	b = append(b, '\n')
	b = append(b, c.sig.date...)
	b = append(b, '\n')
	b = appendScope(b, c.sig.Scope)
	b = append(b, '\n')
	b = append(b, c.prev[:]...)
	b = append(b, '\n')
	if withHeaders { // a chunk has none, but their hash is part of the form
		b = append(b, EmptyPayload+"\n"...)
	}
	b = hex.AppendEncode(b, digest[:])
	want := hexMAC(c.key, b)
	if !sameSignature(&want, got) {
		return mismatch()
	}
	c.prev = want
	return nil
}

// end checks the last, empty chunk, the trailer, and that nothing follows.
func (c *ChunkReader) end() error {
	if err := c.checkChunk(); err != nil {
		return err
	}
	if c.trails {
		if err := c.readTrailer(); err != nil {
			return err
		}
	} else if line, err := c.line(); err != nil || line != "" {
		return errChunk()
	}
	if _, err := c.src.ReadByte(); err != io.EOF {
		return errChunk()
	}
	return io.EOF
}

func (c *ChunkReader) readTrailer() error {
	c.trailer = make(map[string]string)
	var canon []byte
	signature := ""
	for range trailers {
		line, err := c.line()
		if err != nil {
			return err
		}
		if line == "" {
			if c.signed {
				return c.check(algorithm+"-TRAILER", false, sha256.Sum256(canon), signature)
			}
			return nil
		}
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.ToLower(name), strings.TrimSpace(value)
		if _, twice := c.trailer[name]; !ok || twice || signature != "" {
			return errChunk()
		}
		if c.signed && name == "x-amz-trailer-signature" {
			signature = value
			continue
		}
		c.trailer[name] = value
		canon = append(canon, name+":"+value+"\n"...)
	}
	return errChunk()
}

// line reads a line that ends in CR LF and fits the buffer.
func (c *ChunkReader) line() (string, error) {
	b, err := c.src.ReadSlice('\n')
	if err != nil {
		return "", broken(err)
	}
	text, ok := strings.CutSuffix(string(b), "\r\n")
	if !ok {
		return "", errChunk()
	}
	return text, nil
}

// broken tells a body that ends or is out of form from one that failed to come.
func broken(err error) error {
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, bufio.ErrBufferFull) {
		return errChunk()
	}
	return err
}
