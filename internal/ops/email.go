package ops

import (
	"encoding/base64"
	"strings"
	"time"

	"warifu/internal/audit"
	"warifu/internal/factor/otpcode"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
)

// Factors that are an address: a code is sent there, and whoever reads it is the
// user. Mail and text messages differ in their channel and in what an address
// is. They are weak factors, and root has none.

// ActivationLife is how long the link is good that makes an address a factor.
const ActivationLife = 24 * time.Hour

// activationToken begins the secret of such a link.
const activationToken = "wact_"

// channelOf is how codes of a kind of factor are sent; "" for other kinds.
func channelOf(kind iam.FactorKind) iam.Channel {
	switch kind {
	case iam.FactorEmail:
		return iam.ChannelMail
	case iam.FactorSMS:
		return iam.ChannelSMS
	}
	return ""
}

// sentProver is how a code that is sent is proved.
func sentProver() prover {
	return prover{offered: sentOffered, begin: sendCode, show: showSent, prove: proveSent}
}

// sentOffered reports whether codes can be sent at all, and the account lets
// them count.
func sentOffered(env *Env, f *iam.Factor) (bool, error) {
	if !env.post.on(channelOf(f.Kind)) {
		return false, nil
	}
	return env.verifiesBy(f.Account, f.Kind)
}

// verifiesBy reports whether an account lets codes of a kind of address count.
func (env *Env) verifiesBy(a name.Account, kind iam.FactorKind) (bool, error) {
	wanted, err := env.Tx.Preferences(a)
	return wanted.Accepts(kind), err
}

// sentCode is what is kept of a code under way, as text: its keyed hash.
func sentCode(hash []byte) string { return base64.RawStdEncoding.EncodeToString(hash) }

func keptCode(c *iam.Ceremony) []byte {
	hash, err := base64.RawStdEncoding.DecodeString(c.Body)
	if err != nil {
		return nil // fits nothing
	}
	return hash
}

// boundTo is what the code of a challenge is good for.
func boundTo(c *iam.Ceremony, channel iam.Channel, to string) otpcode.Bound {
	return otpcode.Bound{Ceremony: c.ID, Purpose: c.Purpose, Flow: c.Bound, Channel: string(channel), To: to, User: c.User}
}

// sendCode sends a new code to a factor's address. The one before is good for
// nothing any more.
func sendCode(env *Env, at asking, f *iam.Factor) error {
	if f.Failures >= iam.MaxCodeFailures {
		return fault.Of(fault.Throttled, "code budget", "")
	}
	return env.newCode(at, f.ID, channelOf(f.Kind), f.Data)
}

// newCode draws a code for what is asked at, keeps its hash and sends it.
func (env *Env) newCode(at asking, factor name.ID, channel iam.Channel, to string) error {
	if err := env.countSent(env.codeLimits(at.user.ID, channel, to)...); err != nil {
		return err
	}
	code, err := otpcode.New(env.rand)
	if err != nil {
		return fault.Wrap(err, "send a code")
	}
	c, err := env.challenge(at, factor, "", otpcode.Life)
	if err != nil {
		return err
	}
	c.Body = sentCode(otpcode.Hash(env.post.codes, boundTo(c, channel, to), code))
	if err := env.Tx.PutCeremony(c); err != nil {
		return err
	}
	l, err := env.letter(at.user, to)
	if err != nil {
		return err
	}
	l.Secret, l.Until, l.Purpose = code, c.Expires, codePurpose(at.purpose)
	return env.send(iam.Message{
		Account: at.user.Account, User: at.user.ID, Channel: channel, Kind: iam.MessageCode, Expires: c.Expires, Letter: l,
	})
}

// codePurpose is a purpose as letters word it: what is bound by which channel is
// no matter for them.
func codePurpose(p Purpose) string {
	if strings.HasPrefix(string(p), toBind) {
		return toBind
	}
	return string(p)
}

// showSent tells where a code was sent, and when another one may be.
func showSent(env *Env, at asking, f *iam.Factor, p *Prompt) error {
	c, err := env.ceremony(at, f.ID)
	if err != nil || c == nil {
		return err
	}
	p.SentTo = masked(f.Data)
	p.Again, err = env.sentAgain(env.codeLimits(at.user.ID, channelOf(f.Kind), f.Data)...)
	return err
}

