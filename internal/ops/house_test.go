package ops_test

import (
	"context"
	"strings"
	"testing"

	"warifu/internal/fault"
	"warifu/internal/ops"
	"warifu/internal/testkit"
)

// house is a world and who acts in it.
type house struct {
	*testkit.World
	t      *testing.T
	caller ops.Caller
}

// newHouse returns a house in which the administrator acts.
func newHouse(t *testing.T) *house {
	h := &house{World: testkit.New(t), t: t}
	return h.as(h.AccessKeyID)
}

// as returns the same house with the owner of a key acting.
func (h *house) as(keyID string) *house {
	h.t.Helper()
	c, err := h.Credential(context.Background(), keyID, "")
	if err != nil {
		h.t.Fatal(err)
	}
	other := *h
	other.caller = c.Caller
	return &other
}

// try runs an operation.
func try[In, Out any](h *house, op ops.Op[In, Out], in In) (Out, error) {
	return ops.Run(context.Background(), h.Server, ops.Call{Caller: h.caller, RequestID: h.NewRequestID(), At: h.Clock.Now()}, op, in)
}

// do runs an operation that must succeed.
func do[In, Out any](h *house, op ops.Op[In, Out], in In) Out {
	h.t.Helper()
	out, err := try(h, op, in)
	if err != nil {
		h.t.Fatalf("%s: %v", op.Name, err)
	}
	return out
}

// refused runs an operation that must fail with a kind of fault about a noun.
func refused[In, Out any](h *house, kind fault.Kind, noun string, op ops.Op[In, Out], in In) error {
	h.t.Helper()
	_, err := try(h, op, in)
	if f, ok := err.(*fault.Error); !ok || f.Kind != kind || f.Noun != noun {
		h.t.Fatalf("%s: %v, want %v about %q", op.Name, err, kind, noun)
	}
	return err
}

// user makes a user with a key and returns the house in which the user acts.
func (h *house) user(name string) *house {
	h.t.Helper()
	do(h, ops.CreateUser, ops.CreateUserIn{Name: name})
	return h.as(do(h, ops.CreateAccessKey, ops.UserIn{User: ref(name)}).ID)
}

// policy makes a managed policy and returns its ARN.
func (h *house) policy(name, document string) string {
	h.t.Helper()
	p := do(h, ops.CreatePolicy, ops.CreatePolicyIn{Name: name, Document: document})
	return p.ARN()
}

func ref(name string) ops.Ref { return ops.Ref{Name: name} }

// statement is a policy with one statement.
func statement(effect, action, resource string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"` + effect + `","Action":"` + action + `","Resource":"` + resource + `"}]}`
}

// sized is a policy of n characters, and of white space, which does not count.
func sized(n int) string {
	const begin, end = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Sid":"`, `"}}`
	return begin + strings.Repeat("a", n-len(begin)-len(end)) + end + strings.Repeat(" \n\t", 99)
}

const ownPrefix = "arn:aws:iam::123456789012:"

// pages reads a list page by page and returns the names of all items, a bar
// between pages.
func pages[T any](t *testing.T, read func(cursor string) ([]T, string), name func(T) string) string {
	t.Helper()
	var all []string
	for cursor := ""; len(all) < 1000; {
		items, next := read(cursor)
		var names []string
		for _, v := range items {
			names = append(names, name(v))
		}
		all = append(all, strings.Join(names, " "))
		if next == "" {
			return strings.Join(all, "|")
		}
		cursor = next
	}
	t.Fatal("the list does not end")
	return ""
}
