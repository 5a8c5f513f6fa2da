//go:build race

package search

// raced says that the race detector is on, which makes long lists ten times longer.
const raced = true
