package catalog

import (
	"bytes"
	"compress/flate"
	_ "embed"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
)

//go:embed catalog.bin
var packed []byte

// global is the pseudo-service whose block holds the aws: keys.
const global = "aws"

// directory is the decoded index: the service list and, per lower-case
// prefix, the memoised reader of its block.
type directory struct {
	services []Service
	blocks   map[string]func() *decoded
}

// decoded is one service's block. It is never changed once made.
type decoded struct {
	keys      []Key
	key       map[string]int // lower-case name → keys, for keys without a variable part
	templates []template
	types     []ResourceType
	actions   []Info
	action    map[string]int // lower-case name → actions
}

// index and the memo of each block are filled on first use and are constant
// from then on.
var index = sync.OnceValue(readIndex)

func readIndex() *directory {
	head, body, found := bytes.Cut(packed, []byte("\n\n"))
	if !found {
		panic("catalog: embedded table has no index")
	}
	d := &directory{blocks: map[string]func() *decoded{}}
	for line := range strings.Lines(string(head)) {
		field := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		size := number(field[2])
		block := body[:size]
		body = body[size:]
		d.blocks[field[0]] = sync.OnceValue(func() *decoded { return decode(block) })
		if field[0] != global {
			d.services = append(d.services, Service{Prefix: field[0], Name: field[1]})
		}
	}
	return d
}

// table is the decoded block of a service, or nil if there is no such service.
func table(service string) *decoded {
	lower := strings.ToLower(service)
	read := index().blocks[lower]
	if read == nil || lower == global {
		return nil
	}
	return read()
}

// decode reads a block, lines of fields separated by tabs:
//
//	k  name  type                     a condition key
//	r  name  arn  keys                a resource type
//	a  name  access  keys  on  needs  an action
//
// keys are comma-separated numbers of k lines; on is a list, separated by
// semicolons, of "number of an r line", "*" if required, ":" and its keys;
// needs is a comma-separated list of other actions. A damaged block is a
// defect of the build, hence panics.
func decode(block []byte) *decoded {
	text, err := io.ReadAll(flate.NewReader(bytes.NewReader(block)))
	if err != nil {
		panic(fmt.Sprintf("catalog: embedded block: %v", err))
	}
	t := &decoded{key: map[string]int{}, action: map[string]int{}}
	for line := range strings.Lines(string(text)) {
		field := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		switch field[0] {
		case "k":
			t.addKey(Key{Name: field[1], Type: field[2]})
		case "r":
			t.types = append(t.types, ResourceType{Name: field[1], ARN: field[2], Keys: t.keyNames(field[3:])})
		case "a":
			t.action[strings.ToLower(field[1])] = len(t.actions)
			t.actions = append(t.actions, Info{
				Name:      field[1],
				Access:    Access(field[2][0]),
				Keys:      t.keyNames(field[3:4]),
				Resources: t.resources(field[4]),
				Dependent: list(field[5], ","),
			})
		}
	}
	return t
}

func (t *decoded) addKey(k Key) {
	lower := strings.ToLower(k.Name)
	if tpl, ok := parseTemplate(lower); ok {
		tpl.key = len(t.keys)
		t.templates = append(t.templates, tpl)
	}
	t.key[lower] = len(t.keys)
	t.keys = append(t.keys, k)
}

func (t *decoded) keyNames(field []string) []string {
	if len(field) == 0 {
		return nil
	}
	refs := list(field[0], ",")
	for i, ref := range refs {
		refs[i] = t.keys[number(ref)].Name
	}
	return refs
}

func (t *decoded) resources(field string) []ActionResource {
	var out []ActionResource
	for _, item := range list(field, ";") {
		ref, keys, _ := strings.Cut(item, ":")
		ref, required := strings.CutSuffix(ref, "*")
		out = append(out, ActionResource{
			Type:     t.types[number(ref)].Name,
			Required: required,
			Keys:     t.keyNames([]string{keys}),
		})
	}
	return out
}

func (t *decoded) findKey(lower string) (Key, bool) {
	if i, found := t.key[lower]; found {
		return t.keys[i], true
	}
	for _, tpl := range t.templates {
		if tpl.matches(lower) {
			return t.keys[tpl.key], true
		}
	}
	return Key{}, false
}

func list(s, separator string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, separator)
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(fmt.Sprintf("catalog: embedded table: %v", err))
	}
	return n
}
