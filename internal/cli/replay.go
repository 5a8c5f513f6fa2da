package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"tocsin/internal/desk"
	"tocsin/internal/incident"
	"tocsin/internal/intake"
)

type replayFlags struct {
	rules  []string
	geo    []string
	since  string
	as     string
	maps   []string
	json   bool
	failOn string
	zone   string
	listed []string

	profile bool
	compare string
}

func (p Program) replay() *cobra.Command {
	var o replayFlags
	c := &cobra.Command{
		Use:   "replay PATH...",
		Short: "What the rules say of these logs or folders; changes nothing",
		Long: "Replay reads log files, or folders whole (their files are merged by record time), through the same parsers, rules and\n" +
			"grouping as the running program, and prints the alerts and incidents. gzip and zstd files are read too. Nothing is kept.",
		Example: "  tocsin replay /var/log/nginx\n" +
			"  tocsin replay --json --geo countries.tsv logs/ > out.jsonl\n" +
			"  tocsin replay --fail-on high access.log.1.gz\n" +
			"  tocsin replay --since 2026-11-01 /var/log/nginx      only alerts since then; what is too old to matter is passed over\n" +
			"  tocsin replay --compare drafts/ /var/log/nginx       what the rules in drafts/ would have done\n" +
			"  tocsin replay --profile /var/log/nginx               what each rule costs",
		Args: takes(1, math.MaxInt, "at least one PATH"),
		RunE: func(c *cobra.Command, paths []string) error { return p.runReplay(c, o, paths) },
	}
	c.Flags().StringArrayVar(&o.rules, "rules", nil, "folder of further Sigma rules; repeatable")
	c.Flags().StringArrayVar(&o.geo, "geo", nil, geoUsage)
	c.Flags().StringVar(&o.since, "since", "", "only alerts of records since then (RFC 3339, or 2006-01-02); earlier ones fill windows as far as these reach")
	c.Flags().StringVar(&o.as, "as", "", "format of every file, instead of looking: "+strings.Join(intake.Formats(), ", "))
	c.Flags().StringArrayVar(&o.maps, "map", nil, "file with mappings of JSON logs, as in tocsin.yaml; repeatable")
	c.Flags().BoolVar(&o.json, "json", false, "one JSON object a line")
	c.Flags().StringVar(&o.failOn, "fail-on", "", "exit with 3 when an alert of this level or above came: low, medium, high, critical")
	c.Flags().BoolVar(&o.profile, "profile", false, "say what each rule costs, the most costly first")
	c.Flags().StringVar(&o.compare, "compare", "", "folder of rules: say what would change if it stood in the place of the --rules folders; a rule in it replaces the bundled one of the same id")
	c.Flags().StringArrayVar(&o.listed, "indicators", nil, "file of what to watch for, as tocsin watch import takes it; repeatable")
	c.Flags().StringVar(&o.zone, "zone", "UTC", "time zone of logs that name none")
	return c
}

func (p Program) runReplay(c *cobra.Command, o replayFlags, paths []string) error {
	opts, standing, err := o.options(p, paths)
	if err != nil {
		return err
	}
	var other desk.RuleSet
	if o.compare != "" {
		if other, err = p.loadRulesOver(o.compare); err != nil {
			return err
		}
		p.sayRefused(other)
		opts.Compare = other.Rules
	}
	begun, wipe := time.Now(), func() {}
	if f, ok := p.Err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		m := &meter{out: p.Err, begun: begun}
		opts.Seen, wipe = func(x desk.Progress) { m.seen(x, time.Now()) }, m.clear
	}
	if debug.SetMemoryLimit(-1) == math.MaxInt64 { // nobody set another
		debug.SetMemoryLimit(replayMemory)
	}
	out, err := desk.RunReplay(c.Context(), opts)
	wipe()
	if err != nil {
		return err
	}
	say := said{Replay: out, took: time.Since(begun), profile: o.profile}
	if o.compare != "" {
		say.compared = new(desk.Compare(standing.Rules, other.Rules, out))
	}
	if o.json {
		err = say.json(p.Out)
	} else {
		err = say.text(p.Out)
	}
	if err != nil {
		return err
	}
	if out.Files == 0 {
		return errors.New("no log could be read: see what is not read, and why")
	}
	for _, a := range out.Alerts {
		if o.failOn != "" && incident.Rank(a.Level) >= incident.Rank(o.failOn) {
			return errFailOn
		}
	}
	return nil
}

