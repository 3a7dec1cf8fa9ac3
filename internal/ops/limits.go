package ops

// Limits are the quotas of an account, in units of their names; sizes are in
// characters that are not white space (AWS: "IAM and AWS STS quotas"). Zero is
// no limit for Users, Groups, Roles and Policies.
type Limits struct {
	Users, Groups, Roles, Policies                             int
	GroupsPerUser, KeysPerUser, FactorsPerUser                 int
	AttachedPerUser, AttachedPerGroup, AttachedPerRole         int
	VersionsPerPolicy                                          int
	PolicySize, UserInline, GroupInline, RoleInline, TrustSize int
}

// DefaultLimits are AWS's default quotas as GetAccountSummary reports them, but
// Users, Groups, Roles and Policies are unlimited: AWS keeps those low to protect
// a shared service, and counting a million users before each new one is slow.
var DefaultLimits = Limits{
	GroupsPerUser: 10, KeysPerUser: 2, FactorsPerUser: 8,
	AttachedPerUser: 10, AttachedPerGroup: 10, AttachedPerRole: 10,
	VersionsPerPolicy: 5,
	PolicySize:        6144, UserInline: 2048, GroupInline: 5120, RoleInline: 10240, TrustSize: 2048,
}
