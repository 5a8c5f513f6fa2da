package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tocsin/internal/client"
)

// review are the commands on the review of the plan and on measures.
func (p Program) review() *cobra.Command {
	c := &cobra.Command{Use: "review", Short: "The review of the plan part by part, and the measures that come of incidents", Args: takes(0, 0, ""),
		Example: "  tocsin review list\n  tocsin review done playbook:skimmer --as anna\n  tocsin review done playbook:skimmer --revision 3f9ae21c07d4 --as anna\n  tocsin review measures\n  tocsin review measure 3 done 'the plug-in is gone' --as boris", RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	var f listFlags
	for _, sub := range []*cobra.Command{p.reviewList(&f), p.reviewDone(&f), p.reviewMeasures(&f), p.reviewMeasure(&f)} {
		f.flags(sub)
		sub.Flags().StringVar(&f.as, "as", "", "staff id of who does it; what is read, approved or verified needs a person")
		c.AddCommand(sub)
	}
	return c
}

func (p Program) reviewList(f *listFlags) *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "List the parts of the plan, what is to be reviewed first in front", Example: "  tocsin review list", Args: takes(0, 0, ""),
		RunE: p.asks(f, func(ctx context.Context, c *client.Client, _ time.Time, _ []string) error {
			list, err := c.PlanParts(ctx, f.as)
			if err != nil {
				return err
			}
			if f.json {
				return json.NewEncoder(p.Out).Encode(list)
			}
			t := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(t, "PART\tDUE\tSTATE\tKEPT BY\tTITLE")
			for _, x := range list {
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", Safe(x.ID), x.Due.UTC().Format("2006-01-02"), partWord(x), orDash(strings.Join(x.Keepers, ",")), Safe(x.Title))
			}
			return t.Flush()
		})}
	c.Flags().BoolVar(&f.json, "json", false, "as JSON")
	return c
}

func partWord(x client.PlanPart) string {
	switch {
	case len(x.ReadBy) > 0:
		return "read by " + strings.Join(x.ReadBy, ",") + ", waits for an approval"
	case x.Late:
		return "late"
	case x.Approved == "":
		return "not reviewed yet"
	case x.Approved != x.Revision:
		return "changed since it was approved"
	}
	return "reviewed"
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// named refuses what needs a person when nobody is named.
func (f *listFlags) named() error {
	if f.as == "" {
		return wrong{errors.New("this needs a person, as another one approves or looks: name yourself with --as")}
	}
	return nil
}

func (p Program) reviewDone(f *listFlags) *cobra.Command {
	revision := ""
	c := &cobra.Command{Use: "done PART", Short: "Print a part to be read; with its revision, say that you read all of it, or approve of what another person read", Args: takes(1, 1, "a PART"),
		Long: "Done prints a part as it stands, with what changed since it was approved last, and its revision; that alone says nothing. With --revision, which is that of what you\n" +
			"read, the first person says that they have read all of it; another one approves by it. If it was changed since, nothing is said: read it again.",
		Example: "  tocsin review done playbook:skimmer --as anna\n  tocsin review done playbook:skimmer --revision 3f9ae21c07d4 --as anna",
		RunE: p.asks(f, func(ctx context.Context, c *client.Client, _ time.Time, args []string) error {
			if err := f.named(); err != nil {
				return err
			}
			x, err := c.PlanPart(ctx, args[0], f.as)
			if err != nil {
				return err
			}
			if revision == "" {
				return p.printPart(x, f.as)
			}
			if len(revision) < revisionShown || !strings.HasPrefix(x.Revision, revision) {
				return fmt.Errorf("what stands of %s is not revision %s: read it again by tocsin review done %s, which prints it with its revision", Safe(x.ID), Safe(revision), Safe(x.ID))
			}
			if len(x.ReadBy) > 0 {
				if err := c.ApprovePart(ctx, x.ID, x.Revision, f.as); err != nil {
					return err
				}
				_, err := fmt.Fprintf(p.Out, "%s is reviewed: read by %s, approved by %s.\n", Safe(x.ID), strings.Join(x.ReadBy, ", "), f.as)
				return err
			}
			var names []string
			for _, s := range x.Sections {
				names = append(names, s.Name)
			}
			if err := c.ReadPart(ctx, x.ID, x.Revision, x.Approved, names, f.as); err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.Out, "You have read %s. Another person approves of it.\n", Safe(x.ID))
			return err
		})}
	c.Flags().StringVar(&revision, "revision", "", "revision of what you read, as it was printed")
	return c
}

