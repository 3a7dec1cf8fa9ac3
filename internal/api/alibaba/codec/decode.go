package codec

import (
	"cmp"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"warifu/internal/reqsig/acs"
)

// Error is what is wrong with a parameter, in Alibaba Cloud's words.
type Error struct {
	Code    string
	Message string
}

// Error implements error.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

func missing(name string) *Error {
	return &Error{"MissingParameter", fmt.Sprintf("The input parameter %q that is mandatory for processing this request is not supplied.", name)}
}

// Invalid says that a parameter breaks a rule; aspect is Format, Length,
// InvalidChars or Range, "" if none of them names the rule.
func Invalid(name, aspect, rule string) *Error {
	code := "InvalidParameter." + name
	if aspect != "" {
		code += "." + aspect
	}
	return &Error{code, fmt.Sprintf("The parameter - %q %s.", name, rule)}
}

// Decoder reads parameters into shapes of one type. It is immutable.
type Decoder[Shape any] struct{ fields []field }

// field is one parameter.
type field struct {
	name     string
	index    []int
	typ      reflect.Type // without the pointer
	required bool
	least    int // characters; 0 with most 0: no bound
	most     int
	low      int64
	high     int64
	chars    *regexp.Regexp
	class    string
}

// NewDecoder compiles a shape. A shape that cannot be compiled is a fault of the
// program.
func NewDecoder[Shape any]() (*Decoder[Shape], error) {
	fields, err := compile(reflect.TypeFor[Shape](), nil)
	return &Decoder[Shape]{fields}, err
}

func compile(t reflect.Type, at []int) (out []field, err error) {
	for i := range t.NumField() {
		sf := t.Field(i)
		index := append(slices.Clone(at), i)
		if sf.Anonymous || sf.Tag.Get("flat") == "true" {
			inner, err := compile(sf.Type, index)
			if err != nil {
				return nil, err
			}
			out = append(out, inner...)
			continue
		}
		f := field{name: sf.Name, index: index, typ: sf.Type, required: sf.Tag.Get("req") == "true"}
		if f.typ.Kind() == reflect.Pointer {
			f.typ = f.typ.Elem()
		}
		if err := f.rules(sf.Tag); err != nil {
			return nil, fmt.Errorf("%s.%s: %w", t, sf.Name, err)
		}
		out = append(out, f)
	}
	return out, nil
}

// rules reads the tags of a field.
func (f *field) rules(tag reflect.StructTag) (err error) {
	switch f.typ.Kind() {
	case reflect.String, reflect.Bool, reflect.Int, reflect.Slice:
	default:
		return fmt.Errorf("no parameter is a %s", f.typ)
	}
	if s := tag.Get("len"); s != "" {
		if _, err := fmt.Sscanf(s, "%d,%d", &f.least, &f.most); err != nil {
			return fmt.Errorf("len %q: %w", s, err)
		}
	}
	if s := tag.Get("range"); s != "" {
		if _, err := fmt.Sscanf(s, "%d,%d", &f.low, &f.high); err != nil {
			return fmt.Errorf("range %q: %w", s, err)
		}
	}
	if f.class = tag.Get("chars"); f.class != "" {
		f.chars, err = regexp.Compile(`\A[` + f.class + `]*\z`)
	}
	return err
}

// Decode reads parameters. Those that the shape does not have are ignored. The
// error is an *Error, or one of json's for nothing.
func (d *Decoder[Shape]) Decode(p acs.Params) (shape Shape, err error) {
	v := reflect.ValueOf(&shape).Elem()
	for i := range d.fields {
		if err := d.fields[i].read(v, p); err != nil {
			return shape, err
		}
	}
	return shape, nil
}

func (f *field) read(v reflect.Value, p acs.Params) error {
	text, sent := p.Lookup(f.name)
	kind := f.typ.Kind()
	if kind == reflect.Slice {
		return f.list(v.FieldByIndex(f.index), p, text, sent)
	}
	if kind != reflect.String && (text == "null" || text == "") {
		sent = false
	}
	if !sent || text == "" && f.required {
		if f.required {
			return missing(f.name)
		}
		return nil
	}
	to := v.FieldByIndex(f.index)
	if to.Kind() == reflect.Pointer {
		to.Set(reflect.New(f.typ))
		to = to.Elem()
	}
	return f.scalar(to, text)
}