// proveSent judges a code that was typed. Five answers to one code are looked
// at, and so many wrong ones of the factor as its own budget allows (C-4, C-7).
func proveSent(env *Env, at asking, f *iam.Factor, r Response) (bool, error) {
	if r.Code == "" {
		return false, nil
	}
	c, err := env.ceremony(at, f.ID)
	if err != nil {
		return false, err
	}
	to := boundTo(&iam.Ceremony{Purpose: string(at.purpose), Bound: at.bound, User: f.User}, channelOf(f.Kind), f.Data)
	var kept []byte
	if c != nil {
		to, kept = boundTo(c, channelOf(f.Kind), f.Data), keptCode(c)
	}
	ok := otpcode.Fits(env.post.codes, to, kept, r.Code) // as much work whether or not there is one (C-6)
	if c == nil || f.Failures >= iam.MaxCodeFailures {
		return false, nil
	}
	looked, err := env.Tx.TryCeremony(c, otpcode.MaxTries)
	if err != nil || !looked {
		return false, err
	}
	if !ok {
		return false, env.countFailure(f, iam.MaxCodeFailures)
	}
	if there, err := env.Tx.ConsumeCeremony(c); err != nil || !there {
		return false, err
	}
	// The count of answers stands where other kinds have their last step: a
	// conditional write, which forgives wrong codes, too.
	return env.Tx.AcceptStep(f.Account, f.ID, f.LastStep+1, 0, env.Now)
}

// sentLimit is a limit and what it is counted by.
type sentLimit struct {
	otpcode.Limit
	key string
}

// codeLimits are those of codes: the user, the address, and whoever asks (C-7).
func (env *Env) codeLimits(user name.ID, channel iam.Channel, to string) []sentLimit {
	all := []sentLimit{
		{otpcode.PerUser, "user " + user.String() + " " + string(channel)},
		{otpcode.PerTarget, "to " + env.post.lane(channel, to)},
	}
	if line := lineOf(env.Call.Source.IP); line != "" {
		all = append(all, sentLimit{otpcode.PerSource, "from " + line})
	}
	return all
}

// countSent counts something that is sent, or refuses it with Throttled.
func (env *Env) countSent(limits ...sentLimit) error {
	for _, l := range limits {
		sent, err := env.sent(l.key)
		if err != nil {
			return err
		}
		next, ok := l.Next(sent, env.Now)
		if ok {
			ok, err = env.Tx.CountSent(l.key, sent.Count, sent.Last, next.Began, next.Last, next.Count)
		}
		if err != nil {
			return err
		}
		if !ok {
			return fault.Of(fault.Throttled, "codes", "")
		}
	}
	return nil
}

// sentAgain is when the next one may be sent.
func (env *Env) sentAgain(limits ...sentLimit) (at time.Time, err error) {
	for _, l := range limits {
		sent, err := env.sent(l.key)
		if err != nil {
			return at, err
		}
		if again := l.Again(sent); again.After(at) {
			at = again
		}
	}
	return at, nil
}

func (env *Env) sent(key string) (s otpcode.Sent, err error) {
	s.Began, s.Last, s.Count, err = env.Tx.CodesSent(key)
	return s, err
}

// masked is an address as pages show it to whoever knows it anyway.
func masked(to string) string {
	if user, domain, ok := strings.Cut(to, "@"); ok {
		r := []rune(user)
		if len(r) < 3 {
			return string(r[:1]) + "•••@" + domain
		}
		return string(r[0]) + "•••" + string(r[len(r)-1]) + "@" + domain
	}
	return "+•••" + to[max(0, len(to)-4):]
}

// VerificationIn names a kind of address of a user; a zero Ref means the caller.
type VerificationIn struct {
	User   Ref
	Kind   iam.FactorKind // email, sms
	Reason string         // why it is taken from another, for the trail; see takingAllowed
}

func (in VerificationIn) record() audit.Fields {
	f := audit.Fields{"userName": in.User.String(), "kind": string(in.Kind)}
	if in.Reason != "" {
		f["reason"] = clipped(in.Reason)
	}
	return f
}

// AddressState is how a user stands with one kind of address. At most one is
// bound, and one is waiting.
type AddressState struct {
	On       bool   // the server can send there
	Allowed  bool   // the account lets it count at sign-in
	Address  string // bound; "" = none
	Bound    time.Time
	LastUsed time.Time

	Pending string // waits for the link that was sent there to be pressed; "" = none
	By      string // who sent it
	Until   time.Time

	Code *CodeSent // the caller's own binding by a code, if one is under way
}

// CodeSent is a code under way, as the page that waits for it shows it.
type CodeSent struct {
	To      string
	Expires time.Time
	Again   time.Time // before which no other is sent
}

