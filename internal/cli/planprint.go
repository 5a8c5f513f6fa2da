package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tocsin/internal/client"
	"tocsin/internal/desk"
)

// planPrint writes the whole plan into a file, for the drawer.
func (p Program) planPrint(f *listFlags) *cobra.Command {
	var out, format, zone string
	c := &cobra.Command{Use: "print --out FILE", Short: "Write the whole plan as one document: cover, contacts, playbooks, revision history", Args: takes(0, 0, ""),
		Long:    "Print writes what lies in the drawer for the day on which no screen works. How people and contacts are reached stands in it for those who may see it.\nThe ending of FILE says the format: .pdf, .html or .md.",
		Example: "  tocsin plan print --out plan.pdf --zone Europe/Berlin --as anna",
		RunE: p.asks(f, func(ctx context.Context, c *client.Client, _ time.Time, _ []string) error {
			if out == "" {
				return wrong{errors.New("tocsin plan print needs --out FILE; see `tocsin plan print --help`")}
			}
			form := format
			if form == "" {
				form = strings.TrimPrefix(strings.ToLower(filepath.Ext(out)), ".")
			}
			if !slices.Contains([]string{"pdf", "html", "md"}, form) {
				return wrong{fmt.Errorf("%.20q is no format of the plan: let the name of the file end with .pdf, .html or .md, or give --format", form)}
			}
			size := 0
			err := fresh(func() ([][]byte, error) {
				x, err := c.PrintPlan(ctx, form, zone, f.as)
				size = len(x.Bytes)
				return [][]byte{x.Bytes}, err
			}, out)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.Out, "%s: the whole plan, %s. Print it anew after each change.\n", Safe(out), desk.Size(int64(size)))
			return err
		})}
	c.Flags().StringVar(&out, "out", "", "file to write; it must not be there yet")
	c.Flags().StringVar(&format, "format", "", "pdf, html or md (default: by the ending of the file)")
	c.Flags().StringVar(&zone, "zone", "", "zone of the times in it, as Europe/Berlin (default: UTC)")
	return c
}
