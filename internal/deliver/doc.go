// Package deliver copies the trail to places outside the server: a file, a bucket
// that speaks S3, a webhook, a syslog server. It also puts signed checkpoints where
// who can change the database may not reach, and compares the trail with them.
//
// # Delivery
//
// Events go out in the order in which they were sealed. How far a place has got is
// in the database and moves on only when the place has taken a batch, so that
// nothing is lost in a crash, a restart, or while a place cannot be reached; what
// was under way may go out twice, and an event's id tells. One place that cannot be
// reached holds up neither the server nor the others. A delivery that has failed
// for a while is itself an event, and so is its end.
//
// The webhook gets a POST of one event per line (application/jsonl), with the
// header Warifu-Trail: FIRST-NEXT, the leaves of the batch, and Warifu-Signature as
// package notify describes. 2xx means taken; anything else means later.
//
// The bucket gets objects PREFIX/YYYY/MM/DD/FIRST-NEXT.jsonl.gz. Syslog is RFC 5424
// over TCP or TLS with octet counting (RFC 6587 section 3.4.1); it has no answer, so
// what was in flight when a connection broke can be lost on its way.
//
// The package reads no database and makes no event: ops does. Only cmd calls it.
package deliver
