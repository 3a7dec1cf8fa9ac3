// Package notify sends what the server tells people: it takes messages from the
// outbox, puts them into words in the reader's language, and hands them to a mail
// server or a text-message service.
//
// # Delivery
//
// A message is in the outbox when the change that it tells of is committed, and
// leaves it when the carrier has taken it. So none is lost in a crash, and one
// may go out twice when the crash comes between the two; a mail then has the same
// Message-ID, a text message the same "id". Messages to one address go out in
// order. What fails for a while is tried again, later each time; what is refused
// for good, or has run out, is given up and shown to administrators.
//
// # Carriers
//
// SMTP speaks to one mail server, with TLS from the start or STARTTLS, both
// required. Webhook posts text messages to one URL. Folder writes both into
// files, for development.
//
// The webhook's request is a POST of
//
//	{"id": "…", "to": "+818012345678", "text": "…", "kind": "code", "expires": "2026-01-15T09:10:00Z"}
//
// with the header
//
//	Warifu-Signature: t=1768467600,v1=HEX
//
// where HEX is the HMAC-SHA256, under the configured secret, of the decimal t, a
// dot, and the body. A receiver refuses a t that is more than five minutes off,
// and an id that it has handled. 2xx means taken; 4xx but 408, 425 and 429 means
// never; anything else means later. Redirects are not followed.
//
// An alert's webhook gets a POST of
//
//	{"id": "…", "kind": "alert", "account": "acme", "alert": "…", "query": "…", "found": 7, "threshold": 5, "from": "…", "to": "…", "test": false}
//
// signed in the same way, under the secret that the alert's page shows.
//
// The package holds no queue and no key: ops is the queue. It never logs a text,
// an address or a secret. cmd builds it and runs it.
package notify
