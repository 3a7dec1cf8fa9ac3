package passkey

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"
)

// Why an answer is not taken, for the trail: no door tells them apart.
var (
	errMalformed  = errors.New("the answer of the browser cannot be read")
	errOrigin     = errors.New("the answer was given to another site")
	errUnwanted   = errors.New("the credential is not among those that were asked for")
	errOwner      = errors.New("the credential is another user's")
	errSignature  = errors.New("the signature or what it covers does not fit")
	errUnverified = errors.New("the authenticator did not verify who uses it")
	errBackup     = errors.New("the credential's backup flags contradict each other or its registration")
	errLegacy     = errors.New("the key is good as a second factor only")
	errRollback   = errors.New("the signature counter went back: there may be a copy of the authenticator")
)

// Assertion is the answer of an authenticator, parsed and not yet verified.
type Assertion struct {
	from *protocol.ParsedCredentialAssertionData
}

// ParseAssertion reads the JSON of an AuthenticationResponseJSON (WebAuthn level
// 3, 5.1.8).
func ParseAssertion(response string) (*Assertion, error) {
	if len(response) > MaxResponse {
		return nil, errMalformed
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(response))
	if err != nil {
		return nil, errMalformed
	}
	return &Assertion{parsed}, nil
}

// Credential is the id of the credential that answered.
func (a *Assertion) Credential() []byte { return a.from.RawID }

// Challenge is the one that was answered, as far as the answer says; nil for what
// can be none.
func (a *Assertion) Challenge() []byte {
	return challengeIn(a.from.Response.CollectedClientData.Challenge)
}

func challengeIn(text string) []byte {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil
	}
	return b
}

// Handle is the user whose the credential is, as the authenticator says; nil when
// it does not.
func (a *Assertion) Handle() []byte { return a.from.Response.UserHandle }

// Proof is what an answer that is taken says.
type Proof struct {
	Count    int64 // of signatures, to be kept; 0 when the authenticator counts none
	Verified bool  // the authenticator verified who uses it
	BackedUp bool  // BS
	Back     bool  // the counter went back, and policy takes the answer nonetheless
}

// Verify judges an answer (WebAuthn level 3, 7.2). handle is that of the user who
// owns the credential, count the number of signatures that is kept of it.
//
// The error says for the trail why the answer is not taken.
func (rp *RP) Verify(a *Assertion, asked Asked, c *Credential, handle []byte, count int64) (p Proof, err error) {
	// Steps 5 and 6: which credential answers, and whose it is (W-7).
	if !bytes.Equal(a.from.RawID, c.ID) || len(asked.Allow) > 0 && !slices.ContainsFunc(asked.Allow, func(id []byte) bool { return bytes.Equal(id, c.ID) }) {
		return p, errUnwanted
	}
	if told := a.Handle(); !bytes.Equal(told, handle) && (len(told) > 0 || len(asked.Allow) == 0) {
		return p, errOwner
	}
	// W-8.
	if c.U2F && (asked.Verify == Always || len(asked.Allow) == 0) {
		return p, errLegacy
	}
	if err := rp.here(&a.from.Response.CollectedClientData); err != nil {
		return p, err
	}
	flags := a.from.Response.AuthenticatorData.Flags
	if !flags.HasUserVerified() && (asked.Verify == Always || asked.Verify == WhenAble && c.Verifies) {
		return p, errUnverified
	}
	if err := rp.signed(a, asked, c); err != nil {
		return p, err
	}
	// Steps 18 to 20: what may be copied is settled when it is created (W-6).
	if c.U2F {
		flags &^= protocol.FlagBackupEligible | protocol.FlagBackupState
	}
	if flags.HasBackupEligible() != c.Eligible || flags.HasBackupState() && !c.Eligible {
		return p, errBackup
	}
	p = Proof{Count: int64(a.from.Response.AuthenticatorData.Counter), Verified: flags.HasUserVerified(), BackedUp: flags.HasBackupState()}
	// Step 22 (W-5).
	if (p.Count > 0 || count > 0) && p.Count <= count {
		if rp.rollback == BlockRollback {
			return p, errRollback
		}
		p.Back, p.Count = true, count
	}
	return p, nil
}

// RolledBack reports whether an answer was not taken for its counter.
func RolledBack(err error) bool { return errors.Is(err, errRollback) }

// here reports whether an answer was given to a page of this server: exactly its
// origin, and in no frame of another (W-2). The library compares origins without
// case.
func (rp *RP) here(c *protocol.CollectedClientData) error {
	if c.Origin != rp.origin || c.CrossOrigin || c.TopOrigin != "" {
		return errOrigin
	}
	return nil
}

// signed verifies type, challenge, relying party, presence and signature (steps
// 10 to 17 and 21).
func (rp *RP) signed(a *Assertion, asked Asked, c *Credential) error {
	appID, key := "", c.Key
	if c.U2F {
		// A U2F key signs for its application id, and the browser says so.
		if used := a.from.ClientExtensionResults.AppID; used == nil || !*used {
			return errSignature
		}
		if appID = rp.appIDOf([]*Credential{c}); appID != asked.AppID {
			return errSignature
		}
	}
	err := a.from.Verify(base64.RawURLEncoding.EncodeToString(asked.Challenge), rp.ID, appID, []string{rp.origin}, nil, nil,
		protocol.TopOriginExplicitVerificationMode, false, false, true, key, protocol.SignaturePolicy{})
	if err != nil {
		return errSignature
	}
	return nil
}
