package iam

import (
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"warifu/internal/fault"
	"warifu/internal/name"
)

// MFAMode says which sign-ins to the console ask for a second factor, spelled as
// Alibaba Cloud's MFAOperationForLogin spells it. The root user always needs one.
type MFAMode string

// The modes.
const (
	// MFAMandatory asks every user; one who has no factor binds one first.
	MFAMandatory MFAMode = "mandatory"
	// MFAIndependent asks every user who has a factor, and makes those bind one
	// whose login profile says so.
	MFAIndependent MFAMode = "independent"
	// MFAAdaptive asks at unusual sign-ins only.
	MFAAdaptive MFAMode = "adaptive"
)

// RiskMode says what an unusual sign-in asks of a user who has no factor, spelled
// as Alibaba Cloud's OperationForRiskLogin spells it.
type RiskMode string

// The modes. Both ask for the factor of a user who has one.
const (
	RiskAutonomous    RiskMode = "autonomous"    // nothing: the user goes on without
	RiskEnforceVerify RiskMode = "enforceVerify" // to bind one
)

// Bounds of the preferences. Those of masks, hours and days are Alibaba Cloud's
// (IMS API, SetSecurityPreference).
const (
	MaxNetworkMasks  = 40
	MaxNetworkText   = 512 // characters of all masks and the semicolons between them
	MaxSessionHours  = 24
	MinSessionIdle   = 5       // minutes
	MaxSessionIdle   = 60 * 24 // minutes
	MaxFactorsOfUser = 100     // NIST asks for no bound; this one keeps a page readable
	RememberedLife   = 7 * 24 * time.Hour
)

// IdleDays are the limits that MaxIdleDays may have.
var IdleDays = [...]int{90, 180, 365, 730}

// Preferences are what an account asks of those who sign in. Where Alibaba Cloud
// has a parameter of SetSecurityPreference for a field, the comment names it.
// The zero value is no account's: begin with DefaultPreferences.
type Preferences struct {
	// What users may do for themselves in the console although no policy allows
	// it; a policy that denies it still does. Where one is off, a policy must
	// allow it. Requests that are signed with a key are governed by policy alone.
	OwnPassword           bool // AllowUserToChangePassword
	OwnAccessKeys         bool // AllowUserToManageAccessKeys
	OwnFactors            bool // AllowUserToManageMFADevices
	OwnDingTalk           bool // AllowUserToManagePersonalDingTalk; kept and shown, nothing here is one
	OwnServiceCredentials bool // AllowUserToManageServiceCredentials

	PasskeySignIn bool // AllowUserToLoginWithPasskey: a passkey in the place of name and password
	Remember      bool // EnableSaveMFATicket: a browser may stand in for the factor for RememberedLife

	SessionHours int    // LoginSessionDuration: how long a session lasts, 1 to 24
	SessionIdle  int    // minutes without a request after which it ends, 5 to 1440
	NetworkMasks string // LoginNetworkMasks: where users may sign in from, as it was given; "" = anywhere. Not for root, not for keys

	EmailCodes  bool     // VerificationTypes holds email: codes by mail may be used and bound
	SMSCodes    bool     // VerificationTypes holds sms
	MFAForLogin MFAMode  // MFAOperationForLogin, EnforceMFAForLogin
	RiskLogin   RiskMode // OperationForRiskLogin

	IdleDaysUsers int // MaxIdleDaysForUsers: days without a sign-in after which a user's password is turned off
	IdleDaysKeys  int // MaxIdleDaysForAccessKeys: the same of access keys

	// Sources are the networks of Oracle's network policy, separated by semicolons, from
	// which alone users sign in besides; "" = anywhere. They follow from other nouns,
	// and are not kept here.
	Sources string

	// LinkOnly lets users bind their first factor by an administrator's
	// enrolment link only, never with the password alone.
	LinkOnly bool
	// OwnBindingOnly lets nobody but the user bind a factor to a user, at every
	// door: no administrator, no enrolment link.
	OwnBindingOnly bool
	// BindMore lets a user at Alibaba Cloud's door bind a device although one is
	// bound; without it the old one is unbound first, as that cloud asks. The
	// console and AWS's door go by FactorsPerUser alone.
	BindMore bool
	// FactorsPerUser is how many factors a user may have, 1 to 100.
	FactorsPerUser int
	// RememberedIsMFA lets policies take a remembered browser for the factor
	// itself: aws:MultiFactorAuthPresent is then true, and the age that of the
	// factor's last proof. No remembered browser ever passes for a fresh proof.
	RememberedIsMFA bool
	// Shadow makes MFAAdaptive ask as MFAIndependent does, while what it would
	// have done is recorded.
	Shadow bool

	// Root are the rules for the account's root user.
	Root RootRules

	Changed time.Time // zero = never: these are the defaults
	By      string    // name of who changed them last
}

