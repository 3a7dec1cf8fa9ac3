package ops

// Oracle are the permissions that Oracle's language needs for an operation.
func (n Names) Oracle() []string { return n.oracle() }
