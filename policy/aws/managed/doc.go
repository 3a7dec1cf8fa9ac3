// Package managed holds the AWS managed policies that exist in every account
// from the start: their names, ARNs, ids, versions and documents.
//
// A document grants what AWS documents for the policy of that name at the
// version given in the table; statements that differ only in their Sid are
// joined and actions covered by a wildcard beside them are left out, so the
// text is not AWS's but the permissions are. Ids are AWS's own where AWS has
// published them; AWSAccountManagementFullAccess, AWSCloudTrail_FullAccess,
// AWSCloudTrail_ReadOnlyAccess, AWSDenyAll, AWSLambda_FullAccess,
// AWSLambda_ReadOnlyAccess, IAMAccessAnalyzerFullAccess,
// IAMAccessAnalyzerReadOnlyAccess and SecretsManagerReadWrite carry ids of the
// right form that are ours.
//
// The package parses nothing and attaches nothing; package iam's callers list
// these policies beside an account's own.
package managed
