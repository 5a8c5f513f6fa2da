package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"tocsin/internal/desk"
	"tocsin/internal/detect"
	"tocsin/internal/sigma"
)

// loadRules reads the bundled pack and further folders.
func (p Program) loadRules(dirs []string) (desk.RuleSet, error) {
	f, err := p.ruleFolders(dirs)
	return f.Set, err
}

// ruleFolders is loadRules for a program that goes on: it may read them again.
func (p Program) ruleFolders(dirs []string) (desk.Folders, error) {
	pack, err := fs.Sub(p.Files, "rules")
	if err != nil {
		return desk.Folders{}, err
	}
	f := desk.Folders{All: []fs.FS{pack}, Dirs: dirs}
	for _, d := range dirs {
		stat, err := os.Stat(d)
		if err != nil {
			return f, fmt.Errorf("reading the rules folder: %w", err)
		}
		if !stat.IsDir() {
			return f, fmt.Errorf("--rules takes a folder, and %s is a file", d)
		}
		f.All = append(f.All, os.DirFS(d))
	}
	f.Set, err = desk.LoadRules(f.All...)
	return f, err
}

// sayRefused names on standard error what was not loaded: a rule that is not there is never silent.
func (p Program) sayRefused(set desk.RuleSet) {
	for _, r := range set.Refused {
		fmt.Fprintf(p.Err, "rule not loaded: %s\n", Safe(refusedWords(r)))
	}
}

func refusedWords(r detect.Refused) string {
	return fmt.Sprintf("%s:%d: %s: %s: %s", r.File, r.Line, r.Rule, r.Feature, r.Why)
}

