// Package alibaba drives a running server with Alibaba Cloud's own SDKs, unmodified:
// the classic one, the newer ones for RAM, IMS and STS, and the credentials
// provider. It is a module of its own so that their dependencies stay out of the
// server's.
package alibaba
