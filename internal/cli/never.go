package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tocsin/internal/client"
)

// quietLogger says only what goes wrong: a command's answer is what it prints.
func (p Program) quietLogger() *slog.Logger {
	return slog.New(slog.NewTextHandler(p.Err, &slog.HandlerOptions{Level: slog.LevelError}))
}

func (p Program) never() *cobra.Command {
	var f listFlags
	var x client.Never
	c := &cobra.Command{Use: "never", Short: "Never-alert list: who opens no incident and rings nobody, until when, and why",
		Long: "An entry names an address, a network, an account, a rule, or several of these, which must then all hold. Its alerts are raised and counted as\n" +
			"before, but open no incident and ring nobody; an alert that names somebody else, too, is told. It ends within a year, and within 90 days when it\n" +
			"names a rule alone. An account that never alerts hides attacks on it, too: name a rule or an address beside it.",
		Example: "  tocsin never add --from 203.0.113.9 --until 30d --why 'our own scanner, ticket 4711'\n" +
			"  tocsin never add --rule RULE --account backup --until 2027-06-30 --why 'nightly export'\n  tocsin never list",
		Args: takes(0, 0, ""), RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	list := &cobra.Command{Use: "list", Short: "Show who never alerts, and how many alerts that kept quiet", Args: takes(0, 0, ""),
		Example: "  tocsin never list\n  tocsin never list --json",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, _ []string) error {
			return p.neverList(ctx, c, f.json)
		})}
	add := &cobra.Command{Use: "add --until TIME --why REASON", Short: "Add an entry", Args: takes(0, 0, ""),
		Example: "  tocsin never add --from 198.51.100.0/24 --until 90d --why 'the payment provider probes us'",
		RunE: func(c *cobra.Command, args []string) error {
			if f.until == "" || x.Why == "" {
				return wrong{errors.New("tocsin never add needs --until TIME and --why REASON; see `tocsin never add --help`")}
			}
			return p.asks(&f, func(ctx context.Context, c *client.Client, until time.Time, _ []string) error {
				x.Person, x.Until = f.as, until
				got, err := c.AddNever(ctx, x)
				if err == nil {
					_, err = fmt.Fprintf(p.Out, "entry %d stands until %s\n", got.ID, got.Until.UTC().Format(time.RFC3339))
				}
				return err
			})(c, args)
		}}
	remove := &cobra.Command{Use: "remove ENTRY", Short: "End an entry now", Args: takes(1, 1, "the number of an ENTRY"),
		Example: "  tocsin never remove 3",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil || id < 1 {
				return wrong{fmt.Errorf("%q is not the number of an entry", args[0])}
			}
			if err := c.RemoveNever(ctx, id, f.as); err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.Out, "entry %d has ended\n", id)
			return err
		})}
	for _, sub := range []*cobra.Command{list, add, remove} {
		f.flags(sub)
		if sub != list {
			sub.Flags().StringVar(&f.as, "as", "", "staff id of who does it (default: nobody in particular)")
		}
		c.AddCommand(sub)
	}
	list.Flags().BoolVar(&f.json, "json", false, "as JSON")
	add.Flags().StringVar(&x.Rule, "rule", "", "id of a rule (default: every rule)")
	add.Flags().StringVar(&x.From, "from", "", "address or network")
	add.Flags().StringVar(&x.Account, "account", "", "name of an account")
	add.Flags().StringVar(&f.until, "until", "", "when it ends: 12h, 30d, 8w, 2026-12-31")
	add.Flags().StringVar(&x.Why, "why", "", "the reason")
	return c
}

func (p Program) neverList(ctx context.Context, c *client.Client, asJSON bool) error {
	all, err := c.Nevers(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(p.Out).Encode(all)
	}
	if len(all) == 0 {
		_, err := fmt.Fprintln(p.Out, "Everybody alerts.")
		return err
	}
	t := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ENTRY\tUNTIL (UTC)\tKEPT QUIET\tRULE\tFROM\tACCOUNT\tBY\tWHY")
	for _, m := range all {
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", m.ID, stamp(m.Until), counted(int(m.Suppressed), "alert"), orAll(m.Rule), orAll(m.From), orAll(m.Account), Safe(m.By), Safe(m.Why))
	}
	return t.Flush()
}

func orAll(s string) string {
	if s == "" {
		return "all"
	}
	return Safe(s)
}

// rulesRunning says which rules the running server uses.
func (p Program) rulesRunning() *cobra.Command {
	var f folders
	var asJSON bool
	c := &cobra.Command{Use: "running", Short: "Say which rules the running server uses, and which of its files are broken", Args: takes(0, 0, ""),
		Example: "  tocsin rules running\n  tocsin rules running --json",
		RunE: func(c *cobra.Command, _ []string) error {
			if err := f.fill("", ""); err != nil {
				return err
			}
			x, err := client.New(f.data).Rules(c.Context())
			if errors.Is(err, client.ErrNotRunning) {
				return fmt.Errorf("%w: %s; start `tocsin serve`, or name its folder with --data", err, f.data)
			}
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(p.Out).Encode(x)
			}
			return writeRunning(p.Out, x)
		}}
	f.flags(c)
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return c
}

func writeRunning(w io.Writer, x client.RuleState) error {
	fmt.Fprintf(w, "%d rules watch, %d refused, %d broken while the old ones stay\n", x.Loaded, len(x.Refused), len(x.Kept))
	if x.Trouble != "" {
		fmt.Fprintln(w, "the folders could not be read again: "+Safe(x.Trouble))
	}
	for word, list := range map[string][]client.BrokenRule{"refused": x.Refused, "the old one stays": x.Kept} {
		for _, r := range list {
			fmt.Fprintf(w, "%s: %s\n", word, Safe(fmt.Sprintf("%s:%d: %s: %s: %s", r.File, r.Line, r.Rule, r.Feature, r.Why)))
		}
	}
	return nil
}
