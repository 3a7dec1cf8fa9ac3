package console

import "testing"

// A page's time in the server, operations and database included.
func BenchmarkSecurityPage(b *testing.B) {
	s := open(b)
	s.user(b, "alice", adminWord, false, "arn:aws:iam::aws:policy/AdministratorAccess")
	s.signIn(b, "alice", adminWord)
	for b.Loop() {
		if w := s.get("/security"); w.Code != 200 {
			b.Fatal(w.Code)
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