// RootRules bind the account's root user, whom no policy binds. Whatever they
// say, root signs in to the console with a second factor.
type RootRules struct {
	// MFA asks root for a second factor at every door: a request that is signed
	// with an access key of root's alone is refused.
	MFA bool
	// Networks are the networks, separated by semicolons, from which alone root
	// signs in; "" = anywhere. See ParseMasks.
	Networks string
	// NoKeys keeps root from having access keys that work.
	NoKeys bool

	// Since is when root was let back in by a link from the host: session
	// credentials that began before are good for nothing. Zero = never.
	Since time.Time

	Changed time.Time // zero = never
	By      string    // name of who changed them last
}

// Admits reports whether root may sign in from an address. As with Preferences,
// masks that cannot be read admit nobody.
func (r *RootRules) Admits(ip netip.Addr) bool { return inMasks(r.Networks, ip) }

// Origin is where the value of a setting comes from. Whatever an account has not
// set has the product's default.
type Origin struct {
	Setting string    // as the trail calls it
	At      time.Time // when it was changed last
	By      string    // who did
	Door    string    // where
	Alias   string    // by which name, if that is one out of use
}

// DefaultPreferences are in force until an account sets others.
func DefaultPreferences() Preferences {
	return Preferences{
		OwnPassword: true, OwnFactors: true, OwnDingTalk: true, PasskeySignIn: true,
		SessionHours: 6, SessionIdle: 60,
		EmailCodes: true, SMSCodes: true,
		MFAForLogin: MFAIndependent, RiskLogin: RiskAutonomous,
		IdleDaysUsers: 730, IdleDaysKeys: 730,
		FactorsPerUser: 8, // AWS's bound
	}
}

// Check refuses values that no account may have. The fields are called as
// Alibaba Cloud calls them, the others as the fields here.
func (p *Preferences) Check() error {
	if p.SessionHours < 1 || p.SessionHours > MaxSessionHours {
		return fault.Field("LoginSessionDuration", "LoginSessionDuration must be 1 to %d hours", MaxSessionHours)
	}
	if p.SessionIdle < MinSessionIdle || p.SessionIdle > MaxSessionIdle {
		return fault.Field("SessionIdle", "SessionIdle must be %d to %d minutes", MinSessionIdle, MaxSessionIdle)
	}
	for _, networks := range []string{p.NetworkMasks, p.Root.Networks} {
		if _, err := ParseMasks(networks); err != nil {
			return err
		}
	}
	switch p.MFAForLogin {
	case MFAMandatory, MFAIndependent, MFAAdaptive:
	default:
		return fault.Field("MFAOperationForLogin", "MFAOperationForLogin must be mandatory, independent or adaptive")
	}
	if p.RiskLogin != RiskAutonomous && p.RiskLogin != RiskEnforceVerify {
		return fault.Field("OperationForRiskLogin", "OperationForRiskLogin must be autonomous or enforceVerify")
	}
	if !slices.Contains(IdleDays[:], p.IdleDaysUsers) {
		return fault.Field("MaxIdleDaysForUsers", "MaxIdleDaysForUsers must be 90, 180, 365 or 730 days")
	}
	if !slices.Contains(IdleDays[:], p.IdleDaysKeys) {
		return fault.Field("MaxIdleDaysForAccessKeys", "MaxIdleDaysForAccessKeys must be 90, 180, 365 or 730 days")
	}
	if p.FactorsPerUser < 1 || p.FactorsPerUser > MaxFactorsOfUser {
		return fault.Field("FactorsPerUser", "FactorsPerUser must be 1 to %d", MaxFactorsOfUser)
	}
	if p.LinkOnly && p.OwnBindingOnly {
		return fault.Field("OwnBindingOnly", "OwnBindingOnly and LinkOnly exclude each other: nobody could bind a first factor")
	}
	return nil
}

// Accepts reports whether a factor of a kind may be used and bound.
func (p *Preferences) Accepts(k FactorKind) bool {
	switch k {
	case FactorEmail:
		return p.EmailCodes
	case FactorSMS:
		return p.SMSCodes
	}
	return true
}

// VerificationTypes are the factors by which codes are sent, spelled as Alibaba
// Cloud spells them.
func (p *Preferences) VerificationTypes() []string {
	types := []string{}
	if p.SMSCodes {
		types = append(types, "sms")
	}
	if p.EmailCodes {
		types = append(types, "email")
	}
	return types
}

// SetVerificationTypes is the reverse of VerificationTypes.
func (p *Preferences) SetVerificationTypes(types []string) error {
	p.EmailCodes, p.SMSCodes = false, false
	for _, t := range types {
		switch t {
		case "email":
			p.EmailCodes = true
		case "sms":
			p.SMSCodes = true
		default:
			return fault.Field("VerificationTypes", "VerificationTypes may hold sms and email")
		}
	}
	return nil
}

