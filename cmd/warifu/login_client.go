package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// loginClient asks the token endpoint of a server, each time with a proof that it
// holds its key (RFC 9449).
type loginClient struct {
	base string
	key  *ecdsa.PrivateKey
	http *http.Client
	kept time.Duration // how long the credentials are wanted for; 0 = as the server has it
}

func newLoginKey() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

// loginTokens is what the token endpoint answers.
type loginTokens struct {
	Access struct {
		ID     string `json:"accessKeyId"`
		Secret string `json:"secretAccessKey"`
		Token  string `json:"sessionToken"`
	} `json:"accessToken"`
	ExpiresIn int    `json:"expiresIn"`
	Refresh   string `json:"refreshToken"`
	EndsIn    int    `json:"refreshTokenExpiresIn"`
	Subject   string `json:"principalArn"`
	Account   string `json:"accountId"`

	at time.Time // when it was answered
}

func (t *loginTokens) ends() time.Time    { return t.at.Add(time.Duration(t.EndsIn) * time.Second) }
func (t *loginTokens) expires() time.Time { return t.at.Add(time.Duration(t.ExpiresIn) * time.Second) }

// refused is a refusal of the server.
type refused struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`
}

func (r *refused) Error() string { return "the server refused: " + r.Description + " (" + r.Code + ")" }

// code is the server's code of an error, "" if it has none.
func code(err error) string {
	var r *refused
	if errors.As(err, &r) {
		return r.Code
	}
	return ""
}

// tokens asks for credentials.
func (c *loginClient) tokens(ctx context.Context, form url.Values) (*loginTokens, error) {
	if c.kept > 0 {
		form.Set("duration_seconds", strconv.Itoa(int(c.kept/time.Second)))
	}
	t := &loginTokens{at: time.Now()}
	return t, c.ask(ctx, "/v1/token", form, t)
}

// ask posts a form and reads the answer.
func (c *loginClient) ask(ctx context.Context, path string, form url.Values, into any) error {
	address := c.base + path
	proof, err := c.proof(address)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("User-Agent", "warifu/"+version())
	r.Header.Set("DPoP", proof)
	resp, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		no := &refused{}
		if json.Unmarshal(body, no) != nil || no.Code == "" {
			return fmt.Errorf("%s answers %s: is it a Warifu server?", c.base, resp.Status)
		}
		return no
	}
	return json.Unmarshal(body, into)
}

// proof signs a proof for a POST to an address.
func (c *loginClient) proof(address string) (string, error) {
	public, err := c.key.PublicKey.Bytes()
	if err != nil {
		return "", err
	}
	enc := base64.RawURLEncoding.EncodeToString
	head, err := json.Marshal(map[string]any{"typ": "dpop+jwt", "alg": "ES256", "jwk": map[string]string{
		"kty": "EC", "crv": "P-256", "x": enc(public[1:33]), "y": enc(public[33:]),
	}})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(map[string]any{"jti": rand.Text(), "htm": http.MethodPost, "htu": address, "iat": time.Now().Unix()})
	if err != nil {
		return "", err
	}
	text := enc(head) + "." + enc(body)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, c.key, sum[:])
	if err != nil {
		return "", err
	}
	var signature [64]byte
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return text + "." + enc(signature[:]), nil
}

// keptLogin is a sign-in as it is kept between calls. It holds secrets: its file
// is for its owner only.
type keptLogin struct {
	URL     string    `json:"url"`
	Client  string    `json:"client"`
	Key     string    `json:"key"` // PEM
	Refresh string    `json:"refreshToken"`
	ID      string    `json:"accessKeyId"`
	Secret  string    `json:"secretAccessKey"`
	Token   string    `json:"sessionToken"`
	Account string    `json:"accountId"`
	Expires time.Time `json:"expires"`
	Ends    time.Time `json:"ends"`
}

func newKeptLogin(c *loginClient, client string, t *loginTokens) *keptLogin {
	der, err := x509.MarshalECPrivateKey(c.key)
	if err != nil {
		panic("a key that was just made: " + err.Error())
	}
	k := &keptLogin{URL: c.base, Client: client, Key: string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})), Account: t.Account}
	k.take(t)
	return k
}

func (k *keptLogin) take(t *loginTokens) {
	k.Refresh, k.ID, k.Secret, k.Token = t.Refresh, t.Access.ID, t.Access.Secret, t.Access.Token
	k.Expires, k.Ends = t.expires().UTC().Truncate(time.Second), t.ends().UTC().Truncate(time.Second)
}

func (k *keptLogin) client() (*loginClient, error) {
	block, _ := pem.Decode([]byte(k.Key))
	if block == nil {
		return nil, errors.New("the kept sign-in has no key")
	}
	key, err := x509.ParseECPrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("the key of the kept sign-in: %w", err)
	}
	return &loginClient{base: k.URL, key: key, http: &http.Client{Timeout: 30 * time.Second}}, nil
}

// refresh gets the next credentials.
func (k *keptLogin) refresh(ctx context.Context) error {
	c, err := k.client()
	if err != nil {
		return err
	}
	t, err := c.tokens(ctx, url.Values{"grant_type": {"refresh_token"}, "client_id": {k.Client}, "refresh_token": {k.Refresh}})
	if err == nil {
		k.take(t)
	}
	return err
}

// revoke ends the sign-in on the server.
func (k *keptLogin) revoke(ctx context.Context) error {
	c, err := k.client()
	if err != nil {
		return err
	}
	return c.ask(ctx, "/v1/revoke", url.Values{"client_id": {k.Client}, "token": {k.Refresh}}, &struct{}{})
}

// print writes the credentials as credential_process has them, version 1.
func (k *keptLogin) print(w io.Writer) error {
	return json.NewEncoder(w).Encode(struct {
		Version                                    int
		AccessKeyId, SecretAccessKey, SessionToken string //nolint:revive // AWS's spelling
		Expiration                                 time.Time
		AccountId                                  string //nolint:revive // AWS's spelling
	}{1, k.ID, k.Secret, k.Token, k.Expires, k.Account})
}
