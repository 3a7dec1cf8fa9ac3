package ops

import (
	"crypto/sha256"

	"warifu/internal/audit"
	"warifu/internal/factor/passkey"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/seal"
	"warifu/internal/signin"
)

// SubmitPasskey is the answer of a passkey, in the place of name and password. It
// is two factors at once: the authenticator, and what it verified its user by. It
// begins a flow.
type SubmitPasskey struct {
	Browser   seal.Secret // a secret of the browser's, that PasskeyRequest was given
	Assertion string
}

func (SubmitPasskey) act() signin.Act { return signin.Identified }

func (SubmitPasskey) record() audit.Fields { return audit.Fields{"step": "passkey"} }

// entering is where a browser asks for a passkey before anybody is known.
func entering(browser seal.Secret) asking {
	sum := sha256.Sum256(browser.Reveal())
	return asking{purpose: toEnterByKey, bound: sum[:]}
}

// PasskeyRequest makes what the first page of a sign-in asks the browser for:
// PublicKeyCredentialRequestOptions, JSON, for whichever passkey there is. It
// writes nothing, and tells nothing of anybody; "" where passkeys cannot be used.
func (s *Server) PasskeyRequest(browser seal.Secret) (string, error) {
	if s.passkeys.rp == nil || browser.Empty() {
		return "", nil
	}
	at := entering(browser)
	challenge, err := s.passkeys.challenges.New(s.rand, at.about(0), s.now())
	if err != nil {
		return "", err
	}
	return s.passkeys.rp.Request(passkey.Asked{Challenge: challenge, Verify: at.purpose.verification()}, nil)
}

// identifyKey judges a passkey that stands in for name and password. Whatever the
// reason of a no, the person learns the same (P-5); nothing is counted against
// anybody: a signature is not guessed, and a stranger must not lock an owner out.
func (s *signing) identifyKey(form SubmitPasskey) (p signin.Proof, facts signin.Facts, err error) {
	p.Act, p.Method = signin.Identified, iam.MethodPasskey
	s.old, s.kept, s.user, s.flow = s.kept, nil, nil, signin.Flow{}
	a, err := passkey.ParseAssertion(form.Assertion)
	if err != nil || s.passkeys.rp == nil || form.Browser.Empty() {
		return p, facts, s.attribute(0)
	}
	f, err := s.Tx.FactorByCredential(a.Credential())
	if fault.Is(err, fault.NotFound) || err == nil && (f.Kind != iam.FactorPasskey || f.User == 0) {
		return p, facts, s.attribute(0)
	}
	if err != nil {
		return p, facts, err
	}
	u, err := s.Tx.UserByID(f.Account, f.User)
	if err != nil {
		return p, facts, ignoreMissing(err)
	}
	s.is(u)
	s.flow = signin.Flow{Kind: signin.SignIn, Account: u.Account, User: u.ID}
	p.Flow, p.Factor = s.flow, f.ID
	if facts, err = s.facts(); err != nil || facts.Blocked || !facts.Wanted.PasskeySignIn {
		return p, facts, err
	}
	p.Fits, err = s.entered(a, entering(form.Browser), u, f)
	return p, facts, err
}

// entered verifies the answer of a passkey that stands alone. Its challenge is
// burnt only if the key signed it: a stranger writes nothing.
func (s *signing) entered(a *passkey.Assertion, at asking, u *iam.User, f *iam.Factor) (bool, error) {
	asked := passkey.Asked{Challenge: a.Challenge(), Verify: at.purpose.verification()}
	return s.useKey(a, asked, u, f, func() (bool, error) { return s.burnChallenge(at, 0, a.Challenge()) })
}
