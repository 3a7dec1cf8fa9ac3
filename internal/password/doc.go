// Package password owns passwords: how they are hashed and verified (argon2id,
// RFC 9106), the bound on the memory that takes, and the account's password
// policy as data.
//
// It stores nothing, knows no user and counts no attempts; the caller brings
// randomness and the time. Verifying takes the same work for a user who exists
// and one who does not, if the caller uses VerifyNobody for the latter. ops and
// signin call it.
package password
