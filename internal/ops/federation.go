package ops

import (
	"context"
	"strings"
	"sync"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/federation"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/store"
	"warifu/internal/sts"
	"warifu/policy"
	"warifu/policy/aws"
	"warifu/policy/ram"
)

// FederatedIn is what the operations that take somebody else's word have in common.
type FederatedIn struct {
	ProviderARN string // in either cloud's spelling; "" with OpenID Connect = the token's issuer's, in the role's account
	RoleARN     string
	SessionName string
	Duration    time.Duration // 0 = default
	SessionPolicy
}

func (in FederatedIn) record() audit.Fields {
	return audit.Fields{
		"providerArn": clipped(in.ProviderARN), "roleArn": clipped(in.RoleARN), "roleSessionName": clipped(in.SessionName),
		"durationSeconds": secondsText(in.Duration),
	}
}

// target is the role that is asked for, as it was named. Whether it may be assumed is
// decided once the provider's word is verified.
func (in FederatedIn) target(env *Env) (Target, error) {
	t := Target{Noun: "role", Name: clipped(in.RoleARN), Resources: []string{roleARN(in.RoleARN, nil)}}
	if account, _, ok := name.SplitRAM(in.RoleARN, "role"); ok {
		env.recordIn(account)
	} else if account, _, _, ok := name.SplitIAM(in.RoleARN, "role"); ok {
		env.recordIn(account)
	}
	return t, nil
}

// recordIn puts the event into the trail of an account that exists: whoever asks
// signed nothing.
func (env *Env) recordIn(a name.Account) {
	if _, err := env.Tx.Account(a); err == nil {
		env.ev.Account = a
	}
}

// AssumeWithOIDCIn is the input of AssumeRoleWithOIDC.
type AssumeWithOIDCIn struct {
	FederatedIn
	Token string

	word  word
	token *federation.Token
}

// word is what was found about somebody else's word before the transaction, by which
// nobody waits for the keys or the documents of strangers.
type word struct {
	known   bool      // there is such a provider
	updated time.Time // when it was changed last
	wrong   error     // with the word
}

// hear finds the provider that is to vouch and has its word verified.
func (s *Server) hear(ctx context.Context, kind iam.ProviderKind, arn string, verify func(*iam.IdentityProvider) error) (w word, err error) {
	var p *iam.IdentityProvider
	err = s.store.View(ctx, func(tx *store.Tx) (err error) {
		p, err = (&Env{Tx: tx}).providerByARN(kind, arn)
		return err
	})
	if err != nil {
		return w, ignoreMissing(err)
	}
	return word{known: true, updated: p.Updated, wrong: verify(p)}, nil
}

// voucher is the provider whose word was heard, if it still is what it was then.
func (env *Env) voucher(kind iam.ProviderKind, arn, noun string, w word) (*iam.IdentityProvider, error) {
	p, err := env.providerByARN(kind, arn)
	switch {
	case err != nil:
		return nil, err
	case !w.known || !w.updated.Equal(p.Updated):
		return nil, &fault.Error{Kind: fault.Unauthenticated, Noun: noun, What: "The identity provider was changed a moment ago. Ask again."}
	}
	return p, w.wrong
}

// OIDCSession is a session and what the token said.
type OIDCSession struct {
	*NewSession
	Provider string // ARN
	Token    federation.Token
}

