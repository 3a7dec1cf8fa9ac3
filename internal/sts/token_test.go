package sts

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"warifu/internal/fault"
	"warifu/internal/name"
)

var (
	codec = NewCodec([32]byte{1, 2, 3})
	now   = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

func fixed(n byte) io.Reader { return rand.NewChaCha8([32]byte{n}) }

func userSession() *Claims {
	return &Claims{
		Kind: KindUserSession, Account: 123456789012, User: 123456789012345678,
		Issued: now, Expires: now.Add(time.Hour), MFA: true, MFAAt: now.Add(-time.Minute), MFAMethods: []string{"totp"},
	}
}

func mint(t testing.TB, c *Claims) *Credentials {
	t.Helper()
	got, err := codec.Mint(fixed(7), name.PrefixSessionKey, c)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func drawClaims(t *rapid.T) *Claims {
	text := rapid.StringN(0, 30, -1)
	c := &Claims{
		Kind:           rapid.SampledFrom([]Kind{KindUserSession, KindAssumedRole, KindFederatedUser}).Draw(t, "kind"),
		Account:        name.Account(rapid.Int64Range(1, 999999999999).Draw(t, "account")),
		User:           name.ID(rapid.Int64Range(1, 1<<60).Draw(t, "user")),
		SessionName:    text.Draw(t, "session name"),
		Issued:         time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "issued"), 0).UTC(),
		SourceIdentity: text.Draw(t, "source identity"),
		Remembered:     rapid.Bool().Draw(t, "remembered"),
		Chained:        rapid.Bool().Draw(t, "chained"),
	}
	c.Expires = c.Issued.Add(time.Duration(rapid.Int64Range(1, 129600).Draw(t, "life")) * time.Second)
	if c.Kind == KindAssumedRole {
		c.Role = name.ID(rapid.Int64Range(1, 1<<60).Draw(t, "role"))
	}
	if rapid.Bool().Draw(t, "mfa") {
		c.MFA, c.MFAAt, c.MFAMethods = true, time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "mfa at"), 0).UTC(), []string{"totp", "passkey"}
	}
	for range rapid.IntRange(0, 2).Draw(t, "policies") {
		c.Policies = append(c.Policies, text.Draw(t, "policy"))
	}
	for range rapid.IntRange(0, 3).Draw(t, "arns") {
		c.PolicyARNs = append(c.PolicyARNs, text.Draw(t, "arn"))
	}
	for range rapid.IntRange(0, 5).Draw(t, "tags") {
		c.Tags = append(c.Tags, Tag{text.Draw(t, "key"), text.Draw(t, "value"), rapid.Bool().Draw(t, "transitive")})
	}
	return c
}

func TestTokenRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		claims := drawClaims(t)
		cred, err := codec.Mint(fixed(rapid.Byte().Draw(t, "seed")), "ASIA", claims)
		if err != nil {
			t.Fatal(err)
		}
		got, secret, err := codec.Open(cred.Token, cred.AccessKeyID, claims.Issued)
		if err != nil || !secret.Equal(cred.Secret) {
			t.Fatal(err)
		}
		if d := cmp.Diff(claims, got); d != "" {
			t.Fatal(d)
		}
	})
}

func TestCredentialShapes(t *testing.T) {
	c := mint(t, userSession())
	if !regexp.MustCompile(`^ASIA[A-Z2-7]{16}$`).MatchString(c.AccessKeyID) {
		t.Errorf("access key id %s", c.AccessKeyID)
	}
	if !regexp.MustCompile(`^[A-Za-z0-9+/]{40}$`).Match(c.Secret.Reveal()) {
		t.Error("the secret is not 40 characters of base64")
	}
	if !regexp.MustCompile(`^Wrf1[A-Za-z0-9_-]+$`).MatchString(c.Token) || len(c.Token) > 250 {
		t.Errorf("token of %d characters: %s", len(c.Token), c.Token)
	}
	if !c.Expires.Equal(now.Add(time.Hour)) {
		t.Errorf("expires %v", c.Expires)
	}
	other, err := codec.Mint(fixed(8), "STS.", userSession())
	if err != nil || !strings.HasPrefix(other.AccessKeyID, "STS.") || other.Secret.Equal(c.Secret) || other.Token == c.Token {
		t.Error("another session shares something with the first")
	}
	if _, _, err := codec.Open(other.Token, other.AccessKeyID, now); err != nil {
		t.Error(err)
	}
	if text := fmt.Sprintf("%+v %v", *c, c); strings.Contains(text, string(c.Secret.Reveal())) {
		t.Error("K-2: printing credentials shows the secret")
	}
}

