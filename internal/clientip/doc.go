// Package clientip tells from which address a request came when reverse proxies
// stand in between.
//
// It believes X-Forwarded-For and X-Forwarded-Proto only from peers that the
// configuration lists, never by default, and reads no other header: neither
// Forwarded nor X-Real-IP, because a proxy that sets one of them passes the
// others on as the client sent them. It looks nothing up.
//
// cmd calls it for the doors.
package clientip
