// Command tocsin is an online shop's emergency plan as a program: it reads the shop's logs, detects attacks, opens
// incidents and rings the team until somebody answers.
package main

import (
	"embed"
	"os"
	_ "time/tzdata" // a machine may have none, and people say where they live

	"tocsin/internal/cli"
)

//go:embed rules/*.yml sample plan/playbooks/*.yaml plan/glossary.yaml
var files embed.FS

func main() {
	os.Exit(cli.Main(os.Args[1:], cli.Program{Files: files, Out: os.Stdout, Err: os.Stderr}))
}