// Verification is a user's addresses.
type Verification struct {
	UserName   string
	Profile    string // address of the profile, which is no factor (P-11)
	Email, SMS AddressState
}

// GetVerification reads the addresses to which a user's codes are sent.
//
// Errors: NotFound user.
var GetVerification = Op[UserIn, *Verification]{
	Name:   "GetVerification",
	Grants: Names{AWS: "iam:ListMFADevices", RAM: "ram:GetVerificationInfo"},
	Target: func(env *Env, in UserIn) (Target, error) { return env.ownTarget(in.User, managesFactors) },
	Record: UserIn.record,
	Do: func(env *Env, in UserIn) (*Verification, error) {
		u, err := env.user(in.User)
		if err != nil {
			return nil, err
		}
		v := &Verification{UserName: u.Name, Profile: u.Email}
		for kind, s := range map[iam.FactorKind]*AddressState{iam.FactorEmail: &v.Email, iam.FactorSMS: &v.SMS} {
			if err := env.addressState(u, kind, s); err != nil {
				return nil, err
			}
		}
		return v, nil
	},
}

func (env *Env) addressState(u *iam.User, kind iam.FactorKind, s *AddressState) (err error) {
	s.On = env.post.on(channelOf(kind))
	if s.Allowed, err = env.verifiesBy(u.Account, kind); err != nil {
		return err
	}
	f, err := env.addressFactor(u, kind)
	if err != nil {
		return err
	}
	if f != nil {
		s.Address, s.Bound, s.LastUsed = f.Data, f.Enabled, f.LastUsed
	}
	waiting, err := env.Tx.PendingAddresses(u.Account, u.ID, env.Now)
	if err != nil {
		return err
	}
	for _, p := range waiting {
		if p.Kind == kind {
			s.Pending, s.By, s.Until = p.Address, p.Creator, p.Expires
		}
	}
	c := &env.Call.Caller
	if c.Console == nil || c.User.ID != u.ID {
		return nil
	}
	s.Code, err = env.codeUnderWay(env.bindAsking(kind), kind)
	return err
}

// addressFactor is a user's factor of a kind of address, nil if there is none.
func (env *Env) addressFactor(u *iam.User, kind iam.FactorKind) (*iam.Factor, error) {
	all, err := env.Tx.Factors(u.Account, u.ID)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].Kind == kind {
			return &all[i], nil
		}
	}
	return nil, nil
}

// mayBind refuses an address that cannot become a factor of a user. own says that
// it is the user who asks.
func (env *Env) mayBind(u *iam.User, kind iam.FactorKind, own bool) error {
	channel := channelOf(kind)
	switch {
	case channel == "":
		return fault.Field("verifyType", "verifyType must be one of email, sms")
	case u.Root:
		return fault.Of(fault.Unmodifiable, "address of root", "")
	case !env.post.on(channel):
		return notConfigured(channel)
	}
	if allowed, err := env.verifiesBy(u.Account, kind); err != nil {
		return err
	} else if !allowed {
		return fault.Of(fault.Conflict, "kind of factor", string(kind))
	}
	f, err := env.addressFactor(u, kind)
	if err == nil && f != nil {
		err = fault.Of(fault.Conflict, "bound address", masked(f.Data))
	}
	if err != nil {
		return err
	}
	return env.bindingAllowed(u, own)
}

// SendActivationIn is an address that is to become a user's factor.
type SendActivationIn struct {
	User    Ref
	Kind    iam.FactorKind // email, sms
	Address string
}

