package policy

// DecideInScopes answers a request where identity policies are attached in two
// scopes: those of the layers, which are asked first, and the narrower ones of
// within, a group of resources that the request is about. A statement of the wider
// scope that allows or denies ends the search; only when none speaks are the
// narrower ones asked, in the place of the Identity layers. The other layers count
// in either case. The second result tells that the narrower scope decided.
//
// Alibaba Cloud decides so for policies attached to resource groups.
func DecideInScopes(req *Request, within Layer, layers ...Layer) (Decision, bool) {
	d := Decide(req, layers...)
	if d.Outcome != ImplicitDeny || d.Layer != Identity {
		return d, false
	}
	narrower := make([]Layer, 0, len(layers)+1)
	for _, l := range layers {
		if l.Kind != Identity {
			narrower = append(narrower, l)
		}
	}
	within.Kind = Identity
	return Decide(req, append([]Layer{within}, narrower...)...), true
}
