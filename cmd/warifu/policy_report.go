package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"warifu/policy"
)

// result is how one case came out in one way.
type result struct {
	name    string
	failure string // "" if it came out as it must
	took    time.Duration
}

// run asks every action on every resource, in every way that the case speaks of.
func (c *testCase) run(now time.Time) ([]result, error) {
	s, err := c.situation(now)
	if err != nil {
		return nil, err
	}
	var out []result
	for _, action := range c.When.Action {
		if err := s.checkAction(action); err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		for _, resource := range c.When.Resource {
			if want, ok := c.Then.want[""]; ok {
				out = append(out, c.one(s, c.Given.way(), action, resource, want))
			}
			for _, w := range allWays {
				if want, ok := c.Then.want[w]; ok {
					out = append(out, c.one(s, w, action, resource, want))
				}
			}
		}
	}
	return out, nil
}

func (c *testCase) one(s *situation, w way, action, resource, want string) result {
	began := time.Now()
	t := s.explain(w, action, resource)
	r := result{name: fmt.Sprintf("%s: %s on %s, %s", c.Name, action, resource, w), took: time.Since(began)}
	got := map[policy.Outcome]string{policy.Allowed: wantAllow, policy.ExplicitDeny: wantExplicit, policy.ImplicitDeny: wantImplicit}[t.Decision.Outcome]
	switch {
	case got != want && (want != wantDeny || got == wantAllow):
		r.failure = fmt.Sprintf("%s, want %s: %s\n%s", got, want, reason(t), strings.TrimRight(explanation(t), "\n"))
	case c.Then.Because != "" && (t.Decision.Rule == nil || t.Decision.Rule.Sid != c.Then.Because):
		r.failure = fmt.Sprintf("%s, but not because of %s: %s", got, c.Then.Because, reason(t))
	}
	return r
}

var layerNames = map[policy.LayerKind]string{
	policy.Identity: "identity policies", policy.Boundary: "permissions boundary", policy.Session: "session policies",
	policy.Control: "service control policy", policy.ResourceControl: "resource control policy",
	policy.Resource: "resource policy", policy.Trust: "trust policy",
}

// reason names what decided in one line.
func reason(t *policy.Trace) string {
	d := t.Decision
	switch {
	case d.Rule != nil:
		return statementName(d.Rule)
	case d.Allowed():
		return "a root user needs no statement"
	}
	return "no statement of the " + layerNames[d.Layer] + " allows it"
}

func statementName(id *policy.RuleID) string {
	s := fmt.Sprintf("%s:%d:%d", id.Policy, id.Line, id.Column)
	if id.Sid != "" {
		s += " (" + id.Sid + ")"
	}
	return s
}

// explanation tells each statement about the action, layer by layer.
func explanation(t *policy.Trace) string {
	var b strings.Builder
	for i := range t.Layers {
		l := &t.Layers[i]
		said := "say nothing"
		switch {
		case l.Deny:
			said = "deny"
		case l.Allow:
			said = "allow"
		}
		fmt.Fprintf(&b, "  %s: %s\n", layerNames[l.Kind], said)
		for j := range l.Rules {
			explainRule(&b, &l.Rules[j], t.Decision.Rule)
		}
	}
	return b.String()
}

func explainRule(b *strings.Builder, r *policy.RuleTrace, decided *policy.RuleID) {
	verdict := "does not apply"
	switch {
	case decided != nil && r.Rule.ID == *decided:
		verdict = "decides"
	case r.Applies:
		verdict = "applies"
	}
	fmt.Fprintf(b, "    %s %s %s", r.Rule.Effect, statementName(&r.Rule.ID), verdict)
	if !r.Who {
		b.WriteString("; it is about another principal")
	}
	if !r.Where {
		b.WriteString("; it is about another resource")
	}
	b.WriteString("\n")
	for _, c := range r.Conditions {
		holds, saw := "fails", "the request has no "+c.Key
		if c.Holds {
			holds = "holds"
		}
		if c.Found {
			saw = fmt.Sprintf("saw %q", c.Saw)
		}
		fmt.Fprintf(b, "      %s: %s; %s\n", c.Label, holds, saw)
	}
}

// The JUnit form, as far as the usual readers understand it.
type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Time     string      `xml:"time,attr"`
	At       string      `xml:"timestamp,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitFailure `xml:"failure"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func junit(w io.Writer, results []result, began time.Time) error {
	suite := junitSuite{Name: "warifu policy test", Tests: len(results), Time: seconds(time.Since(began)), At: began.UTC().Format("2006-01-02T15:04:05")}
	for _, r := range results {
		file, name, _ := strings.Cut(r.name, ": ")
		c := junitCase{Class: file, Name: name, Time: seconds(r.took)}
		if r.failure != "" {
			suite.Failures++
			message, _, _ := strings.Cut(r.failure, "\n")
			c.Failure = &junitFailure{message, r.failure}
		}
		suite.Cases = append(suite.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	return e.Encode(struct {
		XMLName xml.Name `xml:"testsuites"`
		Suite   junitSuite
	}{Suite: suite})
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.6f", d.Seconds()) }
