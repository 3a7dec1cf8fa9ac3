package signin

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"warifu/internal/iam"
	"warifu/internal/name"
)

var epoch = time.Date(2026, 1, 15, 9, 0, 0, 0, time.UTC)

// ghost is what an observer who does not know the machine has seen proved.
type ghost struct {
	recovers bool
	password time.Time // of the flow's user, or of the passkey that it began with; zero = not
	passkey  name.ID   // that it began with
	unusual  bool
	factors  map[name.ID]bool
}

// draw makes facts. The same few factors come and go.
// secondFactors are all kinds of factor that there are.
var secondFactors = []iam.Method{
	iam.MethodTOTP, iam.MethodHOTP, iam.MethodPasskey, iam.MethodU2F, iam.MethodEmail, iam.MethodSMS, iam.MethodRecovery,
}

func drawFacts(t *rapid.T) Facts {
	f := Facts{
		Known: rapid.IntRange(0, 9).Draw(t, "known") > 0, Blocked: rapid.IntRange(0, 9).Draw(t, "blocked") == 0,
		Root:        rapid.IntRange(0, 9).Draw(t, "root") == 0,
		Lane:        Lane{rapid.SampledFrom([]int{0, 0, 0, 4, 9, 10, 11}).Draw(t, "failures"), epoch},
		Attempts:    rapid.SampledFrom([]int{0, 0, 3}).Draw(t, "attempts"),
		MustChange:  rapid.Bool().Draw(t, "must change"),
		Lapsed:      rapid.IntRange(0, 9).Draw(t, "lapsed") == 0,
		Disabled:    rapid.IntRange(0, 9).Draw(t, "disabled") == 0,
		Outside:     rapid.IntRange(0, 9).Draw(t, "outside") == 0,
		Bound:       rapid.IntRange(0, 9).Draw(t, "bound") == 0,
		Remembered:  rapid.Bool().Draw(t, "remembered"),
		MFARequired: rapid.Bool().Draw(t, "required"),
		Wanted: iam.Preferences{
			MFAForLogin:   rapid.SampledFrom([]iam.MFAMode{iam.MFAMandatory, iam.MFAIndependent, iam.MFAAdaptive, iam.MFAAdaptive, "other"}).Draw(t, "mode"),
			RiskLogin:     rapid.SampledFrom([]iam.RiskMode{iam.RiskAutonomous, iam.RiskEnforceVerify}).Draw(t, "risk"),
			LinkOnly:      rapid.IntRange(0, 4).Draw(t, "link only") == 0,
			Remember:      rapid.Bool().Draw(t, "remember"),
			PasskeySignIn: rapid.Bool().Draw(t, "passkeys"),
			Shadow:        rapid.IntRange(0, 4).Draw(t, "shadow") == 0,
		},
		TokenSpent:      rapid.IntRange(0, 9).Draw(t, "spent") == 0,
		PasswordChanged: epoch.Add(-time.Hour),
	}
	for id := name.ID(1); id <= 2; id++ {
		if rapid.IntRange(0, 2).Draw(t, "factor") == 0 {
			f.Factors = append(f.Factors, Factor{ID: id, Method: rapid.SampledFrom(secondFactors).Draw(t, "method")})
		}
	}
	return f
}

// wanted is the act that a stage waits for.
var wanted = map[Stage]Act{
	"": Identified, StageFactor: GaveFactor, StageNewPassword: GavePassword, StageBind: BoundFactor,
	StageAccount: NamedAccount, StageRoot: NamedRoot,
}

