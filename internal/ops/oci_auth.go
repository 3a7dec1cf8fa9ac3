package ops

import (
	"cmp"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"time"

	"warifu/internal/fault"
	"warifu/internal/name"
	sig "warifu/internal/reqsig/oci"
	"warifu/internal/store"
	"warifu/policy"
)

// OracleCredential is what a request at Oracle's door is signed with.
type OracleCredential struct {
	Fingerprint string      // of an API key
	Token       *sig.Claims // of a session; nil for an API key
}

// oracleMetaKey is where the key that signs session tokens is kept, encrypted.
const oracleMetaKey = "oracle token key"

// oracleTokenBits is the size of that key.
const oracleTokenBits = 2048

var errNotOracle = fault.New(fault.Unauthenticated, "the signature, the key or the session token is not good")

// VerifyOracle verifies a request that was signed with an API key or for a session,
// and says who signed. now is when the request was taken.
//
// Every refusal is the same Unauthenticated fault, whose cause is for the log.
func (s *Server) VerifyOracle(ctx context.Context, r *sig.Request, now time.Time) (Caller, error) {
	refuse := func(cause error) (Caller, error) {
		if fault.KindOf(cause) == fault.Internal && !isSignature(cause) {
			return Caller{}, cause
		}
		return Caller{}, &fault.Error{Kind: fault.Unauthenticated, What: errNotOracle.What, Err: cause}
	}
	signature, err := sig.Parse(r)
	if err != nil {
		return refuse(err)
	}
	if err := signature.Check(r, now); err != nil {
		return refuse(err)
	}
	if len(r.Header["Opc-Obo-Token"]) > 0 {
		return refuse(fault.New(fault.Unauthenticated, "nobody acts on another's behalf here"))
	}
	var c Caller
	var key *rsa.PublicKey
	if signature.Key.Token != "" {
		c, key, err = s.oracleSession(ctx, signature.Key.Token, now)
	} else {
		c, key, err = s.oracleAPIKey(ctx, &signature.Key)
	}
	if err != nil {
		return refuse(err)
	}
	if err := signature.Verify(key); err != nil {
		return refuse(err)
	}
	return c, nil
}

func isSignature(err error) bool {
	_, ok := err.(*sig.Error)
	return ok
}

// oracleAPIKey finds the public key of an API key and its user.
func (s *Server) oracleAPIKey(ctx context.Context, id *sig.KeyID) (c Caller, key *rsa.PublicKey, err error) {
	account, ok := name.ParseTenancy(id.Tenancy)
	user, known := name.ParseIDOf(name.OCIUser, id.User)
	if !ok || !known {
		return c, nil, errNotOracle
	}
	err = s.store.View(ctx, func(tx *store.Tx) error {
		k, err := tx.OracleKey(account, user, id.Fingerprint)
		if err != nil {
			return ignoreUnknown(err)
		}
		if key, err = sig.ParsePublicKey(k.Key); err != nil {
			return fault.Wrap(err, "read the stored API key "+k.Fingerprint)
		}
		c = Caller{Account: account, Kind: policy.User, Oracle: &OracleCredential{Fingerprint: id.Fingerprint}}
		return s.loadOracle(tx, &c, user, s.now())
	})
	return c, key, err
}

// ignoreUnknown makes an unknown credential one that is not good.
func ignoreUnknown(err error) error {
	if fault.Is(err, fault.NotFound) {
		return errNotOracle
	}
	return err
}

// oracleSession opens a session token.
func (s *Server) oracleSession(ctx context.Context, token string, now time.Time) (c Caller, key *rsa.PublicKey, err error) {
	signing, err := s.oracleTokenKey(ctx)
	if err != nil {
		return c, nil, err
	}
	claims, err := sig.OpenToken(token, &signing.PublicKey, now)
	if err != nil {
		return c, nil, errNotOracle
	}
	if key, err = sig.ParseJWK(claims.JWK); err != nil {
		return c, nil, errNotOracle
	}
	account, ok := name.ParseTenancy(claims.Tenant)
	user, known := name.ParseIDOf(name.OCIUser, claims.Subject)
	if !ok || !known {
		return c, nil, errNotOracle
	}
	err = s.store.View(ctx, func(tx *store.Tx) error {
		c = Caller{Account: account, Kind: policy.User, Oracle: &OracleCredential{Token: claims}}
		return s.loadOracle(tx, &c, user, now)
	})
	return c, key, err
}

