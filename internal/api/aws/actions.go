package aws

import "slices"

// actions lists every operation that this door answers.
func actions() []action {
	return slices.Concat(userActions(), groupActions(), policyActions(), attachmentActions(), inlineActions(), roleActions(), detailActions(),
		keyActions(), accountActions(), reportActions(), mfaActions(), simulateActions(), stsActions(), stsFederation(), trailActions())
}

// Operations are the names in ops.Catalog that this door binds.
func Operations() []string {
	var names []string
	for _, a := range actions() {
		names = append(names, a.op)
	}
	return names
}
