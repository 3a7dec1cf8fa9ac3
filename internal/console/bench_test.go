package console

import (
	"context"
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/store"
	"warifu/internal/testkit"
)

// Every page's time in the server, operations and database included, where an
// account has 10,000 users; its size; and what it takes of the processor, which
// tells more where others use the machine.
func BenchmarkPages(b *testing.B) {
	s, forced := office(b)
	s.con.Services = []Service{{"ec2", "ec2"}}
	crowd(b, s, 10_000)
	s.signIn(b, "boss", adminWord)
	pages := adminPages(forced)
	for _, path := range []string{
		"/security", "/security/activity", "/security/notices", "/security/password", "/security/mfa/new", "/security/keys/new",
		"/console/users?q=999", "/console/users?show=nomfa", "/console/users?show=blocked", "/console/users?show=idle",
	} {
		pages[path] = ""
	}
	for _, path := range slices.Sorted(maps.Keys(pages)) {
		b.Run(strings.ReplaceAll(path, "/", "_"), func(b *testing.B) {
			began, size := processorTime(b), 0
			for b.Loop() {
				w := s.do(httptest.NewRequest("GET", origin+path, nil))
				if w.Code != 200 {
					b.Fatal(w.Code)
				}
				size = w.Body.Len()
			}
			b.ReportMetric(float64((processorTime(b)-began).Microseconds())/1000/float64(b.N), "cpu-ms/op")
			b.ReportMetric(float64(size)/1024, "KiB")
		})
	}
}

// processorTime is what this process has used of the processors.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// crowd adds users straight to the store: one in three with a key, one in two
// with a password and no device.
func crowd(t testing.TB, s *site, n int) {
	t.Helper()
	for at := 0; at < n; at += 1000 {
		err := s.Store.Update(context.Background(), func(tx *store.Tx) error {
			for i := at; i < min(at+1000, n); i++ {
				id, err := name.NewID(s.Rand)
				if err != nil {
					return err
				}
				u := &iam.User{ID: id, Account: testkit.Account, Name: fmt.Sprintf("user%05d", i), Path: "/", Created: testkit.Epoch}
				if err := tx.InsertUser(u); err != nil {
					return err
				}
				if i%2 == 0 {
					if err := tx.InsertLoginProfile(testkit.Account, &iam.LoginProfile{User: id, Hash: "x", Created: testkit.Epoch, Changed: testkit.Epoch}); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func BenchmarkSignInPage(b *testing.B) {
	s := open(b)
	for b.Loop() {
		if w := s.get("/signin"); w.Code != 200 {
			b.Fatal(w.Code)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	s := open(b)
	for b.Loop() {
		consoleOf(b, s.World, origin)
	}
}
