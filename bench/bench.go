// Package bench measures what the design promises, on the machine it runs on, and prints each figure beside its goal: the
// time from a written log line to a received mail, memory and start of `tocsin serve`, lines per second.
//
// make bench runs all of it (build tag bench) and fails when a goal is missed; a short form, which only shows that the measuring
// works, runs with every test.
package bench
