package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"text/tabwriter"
	"time"

	"tocsin/internal/desk"
)

// loadRulesOver reads the bundled pack and a folder whose rules take the place of those of the same id.
func (p Program) loadRulesOver(dir string) (desk.RuleSet, error) {
	pack, err := fs.Sub(p.Files, "rules")
	if err != nil {
		return desk.RuleSet{}, err
	}
	stat, err := os.Stat(dir)
	if err != nil {
		return desk.RuleSet{}, fmt.Errorf("reading the rules folder: %w", err)
	}
	if !stat.IsDir() {
		return desk.RuleSet{}, fmt.Errorf("--compare takes a folder, and %s is a file", dir)
	}
	return desk.LoadRulesOver(os.DirFS(dir), pack)
}

// What `replay --compare --json` prints before the summary. The names are scripted against: they stay.
type compared struct {
	Kind   string       `json:"kind"` // "comparison"
	Same   int          `json:"same"` // rules that say the same
	Before desk.Ringing `json:"before"`
	After  desk.Ringing `json:"after"`
}

func compareJSON(e *json.Encoder, c desk.Comparison) error {
	for _, x := range c.Rules {
		if err := e.Encode(x); err != nil {
			return err
		}
	}
	for _, x := range c.Incidents {
		if err := e.Encode(x); err != nil {
			return err
		}
	}
	return e.Encode(compared{"comparison", c.Same, c.Before, c.After})
}

func compareText(w io.Writer, c desk.Comparison) error {
	count := map[string]int{}
	for _, x := range c.Rules {
		count[x.Change]++
	}
	fmt.Fprintf(w, "Rules: %d new, %d changed, %d gone, %d the same but saying something else, %d the same\n",
		count[desk.ChangeNew], count[desk.ChangeChanged], count[desk.ChangeGone], count[desk.ChangeOther], c.Same)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(c.Rules) > 0 {
		fmt.Fprintln(t, "\nRULE\tLEVEL\tALERTS\tRECORDS\tMATCHES\tFIRST (UTC)\tLAST (UTC)\tWHAT")
	}
	for _, x := range c.Rules {
		says := x.After
		if says.Alerts == 0 {
			says = x.Before
		}
		level := x.Level
		if x.Was != "" {
			level = x.Was + " -> " + level
		}
		fmt.Fprintf(t, "%s\t%s\t%d -> %d\t%d -> %d\t%d -> %d\t%s\t%s\t%s\n", x.Change, Safe(level), x.Before.Alerts, x.After.Alerts,
			x.Before.Records, x.After.Records, x.Before.Matches, x.After.Matches, moment(says.First), moment(says.Last), Safe(x.Title))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, x := range c.Rules {
		if says := x.After; says.Sample != "" && x.Change != desk.ChangeOther {
			fmt.Fprintf(w, "\n%s, for example:\n  %s\n", Safe(x.Title), Safe(says.Sample))
		}
		if x.After.Broken != "" {
			fmt.Fprintf(w, "\n%s is set aside: %s\n", Safe(x.Title), Safe(x.After.Broken))
		}
	}
	if len(c.Incidents) > 0 {
		fmt.Fprintln(t, "\nINCIDENT\tSEVERITY\tFIRST (UTC)\tLAST (UTC)\tWHAT\tFROM")
	}
	for _, x := range c.Incidents {
		i := x.Incident
		change := x.Change
		if x.Rings && (change == desk.ChangeNew || change == desk.ChangeGone) {
			change += ", rings"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", change, i.Severity, moment(i.First), moment(i.Last), Safe(i.Title), few(i.Sources))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nBefore: %s. After: %s.\n", ringingWords(c.Before), ringingWords(c.After))
	return nil
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.DateTime)
}

func ringingWords(r desk.Ringing) string {
	return fmt.Sprintf("%s, %s, %d of them ringing the team", counted(r.Alerts, "alert"), counted(r.Incidents, "incident"), r.Rings)
}
