//go:build !race

package search

// raced says that the race detector is on.
const raced = false
