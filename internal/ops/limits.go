package ops

// Limits are the quotas of an account, in units of their names; sizes are in
// characters that are not white space (AWS: "IAM and AWS STS quotas").
type Limits struct {
	Users, Groups, Roles, Policies                             int
	GroupsPerUser, KeysPerUser, FactorsPerUser                 int
	AttachedPerUser, AttachedPerGroup, AttachedPerRole         int
	VersionsPerPolicy                                          int
	PolicySize, UserInline, GroupInline, RoleInline, TrustSize int
}

// DefaultLimits are AWS's default quotas as GetAccountSummary reports them,
// but for Users, Groups, Roles and Policies: AWS keeps those low to protect a
// shared service, and a team's own server has no such reason.
var DefaultLimits = Limits{
	Users: 10_000_000, Groups: 100_000, Roles: 100_000, Policies: 100_000,
	GroupsPerUser: 10, KeysPerUser: 2, FactorsPerUser: 8,
	AttachedPerUser: 10, AttachedPerGroup: 10, AttachedPerRole: 10,
	VersionsPerPolicy: 5,
	PolicySize:        6144, UserInline: 2048, GroupInline: 5120, RoleInline: 10240, TrustSize: 2048,
}