// drawProof makes any act, but half of the time the one that is waited for.
func drawProof(t *rapid.T, stage Stage) Proof {
	p := Proof{
		Act: Act(rapid.IntRange(0, int(BeganRecovery)).Draw(t, "act")), Fits: rapid.IntRange(0, 3).Draw(t, "fits") > 0,
		Flow: Flow{Account: 1, User: 7},
	}
	if rapid.Bool().Draw(t, "as wanted") {
		p.Act = wanted[stage]
	}
	switch p.Act {
	case Identified:
		if rapid.Bool().Draw(t, "unusual") {
			p.Flow.Unusual = []Reason{NewDevice}
		}
		if rapid.IntRange(0, 3).Draw(t, "by passkey") == 0 {
			p.Method, p.Factor = iam.MethodPasskey, name.ID(rapid.IntRange(1, 2).Draw(t, "passkey"))
		}
	case GaveFactor:
		p.Method, p.Factor = rapid.SampledFrom(secondFactors).Draw(t, "method"), name.ID(rapid.IntRange(1, 2).Draw(t, "factor"))
	case BoundFactor:
		p.Method, p.Factor = rapid.SampledFrom(secondFactors).Draw(t, "new"), 3
	case NamedRoot, GavePassword:
		p.Flow.Setup = SetupData{Email: "root@example.com", RootHash: "hash"}
	}
	return p
}

// P-6, S-3: whatever the order of forms, and whatever changes beside them, a
// session opens only when the password and, if the user has or must have one, a
// factor that counts now were proved, by this flow and in its time.
func TestNoOrderOfStepsLeadsPastOne(t *testing.T) {
	opened := 0
	rapid.Check(t, func(t *rapid.T) {
		var flow Flow
		var seen ghost
		now := epoch
		facts := drawFacts(t)
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 200).Draw(t, "seconds")) * time.Second)
			if rapid.IntRange(0, 4).Draw(t, "things change") == 0 {
				facts = drawFacts(t)
			}
			stage, waits := Wants(flow, facts, now)
			p := drawProof(t, stage)
			next, out := Step(flow, p, facts, now)
			if again, same := Step(flow, p, facts, now); !reflect.DeepEqual(again, next) || !reflect.DeepEqual(same, out) {
				t.Fatal("the same step has two answers")
			}
			seen.watch(p, out, stage, waits, facts, now)
			if waits && p.Fits && p.Act == wanted[stage] { // it took effect
				facts = facts.after(p, now)
			}
			switch out.Verdict {
			case Open:
				opened++
				check(t, next, seen, facts, now)
				flow, seen = Flow{}, ghost{}
			case Challenge:
				if out.Stage == StageDone || out.Stage == "" {
					t.Fatalf("a challenge with the stage %q", out.Stage)
				}
				flow = next
			default:
				if next.begun() {
					t.Fatal("a flow that ended goes on")
				}
				if p.Act != Identified && p.Act != BeganSetup && p.Act != BeganRecovery {
					flow, seen = Flow{}, ghost{}
				}
			}
		}
	})
	t.Logf("%d sessions opened", opened)
	if opened < 20 {
		t.Errorf("only %d sessions opened: the property saw too little", opened)
	}
}

// watch notes what was proved, from the outside.
func (g *ghost) watch(p Proof, out Outcome, stage Stage, waits bool, facts Facts, now time.Time) {
	switch {
	case (p.Act == Identified || p.Act == BeganSetup || p.Act == BeganRecovery) && out.Verdict != Challenge && out.Verdict != Open:
		// The flow that was there goes on.
	case p.Act == Identified && p.Fits && facts.Known && p.Method == iam.MethodPasskey:
		*g = ghost{password: now, passkey: p.Factor, unusual: len(p.Flow.Unusual) > 0, factors: map[name.ID]bool{p.Factor: true}}
	case p.Act == Identified && p.Fits && facts.Known && facts.Lane.Lock(facts.Attempts, now) == Unlocked:
		*g = ghost{password: now, unusual: len(p.Flow.Unusual) > 0, factors: map[name.ID]bool{}}
	case p.Act == BeganSetup, p.Act == BeganRecovery:
		*g = ghost{recovers: p.Act == BeganRecovery, factors: map[name.ID]bool{}}
	case !waits || !p.Fits:
	case p.Act == GaveFactor && stage == StageFactor, p.Act == BoundFactor && stage == StageBind:
		g.factors[p.Factor] = true
	case p.Act == NamedRoot && stage != StageAccount, p.Act == GavePassword && stage == StageNewPassword && g.recovers:
		g.password = now
	}
}

