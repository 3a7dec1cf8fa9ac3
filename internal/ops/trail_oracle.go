package ops

import (
	"cmp"
	"context"
	"sync"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/page"
)

// OracleEventsIn asks for the events of a compartment in a span of time, which is
// half open.
type OracleEventsIn struct {
	Compartment string // OCID
	From, To    time.Time
	Listing
}

// OracleListEvents finds events as Oracle's Audit service does, oldest first. All
// events are of the tenancy itself; other compartments have none.
//
// Errors: NotFound for a compartment that is not the tenancy's; Invalid as of
// LookupEvents.
var OracleListEvents = Op[OracleEventsIn, page.Page[audit.Event]]{
	Name:   "OracleListEvents",
	Grants: Names{AWS: "cloudtrail:LookupEvents", OCI: "ListEvents"},
	Before: func(_ context.Context, s *Server, _ *Call, in OracleEventsIn) (OracleEventsIn, error) {
		return in, s.store.Flush() // what was answered is found
	},
	Target: func(env *Env, in OracleEventsIn) (Target, error) {
		id, err := env.compartmentID(in.Compartment)
		if fault.Is(err, fault.NotFound) {
			return Target{Noun: "events"}, nil
		}
		if err != nil {
			return Target{}, err
		}
		return env.oracleTarget(Target{Noun: "events"}, id)
	},
	Do: func(env *Env, in OracleEventsIn) (p page.Page[audit.Event], err error) {
		id, err := env.compartmentID(in.Compartment)
		if err != nil {
			return p, err
		}
		if id != 0 {
			_, err = oraclePathOf(env.Tx, env.Call.Caller.Account, id)
			return p, err
		}
		return LookupEvents.Do(env, in.lookup())
	},
}

func (in *OracleEventsIn) lookup() LookupEventsIn {
	return LookupEventsIn{Query: audit.Query{From: in.From, To: in.To, Forward: true}, Listing: in.Listing}
}

// NameInOracle is what Oracle calls an event's operation: its own name for one of its own,
// and ActivateMfaTotpDevice for iam:EnableMFADevice. What it does not know keeps its name.
func NameInOracle(operation, action string) string {
	if op := ownInOracle()[operation]; op != "" {
		return op
	}
	if op := oracleOperations[action]; op != "" {
		return op
	}
	_, op := split(action)
	return op
}

// ownInOracle are the operations that Oracle's door brings, by their names here.
var ownInOracle = sync.OnceValue(func() map[string]string {
	all := map[string]string{}
	for _, e := range oracleEntries() {
		all[e.Name] = cmp.Or(e.Grants.OCI, e.Name)
	}
	return all
})
