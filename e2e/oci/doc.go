// Package oci drives Oracle's door with Oracle's own Go SDK, unmodified. It is a module
// of its own, so that the SDK is none of the program's dependencies.
package oci
