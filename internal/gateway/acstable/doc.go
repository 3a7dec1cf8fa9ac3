// Package acstable knows the operations of Alibaba Cloud's services: whether each
// reads or changes, and which parameters name what it is authorised on (OpenAPI
// reference of each service, "RAM authorization"). It holds what the gateway
// forwards for ecs, vpc (elastic IP addresses included) and ecs-workbench, and
// reads such tables for other services. It looks at no request; the gateway does.
package acstable
