package deliver

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"warifu/internal/audit"
	"warifu/internal/ops"
	"warifu/internal/reqsig/sigv4"
	"warifu/internal/seal"
	"warifu/internal/testkit"
)

// taker is a place that can be out of reach.
type taker struct {
	mu   sync.Mutex
	down bool
	got  []string
}

func (k *taker) Send(_ context.Context, b ops.TrailBatch) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.down {
		return errors.New("it is out of reach")
	}
	k.got = append(k.got, b.Bodies...)
	return nil
}

// world is a trail with users in it, sealed.
func world(t *testing.T, users int) *testkit.World {
	t.Helper()
	w := testkit.New(t)
	more(t, w, "a", users)
	return w
}

func more(t *testing.T, w *testkit.World, prefix string, users int) {
	t.Helper()
	for i := range users {
		w.Clock.Advance(time.Second)
		testkit.Do(t, w, w.Admin(t), ops.CreateUser, ops.CreateUserIn{Name: fmt.Sprintf("%s%03d", prefix, i)})
	}
	if _, err := w.SealTrail(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func worker(w *testkit.World, s Sink) *Worker {
	return &Worker{Name: "test", Sink: s, Source: w, Log: slog.New(slog.DiscardHandler), Now: w.Now, Batch: 7}
}

// created are the users whose creation was delivered, in order.
func created(bodies []string) (all []string) {
	for _, b := range bodies {
		if strings.Contains(b, `"operation":"CreateUser"`) {
			_, rest, _ := strings.Cut(b, `"userName":"`)
			name, _, _ := strings.Cut(rest, `"`)
			all = append(all, name)
		}
	}
	return all
}

// Everything arrives, in order, over restarts and times without reach; a failure
// that lasts is an event, and so is its end.
func TestDelivery(t *testing.T) {
	ctx := context.Background()
	w := world(t, 20)
	place := &taker{}
	if err := worker(w, place).Deliver(ctx); err != nil {
		t.Fatal(err)
	}
	if all := created(place.got); len(all) < 20 || all[len(all)-1] != "a019" || all[len(all)-20] != "a000" {
		t.Fatalf("got %v", all)
	}
	n := len(place.got)

	place.down = true
	more(t, w, "b", 10)
	again := worker(w, place) // after a restart
	for range 3 {
		err := again.Deliver(ctx)
		if err == nil {
			t.Fatal("delivered out of reach")
		}
		again.failed(ctx, err)
		w.Clock.Advance(3 * time.Minute)
	}
	if again.Behind() < 9*time.Minute || !again.Lag().Failing {
		t.Errorf("behind by %s", again.Behind())
	}
	place.down = false
	if err := again.Deliver(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := w.SealTrail(ctx); err != nil {
		t.Fatal(err)
	}
	if err := again.Deliver(ctx); err != nil {
		t.Fatal(err)
	}
	if again.Behind() != 0 || again.Lag().Failing {
		t.Errorf("behind by %s", again.Behind())
	}
	names := created(place.got[n:])
	if len(names) != 10 || names[0] != "b000" || names[9] != "b009" {
		t.Errorf("got %v", names)
	}
	seen := map[string]int{}
	for _, b := range place.got {
		id, _, _ := strings.Cut(strings.TrimPrefix(b, `{"id":"`), `"`)
		seen[id]++
	}
	if len(seen) != len(place.got) {
		t.Errorf("%d of %d are different", len(seen), len(place.got))
	}
	for _, operation := range []string{"StartTrailDelivery", "TrailDeliveryFailing", "TrailDeliveryResumed"} {
		if found := testkit.Do(t, w, w.Admin(t), ops.LookupEvents, ops.LookupEventsIn{Query: audit.Query{Operation: operation}}).Items; len(found) != 1 || found[0].Params["sink"] != "test" {
			t.Errorf("%s: %v", operation, found)
		}
	}
	if err := w.KeepSinks(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if found := testkit.Do(t, w, w.Admin(t), ops.LookupEvents, ops.LookupEventsIn{Query: audit.Query{Operation: "StopTrailDelivery"}}).Items; len(found) != 1 {
		t.Errorf("a place that is configured no more: %v", found)
	}
}

// What a place has not got is not removed when its time comes.
func TestRetentionWaitsForDelivery(t *testing.T) {
	ctx := context.Background()
	w := world(t, 5)
	place := &taker{down: true}
	d := worker(w, place)
	if err := d.Deliver(ctx); err == nil {
		t.Fatal("delivered out of reach")
	}
	w.Clock.Advance(48 * time.Hour)
	if err := w.ThinTrail(ctx, 24*time.Hour); err != nil {
		t.Fatal(err)
	}
	place.down = false
	if err := d.Deliver(ctx); err != nil || len(created(place.got)) < 5 {
		t.Errorf("%v: %v", created(place.got), err)
	}
	if err := w.ThinTrail(ctx, 24*time.Hour); err != nil {
		t.Fatal(err)
	}
	if b, err := w.TrailFrom(ctx, 0, 3); err != nil || len(b.Bodies) != 0 || b.Next != 3 {
		t.Errorf("%+v, %v", b, err)
	}
}

var some = ops.TrailBatch{First: 3, Next: 5, Oldest: testkit.Epoch, Bodies: []string{
	`{"id":"one","at":"2026-01-15T09:00:00.5Z"}`, `{"id":"two","at":"2026-01-15T09:00:01Z"}`,
}}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trail.jsonl")
	f := &File{Path: path}
	for range 2 {
		if err := f.Send(context.Background(), some); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(path, path+".1"); err != nil { // rotated
		t.Fatal(err)
	}
	if err := f.Send(context.Background(), some); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{path + ".1": 4, path: 2} {
		b, err := os.ReadFile(name)
		if err != nil || strings.Count(string(b), "\n") != want || !strings.HasPrefix(string(b), some.Bodies[0]+"\n") {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	if err := (&File{Path: filepath.Join(path, "x")}).Send(context.Background(), some); err == nil {
		t.Error("written to nowhere")
	}
}

func TestWebhook(t *testing.T) {
	status := 204
	var got *http.Request
	var body []byte
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(status)
	}))
	defer srv.Close()
	to, _ := url.Parse(srv.URL + "/take?key=hunter2")
	h := &Webhook{URL: to, Secret: seal.NewSecret([]byte("0123456789abcdef")), Now: func() time.Time { return testkit.Epoch }}
	if err := h.Send(context.Background(), some); err != nil {
		t.Fatal(err)
	}
	if string(body) != strings.Join(some.Bodies, "\n")+"\n" || got.Header.Get("Warifu-Trail") != "3-5" || !strings.HasPrefix(got.Header.Get("Warifu-Signature"), "t=1768467600,v1=") {
		t.Errorf("%q, %v", body, got.Header)
	}
	for _, status = range []int{301, 400, 500} {
		if err := h.Send(context.Background(), some); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%d: %v", status, err)
		}
	}
	srv.Close()
	if err := h.Send(context.Background(), some); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("nobody there: %v", err)
	}
}

func TestBucket(t *testing.T) {
	key := sigv4.Credentials{AccessKeyID: "AKIAEXAMPLE", Secret: "secret"}
	var path, text string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sum := sha256.Sum256(body)
		if r.Header.Get("X-Amz-Content-Sha256") != hex.EncodeToString(sum[:]) || !strings.Contains(r.Header.Get("Authorization"), "Credential=AKIAEXAMPLE/20260115/eu-west-1/s3/aws4_request") {
			w.WriteHeader(403)
			return
		}
		again := http.Header{"Content-Type": r.Header["Content-Type"]}
		if _, err := sigv4.Sign(&sigv4.Request{Method: r.Method, Host: r.Host, Path: r.URL.EscapedPath(), Header: again, BodyHash: hex.EncodeToString(sum[:])},
			key, testkit.Epoch, sigv4.SignOptions{Region: "eu-west-1", Service: "s3", S3: true}); err != nil || again.Get("Authorization") != r.Header.Get("Authorization") {
			w.WriteHeader(403)
			return
		}
		z, err := gzip.NewReader(strings.NewReader(string(body)))
		if err != nil {
			w.WriteHeader(400)
			return
		}
		b, _ := io.ReadAll(z)
		path, text = r.URL.Path, string(b)
	}))
	defer srv.Close()
	to, _ := url.Parse(srv.URL + "/bucket/pre fix")
	s := &Bucket{URL: to, Region: "eu-west-1", Key: key, Now: func() time.Time { return testkit.Epoch }}
	if err := s.Send(context.Background(), some); err != nil {
		t.Fatal(err)
	}
	if path != "/bucket/pre fix/2026/01/15/00000000000000000003-00000000000000000005.jsonl.gz" || text != strings.Join(some.Bodies, "\n")+"\n" {
		t.Errorf("%s: %q", path, text)
	}
	s.Key.AccessKeyID = "AKIAOTHER"
	if err := s.Send(context.Background(), some); err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("another's key: %v", err)
	}
}

