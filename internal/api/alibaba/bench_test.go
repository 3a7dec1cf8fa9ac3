package alibaba_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"warifu/internal/api/alibaba"
	"warifu/internal/testkit"
)

// BenchmarkGetUser weighs a signed GetUser within the process: reading, verifying,
// the nonce, policy, the answer and its event. The client's own work is done
// before. BenchmarkGetUser of internal/api/aws weighs the same at that door.
func BenchmarkGetUser(b *testing.B) {
	w := testkit.New(b)
	d := open(b, w)
	queries := make([]string, b.N)
	for i := range queries {
		queries[i] = d.signed("POST", ram, "GetUser", "UserName", "admin").Encode()
	}
	h := alibaba.New(alibaba.Config{Ops: w.Server, Log: slog.New(slog.DiscardHandler), Client: client})
	b.ReportAllocs()
	for i := range b.N {
		w.Clock.Advance(50 * time.Microsecond)
		r := httptest.NewRequest("POST", "/?"+queries[i], nil)
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if rec.Code != http.StatusOK {
			b.Fatal(rec.Body)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}
