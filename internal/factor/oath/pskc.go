package oath

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"hash"
	"io"
	"strconv"
	"strings"
	"time"

	"warifu/internal/factor/totp"
	"warifu/internal/fault"
	"warifu/internal/iam"
)

// Bounds of XML (security checklist A-4): a file of tokens is flat, and has about
// thirty elements for each.
const (
	maxDepth    = 24
	maxElements = 60 * MaxTokens

	maxIterations = 1_000_000 // of PBKDF2: files say how much work they want
)

// container is a PSKC file (RFC 6030, section 4), as far as it is read.
type container struct {
	XMLName    xml.Name `xml:"KeyContainer"`
	Encryption struct {
		KeyName string `xml:"KeyName"`
		Derived *struct {
			Method struct {
				Algorithm string `xml:"Algorithm,attr"`
				Params    struct {
					Salt       string `xml:"Salt>Specified"`
					Iterations int    `xml:"IterationCount"`
					Length     int    `xml:"KeyLength"`
					PRF        struct {
						Algorithm string `xml:"Algorithm,attr"`
					} `xml:"PRF"`
				} `xml:"PBKDF2-params"`
			} `xml:"KeyDerivationMethod"`
		} `xml:"DerivedKey"`
	} `xml:"EncryptionKey"`
	MAC *struct {
		Algorithm string     `xml:"Algorithm,attr"`
		Key       *encrypted `xml:"MACKey"`
	} `xml:"MACMethod"`
	Packages []struct {
		Device struct {
			Maker  string `xml:"Manufacturer"`
			Serial string `xml:"SerialNo"`
			Model  string `xml:"Model"`
		} `xml:"DeviceInfo"`
		Key *pskcKey `xml:"Key"`
	} `xml:"KeyPackage"`
}

type pskcKey struct {
	ID         string `xml:"Id,attr"`
	Algorithm  string `xml:"Algorithm,attr"`
	Parameters struct {
		Suite  string `xml:"Suite"`
		Format struct {
			Length   int    `xml:"Length,attr"`
			Encoding string `xml:"Encoding,attr"`
		} `xml:"ResponseFormat"`
	} `xml:"AlgorithmParameters"`
	Data struct {
		Secret   value `xml:"Secret"`
		Counter  value `xml:"Counter"`
		Interval value `xml:"TimeInterval"`
	} `xml:"Data"`
}

// value is plain, or encrypted with a MAC beside it.
type value struct {
	Plain     *string    `xml:"PlainValue"`
	Encrypted *encrypted `xml:"EncryptedValue"`
	MAC       string     `xml:"ValueMAC"`
}

type encrypted struct {
	Method struct {
		Algorithm string `xml:"Algorithm,attr"`
	} `xml:"EncryptionMethod"`
	Text string `xml:"CipherData>CipherValue"`
}

// checkXML walks through a file and refuses one that declares a document type, is
// deep, or holds too much.
func checkXML(file []byte) error {
	refused := fault.Field("file", "the file must be PSKC (RFC 6030) without a document type, or CSV")
	d := xml.NewDecoder(bytes.NewReader(file))
	depth, elements := 0, 0
	for {
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return refused
		}
		switch t.(type) {
		case xml.Directive:
			return refused
		case xml.StartElement:
			if depth, elements = depth+1, elements+1; depth > maxDepth || elements > maxElements {
				return refused
			}
		case xml.EndElement:
			depth--
		}
	}
}

