package jobs

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"warifu/policy/ram"
	"warifu/policy/ram/system"
)

func TestTexts(t *testing.T) {
	var known []string
	for _, p := range system.All() {
		known = append(known, p.Name)
	}
	networks := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")}
	for _, j := range All() {
		for _, s := range j.System {
			if !slices.Contains(known, s) {
				t.Errorf("%s: %s is no system policy", j.Name, s)
			}
		}
		for _, p := range j.Policies {
			for _, limits := range [][]netip.Prefix{nil, networks} {
				text := p.Document(limits)
				d, err := ram.Parse([]byte(text), ram.Identity)
				if err != nil {
					t.Fatalf("%s: %v in\n%s", p.Name, err, text)
				}
				if limited := strings.Contains(text, `"192.0.2.0/24", "2001:db8::/32"`); limited != (j.Networks && limits != nil) {
					t.Errorf("%s limits addresses: %t", p.Name, limited)
				}
				if !strings.Contains(text, "//") || d.Len() == 0 {
					t.Errorf("%s has lost its comments or statements", p.Name)
				}
			}
		}
		if found, ok := Find(j.Name); !ok || found.Group != j.Group {
			t.Errorf("%s is not found", j.Name)
		}
	}
	if _, ok := Find("king"); ok {
		t.Error("an unknown job is found")
	}
	for _, who := range []string{"", "acs:ram::1000123456789012:root"} {
		if _, err := ram.Parse([]byte(Trust(who)), ram.TrustPolicy); err != nil {
			t.Errorf("%q: %v", who, err)
		}
	}
}
