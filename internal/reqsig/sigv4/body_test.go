package sigv4

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// chunkSignature is what a streaming client computes, written out as the
// specification has it.
func chunkSignature(kind string, key SigningKey, s *Signature, prev string, hashes ...string) string {
	lines := append([]string{kind, s.date, string(appendScope(nil, s.Scope)), prev}, hashes...)
	sum := hexMAC(key, []byte(strings.Join(lines, "\n")))
	return string(sum[:])
}

// encodeChunks writes a body in the form that s declares, in pieces of the given
// sizes; the content that is left makes the last piece.
func encodeChunks(s *Signature, key SigningKey, content string, sizes []int, trailer string) string {
	var b strings.Builder
	prev := s.signature
	chunk := func(data string) {
		fmt.Fprintf(&b, "%x", len(data))
		if s.Payload != StreamingUnsignedTrailer {
			prev = chunkSignature("AWS4-HMAC-SHA256-PAYLOAD", key, s, prev, EmptyPayload, hashOf(data))
			b.WriteString(";chunk-signature=" + prev)
		}
		b.WriteString("\r\n" + data)
		if data != "" {
			b.WriteString("\r\n")
		}
	}
	for _, n := range sizes {
		if n = min(n, len(content)); n > 0 {
			chunk(content[:n])
			content = content[n:]
		}
	}
	if content != "" {
		chunk(content)
	}
	chunk("")
	if s.Payload != StreamingPayload {
		b.WriteString(strings.ReplaceAll(trailer, "\n", "\r\n"))
	}
	if s.Payload == StreamingPayloadTrailer {
		b.WriteString("x-amz-trailer-signature:" + chunkSignature("AWS4-HMAC-SHA256-TRAILER", key, s, prev, hashOf(trailer)) + "\r\n")
	}
	b.WriteString("\r\n")
	return b.String()
}

// TestS3Examples are the two worked examples of the S3 documentation: a PUT of
// 66,560 letters in chunks of 64 KiB.
func TestS3Examples(t *testing.T) {
	scope := Scope{"20130524", "us-east-1", "s3"}
	key := DeriveKey("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", scope)
	content := strings.Repeat("a", 66560)
	for _, c := range []struct{ payload, seed, chunks, trailer, want string }{
		{StreamingPayload, "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
			"10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648 " +
				"400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497 " +
				"0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9", "", ""},
		{StreamingPayloadTrailer, "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
			"10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2 " +
				"400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7 " +
				"0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
			"x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:" +
				"d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n", "sOO8/Q=="},
	} {
		s := &Signature{Scope: scope, date: "20130524T000000Z", Payload: c.payload, signature: c.seed}
		head := strings.Fields(c.chunks)
		body := head[0] + "\r\n" + content[:65536] + "\r\n" + head[1] + "\r\n" + content[65536:] + "\r\n" + head[2] + "\r\n" + c.trailer + "\r\n"
		r, err := NewChunkReader(strings.NewReader(body), s, key, int64(len(content)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || string(got) != content {
			t.Errorf("%s: %d bytes, %v", c.payload, len(got), err)
		}
		if got := r.Trailer()["x-amz-checksum-crc32c"]; got != c.want {
			t.Errorf("%s: trailer %q, want %q", c.payload, got, c.want)
		}
	}
}

func streamSignature(payload string) (*Signature, SigningKey) {
	scope := Scope{"20260101", "us-east-1", "s3"}
	return &Signature{Scope: scope, date: "20260101T000000Z", Payload: payload, signature: strings.Repeat("ab", 32)},
		DeriveKey(alice.Secret, scope)
}

// TestChunksRoundTrip: whatever the chunks and the reads, the content comes out.
func TestChunksRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		payload := rapid.SampledFrom([]string{StreamingPayload, StreamingPayloadTrailer, StreamingUnsignedTrailer}).Draw(t, "payload")
		s, key := streamSignature(payload)
		content := string(rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "content"))
		content = strings.Repeat(content, rapid.IntRange(1, 400).Draw(t, "times"))
		sizes := rapid.SliceOfN(rapid.IntRange(1, 50000), 0, 5).Draw(t, "sizes")
		body := encodeChunks(s, key, content, sizes, "x-amz-checksum-crc32:AAAAAA==\n")
		r, err := s.Body(iotest.OneByteReader(strings.NewReader(body)), key, int64(len(content)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || string(got) != content {
			t.Fatalf("%d bytes of %d, %v", len(got), len(content), err)
		}
		if payload != StreamingPayload && r.(*ChunkReader).Trailer()["x-amz-checksum-crc32"] != "AAAAAA==" {
			t.Fatalf("trailer %v", r.(*ChunkReader).Trailer())
		}
	})
}

