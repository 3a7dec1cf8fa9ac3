// Package system holds Alibaba Cloud's system policies that exist in every account
// from the start: their names, versions and documents.
//
// AdministratorAccess, AliyunSTSAssumeRoleAccess, AliyunRAMReadOnlyAccess,
// AliyunVPCFullAccess and AliyunEIPReadOnlyAccess grant what Alibaba Cloud
// publishes. The text of the others is published nowhere; they grant what their
// names and descriptions say, as docs/divergences/alibaba.md lists.
//
// The package parses nothing and attaches nothing.
package system
