package aws

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
)

// TestGrammar runs documents whose fate at AWS is recorded.
func TestGrammar(t *testing.T) {
	b, err := os.ReadFile("testdata/grammar.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		var c struct {
			ID, Document, Message string
			Valid                 bool
		}
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		_, err := Parse([]byte(c.Document), Managed)
		switch e, _ := err.(*Error); {
		case c.Valid && err != nil:
			t.Errorf("%s: refused: %v (%s)\n%s", c.ID, err, e.Message, c.Document)
		case !c.Valid && err == nil:
			t.Errorf("%s: accepted, want %q\n%s", c.ID, c.Message, c.Document)
		case !c.Valid && e.Message != c.Message:
			t.Errorf("%s: message %q, want %q\n%s", c.ID, e.Message, c.Message, c.Document)
		case !c.Valid && (e.Found == "" || e.Want == "" || e.Line < 1 || e.Column < 1):
			t.Errorf("%s: error without position or hint: %+v", c.ID, e)
		}
	}
}
