package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tocsin/internal/cacao"
	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/disk"
	"tocsin/internal/playbook"
)

// The plan as files: pull writes the current revision of each playbook into a folder, with a file beside them that says which revisions these were; push sends back what was
// changed, and is refused for one that moved on meanwhile. check needs no server.

// pulledFile says, in a folder of playbooks, at which revision each was pulled.
const pulledFile = ".tocsin-plan.json"

// pulled is what it holds.
type pulled struct {
	Revisions map[string]string `json:"revisions"` // by id
}

// plan are the commands on playbooks.
func (p Program) plan() *cobra.Command {
	c := &cobra.Command{Use: "plan", Short: "The playbooks of the plan as files, and the whole plan on paper: pull, check, push, import, export, print", Args: takes(0, 0, ""),
		Example: "  tocsin plan pull plan/\n  tocsin plan check plan/*.yaml\n  tocsin plan push plan/ --why 'the provider has another number' --as anna", RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	var f listFlags
	var why string
	all := []*cobra.Command{p.planList(&f), p.planPull(&f), p.planPush(&f, &why), p.planImport(&f, &why), p.planExport(&f), p.planPrint(&f)}
	for _, sub := range all {
		f.flags(sub)
		sub.Flags().StringVar(&f.as, "as", "", "staff id of who does it (default: nobody in particular)")
		c.AddCommand(sub)
	}
	for _, sub := range []*cobra.Command{all[2], all[3]} {
		sub.Flags().StringVar(&why, "why", "", "why the plan is changed, for the ledger")
	}
	c.AddCommand(p.planCheck())
	return c
}

func (p Program) planList(f *listFlags) *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "List the playbooks of the plan", Example: "  tocsin plan list", Args: takes(0, 0, ""),
		RunE: p.asks(f, func(ctx context.Context, c *client.Client, _ time.Time, _ []string) error {
			list, err := c.Playbooks(ctx, f.as)
			if err != nil {
				return err
			}
			if f.json {
				return json.NewEncoder(p.Out).Encode(list)
			}
			t := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(t, "PLAYBOOK\tREVISION\tFROM\tCHANGED\tSTATE\tTITLE")
			for _, x := range list {
				fmt.Fprintf(t, "%s\t%.12s\t%s\t%s\t%s\t%s\n", Safe(x.ID), Safe(x.Revision), Safe(x.From), x.Changed.UTC().Format("2006-01-02"), bookState(x), Safe(x.Title))
			}
			return t.Flush()
		})}
	c.Flags().BoolVar(&f.json, "json", false, "as JSON")
	return c
}

func bookState(x client.Playbook) string {
	switch {
	case x.Retired:
		return "not used any more"
	case x.Waits > 0:
		return fmt.Sprintf("a change waits (approval %d)", x.Waits)
	case x.Offered != "":
		return "the program offers a newer one"
	}
	return "in use"
}

func (p Program) planPull(f *listFlags) *cobra.Command {
	return &cobra.Command{Use: "pull FOLDER", Short: "Write the playbooks of the plan into a folder", Args: takes(1, 1, "a FOLDER"),
		Long:    "Pull writes each playbook that is in use as NAME.yaml. A file that was changed here since the last pull is left alone, and named.",
		Example: "  tocsin plan pull plan/",
		RunE: p.asks(f, func(ctx context.Context, c *client.Client, _ time.Time, args []string) error {
			dir := args[0]
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
			was, err := readPulled(dir)
			if err != nil {
				return err
			}
			list, err := c.Playbooks(ctx, f.as)
			if err != nil {
				return err
			}
			var kept, odd []string
			for _, x := range list {
				if x.Retired {
					continue
				}
				if !playbook.BookID(x.ID) {
					odd = append(odd, fmt.Sprintf("%.60q, whose name can be no file here", x.ID))
					continue
				}
				full, err := c.Playbook(ctx, x.ID, f.as)
				if err != nil {
					return err
				}
				if desk.RevisionOf([]byte(full.Text)) != full.Revision {
					odd = append(odd, x.ID+", whose text is not that of the revision that the server names: something between here and there changed it")
					continue
				}
				changed, err := changedHere(dir, x.ID, was.Revisions[x.ID], full.Revision)
				if err != nil {
					return err
				}
				if changed {
					kept = append(kept, x.ID)
					continue
				}
				if err := replaceIn(dir, bookFile(x.ID), []byte(full.Text)); err != nil {
					return err
				}
				was.Revisions[x.ID] = full.Revision
				if err := writePulled(dir, was); err != nil { // now, so that what fails later takes nothing of this back
					return err
				}
				fmt.Fprintf(p.Out, "%s  %.12s\n", filepath.Join(dir, bookFile(x.ID)), full.Revision)
			}
			var errs []error
			if len(odd) > 0 {
				errs = append(errs, fmt.Errorf("not pulled: %s", strings.Join(odd, "; ")))
			}
			if len(kept) > 0 {
				errs = append(errs, fmt.Errorf("%s changed here since the last pull, so what the plan has now was not written over it: push it, or move the file away and pull again", strings.Join(kept, ", ")))
			}
			return errors.Join(errs...)
		})}
}