func check(t *rapid.T, f Flow, seen ghost, facts Facts, now time.Time) {
	counts := false
	for _, have := range facts.Factors {
		counts = counts || seen.factors[have.ID]
	}
	switch {
	case seen.password.IsZero():
		t.Fatal("a session without a password")
	case facts.Blocked || !facts.Known:
		t.Fatal("a session of a user who is blocked or gone")
	case f.Kind == Setup && (facts.TokenSpent || !seen.factors[3]):
		t.Fatal("a set-up that ended without a link or a device")
	case f.Kind == Recover && (facts.TokenSpent || !seen.factors[3] || !seen.recovers):
		t.Fatal("a recovery that ended without a link or a new device")
	case f.Kind == Setup, f.Kind == Recover:
	case now.Sub(seen.password) >= Life:
		t.Fatal("a session from a password that is too old")
	case facts.Disabled:
		t.Fatal("a session of a user whose password is disabled")
	case facts.Outside:
		t.Fatal("a session from outside the networks (N-2)")
	case seen.passkey != 0 && (!counts || !facts.Wanted.PasskeySignIn):
		t.Fatal("a session by a passkey that is none, or where passkeys do not sign in")
	case (facts.MustChange || facts.Lapsed) && seen.passkey == 0:
		t.Fatal("a session with a password that must be changed")
	case counts:
	case mustVerify(facts, seen.unusual) && !(facts.Remembered && facts.Wanted.Remember && !facts.Root && !(adaptive(facts) && seen.unusual)):
		t.Fatalf("a session without the second factor that this sign-in asks for (P-9): %+v", facts)
	}
}

func adaptive(f Facts) bool { return f.Wanted.MFAForLogin == iam.MFAAdaptive && !f.Wanted.Shadow }

// mustVerify is the rule as the account's preferences are explained to people.
func mustVerify(f Facts, unusual bool) bool {
	has := f.Bound || len(f.Factors) > 0
	switch {
	case f.Root, f.MFARequired:
		return true
	case adaptive(f) && !unusual:
		return false
	case adaptive(f):
		return has || f.Wanted.RiskLogin == iam.RiskEnforceVerify
	case f.Wanted.MFAForLogin == iam.MFAIndependent, f.Wanted.MFAForLogin == iam.MFAAdaptive:
		return has
	}
	return true
}

// C-4, C-5, P-5: the name that nobody has, the wrong password, the blocked user
// with the right one and the user without a password learn the same at the same
// budget, and the right password beyond the budget is a wrong one.
func TestRefusalsAreAlike(t *testing.T) {
	for n := range MaxFailures + 3 {
		cases := map[string]struct {
			facts Facts
			fits  bool
		}{
			"nobody":         {Facts{Lane: Lane{Failures: n}}, false},
			"no password":    {Facts{Lane: Lane{Failures: n}}, false},
			"wrong":          {Facts{Known: true, Lane: Lane{Failures: n}}, false},
			"wrong, factors": {Facts{Known: true, Lane: Lane{Failures: n}, Factors: []Factor{{ID: 1}}}, false},
			"blocked":        {Facts{Known: true, Blocked: true, Lane: Lane{Failures: n}}, false},
			"blocked, right": {Facts{Known: true, Blocked: true, Lane: Lane{Failures: n}}, true},
		}
		if n >= MaxFailures {
			cases["right"] = struct {
				facts Facts
				fits  bool
			}{Facts{Known: true, Lane: Lane{Failures: n}}, true}
		}
		for called, c := range cases {
			flow, out := Step(Flow{}, Proof{Act: Identified, Fits: c.fits, Flow: Flow{Account: 1, User: 7}}, c.facts, epoch)
			want := Outcome{Verdict: Refused, Refusal: Wrong, Count: true}
			if n >= MaxFailures {
				want = Outcome{Verdict: Refused, Refusal: TooMany}
			}
			out.Why = ""
			if !reflect.DeepEqual(out, want) || flow.begun() {
				t.Errorf("%s after %d failures: %+v, want %+v", called, n, out, want)
			}
		}
	}
}

