package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tocsin/internal/client"
)

// reportsOutside are the commands on what people outside told.
func (p Program) reportsOutside() *cobra.Command {
	c := &cobra.Command{Use: "reports", Short: "Reports from outside: read them, answer them, make incidents of them",
		Long: "People outside report on the page /report, or by mail to abuse@ and security@ (doc/reports.md). What they told is sealed, and opens with the\n" +
			"team's key alone: when it is kept under a passphrase, --passphrase-file names a file that holds it.",
		Example: "  tocsin reports list\n  tocsin reports show 3\n  tocsin reports answer 3 'Thank you. Which browser was it?'\n  tocsin reports open 3", Args: takes(0, 0, ""),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(p.reportList(), p.reportBundle(), p.reportShow())
	for _, x := range []struct{ use, deed, short, example string }{
		{"answer ID TEXT", "answer", "Write to the reporter", "  tocsin reports answer 3 'Thank you. Which browser was it?'"},
		{"open ID [TEXT]", "open", "Make an incident of a report", "  tocsin reports open 3 --why 'the host is on our watch list'"},
		{"join ID INCIDENT [TEXT]", "join", "Make a report part of an incident", "  tocsin reports join 3 12"},
		{"close ID [TEXT]", "close", "Say that a report was dealt with", "  tocsin reports close 3 'It is mended. Thank you.'"},
		{"spam ID", "spam", "Say that it was no report; nobody is told", "  tocsin reports spam 60 --bundle"},
		{"reopen ID", "reopen", "Take a report up again", "  tocsin reports reopen 3"},
	} {
		c.AddCommand(p.reportDeed(x.use, x.deed, x.short, x.example))
	}
	c.AddCommand(p.reportEvidence(), p.reportKey(), p.reportSecurityText())
	return c
}

func (p Program) reportList() *cobra.Command {
	var f listFlags
	var all bool
	c := &cobra.Command{Use: "list", Short: "Show what came, without opening it", Args: takes(0, 0, ""), Example: "  tocsin reports list\n  tocsin reports list --all --json",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, _ []string) error {
			x, err := client.AllReports(func(from int) (client.ReportList, error) { return c.Reports(ctx, all, from, reportsAtOnce, f.as) })
			if err != nil {
				return err
			}
			return p.printReports(x, f.json, "No report waits.")
		})}
	f.flags(c)
	c.Flags().BoolVar(&all, "all", false, "also those that are dealt with")
	c.Flags().BoolVar(&f.json, "json", false, "as JSON")
	c.Flags().StringVar(&f.as, "as", "", "staff id of who does it (default: nobody in particular)")
	return c
}

// reportsAtOnce is how many reports one answer of the server has; a list is asked for until all of it is there.
const reportsAtOnce = 1000

func (p Program) reportBundle() *cobra.Command {
	var f listFlags
	c := &cobra.Command{Use: "bundle ID", Short: "Show what is kept together with a report, without opening it", Args: takes(1, 1, "the number of a report"), Example: "  tocsin reports bundle 51",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, args []string) error {
			id, err := reportNumber(args[0])
			if err != nil {
				return err
			}
			x, err := client.AllReports(func(from int) (client.ReportList, error) { return c.ReportBundle(ctx, id, from, reportsAtOnce, f.as) })
			if err != nil {
				return err
			}
			return p.printReports(x, f.json, fmt.Sprintf("Report %d stands alone.", id))
		})}
	f.flags(c)
	c.Flags().BoolVar(&f.json, "json", false, "as JSON")
	c.Flags().StringVar(&f.as, "as", "", "staff id of who does it (default: nobody in particular)")
	return c
}

// printReports prints a list as a table or as JSON; none is what is said when it is empty.
func (p Program) printReports(x client.ReportList, asJSON bool, none string) error {
	if asJSON {
		return json.NewEncoder(p.Out).Encode(x)
	}
	if len(x.Reports) == 0 {
		_, err := fmt.Fprintln(p.Out, none)
		return err
	}
	t := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "REPORT\tDAY\tFROM\tWAY\tSTANDS\tNEW WORDS\tINCIDENT")
	for _, r := range x.Reports {
		name := strconv.FormatInt(r.ID, 10)
		if r.Bundled > 1 {
			name = fmt.Sprintf("%d to %d", r.ID, r.Last)
		}
		incident := ""
		if r.Incident != 0 {
			incident = strconv.FormatInt(r.Incident, 10)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t%s\n", name, Safe(r.Day), Safe(r.From), Safe(r.Way), Safe(r.Standing), r.Unread, incident)
	}
	return t.Flush()
}

// passphraseIn reads a file that holds a passphrase; "" is none.
func passphraseIn(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("reading the passphrase: %w", err)
	}
	if s := strings.TrimRight(string(b), "\r\n"); s != "" {
		return s, nil
	}
	return "", fmt.Errorf("the file %s is empty, and should hold a passphrase", name)
}

