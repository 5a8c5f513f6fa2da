package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"tocsin/internal/desk"
	"tocsin/internal/detect"
)

// What `rules check --json` prints. The names are scripted against: they stay.
type checked struct {
	Files   int                `json:"files"`
	Loaded  int                `json:"loaded"`
	Refused []detect.Refused   `json:"refused"`
	Warned  []detect.Warning   `json:"warned"`
	Rules   []desk.CheckedRule `json:"rules"`
}

// rulesCheck says how each rule stands. It fails when one does not watch that was meant to: a rule whose logs are not here is
// none of these.
func (p Program) rulesCheck(dirs []string, asJSON bool) error {
	set, err := p.loadRules(dirs)
	if err != nil {
		return err
	}
	rules := desk.CheckRules(set)
	count := map[string]int{}
	for _, x := range rules {
		count[x.Stands]++
	}
	var failed error
	if n := count[desk.StandsRefused]; n > 0 {
		failed = fmt.Errorf("%d of %d rules refused: mend them, or they do not watch", n, n+len(set.Rules.Documents()))
	}
	if n := count[desk.StandsAside]; n > 0 {
		failed = errors.Join(failed, fmt.Errorf("%s set aside: mend it, or it does not watch", counted(n, "rule")))
	}
	if asJSON {
		x := checked{set.Files, len(set.Rules.Documents()), append([]detect.Refused{}, set.Refused...), append([]detect.Warning{}, set.Warned...), rules}
		return errors.Join(json.NewEncoder(p.Out).Encode(x), failed)
	}
	fmt.Fprintf(p.Out, "%d rules loaded from %d files, %d refused, %d with a warning; %d watch, %d rest because no log here is their source, %d lack a field, %d set aside\n",
		len(set.Rules.Documents()), set.Files, len(set.Refused), len(set.Warned),
		count[desk.StandsLoaded], count[desk.StandsResting], count[desk.StandsLacking], count[desk.StandsAside])
	for n, x := range rules {
		if n < len(set.Refused) {
			fmt.Fprintln(p.Out, "refused: "+Safe(refusedWords(set.Refused[n])))
			continue
		}
		checkedLine(p.Out, x)
	}
	return failed
}

// readsShown is how many logs of a rule are named; some rules read a dozen.
const readsShown = 3

func checkedLine(w io.Writer, x desk.CheckedRule) {
	line := fmt.Sprintf("%s: %s:%d: %s (%s)", x.Stands, x.File, x.Line, x.Title, x.Level)
	if n := len(x.Reads); n > 0 {
		line += ": reads " + strings.Join(x.Reads[:min(n, readsShown)], ", ")
		if n > readsShown {
			line += fmt.Sprintf(" and %d more", n-readsShown)
		}
	}
	if x.Why != "" {
		line += ": " + x.Why
	}
	fmt.Fprintln(w, Safe(line))
}
