// Package aws reads AWS policy documents and turns them into [policy.Rule].
//
// It owns the grammar, the messages with which AWS refuses a document, source
// positions, formatting, linting, and the sentence that tells why access was
// denied. It decides nothing: evaluation is package policy's.
//
// The AWS door, the gateway, the simulator and the command line call it.
package aws