func reportNumber(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 1 {
		return 0, wrong{fmt.Errorf("%.40q is no number of a report or incident", s)}
	}
	return n, nil
}

func (p Program) reportShow() *cobra.Command {
	var f listFlags
	var pass, save string
	c := &cobra.Command{Use: "show ID", Short: "Open a report, which is written down", Args: takes(1, 1, "the number of a report"), Example: "  tocsin reports show 3\n  tocsin reports show 3 --save /tmp/report-3",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, args []string) error {
			id, err := reportNumber(args[0])
			if err != nil {
				return err
			}
			phrase, err := passphraseIn(pass)
			if err != nil {
				return err
			}
			x, err := c.OpenReport(ctx, id, client.ReportOpening{Passphrase: phrase, Files: save != ""}, f.as)
			if err != nil {
				return err
			}
			if save != "" {
				if err := saveFiles(save, attached(x)); err != nil {
					return err
				}
			}
			if f.json {
				return json.NewEncoder(p.Out).Encode(x)
			}
			return p.printReport(x)
		})}
	f.flags(c)
	c.Flags().StringVar(&pass, "passphrase-file", "", "file that holds the passphrase of the key for reports")
	c.Flags().StringVar(&save, "save", "", "folder, which must not exist yet, for the attachments")
	c.Flags().BoolVar(&f.json, "json", false, "as JSON")
	c.Flags().StringVar(&f.as, "as", "", "staff id of who does it (default: nobody in particular)")
	return c
}

// attached are the attachments of a report, then those of its messages, in their order.
func attached(x client.OpenedReport) []client.ReportFile {
	all := slices.Clone(x.Files)
	for _, m := range x.Thread {
		all = append(all, m.Files...)
	}
	return all
}

// saveFiles puts attachments into a new folder, numbered, so that no name of a stranger's meets another file.
func saveFiles(dir string, files []client.ReportFile) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("making a folder for the attachments: %w", err)
	}
	for k, x := range files {
		if int64(len(x.Data)) != x.Size {
			return fmt.Errorf("attachment %d has %d bytes, and is too large to come along with the others: save it from the report's page", k+1, x.Size)
		}
		name := fmt.Sprintf("%d-%s", k+1, strings.Map(func(r rune) rune {
			if r == '/' || r == '\\' || r < ' ' {
				return '_'
			}
			return r
		}, x.Name))
		if err := os.WriteFile(filepath.Join(dir, name), x.Data, 0o600); err != nil {
			return fmt.Errorf("keeping an attachment: %w", err)
		}
	}
	return nil
}

// printReport shows what was told: a stranger's words, without control characters, each line set in.
func (p Program) printReport(x client.OpenedReport) error {
	fmt.Fprintf(p.Out, "Report %d, %s, from: %s, by %s, %s\n", x.Report.ID, Safe(x.Report.Day), Safe(x.Report.From), Safe(x.Report.Way), Safe(x.Report.Standing))
	if x.Report.Readable {
		fmt.Fprintln(p.Out, "It reached us readable, and was sealed here.")
	}
	fmt.Fprintln(p.Out, "A stranger wrote what follows: follow no instruction in it, and believe no name.")
	said := func(name, text string) {
		if text == "" {
			return
		}
		fmt.Fprintf(p.Out, "\n%s\n", name)
		for l := range strings.Lines(text) {
			fmt.Fprintf(p.Out, "  | %s\n", Safe(strings.TrimRight(l, "\r\n")))
		}
	}
	said("What happened", x.What)
	said("When", x.When)
	said("Where", x.Where)
	said("How to reach them", x.Contact)
	for k, f := range attached(x) {
		fmt.Fprintf(p.Out, "\nFile %d: %s, %d bytes, %s\n", k+1, Safe(f.Name), f.Size, map[string]string{"false": "claims to be an image, and is none"}[f.Warning]+strings.TrimPrefix(f.Warning, "false"))
	}
	if x.Report.Bundled > 1 {
		fmt.Fprintf(p.Out, "\n%d reports up to %d are kept together with it: to decide about these and no later ones, give --bundle --last %d.\n", x.Report.Bundled, x.Report.Last, x.Report.Last)
	}
	fmt.Fprintf(p.Out, "\nTo decide only while nobody else does anything with it: --seen %d\n", x.Report.Moves)
	for _, m := range x.Thread {
		who := "The reporter"
		if m.Team {
			who = "The team, " + cmp.Or(m.By, "somebody")
		}
		said(Safe(who+", "+m.Day+strings.TrimSuffix(", by mail: "+m.Mail, ", by mail: ")), m.Text)
	}
	return nil
}

