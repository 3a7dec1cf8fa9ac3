package ops_test

import (
	"context"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"warifu/internal/ops"
	"warifu/internal/password"
	"warifu/internal/testkit"
)

// What a sign-in costs besides argon2id, next to what argon2id costs: with the
// password and a code, in time and in what it takes of the processors, database
// included. It is to stay below 10 %.
func BenchmarkSignInBesidesPassword(b *testing.B) {
	w := testkit.Build(b, filepath.Join(b.TempDir(), "warifu.db"), discard{})
	admin := w.Admin(b)
	testkit.Do(b, w, admin, ops.CreateUser, ops.CreateUserIn{Name: "alice"})
	testkit.Do(b, w, admin, ops.CreateLoginProfile, ops.CreateLoginProfileIn{User: ops.Ref{Name: "alice"}, Password: secret(firstPassword)})
	d := testkit.Do(b, w, admin, ops.CreateVirtualMFADevice, ops.CreateVirtualMFADeviceIn{Name: "alice"})
	seed := string(d.SeedText.Reveal())
	one, two := testkit.Code(b, seed, w.Clock.Now().Add(-30*time.Second)), testkit.Code(b, seed, w.Clock.Now())
	testkit.Do(b, w, admin, ops.EnableMFADevice, ops.PairIn{User: ops.Ref{Name: "alice"}, Serial: d.ARN(), Code1: one, Code2: two})

	const times = 20
	hasher, err := password.NewHasher(password.NewGate(1, 1), password.DefaultCost())
	if err != nil {
		b.Fatal(err)
	}
	hash, err := hasher.Hash(context.Background(), w.Rand, secret(firstPassword))
	if err != nil {
		b.Fatal(err)
	}
	began, used := time.Now(), processors(b)
	for range times {
		if ok, _, err := hasher.Verify(context.Background(), secret(firstPassword), hash); err != nil || !ok {
			b.Fatal(ok, err)
		}
	}
	argon, argonUsed := time.Since(began)/times, (processors(b)-used)/times

	call := ops.Call{Source: admin.Source}
	submit := func(in ops.SignInIn) *ops.SignInStep {
		return testkit.Do(b, w, call, ops.SignIn, in)
	}
	began, used = time.Now(), processors(b)
	n := 0
	for b.Loop() {
		w.Clock.Advance(time.Minute)
		step := submit(ops.SignInIn{Form: ops.SubmitPassword{Account: "acme", User: "alice", Password: secret(firstPassword)}})
		step = submit(ops.SignInIn{Flow: step.Cookie, Form: ops.SubmitFactor{Response: ops.Response{Code: testkit.Code(b, seed, w.Clock.Now())}}})
		if step.Session == nil {
			b.Fatalf("%+v", step)
		}
		n++
	}
	rest, restUsed := time.Since(began)/time.Duration(n), (processors(b)-used)/time.Duration(n)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(ms(argon), "argon2id-ms")
	b.ReportMetric(ms(rest), "rest-ms")
	b.ReportMetric(100*ms(rest)/ms(argon), "rest-%")
	b.ReportMetric(100*ms(restUsed)/ms(argonUsed), "rest-cpu-%")
}

// processors is what this process has used of them.
func processors(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
