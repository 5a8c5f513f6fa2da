package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/disk"
	"tocsin/internal/query"
)

func (p Program) archive() *cobra.Command {
	c := &cobra.Command{Use: "archive", Short: "Verify the kept lines, export some as evidence, and check such exports", Args: takes(0, 0, ""),
		Example: "  tocsin archive verify\n  tocsin archive export 'ip=203.0.113.7 since yesterday' --out evidence.tar\n  tocsin archive verify-export evidence.tar",
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(p.archiveVerify(), p.archiveExport(), p.archiveVerifyExport())
	return c
}

func (p Program) archiveVerify() *cobra.Command {
	o := ledgerFlags{from: 1}
	c := &cobra.Command{Use: "verify", Short: "Read every byte of the kept lines, and hold them against what the ledger says", Args: takes(0, 0, ""),
		Long: "Verify reads the write-ahead log and every volume of the shelf, and compares the hashes of the volumes with those that the ledger names. It changes\n" +
			"nothing, and works beside a running server and on a copy. It fails when something is damaged, missing or changed, and says what to do.\n\n" +
			"--json prints one object: intact, segments, lines, volumes, rows, bytes, named (volumes as the ledger has them), faults and aside\n" +
			"(each what, name, why, mend), unsaid (sentences).",
		Example: "  tocsin archive verify\n  tocsin archive verify --data /mnt/copy/tocsin --key \"$(cat ledger.pub)\" --json",
		RunE:    func(c *cobra.Command, _ []string) error { return p.verifyLines(c.Context(), o) }}
	o.flags(c)
	c.Flags().StringVar(&o.key, "key", "", "the text of ledger.pub, when the key folder is not at hand")
	c.Flags().BoolVar(&o.json, "json", false, "as JSON")
	return c
}

func (p Program) verifyLines(ctx context.Context, o ledgerFlags) error {
	l, err := o.open()
	if err != nil {
		return err
	}
	if l.Copy {
		fmt.Fprintln(p.Err, "the key was read from the data folder itself, where whoever changed the ledger could have changed it too; give --keys or --key to be sure")
	}
	var seen func(done, of int)
	if _, ok := terminal(p.Err); ok {
		seen = func(done, of int) { fmt.Fprintf(p.Err, "\rvolume %d of %d\033[K", done+1, of) }
	}
	v, err := desk.VerifyLines(ctx, l.Data, l, seen)
	if seen != nil {
		fmt.Fprint(p.Err, "\r\033[K")
	}
	if err != nil {
		return err
	}
	lines := max(0, v.Log.Last-v.Log.First+1)
	if o.json {
		err = json.NewEncoder(p.Out).Encode(map[string]any{"intact": len(v.Faults) == 0, "segments": v.Log.Segments, "lines": lines, "volumes": v.Shelf.Volumes,
			"rows": v.Shelf.Rows, "bytes": v.Log.Bytes + v.Shelf.Bytes, "named": v.Named, "faults": list(v.Faults), "aside": list(v.Aside), "unsaid": list(v.Unsaid)})
	} else {
		err = p.sayVerified(v, lines)
	}
	if err == nil && len(v.Faults) > 0 {
		err = fmt.Errorf("%s not as kept", plural(len(v.Faults), "thing is", "things are"))
	}
	return err
}

// list is never null in JSON.
func list[T any](some []T) []T {
	if some == nil {
		return []T{}
	}
	return some
}

func plural(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

func (p Program) sayVerified(v desk.Verified, lines int64) error {
	w := bufio.NewWriter(p.Out)
	for _, f := range v.Faults {
		fmt.Fprintf(w, "BAD   %-7s %s\n              %s\n", f.What, Safe(ofName(f)), Safe(f.Mend))
	}
	for _, f := range v.Aside {
		fmt.Fprintf(w, "look  %-7s %s\n              its lines are missing; %s\n", f.What, Safe(ofName(f)), Safe(f.Mend))
	}
	for _, says := range v.Unsaid {
		fmt.Fprintf(w, "look  ledger  %s\n              a crash came before the entry, or somebody else changed the shelf\n", Safe(says))
	}
	word := "intact"
	if len(v.Faults) > 0 {
		word = "read"
	}
	fmt.Fprintf(w, "%s: %s lines in %s of the write-ahead log; %s records in %s of the shelf, %d of them with the hashes that the ledger names\n", word,
		thousands(lines), counted(v.Log.Segments, "segment"), thousands(v.Shelf.Rows), counted(v.Shelf.Volumes, "volume"), v.Named)
	return w.Flush()
}

func ofName(f desk.Fault) string {
	if f.Name == "" {
		return f.Why
	}
	return f.Name + ": " + f.Why
}

func (p Program) archiveExport() *cobra.Command {
	var o asking
	var out string
	c := &cobra.Command{Use: "export QUERY --out FILE", Short: "Write matching lines as evidence: byte for byte, with a signed manifest", Args: takes(1, 1, "a QUERY (in quotes for the shell)"),
		Long: "Export writes a tar archive (doc/formats/export.md): the lines that match, byte for byte and in their order, a file for each log they came from; a\n" +
			"manifest with the query, who asked when, each line's number, place, time of receipt and SHA-256, and the volumes and the head of the ledger at that\n" +
			"moment; and a signature over the manifest with the ledger's key. The ledger names the export. The query lists lines: of the stages only session may stand in it.",
		Example: "  tocsin archive export 'ip=203.0.113.7 since yesterday' --out evidence.tar\n  tocsin archive export '| session 9f2c41d07b' --out session.tar --as anna",
		RunE: func(c *cobra.Command, args []string) error {
			if out == "" {
				return wrong{errors.New("tocsin archive export needs --out FILE; see `tocsin archive export --help`")}
			}
			q, err := o.parse(args[0], time.Now())
			if err != nil {
				return err
			}
			return p.export(c.Context(), o, q, out)
		}}
	o.flags(c)
	c.Flags().StringVar(&out, "out", "", "file to write; it must not be there yet")
	return c
}

func (p Program) export(ctx context.Context, o asking, q *query.Query, out string) (err error) {
	for _, s := range q.Stages {
		if s.Kind != query.Session {
			return wrong{fmt.Errorf("an export is of whole lines, so the stage %s cannot be in its query; leave it out", s.Kind)}
		}
	}
	f, err := os.OpenFile(out, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already, and evidence is not written over; choose another name with --out", out)
	}
	if err != nil {
		return fmt.Errorf("writing the export: %w", err)
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			err = errors.Join(err, os.Remove(out)) // half an export is none
		}
	}()
	who, end, err := p.reach(ctx, &o.folders)
	if err != nil {
		return err
	}
	err = who.Export(ctx, client.Search{Query: q.String(), Zone: q.Zone.String(), Person: o.as}, f)
	if err = errors.Join(err, end()); err == nil {
		err = f.Sync()
	}
	if err != nil {
		return err
	}
	m, err := p.checkExport(&ledgerFlags{folders: o.folders, from: 1}, f)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.Out, "%s: %s of %s, signed and written in the ledger\n", Safe(out), counted(len(m.Lines), "line"), counted(len(m.Files), "log"))
	return p.sayDamaged(m)
}

