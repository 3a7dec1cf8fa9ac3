package name

import "strings"

// ProviderARN names an identity provider as AWS does: one of SAML by its name, one of
// OpenID Connect by its issuer without the scheme. kind is saml or oidc.
func ProviderARN(a Account, kind, called string) string {
	return iamARN(a, kind+"-provider", "/", called)
}

// SplitProvider takes the name of an identity provider apart, in either cloud's
// spelling; AWS's names one of OpenID Connect by its issuer (byIssuer).
func SplitProvider(s, kind string) (a Account, called string, byIssuer, ok bool) {
	if a, called, ok := SplitRAM(s, kind+"-provider"); ok {
		return a, called, false, true
	}
	a, path, last, ok := SplitIAM(s, kind+"-provider")
	return a, strings.TrimPrefix(path, "/") + last, kind == "oidc", ok
}
