package name

import "strings"

const resourceGroupPrefix = "rg-"

// ResourceGroupID spells the id of a resource group as Alibaba Cloud does.
func ResourceGroupID(id ID) string { return resourceGroupPrefix + id.String() }

// ParseResourceGroupID reads it.
func ParseResourceGroupID(s string) (ID, bool) {
	digits, ok := strings.CutPrefix(s, resourceGroupPrefix)
	if !ok {
		return 0, false
	}
	return ParseID(digits)
}

// ResourceGroupACS names a resource group as Alibaba Cloud does; 0 means all of an
// account's.
func ResourceGroupACS(a Account, id ID) string {
	called := "*"
	if id != 0 {
		called = ResourceGroupID(id)
	}
	return ACS{"resourcemanager", "", a.UID(), "resourcegroup/" + called}.String()
}

// ResourceGroupARN names a resource group as AWS names groups of resources; "*" means
// all of an account's.
func ResourceGroupARN(a Account, called string) string {
	return ARN{Partition, "resource-groups", "", a.String(), "group/" + called}.String()
}
