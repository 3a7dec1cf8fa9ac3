package system

import (
	"strings"
	"time"
)

// Policy is one system policy.
type Policy struct {
	Name        string
	Description string
	Version     int       // 3 is "v3"; the only version served
	Created     time.Time // of the table below: Alibaba Cloud publishes no dates
	Document    string    // JSON, Version 1
}

// All lists the policies by name. The slice is the caller's.
func All() []Policy {
	out := make([]Policy, len(table))
	for i, p := range table {
		out[i] = Policy{p.name, p.description, max(p.version, 1), created, document(p.actions)}
	}
	return out
}

var created = time.Date(2015, 5, 1, 0, 0, 0, 0, time.UTC) // of RAM's API

// document allows actions, which a space separates, on everything.
func document(actions string) string {
	list := strings.Split(actions, " ")
	return "{\n  \"Version\": \"1\",\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\",\n      \"Action\": [\n        \"" +
		strings.Join(list, "\",\n        \"") + "\"\n      ],\n      \"Resource\": \"*\"\n    }\n  ]\n}"
}

var table = []struct {
	name, description string
	version           int // 0 is 1
	actions           string
}{
	{"AdministratorAccess", "Permission to manage all resources of the account", 0, "*:*"},
	{"AliyunActionTrailFullAccess", "Permission to manage ActionTrail", 0, "actiontrail:*"},
	{"AliyunECSFullAccess", "Permission to manage Elastic Compute Service", 0, "ecs:* vpc:DescribeVpcs vpc:DescribeVSwitches"},
	{"AliyunECSReadOnlyAccess", "Permission to read Elastic Compute Service", 0, "ecs:Describe* ecs:List* vpc:DescribeVpcs vpc:DescribeVSwitches"},
	{"AliyunEIPFullAccess", "Permission to manage elastic IP addresses", 0, "vpc:*Eip*"},
	{"AliyunEIPReadOnlyAccess", "Permission to read elastic IP addresses", 2, "vpc:DescribeEip* vpc:ListPublicIpAddressPool*"},
	{"AliyunOSSFullAccess", "Permission to manage Object Storage Service", 0, "oss:*"},
	{"AliyunOSSReadOnlyAccess", "Permission to read Object Storage Service", 0, "oss:Get* oss:List*"},
	{"AliyunRAMFullAccess", "Permission to manage Resource Access Management: users and their permissions", 0, "ram:* accessanalyzer:*"},
	{"AliyunRAMReadOnlyAccess", "Permission to read Resource Access Management", 3, "ram:Get* ram:List* ram:GenerateCredentialReport accessanalyzer:Get* accessanalyzer:List*"},
	{"AliyunSTSAssumeRoleAccess", "Permission to assume roles", 0, "sts:AssumeRole"},
	{"AliyunVPCFullAccess", "Permission to manage Virtual Private Cloud", 12, "vpc:*HaVip* vpc:*RouteTable* vpc:*VRouter* vpc:*RouteEntry* " +
		"vpc:*RouteEntries* vpc:*VSwitch* vpc:*Vpc* vpc:*Cen* vpc:*Tag* vpc:*NetworkAcl* vpc:*FlowLog* vpc:*Ipv4Gateway* vpc:*PrefixList* " +
		"vpc:*DhcpOptionsSet* vpc:DeletionProtection vpc:*TagResource* vpc:MoveResourceGroup"},
	{"AliyunVPCReadOnlyAccess", "Permission to read Virtual Private Cloud", 0, "vpc:Describe* vpc:List* vpc:Get*"},
	{"ReadOnlyAccess", "Permission to read all resources of the account", 0, "*:Describe* *:List* *:Get* *:Query* *:BatchGet* *:BatchQuery* actiontrail:LookupEvents"},
}