// AssumeRoleWithOIDC makes a session of a role for the bearer of a token of OpenID
// Connect, whom the role's trust policy lets in. Nobody signs the request.
//
// Errors: NotFound "oidc provider"; Unauthenticated, Expired "oidc token"; Denied by
// trust policy, and in the same words for a role that does not exist; Invalid;
// Malformed; Limit.
var AssumeRoleWithOIDC = Op[AssumeWithOIDCIn, *OIDCSession]{
	Name:       "AssumeRoleWithOIDC",
	Grants:     assumeWithOIDCGrants,
	Permission: Always, // the trust policy is asked when the token is verified
	Mode:       Write,
	Before: func(ctx context.Context, s *Server, call *Call, in AssumeWithOIDCIn) (_ AssumeWithOIDCIn, err error) {
		in.Token = strings.TrimSpace(in.Token) // it comes from a file
		if account, _, _, ok := name.SplitIAM(in.RoleARN, "role"); in.ProviderARN == "" && ok {
			in.ProviderARN = name.ProviderARN(account, string(iam.ProviderOIDC), strings.TrimPrefix(federation.IssuerOf(in.Token), "https://"))
		}
		in.word, err = s.hear(ctx, iam.ProviderOIDC, in.ProviderARN, func(p *iam.IdentityProvider) error {
			keys, err := s.issuers.keysOf(ctx, p, federation.KeyOf(in.Token), s.now())
			if keys == nil {
				s.log.Warn("the keys of an identity provider cannot be fetched", "issuer", p.OIDC.Issuer, "error", err)
				return &fault.Error{Kind: fault.Unauthenticated, Noun: "oidc token", What: "This OIDC token is invalid: the keys of its issuer cannot be fetched.", Err: err}
			}
			in.token, err = federation.VerifyToken(in.Token, keys, &p.OIDC, call.At)
			return err
		})
		return in, err
	},
	Target: func(env *Env, in AssumeWithOIDCIn) (Target, error) { return in.target(env) },
	Record: func(in AssumeWithOIDCIn) audit.Fields { return in.record() },
	Do: func(env *Env, in AssumeWithOIDCIn) (*OIDCSession, error) {
		p, err := env.voucher(iam.ProviderOIDC, in.ProviderARN, "oidc token", in.word)
		if err != nil {
			return nil, err
		}
		token := in.token
		issuer := strings.TrimPrefix(token.Issuer, "https://")
		facts := map[string]policy.Fact{
			"oidc:iss": policy.String(token.Issuer), "oidc:sub": policy.String(token.Subject), "oidc:aud": policy.Strings(token.Audience...),
			issuer + ":iss": policy.String(token.Issuer), issuer + ":sub": policy.String(token.Subject), issuer + ":aud": policy.Strings(token.Audience...),
		}
		s, err := env.federated(p, assumeWithOIDCGrants, in.FederatedIn, token.Subject, facts)
		if err != nil {
			return nil, err
		}
		return &OIDCSession{s, p.ARN(), *token}, nil
	},
}

// What the operations are called for a trust policy.
var (
	assumeWithOIDCGrants = Names{AWS: "sts:AssumeRoleWithWebIdentity"}
	assumeWithSAMLGrants = Names{AWS: "sts:AssumeRoleWithSAML"}
)

// AssumeWithSAMLIn is the input of AssumeRoleWithSAML. SessionName is ignored: the
// assertion says it.
type AssumeWithSAMLIn struct {
	FederatedIn
	Assertion string // a response, in base64

	// What an assertion must be for at this door, and where it says which roles may
	// be assumed by whose word, what the session is called, and how long it is.
	Recipients, Audiences []string
	RoleAttribute         string
	NameAttribute         string
	DurationAttribute     string

	word      word
	assertion *federation.Assertion
}

// SAMLSession is a session and what the assertion said.
type SAMLSession struct {
	*NewSession
	Assertion federation.Assertion
}

// samlOnce is the kind of one-time thing that an assertion is.
const samlOnce = "saml assertion"

// AssumeRoleWithSAML makes a session of a role for the bearer of an assertion of SAML
// 2.0, whom the role's trust policy lets in. An assertion is good once. Nobody signs
// the request.
//
// Errors: NotFound "saml provider"; Unauthenticated, Expired "saml assertion"; Denied
// by trust policy, and in the same words for a role that does not exist; Invalid;
// Malformed; Limit.
var AssumeRoleWithSAML = Op[AssumeWithSAMLIn, *SAMLSession]{
	Name:       "AssumeRoleWithSAML",
	Grants:     assumeWithSAMLGrants,
	Permission: Always, // the trust policy is asked when the assertion is verified
	Mode:       Write,
	Before: func(ctx context.Context, s *Server, call *Call, in AssumeWithSAMLIn) (_ AssumeWithSAMLIn, err error) {
		in.word, err = s.hear(ctx, iam.ProviderSAML, in.ProviderARN, func(p *iam.IdentityProvider) error {
			m, err := federation.ParseMetadata(p.SAML.Metadata)
			if err != nil {
				return err
			}
			in.assertion, err = federation.VerifyAssertion(in.Assertion, m, federation.SAMLExpected{Recipients: in.Recipients, Audiences: in.Audiences, Now: call.At})
			return err
		})
		return in, err
	},
	Target: func(env *Env, in AssumeWithSAMLIn) (Target, error) { return in.target(env) },
	Record: func(in AssumeWithSAMLIn) audit.Fields { return in.record() },
	Do: func(env *Env, in AssumeWithSAMLIn) (*SAMLSession, error) {
		p, err := env.voucher(iam.ProviderSAML, in.ProviderARN, "saml assertion", in.word)
		if err != nil {
			return nil, err
		}
		a := in.assertion
		fresh, err := env.Tx.Burn(samlOnce, p.ID.String()+" "+a.ID, a.Expires)
		if err != nil {
			return nil, err
		}
		if !fresh {
			return nil, &fault.Error{Kind: fault.Unauthenticated, Noun: "saml assertion", What: "This SAML assertion is invalid: it was used before."}
		}
		s, err := env.withAssertion(p, a, in)
		if err != nil {
			return nil, refuse(err) // the assertion is used up
		}
		return &SAMLSession{s, *a}, nil
	},
}

