package alibaba

import "reflect"

// Bound is an operation with its shapes.
type Bound struct {
	Version, Name, Op string
	In, Out           reflect.Type
}

// Actions lists what the door binds.
func Actions() (all []Bound) {
	for _, a := range actions() {
		all = append(all, Bound{a.service.version, a.name, a.op, a.in, a.out})
	}
	return all
}