// SendActivation sends a link to an address. Whoever reads it there and says so
// makes the address the user's factor; until then it is pending. A new link takes
// the place of one that was not used.
//
// Errors: NotFound user; Invalid address; Conflict, noun "bound address", while
// the user has one, "kind of factor" when the account does not let it count, or
// "delivery" when nothing can be sent; Denied, noun "above the caller";
// Unmodifiable for root, and where only the user itself may bind; Throttled.
var SendActivation = Op[SendActivationIn, *AddressState]{
	Name:   "SendActivation",
	Grants: Names{AWS: "warifu:SendActivation", RAM: "ram:SetVerificationInfo"},
	Mode:   Write,
	Needs:  freshly,
	Target: func(env *Env, in SendActivationIn) (Target, error) {
		t, err := env.userTarget(in.User)
		t.Also = append(t.Also, Need{Grants: Names{AWS: "iam:EnableMFADevice"}})
		return t, err
	},
	Record: func(in SendActivationIn) audit.Fields {
		return audit.Fields{"userName": in.User.String(), "kind": string(in.Kind), "address": clipped(in.Address)}
	},
	Do: func(env *Env, in SendActivationIn) (*AddressState, error) {
		u, err := env.owner(in.User)
		if err != nil {
			return nil, err
		}
		if err := env.notAbove(u); err != nil {
			return nil, err
		}
		if err := env.mayBind(u, in.Kind, env.isOwn(u)); err != nil {
			return nil, err
		}
		to, err := checkAddress(in.Kind, in.Address)
		if err != nil {
			return nil, err
		}
		channel := channelOf(in.Kind)
		if err := env.countSent(sentLimit{otpcode.PerTarget, "link to " + env.post.lane(channel, to)}); err != nil {
			return nil, err
		}
		token, err := env.newToken(activationToken)
		if err != nil {
			return nil, err
		}
		p := &iam.PendingAddress{
			Account: u.Account, User: u.ID, Kind: in.Kind, Address: to, Hash: hashToken(token), Creator: env.callerName(),
			Created: env.Now, Expires: env.Now.Add(ActivationLife),
		}
		if err := env.Tx.PutPendingAddress(p); err != nil {
			return nil, err
		}
		l, err := env.letter(u, to)
		if err != nil {
			return nil, err
		}
		l.Secret, l.Until, l.By = token, p.Expires, p.Creator
		err = env.send(iam.Message{Account: u.Account, User: u.ID, Channel: channel, Kind: iam.MessageActivation, Expires: p.Expires, Letter: l})
		if err != nil {
			return nil, err
		}
		s := new(AddressState)
		return s, env.addressState(u, in.Kind, s)
	},
}

// Activation is what the page behind an activation link shows.
type Activation struct {
	Account iam.Account
	User    iam.User
	Kind    iam.FactorKind
	Address string
	By      string
	Expires time.Time
	Done    bool
}

// activation finds whose link it is, with find.
func (env *Env) activation(in LinkIn, find func(hash []byte, now time.Time) (*iam.PendingAddress, error)) (*Activation, error) {
	gone := fault.Of(fault.NotFound, "activation link", "")
	if !isToken(activationToken, in.Token) {
		return nil, gone
	}
	p, err := find(hashToken(in.Token), env.Now)
	if fault.Is(err, fault.NotFound) {
		return nil, gone
	}
	if err != nil {
		return nil, err
	}
	c := Caller{Account: p.Account}
	if err := loadUser(env.Tx, &c, p.User); fault.Is(err, fault.NotFound) { // gone, or blocked
		return nil, gone
	} else if err != nil {
		return nil, err
	}
	a, err := env.Tx.Account(p.Account)
	if err != nil {
		return nil, err
	}
	env.Call.Caller = c
	env.ev.Account = p.Account
	env.ev.Target = audit.Target{Noun: "user", Name: c.User.Name, ID: c.User.ID, ARN: c.User.ARN()}
	return &Activation{Account: *a, User: c.User, Kind: p.Kind, Address: p.Address, By: p.Creator, Expires: p.Expires}, nil
}

// InspectActivation looks at an activation link and changes nothing: it is for
// GET (H-5).
//
// Errors: NotFound, noun "activation link", whatever is wrong with it.
var InspectActivation = Op[LinkIn, *Activation]{
	Name:       "InspectActivation",
	Grants:     Names{AWS: "signin:InspectActivation"},
	Permission: Always,
	Target:     func(*Env, LinkIn) (Target, error) { return Target{Noun: "activation link"}, nil },
	Do:         func(env *Env, in LinkIn) (*Activation, error) { return env.activation(in, env.Tx.PendingAddress) },
}

// UseActivation makes the link's address the user's factor, and uses the link up.
// It opens no session. The user is told, also at the profile's address.
//
// Errors: NotFound, noun "activation link", whatever is wrong with it; Conflict
// when an address was bound meanwhile; Unmodifiable where by now only the user
// itself may bind, and somebody else sent the link.
var UseActivation = Op[LinkIn, *Activation]{
	Name:       "UseActivation",
	Grants:     Names{AWS: "signin:UseActivation"},
	Permission: Always,
	Mode:       Write,
	Target:     func(*Env, LinkIn) (Target, error) { return Target{Noun: "activation link"}, nil },
	Record:     func(LinkIn) audit.Fields { return nil }, // nothing but the secret
	Do: func(env *Env, in LinkIn) (*Activation, error) {
		a, err := env.activation(in, env.Tx.ConsumePendingAddress)
		if err != nil {
			return nil, err
		}
		a.Done = true
		env.ev.Params = audit.Fields{"kind": string(a.Kind), "address": a.Address}
		// Where only the user may bind, an address that somebody else chose is none,
		// even if it was chosen before that was so.
		_, err = env.bindAddress(&a.User, a.Kind, a.Address, a.By == a.User.Name)
		return a, err
	},
}

