// Package audit owns what the trail says: the event, the query over events, and
// the rules of what may be written. It stores nothing itself; ops makes events,
// store keeps them, doors show them in their cloud's schema.
package audit
