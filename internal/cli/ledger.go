package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tocsin/internal/desk"
	"tocsin/internal/disk"
)

type ledgerFlags struct {
	folders
	head string
	key  string
	from int64 // verify leaves it at 1
	json bool
}

func (p Program) ledger() *cobra.Command {
	var o ledgerFlags
	c := &cobra.Command{Use: "ledger", Short: "Verify, show and export the ledger; also offline, on a copy, and beside a running server", Args: takes(0, 0, ""),
		Example: "  tocsin ledger verify\n  tocsin ledger verify --data /mnt/copy/tocsin --head head-of-last-week\n  tocsin ledger export > ledger.jsonl",
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() }}
	o.flags(c)
	verify := &cobra.Command{Use: "verify [REPORT]", Short: "Check every entry against the signed head, or the REPORT of an incident against its manifest; name the first bad one", Args: takes(0, 1, "at most one REPORT"),
		Example: "  tocsin ledger verify\n  tocsin ledger verify report.pdf --key \"$(cat ledger.pub)\"\n  tocsin ledger verify --json --data /mnt/copy/tocsin --key \"$(cat ledger.pub)\"",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				return p.verifyDossier(o, args[0])
			}
			return p.ledgerVerify(o)
		}}
	verify.Flags().StringVar(&o.head, "head", "", "a copy of the signed head kept elsewhere: today's ledger must only have added to it")
	verify.Flags().BoolVar(&o.json, "json", false, "as JSON")
	show := &cobra.Command{Use: "show", Short: "Print entries, without checking them", Args: takes(0, 0, ""),
		Example: "  tocsin ledger show --from 100\n  tocsin ledger show --json | jq -c 'select(.kind == \"call.answered\")'",
		RunE:    func(*cobra.Command, []string) error { return p.ledgerShow(o) }}
	export := &cobra.Command{Use: "export", Short: "Write the entries and the signed head, checked, as JSON lines", Args: takes(0, 0, ""),
		Example: "  tocsin ledger export > ledger.jsonl",
		RunE:    func(*cobra.Command, []string) error { return p.ledgerExport(o) }}
	for _, x := range []*cobra.Command{verify, show, export} {
		o.flags(x)
		x.Flags().StringVar(&o.key, "key", "", "the text of ledger.pub, when the key folder is not at hand")
		c.AddCommand(x)
	}
	show.Flags().BoolVar(&o.json, "json", false, "one JSON object a line")
	for _, x := range []*cobra.Command{show, export} {
		x.Flags().Int64Var(&o.from, "from", 1, "number of the first entry")
	}
	return c
}

func (o *ledgerFlags) open() (desk.Offline, error) {
	if o.from < 1 {
		return desk.Offline{}, wrong{fmt.Errorf("--from: entries are numbered from 1, and %d is none", o.from)}
	}
	if err := o.fill("", ""); err != nil {
		return desk.Offline{}, err
	}
	if err := o.exists(); err != nil {
		return desk.Offline{}, err
	}
	data, err := disk.Open(o.data)
	if err != nil {
		return desk.Offline{}, err
	}
	var keys disk.Layer
	if _, err := os.Stat(o.keys); err == nil {
		if keys, err = disk.Open(o.keys); err != nil {
			return desk.Offline{}, err
		}
	}
	return desk.OpenLedger(data, keys, o.key)
}

func (p Program) ledgerVerify(o ledgerFlags) error {
	l, err := o.open()
	if err != nil {
		return err
	}
	var copyOf []byte
	if o.head != "" {
		if copyOf, err = os.ReadFile(o.head); err != nil {
			return fmt.Errorf("reading the copy of the head: %w", err)
		}
	}
	if l.Copy {
		fmt.Fprintln(p.Err, "the key was read from the data folder itself, where whoever changed the ledger could have changed it too; give --keys or --key to be sure")
	}
	r, err := l.Verify(copyOf)
	if o.json {
		says := map[string]any{"entries": r.Entries, "size": r.Head.Size, "root": r.Head.Root.String(), "intact": err == nil}
		if err != nil {
			says["error"] = err.Error()
		}
		return errors.Join(json.NewEncoder(p.Out).Encode(says), err)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(p.Out, "intact: %d entries from %s to %s, each as it was signed\nroot %s\n", r.Entries, r.First.UTC().Format(time.RFC3339), r.Last.UTC().Format(time.RFC3339), r.Head.Root)
	if r.Copy != nil {
		fmt.Fprintf(p.Out, "it only added to the copy of the head, which knows %d entries\n", r.Copy.Size)
	}
	if r.Beyond > 0 {
		fmt.Fprintf(p.Out, "%d bytes follow the head: a write under way, or what a crash left; they were never acknowledged\n", r.Beyond)
	}
	return nil
}

func (p Program) ledgerShow(o ledgerFlags) error {
	l, err := o.open()
	if err != nil {
		return err
	}
	e := json.NewEncoder(p.Out)
	t := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	for x, err := range l.Entries(o.from) {
		if err != nil {
			return errors.Join(t.Flush(), err)
		}
		if o.json {
			err = e.Encode(x)
		} else {
			_, err = fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\n", x.N, x.Time.Format(time.RFC3339), Safe(x.Actor), Safe(string(x.Kind)), Safe(x.Subject), Safe(string(x.Body)))
		}
		if err != nil {
			return err
		}
	}
	return t.Flush()
}

func (p Program) ledgerExport(o ledgerFlags) error {
	l, err := o.open()
	if err != nil {
		return err
	}
	return l.Export(p.Out, o.from)
}