func bookFile(id string) string { return id + ".yaml" }

// changedHere reports whether a file holds neither what was pulled nor what the plan has.
func changedHere(dir, id, was, now string) (bool, error) {
	b, err := os.ReadFile(filepath.Join(dir, bookFile(id)))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	here := desk.RevisionOf(b)
	return here != was && here != now, nil
}

func replaceIn(dir, name string, b []byte) error {
	l, err := disk.Open(dir)
	if err != nil {
		return err
	}
	return disk.Replace(l, name, b)
}

func readPulled(dir string) (x pulled, err error) {
	x.Revisions = map[string]string{}
	b, err := os.ReadFile(filepath.Join(dir, pulledFile))
	if errors.Is(err, fs.ErrNotExist) {
		return x, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &x)
	}
	if err != nil {
		return x, fmt.Errorf("reading at which revisions %s was pulled: %w; move the file away and pull into an empty folder", dir, err)
	}
	if x.Revisions == nil {
		x.Revisions = map[string]string{}
	}
	return x, nil
}

func writePulled(dir string, x pulled) error {
	b, err := json.MarshalIndent(x, "", "  ")
	if err != nil {
		return err
	}
	return replaceIn(dir, pulledFile, append(b, '\n'))
}

func (p Program) planPush(f *listFlags, why *string) *cobra.Command {
	return &cobra.Command{Use: "push FOLDER", Short: "Send back the playbooks that were changed in a folder", Args: takes(1, 1, "a FOLDER"),
		Long:    "Push sends each file that differs from what was pulled. One that the plan changed meanwhile is refused: pull it, and make the change there. Another person approves each.",
		Example: "  tocsin plan push plan/ --why 'the provider has another number' --as anna",
		RunE: p.asks(f, func(ctx context.Context, c *client.Client, _ time.Time, args []string) error {
			if strings.TrimSpace(*why) == "" {
				return wrong{errors.New("say why the plan is changed, with --why")}
			}
			dir := args[0]
			was, err := readPulled(dir)
			if err != nil {
				return err
			}
			books, err := p.changedBooks(dir, was)
			if err != nil {
				return err
			}
			if len(books) == 0 {
				_, err := fmt.Fprintln(p.Out, "Nothing differs from what was pulled.")
				return err
			}
			var errs []error
			for _, b := range books {
				err := c.PutPlaybook(ctx, client.PlaybookChange{Text: string(b.text), Before: was.Revisions[b.id], Why: *why}, f.as)
				w, waits := errors.AsType[client.Waiting](err)
				switch {
				case waits:
					fmt.Fprintf(p.Out, "%s: approval %d\n%s\n", b.name, w.Approval, Safe(w.Says))
				case err != nil:
					errs = append(errs, fmt.Errorf("%s: %w", b.name, err))
				default:
					was.Revisions[b.id] = desk.RevisionOf(b.text)
					fmt.Fprintf(p.Out, "%s: in use from now on\n", b.name)
				}
			}
			return errors.Join(append(errs, writePulled(dir, was))...)
		})}
}

// A changedBook is a file that differs from what was pulled.
type changedBook struct {
	name, id string
	text     []byte
}

// changedBooks finds them, and refuses all when one is no playbook.
func (p Program) changedBooks(dir string, was pulled) (out []changedBook, err error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	bad := 0
	for _, name := range names {
		text, err := readBook(name)
		if err != nil {
			return nil, err
		}
		b, findings := playbook.Read(name, text)
		if b == nil {
			bad++
			p.sayFindings(findings)
			continue
		}
		if was.Revisions[b.ID] != desk.RevisionOf(text) {
			out = append(out, changedBook{name, b.ID, text})
		}
	}
	if bad > 0 {
		return nil, errors.New("nothing was pushed: mend these first")
	}
	return out, nil
}

// readBook reads a file that is to be a playbook.
func readBook(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, playbook.MaxFile+1))
}

func (p Program) sayFindings(findings []playbook.Finding) {
	for _, f := range findings {
		fmt.Fprintf(p.Out, "%s: %s\n", findingWord(f.Warning), Safe(f.String()))
	}
}

func findingWord(warning bool) string {
	if warning {
		return "warning"
	}
	return "error"
}