func (p Program) sayDamaged(m desk.ExportManifest) error {
	for _, d := range m.Damaged {
		fmt.Fprintf(p.Err, "the volume %s could not be read (%s): matching lines of it are missing\n", Safe(d.Volume), Safe(d.Why))
	}
	return nil
}

// checkExport checks an export with the key that flags or folders give.
func (p Program) checkExport(o *ledgerFlags, f *os.File) (m desk.ExportManifest, err error) {
	stat, err := f.Stat()
	if err != nil {
		return m, err
	}
	key, isCopy, err := o.verifier()
	if err != nil {
		return m, err
	}
	if isCopy {
		fmt.Fprintln(p.Err, "the key was read from the data folder itself, where whoever changed the ledger could have changed it too; give --keys or --key to be sure")
	}
	return desk.VerifyExport(f, stat.Size(), key)
}

func (p Program) archiveVerifyExport() *cobra.Command {
	o := ledgerFlags{from: 1}
	c := &cobra.Command{Use: "verify-export FILE", Short: "Check an export with nothing but its file and the key; name the first thing that is wrong", Args: takes(1, 1, "a FILE"),
		Long: "Verify-export checks the signature over the manifest, every file and line against it, and that nothing else is in the archive. The key is the text of\n" +
			"ledger.pub: give it with --key, as you had it from the shop; otherwise it is taken from the key folder.",
		Example: "  tocsin archive verify-export evidence.tar --key \"$(cat ledger.pub)\"",
		RunE: func(_ *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return fmt.Errorf("reading the export: %w", err)
			}
			defer f.Close()
			m, err := p.checkExport(&o, f)
			if err != nil {
				return err
			}
			return p.sayExport(o.json, m)
		}}
	o.flags(c)
	c.Flags().StringVar(&o.key, "key", "", "the text of ledger.pub, when the key folder is not at hand")
	c.Flags().BoolVar(&o.json, "json", false, "the manifest, as JSON")
	return c
}

func (p Program) sayExport(asJSON bool, m desk.ExportManifest) error {
	if asJSON {
		return json.NewEncoder(p.Out).Encode(m)
	}
	fmt.Fprintf(p.Out, "intact: %s, each as it was signed with the key of %s\nexported %s by %s with Tocsin %s\nquery: %s\n", counted(len(m.Lines), "line"), Safe(m.Origin),
		m.At.UTC().Format(time.RFC3339), Safe(m.By), Safe(m.Program), Safe(m.Query))
	for _, f := range m.Files {
		where := f.File
		if f.Host != "" {
			where = f.Host + ":" + f.File
		}
		fmt.Fprintf(p.Out, "%s  %s  %s\n", f.Name, desk.Size(f.Bytes), Safe(where))
	}
	return p.sayDamaged(m)
}

// verifier finds the key alone: no data folder is needed when it is given.
func (o *ledgerFlags) verifier() (key desk.ExportKey, isCopy bool, err error) {
	if err := o.fill("", ""); err != nil {
		return key, false, err
	}
	var layers [2]disk.Layer
	for i, dir := range []string{o.keys, o.data} {
		if _, err := os.Stat(dir); err == nil && o.key == "" {
			if layers[i], err = disk.Open(dir); err != nil {
				return key, false, err
			}
		}
	}
	l, err := desk.OpenLedger(layers[1], layers[0], o.key)
	return l.Key(), l.Copy, err
}
