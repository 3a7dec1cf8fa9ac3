package ops_test

import (
	"context"
	"testing"

	"warifu/internal/fault"
	"warifu/internal/ops"
	"warifu/internal/testkit"
)

// P-1: whoever may not set a password cannot make the server hash one either;
// with a history of former passwords that is a second of work for each request.
func TestRefusedCallsDoNoSlowWork(t *testing.T) {
	w := testkit.New(t)
	admin := w.Admin(t)
	testkit.Do(t, w, admin, ops.CreateUser, ops.CreateUserIn{Name: "mallory"})
	key := testkit.Do(t, w, admin, ops.CreateAccessKey, ops.UserIn{User: ops.Ref{Name: "mallory"}})
	worked := 0
	op := ops.CreateLoginProfile
	slow := op.Before
	op.Before = func(ctx context.Context, s *ops.Server, call *ops.Call, in ops.CreateLoginProfileIn) (ops.CreateLoginProfileIn, error) {
		worked++
		return slow(ctx, s, call, in)
	}
	in := ops.CreateLoginProfileIn{User: ops.Ref{Name: "mallory"}, Password: secret("correct horse battery")}
	if err := testkit.Fails(t, w, w.As(t, key.ID, ""), op, in); !fault.Is(err, fault.Denied) || worked != 0 {
		t.Errorf("worked %d times; %v", worked, err)
	}
	page := testkit.Do(t, w, admin, ops.LookupEvents, ops.LookupEventsIn{})
	n := 0
	for _, e := range page.Items {
		if e.Operation == op.Name {
			n++
			if e.Actor.Name != "mallory" || e.Result != "refused" || e.Target.Name != "mallory" {
				t.Errorf("%+v", e)
			}
		}
	}
	if n != 1 {
		t.Errorf("%d events", n)
	}
	testkit.Do(t, w, admin, op, in)
	if worked != 1 {
		t.Errorf("worked %d times for the administrator", worked)
	}
}