// withAssertion makes the session of a role that an assertion names.
func (env *Env) withAssertion(p *iam.IdentityProvider, a *federation.Assertion, in AssumeWithSAMLIn) (*NewSession, error) {
	invalid := func(why string) error {
		return &fault.Error{Kind: fault.Unauthenticated, Noun: "saml assertion", What: "This SAML assertion is invalid: " + why + "."}
	}
	named := false
	for _, pair := range a.Attributes[in.RoleAttribute] {
		one, other, _ := strings.Cut(pair, ",")
		one, other = strings.TrimSpace(one), strings.TrimSpace(other)
		named = named || one == in.RoleARN && other == in.ProviderARN || one == in.ProviderARN && other == in.RoleARN
	}
	if !named {
		return nil, invalid("it does not name the role with the provider")
	}
	called := a.Attributes[in.NameAttribute]
	if len(called) != 1 {
		return nil, invalid("it does not say what the session is called")
	}
	in.SessionName = called[0]
	if in.DurationAttribute != "" {
		said, err := a.Seconds(in.DurationAttribute)
		if err != nil {
			return nil, err
		}
		if in.Duration == 0 || said != 0 && said < in.Duration {
			in.Duration = said
		}
	}
	return env.federated(p, assumeWithSAMLGrants, in.FederatedIn, a.Subject, map[string]policy.Fact{
		"saml:recipient": policy.String(a.Recipient), "saml:aud": policy.String(a.Recipient), "saml:iss": policy.String(a.Issuer),
		"saml:sub": policy.String(a.Subject), "saml:sub_type": policy.String(a.SubjectType),
	})
}

// federated makes the session of a role whose trust policy lets in whom a provider
// vouches for.
func (env *Env) federated(p *iam.IdentityProvider, grants Names, in FederatedIn, subject string, said map[string]policy.Fact) (*NewSession, error) {
	env.ev.Account, env.ev.Actor = p.Account, audit.Actor{Kind: "federated", Name: clipped(subject), ARN: p.ARN()}
	if err := checkSessionName("roleSessionName", in.SessionName, 64); err != nil {
		return nil, err
	}
	role, err := env.roleByARN(in.RoleARN)
	if err := ignoreMissing(err); err != nil {
		return nil, err
	}
	if role != nil && role.Account != p.Account { // a provider vouches in its own account
		role = nil
	}
	t := Target{Noun: "role", Name: clipped(in.RoleARN), Resources: []string{roleARN(in.RoleARN, role)}, Account: p.Account}
	t.Trust = &policy.Layer{Kind: policy.Trust, Owner: p.Account.String()}
	if role != nil {
		t.Name, t.ID, t.ResourceTags = role.Name, role.ID, role.Tags
		set, err := env.compiled(policy.RuleID{Policy: "trust policy of " + role.ARN()}, role.Trust, aws.TrustPolicy)
		if err != nil {
			return nil, err
		}
		t.Trust.Sets = []*policy.Set{set}
	}
	env.ev.Target = t.recorded()
	for key, fact := range said {
		t.key(key, fact)
	}
	t.key("aws:FederatedProvider", policy.String(p.ARN()))
	t.key("sts:RoleSessionName", policy.String(in.SessionName))
	if err := env.trustsProvider(p, grants, &t, subject); err != nil {
		return nil, err
	}
	life, err := sts.RoleLife(in.Duration, role.MaxSession, false)
	if err != nil {
		return nil, err
	}
	env.Call.Caller.Account = p.Account // whose policies a session policy may name
	if err := in.SessionPolicy.check(env, role.Account); err != nil {
		return nil, err
	}
	s, err := env.mint(&sts.Claims{
		Kind: sts.KindAssumedRole, Account: role.Account, Role: role.ID, SessionName: in.SessionName, Policies: in.documents(), PolicyARNs: in.PolicyARNs,
	}, life)
	if err != nil {
		return nil, err
	}
	s.ARN = name.AssumedRoleARN(role.Account, role.Name, in.SessionName)
	s.ID = role.ID.Unique(name.PrefixRole) + ":" + in.SessionName
	return s, nil
}