// replayMemory is how much memory the garbage collector lets replay have, as far as it can: with what is not the heap, some
// 512 MB are resident then.
const replayMemory = 400 << 20

// options reads what the flags name.
func (o replayFlags) options(p Program, paths []string) (out desk.ReplayOptions, set desk.RuleSet, err error) {
	if o.failOn != "" && o.compare != "" {
		return out, set, wrong{errors.New("--fail-on looks at the alerts of one set of rules: leave out --compare")}
	}
	if o.failOn != "" && incident.Rank(o.failOn) < 0 {
		return out, set, wrong{fmt.Errorf("--fail-on: unknown level %q; known: low, medium, high, critical", o.failOn)}
	}
	if o.as != "" && !slices.Contains(intake.Formats(), o.as) {
		return out, set, wrong{fmt.Errorf("--as: unknown format %q; known: %s", o.as, strings.Join(intake.Formats(), ", "))}
	}
	if set, err = p.loadRules(o.rules); err != nil {
		return out, set, err
	}
	p.sayRefused(set)
	out.Rules, out.As = set.Rules, o.as
	if o.profile {
		out.Clock, out.ClockEvery = stopwatch(), profileEvery
	}
	if out.Listed, err = p.readListed(o.listed); err != nil {
		return out, set, err
	}
	if out.Geo, err = readGeo(o.geo); err != nil {
		return out, set, err
	}
	if out.Maps, err = readMappings(o.maps); err != nil {
		return out, set, err
	}
	if out.Zone, err = time.LoadLocation(o.zone); err != nil {
		return out, set, wrong{fmt.Errorf("--zone: unknown time zone %q", o.zone)}
	}
	if out.Since, err = parseSince(o.since); err != nil {
		return out, set, wrong{err}
	}
	for _, path := range paths {
		stat, err := os.Stat(path)
		if err != nil {
			return out, set, fmt.Errorf("%s cannot be read: %w", path, reason(err))
		}
		if stat.IsDir() {
			out.Folders, out.Names = append(out.Folders, os.DirFS(path)), append(out.Names, filepath.ToSlash(path))
		} else {
			dir := filepath.Dir(path)
			out.Folders, out.Names = append(out.Folders, one{os.DirFS(dir), filepath.Base(path)}), append(out.Names, filepath.ToSlash(dir))
		}
	}
	return out, set, nil
}

