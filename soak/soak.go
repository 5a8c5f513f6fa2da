// Package soak kills the program and takes its power away, many times, and then holds what is left against the laws
// that the design promises: every acknowledged line is in the archive once, every alert is raised once, no call is
// lost, an act is repeated only where the end fell between the act and its entry, and the ledger verifies each time.
//
// Kills: the test binary runs itself again as `tocsin serve` on real files (cli.Main, the real command). A layer around
// the data folder and one around the mail sender write down in a file, shared by both processes, where the program is
// just now; so the test can strike there, and count what it struck.
//
// Power cuts: the desk runs on disk.Lossy, which is cut at every step in turn.
//
// A short form of both runs with every test; the long one is behind the build tag soak: make soak.
package soak
