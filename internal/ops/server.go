package ops

import (
	"cmp"
	"context"
	"crypto/cipher"
	"crypto/rsa"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"warifu/internal/audit"
	"warifu/internal/audit/tree"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/page"
	"warifu/internal/password"
	"warifu/internal/reqsig/sigv4"
	"warifu/internal/store"
	"warifu/internal/store/query"
	"warifu/internal/sts"
	"warifu/policy"
)

// Config is what a Server is made of. Fields that do not say otherwise
// are required.
type Config struct {
	Store *store.Store
	Keys  *Vault
	Gate  *password.Gate // bounds the memory that password hashing takes
	Cost  password.Cost  // of new hashes; zero means password.DefaultCost
	Now   func() time.Time
	Rand  io.Reader
	Log   *slog.Logger

	// Limits are the quotas; the zero value means DefaultLimits.
	Limits Limits

	// OracleLimits are the quotas of Oracle's own nouns; nil means DefaultOracleLimits.
	OracleLimits *OracleLimits

	// Issuer is what authenticator apps show beside an entry; "" means Warifu.
	Issuer string

	// Delivery says how messages reach people. Its zero value is not at all.
	Delivery Delivery

	// Locate tells where an address is, as far as the operator's database knows;
	// nil means that no place is known.
	Locate func(netip.Addr) iam.Place

	// Fetch reads what is at an https address, for the keys of identity providers.
	// pins are SHA-1 fingerprints in hexadecimal digits of certificates, one of which
	// must vouch for the address; none means that the system's authorities do. nil
	// means that nothing can be fetched.
	Fetch func(ctx context.Context, url string, pins []string) ([]byte, error)

	// Observe is told of every finished operation, for the metrics.
	Observe func(Observation)
}

// Observation is one finished operation. It names no user.
type Observation struct {
	Door, Operation string
	Result          audit.Result
	Kind            string // of the fault; "" if there was none
	Took            time.Duration
}

// Server holds what operations share. It is safe for concurrent use.
type Server struct {
	store   *store.Store
	keys    *Vault
	now     func() time.Time
	rand    io.Reader
	log     *slog.Logger
	limits  Limits
	issuer  string
	observe func(Observation)
	locate  func(netip.Addr) iam.Place
	issuers issuers

	sessions  *sts.Codec  // seals temporary credentials and authorization messages
	cursors   *page.Codec // authenticates page cursors
	passwords *password.Hasher
	signing   *sigv4.KeyCache
	passkeys  parties
	digestDay atomic.Int64 // the last day on which DigestTrail was through
	idleDay   atomic.Int64 // the last day (Unix time, UTC) on which DisableIdle was through
	strangers []byte       // keys the hash of names that nobody has
	post      post

	contextKeys *policy.Keys
	cache       cache
	rootKeys    rootKeys
	usage       usage
	nonces      nonces
	refusals    refusals
	queries     *query.Engine
	insights    insights
	operations  map[string]Entry // by what the trail calls their actions
	pieceLeaves int64            // how many leaves are put in pieces together
	newest      atomic.Pointer[openedNote]
	signer      atomic.Pointer[tree.Signer] // nil until the trail is first sealed

	oracleLimits OracleLimits
	oracleBox    cipher.AEAD
	oracleToken  atomic.Pointer[rsa.PrivateKey] // nil until the first session
}

// New returns a server on an open store.
func New(c Config) (*Server, error) {
	s := &Server{
		store: c.Store, keys: c.Keys, now: c.Now, rand: c.Rand, log: c.Log,
		limits: c.Limits, issuer: cmp.Or(c.Issuer, "Warifu"), observe: c.Observe, locate: c.Locate, queries: query.New(), pieceLeaves: query.PieceLeaves, operations: operationsByAction(), contextKeys: policy.NewKeys(keyNames...),
	}
	s.cache.oracle.max = maxOracle
	s.issuers.fetch = c.Fetch
	s.cache.keys.max, s.cache.principals.max, s.cache.standing.max, s.cache.texts.max = maxKeys, maxPrincipals, maxPrincipals, maxTexts
	s.cache.readings.max, s.cache.powers.max = maxReadings, maxTexts
	s.cache.preferences.max = maxPrincipals
	if s.limits == (Limits{}) {
		s.limits = DefaultLimits
	}
	if s.observe == nil {
		s.observe = func(Observation) {}
	}
	s.signing = sigv4.NewKeyCache(maxSigningKeys)
	ring := c.Keys.ring()
	c.Store.Vouch(ring.Derive("events that wait to be sealed"))
	s.oracleLimits = DefaultOracleLimits
	if c.OracleLimits != nil {
		s.oracleLimits = *c.OracleLimits
	}
	s.oracleBox = newOracleBox(ring.Derive("what Oracle's door keeps"))
	s.cursors = page.NewCodec(ring.Derive("page cursors"))
	s.sessions = sts.NewCodec(ring.Derive("session credentials"))
	strangers := ring.Derive("names of strangers")
	s.strangers = strangers[:]
	s.post = newPost(c.Delivery, ring)
	var err error
	s.passwords, err = password.NewHasher(c.Gate, cmp.Or(c.Cost, password.DefaultCost()))
	return s, err
}