// The stages of a sign-in, one after another.
func TestStages(t *testing.T) {
	facts := Facts{Known: true, MustChange: true, MFARequired: true}
	flow, out := Step(Flow{}, Proof{Act: Identified, Fits: true, Flow: Flow{Account: 1, User: 7}}, facts, epoch)
	if out.Verdict != Challenge || out.Stage != StageNewPassword || !out.Forgive {
		t.Fatalf("after the password: %+v", out)
	}
	flow, out = Step(flow, Proof{Act: GavePassword, Fits: true}, facts, epoch.Add(time.Minute))
	if out.Stage != StageBind {
		t.Fatalf("after the new password: %+v", out)
	}
	facts.MustChange, facts.PasswordChanged = false, epoch.Add(time.Minute)
	flow, out = Step(flow, Proof{Act: BoundFactor}, facts, epoch.Add(2*time.Minute))
	if out.Stage != StageBind || out.Refusal != WrongCode {
		t.Fatalf("after wrong codes: %+v", out)
	}
	flow, out = Step(flow, Proof{Act: BoundFactor, Fits: true, Method: iam.MethodTOTP, Factor: 5}, facts, epoch.Add(3*time.Minute))
	if out.Verdict != Open {
		t.Fatalf("after the codes: %+v", out)
	}
	s := iam.Session{Proved: flow.Proved}
	if s.Method() != "password+totp" {
		t.Errorf("the session was signed in with %q", s.Method())
	}
}

// The factor comes before the new password: the password alone changes nothing
// of a user who has a factor (P-7).
func TestFactorBeforeNewPassword(t *testing.T) {
	facts := Facts{Known: true, MustChange: true, Factors: []Factor{{ID: 5, Method: iam.MethodTOTP}}}
	flow, out := Step(Flow{}, Proof{Act: Identified, Fits: true}, facts, epoch)
	if out.Stage != StageFactor {
		t.Fatalf("after the password: %+v", out)
	}
	_, out = Step(flow, Proof{Act: GavePassword, Fits: true}, facts, epoch)
	if out.Stage != StageFactor || !out.Ignored {
		t.Fatalf("a new password instead of the code: %+v", out)
	}
}

// Changes beside a flow count at its next step: a password that an administrator
// changes ends it, a factor that is bound elsewhere is asked for.
func TestChangesBesideAFlow(t *testing.T) {
	facts := Facts{Known: true, MFARequired: true}
	flow, _ := Step(Flow{}, Proof{Act: Identified, Fits: true}, facts, epoch)
	changed := facts
	changed.PasswordChanged = epoch.Add(time.Second)
	if _, out := Step(flow, Proof{}, changed, epoch.Add(time.Minute)); out.Verdict != Ended {
		t.Errorf("after the password was changed elsewhere: %+v", out)
	}
	bound := facts
	bound.Factors = []Factor{{ID: 9, Method: iam.MethodTOTP}}
	if _, out := Step(flow, Proof{}, bound, epoch.Add(time.Minute)); out.Stage != StageFactor {
		t.Errorf("after a factor was bound elsewhere: %+v", out)
	}
	if _, out := Step(flow, Proof{}, facts, epoch.Add(Life)); out.Verdict != Ended {
		t.Errorf("after its time: %+v", out)
	}
	blocked := facts
	blocked.Blocked = true
	if _, out := Step(flow, Proof{}, blocked, epoch); out.Verdict != Refused || out.Refusal != Wrong {
		t.Errorf("after the user was blocked: %+v", out)
	}
}

