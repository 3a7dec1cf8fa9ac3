package console

import (
	"net/http/httptest"
	"net/url"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"warifu/internal/testkit"
)

// P-1: of 500 people who sign in at the same moment those who find no room are
// told at once, on the wire, to come again; nobody's request fails, and the memory
// is that of the few whose passwords are compared.
func TestP1FiveHundredAtTheDoor(t *testing.T) {
	const people, waiting = 500, 8
	w := testkit.Crowded(t, waiting)
	con := consoleOf(t, w, origin)
	first := &site{World: w, con: con, cookies: map[string]string{}}
	first.get("/signin")
	token := first.cookies["__Host-"+cookieForm]
	debug.FreeOSMemory()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)

	var wg sync.WaitGroup
	var mu sync.Mutex
	got := map[int]int{}
	start := make(chan struct{})
	for range people {
		wg.Go(func() {
			form := url.Values{"token": {token}, "account": {"acme"}, "user": {"admin"}, "password": {"nope nope nope"}}
			r := httptest.NewRequest("POST", origin+"/signin", strings.NewReader(form.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			r.Header.Set("Cookie", "__Host-"+cookieForm+"="+token)
			<-start
			answer := httptest.NewRecorder()
			con.ServeHTTP(answer, r)
			mu.Lock()
			defer mu.Unlock()
			got[answer.Code]++
			if busy := answer.Code == 429; busy != (answer.Header().Get("Retry-After") == afterCrowd) {
				t.Errorf("%d comes with Retry-After %q", answer.Code, answer.Header().Get("Retry-After"))
			} else if busy && !strings.Contains(text(answer), "Wait") && !strings.Contains(text(answer), "again") {
				t.Errorf("the page does not say what to do: %s", text(answer))
			}
		})
	}
	close(start)
	wg.Wait()
	runtime.ReadMemStats(&after)
	grown := (int64(after.Sys) - int64(before.Sys)) >> 20
	t.Logf("answers %v; the process took %d MiB more", got, grown)
	if got[429] < people/2 || got[422] <= waiting || got[429]+got[422] != people {
		t.Errorf("answers: %v", got)
	}
	if grown > 256 { // 500 comparisons at once would take 9,500 MiB
		t.Errorf("the process took %d MiB more", grown)
	}
}