// Now is the program's clock.
func (s *Server) Now() time.Time { return s.now() }

// newID mints a request or event id: a random UUID (RFC 9562, version 4).
func (s *Server) newID() string {
	var b [16]byte
	if _, err := io.ReadFull(s.rand, b[:]); err != nil {
		panic(fmt.Sprintf("no randomness: %v", err)) // nothing safe can be done without it
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	var room [36]byte
	text := hex.AppendEncode(room[:0], b[:4])
	for _, part := range [...][]byte{b[4:6], b[6:8], b[8:10], b[10:]} {
		text = hex.AppendEncode(append(text, '-'), part)
	}
	return string(text)
}

// NewRequestID mints the id that a door gives to a request.
func (s *Server) NewRequestID() string { return s.newID() }

// newEvent is the event of a call before its target and end are known.
func (s *Server) newEvent(call *Call, operation, action string, readOnly bool) audit.Event {
	c := &call.Caller
	ev := audit.Event{
		ID: call.EventID, Account: c.Account, At: call.At, Operation: operation, Action: action,
		Door: call.Source.Door, Service: call.Source.Service, Region: call.Source.Region, ReadOnly: readOnly,
		Actor: c.actor(), Chain: call.Source.Chain, UserAgent: call.Source.UserAgent, RequestID: call.RequestID,
		MFA: audit.MFA{Known: c.MFA.Known, Present: c.MFA.Present, Methods: c.MFA.Methods, Remembered: c.remembered()},
	}
	if ev.ID == "" {
		ev.ID = s.newID()
	}
	if c.MFA.Present {
		ev.MFA.At = c.MFA.At.UnixMicro()
	}
	if call.Source.IP.IsValid() {
		ev.Source = call.Source.IP.String()
	}
	return ev
}

// end writes the result of an operation into its event, unless the operation
// wrote one itself: a wrong code at sign-in is an outcome and no error.
func end(ev *audit.Event, err error) {
	ev.Root = ev.Root || ev.Actor.Kind == "root"
	switch {
	case err == nil && ev.Result != "":
	case err == nil:
		ev.Result, ev.Code = audit.Allowed, ""
	case fault.Is(err, fault.Denied), fault.Is(err, fault.Unauthenticated), fault.Is(err, fault.BadCode), fault.Is(err, fault.Throttled), fault.Is(err, fault.StepUp):
		ev.Result, ev.Code = audit.Refused, fault.KindOf(err).String()
	default:
		ev.Result, ev.Code = audit.Failed, fault.KindOf(err).String()
	}
	if _, byPolicy := AsDenial(err); err != nil && !byPolicy {
		ev.Why = reason(err)
	}
}

// reason is why an operation failed, for the trail. The cause of an internal
// fault is for the log only.
func reason(err error) string {
	f := fault.In(err)
	why := cmp.Or(f.What, strings.TrimSpace(f.Noun+" "+f.Name))
	if f.Err != nil && f.Kind != fault.Internal {
		why += ": " + f.Err.Error()
	}
	return why
}

// finish logs an internal error, counts the operation, and makes sure that the
// error a door sees is a fault.
func (s *Server) finish(call *Call, ev *audit.Event, began time.Time, err error) error {
	s.noteRootKey(call, ev)
	o := Observation{Door: ev.Door, Operation: ev.Operation, Result: ev.Result, Took: time.Since(began)}
	if err == nil {
		s.observe(o)
		return nil
	}
	kind := fault.KindOf(err)
	o.Kind = kind.String()
	s.observe(o)
	if kind != fault.Internal {
		return err
	}
	if !errors.Is(err, context.Canceled) {
		s.log.Error("operation failed", "operation", ev.Operation, "request", call.RequestID, "error", err)
	}
	return fault.Wrap(err, "internal error")
}
