//go:build !race

package desk

// raced says that the race detector is on.
const raced = false
