package ops_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"warifu/internal/ops"
	"warifu/internal/password"
	"warifu/internal/signin"
)

// C-6, P-5: a name that nobody has costs the server the comparison of a password,
// as a name that somebody has does, whatever is wrong; so does a sign-in beyond its
// budget. It is measured by the memory that the comparison takes, which dwarfs all
// the rest: a clock would tell the same, and flake.
func TestC6EqualWorkForEveryName(t *testing.T) {
	h := lite(t)
	const memory = 16 << 20
	h.Server = h.nodeOf(h.store, password.Cost{Memory: memory >> 10, Time: 1, Threads: 1})
	h.rootSetUp()
	h.user("alice")
	h.user("blocked")
	h.user("spent")
	run(h, h.byAdmin(), ops.CreateUser, ops.CreateUserIn{Name: "keysonly"})
	run(h, h.byAdmin(), ops.BlockUser, ops.BlockUserIn{User: ops.Ref{Name: "blocked"}})
	for range signin.MaxFailures {
		h.desk().name("spent", "wrong")
	}
	for called, form := range map[string]ops.SubmitPassword{
		"wrong password":   {Account: "acme", User: "alice"},
		"right password":   {Account: "acme", User: "alice", Password: secret(firstPassword)},
		"beyond budget":    {Account: "acme", User: "spent"},
		"no password":      {Account: "acme", User: "keysonly"},
		"blocked":          {Account: "acme", User: "blocked", Password: secret(firstPassword)},
		"nobody":           {Account: "acme", User: "mallory"},
		"no account":       {Account: "nowhere", User: "alice"},
		"root":             {User: rootAddress},
		"no root":          {User: "nobody@example.com"},
		"unreadable":       {Account: "acme\x00", User: "alice"},
		"a very long name": {Account: "acme", User: strings.Repeat("x", 5000)},
	} {
		if form.Password.Empty() {
			form.Password = secret("not the password")
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		h.desk().send(form, false)
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took < memory || took > memory*3/2 {
			t.Errorf("%s: %d KiB, want those of one comparison, %d KiB", called, took>>10, memory>>10)
		}
	}
}

// P-4: a name is one name, however it is typed: all spellings share one budget, of a
// user and of a name that nobody has.
func TestP4SpellingsShareOneBudget(t *testing.T) {
	homes(t, func(h *home) {
		h.user("alice")
		number := "123456789012"
		if n := fmt.Sprint(h.byAdmin().Caller.Account); len(n) == len(number) {
			number = n
		}
		for _, who := range []string{"alice", "nobody"} {
			wide := strings.Map(func(r rune) rune { return r - 'a' + 'ａ' }, who)
			spellings := []ops.SubmitPassword{
				{Account: "acme", User: who}, {Account: "ACME", User: strings.ToUpper(who)}, {Account: " acme ", User: who + "\u00a0"},
				{Account: "ａｃｍｅ", User: wide}, {User: who + "@acme"}, {User: strings.ToUpper(who) + "@Acme"}, {Account: number, User: who}, {User: who + "@" + number},
			}
			for i := range signin.MaxFailures {
				form := spellings[i%len(spellings)]
				form.Password = secret("wrong")
				if step := h.desk().send(form, false); step.Refusal != signin.Wrong {
					h.Fatalf("%s, attempt %d as %q: %q", who, i, form.User, step.Refusal)
				}
			}
			for _, form := range spellings {
				form.Password = secret(firstPassword)
				if step := h.desk().send(form, false); step.Refusal != signin.TooMany {
					h.Errorf("%q at %q has a budget of its own: %q", form.User, form.Account, step.Refusal)
				}
			}
			// A letter that only looks like another is another name.
			form := ops.SubmitPassword{Account: "acme", User: strings.ReplaceAll(strings.ReplaceAll(who, "i", "ı"), "o", "ο"), Password: secret("wrong")}
			if step := h.desk().send(form, false); step.Refusal != signin.Wrong {
				h.Errorf("%q is taken for %q: %q", form.User, who, step.Refusal)
			}
		}
	})
}
