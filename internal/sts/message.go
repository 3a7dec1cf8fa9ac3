package sts

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"

	"warifu/internal/fault"
	"warifu/internal/name"
)

const (
	// MaxMessage is the length of the longest encoded message, in characters:
	// what DecodeAuthorizationMessage takes.
	MaxMessage = 10240

	// MaxMessageText is the length of the longest text, in bytes.
	MaxMessageText = 1 << 20

	// maxRatio is how far a message may expand (security checklist A-4).
	maxRatio = 10
)

// ErrMessage refuses an authorization message that cannot be read.
var ErrMessage = fault.Field("encodedMessage", "the authorization message was not encoded here, or was altered")

// The first byte inside a message says whether the rest is deflated.
const (
	textPlain    = 0
	textDeflated = 1
)

// EncodeMessage seals the text that says why a request was refused, so that the
// refusal can be shown to anybody, and read by those whom the account lets read
// it. It fails with fault.Limit for a text that does not fit MaxMessage; the
// caller then leaves something out.
func (c *Codec) EncodeMessage(rand io.Reader, account name.Account, text []byte) (string, error) {
	if len(text) > MaxMessageText {
		return "", messageTooLong()
	}
	plain := append([]byte{textPlain}, text...)
	if packed := deflate(text); len(packed) < len(text) {
		plain = append([]byte{textDeflated}, packed...)
		// A text that shrinks more than DecodeMessage lets it expand is padded.
		if short := (len(text)+maxRatio-1)/maxRatio - len(packed); short > 0 {
			plain = append(plain, bytes.Repeat([]byte{0}, short)...)
		}
	}
	raw, err := c.messages.Seal(nil, rand, plain, messageContext(account))
	if err != nil {
		return "", err
	}
	if s := base64.RawURLEncoding.EncodeToString(raw); len(s) <= MaxMessage {
		return s, nil
	}
	return "", messageTooLong()
}

// DecodeMessage returns the text of a message that EncodeMessage made for this
// account. Anything else is refused with ErrMessage.
func (c *Codec) DecodeMessage(account name.Account, encoded string) ([]byte, error) {
	if len(encoded) > MaxMessage || strings.ContainsAny(encoded, "\r\n") {
		return nil, ErrMessage
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return nil, ErrMessage
	}
	plain, err := c.messages.Open(nil, raw, messageContext(account))
	if err != nil || len(plain) == 0 {
		return nil, ErrMessage
	}
	switch body := plain[1:]; plain[0] {
	case textPlain:
		return body, nil
	case textDeflated:
		text, err := c.expand(body, min(maxRatio*len(body), MaxMessageText))
		if err != nil {
			return nil, ErrMessage
		}
		return text, nil
	}
	return nil, ErrMessage
}

func messageContext(a name.Account) []byte { return []byte("account " + a.String()) }

func messageTooLong() error {
	return &fault.Error{Kind: fault.Limit, Noun: "authorization message", What: "the reason of the refusal is too long to be encoded"}
}