// P-4: however a name is typed, it is one name.
func TestIdentify(t *testing.T) {
	for _, c := range []struct {
		account, user string
		root          bool
		want          Identity
	}{
		{"acme", "alice", false, Identity{Alias: "acme", Name: "alice"}},
		{" ACME ", "Alice\u00a0", false, Identity{Alias: "acme", Name: "alice"}},
		{"ａｃｍｅ", "ａｌｉｃｅ", false, Identity{Alias: "acme", Name: "alice"}},
		{"123456789012", "alice", false, Identity{Account: 123456789012, Name: "alice"}},
		{"", "alice@acme", false, Identity{Alias: "acme", Name: "alice"}},
		{"", "alice@123456789012", false, Identity{Account: 123456789012, Name: "alice"}},
		{"", "a@b@acme", false, Identity{Alias: "acme", Name: "a@b"}},
		{"acme", "alice@example.com", false, Identity{Alias: "acme", Name: "alice@example.com"}},
		{"", "Root@Example.com", false, Identity{Root: true, Email: "root@example.com"}},
		{"", "root@localhost", true, Identity{Root: true, Email: "root@localhost"}},
		{"acme", "root@example.com", true, Identity{Root: true, Email: "root@example.com"}},
		{"", "alice", false, Identity{Root: true, Email: "alice"}},
		{"", "alice@", false, Identity{Root: true, Email: "alice@"}},
	} {
		if got := Identify(c.account, c.user, c.root); got != c.want {
			t.Errorf("Identify(%q, %q, %v) = %+v, want %+v", c.account, c.user, c.root, got, c.want)
		}
	}
	for _, odd := range []string{strings.Repeat("x", MaxIdentifier+1), "al\x00ice", "al\nice", "\xff\xfe"} {
		if Identify("acme", odd, false) != (Identity{}) || Identify(odd, "alice", false) != (Identity{}) || Identify("", odd, true) != (Identity{}) {
			t.Errorf("%q is looked at", odd)
		}
	}
	a, b := Identify("acme", "nobody", false), Identify("", "NOBODY@acme", false)
	if a.Key(42) != b.Key(42) || a.Key(42) != Identify("000000000042", "nobody", false).Key(0) {
		t.Error("one name has several counters")
	}
}

func FuzzIdentify(f *testing.F) {
	f.Add("acme", "alice@example.com", false)
	f.Add("", "ＡＬＩＣＥ@acme", true)
	f.Fuzz(func(t *testing.T, account, user string, root bool) {
		who := Identify(account, user, root)
		if again := Identify(account, user, root); again != who {
			t.Fatal("two readings of one name")
		}
		if len(who.Name) > MaxIdentifier || len(who.Email) > MaxIdentifier {
			t.Fatal("a name that is too long")
		}
	})
}

// What RuleOf says of a user is what Step does.
func TestRuleIsWhatHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFacts(t)
		f.Known, f.Blocked, f.Outside, f.Disabled, f.Lapsed, f.MustChange = true, false, false, false, false, false
		f.Lane, f.Remembered, f.Wanted.LinkOnly, f.PasswordChanged = Lane{}, false, false, time.Time{}
		if f.Bound && len(f.Factors) == 0 {
			f.Factors = []Factor{{ID: 1, Method: iam.MethodTOTP}}
		}
		at := func(unusual ...Reason) Stage {
			_, out := Step(Flow{}, Proof{Act: Identified, Fits: true, Flow: Flow{Kind: SignIn, User: 7, Unusual: unusual}}, f, epoch)
			return out.Stage
		}
		want := AskedNever
		switch usual := at(); {
		case usual == StageFactor:
			want = AskedAlways
		case usual == StageBind:
			want = AskedToBind
		case at(NewDevice) != StageDone:
			want = AskedUnusual
		}
		got := RuleOf(f)
		if got.Asked != want || (got.Source == ByNobody) != (want == AskedNever) {
			t.Fatalf("%+v, but it is %q for %+v", got, want, f)
		}
	})
}
