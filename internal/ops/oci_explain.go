package ops

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	sig "warifu/internal/reqsig/oci"
	"warifu/internal/store"
	"warifu/policy"
	"warifu/policy/oci"
)

// Oracle's clients are told nothing of why they were refused: absent and forbidden are
// the same answer. Its id leads an administrator to the event, and there it stands
// what was missing.

// NewEventID mints the id of an event that is found by it alone: it begins with the
// time (RFC 9562, version 7), and the trail is in the order of time.
func (s *Server) NewEventID(at time.Time) string {
	raw, err := hex.DecodeString(strings.ReplaceAll(s.newID(), "-", ""))
	if err != nil {
		panic("ops: an id is not hexadecimal: " + err.Error())
	}
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(at.UnixMilli()))
	copy(raw, ms[2:])
	raw[6] = raw[6]&0x0f | 0x70
	t := hex.EncodeToString(raw)
	return t[:8] + "-" + t[8:12] + "-" + t[12:16] + "-" + t[16:20] + "-" + t[20:]
}

// eventTime is the millisecond in which an id of NewEventID was minted.
func eventTime(id string) time.Time {
	var ms [8]byte
	hex.Decode(ms[2:], []byte(id[:8]+id[9:13])) //nolint:errcheck // sig.EventID has looked at it
	return time.UnixMilli(int64(binary.BigEndian.Uint64(ms[:]))).UTC()
}

// What the event of a refused request says besides.
const (
	paramMissing   = "missingPermissions" // separated by blanks
	paramStatement = "nearestStatement"
	paramFailed    = "failedCondition"
	paramGrant     = "wouldGrant"
	paramPlace     = "compartment"
)

// maxExplained bounds each of them, in bytes.
const maxExplained = 1_000

// Explanation is why a request of Oracle's kind was refused.
type Explanation struct {
	audit.Event
	Missing   []string // permissions that nothing grants; none if a statement denied the request
	Statement string   // that denied it, or that comes nearest to granting what is missing; "" if none is about it
	Failed    string   // what kept that statement from it
	Grant     string   // a statement that would grant the first that is missing
	Place     string   // OCID of the compartment in which permission was asked
}

func explanationOf(e *audit.Event) *Explanation {
	return &Explanation{
		Event: *e, Missing: strings.Fields(e.Params[paramMissing]), Statement: e.Params[paramStatement],
		Failed: e.Params[paramFailed], Grant: e.Params[paramGrant], Place: e.Params[paramPlace],
	}
}

// ExplainRequest finds the event of a request by the opc-request-id that its client
// was given, or by the last part of it.
//
// Errors: Invalid id; NotFound.
var ExplainRequest = Op[string, *Explanation]{
	Name:   "ExplainRequest",
	Grants: Names{AWS: "cloudtrail:LookupEvents"},
	Before: func(_ context.Context, s *Server, _ *Call, id string) (string, error) { return id, s.store.Flush() },
	Target: func(*Env, string) (Target, error) { return Target{Noun: "events"}, nil },
	Do: func(env *Env, id string) (*Explanation, error) {
		return requestExplained(env.Tx, env.Call.Caller.Account, id)
	},
}

// requestExplained reads the event of a request.
func requestExplained(tx *store.Tx, a name.Account, request string) (*Explanation, error) {
	id, ok := sig.EventID(request)
	if !ok {
		return nil, fault.Field("requestId", "requestId must be an opc-request-id, which ends in 32 hexadecimal digits")
	}
	from := eventTime(id)
	found, err := tx.Events(audit.Query{Account: a, ID: id, From: from, To: from.Add(time.Millisecond)}, store.EventAfter{}, 1)
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, fault.Of(fault.NotFound, "request", request)
	}
	return explanationOf(&found[0]), nil
}

// ExplainRequestFor is ExplainRequest for the host, which asks in all accounts.
func (s *Server) ExplainRequestFor(ctx context.Context, request string) (x *Explanation, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) error {
		accounts, err := tx.Accounts()
		if err != nil {
			return err
		}
		for i := range accounts {
			if x, err = requestExplained(tx, accounts[i].ID, request); !fault.Is(err, fault.NotFound) {
				return err
			}
		}
		return fault.Of(fault.NotFound, "request", request)
	})
	return x, err
}

// explainOracle writes into the event of a request that came in Oracle's way why
// policy said no.
func (env *Env) explainOracle(d *Denial, t *Target, layers []policy.Layer, ev *audit.Event) {
	req := d.request
	if ev.Params == nil {
		ev.Params = audit.Fields{}
	} else {
		ev.Params = cloned(ev.Params) // a transaction may be tried again
	}
	note := func(key, text string) {
		if text != "" {
			ev.Params[key] = text[:min(len(text), maxExplained)]
		}
	}
	path := t.oraclePath(env.Call.Caller.Account)
	req.Resources[oci.Language] = path
	req.Principal.Names[oci.Language] = env.Call.Caller.oracleNames()
	steps := strings.Split(strings.Trim(path, "/"), "/")
	note(paramPlace, steps[len(steps)-1])
	if r := d.Decision.Rule; r != nil {
		note(paramStatement, env.statementText(r))
		return
	}
	missing := env.missing(req, d.Grants, layers)
	note(paramMissing, strings.Join(missing, " "))
	if len(missing) == 0 {
		return
	}
	req.SetAction(oci.Language, nil)
	req.Actions[oci.Language] = missing[0]
	if near := env.nearest(req, layers); near != nil {
		note(paramStatement, env.statementText(&near.Rule.ID))
		note(paramFailed, env.failed(near))
	}
	note(paramGrant, wouldGrant(missing[0], steps))
}

