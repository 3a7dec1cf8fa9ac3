package oci

import (
	"encoding/hex"
	"strings"
)

// maxClientID bounds what a client may call its request, in bytes.
const maxClientID = 64

// RequestID spells the id of a request (opc-request-id): what the client called it,
// and two ids of our own, the later of which is that of its event in the trail. What
// else a client may have put there is left out; one without a name is called by the
// first id.
func RequestID(client, own, event string) string {
	clean := strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return -1
	}, client)
	if clean == "" {
		clean = hex.EncodeToString([]byte(own))[:32]
	}
	return clean[:min(len(clean), maxClientID)] + "/" + bare(own) + "/" + bare(event)
}

// bare is an id without hyphens, in capitals.
func bare(id string) string { return strings.ToUpper(strings.ReplaceAll(id, "-", "")) }

// EventID is the id of the event of a request by the request's id, or by the last part
// of it. False is no id that RequestID made.
func EventID(request string) (string, bool) {
	s := strings.ToLower(request[strings.LastIndexByte(request, '/')+1:])
	s = strings.ReplaceAll(strings.TrimSpace(s), "-", "")
	if len(s) != 32 || strings.Trim(s, "0123456789abcdef") != "" {
		return "", false
	}
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:], true
}
