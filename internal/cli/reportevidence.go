package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"tocsin/internal/client"
)

// reportEvidence makes attachments of a report evidence of its incident.
func (p Program) reportEvidence() *cobra.Command {
	var f listFlags
	var x client.ReportEvidence
	var pass string
	c := &cobra.Command{Use: "evidence ID", Short: "Make the attachments of a report evidence of its incident", Args: takes(1, 1, "the number of a report"),
		Long:    "Evidence copies attachments into the vault as evidence of the incident to which the report belongs: with their SHA-256, where they are from, and their custody from\nthen on. What is there already, byte for byte, is not brought twice.",
		Example: "  tocsin reports evidence 3 --as anna\n  tocsin reports evidence 3 --file 2 --why 'web shell' --label AMBER+STRICT --as anna",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, args []string) error {
			id, err := reportNumber(args[0])
			if err == nil {
				x.Passphrase, err = passphraseIn(pass)
			}
			if err != nil {
				return err
			}
			got, err := c.BringReportFiles(ctx, id, x, f.as)
			if err != nil {
				return err
			}
			if f.json {
				return json.NewEncoder(p.Out).Encode(got)
			}
			for _, b := range got.Files {
				was := ""
				if b.Was {
					was = ", as it was already"
				}
				fmt.Fprintf(p.Out, "File %d is attachment %d of incident %d%s\n", b.File, b.Attachment, got.Incident, was)
			}
			return nil
		})}
	f.flags(c)
	c.Flags().IntSliceVar(&x.Files, "file", nil, "number of a file as tocsin reports show has it; may be given again (default: all)")
	c.Flags().StringVar(&x.Why, "why", "", "why they matter, or the name under which a step expects them")
	c.Flags().StringVar(&x.Label, "label", "", "TLP label: CLEAR, GREEN, AMBER, AMBER+STRICT, RED (default: as the incident)")
	c.Flags().StringVar(&pass, "passphrase-file", "", "file that holds the passphrase of the key for reports")
	c.Flags().BoolVar(&f.json, "json", false, "as JSON")
	c.Flags().StringVar(&f.as, "as", "", "staff id of who does it")
	return c
}
