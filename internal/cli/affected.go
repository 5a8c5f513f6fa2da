package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"tocsin/internal/client"
)

// incidentAffected writes down what an incident touched and cost, or shows it.
func (p Program) incidentAffected() *cobra.Command {
	var f listFlags
	var x client.Affected
	c := &cobra.Command{Use: "affected INCIDENT", Short: "Write down which systems, data and people an incident touched and what it cost, or show it", Args: takes(1, 1, "an INCIDENT"),
		Long: "Affected takes rows with semicolons between their parts; what is at the end of a row may be left away. What is given takes the place of all rows of\n" +
			"its kind, the other kinds stay. Without a row it shows what is written. The report of the incident says it.",
		Example: "  tocsin incident affected 4\n  tocsin incident affected 4 --system 'web-1; shop front; checkout.js was changed; restored' --records 'card numbers; copied; 312; orders' --as anna\n  tocsin incident affected 4 --people 'customers; ?; Germany' --cost 'sales lost; 12500 EUR; estimate' --as anna",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, args []string) error {
			id, err := incidentNumber(args[0])
			if err != nil {
				return err
			}
			was, err := c.Command(ctx, id, f.as)
			if err != nil {
				return err
			}
			if was.Affected.Kept != "" { // what was not told cannot be kept beside what is new
				return errors.New(was.Affected.Kept)
			}
			given := false
			for _, k := range []struct{ typed, kept *[]string }{{&x.Systems, &was.Affected.Systems}, {&x.Data, &was.Affected.Data}, {&x.People, &was.Affected.People}, {&x.Costs, &was.Affected.Costs}} {
				if len(*k.typed) > 0 {
					given, *k.kept = true, *k.typed
				}
			}
			if given {
				return c.PutAffected(ctx, id, was.Affected, f.as)
			}
			if f.json {
				return json.NewEncoder(p.Out).Encode(was.Affected)
			}
			for _, k := range []struct {
				word string
				rows []string
			}{{"system", was.Affected.Systems}, {"data", was.Affected.Data}, {"people", was.Affected.People}, {"cost", was.Affected.Costs}} {
				for _, row := range k.rows {
					fmt.Fprintf(p.Out, "%s: %s\n", k.word, Safe(row))
				}
			}
			return nil
		})}
	f.flags(c)
	c.Flags().StringVar(&f.as, "as", "", "staff id of who does it (default: nobody in particular)")
	c.Flags().BoolVar(&f.json, "json", false, "what is written, as JSON")
	c.Flags().StringArrayVar(&x.Systems, "system", nil, "name; what it is for; what happened to it; its state (again for each)")
	c.Flags().StringArrayVar(&x.Data, "records", nil, "which; read, copied, changed, destroyed or exposed; how many records; how one knows (again for each)")
	c.Flags().StringArrayVar(&x.People, "people", nil, "who; how many; in which countries; how one knows (again for each)")
	c.Flags().StringArrayVar(&x.Costs, "cost", nil, "what; 12500.50 EUR; 32 h; estimate (again for each)")
	return c
}
