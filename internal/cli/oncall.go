package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tocsin/internal/client"
)

func (p Program) oncall() *cobra.Command {
	var f listFlags
	var at, severity, policy string
	lasts := 2 * time.Hour
	c := &cobra.Command{Use: "oncall", Short: "Who is rung: now, or at any moment, minute by minute",
		Long:    "Oncall asks the running server who would be rung, through schedules, quiet hours, rules of people and maintenance as they stand. Nothing is sent.",
		Example: "  tocsin oncall now\n  tocsin oncall simulate --severity high --at 2027-01-01T03:10",
		Args:    takes(0, 0, ""), RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	now := &cobra.Command{Use: "now", Short: "Say whom each step would ring now, and which channels are proven", Args: takes(0, 0, ""), Example: "  tocsin oncall now\n  tocsin oncall now --json",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, _ []string) error {
			return p.oncallNow(ctx, c, f.json)
		})}
	sim := &cobra.Command{Use: "simulate", Short: "Say who would be rung if an incident opened at a moment and nobody answered", Args: takes(0, 0, ""),
		Example: "  tocsin oncall simulate\n  tocsin oncall simulate --severity high --at 2027-01-01T03:10 --for 4h\n  tocsin oncall simulate --policy night --json",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, now time.Time, _ []string) error {
			x := client.Simulation{Policy: policy, Severity: severity, At: now, Lasts: lasts}
			if at != "" {
				var err error
				if x.At, err = momentOf(at); err != nil {
					return wrong{err}
				}
			}
			return p.simulate(ctx, c, f.json, x)
		})}
	sim.Flags().StringVar(&at, "at", "", "the moment, as 2027-01-01T03:10 in this machine's zone, or with a zone as in RFC 3339 (default: now)")
	sim.Flags().StringVar(&severity, "severity", "critical", "critical, high or medium")
	sim.Flags().StringVar(&policy, "policy", "", "the policy's name (default: the one that rings for the severity)")
	sim.Flags().DurationVar(&lasts, "for", lasts, "how far to look, at most 24h")
	for _, sub := range []*cobra.Command{now, sim} {
		f.flags(sub)
		sub.Flags().BoolVar(&f.json, "json", false, "as JSON")
		c.AddCommand(sub)
	}
	return c
}

// momentOf reads a moment, in this machine's zone unless it names one.
func momentOf(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	for _, form := range []string{"2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04:05"} {
		if t, err := time.ParseInLocation(form, s, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("--at %q is no moment: write 2027-01-01T03:10, or 2027-01-01T03:10:00Z", s)
}

func (p Program) oncallNow(ctx context.Context, c *client.Client, asJSON bool) error {
	x, err := c.OnCall(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(p.Out).Encode(x)
	}
	for _, severity := range []string{"critical", "high", "medium"} {
		steps, rings := x.Policies[severity]
		if !rings {
			fmt.Fprintf(p.Out, "%s: rings nobody\n", severity)
			continue
		}
		fmt.Fprintf(p.Out, "%s:\n", severity)
		for _, t := range steps {
			who := strings.Join(t.Rings, ", ")
			if who == "" {
				who = "nobody, so the next one rings at once"
			}
			fmt.Fprintf(p.Out, "  step %d  %s; waits %s\n", t.Step, Safe(who), t.Wait)
			for _, l := range t.Left {
				fmt.Fprintf(p.Out, "          not rung: %s\n", Safe(l))
			}
		}
	}
	for _, m := range x.Maintenance {
		fmt.Fprintf(p.Out, "maintenance: %s\n", Safe(m))
	}
	fmt.Fprintf(p.Out, "channels: %d %% proven\n", x.Ready)
	for _, w := range x.Ways {
		if w.State != "proven" {
			fmt.Fprintf(p.Out, "  unproven: %s by %s (%s)\n", Safe(w.Person), Safe(w.Channel), w.State)
		}
	}
	return nil
}

func (p Program) simulate(ctx context.Context, c *client.Client, asJSON bool, x client.Simulation) error {
	ms, err := c.Simulate(ctx, x)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(p.Out).Encode(ms)
	}
	if len(ms) == 0 {
		_, err := fmt.Fprintf(p.Out, "Nobody would be rung: no policy rings for %s.\n", Safe(x.Severity))
		return err
	}
	t := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "AFTER\tAT\tWHAT\tWHO\tWHY")
	for _, m := range ms {
		who := m.Channel
		switch {
		case m.What == "step":
			who = fmt.Sprintf("step %d", m.Step)
		case m.Person != "" && m.Channel != "":
			who = m.Person + " by " + m.Channel
		case m.Person != "":
			who = m.Person
		case m.Target != "":
			who = m.Target
		}
		why := m.Why
		if !m.Until.IsZero() {
			why += ", until " + m.Until.In(x.At.Location()).Format("2006-01-02 15:04 MST")
		}
		if m.Instead != "" {
			why += ", by " + m.Instead + " instead"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", m.After, m.At.In(x.At.Location()).Format("15:04:05"), m.What, Safe(who), Safe(why))
	}
	return t.Flush()
}