// TestEachByteOfAStreamCounts changes each byte of a signed stream, cuts it
// anywhere and appends to it: the whole content never comes out.
func TestEachByteOfAStreamCounts(t *testing.T) {
	content := "the quick brown fox"
	for _, payload := range []string{StreamingPayload, StreamingPayloadTrailer} {
		s, key := streamSignature(payload)
		body := encodeChunks(s, key, content, []int{7, 5}, "x-amz-checksum-crc32:AAAAAA==\n")
		read := func(b string) (string, error) {
			r, err := NewChunkReader(strings.NewReader(b), s, key, int64(len(content)))
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			return string(got), err
		}
		if got, err := read(body); err != nil || got != content {
			t.Fatal(got, err)
		}
		for i := range len(body) {
			for bit := range 8 {
				b := []byte(body)
				b[i] ^= 1 << bit
				if strings.EqualFold(string(b), body) && (payload == StreamingPayloadTrailer || i < 8) {
					continue // the case of a size or of a trailer's name is free
				}
				if got, err := read(string(b)); err == nil || got == content {
					t.Fatalf("%s: byte %d as %q: %q, %v", payload, i, b[i], got, err)
				}
			}
			if got, err := read(body[:i]); err == nil || got == content {
				t.Fatalf("%s: cut at %d: %q, %v", payload, i, got, err)
			}
		}
		if _, err := read(body + "x"); err == nil {
			t.Fatalf("%s: bytes after the end are accepted", payload)
		}
	}
}

func TestChunkLimits(t *testing.T) {
	s, key := streamSignature(StreamingUnsignedTrailer)
	for name, c := range map[string]struct {
		body    string
		decoded int64
	}{
		"longer than declared":  {"5\r\nhello\r\n0\r\n\r\n", 4},
		"shorter than declared": {"5\r\nhello\r\n0\r\n\r\n", 6},
		"negative":              {"-5\r\nhello\r\n0\r\n\r\n", 5},
		"huge":                  {"ffffffffffffffff\r\nhello\r\n0\r\n\r\n", 5},
		"no size":               {"\r\nhello\r\n0\r\n\r\n", 5},
		"bare LF":               {"5\nhello\n0\n\n", 5},
		"endless header":        {strings.Repeat("0", 1<<20), 5},
		"endless trailer":       {"0\r\n" + strings.Repeat("a:b\r\n", 100), 0},
		"same trailer twice":    {"0\r\na:b\r\nA:c\r\n\r\n", 0},
		"signature unasked":     {"5;chunk-signature=" + s.signature + "\r\nhello\r\n0\r\n\r\n", 5},
	} {
		r, err := NewChunkReader(strings.NewReader(c.body), s, key, c.decoded)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); reason(err) != BadPayload {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if r.Trailer() != nil {
			t.Errorf("%s: a trailer of a bad body", name)
		}
	}
	if _, err := NewChunkReader(strings.NewReader(""), s, key, -1); reason(err) != BadPayload {
		t.Errorf("no length: %v", err)
	}
	broken := errors.New("connection reset")
	r, _ := NewChunkReader(iotest.ErrReader(broken), s, key, 5)
	if _, err := io.ReadAll(r); !errors.Is(err, broken) {
		t.Errorf("a broken connection is reported as %v", err)
	}
}

