package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tocsin/internal/client"
	"tocsin/internal/desk"
)

const (
	manifestEnding = ".manifest"
	dossierAtMost  = 64 << 20 // bytes of a report, or of its ZIP file
	manifestAtMost = 64 << 10
)

// incidentReport writes the report of an incident into a file, and its manifest beside it.
func (p Program) incidentReport() *cobra.Command {
	var f listFlags
	var x client.DossierAsk
	var out, template string
	c := &cobra.Command{Use: "report INCIDENT --out FILE", Short: "Write the report of an incident as it stands now, signed", Args: takes(1, 1, "an INCIDENT"),
		Long: "Report puts together what the ledger knows of an incident: never empty, what nobody has written is named. What the audience may not know by its label\n" +
			"(TLP) is left out. Beside FILE it writes FILE.manifest, signed with the ledger's key: tocsin ledger verify FILE checks one by the other.",
		Example: "  tocsin incident report 4 --format pdf --depth full --out report.pdf --as anna\n  tocsin incident report 4 --format docx --depth executive --audience GREEN --out report.docx",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, args []string) error {
			id, err := incidentNumber(args[0])
			if err == nil && out == "" {
				err = errors.New("tocsin incident report needs --out FILE; see `tocsin incident report --help`")
			}
			if err != nil {
				return wrong{err}
			}
			if template != "" {
				b, err := readAtMost(template, manifestAtMost)
				if err != nil {
					return fmt.Errorf("reading the template: %w", err)
				}
				x.Template = string(b)
			}
			r, err := c.MakeDossier(ctx, id, x, f.as)
			if err != nil {
				return err
			}
			if err := errors.Join(fresh(out, r.Bytes), fresh(out+manifestEnding, []byte(r.Manifest))); err != nil {
				return err
			}
			fmt.Fprintf(p.Out, "%s: %s, signed and written in the ledger; its manifest is %s\n", Safe(out), desk.Size(int64(len(r.Bytes))), Safe(out+manifestEnding))
			return nil
		})}
	f.flags(c)
	c.Flags().StringVar(&f.as, "as", "", "staff id of who does it (default: nobody in particular)")
	c.Flags().StringVar(&x.Format, "format", "pdf", "pdf, html, docx or md")
	c.Flags().StringVar(&x.Depth, "depth", "full", "full or executive")
	c.Flags().StringVar(&x.Audience, "audience", "AMBER", "TLP label of those who read it: CLEAR, GREEN, AMBER or AMBER+STRICT; RED for your own eyes, when you are named on a restricted incident")
	c.Flags().StringVar(&x.Zone, "zone", "", "zone of the times in it, as Europe/Berlin (default: UTC)")
	c.Flags().StringVar(&template, "template", "", "file with a template of your own, for html and md")
	c.Flags().StringVar(&out, "out", "", "file to write; it must not be there yet")
	return c
}

// fresh writes a file that is not there yet.
func fresh(name string, b []byte) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already, and it is not written over; choose another name with --out", name)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

func readAtMost(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("%s is larger than %s", name, desk.Size(most))
	}
	return b, err
}

// verifyDossier checks a report by the manifest beside it, or both in a ZIP file: with the key, and, where a ledger is at hand, that the ledger goes on from it and says that it was made.
func (p Program) verifyDossier(o ledgerFlags, file string) error {
	name := filepath.Base(file)
	report, err := readAtMost(file, dossierAtMost)
	if err != nil {
		return fmt.Errorf("reading the report: %w", err)
	}
	var manifest []byte
	if strings.HasSuffix(strings.ToLower(name), ".zip") {
		name, report, manifest, err = desk.UnpackDossier(report)
	} else if manifest, err = readAtMost(file+manifestEnding, manifestAtMost); errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%s has no manifest beside it: put the one that was made with it at %s", file, file+manifestEnding)
	}
	if err != nil {
		return err
	}
	ours := o.data != "" || o.key == "" // with a key alone the report may be of another shop, whatever ledger lies in the usual folder
	key, isCopy, err := o.verifier()
	if err != nil {
		return err
	}
	if isCopy {
		fmt.Fprintln(p.Err, "the key was read from the data folder itself, where whoever changed the ledger could have changed it too; give --keys or --key to be sure")
	}
	c, err := desk.VerifyDossier(name, report, manifest, key)
	if err != nil {
		return err
	}
	m := c.Manifest
	if _, err := os.Stat(filepath.Join(o.data, "ledger")); !ours || errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintln(p.Err, "there is no ledger at hand, so only the signature was checked; give --data with the folder or a copy to check the report against the ledger too")
	} else if l, err := o.open(); err != nil {
		return err
	} else if made, err := l.AgainstLedger(c, report); err != nil {
		return err
	} else {
		fmt.Fprintf(p.Out, "the ledger of today goes on from the ledger of then, and its entry %d of %s says that the report was made, by %s\n", made.N, made.Time.UTC().Format(time.RFC3339), Safe(made.Actor))
	}
	fmt.Fprintf(p.Out, "intact: the report of incident %d (%s, for %s) is as it was signed with the key of %s\nmade %s, when the ledger had %d entries\nroot %s\n", m.Incident, m.Depth, m.Audience,
		Safe(m.Head.Origin), m.Made.UTC().Format(time.RFC3339), m.Head.Size, m.Head.Root)
	return nil
}
