//go:build race

package rules

// raced says that the race detector is on, which makes long replays ten times longer.
const raced = true
