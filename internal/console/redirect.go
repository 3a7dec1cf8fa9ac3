package console

import (
	"net/url"
	"strings"

	"warifu/internal/seal"
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

// Loggable is a path without the secret of a link, for logs: whoever reads those
// must not be able to use it (security checklist K-2).
func Loggable(path string) string {
	first, rest, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch first {
	case "activate", "notme", "enrol", "recover":
	case "setup":
		if "/setup/"+rest == stagePaths[stageAccount] || "/setup/"+rest == stagePaths[stageRoot] {
			return path
		}
	default:
		return path
	}
	if !ok {
		return path
	}
	return "/" + first + "/" + seal.Redacted
}
