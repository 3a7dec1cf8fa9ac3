// Package metrics counts what the server does, for Prometheus.
//
// No label holds a name that a client chose: operations and doors are those of
// the program, kinds those of package fault. So the number of series is bounded
// by the program's text, and a scrape tells nothing about users.
//
// cmd makes one Metrics, hands Observe to ops and Wrap around the doors, and
// serves Handler on the admin listener.
package metrics