func parsePSKC(file []byte, secret string) ([]Token, error) {
	if err := checkXML(file); err != nil {
		return nil, err
	}
	var c container
	if err := xml.Unmarshal(file, &c); err != nil {
		return nil, fault.Field("file", "the file must be PSKC (RFC 6030), or CSV")
	}
	if len(c.Packages) > MaxTokens {
		return nil, fault.Field("file", "the file must hold at most %d tokens", MaxTokens)
	}
	k, err := c.keys(secret)
	if err != nil {
		return nil, err
	}
	all := make([]Token, 0, len(c.Packages))
	for i, p := range c.Packages {
		at := "package " + strconv.Itoa(i+1)
		if p.Key == nil {
			return nil, bad(at, "it holds no key")
		}
		t, err := p.Key.token(k, at)
		if err != nil {
			return nil, err
		}
		t.Serial, t.Maker, t.Model = strings.TrimSpace(p.Device.Serial), clip(strings.TrimSpace(p.Device.Maker)), clip(strings.TrimSpace(p.Device.Model))
		if t.Serial == "" {
			t.Serial = strings.TrimSpace(p.Key.ID)
		}
		if err := t.check(at); err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

// token reads a key.
func (k *pskcKey) token(keys *pskcKeys, at string) (t Token, err error) {
	t.Kind = kindOf(k.Algorithm[strings.LastIndexByte(k.Algorithm, ':')+1:])
	if i := strings.LastIndexByte(k.Algorithm, '#'); i >= 0 { // the draft's spelling
		t.Kind = kindOf(k.Algorithm[i+1:])
	}
	if t.Kind == "" {
		return t, bad(at, "the algorithm must be TOTP or HOTP")
	}
	t.Params = totp.Params{Digits: 6, Period: 30 * time.Second}
	if f := k.Parameters.Format; f.Length != 0 {
		if f.Encoding != "" && f.Encoding != "DECIMAL" {
			return t, bad(at, "codes must be decimal")
		}
		t.Params.Digits = f.Length
	}
	if s := strings.TrimSpace(k.Parameters.Suite); s != "" {
		if t.Params.Algorithm, err = algorithmOf(s); err != nil {
			return t, bad(at, "the suite must be HMAC-SHA1, HMAC-SHA256 or HMAC-SHA512")
		}
	}
	if t.Seed, err = keys.bytes(k.Data.Secret, at); err != nil {
		return t, err
	}
	counter, err := keys.number(k.Data.Counter, 0, at)
	if err != nil {
		return t, err
	}
	seconds, err := keys.number(k.Data.Interval, 30, at)
	if err != nil {
		return t, err
	}
	if t.Kind == iam.FactorHOTP {
		t.Counter = counter
	} else if seconds == 30 || seconds == 60 {
		t.Params.Period = time.Duration(seconds) * time.Second
	} else {
		return t, bad(at, "the period must be 30 or 60 seconds")
	}
	return t, nil
}

// pskcKeys are what the values of a file are decrypted and verified with.
type pskcKeys struct {
	encryption []byte // nil: the file is plain, or no key was given
	mac        []byte
	hash       func() hash.Hash // nil = no MACs
}

// keys are the keys of a container (sections 6.1 and 6.2).
func (c *container) keys(secret string) (*pskcKeys, error) {
	k := &pskcKeys{}
	if c.Encryption.Derived == nil && c.Encryption.KeyName == "" && c.MAC == nil {
		return k, nil
	}
	if secret == "" {
		return nil, fault.Field("key", "the file is encrypted: its key or passphrase is needed")
	}
	var err error
	if c.Encryption.Derived != nil {
		err = c.derive(k, secret)
	} else {
		k.encryption, err = sharedKey(secret)
	}
	if err != nil || c.MAC == nil {
		return k, err
	}
	a := c.MAC.Algorithm
	switch a[strings.LastIndexByte(a, '#')+1:] {
	case "hmac-sha1":
		k.hash = sha1.New
	case "hmac-sha256":
		k.hash = sha256.New
	case "hmac-sha384":
		k.hash = sha512.New384
	case "hmac-sha512":
		k.hash = sha512.New
	default:
		return nil, fault.Field("file", "the file's MAC must be an HMAC with SHA-1 or SHA-2")
	}
	k.mac = k.encryption
	if c.MAC.Key != nil {
		if k.mac, err = k.decrypt(c.MAC.Key); err != nil {
			return nil, fault.Field("key", "the key or passphrase does not open the file")
		}
	}
	return k, nil
}

// derive makes the key of a passphrase with PBKDF2 (RFC 8018).
func (c *container) derive(k *pskcKeys, passphrase string) (err error) {
	m := &c.Encryption.Derived.Method
	salt, bad := base64.StdEncoding.DecodeString(strings.TrimSpace(m.Params.Salt))
	prf := sha1.New
	if a := m.Params.PRF.Algorithm; strings.HasSuffix(strings.ToLower(a), "sha256") {
		prf = sha256.New
	} else if a != "" && !strings.HasSuffix(strings.ToLower(a), "sha1") {
		bad = errors.New("another pseudo-random function")
	}
	if !strings.HasSuffix(m.Algorithm, "#pbkdf2") || bad != nil || m.Params.Iterations < 1 || m.Params.Iterations > maxIterations ||
		m.Params.Length != 16 && m.Params.Length != 24 && m.Params.Length != 32 {
		return fault.Field("file", "the file's key must be derived with PBKDF2, with at most %d iterations", maxIterations)
	}
	k.encryption, err = pbkdf2.Key(prf, passphrase, salt, m.Params.Iterations, m.Params.Length)
	return err
}

// sharedKey reads an AES key in hex or base64.
func sharedKey(s string) ([]byte, error) {
	s = compact(strings.TrimSpace(s))
	b, err := hex.DecodeString(s)
	if err != nil {
		b, err = base64.StdEncoding.DecodeString(s)
	}
	if err != nil || len(b) != 16 && len(b) != 24 && len(b) != 32 {
		return nil, fault.Field("key", "the key must be 128, 192 or 256 bits in hex or base64")
	}
	return b, nil
}

var errCipher = errors.New("oath: the value does not decrypt")

// decrypt opens a value in AES-CBC with the padding of XML Encryption (section
// 5.2 there): the last byte counts the bytes that were added.
func (k *pskcKeys) decrypt(e *encrypted) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(e.Text), ""))
	if err != nil || k.encryption == nil {
		return nil, errCipher
	}
	a := e.Method.Algorithm
	if size, ok := map[string]int{"aes128-cbc": 16, "aes192-cbc": 24, "aes256-cbc": 32}[a[strings.LastIndexByte(a, '#')+1:]]; !ok || size != len(k.encryption) {
		return nil, errCipher
	}
	block, err := aes.NewCipher(k.encryption)
	if err != nil || len(raw) < 2*aes.BlockSize || len(raw)%aes.BlockSize != 0 || len(raw) > 1<<12 {
		return nil, errCipher
	}
	plain := make([]byte, len(raw)-aes.BlockSize)
	cipher.NewCBCDecrypter(block, raw[:aes.BlockSize]).CryptBlocks(plain, raw[aes.BlockSize:])
	pad := int(plain[len(plain)-1])
	if pad < 1 || pad > aes.BlockSize {
		return nil, errCipher
	}
	return plain[:len(plain)-pad], nil
}

