package signin

import (
	"math"
	"net/netip"
	"time"

	"warifu/internal/iam"
)

// Reason is why a sign-in is out of the ordinary. Each is found by one rule, which
// Assess spells out; none weighs against another.
type Reason string

// The reasons.
const (
	NewDevice     Reason = "new-device"        // this user never signed in with this browser
	NewNetwork    Reason = "new-network"       // nor from this network
	FarAway       Reason = "impossible-travel" // nobody travels so far in so short a time
	LongIdle      Reason = "long-idle"         // nobody signed in as this user for long
	AfterFailures Reason = "after-failures"    // wrong passwords came before
)

// Figures of the rules.
const (
	// LongTime without a sign-in is long.
	LongTime = 45 * 24 * time.Hour
	// ManyFailures wrong passwords are more than a slip of the finger.
	ManyFailures = 3
	// Speed in km/h is that of an airliner; nobody is faster.
	Speed = 1000.0
	// Near in km is how far an address can be from where a database puts it: what
	// is nearer together is one place.
	Near = 200.0
	// SightingLife is how long sign-ins are kept to be compared with.
	SightingLife = 90 * 24 * time.Hour
)

// Attempt is a sign-in that is to be judged.
type Attempt struct {
	Now      time.Time
	Place    iam.Place // where its address is, if that is known
	Device   bool      // this user signed in with this browser before
	Network  bool      // or from this network
	Failures int       // wrong passwords just before it
}

// Assess tells what is out of the ordinary about a sign-in, always in the same
// order. last is the user's last sign-in and placed the last from a known place;
// nil = there was none. A first sign-in is unusual: there is nothing to compare it
// with.
func Assess(a Attempt, last, placed *iam.Sighting) (why []Reason) {
	for _, rule := range []struct {
		found  bool
		reason Reason
	}{
		{!a.Device, NewDevice},
		{!a.Network, NewNetwork},
		{placed != nil && TooFast(placed.Place, a.Place, a.Now.Sub(placed.At)), FarAway},
		{last != nil && a.Now.Sub(last.At) >= LongTime, LongIdle},
		{a.Failures >= ManyFailures, AfterFailures},
	} {
		if rule.found {
			why = append(why, rule.reason)
		}
	}
	return why
}

// TooFast reports whether nobody gets from one place to another in that time. A
// time that went backwards counts as none. It is false where a place is unknown.
func TooFast(from, to iam.Place, took time.Duration) bool {
	if !from.Known || !to.Known {
		return false
	}
	d := Distance(from, to)
	return d > Near && d-Near > Speed*max(took, 0).Hours()
}

// Distance is how far two places are apart along the surface, in km (haversine,
// on a sphere of the earth's mean radius, which is off by less than 0.6 %).
func Distance(a, b iam.Place) float64 {
	const radius, degree = 6371.0088, math.Pi / 180
	sin2 := func(x float64) float64 { s := math.Sin(x / 2); return s * s }
	h := sin2((b.Latitude-a.Latitude)*degree) +
		math.Cos(a.Latitude*degree)*math.Cos(b.Latitude*degree)*sin2((b.Longitude-a.Longitude)*degree)
	return 2 * radius * math.Asin(math.Sqrt(min(1, h)))
}

// NetworkOf is the network that an address counts to: its /16, or /32 of IPv6,
// about what a provider gives to a town. Smaller ones change with every reconnect
// and would make everybody unusual. "" when there is no address.
func NetworkOf(ip netip.Addr) string {
	if !ip.IsValid() {
		return ""
	}
	ip = ip.Unmap().WithZone("")
	bits := 16
	if ip.Is6() {
		bits = 32
	}
	p, err := ip.Prefix(bits)
	if err != nil {
		return ""
	}
	return p.String()
}

// Words are reasons as they are kept and recorded.
func Words(all []Reason) (words []string) {
	for _, r := range all {
		words = append(words, string(r))
	}
	return words
}
