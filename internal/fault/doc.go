// Package fault owns the one error type that crosses package borders: a kind
// that every door maps to its cloud's code and status, and the words that name
// the field and the rule. It knows no status code, no SQL and no cloud.
//
// Every package may return a *fault.Error; doors and ops read it. An error of
// any other type is Internal: it is logged with the request id and says nothing
// to the caller.
package fault