func (p Program) rules() *cobra.Command {
	var dirs []string
	var asJSON bool
	c := &cobra.Command{Use: "rules", Short: "Check, list, explain and test rules", Args: takes(0, 0, ""),
		Example: "  tocsin rules check --rules my-rules/\n  tocsin rules explain card-testing\n  tocsin rules test",
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.PersistentFlags().StringArrayVar(&dirs, "rules", nil, "folder of further Sigma rules; repeatable")
	c.PersistentFlags().BoolVar(&asJSON, "json", false, "as JSON")
	c.AddCommand(
		&cobra.Command{Use: "check", Short: "Say of every rule whether it watches: loaded, refused, and why, which logs it reads; fails if one is refused or set aside", Args: takes(0, 0, ""),
			Long: "Check loads every rule and prints a line for each:\n\n" +
				"  loaded    it watches; the line says which logs it reads\n" +
				"  resting   no log that is read here is its source\n" +
				"  lacking   it never matches, because it needs a field that no parser here gives\n" +
				"  aside     it is over its budget, and not used\n" +
				"  refused   it does not load: file, line, what is not supported or wrong, and why",
			Example: "  tocsin rules check\n  tocsin rules check --rules my-rules/ | grep -v ^loaded\n  tocsin rules check --rules my-rules/ --json | jq '.rules[] | select(.stands == \"refused\")'",
			RunE:    func(*cobra.Command, []string) error { return p.rulesCheck(dirs, asJSON) }},
		&cobra.Command{Use: "list", Short: "List the rules", Args: takes(0, 0, ""),
			Example: "  tocsin rules list\n  tocsin rules list --json | jq -r .id",
			RunE:    func(*cobra.Command, []string) error { return p.rulesList(dirs, asJSON) }},
		&cobra.Command{Use: "explain RULE [LINE]", Short: "Say in words what a rule looks for (its id, its name, or a part of its title), and why it matches a line or does not", Args: takes(1, 2, "the id, the name or a part of the title of a RULE"),
			Example: "  tocsin rules explain card-testing\n  tocsin rules explain scanner_agent \"$(tail -1 access.log)\"",
			RunE:    func(_ *cobra.Command, args []string) error { return p.rulesExplain(dirs, args) }},
		&cobra.Command{Use: "coverage", Short: "Say which techniques of MITRE ATT&CK the rules tell of; with --json a layer for its Navigator", Args: takes(0, 0, ""),
			Example: "  tocsin rules coverage\n  tocsin rules coverage --json > layer.json",
			RunE:    func(*cobra.Command, []string) error { return p.rulesCoverage(dirs, asJSON) }},
		p.rulesRunning(),
		&cobra.Command{Use: "test", Short: "Run the sample lines that rules bring along", Args: takes(0, 0, ""),
			Example: "  tocsin rules test --rules my-rules/",
			RunE:    func(*cobra.Command, []string) error { return p.rulesTest(dirs) }})
	return c
}

// A listed rule is one line of `rules list --json`.
type listed struct {
	ID          string   `json:"id"`
	Name        string   `json:"name,omitempty"`
	Title       string   `json:"title"`
	Level       string   `json:"level"`
	Status      string   `json:"status"`
	Author      string   `json:"author"`
	Tags        []string `json:"tags"`
	Correlation bool     `json:"correlation"`
	File        string   `json:"file"`
}

func (p Program) rulesList(dirs []string, asJSON bool) error {
	set, err := p.loadRules(dirs)
	if err != nil {
		return err
	}
	p.sayRefused(set)
	e := json.NewEncoder(p.Out)
	t := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	for _, d := range set.Rules.Documents() {
		m := d.Meta()
		x := listed{m.ID, m.Name, m.Title, m.Level, m.Status, m.Author, m.Tags, d.Correlation != nil, m.File}
		if asJSON {
			if err := e.Encode(x); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", Safe(x.Level), Safe(x.Title), Safe(strings.Join(x.Tags, " ")), Safe(x.ID))
	}
	return t.Flush()
}

// rulesExplain takes a rule, and a line if there is one.
func (p Program) rulesExplain(dirs, args []string) error {
	what := args[0]
	set, err := p.loadRules(dirs)
	if err != nil {
		return err
	}
	p.sayRefused(set)
	var found []sigma.Document
	for _, d := range set.Rules.Documents() {
		m := d.Meta()
		if m.ID == what || m.Name == what {
			found = []sigma.Document{d}
			break
		}
		if strings.Contains(strings.ToLower(m.Title), strings.ToLower(what)) {
			found = append(found, d)
		}
	}
	if len(found) == 0 {
		return fmt.Errorf("no rule has the id, the name, or in its title %q; see `tocsin rules list`", what)
	}
	titles := titlesOf(set)
	for _, d := range found {
		fmt.Fprintln(p.Out, explain(set, d, titles))
		if len(args) > 1 {
			fmt.Fprintln(p.Out, why(set, d, args[1]))
		}
	}
	return nil
}

// titlesOf finds the title of a rule by its id or name.
func titlesOf(set desk.RuleSet) func(string) string {
	titles := map[string]string{}
	for _, d := range set.Rules.Documents() {
		m := d.Meta()
		titles[m.ID], titles[m.Name] = m.Title, m.Title
	}
	delete(titles, "")
	return func(rule string) string { return titles[rule] }
}

// why words why a rule matches a line or does not; of a correlation, for each rule that it reads, those that match first.
func why(set desk.RuleSet, d sigma.Document, line string) string {
	var b strings.Builder
	all := desk.Why(set, d, line)
	slices.SortStableFunc(all, func(x, y desk.Because) int { return rank(x) - rank(y) })
	if len(all) > 0 {
		fmt.Fprintf(&b, "The line was read as %s.\n", Safe(all[0].Format))
	}
	for _, x := range all {
		switch {
		case !x.Routed:
			fmt.Fprintf(&b, "The rule %q does not read lines of this kind.\n", Safe(x.Title))
			continue
		case x.Matches:
			fmt.Fprintf(&b, "It matches %q, because\n", Safe(x.Title))
		default:
			fmt.Fprintf(&b, "It does not match %q, because\n", Safe(x.Title))
		}
		for _, l := range x.Lines {
			fmt.Fprintf(&b, "  - %s\n", Safe(l))
		}
	}
	if d.Correlation != nil && len(all) > 0 && all[0].Matches && all[0].Routed {
		b.WriteString("One line alone raises no alert here: what it takes stands above.\n")
	}
	return b.String()
}

// rank orders what is told of a line: what matches, what does not, what is not asked.
func rank(x desk.Because) int {
	switch {
	case x.Matches && x.Routed:
		return 0
	case x.Routed:
		return 1
	}
	return 2
}

// below words the correlations that d reads, directly or through others: without them nobody knows what d waits for.
func below(set desk.RuleSet, d sigma.Document, title func(string) string, have []string) []string {
	if d.Correlation == nil {
		return have
	}
	for _, x := range set.Rules.Documents() {
		m, c := x.Meta(), x.Correlation
		if c == nil || !slices.Contains(d.Correlation.Rules, m.ID) && !slices.Contains(d.Correlation.Rules, m.Name) {
			continue
		}
		if line := fmt.Sprintf("%q is met %s.", m.Title, c.When(title)); !slices.Contains(have, line) {
			have = below(set, x, title, append(have, line))
		}
	}
	return have
}

// explain words a rule, with what its author wrote.
func explain(set desk.RuleSet, d sigma.Document, title func(string) string) string {
	m := d.Meta()
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s (%s)\n%s\n", Safe(m.Title), Safe(m.Level), Safe(m.ID))
	if says := strings.TrimSpace(m.Description); says != "" {
		fmt.Fprintf(&b, "\n%s\n", safeLines(says))
	}
	fmt.Fprintf(&b, "\n%s\n", safeLines(strings.Join(append(d.ExplainWith(title), below(set, d, title, nil)...), "\n")))
	if len(m.FalsePositives) > 0 {
		fmt.Fprintf(&b, "\nFalse alarms: %s\n", Safe(strings.Join(m.FalsePositives, "; ")))
	}
	if len(m.Tags) > 0 {
		fmt.Fprintf(&b, "ATT&CK: %s\n", Safe(strings.Join(m.Tags, ", ")))
	}
	if m.Author != "" {
		fmt.Fprintf(&b, "Author: %s\n", Safe(m.Author))
	}
	return b.String()
}

func (p Program) rulesTest(dirs []string) error {
	set, err := p.loadRules(dirs)
	if err != nil {
		return err
	}
	p.sayRefused(set)
	ran, bad := 0, 0
	for _, r := range desk.TestRules(set) {
		ran++
		if r.Why != "" {
			bad++
			fmt.Fprintf(p.Out, "FAIL  %s: %s\n", Safe(r.Title), Safe(r.Why))
			if d, ok := set.Find(r.Rule); ok {
				fmt.Fprintf(p.Out, "      in %s:%d\n", Safe(d.Meta().File), d.Meta().Line)
			}
		}
	}
	fmt.Fprintf(p.Out, "%d rules tested with their own sample lines, %d failed\n", ran, bad)
	if bad > 0 {
		return errors.New("a rule does not do what its sample lines say")
	}
	return nil
}