// bytes reads a value that is binary, after its MAC (section 6.1.1: over what is
// encrypted). A file that says how its values are authenticated must do so.
func (k *pskcKeys) bytes(v value, at string) ([]byte, error) {
	switch {
	case v.Plain != nil && v.Encrypted == nil:
		b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(*v.Plain), ""))
		if err != nil {
			return nil, bad(at, "the seed must be base64")
		}
		return b, nil
	case v.Encrypted == nil:
		return nil, bad(at, "it holds no seed")
	}
	if err := k.authentic(v); err != nil {
		return nil, err
	}
	b, err := k.decrypt(v.Encrypted)
	if err != nil {
		return nil, fault.Field("key", "the key or passphrase does not open the file")
	}
	return b, nil
}

func (k *pskcKeys) authentic(v value) error {
	if k.hash == nil {
		return nil
	}
	raw, err1 := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(v.Encrypted.Text), ""))
	want, err2 := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(v.MAC), ""))
	m := hmac.New(k.hash, k.mac)
	m.Write(raw)
	if err1 != nil || err2 != nil || !hmac.Equal(m.Sum(nil), want) {
		return fault.Field("key", "the key or passphrase does not open the file, or the file was changed")
	}
	return nil
}

// number reads a value that is a number: in decimal, or encrypted as bytes,
// the most significant first.
func (k *pskcKeys) number(v value, absent int64, at string) (int64, error) {
	if v.Plain == nil && v.Encrypted == nil {
		return absent, nil
	}
	if v.Encrypted == nil {
		n, err := strconv.ParseInt(strings.TrimSpace(*v.Plain), 10, 64)
		if err != nil {
			return 0, bad(at, "the counter and the interval must be numbers")
		}
		return n, nil
	}
	b, err := k.bytes(v, at)
	if err != nil || len(b) > 8 {
		return 0, bad(at, "the counter and the interval must be numbers")
	}
	var n uint64
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return int64(n & (1<<62 - 1)), nil
}
