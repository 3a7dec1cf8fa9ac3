// Package ram is Alibaba Cloud's RAM policy language.
//
// It owns the grammar of a policy document (Version "1"), its checks with the line
// and column of each fault, and the translation of its statements into
// []policy.Rule. It follows "Policy structure and syntax" of the RAM user guide;
// what that leaves open is decided in docs/divergences/alibaba.md.
//
// It decides nothing: package policy does. It knows no user, role or store. The
// operation pipeline compiles stored documents with it, and any Go program may.
package ram
