package console

import (
	"net/url"
	"strings"
)

// home is where a redirect without a target goes.
const home = "/console"

// local returns a redirect target that somebody else gave, if it is a path on
// this site, and home otherwise. It is parsed here once, and what comes out is
// written from the parsed form (H-4).
func local(target string) string {
	if target == "" || target[0] != '/' || strings.HasPrefix(target, "//") || strings.ContainsFunc(target, unsafeInTarget) {
		return home
	}
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || strings.HasPrefix(u.Path, "//") || strings.ContainsFunc(u.Path, unsafeInTarget) {
		return home
	}
	out := url.URL{Path: u.Path, RawQuery: u.Query().Encode()}
	return out.String()
}

// unsafeInTarget are backslashes, which browsers read as slashes, spaces and
// control characters, which they drop.
func unsafeInTarget(r rune) bool { return r == '\\' || r <= ' ' || r == 0x7f }
