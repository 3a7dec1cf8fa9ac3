package gateway_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"net/http"
	"strings"

	"warifu/internal/reqsig/sigv4"
)

func crcOf(b []byte) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(b)))
}

// chunked makes a request whose body is in aws-chunked form ("Signature
// calculations: transferring a payload in multiple chunks"). A forged one has a
// byte changed in its last chunk.
func (s *stage) chunked(key sigv4.Credentials, target, payload string, content []byte, forged bool) *http.Request {
	s.Helper()
	r, _ := http.NewRequest("PUT", s.url+target, nil)
	r.Header.Set("X-Amz-Decoded-Content-Length", fmt.Sprint(len(content)))
	r.Header.Set("Content-Encoding", "aws-chunked")
	trails, signed := payload != sigv4.StreamingPayload, payload != sigv4.StreamingUnsignedTrailer
	if trails {
		r.Header.Set("X-Amz-Trailer", "x-amz-checksum-crc32")
	}
	sig := s.sign(r, key, "s3", payload)
	_, previous, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
	date := r.Header.Get("X-Amz-Date")
	scope := date[:8] + "/us-east-1/s3/aws4_request"
	signing := sigv4.DeriveKey(key.Secret, sig.Scope)
	next := func(kind, rest string) string {
		mac := hmac.New(sha256.New, signing[:])
		mac.Write([]byte(kind + "\n" + date + "\n" + scope + "\n" + previous + "\n" + rest))
		previous = hex.EncodeToString(mac.Sum(nil))
		return previous
	}
	var body bytes.Buffer
	chunk := func(data []byte) {
		fmt.Fprintf(&body, "%x", len(data))
		if signed {
			body.WriteString(";chunk-signature=" + next("AWS4-HMAC-SHA256-PAYLOAD", hashOf(nil)+"\n"+hashOf(data)))
		}
		body.WriteString("\r\n")
	}
	const size = 64 << 10
	for rest := content; len(rest) > 0; rest = rest[min(size, len(rest)):] {
		data := bytes.Clone(rest[:min(size, len(rest))])
		chunk(data)
		if forged && len(rest) <= size {
			data[0] ^= 1
		}
		body.Write(data)
		body.WriteString("\r\n")
	}
	chunk(nil)
	if trails {
		line := "x-amz-checksum-crc32:" + crcOf(content)
		body.WriteString(line + "\r\n")
		if signed {
			body.WriteString("x-amz-trailer-signature:" + next("AWS4-HMAC-SHA256-TRAILER", hashOf([]byte(line+"\n"))) + "\r\n")
		}
	}
	body.WriteString("\r\n")
	full, _ := http.NewRequest("PUT", s.url+target, &body)
	full.Header = r.Header
	return full
}
