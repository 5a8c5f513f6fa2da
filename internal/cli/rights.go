package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tocsin/internal/client"
	"tocsin/internal/plan"
)

// people are the commands on the team's rights.
func (p Program) people() *cobra.Command {
	var f listFlags
	c := &cobra.Command{Use: "people", Short: "The team: who may do what", Example: "  tocsin people rights\n  tocsin people approvals", Args: takes(0, 0, ""),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	rights := &cobra.Command{Use: "rights", Short: "Show who may do what, and who has which role", Example: "  tocsin people rights\n  tocsin people rights --json", Args: takes(0, 0, ""),
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, _ []string) error {
			x, err := c.Rights(ctx, f.as)
			if err != nil {
				return err
			}
			return p.rightsTable(x, f.json)
		})}
	approvals := &cobra.Command{Use: "approvals", Short: "Show what waits for a second person (as tocsin approvals list)", Example: "  tocsin people approvals", Args: takes(0, 0, ""),
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, _ []string) error {
			list, err := c.Approvals(ctx, f.as)
			if err != nil {
				return err
			}
			return p.approvalTable(list, f.json)
		})}
	for _, sub := range []*cobra.Command{rights, approvals} {
		f.flags(sub)
		sub.Flags().StringVar(&f.as, "as", "", "staff id of who asks (default: nobody in particular)")
		sub.Flags().BoolVar(&f.json, "json", false, "as JSON")
		c.AddCommand(sub)
	}
	return c
}

// rightsTable prints one row for each action, and the people of each role.
func (p Program) rightsTable(x client.Rights, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(p.Out).Encode(x)
	}
	t := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	head := []string{"MAY"}
	for _, r := range plan.Roles() {
		head = append(head, strings.ToUpper(r))
	}
	fmt.Fprintln(t, strings.Join(append(head, "TWO PERSONS"), "\t"))
	mark := func(b bool) string {
		if b {
			return "yes"
		}
		return "-"
	}
	for _, row := range x.Table {
		cells := []string{row.Action}
		for _, r := range plan.Roles() {
			cells = append(cells, mark(slices.Contains(row.Roles, r)))
		}
		fmt.Fprintln(t, strings.Join(append(cells, mark(row.Two)), "\t"))
	}
	fmt.Fprintln(t)
	for _, r := range plan.Roles() {
		who := strings.Join(x.Who[r], ", ")
		if who == "" {
			who = "nobody"
		}
		fmt.Fprintf(t, "%s\t%s\n", plan.RoleWord(r), who)
	}
	return t.Flush()
}

func (p Program) approvalTable(list []client.Approval, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(p.Out).Encode(list)
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(p.Out, "Nothing was asked for that needs a second person.")
		return err
	}
	t := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tACTION\tABOUT\tBY\tSTATE\tUNTIL\tBY WHOM")
	for _, x := range list {
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", x.ID, x.Action, x.About, x.By, x.State, x.Until.Format(time.RFC3339), strings.Join(x.Who, ", "))
	}
	return t.Flush()
}

// incident are the commands on one incident.
func (p Program) incident() *cobra.Command {
	c := &cobra.Command{Use: "incident", Short: "List, open, note and restrict incidents; who holds which role in one", Example: "  tocsin incident role list 4\n  tocsin incident role take 4 commander --as anna", Args: takes(0, 0, ""),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	role := &cobra.Command{Use: "role", Short: "See, take, give, hand over or leave a role in an incident", Example: "  tocsin incident role hand 4 commander boris --note 'the shop is off, the host is imaged' --as anna", Args: takes(0, 0, ""),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(role, p.incidentReport(), p.incidentAffected(), p.exchangeIncident(), p.incidentLabel())
	c.AddCommand(p.incidentActs()...)
	var f listFlags
	var deputy bool
	var note string
	list := &cobra.Command{Use: "list INCIDENT", Short: "Show who holds which role", Args: takes(1, 1, "an INCIDENT"), Example: "  tocsin incident role list 4",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, args []string) error {
			id, err := incidentNumber(args[0])
			if err != nil {
				return err
			}
			held, err := c.Roles(ctx, id, f.as)
			if err != nil {
				return err
			}
			return p.roleTable(held, f.json)
		})}
	change := func(do, use, short, example string, words int, names string) *cobra.Command {
		return &cobra.Command{Use: use, Short: short, Args: takes(words, words, names), Example: example,
			RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, args []string) error {
				id, err := incidentNumber(args[0])
				if err != nil {
					return err
				}
				x := client.RoleChange{Person: f.as, Do: do, Role: args[1], Deputy: deputy, Note: note}
				if len(args) > 2 {
					x.To = args[2]
				}
				held, err := c.ChangeRole(ctx, id, x)
				if err != nil {
					return err
				}
				return p.roleTable(held, f.json)
			})}
	}
	take := change("take", "take INCIDENT ROLE", "Take a role that nobody holds, or become a deputy", "  tocsin incident role take 4 commander --as anna\n  tocsin incident role take 4 legal --deputy --as carla", 2, "an INCIDENT and a ROLE")
	give := change("give", "give INCIDENT ROLE PERSON", "Give a role to somebody", "  tocsin incident role give 4 analyst dora", 3, "an INCIDENT, a ROLE and a PERSON")
	hand := change("hand", "hand INCIDENT ROLE PERSON", "Hand a role over, with a note", "  tocsin incident role hand 4 commander boris --note 'what stands, and what comes next' --as anna", 3, "an INCIDENT, a ROLE and a PERSON")
	leave := change("leave", "leave INCIDENT ROLE PERSON", "End that somebody has a role", "  tocsin incident role leave 4 commander anna --as anna", 3, "an INCIDENT, a ROLE and a PERSON")
	for _, sub := range []*cobra.Command{list, take, give, hand, leave} {
		f.flags(sub)
		sub.Flags().StringVar(&f.as, "as", "", "staff id of who does it (default: nobody in particular)")
		sub.Flags().BoolVar(&f.json, "json", false, "as JSON")
		role.AddCommand(sub)
	}
	for _, sub := range []*cobra.Command{take, give} {
		sub.Flags().BoolVar(&deputy, "deputy", false, "as a deputy, not as the holder")
	}
	for _, sub := range []*cobra.Command{give, hand, leave} {
		sub.Flags().StringVar(&note, "note", "", "what stands, and what comes next; a hand-over needs it")
	}
	return c
}

func incidentNumber(word string) (int64, error) {
	id, err := strconv.ParseInt(strings.TrimPrefix(word, "#"), 10, 64)
	if err != nil || id < 1 {
		return 0, fmt.Errorf("%q is not the number of an incident; an example is 4", word)
	}
	return id, nil
}

func (p Program) roleTable(held []client.HeldRole, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(p.Out).Encode(held)
	}
	t := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ROLE\tHOLDER\tSINCE\tDEPUTIES")
	for _, h := range held {
		holder, since := h.Person, "-"
		switch {
		case h.Left != "":
			holder = "nobody: " + h.Left + " left the team"
		case holder == "":
			holder = "nobody"
		default:
			since = h.Since.UTC().Format(time.RFC3339)
		}
		writeRole(t, h.Role, holder, since, strings.Join(h.Deputies, ", "))
	}
	return t.Flush()
}

func writeRole(w io.Writer, cells ...string) { fmt.Fprintln(w, strings.Join(cells, "\t")) }
