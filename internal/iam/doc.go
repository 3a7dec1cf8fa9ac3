// Package iam owns the nouns of the directory and their laws: account, user,
// group, role, policy, access key, factor, login profile. It knows no wire, no
// SQL and no clock. Everything above the ground imports it.
package iam