// Life is how long a session lasts, and Idle how long one lasts without a
// request.
func (p *Preferences) Life() time.Duration { return time.Duration(p.SessionHours) * time.Hour }

// Idle is how long a session lasts without a request.
func (p *Preferences) Idle() time.Duration { return time.Duration(p.SessionIdle) * time.Minute }

// Ends is when a session ends whatever happens: what it was opened with, unless
// the account allows less by now.
func (p *Preferences) Ends(s *Session) time.Time {
	if limit := s.Created.Add(p.Life()); limit.Before(s.Expires) {
		return limit
	}
	return s.Expires
}

// Admits reports whether users may sign in from an address. An address that is
// not known is in no network. Stored masks are valid; ones that are not admit
// nobody.
func (p *Preferences) Admits(ip netip.Addr) bool {
	from := ip.Unmap().WithZone("")
	if p.Sources != "" && !inSources(p.Sources, from) {
		return false
	}
	return inMasks(p.NetworkMasks, ip)
}

// inMasks reports whether an address is in one of the networks of a text; every
// one is if there are none.
func inMasks(text string, ip netip.Addr) bool {
	if text == "" {
		return true
	}
	masks, err := ParseMasks(text)
	if err != nil || !ip.IsValid() {
		return false
	}
	from := ip.Unmap().WithZone("")
	return slices.ContainsFunc(masks, func(m netip.Prefix) bool { return m.Contains(from) })
}

func inSources(sources string, ip netip.Addr) bool {
	for s := range strings.SplitSeq(sources, ";") {
		if m, err := netip.ParsePrefix(s); err == nil && m.Contains(ip) {
			return true
		}
	}
	return false
}

// ParseMasks reads networks that stand between semicolons: 10.0.0.0/8,
// 2001:db8::/32, or a single address. Bits of an address beyond its mask do not
// matter. "" is none.
func ParseMasks(text string) ([]netip.Prefix, error) {
	const field = "LoginNetworkMasks"
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	if utf8.RuneCountInString(text) > MaxNetworkText {
		return nil, fault.Field(field, "LoginNetworkMasks must have at most %d characters", MaxNetworkText)
	}
	var masks []netip.Prefix
	for mask := range strings.SplitSeq(strings.TrimSuffix(strings.TrimSpace(text), ";"), ";") {
		m, ok := parseMask(strings.TrimSpace(mask))
		if !ok {
			return nil, fault.Field(field, "LoginNetworkMasks must be networks such as 10.0.0.0/8 or 2001:db8::/32, separated by semicolons; found %q", mask)
		}
		masks = append(masks, m)
	}
	if len(masks) > MaxNetworkMasks {
		return nil, fault.Field(field, "LoginNetworkMasks must be at most %d networks", MaxNetworkMasks)
	}
	return masks, nil
}

func parseMask(s string) (netip.Prefix, bool) {
	if a, err := netip.ParseAddr(s); err == nil {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), a.Zone() == ""
	}
	m, err := netip.ParsePrefix(s)
	if err != nil || m.Addr().Is4In6() { // the mask of a mapped address could mean either
		return m, false
	}
	return m.Masked(), true
}

// IdleSince is the time before which whoever was last seen is idle by now: days
// have passed without a sign, and it is the day after (UTC).
func IdleSince(days int, now time.Time) time.Time {
	return now.UTC().Truncate(24*time.Hour).AddDate(0, 0, -days)
}

// Remembered is a browser that stands in for a user's second factor for a while.
// Its secret, which changes with every use, is known to the browser only.
type Remembered struct {
	ID        name.ID
	Account   name.Account
	User      name.ID
	Hash      []byte    // SHA-256 of the secret
	Bond      []byte    // what it stands and falls with: the user's factors and password
	Created   time.Time // when the factor was proved
	Used      time.Time // last sign-in that it shortened; zero = none yet
	Expires   time.Time
	Method    Method // that was proved
	Source    string
	UserAgent string
}

// Browser is one that a user signed in with before, known by a cookie. It has
// its own budget of wrong passwords, so that a stranger who spends the other one
// does not lock the user out.
type Browser struct {
	User     name.ID
	Hash     []byte // SHA-256 of the secret in the cookie
	Created  time.Time
	Seen     time.Time // last sign-in
	Failures int       // wrong passwords in a row
	Failed   time.Time // the last of them
}

// Sighting is a sign-in that led to a session, as far as later ones are compared
// with it.
type Sighting struct {
	ID        name.ID
	Account   name.Account
	User      name.ID
	At        time.Time
	Network   string // see signin.NetworkOf
	Source    string
	UserAgent string
	Place     Place
	Reasons   []string // why it was unusual; nil = it was not
	Method    string   // how it was made: password, password+totp
}

// Place is where an address is. Its zero value is unknown.
type Place struct {
	Known               bool
	Latitude, Longitude float64 // degrees, north and east positive
}