// trustsProvider asks the trust policy. Whoever bears a provider's word has no
// policies of its own.
func (env *Env) trustsProvider(p *iam.IdentityProvider, grants Names, t *Target, subject string) error {
	req := policy.Request{
		Principal: policy.Principal{Kind: policy.Federated, Account: p.Account.String()},
		Context:   &facts{call: &env.Call, now: env.Now, target: t, mfa: &env.Call.Caller.MFA, grants: &grants},
	}
	req.Principal.Names[aws.Language] = policy.Names{Name: p.ARN()}
	req.Principal.Names[ram.Language] = policy.Names{Account: p.Account.UID(), Name: p.ACS()}
	req.Actions[aws.Language], req.Resources[aws.Language] = grants.AWS, t.Resources[0]
	req.Actions[ram.Language], req.Resources[ram.Language] = grants.InRAM(), name.ACSOf(t.Resources[0])
	d := policy.Decide(&req, *t.Trust)
	if d.Rule != nil {
		env.ev.Why = ruleText(d.Rule)
	}
	if d.Allowed() {
		return nil
	}
	no := &Denial{Caller: p.ARN(), Action: grants.AWS, Grants: grants, Resource: t.Resources[0], request: &req, shown: clipped(subject)}
	no.Decision, no.Trace = d, policy.Explain(&req, *t.Trust)
	if d.Rule == nil {
		env.ev.Why = "no statement allows " + no.Action
	}
	return &fault.Error{Kind: fault.Denied, What: "policy does not allow it", Err: no}
}

// How keys of providers are kept.
const (
	keysFresh = time.Hour        // after which they are fetched anew
	keysStale = 24 * time.Hour   // for which they serve while they cannot be
	keysRetry = 30 * time.Second // between two attempts, so that strangers cause few
	keysHeld  = 1000             // providers
)

// issuers keeps the keys of providers of OpenID Connect.
type issuers struct {
	fetch func(ctx context.Context, url string, pins []string) ([]byte, error)

	mu   sync.Mutex
	held map[name.ID]*heldKeys
}

type heldKeys struct {
	mu             sync.Mutex // held while they are fetched: others wait for the same keys
	updated        time.Time  // of the provider
	keys           *federation.Keys
	fetched, tried time.Time
	err            error // of the last attempt
}

// keysOf are the keys of a provider, with one of the id if there is one now.
func (i *issuers) keysOf(ctx context.Context, p *iam.IdentityProvider, id string, now time.Time) (*federation.Keys, error) {
	i.mu.Lock()
	h := i.held[p.ID]
	if h == nil {
		if i.held == nil || len(i.held) >= keysHeld {
			i.held = map[name.ID]*heldKeys{}
		}
		h = &heldKeys{}
		i.held[p.ID] = h
	}
	i.mu.Unlock()
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.updated.Equal(p.Updated) {
		h.updated, h.keys, h.tried = p.Updated, nil, time.Time{}
	}
	known := h.keys != nil && now.Sub(h.fetched) < keysFresh && (id == "" || h.keys.Has(id))
	if !known && now.Sub(h.tried) >= keysRetry {
		h.tried = now
		var keys *federation.Keys
		if keys, h.err = i.read(ctx, p); h.err == nil {
			h.keys, h.fetched = keys, now
		}
	}
	if h.keys == nil || now.Sub(h.fetched) >= keysStale {
		return nil, h.err
	}
	return h.keys, nil
}

// read fetches a provider's configuration and keys.
func (i *issuers) read(ctx context.Context, p *iam.IdentityProvider) (*federation.Keys, error) {
	if i.fetch == nil {
		return nil, errNoFetch
	}
	config, err := i.fetch(ctx, federation.ConfigurationOf(p.OIDC.Issuer), p.OIDC.Fingerprints)
	if err != nil {
		return nil, err
	}
	at, err := federation.Discovered(config, p.OIDC.Issuer)
	if err != nil {
		return nil, err
	}
	text, err := i.fetch(ctx, at, p.OIDC.Fingerprints)
	if err != nil {
		return nil, err
	}
	return federation.ParseKeys(text)
}
