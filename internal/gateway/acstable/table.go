package acstable

import (
	"embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

//go:embed *.txt
var files embed.FS

// Table is what is known of one service.
type Table struct {
	Version string // of the service's API: "2014-05-26"
	Actions map[string]Action
}

// Action is one operation.
type Action struct {
	Name      string
	ReadOnly  bool
	Resources []Resource // all must be allowed
	Refused   []string   // parameters that choose a resource which nobody here can tell
	Keys      []Key
}

// Resource says how to name what an operation is authorised on.
type Resource struct {
	Service  string // code of its service; "" = the table's own
	Kind     string // "instance"; what stands before the slash, or "{Parameter}"
	Param    string // the parameter that holds the id; "" = "*", what does not exist yet
	Required bool   // without it the request is refused
}

// Key is a condition key that a parameter determines.
type Key struct {
	Name     string   // "ecs:CommandRunAs"
	Param    string   // "Username"
	Defaults []string // what the service takes when the parameter is not sent
}

// Of returns the built-in table of a service, by its code in policies; nil if there
// is none.
func Of(code string) *Table {
	text, err := files.ReadFile(code + ".txt")
	if err != nil {
		return nil
	}
	t, err := Parse(string(text))
	if err != nil {
		panic("acstable: " + code + ": " + err.Error()) // the tests read every table
	}
	return t
}

// Parse reads a table: a line "version DATE", and one for each operation:
//
//	NAME read|write [WHAT…]
//
// WHAT is one of
//
//	instance/{InstanceId}    a resource, named by a parameter or by each of its list
//	instance/{InstanceId}!   one that must be named
//	instance/*               one that does not exist yet
//	vpc:vswitch/{VSwitchId}  one of another service
//	-LaunchTemplateName      a parameter with which the request is refused
//	@ecs:CommandRunAs=Username|root+system  a condition key, and what it is without the parameter
//
// Lines that begin with # are comments. The error names the line.
func Parse(text string) (*Table, error) {
	t := &Table{Actions: map[string]Action{}}
	n := 0
	for line := range strings.Lines(text) {
		n++
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if words[0] == "version" && len(words) == 2 {
			t.Version = words[1]
			continue
		}
		a, err := parseAction(words)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if _, twice := t.Actions[a.Name]; twice {
			return nil, fmt.Errorf("line %d: %s stands there twice", n, a.Name)
		}
		t.Actions[a.Name] = a
	}
	if !versionForm.MatchString(t.Version) {
		return nil, fmt.Errorf("a line such as \"version 2014-05-26\" is missing")
	}
	return t, nil
}

var (
	versionForm  = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
	nameForm     = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{0,127}$`)
	resourceForm = regexp.MustCompile(`^(?:([a-z][a-z0-9-]*):)?([a-z][a-z0-9-]*|\{[A-Za-z][A-Za-z0-9]*\})/(?:\*|\{([A-Za-z][A-Za-z0-9.]*)\}(!?))$`)
	keyForm      = regexp.MustCompile(`^@([a-z0-9-]+:[A-Za-z]+)=([A-Za-z][A-Za-z0-9.]*)(?:\|([^|]+))?$`)
)

func parseAction(words []string) (Action, error) {
	a := Action{Name: words[0]}
	if !nameForm.MatchString(a.Name) {
		return a, fmt.Errorf("%q is not the name of an operation", a.Name)
	}
	if len(words) < 2 || words[1] != "read" && words[1] != "write" {
		return a, fmt.Errorf("%s must be followed by read or write", a.Name)
	}
	a.ReadOnly = words[1] == "read"
	for _, w := range words[2:] {
		if p, ok := strings.CutPrefix(w, "-"); ok {
			a.Refused = append(a.Refused, p)
		} else if m := keyForm.FindStringSubmatch(w); m != nil {
			k := Key{Name: m[1], Param: m[2]}
			if m[3] != "" {
				k.Defaults = strings.Split(m[3], "+")
			}
			a.Keys = append(a.Keys, k)
		} else if m := resourceForm.FindStringSubmatch(w); m != nil {
			a.Resources = append(a.Resources, Resource{Service: m[1], Kind: m[2], Param: m[3], Required: m[4] != ""})
		} else {
			return a, fmt.Errorf("%s: %q is neither a resource, such as instance/{InstanceId}, nor a parameter or a key", a.Name, w)
		}
	}
	if !a.ReadOnly && len(a.Resources) > 0 && !slices.ContainsFunc(a.Resources, func(r Resource) bool { return r.Required || r.Param == "" }) {
		return a, fmt.Errorf("%s changes something, so one of its resources must end in * or ! here", a.Name)
	}
	return a, nil
}
