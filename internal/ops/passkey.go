package ops

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"warifu/internal/factor/passkey"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/store"
)

// Passkeys are asked for by the prover of their kind, as every factor is; this
// file is about the party that asks, and the proof. passkey_own.go is about
// creating and keeping them, passkey_signin.go about signing in with nothing else.

// What a challenge is for, besides what a factor is asked for.
const (
	toCreateKey  Purpose = "create a passkey"
	toBindKey    Purpose = "bind a passkey"         // at sign-in
	toEnterByKey Purpose = "sign-in with a passkey" // and nothing else
	toUpgradeKey Purpose = "upgrade"                // the old key's answer
	toReplaceKey Purpose = "upgrade to a passkey"   // the new one's
)

// rpIDKey is where the relying-party id is kept that credentials were created
// under.
const rpIDKey = "passkeys rp id"

// parties is the relying party, and what it asks with.
type parties struct {
	rp         *passkey.RP // nil while passkeys cannot be used
	off        error       // why
	challenges *passkey.Challenges
}

// UsePasskeys says how people reach the server, for passkeys. Call it before the
// server serves. Without it, or when it fails, no passkey proves anything, and
// nobody can create one.
//
// A credential is bound to the relying-party id that it was created under for
// good. So that a new address does not silently make them all useless, the id is
// kept: without c.ID it stays as long as it belongs to the URL, and is otherwise
// an error that names both. To give c.ID is to accept it; the log says what is
// lost.
//
// Errors: Invalid.
func (s *Server) UsePasskeys(ctx context.Context, c passkey.Config) error {
	s.passkeys.challenges = passkey.NewChallenges(s.keys.ring().Derive("passkey challenges"))
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		kept, err := tx.Meta(rpIDKey)
		if err != nil {
			return err
		}
		n, err := tx.CredentialCount()
		if err != nil {
			return err
		}
		chosen := c.ID
		if n > 0 {
			c.ID = cmp.Or(chosen, kept)
		}
		rp, err := passkey.New(c)
		if err != nil && chosen == "" && n > 0 {
			return fault.Field("passkeys.rp-id", "%d passkeys were created for %q, which does not belong to the address %s: %v. Set public_url back, or set passkeys.rp-id to give them up", n, kept, c.URL, err)
		}
		if err != nil {
			return err
		}
		if n > 0 && kept != rp.ID {
			s.log.Warn("the relying-party id has changed: passkeys that were created under the old one cannot be used", "old", kept, "new", rp.ID, "passkeys", n)
		}
		s.passkeys.rp = rp
		return tx.SetMeta(rpIDKey, rp.ID)
	})
	if err != nil {
		s.passkeys.rp, s.passkeys.off = nil, err
	}
	return err
}

// errNoPasskeys is why passkeys cannot be used where nobody said how.
var errNoPasskeys = fault.Of(fault.Unsupported, "passkeys", "")

// PasskeysOff is why passkeys cannot be used at this server's address; nil when
// they can.
func (s *Server) PasskeysOff() error {
	if s.passkeys.rp != nil {
		return nil
	}
	if s.passkeys.off != nil {
		return s.passkeys.off
	}
	return errNoPasskeys
}

// party is the relying party. Unsupported, noun "passkeys", when there is none.
func (s *Server) party() (*passkey.RP, error) {
	if s.passkeys.rp == nil {
		return nil, errNoPasskeys
	}
	return s.passkeys.rp, nil
}

// isKey reports whether a factor of this kind answers by WebAuthn.
func isKey(k iam.FactorKind) bool { return k == iam.FactorPasskey || k == iam.FactorU2F }

// handle is a user's handle at authenticators: its id, which tells nothing of
// whoever it is and is never used again (P-12).
func handle(u *iam.User) []byte { return binary.BigEndian.AppendUint64(nil, uint64(u.ID)) }

// credential reads what is kept of a key.
func credential(f *iam.Factor) (*passkey.Credential, error) {
	return passkey.ReadCredential(f.Credential, f.Data, f.Kind == iam.FactorU2F)
}

// credentials are those of the keys among factors.
func credentials(all []iam.Factor) (list []*passkey.Credential, err error) {
	for i := range all {
		if isKey(all[i].Kind) {
			c, err := credential(&all[i])
			if err != nil {
				return nil, err
			}
			list = append(list, c)
		}
	}
	return list, nil
}

// about is what a challenge is authenticated with: an answer for one purpose,
// user, sign-in, session or factor is none for another (W-1).
func (at asking) about(factor name.ID) []byte {
	var user name.ID
	if at.user != nil {
		user = at.user.ID
	}
	return fmt.Appendf(nil, "%s\x00%d\x00%d\x00%s", at.purpose, user, factor, at.bound)
}

// newChallenge draws a challenge.
func (env *Env) newChallenge(at asking, factor name.ID) ([]byte, error) {
	return env.passkeys.challenges.New(env.rand, at.about(factor), env.Now)
}

// burnChallenge uses up a challenge, and reports whether it was one, and had not
// been used: of any number of answers at once, one is looked at.
func (env *Env) burnChallenge(at asking, factor name.ID, challenge []byte) (bool, error) {
	id, until, ok := env.passkeys.challenges.Check(challenge, at.about(factor), env.Now)
	if !ok {
		return false, nil
	}
	return env.Tx.Burn("passkey challenge", id, until)
}

// verification is how much an answer for a purpose must say of who uses the
// authenticator (W-3).
func (p Purpose) verification() passkey.Verify {
	switch p {
	case ToStepUp:
		return passkey.WhenAble
	case toEnterByKey:
		return passkey.Always
	}
	return passkey.WhenLikely
}

