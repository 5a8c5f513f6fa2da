package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"tocsin/internal/client"
)

// exchangeIncident writes an incident for other teams into a file.
func (p Program) exchangeIncident() *cobra.Command {
	var f listFlags
	var x client.ExchangeAsk
	var out string
	c := &cobra.Command{Use: "exchange INCIDENT --out FILE", Short: "Write an incident for other teams, as STIX 2.1 or VERIS 1.3.7", Args: takes(1, 1, "an INCIDENT"),
		Long:    "Exchange writes what doc/formats/exchange.md says: never what is a victim's, and nothing that its readers may not know by its label (TLP).",
		Example: "  tocsin incident exchange 4 --format stix --audience GREEN --out incident-4.json --as anna\n  tocsin incident exchange 4 --format veris --out incident-4-veris.json",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, args []string) error {
			id, err := incidentNumber(args[0])
			if err == nil && out == "" {
				err = errors.New("tocsin incident exchange needs --out FILE; see `tocsin incident exchange --help`")
			}
			if err != nil {
				return wrong{err}
			}
			var r client.Exchanged
			if err := fresh(func() (_ [][]byte, err error) {
				r, err = c.Exchange(ctx, id, x, f.as)
				return [][]byte{[]byte(r.Data)}, err
			}, out); err != nil {
				return err
			}
			fmt.Fprintf(p.Out, "%s: %s, %s; left out: %d by their label, %d of victims, %d that are none of their kind, %d beyond the bounds\n", Safe(out), r.Label, counted(r.Objects, "object"), r.Hidden, r.Victims, r.Wrong, r.More)
			return nil
		})}
	f.flags(c)
	c.Flags().StringVar(&f.as, "as", "", "staff id of who does it (default: nobody in particular)")
	c.Flags().StringVar(&x.Format, "format", "stix", "stix or veris")
	c.Flags().StringVar(&x.Audience, "audience", "AMBER", "TLP label of those who read it: CLEAR, GREEN, AMBER or AMBER+STRICT")
	c.Flags().StringVar(&out, "out", "", "file to write; it must not be there yet")
	return c
}
