// Package name owns identifiers: it mints them, and spells and reads them in
// each cloud's way (ARNs and unique ids today). It is the one package outside
// the clouds' own where their prefixes are written. It looks nothing up.
package name