// bindAddress makes an address, whose reader was heard from, a factor. It is the
// one place where that is done (P-11).
func (env *Env) bindAddress(u *iam.User, kind iam.FactorKind, to string, own bool) (*iam.Factor, error) {
	if err := env.mayBind(u, kind, own); err != nil {
		return nil, err
	}
	id, err := name.NewID(env.rand)
	if err != nil {
		return nil, fault.Wrap(err, "bind an address")
	}
	f := &iam.Factor{
		ID: id, Account: u.Account, User: u.ID, Kind: kind, Name: masked(to), Path: "/", Data: to,
		Created: env.Now, Creator: u.ID, Enabled: env.Now,
	}
	if err := env.Tx.InsertFactor(f); err != nil {
		return nil, err
	}
	if err := env.Tx.DeletePendingAddress(u.Account, u.ID, kind); ignoreMissing(err) != nil {
		return nil, err
	}
	return f, env.notify(u, iam.NoticeFactorBound, f.Name, known(u.Email)...)
}

// known is a list of an address that there may be.
func known(address string) []string {
	if address == "" {
		return nil
	}
	return []string{address}
}

// toBind begins the purpose of codes that bind an address.
const toBind = "bind"

// toBindAddress is the purpose of codes that bind a kind of address.
func toBindAddress(kind iam.FactorKind) Purpose { return Purpose(toBind + " " + string(kind)) }

// bindAsking is where a session binds an address.
func (env *Env) bindAsking(kind iam.FactorKind) asking {
	at := env.stepAsking()
	at.purpose = toBindAddress(kind)
	return at
}

// askAddress sends a code to an address that is to become a factor of the user.
func (env *Env) askAddress(at asking, kind iam.FactorKind, address string, own bool) error {
	if err := env.mayBind(at.user, kind, own); err != nil {
		return err
	}
	to, err := checkAddress(kind, address)
	if err != nil {
		return err
	}
	if err := env.newCode(at, 0, channelOf(kind), to); err != nil {
		return err
	}
	// The address that the code went to is kept beside its hash, which covers it.
	under, err := env.ceremony(at, 0)
	if err != nil {
		return err
	}
	under.Body = to + " " + under.Body
	return env.Tx.PutCeremony(under)
}

// codeUnderWay is the code that was sent last to bind a kind of address; nil if
// none is under way.
func (env *Env) codeUnderWay(at asking, kind iam.FactorKind) (*CodeSent, error) {
	under, err := env.ceremony(at, 0)
	if err != nil || under == nil {
		return nil, err
	}
	to, _, _ := strings.Cut(under.Body, " ")
	c := &CodeSent{To: to, Expires: under.Expires}
	c.Again, err = env.sentAgain(env.codeLimits(at.user.ID, channelOf(kind), to)...)
	return c, err
}

// takeAddress makes the address a factor of the user to which askAddress sent a
// code.
//
// Errors: BadCode, counted, and the count is kept; Conflict, noun "code", when
// none is under way or its tries are spent.
func (env *Env) takeAddress(at asking, kind iam.FactorKind, code string, own bool) (*iam.Factor, error) {
	under, err := env.ceremony(at, 0)
	if err != nil {
		return nil, err
	}
	spent := fault.Of(fault.Conflict, "code", "")
	if under == nil {
		return nil, spent
	}
	looked, err := env.Tx.TryCeremony(under, otpcode.MaxTries)
	if err != nil {
		return nil, err
	}
	if !looked {
		return nil, spent
	}
	to, hash, _ := strings.Cut(under.Body, " ")
	under.Body = hash
	if !otpcode.Fits(env.post.codes, boundTo(under, channelOf(kind), to), keptCode(under), code) {
		return nil, refuse(fault.Of(fault.BadCode, "code", ""))
	}
	if there, err := env.Tx.ConsumeCeremony(under); err != nil {
		return nil, err
	} else if !there {
		return nil, spent
	}
	return env.bindAddress(at.user, kind, to, own)
}

// BeginBindingIn is an address of the caller's own.
type BeginBindingIn struct {
	Kind    iam.FactorKind // email, sms
	Address string
}

