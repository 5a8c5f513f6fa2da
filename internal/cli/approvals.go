package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tocsin/internal/client"
)

// approvals are the commands on what needs a second person.
func (p Program) approvals() *cobra.Command {
	var f listFlags
	var why string
	c := &cobra.Command{Use: "approvals", Short: "What needs a second person: list, approve, deny", Example: "  tocsin approvals list\n  tocsin approvals approve 3 --as boris", Args: takes(0, 0, ""),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	list := &cobra.Command{Use: "list", Short: "Show what waits for a second person, and what became of the last ones", Example: "  tocsin approvals list", Args: takes(0, 0, ""),
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, _ []string) error {
			all, err := c.Approvals(ctx, f.as)
			if err != nil {
				return err
			}
			return p.approvalTable(all, f.json)
		})}
	decide := func(yes bool, use, short, example, says string) *cobra.Command {
		return &cobra.Command{Use: use, Short: short, Example: example, Args: takes(1, 1, "the number of an APPROVAL"),
			RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, args []string) error {
				id, err := strconv.ParseInt(args[0], 10, 64)
				if err != nil || id < 1 {
					return wrong{fmt.Errorf("%q is not the number of an approval", args[0])}
				}
				if err := c.Decide(ctx, id, client.Decision{Approve: yes, Why: why}, f.as); err != nil {
					return err
				}
				_, err = fmt.Fprintf(p.Out, says, id)
				return err
			})}
	}
	approve := decide(true, "approve APPROVAL", "Approve something that another person asked for", "  tocsin approvals approve 3 --as boris --why 'I saw the host myself'", "You approved %d. It is done within seconds.\n")
	deny := decide(false, "deny APPROVAL", "Deny it, or take it back", "  tocsin approvals deny 3 --as boris --why 'not before the image is made'", "You denied %d.\n")
	for _, sub := range []*cobra.Command{list, approve, deny} {
		f.flags(sub)
		sub.Flags().StringVar(&f.as, "as", "", "staff id of who does it; an approval needs a person")
		c.AddCommand(sub)
	}
	list.Flags().BoolVar(&f.json, "json", false, "as JSON")
	for _, sub := range []*cobra.Command{approve, deny} {
		sub.Flags().StringVar(&why, "why", "", "the reason, for the ledger")
	}
	return c
}

// breakglass are the commands on the sheets for the safe.
func (p Program) breakglass() *cobra.Command {
	var f listFlags
	count := 0
	c := &cobra.Command{Use: "breakglass", Short: "One-time credentials that lie in the safe: make, list", Example: "  tocsin breakglass make --count 5 > sheets.txt\n  tocsin breakglass list", Args: takes(0, 0, ""),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	list := &cobra.Command{Use: "list", Short: "Show which sheets are sealed, used or replaced", Example: "  tocsin breakglass list", Args: takes(0, 0, ""),
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, _ []string) error {
			all, err := c.Sheets(ctx, f.as)
			if err != nil {
				return err
			}
			if f.json {
				return json.NewEncoder(p.Out).Encode(all)
			}
			t := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(t, "SHEET\tSTATE\tMADE\tBY")
			for _, x := range all {
				fmt.Fprintf(t, "%d\t%s\t%s\t%s\n", x.Number, x.State, x.Made.Format(time.RFC3339), x.By)
			}
			return t.Flush()
		})}
	mk := &cobra.Command{Use: "make", Short: "Make sheets, which replace all sealed ones, and print them once", Args: takes(0, 0, ""),
		Long:    "Make prints each sheet once: who has its text has the key to everything for four hours, once, and everyone is rung when it is used. Print it, and keep no file.",
		Example: "  tocsin breakglass make --count 5 --as anna",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, _ []string) error {
			pages, err := c.MakeSheets(ctx, count, f.as)
			if err != nil {
				return err
			}
			for _, x := range pages {
				if _, err := fmt.Fprintf(p.Out, "Sheet %d of Tocsin, made %s by %s\n\n  %s\n\nType it at %s\nIt opens everything for four hours, once, and rings everyone.\n\f\n", x.Number, x.Made.Format(time.RFC3339), x.By, x.Code, x.Address); err != nil {
					return errors.Join(err, errors.New("make the sheets anew: these were not all printed"))
				}
			}
			return nil
		})}
	for _, sub := range []*cobra.Command{list, mk} {
		f.flags(sub)
		sub.Flags().StringVar(&f.as, "as", "", "staff id of who does it (default: nobody in particular)")
		c.AddCommand(sub)
	}
	list.Flags().BoolVar(&f.json, "json", false, "as JSON")
	mk.Flags().IntVar(&count, "count", 5, "how many: 1 to 20")
	return c
}