// keyProver proves passkeys and U2F keys. Any key of the user may answer, whichever
// was shown: the browser finds out which one is at hand. A key is offered even
// while it cannot be proved: it must not become unneeded by a change of address.
var keyProver = prover{show: showKey, prove: proveKey}

// showKey makes what the browser is asked.
func showKey(env *Env, at asking, _ *iam.Factor, p *Prompt) error {
	if env.passkeys.rp == nil || len(at.bound) == 0 {
		return nil
	}
	all, err := env.Tx.Factors(at.user.Account, at.user.ID)
	if err != nil {
		return err
	}
	p.Options, err = env.requestKeys(at, 0, all)
	return err
}

// requestKeys makes the challenge for the keys among factors.
func (env *Env) requestKeys(at asking, factor name.ID, all []iam.Factor) (string, error) {
	rp, err := env.party()
	if err != nil {
		return "", err
	}
	keys, err := credentials(all)
	if err != nil {
		return "", err
	}
	challenge, err := env.newChallenge(at, factor)
	if err != nil {
		return "", err
	}
	return rp.Request(rp.Allowing(passkey.Asked{Challenge: challenge, Verify: at.purpose.verification()}, keys), keys)
}

// proveKey judges the answer of one of the user's keys. The reason of a no is in
// the trail.
func proveKey(env *Env, at asking, f *iam.Factor, r Response) (bool, error) {
	all, err := env.Tx.Factors(at.user.Account, at.user.ID)
	if err != nil {
		return false, err
	}
	return env.proveAmong(at, 0, all, f, r)
}

// proveAmong judges an answer that any key among all may have given, and f has.
func (env *Env) proveAmong(at asking, factor name.ID, all []iam.Factor, f *iam.Factor, r Response) (bool, error) {
	if env.passkeys.rp == nil {
		return false, nil
	}
	keys, err := credentials(all)
	if err != nil {
		return false, err
	}
	a, err := passkey.ParseAssertion(r.Assertion)
	if err != nil {
		env.why(err)
		return false, nil
	}
	fresh, err := env.burnChallenge(at, factor, a.Challenge())
	if err != nil || !fresh {
		env.why(errStaleChallenge)
		return false, err
	}
	asked := env.passkeys.rp.Allowing(passkey.Asked{Challenge: a.Challenge(), Verify: at.purpose.verification()}, keys)
	ok, err := env.useKey(a, asked, at.user, f, func() (bool, error) { return true, nil })
	if err == nil && !ok {
		err = env.countFailure(f, iam.MaxPairFailures)
	}
	return ok, err
}

var errStaleChallenge = errors.New("the challenge was used before, has run out, or was made for something else")

// useKey verifies an answer, makes sure that it comes once, and notes it. A key
// whose budget is spent answers for nothing, however right it is (C-5).
func (env *Env) useKey(a *passkey.Assertion, asked passkey.Asked, u *iam.User, f *iam.Factor, once func() (bool, error)) (bool, error) {
	c, err := credential(f)
	if err != nil {
		return false, err
	}
	p, err := env.passkeys.rp.Verify(a, asked, c, handle(u), f.LastStep)
	if err != nil {
		env.why(err)
		if !passkey.RolledBack(err) {
			return false, nil
		}
		return false, env.suspect(u, f)
	}
	if ok, err := once(); err != nil || !ok {
		env.why(errStaleChallenge)
		return false, err
	}
	if p.Back {
		c.Copied = true
		env.why(errCopied)
		if err := env.suspect(u, f); err != nil {
			return false, err
		}
	}
	c.BackedUp = p.BackedUp
	c.Verifies = c.Verifies || p.Verified
	ok, err := env.Tx.UseCredential(f.Account, f.ID, p.Count, p.Back, c.Data(), env.Now)
	if err == nil && !ok {
		env.why(errSpentKey)
	}
	return ok, err
}

var (
	errCopied   = errors.New("the signature counter went back; policy takes the answer nonetheless")
	errSpentKey = errors.New("too many wrong answers in a row, or another answer came first")
)

// suspect tells a user that somebody may have a copy of a key (W-5).
func (env *Env) suspect(u *iam.User, f *iam.Factor) error {
	return env.notify(u, iam.NoticeKeyCopied, f.Name)
}

// why notes in the event why an answer was not taken, or was doubtful.
func (env *Env) why(err error) {
	if env.ev == nil {
		return
	}
	fields := map[string]string{"key": err.Error()}
	for k, v := range env.ev.Params {
		fields[k] = v
	}
	env.ev.Params = fields
}

// answering is the factor whose credential an answer says it is of; nil when it
// is none of them.
func answering(all []iam.Factor, response string) *iam.Factor {
	a, err := passkey.ParseAssertion(response)
	if err != nil {
		return nil
	}
	for i := range all {
		if isKey(all[i].Kind) && string(all[i].Credential) == string(a.Credential()) {
			return &all[i]
		}
	}
	return nil
}

// maxKeyName is the length of a key's name, in characters.
const maxKeyName = 64

// checkKeyName refuses a name that cannot be shown.
func checkKeyName(s string) error {
	if n := utf8.RuneCountInString(s); n == 0 || n > maxKeyName || !utf8.ValidString(s) {
		return fault.Field("name", "a name has 1 to %d characters", maxKeyName)
	}
	if s != strings.TrimSpace(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fault.Field("name", "a name has no control characters, and no space around it")
	}
	return nil
}
