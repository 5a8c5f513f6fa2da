//go:build !race

package rules

// raced says that the race detector is on.
const raced = false