func cloned(f audit.Fields) audit.Fields {
	out := make(audit.Fields, len(f)+4)
	for k, v := range f {
		out[k] = v
	}
	return out
}

// missing are the permissions of an operation that nothing grants.
func (env *Env) missing(req *policy.Request, n Names, layers []policy.Layer) (out []string) {
	for _, p := range n.oracle() {
		req.SetAction(oci.Language, nil)
		req.Actions[oci.Language] = p
		if !policy.Decide(req, layers...).Allowed() {
			out = append(out, p)
		}
	}
	return out
}

// nearest is the statement that comes nearest to granting what the request asks for:
// one about the caller before one about the place, and that before one whose
// conditions hold.
func (env *Env) nearest(req *policy.Request, layers []policy.Layer) *policy.RuleTrace {
	asked := slices.Clone(layers)
	if r, err := env.oracleRules(env.Call.Caller.Account, env.Call.Caller.revision); err == nil {
		all := policy.Layer{Kind: policy.Identity, Sets: r.others.All(nil)}
		for _, its := range r.groups {
			all.Sets = its.All(all.Sets)
		}
		asked = append(asked, all)
	}
	trace := policy.Explain(req, asked...)
	var best *policy.RuleTrace
	most := -1
	for i := range trace.Layers {
		for j := range trace.Layers[i].Rules {
			r := &trace.Layers[i].Rules[j]
			if r.Rule.Lang != oci.Language || r.Rule.Effect != policy.Allow {
				continue
			}
			score := 0
			for weight, held := range []bool{r.When, r.Where, r.Who} {
				if held {
					score += 1 << weight
				}
			}
			// The groups' sets come in any order; the answer is always the same one.
			if score > most || score == most && ruleText(&r.Rule.ID) < ruleText(&best.Rule.ID) {
				best, most = r, score
			}
		}
	}
	return best
}

// failed tells what kept a statement from granting.
func (env *Env) failed(r *policy.RuleTrace) string {
	var why []string
	if !r.Who {
		why = append(why, "it is about others than "+env.callerName())
	}
	if !r.Where {
		why = append(why, "it counts in another compartment")
	}
	if !r.When {
		for _, c := range r.Conditions {
			switch {
			case c.Holds:
			case c.Key != "" && !c.Found:
				why = append(why, c.Label+" (the request has no "+c.Key+")")
			case len(c.Saw) > 0:
				why = append(why, c.Label+" (the request has '"+strings.Join(c.Saw, "', '")+"')")
			default:
				why = append(why, c.Label)
			}
		}
	}
	return strings.Join(why, "; ")
}

// statementText quotes a statement of Oracle's, or names a rule of another language.
func (env *Env) statementText(id *policy.RuleID) string {
	p, err := env.Tx.OracleNounAt(env.Call.Caller.Account, iam.OraclePolicy, strings.ToLower(id.Policy))
	if err != nil {
		return ruleText(id)
	}
	var body oraclePolicyBody
	if json.Unmarshal([]byte(p.Body), &body) != nil || id.Index >= len(body.Statements) {
		return ruleText(id)
	}
	return fmt.Sprintf("%s, statement %d: %s", p.Name, id.Index+1, body.Statements[id.Index])
}

// wouldGrant is a statement that grants a permission in a place.
func wouldGrant(permission string, path []string) string {
	where := "tenancy"
	if len(path) > 1 {
		where = "compartment id " + path[len(path)-1]
	}
	if verb, resource, ok := oci.Grantor(permission); ok {
		return "Allow group <name> to " + verb + " " + resource + " in " + where
	}
	return "Allow group <name> to manage all-resources in " + where
}

// OracleAdvice is a policy of Oracle's with what its author should know.
type OracleAdvice struct {
	Policy      string
	Compartment string // its name
	Statements  []AdvisedStatement
}

// AdvisedStatement is a statement with advice.
type AdvisedStatement struct {
	Text   string
	Advice []string // sentences; most statements need none
}

// InspectOraclePolicies reads all of an account's Oracle policies with advice about
// statements that do less than they seem to, which the answers of Oracle's door have no
// place for.
var InspectOraclePolicies = Op[struct{}, []OracleAdvice]{
	Name:   "InspectOraclePolicies",
	Grants: Names{AWS: "iam:ListPolicies", OCI: "ListPolicies"},
	Target: func(*Env, struct{}) (Target, error) { return Target{Noun: "oracle policies"}, nil },
	Do: func(env *Env, _ struct{}) (out []OracleAdvice, err error) {
		all, err := env.Tx.OracleNouns(env.Call.Caller.Account, iam.OraclePolicy)
		for i := 0; i < len(all) && err == nil; i++ {
			var at *iam.OracleNoun
			if at, err = env.compartment(all[i].Parent); err != nil {
				return nil, err
			}
			statements, _ := oracleNoun(&all[i]).Statements()
			out = append(out, OracleAdvice{all[i].Name, at.Name, advised(statements)})
		}
		return out, err
	},
}

// Advice is what the author of a policy should know of its statements, a sentence each
// with its place; most need none.
func (n *OracleNoun) Advice() (all []string) {
	statements, _ := n.Statements()
	if doc, err := oci.Parse(statements); err == nil {
		for _, w := range doc.Warnings() {
			all = append(all, w.String())
		}
	}
	return all
}

func advised(statements []string) []AdvisedStatement {
	out := make([]AdvisedStatement, len(statements))
	for i, s := range statements {
		out[i].Text = s
	}
	doc, err := oci.Parse(statements)
	if err != nil {
		return out // a stored policy parses
	}
	for _, w := range doc.Warnings() {
		at := &out[w.Statement]
		at.Advice = append(at.Advice, fmt.Sprintf("%d:%d: %s", w.Line, w.Column, w.Message))
	}
	return out
}