// reason is err without the name of the file, where a message has named it.
func reason(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// one is a folder of which only one file is seen.
type one struct {
	fs.FS
	name string
}

// ReadDir shows that file alone.
func (o one) ReadDir(name string) ([]fs.DirEntry, error) {
	stat, err := fs.Stat(o.FS, o.name)
	if err != nil || name != "." {
		return nil, err
	}
	return []fs.DirEntry{fs.FileInfoToDirEntry(stat)}, nil
}

func parseSince(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("--since: %q is no time; write 2026-11-09 or 2026-11-09T14:00:00Z", s)
}

const geoUsage = "MaxMind DB (.mmdb: country, city, ASN) or table of address or network, tab, country code; repeatable, later files fill what earlier ones lack"

// readGeo reads files that say where addresses lie and whose they are.
func readGeo(names []string) (*intake.Geo, error) {
	var all *intake.Geo
	for _, name := range names {
		g, err := readGeoFile(name)
		if err != nil {
			return nil, err
		}
		all = all.With(g)
	}
	return all, nil
}

func readGeoFile(name string) (*intake.Geo, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("the geo file %s cannot be read: %w", name, reason(err))
	}
	defer f.Close()
	g, err := intake.ReadGeo(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return g, nil
}

type summary struct {
	Kind     string         `json:"kind"`
	Lines    int64          `json:"lines"`
	Unparsed int64          `json:"unparsed"`
	Skipped  []desk.Skipped `json:"skipped"`
	Broken   []string       `json:"broken_rules,omitempty"`
	Passed   *desk.Passed   `json:"passed_over,omitempty"` // what --since left unread
	Seconds  float64        `json:"seconds"`
}

// said is what a replay says.
type said struct {
	desk.Replay
	took     time.Duration
	profile  bool
	compared *desk.Comparison // then only this is told, not the alerts
}

func (out said) json(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	if out.compared != nil {
		if err := compareJSON(e, *out.compared); err != nil {
			return err
		}
	} else if err := out.alertsJSON(e); err != nil {
		return err
	}
	if out.profile {
		if err := profileJSON(e, out.Replay); err != nil {
			return err
		}
	}
	s := summary{Kind: "summary", Lines: out.Lines, Unparsed: out.Unparsed, Skipped: out.Skipped, Seconds: out.took.Seconds()}
	if s.Skipped == nil {
		s.Skipped = []desk.Skipped{}
	}
	for _, b := range out.Broken {
		s.Broken = append(s.Broken, b.Rule+": "+b.Why)
	}
	if out.Passed.Bytes > 0 {
		s.Passed = &out.Passed
	}
	return e.Encode(s)
}

func (out said) alertsJSON(e *json.Encoder) error {
	for _, a := range out.Alerts {
		if err := e.Encode(a); err != nil {
			return err
		}
	}
	for _, i := range out.Incidents {
		if err := e.Encode(i); err != nil {
			return err
		}
	}
	return nil
}

func (out said) text(w io.Writer) error {
	tell := out.alertsText
	if out.compared != nil {
		tell = func(w io.Writer) error { return compareText(w, *out.compared) }
	}
	if err := tell(w); err != nil {
		return err
	}
	if out.profile {
		if err := profileText(w, out.Replay); err != nil {
			return err
		}
	}
	fmt.Fprintf(w, "\n%s in %.1f s, %d not parsed; %s, %s\n", counted(int(out.Lines), "line"), out.took.Seconds(), out.Unparsed,
		counted(len(out.Alerts), "alert"), counted(len(out.Incidents), "incident"))
	if p := out.Passed; p.Bytes > 0 {
		fmt.Fprintf(w, "passed over: %s from before %s, which no window reaches; %s ended before\n", desk.Size(p.Bytes), p.Before.UTC().Format(time.DateTime), counted(p.Files, "file"))
	}
	for _, s := range out.Skipped {
		fmt.Fprintf(w, "not read: %s: %s\n", Safe(s.File), Safe(s.Why))
	}
	for _, b := range out.Broken {
		fmt.Fprintf(w, "rule set aside: %s: %s\n", Safe(b.Rule), Safe(b.Why))
	}
	return nil
}

func (out said) alertsText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(out.Incidents) > 0 {
		fmt.Fprintln(t, "INCIDENT\tSEVERITY\tFIRST (UTC)\tLAST (UTC)\tALERTS\tWHAT\tFROM")
	}
	for _, i := range out.Incidents {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", i.ID, i.Severity, i.First.UTC().Format(time.DateTime), i.Last.UTC().Format(time.DateTime),
			len(i.Alerts), Safe(i.Title), few(i.Sources))
	}
	if len(out.Alerts) > 0 {
		fmt.Fprintln(t, "\nALERT\tLEVEL\tRAISED (UTC)\tCOUNT\tWHAT\tFROM\tACCOUNTS")
	}
	for n, a := range out.Alerts {
		fmt.Fprintf(t, "%d\t%s\t%s\t%d\t%s\t%s\t%s\n", n+1, Safe(a.Level), a.Raised.UTC().Format(time.DateTime), a.Count, Safe(a.Title), few(a.Sources), few(a.Accounts))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	writeUnusual(w, out.Alerts)
	return nil
}

// counted words a number of things.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// few names up to three of a list.
func few(list []string) string {
	if len(list) > 3 {
		return Safe(strings.Join(list[:3], " ")) + fmt.Sprintf(" and %d more", len(list)-3)
	}
	return Safe(strings.Join(list, " "))
}

// safeLines is Safe for text of several lines.
func safeLines(s string) string {
	lines := strings.Split(s, "\n")
	for k, l := range lines {
		lines[k] = Safe(l)
	}
	return strings.Join(lines, "\n")
}

// Safe makes text from a log harmless on a terminal: what is no printable character is shown as an escape.
func Safe(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) { // not control, format (bidirectional) or unassigned
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "\\u%04x", r)
		}
	}
	return b.String()
}
