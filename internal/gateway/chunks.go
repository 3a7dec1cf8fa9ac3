package gateway

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"warifu/internal/reqsig/sigv4"
)

// pieceSize is the size of the chunks in which a body goes on.
const pieceSize = 64 << 10

// chunked writes a body in aws-chunked form: chunks, each with a signature if
// the upstream wants signatures, and the trailing checksum that the client's own
// form had (Amazon S3 API reference, "Signature calculations: transferring
// payload in multiple chunks"). It holds one piece at a time.
type chunked struct {
	src     *sigv4.ChunkReader
	trailer string // name of the checksum; "" if there is none
	signed  bool

	key      sigv4.SigningKey
	context  string // date and scope, as in a string to sign
	previous string // signature of the request, then of each chunk

	piece []byte
	out   bytes.Buffer
	done  bool
}

// payload is how x-amz-content-sha256 declares this form.
func (c *chunked) payload() string {
	switch {
	case !c.signed:
		return sigv4.StreamingUnsignedTrailer
	case c.trailer != "":
		return sigv4.StreamingPayloadTrailer
	default:
		return sigv4.StreamingPayload
	}
}

// seed gives the signatures their key and what they are chained to, the
// request's own signature. Call it before the first Read.
func (c *chunked) seed(key sigv4.SigningKey, scope sigv4.Scope, header http.Header) {
	_, c.previous, _ = strings.Cut(header.Get("Authorization"), "Signature=")
	c.key = key
	c.context = header.Get("X-Amz-Date") + "\n" + scope.Date + "/" + scope.Region + "/" + scope.Service + "/aws4_request"
}

// sign returns the next signature of the chain.
func (c *chunked) sign(kind, rest string) string {
	mac := hmac.New(sha256.New, c.key[:])
	io.WriteString(mac, kind+"\n"+c.context+"\n"+c.previous+"\n"+rest)
	c.previous = hex.EncodeToString(mac.Sum(nil))
	return c.previous
}

// Read implements io.Reader.
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

// fill makes the next chunk; after the last one also the end.
func (c *chunked) fill() error {
	n, err := io.ReadFull(c.src, c.piece)
	last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	if err != nil && !last {
		return err
	}
	c.out.Reset()
	if n > 0 {
		c.head(c.piece[:n])
		c.out.Write(c.piece[:n])
		c.out.WriteString("\r\n")
	}
	if last {
		return c.end()
	}
	return nil
}

// head writes the line before a chunk's content.
func (c *chunked) head(content []byte) {
	c.out.WriteString(strconv.FormatInt(int64(len(content)), 16))
	if c.signed {
		sum := sha256.Sum256(content)
		c.out.WriteString(chunkSignature + c.sign("AWS4-HMAC-SHA256-PAYLOAD", sigv4.EmptyPayload+"\n"+hex.EncodeToString(sum[:])))
	}
	c.out.WriteString("\r\n")
}

// end writes the empty chunk and the trailer.
func (c *chunked) end() error {
	c.done = true
	c.head(nil)
	if c.trailer != "" {
		value, given := c.src.Trailer()[c.trailer]
		if !given || len(c.src.Trailer()) != 1 || len(value) != checksumLength[c.trailer] {
			return refuse(Malformed, "The trailer is not the one that x-amz-trailer announces.")
		}
		line := c.trailer + ":" + value
		c.out.WriteString(line + "\r\n")
		if c.signed {
			sum := sha256.Sum256([]byte(line + "\n"))
			c.out.WriteString(trailerSignature + c.sign("AWS4-HMAC-SHA256-TRAILER", hex.EncodeToString(sum[:])) + "\r\n")
		}
	}
	c.out.WriteString("\r\n")
	return nil
}

const (
	chunkSignature   = ";chunk-signature="
	trailerSignature = "x-amz-trailer-signature:"
	signatureLength  = 2 * sha256.Size
)

// length is how long the body becomes.
func (c *chunked) length(decoded int64) int64 {
	head := func(n int64) int64 {
		size := int64(len(strconv.FormatInt(n, 16)) + len("\r\n"))
		if c.signed {
			size += int64(len(chunkSignature) + signatureLength)
		}
		return size
	}
	chunk := func(n int64) int64 { return head(n) + n + int64(len("\r\n")) }
	total := decoded / pieceSize * chunk(pieceSize)
	if rest := decoded % pieceSize; rest > 0 {
		total += chunk(rest)
	}
	total += head(0)
	if c.trailer != "" {
		total += int64(len(c.trailer) + len(":") + checksumLength[c.trailer] + len("\r\n"))
		if c.signed {
			total += int64(len(trailerSignature) + signatureLength + len("\r\n"))
		}
	}
	return total + int64(len("\r\n"))
}

// checksumLength is the length of a checksum in Base64, by its header.
var checksumLength = map[string]int{
	"x-amz-checksum-crc32": 8, "x-amz-checksum-crc32c": 8, "x-amz-checksum-crc64nvme": 12,
	"x-amz-checksum-sha1": 28, "x-amz-checksum-sha256": 44,
}
