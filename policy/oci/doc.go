// Package oci reads Oracle Cloud Infrastructure's policy language and turns it
// into rules that package policy decides on.
//
// It owns the grammar of policy statements and of the matching rules of dynamic
// groups, the table of which permissions a verb on a resource type grants and
// which an operation needs, and the advice about statements that cannot do what
// they seem to. Every rule and every error says where in the text it stands.
//
// It never looks a name up: a statement names groups and compartments, and whoever
// calls knows which ids they have (Names). It decides nothing: a decision is
// policy's. Statements are kept byte for byte as they were given.
//
// The operation pipeline and the command line call it; any Go program may.
package oci
