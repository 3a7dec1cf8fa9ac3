package oath

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"warifu/internal/factor/totp"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
)

// Token is a hardware token as a file describes it.
type Token struct {
	Serial  string
	Maker   string
	Model   string
	Kind    iam.FactorKind // FactorTOTP or FactorHOTP
	Params  totp.Params
	Counter int64 // FactorHOTP: of the next code
	Seed    []byte
}

// Bounds of an import. Seeds are those of RFC 4226 §4 R6 and of SHA-512's block.
const (
	MaxFile   = 4 << 20 // bytes
	MaxTokens = 10_000

	minSeed = 16
	maxSeed = 128
)

// check refuses a token that cannot be one; at says where it stands.
func (t *Token) check(at string) error {
	if err := iam.CheckName("serial", t.Serial, 64); err != nil {
		return bad(at, "the serial number must have 1 to 64 letters, digits or +=,.@-_")
	}
	if n := len(t.Seed); n < minSeed || n > maxSeed {
		return bad(at, "the seed must have %d to %d bytes, and has %d", minSeed, maxSeed, n)
	}
	if err := t.Params.Check(); err != nil {
		return bad(at, "%s", strings.TrimPrefix(err.Error(), "invalid: field: "))
	}
	if t.Kind != iam.FactorTOTP && t.Kind != iam.FactorHOTP {
		return bad(at, "the type must be TOTP or HOTP")
	}
	if t.Counter < 0 || t.Counter > 1<<40 {
		return bad(at, "the counter must be 0 to 2^40")
	}
	return nil
}

// bad is a fault about the file. It never quotes it: it holds seeds.
func bad(at, format string, args ...any) error {
	return fault.Field("file", "%s: %s", at, fmt.Sprintf(format, args...))
}

// Data is what is kept of a token beside its seed and its parameters.
type Data struct {
	Maker string  `json:"maker,omitzero"`
	Model string  `json:"model,omitzero"`
	For   name.ID `json:"-"` // user whom it is given to and who has not activated it yet; zero = nobody
	Lost  bool    `json:"lost,omitzero"`

	Params totp.Params `json:"-"`
}

// kept is Data with the parameters, as package totp keeps them.
type kept struct {
	Algorithm string `json:"algorithm,omitzero"`
	Digits    int    `json:"digits,omitzero"`
	Period    int    `json:"period,omitzero"`
	Data      `json:",inline"`
	ForText   string `json:"for,omitzero"`
}

// Text is the data as it is kept; totp.ParseData reads the parameters from it.
func (d Data) Text() string {
	k := kept{Data: d}
	if d.Params.Algorithm != totp.SHA1 {
		k.Algorithm = d.Params.Algorithm.String()
	}
	if d.Params.Digits != 6 {
		k.Digits = d.Params.Digits
	}
	if d.Params.Period != 30*time.Second {
		k.Period = int(d.Params.Period / time.Second)
	}
	if d.For != 0 {
		k.ForText = d.For.String()
	}
	b, err := json.Marshal(k, json.Deterministic(true))
	if err != nil {
		panic("oath: JSON refuses a token: " + err.Error())
	}
	return string(b)
}

// ParseData reads what Text wrote.
func ParseData(text string) (d Data, err error) {
	params, err := totp.ParseData(text)
	if err != nil || text == "" {
		return Data{Params: params}, err
	}
	var k kept
	if err := json.Unmarshal([]byte(text), &k); err != nil {
		return d, fault.Wrap(err, "read a token's data")
	}
	d = k.Data
	d.Params = params
	if k.ForText != "" {
		id, err := strconv.ParseInt(k.ForText, 10, 64)
		if err != nil {
			return d, fault.Wrap(err, "read a token's data")
		}
		d.For = name.ID(id)
	}
	return d, nil
}

// Parse reads the tokens of a file. secret is the pre-shared key (hex or base64)
// or the passphrase of an encrypted one, "" for one that is not.
//
// Errors: Invalid, field "file" or "key". A file is taken as a whole or not at
// all, and no error quotes it.
func Parse(file []byte, secret string) ([]Token, error) {
	if len(file) > MaxFile {
		return nil, fault.Field("file", "the file must have at most %d bytes", MaxFile)
	}
	text := strings.TrimPrefix(string(file), "\ufeff")
	var all []Token
	var err error
	if strings.HasPrefix(strings.TrimSpace(text), "<") {
		all, err = parsePSKC([]byte(text), secret)
	} else {
		all, err = parseCSV(text)
	}
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, fault.Field("file", "the file holds no token")
	}
	seen := make(map[string]bool, len(all))
	for i := range all {
		if seen[all[i].Serial] {
			return nil, fault.Field("file", "the serial number %s is in the file twice", all[i].Serial)
		}
		seen[all[i].Serial] = true
	}
	return all, nil
}
