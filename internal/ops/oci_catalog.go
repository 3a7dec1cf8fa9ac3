package ops

// oracleEntries are the operations that Oracle's door brings.
func oracleEntries() []Entry {
	return []Entry{
		// oci_users.go, oci_mfa.go, oci_keys.go
		entry(OracleListEvents),
		entry(OracleCreateUser), entry(OracleGetUser), entry(OracleListUsers), entry(OracleUpdateUser), entry(OracleDeleteUser),
		entry(UpdateUserState), entry(UpdateUserCapabilities), entry(CreateOrResetUIPassword), entry(GetUserUIPasswordInformation),
		entry(CreateMfaTotpDevice), entry(ListMfaTotpDevices), entry(GetMfaTotpDevice), entry(DeleteMfaTotpDevice),
		entry(ActivateMfaTotpDevice), entry(GenerateTotpSeed),
		entry(UploadAPIKey), entry(ListAPIKeys), entry(DeleteAPIKey),
		entry(CreateAuthToken), entry(ListAuthTokens), entry(UpdateAuthToken), entry(DeleteAuthToken),
		entry(CreateSwiftPassword), entry(ListSwiftPasswords), entry(UpdateSwiftPassword), entry(DeleteSwiftPassword),
		entry(CreateSMTPCredential), entry(ListSMTPCredentials), entry(UpdateSMTPCredential), entry(DeleteSMTPCredential),
		entry(CreateOAuthClientCredential), entry(ListOAuthClientCredentials), entry(UpdateOAuthClientCredential), entry(DeleteOAuthClientCredential),
		entry(CreateCustomerSecretKey), entry(ListCustomerSecretKeys), entry(UpdateCustomerSecretKey), entry(DeleteCustomerSecretKey),
		// oci_groups.go, oci_policies.go, oci_compartments.go, oci_named.go
		entry(OracleCreateGroup), entry(OracleGetGroup), entry(OracleListGroups), entry(OracleUpdateGroup), entry(OracleDeleteGroup),
		entry(OracleAddUserToGroup), entry(OracleRemoveUserFromGroup), entry(GetUserGroupMembership), entry(ListUserGroupMemberships),
		entry(OracleCreatePolicy), entry(OracleGetPolicy), entry(OracleListPolicies), entry(OracleUpdatePolicy), entry(OracleDeletePolicy),
		entry(CreateCompartment), entry(GetCompartment), entry(ListCompartments), entry(UpdateCompartment), entry(DeleteCompartment),
		entry(RecoverCompartment), entry(MoveCompartment), entry(GetOracleWorkRequest),
		entry(CreateDynamicGroup), entry(GetDynamicGroup), entry(ListDynamicGroups), entry(UpdateDynamicGroup), entry(DeleteDynamicGroup),
		entry(CreateNetworkSource), entry(GetNetworkSource), entry(ListNetworkSources), entry(UpdateNetworkSource), entry(DeleteNetworkSource),
		// oci_tags.go, oci_idps.go
		entry(CreateTagNamespace), entry(GetTagNamespace), entry(ListTagNamespaces), entry(UpdateTagNamespace), entry(DeleteTagNamespace),
		entry(ChangeTagNamespaceCompartment), entry(AssembleEffectiveTagSet),
		entry(CreateTag), entry(GetTag), entry(ListTags), entry(UpdateTag), entry(DeleteTag), entry(ListCostTrackingTags),
		entry(CreateTagDefault), entry(GetTagDefault), entry(ListTagDefaults), entry(UpdateTagDefault), entry(DeleteTagDefault),
		entry(CreateIdentityProvider), entry(GetIdentityProvider), entry(ListIdentityProviders), entry(UpdateIdentityProvider), entry(DeleteIdentityProvider),
		entry(CreateIdpGroupMapping), entry(GetIdpGroupMapping), entry(ListIdpGroupMappings), entry(UpdateIdpGroupMapping), entry(DeleteIdpGroupMapping),
		entry(CreateRegionSubscription), entry(ListOracleWorkRequests),
		// oci_settings.go, oci_tokens.go
		entry(GetTenancy), entry(ListOracleRegions), entry(ListOraclePlaces), entry(GetAuthenticationPolicy), entry(UpdateAuthenticationPolicy),
		entry(GenerateUPST), entry(RefreshUPST), entry(InspectOracleLogin), entry(BeginOracleSession),
		entry(ExplainRequest), entry(InspectOraclePolicies), // oci_explain.go
	}
}