// BeginBinding sends a code to an address that the caller wants as a factor, for
// FinishBinding. Nothing is bound yet, and a newer code takes the place of it.
//
// Errors: as SendActivation; Unauthenticated when the caller is not in the
// console.
var BeginBinding = Op[BeginBindingIn, struct{}]{
	Name:   "BeginBinding",
	Grants: Names{AWS: "iam:EnableMFADevice"},
	Mode:   Write,
	Needs:  freshly,
	Target: func(env *Env, _ BeginBindingIn) (Target, error) { return env.ownTarget(Ref{}, managesFactors) },
	Record: func(in BeginBindingIn) audit.Fields {
		return audit.Fields{"kind": string(in.Kind), "address": clipped(in.Address)}
	},
	Do: func(env *Env, in BeginBindingIn) (none struct{}, err error) {
		c := &env.Call.Caller
		if c.Console == nil {
			return none, errNoSession
		}
		return none, env.askAddress(env.bindAsking(in.Kind), in.Kind, in.Address, env.isOwn(&c.User))
	},
}

// FinishBindingIn is the code that was sent.
type FinishBindingIn struct {
	Kind iam.FactorKind
	Code string
}

// FinishBinding makes the address a factor to which BeginBinding sent the code.
//
// Errors: BadCode, counted: five tries and another code must be sent; Conflict,
// noun "code", when none is under way or the tries are spent; Unauthenticated
// when the caller is not in the console.
var FinishBinding = Op[FinishBindingIn, struct{}]{
	Name:   "FinishBinding",
	Grants: Names{AWS: "iam:EnableMFADevice"},
	Mode:   Write,
	Needs:  freshly,
	Target: func(env *Env, _ FinishBindingIn) (Target, error) { return env.ownTarget(Ref{}, managesFactors) },
	Record: func(in FinishBindingIn) audit.Fields { return audit.Fields{"kind": string(in.Kind)} },
	Do: func(env *Env, in FinishBindingIn) (none struct{}, err error) {
		c := &env.Call.Caller
		if c.Console == nil {
			return none, errNoSession
		}
		_, err = env.takeAddress(env.bindAsking(in.Kind), in.Kind, in.Code, env.isOwn(&c.User))
		return none, err
	},
}

// UnbindAddress takes an address from a user: the bound one proves nothing from
// then on, and a link that was sent is good for nothing. The user is told, also
// at that address.
//
// Errors: NotFound user; NotFound, noun "address", when there is none.
var UnbindAddress = Op[VerificationIn, struct{}]{
	Name:   "UnbindAddress",
	Grants: Names{AWS: "iam:DeactivateMFADevice", RAM: "ram:UnbindVerification"},
	Mode:   Write,
	Needs:  freshly,
	Target: func(env *Env, in VerificationIn) (Target, error) { return env.ownTarget(in.User, managesFactors) },
	Record: VerificationIn.record,
	Do: func(env *Env, in VerificationIn) (none struct{}, err error) {
		u, err := env.owner(in.User)
		if err != nil {
			return none, err
		}
		pending := env.Tx.DeletePendingAddress(u.Account, u.ID, in.Kind)
		if ignoreMissing(pending) != nil {
			return none, pending
		}
		f, err := env.addressFactor(u, in.Kind)
		if err != nil {
			return none, err
		}
		if f == nil {
			if pending != nil {
				return none, fault.Of(fault.NotFound, "address", string(in.Kind))
			}
			return none, nil
		}
		if err := env.takingAllowed(u, f, in.Reason); err != nil {
			return none, err
		}
		if err := env.Tx.DeleteFactor(f.Account, f.ID); err != nil {
			return none, err
		}
		var told []string
		if f.Kind == iam.FactorEmail {
			told = known(f.Data)
		}
		return none, env.notify(u, iam.NoticeFactorRemoved, f.Name, told...)
	},
}

// forgetOthers deletes the addresses and recovery codes of a user who is about to
// be deleted: the doors of other clouds have no word for them, and could not do it
// first.
func (env *Env) forgetOthers(u *iam.User) error {
	all, err := env.Tx.Factors(u.Account, u.ID)
	if err != nil {
		return err
	}
	for _, f := range all {
		if channelOf(f.Kind) == "" && f.Kind != iam.FactorRecovery {
			continue
		}
		if err := env.Tx.DeleteFactor(f.Account, f.ID); err != nil {
			return err
		}
	}
	return nil
}