// scalar reads one value and checks it.
func (f *field) scalar(to reflect.Value, text string) error {
	switch f.typ.Kind() {
	case reflect.Bool:
		b, err := strconv.ParseBool(strings.ToLower(text))
		if err != nil || len(text) < 4 {
			return Invalid(f.name, "Format", "must be true or false")
		}
		to.SetBool(b)
		return nil
	case reflect.Int:
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return Invalid(f.name, "Format", "must be a decimal number")
		}
		if f.high > 0 && (n < f.low || n > f.high) {
			return Invalid(f.name, "Range", fmt.Sprintf("must be %d to %d", f.low, f.high))
		}
		to.SetInt(n)
		return nil
	}
	if err := f.text(text); err != nil {
		return err
	}
	to.SetString(text)
	return nil
}

// text checks a text that is not empty; one that is means nothing was chosen.
func (f *field) text(s string) error {
	if s == "" {
		return nil
	}
	if !utf8.ValidString(s) {
		return Invalid(f.name, "InvalidChars", "must be UTF-8")
	}
	if n := utf8.RuneCountInString(s); f.most > 0 && (n < f.least || n > f.most) {
		return Invalid(f.name, "Length", fmt.Sprintf("must have %d to %d characters", f.least, f.most))
	}
	if f.chars != nil && !f.chars.MatchString(s) {
		return Invalid(f.name, "InvalidChars", "may hold these characters only: "+f.class)
	}
	return nil
}

// maxItems bounds a list: twenty tags and fifty names are the most that any
// operation takes.
const maxItems = 100

func (f *field) list(to reflect.Value, p acs.Params, text string, sent bool) error {
	items, err := f.items(p, text, sent)
	if err != nil {
		return err
	}
	if items == nil {
		if f.required {
			return missing(f.name)
		}
		return nil
	}
	if len(items) > maxItems {
		return Invalid(f.name, "Length", fmt.Sprintf("must have at most %d items", maxItems))
	}
	out := reflect.MakeSlice(f.typ, 0, len(items))
	for _, item := range items {
		elem, err := f.item(item)
		if err != nil {
			return err
		}
		out = reflect.Append(out, elem)
	}
	to.Set(out)
	return nil
}

// items are the items of a list in the order of their numbers: the texts of a list
// of texts under "", the members of objects under their names. nil if the list was
// not sent.
func (f *field) items(p acs.Params, text string, sent bool) ([]map[string]string, error) {
	if sent && text != "" && text != "null" {
		return f.array(text)
	}
	numbered := map[int]map[string]string{}
	for i := range p {
		rest, ok := strings.CutPrefix(p[i].Key, f.name+".")
		if !ok {
			continue
		}
		number, member, _ := strings.Cut(rest, ".")
		n, err := strconv.Atoi(number)
		if err != nil || n < 0 || n > 10*maxItems {
			return nil, Invalid(f.name, "Format", "must be numbered from 1 on")
		}
		if numbered[n] == nil {
			numbered[n] = map[string]string{}
		}
		numbered[n][member] = p[i].Value
	}
	var order []int
	for n := range numbered {
		order = append(order, n)
	}
	slices.Sort(order)
	var out []map[string]string
	for _, n := range order {
		out = append(out, numbered[n])
	}
	return out, nil
}

// array reads a list that was sent as a JSON array.
func (f *field) array(text string) ([]map[string]string, error) {
	out := []map[string]string{}
	if f.typ.Elem().Kind() == reflect.Struct {
		if err := json.Unmarshal([]byte(text), &out); err != nil {
			return nil, Invalid(f.name, "Format", "must be a JSON array of objects")
		}
		return out, nil
	}
	var list []string
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, Invalid(f.name, "Format", "must be a JSON array of strings")
	}
	for _, s := range list {
		out = append(out, map[string]string{"": s})
	}
	return out, nil
}

// item makes one item: a text, or a struct of texts.
func (f *field) item(members map[string]string) (reflect.Value, error) {
	elem := reflect.New(f.typ.Elem()).Elem()
	if elem.Kind() == reflect.String {
		elem.SetString(members[""])
		return elem, f.text(members[""])
	}
	for _, sf := range reflect.VisibleFields(elem.Type()) {
		elem.FieldByIndex(sf.Index).SetString(cmp.Or(members[sf.Name], members[strings.ToLower(sf.Name)]))
	}
	return elem, nil
}