func TestSyslog(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	messages, conns := make(chan string, 10), make(chan net.Conn, 10)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns <- c
			go func() {
				r := bufio.NewReader(c)
				for {
					length, err := r.ReadString(' ')
					if err != nil {
						return
					}
					n, _ := strconv.Atoi(strings.TrimSpace(length))
					b := make([]byte, n)
					if _, err := io.ReadFull(r, b); err != nil {
						return
					}
					messages <- string(b)
				}
			}()
		}
	}()
	s := &Syslog{Address: l.Addr().String(), Host: "iam1"}
	for round := range 2 {
		if err := s.Send(context.Background(), some); err != nil {
			t.Fatal(err)
		}
		for i := range some.Bodies {
			want := `<109>1 2026-01-15T09:00:00.500000Z iam1 warifu - event [warifu@0 id="one"] ` + some.Bodies[0]
			if m := <-messages; i == 0 && m != want {
				t.Errorf("got  %s\nwant %s", m, want)
			}
		}
		if round == 0 { // the server restarts
			(<-conns).Close()
			time.Sleep(20 * time.Millisecond)
		}
	}
	l.Close()
	(<-conns).Close()
	time.Sleep(20 * time.Millisecond)
	if err := s.Send(context.Background(), some); err == nil {
		t.Error("delivered to nobody")
	}
}

