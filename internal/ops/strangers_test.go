package ops_test

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/ops"
	"warifu/internal/signin"
	"warifu/internal/store"
	"warifu/internal/testkit"
)

// N-5, U8: whoever tries names at random neither lets a victim off, be it a user or
// a name that nobody has, nor fills anything: failures of users stand apart, and of
// strangers so many are kept that it takes a day of hashing to push one out.
func TestN5RandomNamesLetNobodyOff(t *testing.T) {
	h := lite(t)
	h.user("alice")
	for _, name := range []string{"alice", "nobody"} {
		for range signin.MaxFailures {
			h.desk().name(name, "wrong")
		}
	}
	limited := func(when string) {
		t.Helper()
		for _, name := range []string{"alice", "nobody"} {
			if step := h.desk().name(name, firstPassword); step.Refusal != signin.TooMany {
				h.Errorf("%s %s is %q", when, name, step.Refusal)
			}
		}
	}
	limited("at first")
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range 500 { // at the door
		h.desk().name(fmt.Sprint("stranger ", i), "wrong")
	}
	h.must(h.store.Update(context.Background(), func(tx *store.Tx) error { // and what the door would have written of more
		for i := range 20_000 {
			if _, err := tx.CountStranger(fmt.Sprint("name ", i), h.clock.Now()); err != nil {
				return err
			}
		}
		return nil
	}))
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) >> 20; grown > 8 {
		h.Errorf("the names take %d MiB of memory", grown)
	}
	h.must(h.Sweep(context.Background()))
	limited("among many")
	h.must(h.store.Update(context.Background(), func(tx *store.Tx) error { // as after a million
		_, err := tx.TrimStrangers(0, 1_000_000)
		return err
	}))
	if step := h.desk().name("alice", firstPassword); step.Refusal != signin.TooMany {
		h.Errorf("a user is let off: %q", step.Refusal)
	}
	run(h, h.byAdmin(), ops.UnblockUser, ops.BlockUserIn{User: ops.Ref{Name: "alice"}})
	h.desk().signIn("alice", "", false)
}

// U8: whoever shows no credential does not fill the trail with what it is refused, nor
// spends what others have; and the trail says how much it does not tell.
func TestStrangersDoNotFillTheTrail(t *testing.T) {
	w := testkit.New(t)
	ask := func(from string, n int) {
		t.Helper()
		call := ops.Call{Source: ops.Source{Door: "alibaba", IP: netip.MustParseAddr(from)}}
		for range n {
			_, err := ops.Run(t.Context(), w.Server, call, ops.AssumeRoleWithOIDC, ops.AssumeWithOIDCIn{
				FederatedIn: ops.FederatedIn{ProviderARN: "acs:ram::1000123456789012:oidc-provider/none", RoleARN: "acs:ram::1000123456789012:role/r", SessionName: "me"}, Token: "x",
			})
			if !fault.Is(err, fault.NotFound) {
				t.Fatal(err)
			}
		}
	}
	events := func(action string) (all []audit.Event) {
		t.Helper()
		in := ops.LookupEventsIn{Query: audit.Query{Operation: action, Forward: true}}
		for {
			p := testkit.Do(t, w, w.Admin(t), ops.LookupEvents, in)
			all = append(all, p.Items...)
			if in.Cursor = string(p.Next); in.Cursor == "" {
				return all
			}
		}
	}
	recorded := func() (n int, last string) {
		t.Helper()
		all := events("AssumeRoleWithWebIdentity")
		return len(all), all[len(all)-1].Why
	}
	ask("2001:db8::1", 30)
	ask("2001:db8::2", 5) // the same line
	if n, _ := recorded(); n != 20 {
		t.Errorf("%d events of one line, want 20", n)
	}
	ask("192.0.2.1", 1)
	if n, why := recorded(); n != 21 || !strings.Contains(why, "15 more requests") {
		t.Errorf("%d events with another line's; the last says %q", n, why)
	}
	for i := range 10 {
		ask(fmt.Sprintf("198.51.100.%d", i), 10)
	}
	if n, _ := recorded(); n != 100 {
		t.Errorf("%d events of all, want 100", n)
	}
	w.Clock.Advance(time.Minute)
	ask("192.0.2.1", 1)
	if n, why := recorded(); n != 101 || !strings.Contains(why, "21 more requests") {
		t.Errorf("%d events a minute later; the last says %q", n, why)
	}
	// Somebody who is known has no budget.
	for range 30 {
		testkit.Fails(t, w, w.Admin(t), ops.GetUser, ops.UserIn{User: ops.Ref{Name: "nobody"}})
	}
	if n := len(events("GetUser")); n != 30 {
		t.Errorf("%d events of the administrator's, want 30", n)
	}
}
