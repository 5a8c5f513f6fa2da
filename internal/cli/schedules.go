package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tocsin/internal/client"
)

// schedules are the commands on schedules: they go to the running server through the socket in the data folder; without one they work on the folder itself, so that it can be
// seen who is on call when all else is down.
func (p Program) schedules() (all []*cobra.Command) {
	var f listFlags
	var schedule string
	var days int
	tells := func(say func(t io.Writer, list []client.Schedule)) func(*cobra.Command, []string) error {
		return p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, _ []string) error {
			list, err := c.Schedules(ctx, schedule, days, f.as)
			if err != nil {
				return err
			}
			if f.json {
				return json.NewEncoder(p.Out).Encode(list)
			}
			if len(list) == 0 {
				_, err := fmt.Fprintln(p.Out, "There is no schedule. Make one in the console, under On call.")
				return err
			}
			t := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
			say(t, list)
			return t.Flush()
		})
	}
	now := &cobra.Command{Use: "schedules", Short: "Show who is on call now by each schedule, until when, and who comes then", Args: takes(0, 0, ""), Example: "  tocsin oncall schedules\n  tocsin oncall schedules --json", RunE: tells(sayNow)}
	shifts := &cobra.Command{Use: "shifts", Short: "Show who is on call in the next days", Args: takes(0, 0, ""), Example: "  tocsin oncall shifts --schedule shop --days 30", RunE: tells(sayShifts)}
	gaps := &cobra.Command{Use: "gaps", Short: "Show when nobody will be on call, and what else is wrong", Args: takes(0, 0, ""), Example: "  tocsin oncall gaps --days 60", RunE: tells(sayGaps)}
	calendar := &cobra.Command{Use: "calendar", Short: "Write an iCalendar file: of a schedule, or of one's own duties", Args: takes(0, 0, ""), Example: "  tocsin oncall calendar --schedule shop > shop.ics\n  tocsin oncall calendar --as anna > anna.ics",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, _ []string) error {
			text, err := c.Calendar(ctx, schedule, f.as)
			if err == nil {
				_, err = io.WriteString(p.Out, text)
			}
			return err
		})}
	for _, sub := range []*cobra.Command{now, shifts, gaps, calendar} {
		f.flags(sub)
		sub.Flags().StringVar(&f.as, "as", "", "staff id of who asks (default: nobody in particular)")
		sub.Flags().StringVar(&schedule, "schedule", "", "id of one schedule (default: all)")
		if sub != calendar {
			sub.Flags().BoolVar(&f.json, "json", false, "as JSON")
			sub.Flags().IntVar(&days, "days", 14, "how many days ahead, 1 to 100")
		}
		all = append(all, sub)
	}
	return all
}

// whoOr names somebody, or nobody.
func whoOr(who string) string {
	if who == "" {
		return "NOBODY"
	}
	return Safe(who)
}

func minuteOf(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04Z")
}

func sayNow(t io.Writer, list []client.Schedule) {
	fmt.Fprintln(t, "SCHEDULE\tON CALL NOW\tUNTIL\tTHEN\tNAME")
	for _, x := range list {
		then := "-"
		if !x.Until.IsZero() {
			then = whoOr(x.NextWho)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", x.Schedule, whoOr(x.Who), minuteOf(x.Until), then, Safe(x.Name))
	}
}

func sayShifts(t io.Writer, list []client.Schedule) {
	fmt.Fprintln(t, "SCHEDULE\tFROM\tUNTIL\tWHO\tWHY")
	for _, x := range list {
		for _, y := range x.Shifts {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", x.Schedule, minuteOf(y.From), minuteOf(y.Until), whoOr(y.Who), Safe(y.Why))
		}
	}
}

func sayGaps(t io.Writer, list []client.Schedule) {
	for _, x := range list {
		if len(x.Warnings) == 0 {
			fmt.Fprintf(t, "%s: somebody is on call all the time\n", x.Schedule)
		}
		for _, w := range x.Warnings {
			fmt.Fprintf(t, "%s: %s\n", x.Schedule, Safe(w))
		}
	}
}