func (p Program) planCheck() *cobra.Command {
	return &cobra.Command{Use: "check FILE...", Short: "Say what is wrong with playbooks, with its line", Args: takes(1, 1000, "a FILE"),
		Long:    "Check says what no run could get past: steps that wait for each other, unknown roles, steps that can never be needed, questions that nobody asks. As a warning it names\nactions that the program cannot do: their steps are done by hand. A folder stands for the .yaml files in it.",
		Example: "  tocsin plan check plan/playbooks/skimmer.yaml",
		RunE: func(_ *cobra.Command, args []string) error {
			var names []string
			for _, a := range args {
				if st, err := os.Stat(a); err == nil && st.IsDir() {
					in, err := filepath.Glob(filepath.Join(a, "*.yaml"))
					if err != nil {
						return err
					}
					names = append(names, in...)
				} else {
					names = append(names, a)
				}
			}
			ids, bad := map[string]string{}, 0
			for _, name := range names {
				text, err := readBook(name)
				if err != nil {
					return err
				}
				b, findings := playbook.Read(name, text)
				if b == nil {
					bad++
				} else {
					findings = append(findings, b.Unbuilt(name, desk.Built())...)
					if other := ids[b.ID]; other != "" {
						bad++
						findings = append(findings, playbook.Finding{File: name, Says: fmt.Sprintf("its name %s is that of %s, too", b.ID, other)})
					}
					ids[b.ID] = name
				}
				p.sayFindings(findings)
			}
			if bad > 0 {
				return fmt.Errorf("%d of %d files cannot be worked by", bad, len(names))
			}
			_, err := fmt.Fprintf(p.Out, "%d playbooks can be worked by.\n", len(names))
			return err
		}}
}

func (p Program) planImport(f *listFlags, why *string) *cobra.Command {
	return &cobra.Command{Use: "import FILE", Short: "Take a playbook of CACAO 2.0 over", Args: takes(1, 1, "a FILE"), Example: "  tocsin plan import malware.json --why 'from our sector' --as anna",
		RunE: p.asks(f, func(ctx context.Context, c *client.Client, _ time.Time, args []string) error {
			if strings.TrimSpace(*why) == "" {
				return wrong{errors.New("say why the plan is changed, with --why")}
			}
			text, err := readBook(args[0])
			if err != nil {
				return err
			}
			if x, findings := cacao.Read(text); x == nil { // every reason, not the first alone
				for _, n := range findings {
					fmt.Fprintf(p.Out, "%s: %s\n", findingWord(n.Warning), Safe(n.String()))
				}
				return fmt.Errorf("%s cannot be taken over", args[0])
			}
			out, err := c.ImportPlaybook(ctx, client.ForeignPlaybook{Source: string(text), Why: *why}, f.as)
			for _, s := range out.Says {
				fmt.Fprintf(p.Out, "warning: %s\n", Safe(s))
			}
			if err != nil {
				return err
			}
			says := "in use from now on"
			if out.Waits > 0 {
				says = fmt.Sprintf("it waits for a second person: approval %d", out.Waits)
			}
			_, err = fmt.Fprintf(p.Out, "%s: %s\n", out.ID, says)
			return err
		})}
}

func (p Program) planExport(f *listFlags) *cobra.Command {
	return &cobra.Command{Use: "export PLAYBOOK", Short: "Write a playbook as CACAO 2.0 to standard output", Args: takes(1, 1, "a PLAYBOOK"), Example: "  tocsin plan export skimmer > skimmer.json",
		RunE: p.asks(f, func(ctx context.Context, c *client.Client, _ time.Time, args []string) error {
			x, err := c.ExportPlaybook(ctx, args[0], f.as)
			if err != nil {
				return err
			}
			for _, s := range x.Says {
				fmt.Fprintf(p.Err, "warning: %s\n", Safe(s))
			}
			_, err = fmt.Fprintln(p.Out, x.Source)
			return err
		})}
}

// tasks lists what somebody has to do.
func (p Program) tasks() *cobra.Command {
	var f listFlags
	var most int
	c := &cobra.Command{Use: "tasks", Short: "What somebody has to do across incidents: steps, tasks, questions, hand-overs", Example: "  tocsin tasks --as anna", Args: takes(0, 0, ""),
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, _ []string) error {
			x, err := c.Work(ctx, most, f.as)
			if err != nil {
				return err
			}
			if f.json {
				return json.NewEncoder(p.Out).Encode(x)
			}
			if len(x.Work) == 0 {
				_, err := fmt.Fprintln(p.Out, "There is nothing to do.")
				return err
			}
			t := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(t, "INCIDENT\tWHAT\tNUMBER\tROLE\tDUE\tTEXT")
			for _, w := range x.Work {
				number, due, role := fmt.Sprint(w.ID), "-", w.Role
				if w.Step != "" {
					number = fmt.Sprintf("%d/%s", w.ID, w.Step)
				}
				if !w.Due.IsZero() {
					due = w.Due.UTC().Format(time.RFC3339)
				}
				if w.Late {
					due += " late"
				}
				if role == "" {
					role = "-"
				}
				fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\n", w.Incident, w.What, number, role, due, Safe(w.Text))
			}
			if err := t.Flush(); err != nil {
				return err
			}
			if x.All > len(x.Work) {
				_, err = fmt.Fprintf(p.Out, "and %d more\n", x.All-len(x.Work))
			}
			return err
		})}
	f.flags(c)
	c.Flags().StringVar(&f.as, "as", "", "staff id of whose it is")
	c.Flags().IntVar(&most, "most", 100, "how many are shown")
	c.Flags().BoolVar(&f.json, "json", false, "as JSON")
	return c
}
