package console

import "net/http"

// policyOf is the Content-Security-Policy of a page. Scripts and styles are
// named by nonce and not by origin: services behind the gateway answer on the
// same origin, and what somebody stored there must not run here (H-2).
func policyOf(nonce string) string {
	return "default-src 'none'; script-src 'nonce-" + nonce + "'; style-src 'nonce-" + nonce + "'; img-src 'self'; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
}

// setHeaders sets what every answer has.
func setHeaders(h http.Header, nonce string) {
	h.Set("Content-Security-Policy", policyOf(nonce))
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY") // for browsers that do not know frame-ancestors
	h.Set("X-Robots-Tag", "noindex")
}
