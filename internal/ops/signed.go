package ops

import (
	"context"
	"time"

	"warifu/internal/fault"
	"warifu/internal/reqsig/sigv4"
)

// maxSigningKeys bounds the cache of derived signing keys: one per access key,
// region and service on a day, 150 bytes each.
const maxSigningKeys = 50_000

// SigV4 verifies a request that was signed with an access key of this
// directory, and says who signed. now is when the request was taken. The order
// of the checks is the one that STS was seen to follow: what is written about
// the signature, its time and scope, the key, the session, the signature.
//
// The error is a *sigv4.Error in AWS's words, or a fault that is Internal.
func (s *Server) SigV4(ctx context.Context, r *sigv4.Request, now time.Time, o sigv4.Options) (Caller, sigv4.Signature, error) {
	sig, err := sigv4.Parse(r)
	if err != nil {
		return Caller{}, sig, err
	}
	if err := sig.Check(now, o); err != nil {
		return Caller{}, sig, err
	}
	cred, err := s.Credential(ctx, sig.AccessKeyID, sig.Token)
	switch {
	case fault.Is(err, fault.Unauthenticated):
		return Caller{}, sig, sigv4.ErrUnknownKey()
	case fault.Is(err, fault.Expired):
		return Caller{}, sig, sigv4.ErrExpiredToken()
	case err != nil:
		return Caller{}, sig, err
	}
	key, cached := s.signing.Get(sig.AccessKeyID, sig.Scope)
	if !cached {
		key = sigv4.DeriveKey(string(cred.Secret.Reveal()), sig.Scope)
	}
	if err := sig.Verify(r, key, now, o); err != nil {
		return Caller{}, sig, err
	}
	if !cached {
		s.signing.Put(sig.AccessKeyID, sig.Scope, key)
	}
	s.usage.touch(&cred.Caller, now, sig.Scope.Service, sig.Scope.Region)
	return cred.Caller, sig, nil
}
