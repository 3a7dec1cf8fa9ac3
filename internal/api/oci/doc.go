// Package oci is Oracle's door: the Identity service's REST API under /20160918/, and
// what command lines ask for session tokens under /v1/. It owns the shapes of requests
// and answers, the words of errors, and the binding of each operation to package ops.
// It decides nothing and knows no database.
//
// cmd calls it, for requests to paths that Owns tells are its own.
package oci