// incidentActs are opening, noting, and restricting an incident.
func (p Program) incidentActs() []*cobra.Command {
	var f listFlags
	var kind, why, state string
	var people []string
	on := func(use, short, example string, least, most int, what string, do func(ctx context.Context, c *client.Client, id int64, args []string) error) *cobra.Command {
		return &cobra.Command{Use: use, Short: short, Example: example, Args: takes(least, most, what),
			RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, args []string) error {
				id, err := incidentNumber(args[0])
				if err != nil {
					return wrong{err}
				}
				return do(ctx, c, id, args[1:])
			})}
	}
	list := &cobra.Command{Use: "list", Short: "List incidents, worst first", Example: "  tocsin incident list\n  tocsin incident list --state all --json", Args: takes(0, 0, ""),
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, _ []string) error {
			all, err := c.Incidents(ctx, state, f.as)
			if err != nil {
				return err
			}
			return p.incidentTable(all, f.json)
		})}
	open := &cobra.Command{Use: "open WORDS", Short: "Open an incident that somebody tells of: it rings", Example: "  tocsin incident open 'the checkout shows another shop' --as anna", Args: takes(1, 1, "WORDS"),
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, args []string) error {
			x, err := c.OpenIncident(ctx, args[0], f.as)
			if err == nil {
				_, err = fmt.Fprintf(p.Out, "Incident %d is open, and rings.\n", x.ID)
			}
			return err
		})}
	note := on("note INCIDENT WORDS", "Write a note into an incident", "  tocsin incident note 4 'the host is imaged' --as anna", 2, 2, "an INCIDENT and WORDS", func(ctx context.Context, c *client.Client, id int64, args []string) error {
		return c.Note(ctx, id, client.Jotting{Note: args[0]}, f.as)
	})
	restrict := on("restrict INCIDENT", "Show an incident to named people only", "  tocsin incident restrict 4 --kind hr --people anna,carla --as anna", 1, 1, "an INCIDENT", func(ctx context.Context, c *client.Client, id int64, _ []string) error {
		return c.Restrict(ctx, id, client.Naming{Kind: kind, People: people}, f.as)
	})
	unrestrict := on("unrestrict INCIDENT", "Show a restricted incident to everybody again: a second person approves it", "  tocsin incident unrestrict 4 --why 'it was a bot' --as anna", 1, 1, "an INCIDENT", func(ctx context.Context, c *client.Client, id int64, _ []string) error {
		return c.Unrestrict(ctx, id, why, f.as)
	})
	all := []*cobra.Command{list, open, note, restrict, unrestrict}
	for _, sub := range all {
		f.flags(sub)
		sub.Flags().StringVar(&f.as, "as", "", "staff id of who does it (default: nobody in particular)")
	}
	list.Flags().BoolVar(&f.json, "json", false, "as JSON")
	list.Flags().StringVar(&state, "state", "open", "open, closed or all")
	restrict.Flags().StringVar(&kind, "kind", "legal", "why: insider, hr or legal")
	restrict.Flags().StringSliceVar(&people, "people", nil, "staff ids of all who shall see it")
	unrestrict.Flags().StringVar(&why, "why", "", "the reason, for the ledger")
	return all
}

func (p Program) incidentTable(x client.Incidents, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(p.Out).Encode(x)
	}
	if len(x.Incidents) == 0 {
		_, err := fmt.Fprintln(p.Out, "There is no such incident.")
		return err
	}
	t := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "INCIDENT\tSEVERITY\tPHASE\tWHO\tLAST\tTITLE")
	for _, i := range x.Incidents {
		who := i.Person
		if who == "" {
			who = "nobody"
		}
		switch {
		case i.Merged != 0:
			who = fmt.Sprintf("part of %d", i.Merged)
		case i.Closed:
			who = "closed"
		}
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\n", i.ID, i.Severity, i.Phase, who, i.Last.UTC().Format(time.RFC3339), Safe(i.Title))
	}
	return t.Flush()
}