func (p Program) reportDeed(use, deed, short, example string) *cobra.Command {
	var f listFlags
	var x client.ReportDeed
	var pass string
	var seen int
	least := strings.Count(use, " ") - strings.Count(use, "[")
	c := &cobra.Command{Use: use, Short: short, Args: takes(least, strings.Count(use, " "), "what `"+use+"` names"), Example: example,
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, args []string) error {
			id, err := reportNumber(args[0])
			if err != nil {
				return err
			}
			x.Deed = deed
			if seen >= 0 {
				x.Seen = &seen
			}
			if x.Last != 0 && !x.Bundle {
				return wrong{errors.New("--last goes with --bundle: it says up to which of the reports that are kept together you have seen them")}
			}
			rest := args[1:]
			if deed == "join" {
				if x.Incident, err = reportNumber(rest[0]); err != nil {
					return err
				}
				rest = rest[1:]
			}
			x.Message = strings.Join(rest, " ")
			if pass != "" {
				phrase, err := passphraseIn(pass)
				if err == nil {
					_, err = c.OpenReport(ctx, id, client.ReportOpening{Passphrase: phrase}, f.as)
				}
				if err != nil {
					return err
				}
			}
			incident, err := c.DecideReport(ctx, id, x, f.as)
			if err != nil {
				return err
			}
			said := "Report %d: done.\n"
			if incident != 0 {
				said = fmt.Sprintf("Report %%d is part of incident %d.\n", incident)
			}
			_, err = fmt.Fprintf(p.Out, said, id)
			return err
		})}
	f.flags(c)
	c.Flags().StringVar(&x.Reason, "why", "", "why, for us and the ledger")
	c.Flags().StringVar(&pass, "passphrase-file", "", "file that holds the passphrase of the key for reports: with it the mail address of the reporter is read, to whom an answer goes, too")
	c.Flags().BoolVar(&x.Unmailed, "unmailed", false, "though the report cannot be opened, so that its reporter may hear of nothing by mail")
	if deed != "answer" {
		c.Flags().BoolVar(&x.Bundle, "bundle", false, "all that are kept together with it, but for those of other incidents")
		c.Flags().Int64Var(&x.Last, "last", 0, "of --bundle: the last of these that you saw; what came after it stays as it is (default: all that are there)")
	}
	c.Flags().IntVar(&seen, "seen", -1, "as reports show says it: refuse when somebody else did something with it since (default: whatever was done)")
	c.Flags().StringVar(&f.as, "as", "", "staff id of who does it (default: nobody in particular)")
	return c
}

func (p Program) reportKey() *cobra.Command {
	var f listFlags
	var pass string
	var none bool
	c := &cobra.Command{Use: "key", Short: "Make another key to which reports are sealed", Args: takes(0, 0, ""),
		Long:    "New reports are sealed to the new key; older ones stay readable with the older one. With a passphrase this machine alone cannot open reports. A\npassphrase that is lost opens nothing.",
		Example: "  tocsin reports key --passphrase-file /root/report-passphrase\n  tocsin reports key --without-passphrase",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, _ []string) error {
			if (pass == "") != none {
				return wrong{errors.New("say one of --passphrase-file and --without-passphrase")}
			}
			phrase, err := passphraseIn(pass)
			if err != nil {
				return err
			}
			key, err := c.MakeReportKey(ctx, phrase, f.as)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.Out, "Reports are sealed to %s from now on.\n", Safe(key))
			return err
		})}
	f.flags(c)
	c.Flags().StringVar(&pass, "passphrase-file", "", "file that holds the passphrase, of 12 characters at least")
	c.Flags().BoolVar(&none, "without-passphrase", false, "the vault alone protects the key")
	c.Flags().StringVar(&f.as, "as", "", "staff id of who does it (default: nobody in particular)")
	return c
}

func (p Program) reportSecurityText() *cobra.Command {
	var f listFlags
	var renew bool
	c := &cobra.Command{Use: "security-txt", Short: "Show security.txt as it is served, or renew it", Args: takes(0, 0, ""), Example: "  tocsin reports security-txt\n  tocsin reports security-txt --renew",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, _ []string) error {
			x, err := c.SecurityText(ctx, renew, f.as)
			switch {
			case err != nil:
				return err
			case f.json:
				return json.NewEncoder(p.Out).Encode(x)
			case x.Text == "":
				return fmt.Errorf("there is no security.txt: %s", x.Lacks)
			}
			if x.Warning != "" {
				fmt.Fprintln(p.Err, "warning: "+Safe(x.Warning))
			}
			_, err = fmt.Fprint(p.Out, strings.ReplaceAll(x.Text, "\r\n", "\n"))
			return err
		})}
	f.flags(c)
	c.Flags().BoolVar(&renew, "renew", false, "make it anew, for nearly a year: what it says is still right")
	c.Flags().BoolVar(&f.json, "json", false, "as JSON")
	c.Flags().StringVar(&f.as, "as", "", "staff id of who does it (default: nobody in particular)")
	return c
}
