package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxFile is the size of a configuration file, in bytes, beyond which it is
// taken for something else.
const maxFile = 1 << 20

// entry is a value in the file and where it stands.
type entry struct {
	key, value string
	at         *token.Position
}

// readFile sets what the file says. A file that need not exist and does not
// says nothing.
func (c *Config) readFile(path string, must bool) error {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !must {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the configuration: %w", err)
	}
	if len(b) > maxFile {
		return fmt.Errorf("%s: larger than %d bytes", path, maxFile)
	}
	entries, err := parse(b)
	if err == nil {
		for _, e := range entries {
			if err = c.apply(e.key, e.value, fmt.Sprintf("file %s:%d:%d", path, e.at.Line, e.at.Column)); err != nil {
				err = positioned(e.at, "%s: %w", e.key, err)
				break
			}
		}
	}
	if err != nil {
		return fmt.Errorf("%s:%w", path, err)
	}
	return nil
}

// positioned is an error at a place in the file.
func positioned(at *token.Position, format string, args ...any) error {
	return fmt.Errorf("%d:%d: %w", at.Line, at.Column, fmt.Errorf(format, args...))
}

// parse reads the text of a file: mappings of scalars and of lists of scalars.
// Its errors begin with line and column.
func parse(text []byte) ([]entry, error) {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		var e yaml.Error
		if errors.As(err, &e) && e.GetToken() != nil {
			return nil, positioned(e.GetToken().Position, "%s", e.GetMessage())
		}
		return nil, fmt.Errorf("1:1: %w", err)
	}
	var r reader
	for i, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if i > 0 {
			return nil, positioned(doc.Body.GetToken().Position, "a second document")
		}
		if err := r.read("", doc.Body); err != nil {
			return nil, err
		}
	}
	return r.entries, nil
}

type reader struct{ entries []entry }

func (r *reader) read(key string, n ast.Node) error {
	at := n.GetToken().Position
	switch n := n.(type) {
	case *ast.NullNode, *ast.CommentGroupNode:
		return nil // a heading whose settings are all commented out
	case *ast.MappingNode:
		if !section(key) {
			return positioned(keyAt(n), "%s is one value, not a mapping", key)
		}
		for _, v := range n.Values {
			if err := r.member(key, v); err != nil {
				return err
			}
		}
		return nil
	}
	if section(key) {
		return positioned(at, "%s must be a mapping", orElse(key, "the configuration"))
	}
	value, err := scalars(key, n)
	r.entries = append(r.entries, entry{key, value, at})
	return err
}

// keyAt is where a mapping's first key stands; its own token is the colon.
func keyAt(n *ast.MappingNode) *token.Position {
	if len(n.Values) > 0 {
		n := n.Values[0].Key
		return n.GetToken().Position
	}
	return n.GetToken().Position
}

func (r *reader) member(parent string, v *ast.MappingValueNode) error {
	at := v.Key.GetToken().Position
	name, ok := scalar(v.Key)
	if !ok {
		return positioned(at, "a key must be a plain word")
	}
	key := name
	if parent != "" {
		key = parent + "." + name
	}
	if _, known := find(key); strings.Contains(name, ".") || !known && !section(key) {
		return positioned(at, "unknown key %q%s", key, suggestion(key))
	}
	for _, e := range r.entries {
		if e.key == key {
			return positioned(at, "%s is given twice", key)
		}
	}
	return r.read(key, v.Value)
}

// scalars is the text of a scalar, or of a list of them joined by commas.
func scalars(key string, n ast.Node) (string, error) {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		if s, ok := scalar(n); ok {
			return s, nil
		}
		return "", positioned(n.GetToken().Position, "%s must be a plain value", key)
	}
	all := make([]string, len(seq.Values))
	for i, v := range seq.Values {
		if all[i], ok = scalar(v); !ok {
			return "", positioned(v.GetToken().Position, "%s must be a list of plain values", key)
		}
	}
	return strings.Join(all, ","), nil
}

func scalar(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// suggestion names the setting that was probably meant.
func suggestion(key string) string {
	best, least := "", 3
	for _, s := range settings {
		if d := distance(key, s.key); d < least {
			best, least = s.key, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}

// distance is how many single characters must be put in, taken out or changed
// to make b of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
