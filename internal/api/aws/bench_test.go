package aws_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/reqsig/sigv4"
	"warifu/internal/store"
	"warifu/internal/testkit"
)

// callers is how many clients ask at once, each one request after the other.
const callers = 8

// signedForm is a signed request as bytes: made ahead, so that the benchmark
// weighs the server and not the signing client.
type signedForm struct {
	header http.Header
	body   []byte
}

func sign(t testing.TB, d *door, base *url.URL, form url.Values) signedForm {
	t.Helper()
	body := []byte(form.Encode())
	sum := sha256.Sum256(body)
	r := &sigv4.Request{
		Method: "POST", Host: base.Host, Path: "/", BodyHash: hex.EncodeToString(sum[:]),
		Header: map[string][]string{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}},
	}
	creds := sigv4.Credentials{AccessKeyID: d.AccessKeyID, Secret: d.SecretAccessKey}
	if _, err := sigv4.Sign(r, creds, d.Clock.Now(), sigv4.SignOptions{Region: "us-east-1", Service: "iam"}); err != nil {
		t.Fatal(err)
	}
	return signedForm{r.Header, body}
}

// betweenRequests is how far the clock goes on at each request: events of one
// moment are stored in no order, which takes longer and does not happen.
const betweenRequests = 50 * time.Microsecond

// drive sends b.N requests from callers clients and reports requests per second,
// the processor's time for one, and how long one takes.
func drive(b *testing.B, d *door, target string, next func() signedForm) {
	b.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: callers}}
	defer client.CloseIdleConnections()
	var left atomic.Int64
	left.Store(int64(b.N))
	failed := make(chan error, callers)
	took := make([]time.Duration, b.N)
	b.ResetTimer()
	began, spent := time.Now(), processorTime()
	for range callers {
		go func() {
			for i := left.Add(-1); i >= 0; i = left.Add(-1) {
				asked := time.Now()
				d.Clock.Advance(betweenRequests)
				f := next()
				req, err := http.NewRequest("POST", target, bytes.NewReader(f.body))
				if err != nil {
					failed <- err
					return
				}
				req.Header = f.header
				resp, err := client.Do(req)
				if err != nil {
					failed <- err
					return
				}
				text, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					failed <- fmt.Errorf("%s: %s", resp.Status, text)
					return
				}
				took[i] = time.Since(asked)
			}
			failed <- nil
		}()
	}
	for range callers {
		if err := <-failed; err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "req/s")
	b.ReportMetric(float64((processorTime()-spent).Microseconds())/float64(b.N), "cpu-µs/op")
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
}

// processorTime is what this process, clients and server, has used: unlike the
// rate it hardly depends on what else the machine does.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// floor is the least that a server can do for the same request: read it, verify
// the signature, answer.
func floor(d *door) http.Handler {
	keys := sigv4.NewKeyCache(1)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sum := sha256.Sum256(body)
		req := &sigv4.Request{Method: r.Method, Host: r.Host, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Header: r.Header, BodyHash: hex.EncodeToString(sum[:])}
		sig, err := sigv4.Parse(req)
		if err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		key, ok := keys.Get(sig.AccessKeyID, sig.Scope)
		if !ok {
			key = sigv4.DeriveKey(d.SecretAccessKey, sig.Scope)
			keys.Put(sig.AccessKeyID, sig.Scope, key)
		}
		if err := sig.Verify(req, key, d.Clock.Now(), sigv4.Options{Service: "iam"}); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Type", "text/xml")
		io.WriteString(w, `<GetUserResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetUserResult/></GetUserResponse>`)
	})
}

var getUser = url.Values{"Action": {"GetUser"}, "Version": {"2010-05-08"}}

// BenchmarkGetUser weighs a signed GetUser through the whole server on SQLite
// against a bare server that only verifies the signature: at least half its
// rate.
func BenchmarkGetUser(b *testing.B) {
	d := open(b, testkit.New(b))
	bare := httptest.NewServer(floor(d))
	b.Cleanup(bare.Close)
	for _, side := range []struct{ name, url string }{{"floor", bare.URL}, {"warifu", d.url}} {
		b.Run(side.name, func(b *testing.B) {
			base, _ := url.Parse(side.url)
			f := sign(b, d, base, getUser)
			drive(b, d, side.url+"/", func() signedForm { return f })
		})
	}
}

// BenchmarkCreateUser weighs durable creation of users with their events on
// SQLite. The figure to beat is 2,800/s: ten times moto, which keeps its users
// in memory.
func BenchmarkCreateUser(b *testing.B) {
	d := open(b, testkit.New(b))
	base, _ := url.Parse(d.url)
	var serial atomic.Int64
	ahead := make(chan signedForm, 4096)
	go func() {
		for {
			name := "user-" + strconv.FormatInt(serial.Add(1), 10)
			select {
			case ahead <- sign(b, d, base, url.Values{"Action": {"CreateUser"}, "Version": {"2010-05-08"}, "UserName": {name}}):
			case <-b.Context().Done():
				return
			}
		}
	}()
	b.Run("sqlite", func(b *testing.B) { drive(b, d, d.url+"/", func() signedForm { return <-ahead }) })
}

// BenchmarkScale weighs GetUser and the first page of ListUsers at 1,000 and at
// 1,000,000 users: the medians shall be within 1.3 of each other. What is
// compared is measured together, for the machine's mood changes.
func BenchmarkScale(b *testing.B) {
	sizes := []int{1_000, 1_000_000}
	doors := make([]*door, len(sizes))
	for i, users := range sizes {
		doors[i] = open(b, testkit.New(b))
		populate(b, doors[i], users)
	}
	for _, ask := range []url.Values{
		{"Action": {"GetUser"}, "Version": {"2010-05-08"}, "UserName": {"user-0000500"}},
		{"Action": {"ListUsers"}, "Version": {"2010-05-08"}},
	} {
		for i, users := range sizes {
			d := doors[i]
			base, _ := url.Parse(d.url)
			b.Run(fmt.Sprintf("%s/%d", ask.Get("Action"), users), func(b *testing.B) {
				f := sign(b, d, base, ask)
				drive(b, d, d.url+"/", func() signedForm { return f })
			})
		}
	}
}

// populate writes users straight into the store.
func populate(b *testing.B, d *door, users int) {
	b.Helper()
	const batch = 10_000
	for from := 0; from < users; from += batch {
		err := d.Store.Update(context.Background(), func(tx *store.Tx) error {
			for i := from; i < min(from+batch, users); i++ {
				id, err := name.NewID(d.Rand)
				if err != nil {
					return err
				}
				u := iam.User{ID: id, Account: testkit.Account, Name: fmt.Sprintf("user-%07d", i), Path: "/", Created: testkit.Epoch}
				if err := tx.InsertUser(&u); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
