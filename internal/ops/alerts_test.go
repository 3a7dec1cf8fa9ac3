package ops_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/store"
)

// alertsSent are the messages of alerts that wait.
func (h *home) alertsSent() (all []iam.Message) {
	h.Helper()
	for {
		got, err := h.ClaimMessages(context.Background(), iam.ChannelWebhook, 100, time.Minute)
		h.must(err)
		if len(got) == 0 {
			break
		}
		for _, m := range got {
			h.must(h.MessageSent(context.Background(), m.ID))
			all = append(all, m)
		}
	}
	for _, m := range h.letters() {
		if m.Kind == iam.MessageAlert {
			all = append(all, m)
		}
	}
	return all
}

// history is what an alert's history says, newest first.
func (h *home) history() (s string) {
	h.Helper()
	for _, m := range run(h, h.byAdmin(), ops.ListAlerts, struct{}{}).History {
		s += fmt.Sprint(m.Outcome, " ", m.Found, " ")
	}
	return s
}

// An alert fires once in its span, on one of several nodes, after a restart, too;
// it clears, and fires again; a query that cannot be asked shows.
func TestAlerts(t *testing.T) {
	posted(t, func(h *home) {
		ctx := context.Background()
		h.bindMail("admin", "admin@example.com")
		run(h, h.byAdmin(), ops.SaveQuery, ops.KeptQueryIn{Name: "made", Where: "event = 'CreateUser'"})
		good := ops.AlertIn{Name: "many", Query: "made", Threshold: 2, Span: 10 * time.Minute, Mail: "admin", Webhook: "https://hooks.example.com/x?key=canary"}
		for what, change := range map[string]func(*ops.AlertIn){
			"no threshold": func(in *ops.AlertIn) { in.Threshold = 0 }, "a short span": func(in *ops.AlertIn) { in.Span = time.Minute },
			"nobody": func(in *ops.AlertIn) { in.Mail, in.Webhook = "", "" }, "plain http": func(in *ops.AlertIn) { in.Webhook = "http://hooks.example.com" },
			"a password": func(in *ops.AlertIn) { in.Webhook = "https://a:b@hooks.example.com" },
		} {
			in := good
			change(&in)
			if _, err := ops.Run(ctx, h.Server, h.byAdmin(), ops.PutAlert, in); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", what, err)
			}
		}
		no(h, fault.NotFound, h.byAdmin(), ops.PutAlert, ops.AlertIn{Name: "x", Query: "none", Threshold: 1, Span: time.Hour, Mail: "admin"})
		no(h, fault.NotFound, h.byAdmin(), ops.PutAlert, ops.AlertIn{Name: "x", Query: "made", Threshold: 1, Span: time.Hour, Mail: "nobody"})
		run(h, h.byAdmin(), ops.PutAlert, good)
		no(h, fault.Conflict, h.byAdmin(), ops.DeleteQuery, "made")
		check := func() {
			t.Helper()
			h.clock.Advance(ops.AlertEvery)
			h.must(h.CheckAlerts(ctx))
		}
		want := func(what string, messages int, history string) {
			t.Helper()
			if all := h.alertsSent(); len(all) != messages {
				t.Errorf("%s: %d messages, want %d: %+v", what, len(all), messages, all)
			}
			if got := h.history(); got != history {
				t.Errorf("%s: the history is %q, want %q", what, got, history)
			}
		}
		make := func(n int) {
			for range n {
				h.clock.Advance(time.Millisecond)
				run(h, h.byAdmin(), ops.CreateUser, ops.CreateUserIn{Name: fmt.Sprint("u", h.clock.Now().UnixMicro())})
			}
		}
		make(1)
		check()
		want("one event", 0, "")
		make(1)
		second := h.node(h.store)
		second.Deliver(everything)
		h.clock.Advance(ops.AlertEvery)
		var wg sync.WaitGroup
		for i := range 8 {
			node := []*ops.Server{h.Server, second}[i%2]
			wg.Go(func() {
				if err := node.CheckAlerts(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		all := h.alertsSent()
		if len(all) != 2 {
			t.Fatalf("%d messages", len(all))
		}
		for _, m := range all {
			if a := m.Letter.Alert; a.Found != 2 || a.Threshold != 2 || a.Span != 10*time.Minute || a.Query != "made" || a.Test || m.Letter.Subject != "many" {
				t.Errorf("told: %+v", m.Letter)
			}
			if m.Channel == iam.ChannelWebhook && (m.Letter.To != good.Webhook || m.Letter.Secret.Empty()) {
				t.Errorf("the webhook: %+v", m.Letter)
			}
		}
		h.Server = second // as after a restart
		make(1)
		check()
		want("within the span", 0, "fired 2 ")
		h.clock.Advance(10 * time.Minute)
		check()
		want("cleared", 0, "cleared 0 fired 2 ")
		make(3)
		check()
		want("again", 2, "fired 3 cleared 0 fired 2 ")

		run(h, h.byAdmin(), ops.TestAlert, ops.AlertIn{Name: "many"})
		if all := h.alertsSent(); len(all) != 2 || !all[0].Letter.Alert.Test {
			t.Errorf("the test: %+v", all)
		}
		list := run(h, h.byAdmin(), ops.ListAlerts, struct{}{})
		if a := list.Alerts[0]; a.Host != "hooks.example.com" || a.Webhook != nil || a.Secret.Empty() || !a.Firing || a.Found != 3 {
			t.Errorf("it stands %+v", a)
		}
		run(h, h.byAdmin(), ops.SaveQuery, ops.KeptQueryIn{Name: "made", Where: "no_such_column = 1"})
		check()
		check()
		want("a query that is wrong", 0, "failed 0 test 0 fired 3 cleared 0 fired 2 ")
		run(h, h.byAdmin(), ops.SaveQuery, ops.KeptQueryIn{Name: "made", Where: "event = 'CreateUser'"})
		check()
		want("mended", 0, "works 3 failed 0 test 0 fired 3 cleared 0 fired 2 ")
		run(h, h.byAdmin(), ops.DeleteAlert, ops.AlertIn{Name: "many"})
		run(h, h.byAdmin(), ops.DeleteQuery, "made")
		h.must(h.store.View(ctx, func(tx *store.Tx) error {
			left, err := tx.AlertHistory(0, "", 10)
			if len(left) > 0 {
				t.Errorf("history is left: %v", left)
			}
			return err
		}))
		for _, e := range h.events("PutAlert") {
			if s := fmt.Sprint(e); strings.Contains(s, "canary") { // K-2: the URL may hold a key
				t.Errorf("the trail shows %s", s)
			}
		}
	})
}