// loadOracle reads the user behind a credential. One who is gone or blocked ends
// it, and so does the end of an API key, or of what a session began with. What a device
// proved counts for as long as the user has the device.
func (s *Server) loadOracle(tx *store.Tx, c *Caller, user name.ID, now time.Time) (err error) {
	if c.revision, err = tx.Revision(c.Account); err != nil {
		return ignoreUnknown(err)
	}
	if err := notBlocked(tx, c.Account, user); err != nil {
		return ignoreUnknown(err)
	}
	u, err := tx.UserByID(c.Account, user)
	if err != nil {
		return ignoreUnknown(err)
	}
	if c.User = *u; u.Root {
		c.Kind = policy.Root
	}
	t := c.Oracle.Token
	if t == nil {
		return oracleKeyGood(tx, c, c.Oracle.Fingerprint)
	}
	if t.Login == 0 { // it began with a key, and is worth what that is worth
		if err := oracleKeyGood(tx, c, t.Key); err != nil {
			return err
		}
	} else if l, err := tx.CLILogin(name.ID(t.Login), now); err != nil || l.User != user {
		return ignoreUnknown(cmp.Or(err, error(errNotOracle)))
	}
	c.MFA, err = oracleProof(tx, c)
	return err
}

// oracleKeyGood refuses an API key that the user does not have, or may not have.
func oracleKeyGood(tx *store.Tx, c *Caller, fingerprint string) error {
	if _, err := tx.OracleKey(c.Account, c.User.ID, fingerprint); err != nil {
		return ignoreUnknown(err)
	}
	may, err := oracleMay(tx, c.Account, c.User.ID, func(c *OracleCapabilities) bool { return c.APIKeys })
	if err == nil && !may {
		err = errNotOracle
	}
	return err
}

// oracleProof is what a session token says was proved, as far as it still counts.
func oracleProof(tx *store.Tx, c *Caller) (MFA, error) {
	m := MFA{Known: true}
	for _, p := range c.Oracle.Token.Proofs {
		f, err := tx.FactorByID(c.Account, name.ID(p.Factor))
		if fault.Is(err, fault.NotFound) || err == nil && (f.User != c.User.ID || f.Enabled.IsZero() || f.Enabled.UnixMicro() > p.At) {
			continue
		}
		if err != nil {
			return MFA{Known: true}, err
		}
		if at := time.UnixMicro(p.At).UTC(); !m.Present || at.After(m.At) {
			m.At = at
		}
		m.Present, m.Methods = true, append(m.Methods, p.Method)
	}
	return m, nil
}

// readmitOracle looks the caller up again after its account changed.
func (env *Env) readmitOracle() error {
	c := &env.Call.Caller
	fresh := *c
	if err := env.loadOracle(env.Tx, &fresh, c.User.ID, env.Now); err != nil {
		return err
	}
	*c = fresh
	return nil
}

// oracleTokenKey is the key that signs session tokens. It is made when the first
// one is needed.
func (s *Server) oracleTokenKey(ctx context.Context) (*rsa.PrivateKey, error) {
	if key := s.oracleToken.Load(); key != nil {
		return key, nil
	}
	var text string
	err := s.store.View(ctx, func(tx *store.Tx) (err error) {
		text, err = tx.Meta(oracleMetaKey)
		return err
	})
	if err == nil && text == "" {
		text, err = s.makeOracleTokenKey(ctx)
	}
	if err != nil {
		return nil, err
	}
	sealed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fault.Wrap(err, "read the key of session tokens")
	}
	der, err := s.oracleOpen(sealed)
	if err != nil {
		return nil, fault.Wrap(err, "open the key of session tokens")
	}
	key, err := x509.ParsePKCS1PrivateKey(der)
	if err != nil {
		return nil, fault.Wrap(err, "read the key of session tokens")
	}
	s.oracleToken.Store(key)
	return key, nil
}

// makeOracleTokenKey makes the key, unless another node was faster, and returns the
// one that is kept.
func (s *Server) makeOracleTokenKey(ctx context.Context) (kept string, err error) {
	key, err := rsa.GenerateKey(s.rand, oracleTokenBits)
	if err != nil {
		return "", fault.Wrap(err, "make the key of session tokens")
	}
	sealed := s.oracleSeal(x509.MarshalPKCS1PrivateKey(key))
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		if kept, err = tx.Meta(oracleMetaKey); err != nil || kept != "" {
			return err
		}
		kept = base64.StdEncoding.EncodeToString(sealed)
		return tx.SetMeta(oracleMetaKey, kept)
	})
	return kept, err
}

// oracleBox encrypts what only this server reads: the key of session tokens, and
// answers that may be asked for again.
func newOracleBox(key [32]byte) cipher.AEAD {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("ops: AES refuses 32 bytes: " + err.Error())
	}
	box, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("ops: GCM refuses AES: " + err.Error())
	}
	return box
}

func (s *Server) oracleSeal(plain []byte) []byte { return s.oracleBox.Seal(nil, nil, plain, nil) }

func (s *Server) oracleOpen(sealed []byte) ([]byte, error) {
	return s.oracleBox.Open(nil, nil, sealed, nil)
}
