package oci

import "slices"

// bindings lists every operation of the Identity API that this door answers.
func bindings(c *Config) []binding {
	return slices.Concat(userBindings(), mfaBindings(), credentialBindings(), groupBindings(), policyBindings(), compartmentBindings(),
		namedBindings(), tagBindings(), providerBindings(), settingBindings(c))
}
