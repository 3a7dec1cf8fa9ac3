package oci

// fix grants permissions that OCI's reference lets operations need and no verb grant.
type fix struct {
	resource    string
	verb        verb
	permissions []string
	why         string
}

// fixes is our own table. What is in neither table is granted by manage
// all-resources and by naming it in braces.
var fixes = []fix{
	{"compartments", read, []string{"COMPARTMENT_READ", "READ_COMPARTMENTS"},
		"GetWorkRequest and reports need them; compartments has no permission of its own at read, where their name puts them"},
	{"tag-defaults", manage, []string{"TAG_DEFAULT_MANAGE"},
		"operations on tag defaults need it, while the verb lists CREATE, UPDATE and DELETE, which no operation needs"},
	{"domains", inspect, []string{"IAM_WORKREQUEST_INSPECT"},
		"lists of work requests of domains need it; their READ is a permission of domains"},
	{"backup-policies", inspect, []string{"BACKUP_POLICIES_INSPECT"},
		"the verb spells it BACKUP_POLICY_INSPECT, operations with the plural, as all its siblings"},
	{"instance-images", read, []string{"IMAGE_READ"},
		"an older name of INSTANCE_IMAGE_READ"},
	{"vnics", use, []string{"VNIC_ASSIGN", "VNIC_UNASSIGN"},
		"private addresses are assigned to a VNIC with use vnics, the verb of ATTACH and DETACH"},
	{"public-ips", manage, []string{"PUBLIC_IP_MOVE"},
		"MOVE is a permission of manage for every other type of the family"},
	{"vlans", use, []string{"VLAN_ATTACH", "VLAN_DETACH"},
		"as SUBNET_ATTACH and SUBNET_DETACH, which use subnets grants"},
	{"vlans", manage, []string{"VLAN_UPDATE"},
		"as SUBNET_UPDATE, which manage subnets grants"},
	{"volumes", manage, []string{"BOOT_VOLUME_MOVE"},
		"boot volumes are volumes to policies; as VOLUME_MOVE"},
	{"instances", inspect, []string{"INSTANCE_MAINTENANCE_EVENT_INSPECT"},
		"maintenance events belong to instances and have no type of their own"},
	{"instances", read, []string{"INSTANCE_MAINTENANCE_EVENT_READ"},
		"as above"},
	{"instances", use, []string{"INSTANCE_MAINTENANCE_EVENT_UPDATE"},
		"as above; rescheduling one is no more than a power action"},
	{"api-definitions", manage, []string{"API_DEFINITION_MOVE"},
		"the verb lists API_DEPLOYMENT_MOVE in its place"},
	{"filesystem-snapshot-policies", inspect, []string{"FILESYSTEM_SNAPSHOT_POLICY_INSPECT"},
		"the verb spells its permissions FILE_SYSTEM_…, operations without the first underscore"},
	{"filesystem-snapshot-policies", read, []string{"FILESYSTEM_SNAPSHOT_POLICY_READ"}, "as above"},
	{"filesystem-snapshot-policies", use, []string{"FILESYSTEM_SNAPSHOT_POLICY_UPDATE"}, "as above"},
	{"filesystem-snapshot-policies", manage, []string{"FILESYSTEM_SNAPSHOT_POLICY_CREATE", "FILESYSTEM_SNAPSHOT_POLICY_DELETE", "FILESYSTEM_SNAPSHOT_POLICY_MOVE"}, "as above"},
	{"outbound-connectors", inspect, []string{"OUTBOUND_CONNECTOR_INSPECT"},
		"the verb spells its permissions without OUTBOUND_ or not at all, operations with it"},
	{"outbound-connectors", read, []string{"OUTBOUND_CONNECTOR_READ"}, "as above"},
	{"outbound-connectors", use, []string{"OUTBOUND_CONNECTOR_UPDATE"}, "as above"},
	{"outbound-connectors", manage, []string{"OUTBOUND_CONNECTOR_CREATE", "OUTBOUND_CONNECTOR_DELETE", "OUTBOUND_CONNECTOR_MOVE"}, "as above"},
	{"waas-certificate", manage, []string{"WAAS_CERTIFICATE_DELETE", "WAAS_CERTIFICATE_MOVE"},
		"its CREATE and UPDATE are this type's at manage"},
}

