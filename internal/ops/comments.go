package ops

import (
	"warifu/internal/fault"
	"warifu/policy/jsonc"
)

// Whoever writes a policy in the console may explain it in comments. AWS refuses
// them, so its door does: an operation takes a text with comments only from a
// door that says so. The text is stored as it was written. Whoever parses it, and
// every door that hands it to programs, goes through PlainPolicy, in which all
// that remains stands at the line and column where it was written.

// PlainPolicy is a policy's stored text as JSON: each comment is spaces.
func PlainPolicy(document string) (string, error) {
	plain, err := jsonc.Strip([]byte(document))
	if err != nil {
		return "", &fault.Error{Kind: fault.Malformed, Noun: "policy document", What: "Syntax errors in policy.", Err: err}
	}
	return string(plain), nil
}

// incoming is a text that a door hands in, as JSON. Where comments are not
// allowed they stay, for the grammar to refuse.
func incoming(document string, comments bool) (string, error) {
	if !comments {
		return document, nil
	}
	return PlainPolicy(document)
}
