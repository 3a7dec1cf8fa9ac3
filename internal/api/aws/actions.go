package aws

import "slices"

// actions lists every operation that this door answers.
func actions() []action {
	return slices.Concat(userActions())
}
