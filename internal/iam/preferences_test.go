package iam

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// The bounds of Alibaba Cloud's parameters and of ours.
func TestPreferencesCheck(t *testing.T) {
	for called, c := range map[string]struct {
		change func(*Preferences)
		good   bool
	}{
		"the defaults":      {func(*Preferences) {}, true},
		"0 hours":           {func(p *Preferences) { p.SessionHours = 0 }, false},
		"1 hour":            {func(p *Preferences) { p.SessionHours = 1 }, true},
		"24 hours":          {func(p *Preferences) { p.SessionHours = 24 }, true},
		"25 hours":          {func(p *Preferences) { p.SessionHours = 25 }, false},
		"4 idle minutes":    {func(p *Preferences) { p.SessionIdle = 4 }, false},
		"another mode":      {func(p *Preferences) { p.MFAForLogin = "sometimes" }, false},
		"another risk":      {func(p *Preferences) { p.RiskLogin = "" }, false},
		"180 days":          {func(p *Preferences) { p.IdleDaysUsers, p.IdleDaysKeys = 180, 365 }, true},
		"100 days":          {func(p *Preferences) { p.IdleDaysUsers = 100 }, false},
		"0 days":            {func(p *Preferences) { p.IdleDaysKeys = 0 }, false},
		"no factor":         {func(p *Preferences) { p.FactorsPerUser = 0 }, false},
		"nobody could bind": {func(p *Preferences) { p.LinkOnly, p.OwnBindingOnly = true, true }, false},
		"no mask":           {func(p *Preferences) { p.NetworkMasks = "here" }, false},
		"the zero value":    {func(p *Preferences) { *p = Preferences{} }, false},
	} {
		p := DefaultPreferences()
		if c.change(&p); (p.Check() == nil) != c.good {
			t.Errorf("%s: %v", called, p.Check())
		}
	}
}

// N-2: networks of both kinds, forty of them, in 512 characters.
func TestMasks(t *testing.T) {
	for text, good := range map[string]bool{
		"": true, "10.0.0.0/8": true, "192.168.0.0/16;10.0.0.0/8": true, "2001:db8::/32": true, "203.0.113.7": true, "2001:db8::1": true,
		" 10.0.0.0/8 ; 192.0.2.0/24 ;": true, "10.1.2.3/8": true,
		"10.0.0.0/33": false, "10.0.0.0/8,192.0.2.0/24": false, "10.0.0/8": false, "::ffff:10.0.0.0/104": false, "fe80::1%eth0": false, ";": false,
		"10.0.0.0/8;;192.0.2.0/24": false, "0x0a.0.0.0/8": false, "010.0.0.0/8": false,
		strings.Repeat("1.2.3.4;", 40): true, strings.Repeat("1.2.3.4;", 41): false, strings.Repeat(" ", 505) + "10.0.0.0/8": false,
	} {
		if _, err := ParseMasks(text); (err == nil) != good {
			t.Errorf("%.60q: %v", text, err)
		}
	}
	p := DefaultPreferences()
	if !p.Admits(netip.Addr{}) {
		t.Error("without masks everywhere is fine")
	}
	p.NetworkMasks = "10.1.2.3/8;2001:db8::/32;203.0.113.7"
	for ip, in := range map[string]bool{
		"10.200.0.1": true, "::ffff:10.200.0.1": true, "11.0.0.1": false, "2001:db8:ffff::1": true, "2001:db9::": false,
		"203.0.113.7": true, "203.0.113.8": false, "fe80::1%eth0": false,
	} {
		if p.Admits(netip.MustParseAddr(ip)) != in {
			t.Errorf("%s: admitted %v", ip, !in)
		}
	}
	if p.Admits(netip.Addr{}) {
		t.Error("an address that is not known is in a network")
	}
}

// The day after the last one, by UTC.
func TestIdleSince(t *testing.T) {
	last := time.Date(2026, 1, 15, 15, 0, 0, 0, time.UTC)
	for now, idle := range map[string]bool{
		"2026-04-15T00:00:00Z": false, "2026-04-15T23:59:59Z": false, "2026-04-16T00:00:00Z": true,
		"2026-04-16T08:00:00+09:00": false, "2026-04-16T09:00:00+09:00": true,
	} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		if last.Before(IdleSince(90, at)) != idle {
			t.Errorf("at %s: idle %v", now, !idle)
		}
	}
}

func FuzzParseMasks(f *testing.F) {
	f.Add("10.0.0.0/8;2001:db8::/32")
	f.Fuzz(func(t *testing.T, text string) {
		masks, err := ParseMasks(text)
		if err != nil {
			return
		}
		if len(masks) > MaxNetworkMasks {
			t.Fatal(fmt.Sprint(len(masks), " masks"))
		}
		p := Preferences{NetworkMasks: text}
		for _, m := range masks {
			if !p.Admits(m.Addr()) {
				t.Fatalf("%q does not admit %s", text, m.Addr())
			}
		}
	})
}
