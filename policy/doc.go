// Package policy decides whether a request is allowed.
//
// It owns one intermediate form for access rules ([Rule], [Expr]), one evaluator
// for it ([Decide], and [Explain], which also tells why), and the order in which
// layers of policies count: an explicit deny in any layer wins, each restricting
// layer must allow, and identity and resource policies grant.
//
// It never knows a cloud's language: policy/aws and its siblings turn a document
// into []Rule. It never reads a clock, a network or a store: whatever a rule may
// ask about is handed over as a [Context]. Evaluation is total: there is no error,
// and a missing key has an answer written in the rule itself.
//
// The operation pipeline, the gateway, the simulator and the command line call it;
// any Go program may.
package policy
