//go:build race

package policy

// slowdown is by how much the race detector stretches time limits.
const slowdown = 20
