package testkit

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"warifu/internal/audit"
	"warifu/internal/ops"
)

// Canary is what tests send where a secret belongs. No event may have it.
const Canary = "canary-7f3b-secret"

// EventsOf returns the events of one request, newest first, among the newest of
// the trail.
func (w *World) EventsOf(t testing.TB, requestID string) (found []audit.Event) {
	t.Helper()
	for _, e := range Do(t, w, w.Admin(t), ops.LookupEvents, ops.LookupEventsIn{Listing: ops.Listing{Limit: 10}}).Items {
		if e.RequestID == requestID {
			found = append(found, e)
		}
	}
	return found
}

// Told is what an event must tell besides what every event does.
type Told struct {
	Door, Operation string
	Actor           string // name
	Source, Chain   string
	Agent           string
	MFA             bool
	Method          string // of the proof; "" = any
	Remembered      bool   // a browser stood in for the factor
	OK              bool   // the request was answered with what it asked for
}

// unasked are operations that everybody may who is not forbidden them: no statement
// decides.
var unasked = map[string]bool{"GetCallerIdentity": true, "GetSessionToken": true, "BeginStepUp": true}

// CheckEvent says what an event fails to tell (security checklist K-3), and
// whether a secret is in it (K-2).
func CheckEvent(t testing.TB, what string, e audit.Event, want Told) {
	t.Helper()
	now := e.At.IsZero() || e.At.Before(Epoch) || e.At.After(Epoch.Add(24*time.Hour))
	for problem, is := range map[string]bool{
		"id": e.ID == "", "time": now, "account": e.Account != Account, "door": e.Door != want.Door,
		"operation": want.Operation != "" && e.Operation != want.Operation, "action": e.Action == "", "service": e.Service == "",
		"actor":      e.Actor.Name != want.Actor || e.Actor.Kind == "" || e.Actor.ID == 0 || e.Actor.ARN == "",
		"credential": e.Actor.AccessKey == "" && e.Actor.Session == "",
		"MFA":        e.MFA.Present != want.MFA || want.MFA && (!e.MFA.Known || e.MFA.At == 0 || len(e.MFA.Methods) == 0),
		"method":     want.Method != "" && !slices.Contains(e.MFA.Methods, want.Method),
		"remembered": e.MFA.Remembered != want.Remembered,
		"age":        want.MFA && (e.MFA.At < Epoch.UnixMicro() || e.MFA.At > e.At.UnixMicro()),
		"source":     e.Source != want.Source, "chain": e.Chain != want.Chain, "user agent": e.UserAgent != want.Agent, "request id": e.RequestID == "",
		"result": (e.Result == audit.Allowed) != want.OK, "kind of fault": e.Result != audit.Allowed && e.Code == "",
		"reason": e.Result != audit.Failed && e.Why == "" && !unasked[e.Operation], // the statement that decided
		// An input that cannot be read is about nothing yet.
		"target": e.Target.Noun == "" && e.Result != audit.Failed,
	} {
		if is {
			t.Errorf("%s: the event's %s is wrong: %+v", what, problem, e)
		}
	}
	NoCanary(t, what, e)
}

// NoCanary wants a secret in no field of an event.
func NoCanary(t testing.TB, what string, e audit.Event) {
	t.Helper()
	if strings.Contains(string(e.AppendJSON(nil)), Canary) {
		t.Errorf("%s: a secret is in the trail: %+v", what, e)
	}
}

// secrets are parts of the names of inputs that hold them.
var secrets = []string{"Password", "Secret", "Code", "Seed", "SAMLAssertion", "OIDCToken", "WebIdentityToken", "AuthorizationMessage", "Currenttoken", "Ticket"}

// Filled returns the inputs of a shape that are text, each by its name in Go: a
// canary where a secret belongs, otherwise an ordinary word.
func Filled(shape reflect.Type) map[string]string {
	all := map[string]string{}
	if shape == nil || shape.Kind() != reflect.Struct {
		return all
	}
	for i := range shape.NumField() {
		f := shape.Field(i)
		switch {
		case f.Anonymous:
			for k, v := range Filled(f.Type) {
				all[k] = v
			}
		case f.Type.Kind() == reflect.String:
			all[f.Name] = "word"
			for _, s := range secrets {
				if strings.Contains(strings.ToLower(f.Name), strings.ToLower(s)) {
					all[f.Name] = Canary
				}
			}
		}
	}
	return all
}
