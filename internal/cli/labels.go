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

// incidentLabel says, and lists, to whom an incident and the things in it may be told.
func (p Program) incidentLabel() *cobra.Command {
	var f listFlags
	var what, why string
	c := &cobra.Command{Use: "label INCIDENT [LABEL]", Short: "Say to whom an incident, or a thing in it, may be told (TLP 2.0), or list its labels", Args: takes(1, 2, "an INCIDENT and a LABEL"),
		Long: "Label without LABEL lists the incident and everything in it that can have a label. LABEL is CLEAR, GREEN, AMBER, AMBER+STRICT or RED, or none, which takes a thing's own label\n" +
			"away. --of names the thing: decision:3, question:1, task:2, handover:1, attachment:4, note:812 (a line of the timeline, by its entry), statement, cause, lessons,\naffected, status. A label that lets more people hear it than before needs --why. See doc/tlp.md.",
		Example: "  tocsin incident label 4\n  tocsin incident label 4 RED --as anna\n  tocsin incident label 4 GREEN --of attachment:2 --why 'the bank asked for it' --as anna",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, args []string) error {
			id, err := incidentNumber(args[0])
			if err != nil {
				return wrong{err}
			}
			if len(args) == 1 {
				list, err := c.Labels(ctx, id, f.as)
				if err != nil {
					return err
				}
				return p.labelTable(list, id, f.json)
			}
			label := args[1]
			if strings.EqualFold(label, "none") {
				label = ""
			}
			if err := c.SetLabel(ctx, id, what, label, why, f.as); err != nil {
				return err
			}
			of := fmt.Sprintf("Incident %d", id)
			if what != "" {
				of = fmt.Sprintf("%s of incident %d", Safe(what), id)
			}
			_, err = fmt.Fprintf(p.Out, "%s: %s\n", of, orElse(Safe(strings.ToUpper(label)), "as the incident"))
			return err
		})}
	f.flags(c)
	c.Flags().StringVar(&what, "of", "", "what in the incident (default: the incident itself)")
	c.Flags().StringVar(&why, "why", "", "the reason, for the ledger")
	c.Flags().StringVar(&f.as, "as", "", "staff id of who does it (default: nobody in particular)")
	c.Flags().BoolVar(&f.json, "json", false, "as JSON")
	return c
}

func (p Program) labelTable(list []client.ThingLabel, id int64, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(p.Out).Encode(list)
	}
	t := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "WHAT\tLABEL\tITS OWN\tBY\tTEXT")
	for _, x := range list {
		what := orElse(x.What, "incident")
		if x.Incident != 0 && x.Incident != id {
			what += fmt.Sprintf(" of incident %d", x.Incident)
		}
		text, _, _ := strings.Cut(x.Text, "\n")
		if r := []rune(text); len(r) > 60 {
			text = string(r[:59]) + "…"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", Safe(what), Safe(x.Label), orDash(Safe(x.Own)), orDash(Safe(x.By)), Safe(text))
	}
	return t.Flush()
}