// S-6, A-1: only the very token opens, with the very key id.
func TestS6TokenIsComparedInFull(t *testing.T) {
	c := mint(t, userSession())
	refused := func(what, token, id string) {
		t.Helper()
		claims, secret, err := codec.Open(token, id, now)
		if !errors.Is(err, ErrInvalid) || claims != nil || !secret.Empty() {
			t.Fatalf("%s: %v", what, err)
		}
	}
	for i := range c.Token {
		refused(fmt.Sprintf("cut to %d", i), c.Token[:i], c.AccessKeyID)
		for _, char := range "A_=\n\r \x00z" {
			if byte(char) != c.Token[i] {
				refused(fmt.Sprintf("%q at %d", char, i), c.Token[:i]+string(char)+c.Token[i+1:], c.AccessKeyID)
			}
			refused(fmt.Sprintf("%q before %d", char, i), c.Token[:i]+string(char)+c.Token[i:], c.AccessKeyID)
		}
	}
	for _, more := range []string{"A", "AA", "AAAA", "=", "\n", "\r\n", " "} {
		refused(fmt.Sprintf("extended by %q", more), c.Token+more, c.AccessKeyID)
	}
	other := mint(t, userSession())
	other.AccessKeyID = "ASIA" + strings.Repeat("A", 16)
	refused("another key id", c.Token, other.AccessKeyID)
	refused("a key id in lower case", c.Token, strings.ToLower(c.AccessKeyID))
	refused("no key id", c.Token, "")
	refused("too long", strings.Repeat("A", maxToken+1), c.AccessKeyID)
	foreign, _ := NewCodec([32]byte{9}).Mint(fixed(7), "ASIA", userSession())
	refused("another server's", foreign.Token, foreign.AccessKeyID)
	message, _ := codec.EncodeMessage(fixed(1), 123456789012, []byte("text"))
	refused("a message", message, c.AccessKeyID)
}

// An expired token is told apart from one that is not valid, and only when it is
// authentic.
func TestExpiry(t *testing.T) {
	c := mint(t, userSession())
	for _, k := range []struct {
		at   time.Time
		want error
	}{
		{now, nil},
		{now.Add(time.Hour - time.Nanosecond), nil},
		{now.Add(time.Hour), ErrExpired},
		{now.Add(1000 * time.Hour), ErrExpired},
	} {
		claims, secret, err := codec.Open(c.Token, c.AccessKeyID, k.at)
		if k.want == nil && err == nil {
			continue
		}
		if !errors.Is(err, k.want) || claims != nil || !secret.Empty() {
			t.Errorf("at %v: %v", k.at, err)
		}
	}
	_, _, err := codec.Open(c.Token[:len(c.Token)-1]+"A", c.AccessKeyID, now.Add(2*time.Hour))
	if c.Token[len(c.Token)-1] != 'A' && !errors.Is(err, ErrInvalid) {
		t.Errorf("an expired token that was altered: %v", err)
	}
	if fault.KindOf(ErrExpired) != fault.Expired || fault.KindOf(ErrInvalid) != fault.Unauthenticated {
		t.Error("the kinds are wrong")
	}
}

func TestMintRefusesImpossibleSessions(t *testing.T) {
	for what, spoil := range map[string]func(*Claims){
		"kind 0":            func(c *Claims) { c.Kind = 0 },
		"kind 4":            func(c *Claims) { c.Kind = 4 },
		"no account":        func(c *Claims) { c.Account = 0 },
		"no user":           func(c *Claims) { c.User = 0 },
		"user with role":    func(c *Claims) { c.Role = 1 },
		"role without role": func(c *Claims) { c.Kind = KindAssumedRole },
		"no life":           func(c *Claims) { c.Expires = c.Issued },
		"no issue time":     func(c *Claims) { c.Issued = time.Time{} },
		"mfa without time":  func(c *Claims) { c.MFAAt = time.Time{} },
		"time without mfa":  func(c *Claims) { c.MFA = false },
	} {
		c := userSession()
		spoil(c)
		if _, err := codec.Mint(fixed(1), "ASIA", c); err == nil || fault.KindOf(err) != fault.Internal {
			t.Errorf("%s: %v", what, err)
		}
	}
	for n := range 64 {
		if _, err := codec.Mint(bytes.NewReader(make([]byte, n)), "ASIA", userSession()); err == nil {
			t.Fatalf("minted with %d bytes of randomness", n)
		}
	}
}

const smallPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"}]}`

func TestPackedSize(t *testing.T) {
	if n, err := PackedSize(nil, nil, nil); n != 0 || err != nil {
		t.Errorf("nothing takes %d, %v", n, err)
	}
	if n, err := PackedSize([]string{smallPolicy}, nil, nil); n < 1 || n > 16 || err != nil {
		t.Errorf("a small policy takes %d, %v", n, err)
	}
	// The longest policy that is allowed, of the kind that people write.
	var b strings.Builder
	for i := 0; b.Len() < 1900; i++ {
		fmt.Fprintf(&b, `{"Sid":"Statement%d","Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::bucket-%x/*"},`, i, i*7919)
	}
	long := `{"Version":"2012-10-17","Statement":[` + b.String() + `{}]}`
	if n, err := PackedSize([]string{long}, nil, nil); err != nil {
		t.Errorf("a long policy takes %d, %v", n, err)
	}
	c := userSession()
	c.Policies = []string{long}
	cred := mint(t, c)
	got, _, err := codec.Open(cred.Token, cred.AccessKeyID, now)
	if err != nil || got.Policies[0] != long || len(cred.Token) > 1024 {
		t.Errorf("token of %d characters, %v", len(cred.Token), err)
	}
	// What does not fit is refused, at whatever it is that does not fit.
	noise := make([]byte, MaxPacked*3/4)
	fixed(3).Read(noise)
	random := base64.StdEncoding.EncodeToString(noise)
	for i := range 2 {
		c := userSession()
		for range i + 1 {
			c.Tags = append(c.Tags, Tag{Key: fmt.Sprint(i), Value: random[i:]})
		}
		n, err := PackedSize(nil, nil, c.Tags)
		cred, mintErr := codec.Mint(fixed(1), "ASIA", c)
		if i == 0 {
			if err != nil || mintErr != nil || n < 70 || n > 100 || len(cred.Token) > 4096 {
				t.Errorf("%d per cent: %v, %v", n, err, mintErr)
			}
			continue
		}
		c.Tags[1].Value = string(reverse(random))
		n, err = PackedSize(nil, nil, c.Tags)
		_, mintErr = codec.Mint(fixed(1), "ASIA", c)
		if n <= 100 || !fault.Is(err, fault.Limit) || !fault.Is(mintErr, fault.Limit) {
			t.Errorf("%d per cent: %v, %v", n, err, mintErr)
		}
	}
}

func reverse(s string) []byte {
	b := []byte(s)
	for i := range len(b) / 2 {
		b[i], b[len(b)-1-i] = b[len(b)-1-i], b[i]
	}
	return b
}

// The content is authenticated, but must be harmless even if it were not.
func FuzzDecode(f *testing.F) {
	var secret [secretBytes]byte
	for _, c := range []*Claims{userSession(), {Kind: KindAssumedRole, Policies: slices.Repeat([]string{smallPolicy}, 6), Tags: []Tag{{"k", "v", true}}}} {
		b, err := encode(c, secret)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, _, err := codec.decode(b)
		if err == nil && len(c.Policies)+len(c.Tags)+len(c.MFAMethods) > maxPlain {
			t.Fatal("more came out than may go in")
		}
	})
}

func FuzzOpen(f *testing.F) {
	c := mint(f, userSession())
	f.Add(c.Token)
	f.Add("Wrf1")
	f.Fuzz(func(t *testing.T, token string) {
		if _, _, err := codec.Open(token, c.AccessKeyID, now); err == nil && token != c.Token {
			t.Fatalf("forged: %q", token)
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	small, large := userSession(), userSession()
	small.Policies = []string{smallPolicy}
	large.Policies = slices.Repeat([]string{smallPolicy}, 10)
	for what, claims := range map[string]*Claims{"plain": userSession(), "small policy": small, "large policies": large} {
		c := mint(b, claims)
		b.Run(what, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := codec.Open(c.Token, c.AccessKeyID, now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
