//go:build race

package desk

// raced says that the race detector is on, which makes long replays ten times longer.
const raced = true
