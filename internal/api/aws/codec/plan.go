package codec

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// kind is how a type goes over the wire.
type kind uint8

const (
	kindString kind = iota
	kindBool
	kindInt
	kindTime
	kindBlob
	kindStruct
	kindList
	kindMap
)

// field is what there is to know about one member, found out once.
type field struct {
	index []int  // in the struct, or in one embedded in it
	name  string // on the wire
	path  string // in messages: name with its first letter in lower case

	required, secret, keep, urlencoded bool

	check constraints
	each  constraints // of the members of a list of strings
	typ   *wire

	open, shut, empty string // XML
}

// wire is what there is to know about one type.
type wire struct {
	kind    kind
	pointer bool // the Go type is a pointer to the type proper
	goType  reflect.Type
	fields  []field // of a struct
	elem    *wire   // of a list or map
}

var (
	timeType = reflect.TypeFor[time.Time]()
	blobType = reflect.TypeFor[[]byte]()
)

// compiler makes plans. A shape cannot hold itself: so a request's depth is
// bounded by its shape.
type compiler struct {
	open map[reflect.Type]bool // structs whose fields are being compiled
}

func (c *compiler) compile(t reflect.Type) (*wire, error) {
	if t.Kind() == reflect.Pointer {
		w, err := c.compile(t.Elem())
		if err != nil {
			return nil, err
		}
		if w.pointer {
			return nil, fmt.Errorf("codec: %v is a pointer to a pointer", t)
		}
		w.pointer = true
		return w, nil
	}
	switch {
	case t == timeType:
		return &wire{kind: kindTime, goType: t}, nil
	case t == blobType:
		return &wire{kind: kindBlob, goType: t}, nil
	}
	switch t.Kind() {
	case reflect.String:
		return &wire{kind: kindString, goType: t}, nil
	case reflect.Bool:
		return &wire{kind: kindBool, goType: t}, nil
	case reflect.Int, reflect.Int32, reflect.Int64:
		return &wire{kind: kindInt, goType: t}, nil
	case reflect.Slice, reflect.Map:
		return c.compileMany(t)
	case reflect.Struct:
		return c.compileStruct(t)
	}
	return nil, fmt.Errorf("codec: type %v has no wire form", t)
}

func (c *compiler) compileMany(t reflect.Type) (*wire, error) {
	w := &wire{kind: kindList, goType: t}
	if t.Kind() == reflect.Map {
		if w.kind = kindMap; t.Key().Kind() != reflect.String {
			return nil, fmt.Errorf("codec: %v: the key of a map must be a string", t)
		}
	}
	elem, err := c.compile(t.Elem())
	if err != nil {
		return nil, err
	}
	if w.kind == kindMap && (elem.kind > kindInt || elem.pointer) {
		return nil, fmt.Errorf("codec: %v: the value of a map must be a scalar", t)
	}
	w.elem = elem
	return w, nil
}

func (c *compiler) compileStruct(t reflect.Type) (*wire, error) {
	if c.open[t] {
		return nil, fmt.Errorf("codec: %v holds itself", t)
	}
	c.open[t] = true
	defer delete(c.open, t)
	w := &wire{kind: kindStruct, goType: t}
	for _, sf := range reflect.VisibleFields(t) {
		if sf.Anonymous && sf.Type.Kind() == reflect.Struct {
			continue // its fields count as our own, and come next
		}
		if !sf.IsExported() || sf.Tag.Get("aws") == "-" {
			continue
		}
		f, err := c.compileField(sf)
		if err != nil {
			return nil, fmt.Errorf("%w, in %v.%s", err, t, sf.Name)
		}
		f.index = sf.Index
		w.fields = append(w.fields, f)
	}
	return w, nil
}

func (c *compiler) compileField(sf reflect.StructField) (field, error) {
	name, options, _ := strings.Cut(sf.Tag.Get("aws"), ",")
	if name == "" {
		name = sf.Name
	}
	f := field{
		name: name, path: strings.ToLower(name[:1]) + name[1:],
		open: "<" + name + ">", shut: "</" + name + ">", empty: "<" + name + "/>",
	}
	eachRequired := false
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "":
		case "required":
			f.required = true
		case "secret":
			f.secret = true
		case "keep":
			f.keep = true
		case "urlencoded":
			f.urlencoded = true
		case "eachrequired":
			eachRequired = true
		default:
			return f, fmt.Errorf("codec: unknown option %q", option)
		}
	}
	var err error
	if f.typ, err = c.compile(sf.Type); err != nil {
		return f, err
	}
	if f.check, err = readConstraints(sf.Tag, ""); err != nil {
		return f, err
	}
	if f.each, err = readConstraints(sf.Tag, "each"); err != nil {
		return f, err
	}
	f.each.sayTogether(eachRequired)
	return f, nil
}

// bounds reads "min,max", either of which may be missing.
func bounds(text string) (lo, hi int64, err error) {
	lo, hi = math.MinInt64, math.MaxInt64
	if text == "" {
		return lo, hi, nil
	}
	a, b, ok := strings.Cut(text, ",")
	if !ok {
		return lo, hi, fmt.Errorf("codec: bounds %q are not of the form min,max", text)
	}
	if a != "" {
		if lo, err = strconv.ParseInt(a, 10, 64); err != nil {
			return lo, hi, err
		}
	}
	if b != "" {
		hi, err = strconv.ParseInt(b, 10, 64)
	}
	return lo, hi, err
}
