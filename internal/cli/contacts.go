package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tocsin/internal/client"
	"tocsin/internal/contact"
)

// contacts are the commands on the plan's contact list.
func (p Program) contacts() *cobra.Command {
	var f listFlags
	var group, form string
	var secrets, dry bool
	c := &cobra.Command{Use: "contacts", Short: "The contact list of the plan: response team, stakeholders, providers, regulators",
		Long: "The commands go to the running server through the socket in the data folder; without one they work on the folder itself, so the list can be read\n" +
			"when all else is down. Files are CSV (the first line names the columns, as an export has them) or vCards of version 3.0 or 4.0.",
		Example: "  tocsin contacts list\n  tocsin contacts import --dry-run contacts.csv\n  tocsin contacts export > contacts.csv\n  tocsin contacts card | lpr",
		Args:    takes(0, 0, ""), RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	list := &cobra.Command{Use: "list [WORD...]", Short: "Show who is on the list, or whom all words fit", Args: takes(0, 20, ""), Example: "  tocsin contacts list\n  tocsin contacts list hoster --json",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, args []string) error {
			return p.contactList(ctx, c, f, args)
		})}
	imports := &cobra.Command{Use: "import FILE", Short: "Put the contacts of a file on the list: all of them, or none", Args: takes(1, 1, "a FILE"),
		Example: "  tocsin contacts import --dry-run contacts.csv\n  tocsin contacts import --group providers hoster.vcf",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, args []string) error {
			return p.contactImport(ctx, c, f, client.Importing{Person: f.as, Group: group, Do: !dry}, args[0])
		})}
	export := &cobra.Command{Use: "export", Short: "Write the list to the standard output", Args: takes(0, 0, ""), Example: "  tocsin contacts export > contacts.csv\n  tocsin contacts export --form vcard > contacts.vcf",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, _ []string) error {
			return p.contactExport(ctx, c, f, form, secrets)
		})}
	card := &cobra.Command{Use: "card", Short: "Write the emergency card for the day when all is down", Args: takes(0, 0, ""), Example: "  tocsin contacts card | lpr",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, _ []string) error {
			return p.contactExport(ctx, c, f, "card", secrets)
		})}
	for _, sub := range []*cobra.Command{list, imports, export, card} {
		f.flags(sub)
		sub.Flags().StringVar(&f.as, "as", "", "staff id of who does it (default: nobody in particular)")
		c.AddCommand(sub)
	}
	for _, sub := range []*cobra.Command{list, imports} {
		sub.Flags().BoolVar(&f.json, "json", false, "as JSON")
	}
	for _, sub := range []*cobra.Command{export, card} {
		sub.Flags().BoolVar(&secrets, "secrets", false, "with shared phrases and customer numbers: guard the output like a key")
	}
	imports.Flags().StringVar(&group, "group", contact.Providers, "group of those who name none: team, stakeholders, providers, regulators")
	imports.Flags().BoolVar(&dry, "dry-run", false, "only say what would change")
	export.Flags().StringVar(&form, "form", "csv", "csv or vcard")
	return c
}

func (p Program) contactList(ctx context.Context, c *client.Client, f listFlags, words []string) error {
	all, err := c.Contacts(ctx, f.as)
	if err != nil {
		return err
	}
	list := []client.Contact{}
	for _, x := range all {
		text := strings.ToLower(strings.Join([]string{x.Group, x.Name, x.Role, x.Of, strings.Join(x.Ways, " ")}, " "))
		fits := true
		for _, w := range words {
			fits = fits && strings.Contains(text, strings.ToLower(w))
		}
		if fits {
			list = append(list, x)
		}
	}
	if f.json {
		return json.NewEncoder(p.Out).Encode(list)
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(p.Out, "Nobody is on the list, or fits. Put somebody on it: tocsin contacts import FILE")
		return err
	}
	t := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tGROUP\tNAME\tORGANISATION\tFIRST WAY\tCHECKED")
	for _, x := range list {
		first, checked := "-", x.Checked
		if len(x.Ways) > 0 {
			first = x.Ways[0]
		}
		if x.Overdue {
			checked += " overdue"
		}
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\n", x.ID, x.Group, Safe(x.Name), Safe(x.Of), Safe(first), checked)
	}
	return t.Flush()
}

func (p Program) contactImport(ctx context.Context, c *client.Client, f listFlags, x client.Importing, name string) error {
	b, err := readContacts(name)
	if err != nil {
		return err
	}
	x.Data = string(b)
	got, err := c.ImportContacts(ctx, x)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if f.json {
		err = json.NewEncoder(p.Out).Encode(got)
	} else {
		p.sayImported(got, name)
	}
	if err == nil && got.Refused > 0 {
		err = errors.New("nothing was imported: mend what was refused")
	}
	return err
}

func (p Program) sayImported(got client.ImportedContacts, name string) {
	for _, r := range got.Rows {
		switch {
		case len(r.Wrong) > 0:
			for _, w := range r.Wrong {
				fmt.Fprintf(p.Err, "refused: %s, line %d: %s: %s\n", Safe(name), r.Line, Safe(r.Name), Safe(w))
			}
		case r.What != contact.Same:
			fmt.Fprintf(p.Out, "%s: line %d: %s %s\n", r.What, r.Line, Safe(r.Name), strings.Join(r.Fields, ", "))
		}
	}
	done := "nothing was changed"
	if got.Done {
		done = "imported"
	}
	fmt.Fprintf(p.Out, "%d new, %d changed, %d as they are, %d refused: %s\n", got.New, got.Changed, got.Same, got.Refused, done)
}

// readContacts reads a file, or the standard input, and no more than an import may have.
func readContacts(name string) ([]byte, error) {
	f := os.Stdin
	if name != "-" {
		var err error
		if f, err = os.Open(name); err != nil {
			return nil, fmt.Errorf("%s cannot be read: %w", name, reason(err))
		}
		defer f.Close()
	}
	b, err := io.ReadAll(io.LimitReader(f, contact.MaxImport+1))
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", name, reason(err))
	}
	return b, nil // what is too long is refused by its reader
}

func (p Program) contactExport(ctx context.Context, c *client.Client, f listFlags, form string, secrets bool) error {
	got, err := c.ExportContacts(ctx, form, secrets, f.as)
	if err != nil {
		return err
	}
	_, err = io.WriteString(p.Out, got.Data)
	return err
}
