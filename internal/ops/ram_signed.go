package ops

import (
	"context"
	"errors"
	"strings"
	"time"

	"warifu/internal/fault"
	"warifu/internal/name"
	"warifu/internal/reqsig/acs"
)

// ACS verifies a request that was signed as Alibaba Cloud's clients sign, with an
// access key of this directory, and says who signed. service is what its use is
// noted under. A nonce is good once: the Once that is returned belongs into the
// Call, for the operation to use it up.
//
// The error is an *acs.Error in Alibaba Cloud's words, or a fault that is Internal.
func (s *Server) ACS(ctx context.Context, r *acs.Request, p acs.Params, service string, now time.Time) (Caller, acs.Signature, *Once, error) {
	sig, err := acs.Parse(r, p)
	if err != nil {
		return Caller{}, sig, nil, err
	}
	if err := sig.Check(now); err != nil {
		return Caller{}, sig, nil, err
	}
	if sig.Token == "" && (strings.HasPrefix(sig.AccessKeyID, name.PrefixSTSKey) || strings.HasPrefix(sig.AccessKeyID, name.PrefixSessionKey)) {
		return Caller{}, sig, nil, acs.ErrMissingToken()
	}
	cred, err := s.Credential(ctx, sig.AccessKeyID, sig.Token)
	switch {
	case fault.Is(err, fault.Unauthenticated) && sig.Token != "":
		return Caller{}, sig, nil, acs.ErrBadToken()
	case fault.Is(err, fault.Unauthenticated):
		return Caller{}, sig, nil, acs.ErrUnknownKey()
	case fault.Is(err, fault.Expired):
		return Caller{}, sig, nil, acs.ErrExpiredToken()
	case err != nil:
		return Caller{}, sig, nil, err
	}
	if err := sig.Verify(r, p, cred.Secret.Reveal()); err != nil {
		return Caller{}, sig, nil, err
	}
	once := newOnce("acs nonce", sig.AccessKeyID, sig.Nonce, sig.Time.Add(2*acs.MaxSkew))
	if err := s.use(ctx, once); errors.Is(err, errUsed) {
		return Caller{}, sig, nil, acs.ErrNonceUsed()
	} else if err != nil {
		return Caller{}, sig, nil, err
	}
	s.usage.touch(&cred.Caller, now, service, "")
	return cred.Caller, sig, once, nil
}
