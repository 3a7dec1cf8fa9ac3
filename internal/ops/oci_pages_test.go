package ops_test

import (
	"testing"
	"time"

	"warifu/internal/ops"
)

// A page goes on behind the one before, also when what that ended with is deleted
// meanwhile: nothing is shown twice.
func TestPagesGoOnBehindWhatIsDeleted(t *testing.T) {
	h := newHouse(t)
	root := h.caller.Account.Tenancy()
	for _, called := range []string{"a", "b", "c", "d", "e"} {
		h.Clock.Advance(time.Second)
		do(h, ops.CreateCompartment, ops.OracleNounIn{Compartment: root, Name: called, Described: described(called)})
	}
	for want, l := range map[string]ops.OracleList{
		"abcde": {ByName: true}, "edcba": {ByName: true, Descending: true},
	} {
		l.Limit, l.State = 2, "ACTIVE"
		got := ""
		for {
			p := do(h, ops.ListCompartments, ops.OracleCompartmentsIn{Compartment: root, OracleList: l})
			for _, c := range p.Items {
				got += c.Name
			}
			if l.Cursor = string(p.Next); l.Cursor == "" {
				break
			}
			last := &p.Items[len(p.Items)-1]
			do(h, ops.DeleteCompartment, ops.Matching{ID: last.ID})
		}
		if got != want {
			t.Errorf("%s became %s", want, got)
		}
		for _, c := range do(h, ops.ListCompartments, ops.OracleCompartmentsIn{Compartment: root, OracleList: ops.OracleList{State: "DELETED"}}).Items {
			do(h, ops.RecoverCompartment, ops.Matching{ID: c.ID})
			plain := c.Name[:1]
			do(h, ops.UpdateCompartment, ops.OracleRenameIn{Matching: ops.Matching{ID: c.ID}, Name: &plain})
		}
	}
}
