// Package body reads the bodies of requests, bounded, for the doors. It knows no
// door's errors: each words its own refusal, or has Refuse answer with a status
// alone.
//
// Called by the doors and the gateway.
package body