// Security checklist K-4: a database that was set back shows by the checkpoints
// that were put elsewhere.
func TestK4Anchor(t *testing.T) {
	ctx := context.Background()
	w := world(t, 3)
	var posted []string
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		posted = append(posted, string(b))
	}))
	defer srv.Close()
	to, _ := url.Parse(srv.URL)
	path := filepath.Join(t.TempDir(), "anchor")
	a := &Anchor{Trail: w, File: path, URL: to, Log: slog.New(slog.DiscardHandler), Now: w.Now}
	if err := a.Check(ctx); err != nil {
		t.Errorf("before the first: %v", err)
	}
	for i := range 4 {
		if err := a.Put(ctx); err != nil {
			t.Fatal(err)
		}
		if i%2 == 1 {
			more(t, w, fmt.Sprint("m", i), 2)
		}
	}
	if err := a.Put(ctx); err != nil {
		t.Fatal(err)
	}
	if len(posted) != 3 || posted[0] == posted[1] {
		t.Errorf("posted %d", len(posted))
	}
	if err := a.Check(ctx); err != nil {
		t.Errorf("the trail that was anchored: %v", err)
	}
	other := world(t, 3) // as if the database had been replaced
	b := &Anchor{Trail: other, File: path, Log: slog.New(slog.DiscardHandler), Now: w.Now}
	if err := b.Check(ctx); err == nil {
		t.Error("another trail passes for it")
	}
}
