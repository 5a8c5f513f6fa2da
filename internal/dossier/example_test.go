package dossier

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var example = flag.String("example", "", "folder to write the report of a realistic incident to, in all four formats and both depths, to look at")

// TestExample writes the report of a realistic incident, so that people look at its pages:
//
//	go test ./internal/dossier -run TestExample -example /tmp/report
//	pdftoppm -r 70 -png /tmp/report/incident-42-full.pdf /tmp/report/page
func TestExample(t *testing.T) {
	if *example == "" {
		t.Skip("give -example FOLDER to write it")
	}
	if err := os.MkdirAll(*example, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, depth := range []Depth{Full, Executive} {
		for ending, data := range formats(t, Assemble(night(), depth, AmberStrict, berlin(t))) {
			if err := os.WriteFile(filepath.Join(*example, Name(42, depth, ending)), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// night is the skimmer as the desk tells of it.
func night() Case {
	c := skimmer()
	c.Severity, c.Playbook = "critical", "Skimmer in the checkout, revision 3fa2c1d0"
	c.Timeline = nil
	n := int64(110)
	for _, x := range []struct {
		minutes   int
		who, what string
		pinned    bool
	}{
		{14, "Tocsin", "Opened as Critical", false},
		{14, "Tocsin", "A file of the checkout was changed: 1 log line; it opened the incident", true},
		{15, "Tocsin", "A script of another origin runs in the checkout: 212 log lines; joined by a suspect address", false},
		{17, "Anna Kowalska", "Anna Kowalska is Incident Commander", false},
		{18, "Anna Kowalska", "Playbook begun: Skimmer in the checkout", false},
		{19, "Bob", "Begun: Compare checkout.js with the baseline", false},
		{24, "Bob", "Done: Compare checkout.js with the baseline: Eleven lines are new. They post the card form to cdn-checkout.example.", true},
		{26, "Anna Kowalska", "What is known: A script in the checkout copies card numbers. It is there since 00:20. We close the checkout now.", false},
		{30, "Anna Kowalska", "Phase identification to containment", false},
		{35, "Anna Kowalska", "Decided: close the checkout: Each minute costs cards, and nobody buys at this hour.", true},
		{38, "Bob", "File 1: checkout.js as found", false},
		{40, "Bob", "Done: Put the file back from the baseline: the hash is that of the baseline again", false},
		{47, "Łukasz Żółw", "Note: The acquirer wants the window of time and the number of cards by nine.", false},
		{65, "Bob", "Done: Block the address at the edge", false},
		{540, "Anna Kowalska", "Phase containment to eradication", false},
		{1200, "Bob", "Root cause: Somebody else's software: The plug-in took uploads without a sign-in.", true},
		{3600, "Anna Kowalska", "Phase recovery to lessons", false},
		{5400, "Anna Kowalska", "Closed as a true alarm: the shop sells again, and nothing came back in three days", true},
	} {
		n++
		at := after(time.Duration(x.minutes) * time.Minute)
		c.Timeline = append(c.Timeline, Moment{N: n, Happened: at, Learned: at, Who: x.who, What: x.what, Pinned: x.pinned})
	}
	return c
}