// moreFamilies are families that are in wide use and whose members the facts have.
var moreFamilies = []string{
	"family secret-family secrets secret-versions secret-bundles",
}

// identity is what the operations of the Identity service need. Oracle's table has
// none of the MFA operations, mixes operations of other services that share a name
// (GetGroup of Streaming, ListPolicies of load balancers), and leaves out some; those
// are marked as ours.
var identity = map[string][]string{
	"ListUsers": {"USER_INSPECT"}, "GetUser": {"USER_INSPECT"}, "CreateUser": {"USER_CREATE"}, "UpdateUser": {"USER_UPDATE"}, "DeleteUser": {"USER_DELETE"},
	"UpdateUserState":              {"USER_UPDATE", "USER_UNBLOCK"},
	"UpdateUserCapabilities":       {"USER_UPDATE"}, // ours
	"CreateOrResetUIPassword":      {"USER_UPDATE", "USER_UIPASS_RESET"},
	"GetUserUIPasswordInformation": {"USER_READ"}, // ours: as the lists of other credentials

	"ListApiKeys": {"USER_READ"}, "UploadApiKey": {"USER_UPDATE", "USER_APIKEY_ADD"}, "DeleteApiKey": {"USER_UPDATE", "USER_APIKEY_REMOVE"},
	"ListAuthTokens": {"USER_READ"}, "CreateAuthToken": {"USER_UPDATE", "USER_AUTHTOKEN_SET"},
	"UpdateAuthToken": {"USER_UPDATE", "USER_AUTHTOKEN_RESET"}, "DeleteAuthToken": {"USER_UPDATE", "USER_AUTHTOKEN_REMOVE"},
	"ListCustomerSecretKeys": {"USER_READ"}, "CreateCustomerSecretKey": {"USER_UPDATE", "USER_SECRETKEY_ADD"},
	"UpdateCustomerSecretKey": {"USER_UPDATE", "USER_SECRETKEY_UPDATE"}, "DeleteCustomerSecretKey": {"USER_UPDATE", "USER_SECRETKEY_REMOVE"},
	"ListSwiftPasswords": {"USER_READ"}, "CreateSwiftPassword": {"USER_UPDATE", "USER_SWIFTPASS_SET"},
	"UpdateSwiftPassword": {"USER_UPDATE", "USER_SWIFTPASS_RESET"}, "DeleteSwiftPassword": {"USER_UPDATE", "USER_SWIFTPASS_REMOVE"},
	"ListSmtpCredentials": {"CREDENTIAL_INSPECT"}, "CreateSmtpCredential": {"CREDENTIAL_ADD"},
	"UpdateSmtpCredential": {"CREDENTIAL_UPDATE"}, "DeleteSmtpCredential": {"CREDENTIAL_REMOVE"},
	"ListOAuthClientCredentials": {"USER_READ"}, "CreateOAuthClientCredential": {"USER_UPDATE", "USER_OAUTH2_CLIENT_CRED_CREATE"},
	"UpdateOAuthClientCredential": {"USER_UPDATE", "USER_OAUTH2_CLIENT_CRED_UPDATE"}, "DeleteOAuthClientCredential": {"USER_UPDATE", "USER_OAUTH2_CLIENT_CRED_REMOVE"},
	"ListDbCredentials": {"USER_READ"}, "CreateDbCredential": {"USER_UPDATE"}, "DeleteDbCredential": {"USER_UPDATE"}, // ours

	// Ours, after the permissions that manage users grants for TOTP devices.
	"ListMfaTotpDevices": {"USER_READ"}, "GetMfaTotpDevice": {"USER_READ"},
	"CreateMfaTotpDevice":   {"USER_UPDATE", "USER_TOTPDEVICE_ADD"},
	"ActivateMfaTotpDevice": {"USER_UPDATE", "USER_TOTPDEVICE_UPDATE"},
	"GenerateTotpSeed":      {"USER_UPDATE", "USER_TOTPDEVICE_UPDATE"},
	"DeleteMfaTotpDevice":   {"USER_UPDATE", "USER_TOTPDEVICE_REMOVE"},

	"ListGroups": {"GROUP_INSPECT"}, "GetGroup": {"GROUP_INSPECT"}, "CreateGroup": {"GROUP_CREATE"}, "UpdateGroup": {"GROUP_UPDATE"}, "DeleteGroup": {"GROUP_DELETE"},
	"ListUserGroupMemberships": {"GROUP_INSPECT", "USER_INSPECT"}, "GetUserGroupMembership": {"GROUP_INSPECT", "USER_INSPECT"},
	"AddUserToGroup": {"GROUP_UPDATE", "USER_UPDATE"}, "RemoveUserFromGroup": {"GROUP_UPDATE", "USER_UPDATE"},

	"ListPolicies": {"POLICY_READ"}, "GetPolicy": {"POLICY_READ"}, "CreatePolicy": {"POLICY_CREATE"}, "UpdatePolicy": {"POLICY_UPDATE"}, "DeletePolicy": {"POLICY_DELETE"},

	"ListCompartments": {"COMPARTMENT_INSPECT"}, "GetCompartment": {"COMPARTMENT_INSPECT"}, "CreateCompartment": {"COMPARTMENT_CREATE"},
	"UpdateCompartment": {"COMPARTMENT_UPDATE"}, "DeleteCompartment": {"COMPARTMENT_DELETE"}, "RecoverCompartment": {"COMPARTMENT_RECOVER"},
	// Ours: Oracle asks for manage all-resources on the lowest compartment above both
	// places. A permission that no type grants is granted by that alone.
	"MoveCompartment": {"COMPARTMENT_MOVE"}, "BulkDeleteResources": {"COMPARTMENT_BULK"}, "BulkMoveResources": {"COMPARTMENT_BULK"},
	"ListBulkActionResourceTypes": {"COMPARTMENT_INSPECT"},

	"GetWorkRequest": {"COMPARTMENT_READ"}, "ListWorkRequests": {"COMPARTMENT_READ"},

	"CreateIdpGroupMapping": {"IDENTITY_PROVIDER_UPDATE", "GROUP_UPDATE"}, "UpdateIdpGroupMapping": {"IDENTITY_PROVIDER_UPDATE", "GROUP_UPDATE"},
	"ListIdentityProviderGroups": {"IDENTITY_PROVIDER_INSPECT"}, "ResetIdpScimClient": {"IDENTITY_PROVIDER_UPDATE"}, // ours

	// Ours, after their siblings.
	"AddTagDefaultLock": {"TAG_DEFAULT_MANAGE"}, "RemoveTagDefaultLock": {"TAG_DEFAULT_MANAGE"},
	"AddTagNamespaceLock": {"TAG_NAMESPACE_UPDATE"}, "RemoveTagNamespaceLock": {"TAG_NAMESPACE_UPDATE"},
	"AssembleEffectiveTagSet": {"TAG_DEFAULT_INSPECT"}, "ListBulkEditTagsResourceTypes": {"TAG_NAMESPACE_INSPECT"},
	"ListTaggingWorkRequests": {"TAG_NAMESPACE_INSPECT"}, "ListStandardTagNamespaces": {"TAG_NAMESPACE_INSPECT"},
	"GetStandardTagTemplate": {"TAG_NAMESPACE_INSPECT"}, "ImportStandardTags": {"TAG_NAMESPACE_CREATE"},
	"ListAllowedDomainLicenseTypes": {"DOMAIN_LICENSETYPE_READ"}, "ChangeDomainLicenseType": {"DOMAIN_UPDATE"},
	"EnableReplicationToRegion": {"DOMAIN_REPLICATE"}, "ListIamWorkRequestErrors": {"IAM_WORKREQUEST_INSPECT"},
}
