package ops

// Entry is what the catalog tells of an operation.
type Entry struct {
	Name       string
	Grants     Names
	Mode       Mode
	Permission Permission
	Needs      Assurance
	Records    bool // it has a record rule
	Prepares   bool // it has slow work to do before its transaction
}

// NameOf is the operation's name in the trail.
func NameOf(op Operation) string { return op.entry().Name }

// entry describes an operation.
func entry[In, Out any](op Op[In, Out]) Entry {
	return op.entry()
}

// Catalog lists every operation. Tests walk it: each must have a name, a grant,
// a record rule if it changes anything, and a door.
func Catalog() []Entry {
	return append(oracleEntries(), []Entry{
		// users.go
		entry(CreateUser), entry(GetUser), entry(ListUsers), entry(UpdateUser), entry(DeleteUser),
		entry(TagUser), entry(UntagUser), entry(ListUserTags),

		// groups.go
		entry(CreateGroup), entry(GetGroup), entry(ListGroups), entry(UpdateGroup), entry(DeleteGroup),
		entry(AddUserToGroup), entry(RemoveUserFromGroup), entry(ListGroupsForUser),

		// policies.go
		entry(CreatePolicy), entry(GetPolicy), entry(ListPolicies), entry(DeletePolicy),
		entry(CreatePolicyVersion), entry(GetPolicyVersion), entry(ListPolicyVersions),
		entry(SetDefaultPolicyVersion), entry(DeletePolicyVersion),
		entry(TagPolicy), entry(UntagPolicy), entry(ListPolicyTags),

		// attachments.go
		entry(AttachUserPolicy), entry(AttachGroupPolicy), entry(AttachRolePolicy),
		entry(DetachUserPolicy), entry(DetachGroupPolicy), entry(DetachRolePolicy),
		entry(ListAttachedUserPolicies), entry(ListAttachedGroupPolicies), entry(ListAttachedRolePolicies),
		entry(ListEntitiesForPolicy),

		// inline.go
		entry(PutUserPolicy), entry(PutGroupPolicy), entry(PutRolePolicy),
		entry(GetUserPolicy), entry(GetGroupPolicy), entry(GetRolePolicy),
		entry(DeleteUserPolicy), entry(DeleteGroupPolicy), entry(DeleteRolePolicy),
		entry(ListUserPolicies), entry(ListGroupPolicies), entry(ListRolePolicies),

		// boundaries.go
		entry(PutUserPermissionsBoundary), entry(PutRolePermissionsBoundary),
		entry(DeleteUserPermissionsBoundary), entry(DeleteRolePermissionsBoundary),

		// roles.go
		entry(CreateRole), entry(GetRole), entry(ListRoles), entry(UpdateRole), entry(UpdateRoleDescription),
		entry(UpdateAssumeRolePolicy), entry(DeleteRole), entry(TagRole), entry(UntagRole), entry(ListRoleTags),

		// details.go
		entry(GetAccountAuthorizationDetails),
		// keys.go, passwords.go, account.go
		entry(CreateAccessKey), entry(DeleteAccessKey), entry(UpdateAccessKey), entry(ListAccessKeys), entry(GetAccessKeyLastUsed),
		entry(CreateLoginProfile), entry(GetLoginProfile), entry(UpdateLoginProfile), entry(DeleteLoginProfile), entry(ChangePassword),
		entry(GetAccountPasswordPolicy), entry(UpdateAccountPasswordPolicy), entry(SetPasswordPolicy), entry(DeleteAccountPasswordPolicy),
		entry(CreateAccountAlias), entry(DeleteAccountAlias), entry(ListAccountAliases), entry(GetAccountSummary),
		// mfa.go
		entry(CreateVirtualMFADevice), entry(EnableMFADevice), entry(ResyncMFADevice), entry(DeactivateMFADevice),
		entry(DeleteVirtualMFADevice), entry(ListMFADevices), entry(ListVirtualMFADevices), entry(GetMFADevice),
		entry(TagMFADevice), entry(UntagMFADevice), entry(ListMFADeviceTags),
		// passkey_own.go
		entry(BeginPasskey), entry(CreatePasskey), entry(ListPasskeys), entry(RenamePasskey), entry(DeletePasskey),
		entry(BeginUpgrade), entry(ProveUpgrade), entry(FinishUpgrade), entry(ImportU2FKey),
		// sts.go, trail.go
		entry(GetCallerIdentity), entry(GetSessionToken), entry(AssumeRole), entry(GetFederationToken),
		entry(GetAccessKeyInfo), entry(DecodeAuthorizationMessage), entry(LookupEvents), entry(ProveEvent),
		// trail_query.go
		// alerts.go
		entry(ListAlerts), entry(PutAlert), entry(DeleteAlert), entry(TestAlert),
		entry(QueryTrail), entry(SaveQuery), entry(ListQueries), entry(DeleteQuery),
		// signin.go, setup.go, stepup.go
		entry(SignIn), entry(ShowSignIn), entry(InspectSetup), entry(StepUp), entry(ShowStepUp), entry(BeginStepUp),
		// sessions.go, notices.go
		entry(ListSessions), entry(EndSession), entry(EndOtherSessions), entry(SignOut),
		entry(ListNotices), entry(MarkNoticesSeen),
		// mail.go, email.go, notme.go
		entry(GetDelivery), entry(SendTestMessage), entry(InspectNotMe), entry(ReportNotMe),
		entry(GetVerification), entry(SendActivation), entry(InspectActivation), entry(UseActivation),
		entry(BeginBinding), entry(FinishBinding), entry(UnbindAddress),
		// enrollink.go, blocks.go
		entry(CreateEnrolmentLink), entry(ListEnrolmentLinks), entry(RevokeEnrolmentLink),
		entry(InspectEnrolmentLink), entry(OpenEnrolmentLink), entry(UseEnrolmentLink),
		entry(BlockUser), entry(UnblockUser), entry(ListBlockedUsers),
		// preferences.go
		// root.go
		entry(GetRootUser), entry(SetRootRules), entry(PreviewRootRules), entry(InspectRecovery),
		entry(GetSecurityPreferences), entry(SetSecurityPreferences), entry(SetSecurityPreference),
		// remember.go, risk.go, idle.go
		entry(ListRememberedDevices), entry(ForgetDevice), entry(ListUnusualSignIns), entry(PreviewPreferences), entry(GetEffectivePreferences), entry(GetSignInRule), entry(ListIdle),
		// console_find.go, console_remove.go
		entry(FindUsers), entry(FindGroups), entry(FindRoles), entry(FindPolicies), entry(GetAccountHealth), entry(MayI),
		entry(GetUserBelongings), entry(GetGroupBelongings), entry(GetRoleBelongings), entry(GetPolicyBelongings),
		entry(RemoveUser), entry(RemoveGroup), entry(RemoveRole), entry(RemovePolicy),
		// ram.go, ram_policies.go, ram_mfa.go, ram_denial.go: those that vary no other
		entry(ListUsersForGroup), entry(UpdatePolicyDescription), entry(GetUserMFAInfo), entry(UnbindMFADevice),
		entry(DisableVirtualMFA), entry(AccountMFAInfo), entry(DecodeDiagnosticMessage),
		// ram_settings.go, ram_report.go, ram_recycle.go
		entry(SetDefaultDomain), entry(UserSSO), entry(GetAccountSecurityPracticeReport), entry(GenerateCredentialReport), entry(GetCredentialReport), entry(GetWholeCredentialReport),

		// insight.go, insight_least.go
		entry(GetInsight), entry(RenewInsight), entry(GetLeastPrivilege), entry(CompareTemplates), entry(GenerateServiceLastAccessedDetails), entry(GetServiceLastAccessedDetails),

		entry(ListRecycledUsers), entry(GetRecycledUser), entry(RestoreUser), entry(DeleteRecycledUser),
		entry(ListRecycledKeys), entry(GetRecycledKey), entry(RestoreAccessKey), entry(DeleteRecycledKey),
		// resourcegroups.go
		entry(CreateResourceGroup), entry(GetResourceGroup), entry(UpdateResourceGroup), entry(DeleteResourceGroup), entry(ListResourceGroups),
		entry(ListPolicyAttachments),
		// providers.go, federation.go
		entry(CreateSAMLProvider), entry(GetSAMLProvider), entry(UpdateSAMLProvider), entry(DeleteSAMLProvider), entry(ListSAMLProviders),
		entry(CreateOIDCProvider), entry(GetOIDCProvider), entry(UpdateOIDCProvider), entry(DeleteOIDCProvider), entry(ListOIDCProviders),
		entry(AddClientIDToOIDCProvider), entry(RemoveClientIDFromOIDCProvider),
		entry(AddFingerprintToOIDCProvider), entry(RemoveFingerprintFromOIDCProvider),
		entry(AssumeRoleWithOIDC), entry(AssumeRoleWithSAML),
		// console_try.go, console_sum.go, console_self.go
		entry(TryAccess), entry(TryPolicy), entry(CheckPolicy), entry(SumUpAccess), entry(ListOwnActivity),
		// simulate.go
		entry(SimulatePrincipalPolicy), entry(SimulateCustomPolicy),
		entry(GetContextKeysForPrincipalPolicy), entry(GetContextKeysForCustomPolicy),
		// templates.go
		entry(ListTemplates), entry(ApplyTemplate),

		// clilogin.go, clilogin_device.go, clilogin_tokens.go
		entry(InspectCLILogin), entry(ApproveCLILogin), entry(ListCLILogins), entry(EndCLILogin),
		entry(BeginDeviceLogin), entry(InspectDeviceLogin), entry(AnswerDeviceLogin),
		entry(RedeemCLICode), entry(RedeemDeviceCode), entry(RefreshCLILogin), entry(LeaveCLILogin),
		entry(GetCloudSSOAccount), entry(CreateCloudSSOCredentials),
		// oath.go, recovery.go
		entry(ImportTokens), entry(ListTokens), entry(GetToken), entry(AssignToken), entry(ReleaseToken), entry(LoseToken), entry(DeleteToken),
		entry(ListOwnTokens), entry(GetRecoveryStatus), entry(MakeRecoveryCodes), entry(DropRecoveryCodes),
	}...)
}