// TestHashedBody: a body that was not read before is held to its hash, and the
// last bytes of a wrong one never come out.
func TestHashedBody(t *testing.T) {
	content := strings.Repeat("hello", 20000)
	s := &Signature{Payload: hashOf(content)}
	for _, c := range []struct {
		name   string
		body   string
		length int64
		ok     bool
	}{
		{"right", content, int64(len(content)), true},
		{"right, length unknown", content, -1, true},
		{"changed", content[:len(content)-1] + "x", int64(len(content)), false},
		{"changed, length unknown", content[:len(content)-1] + "x", -1, false},
		{"short", content[1:], int64(len(content)), false},
		{"long", content + "x", int64(len(content)), false},
	} {
		r, err := s.Body(iotest.HalfReader(strings.NewReader(c.body)), SigningKey{}, c.length)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if (err == nil) != c.ok || !c.ok && c.length >= 0 && len(got) >= len(content) {
			t.Errorf("%s: %d bytes, %v", c.name, len(got), err)
		}
		if _, again := r.Read(make([]byte, 1)); again == nil {
			t.Errorf("%s: reads on after the end", c.name)
		}
	}
	unsigned := &Signature{Payload: UnsignedPayload}
	r, _ := unsigned.Body(strings.NewReader("any"), SigningKey{}, 3)
	if got, err := io.ReadAll(r); string(got) != "any" || err != nil {
		t.Errorf("unsigned: %q, %v", got, err)
	}
	empty := &Signature{Payload: EmptyPayload}
	r, _ = empty.Body(strings.NewReader(""), SigningKey{}, 0)
	if _, err := io.ReadAll(r); err != nil {
		t.Errorf("empty: %v", err)
	}
}

func FuzzChunks(f *testing.F) {
	for _, payload := range []string{StreamingPayload, StreamingPayloadTrailer, StreamingUnsignedTrailer} {
		s, key := streamSignature(payload)
		f.Add(payload, encodeChunks(s, key, "hello", []int{2}, "x-amz-checksum-crc32:AAAAAA==\n"), int64(5))
	}
	f.Fuzz(func(t *testing.T, payload, body string, length int64) {
		s, key := streamSignature(payload)
		r, err := NewChunkReader(strings.NewReader(body), s, key, length)
		if err != nil {
			return
		}
		got, err := io.ReadAll(r)
		if int64(len(got)) > length {
			t.Fatalf("%d bytes of content, %d declared", len(got), length)
		}
		if err == nil && (int64(len(got)) != length || payload != StreamingUnsignedTrailer && !strings.Contains(body, ";chunk-signature=")) {
			t.Fatalf("%d bytes of content, %d declared, accepted", len(got), length)
		}
	})
}

func BenchmarkChunks(b *testing.B) {
	s, key := streamSignature(StreamingPayload)
	content := strings.Repeat("a", 1<<20)
	sizes := make([]int, 16)
	for i := range sizes {
		sizes[i] = 64 << 10
	}
	body := []byte(encodeChunks(s, key, content, sizes, ""))
	b.Run("chunked", func(b *testing.B) {
		b.SetBytes(int64(len(content)))
		for b.Loop() {
			r, _ := NewChunkReader(bytes.NewReader(body), s, key, int64(len(content)))
			if n, err := io.Copy(io.Discard, struct{ io.Reader }{r}); err != nil || n != int64(len(content)) {
				b.Fatal(n, err)
			}
		}
	})
	b.Run("floor: SHA-256 alone", func(b *testing.B) {
		b.SetBytes(int64(len(content)))
		for b.Loop() {
			sum := sha256.Sum256(body)
			_ = hex.EncodeToString(sum[:])
		}
	})
}