// revisionShown is how many characters of a revision are printed, and must at least be given back.
const revisionShown = 12

// printPart prints a part to whoever reviews it: its text, what changed since it was approved last, and how to say that it was read.
func (p Program) printPart(x client.PlanPartText, person string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s)\n", Safe(x.Title), partWord(x.PlanPart))
	for _, s := range x.Sections {
		fmt.Fprintf(&b, "\n## %s [%s]\n", Safe(s.Title), map[string]string{"new": "new", "changed": "changed since it was approved", "same": "as it was approved"}[orElse(s.State, "new")])
		for _, l := range s.Lines {
			fmt.Fprintf(&b, "%s\n", Safe(l))
		}
	}
	for _, name := range x.Gone {
		fmt.Fprintf(&b, "\n## %s [not there any more]\n", Safe(name))
	}
	for _, c := range x.Changes {
		fmt.Fprintf(&b, "\n%s: %s\n", Safe(c.Kind), Safe(orElse(c.What, "the playbook itself")))
		for _, f := range c.Fields {
			for _, side := range []struct{ mark, text string }{{"-", f.From}, {"+", f.To}} {
				for l := range strings.Lines(side.text) {
					fmt.Fprintf(&b, "  %s %s: %s\n", side.mark, Safe(f.Name), Safe(strings.TrimRight(l, "\n")))
				}
			}
		}
	}
	says := "When you have read all of it, and it is right, say so"
	if len(x.ReadBy) > 0 {
		says = fmt.Sprintf("%s read all of it. When it is right, approve of it", strings.Join(x.ReadBy, ", "))
	}
	fmt.Fprintf(&b, "\nNothing has been said yet. %s: tocsin review done %s --revision %.*s --as %s\n", says, Safe(x.ID), revisionShown, Safe(x.Revision), person)
	_, err := io.WriteString(p.Out, b.String())
	return err
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func (p Program) reviewMeasures(f *listFlags) *cobra.Command {
	c := &cobra.Command{Use: "measures", Short: "List the measures of every incident", Example: "  tocsin review measures", Args: takes(0, 0, ""),
		RunE: p.asks(f, func(ctx context.Context, c *client.Client, _ time.Time, _ []string) error {
			list, err := c.AllMeasures(ctx, f.as)
			if err != nil {
				return err
			}
			if f.json {
				return json.NewEncoder(p.Out).Encode(list)
			}
			t := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(t, "MEASURE\tINCIDENT\tSTATE\tDUE\tOWNER\tTEXT")
			for _, m := range list {
				state, of := m.State, "-"
				if m.Late {
					state += ", late"
				}
				if m.Incident != 0 {
					of = fmt.Sprint(m.Incident)
				}
				text, _, _ := strings.Cut(m.Text, "\n")
				fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\n", m.ID, of, state, m.Due.UTC().Format("2006-01-02"), Safe(m.Owner), Safe(text))
			}
			return t.Flush()
		})}
	c.Flags().BoolVar(&f.json, "json", false, "as JSON")
	return c
}

func (p Program) reviewMeasure(f *listFlags) *cobra.Command {
	return &cobra.Command{Use: "measure NUMBER done|verified|reopened|dropped TEXT", Short: "Say of a measure that it is done, verified by another person, reopened or dropped", Args: takes(3, 3, "a NUMBER, what is said, and a TEXT"),
		Example: "  tocsin review measure 3 done 'the plug-in is gone' --as boris",
		RunE: p.asks(f, func(ctx context.Context, c *client.Client, _ time.Time, args []string) error {
			if err := f.named(); err != nil {
				return err
			}
			n, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil || n < 1 {
				return wrong{fmt.Errorf("%.20q is no number of a measure", args[0])}
			}
			if err := c.StepMeasure(ctx, n, args[1], args[2], f.as); err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.Out, "Measure %d: %s.\n", n, args[1])
			return err
		})}
}
