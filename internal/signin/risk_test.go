package signin

import (
	"math"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"warifu/internal/iam"
)

var (
	tokyo  = iam.Place{Known: true, Latitude: 35.6895, Longitude: 139.6917}
	osaka  = iam.Place{Known: true, Latitude: 34.6937, Longitude: 135.5022}
	london = iam.Place{Known: true, Latitude: 51.5074, Longitude: -0.1278}
)

// Each rule by itself.
func TestAssess(t *testing.T) {
	usual := Attempt{Now: epoch, Place: tokyo, Device: true, Network: true}
	last := &iam.Sighting{At: epoch.Add(-6 * time.Hour), Place: tokyo}
	for called, c := range map[string]struct {
		change func(*Attempt)
		last   *iam.Sighting
		want   []Reason
	}{
		"nothing":             {func(*Attempt) {}, last, nil},
		"another browser":     {func(a *Attempt) { a.Device = false }, last, []Reason{NewDevice}},
		"another network":     {func(a *Attempt) { a.Network = false }, last, []Reason{NewNetwork}},
		"a train ride":        {func(a *Attempt) { a.Place = osaka }, last, nil},
		"another continent":   {func(a *Attempt) { a.Place = london }, last, []Reason{FarAway}},
		"no place":            {func(a *Attempt) { a.Place = iam.Place{} }, last, nil},
		"a slip":              {func(a *Attempt) { a.Failures = ManyFailures - 1 }, last, nil},
		"guesses":             {func(a *Attempt) { a.Failures = ManyFailures }, last, []Reason{AfterFailures}},
		"a holiday":           {func(*Attempt) {}, &iam.Sighting{At: epoch.Add(-LongTime + time.Second), Place: tokyo}, nil},
		"a long silence":      {func(*Attempt) {}, &iam.Sighting{At: epoch.Add(-LongTime), Place: tokyo}, []Reason{LongIdle}},
		"a flight":            {func(a *Attempt) { a.Place = london }, &iam.Sighting{At: epoch.Add(-14 * time.Hour), Place: tokyo}, nil},
		"a clock turned back": {func(a *Attempt) { a.Place = london }, &iam.Sighting{At: epoch.Add(time.Hour), Place: tokyo}, []Reason{FarAway}},
	} {
		a := usual
		c.change(&a)
		if got := Assess(a, c.last, c.last); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", called, got, c.want)
		}
	}
	if got := Assess(Attempt{Now: epoch}, nil, nil); !slices.Equal(got, []Reason{NewDevice, NewNetwork}) {
		t.Errorf("a first sign-in: %v", got)
	}
}

// Known distances, to the half per cent that a sphere is off.
func TestDistance(t *testing.T) {
	pole := iam.Place{Known: true, Latitude: 90}
	for _, c := range []struct {
		a, b iam.Place
		km   float64
	}{
		{tokyo, osaka, 397}, {tokyo, london, 9559}, {tokyo, tokyo, 0},
		{pole, iam.Place{Known: true, Latitude: -90}, 20015}, {pole, iam.Place{Known: true}, 10007},
		{iam.Place{Known: true, Longitude: 179.5}, iam.Place{Known: true, Longitude: -179.5}, 111},
	} {
		if got := Distance(c.a, c.b); math.Abs(got-c.km) > 1+c.km*0.006 {
			t.Errorf("%v to %v: %.0f km, want %.0f", c.a, c.b, got, c.km)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		draw := func() iam.Place {
			return iam.Place{Known: true, Latitude: rapid.Float64Range(-90, 90).Draw(t, "lat"), Longitude: rapid.Float64Range(-180, 180).Draw(t, "lon")}
		}
		a, b := draw(), draw()
		d := Distance(a, b)
		if math.IsNaN(d) || d < 0 || d > 20016 || math.Abs(d-Distance(b, a)) > 1e-6 {
			t.Fatalf("%v to %v is %v", a, b, d)
		}
	})
}

func TestNetworkOf(t *testing.T) {
	for ip, want := range map[string]string{
		"203.0.113.7": "203.0.0.0/16", "::ffff:203.0.113.7": "203.0.0.0/16",
		"2001:db8:1:2::3": "2001:db8::/32", "fe80::1%eth0": "fe80::/32",
	} {
		if got := NetworkOf(netip.MustParseAddr(ip)); got != want {
			t.Errorf("%s: %s, want %s", ip, got, want)
		}
	}
	if got := NetworkOf(netip.Addr{}); got != "" {
		t.Errorf("no address: %q", got)
	}
}
