package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tocsin/internal/api"
	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/tuning"
)

// reach returns who does what a command asks: the running server through its socket, or this process itself on a folder on which
// none runs. The func is called when it is done.
func (p Program) reach(ctx context.Context, f *folders) (*client.Client, func() error, error) {
	if err := f.fill("", ""); err != nil {
		return nil, nil, err
	}
	c := client.New(f.data)
	if err := c.Alive(ctx); !errors.Is(err, client.ErrNotRunning) {
		return c, func() error { return nil }, nil
	}
	if err := f.exists(); err != nil {
		return nil, nil, err
	}
	held, err := lock(*f)
	if err != nil {
		return nil, nil, err
	}
	set := settings{folders: *f}
	if err = set.readFile(serveFlags{folders: *f}); err == nil {
		set.rules, err = p.loadRules(set.Config.Rules)
	}
	if err == nil {
		set.desk, err = p.reading(set)
		set.desk.Rules, set.desk.Reserve = set.rules.Rules, reserve
	}
	if err == nil {
		err = p.openLayers(&set)
	}
	var d *desk.Desk
	log := p.quietLogger()
	if err == nil {
		d, err = desk.OpenOffline(log, set.desk)
	}
	if err != nil {
		return nil, nil, errors.Join(err, held.Unlock())
	}
	return client.Of(api.Handler(log, d, nil)), func() error { return errors.Join(d.Close(), held.Unlock()) }, nil
}

// listFlags are those that commands on lists have alike.
type listFlags struct {
	folders
	elsewhere
	as    string
	json  bool
	until string
}

// asks runs a command against whoever answers.
func (p Program) asks(f *listFlags, do func(ctx context.Context, c *client.Client, until time.Time, args []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		until, err := parseUntil(f.until, time.Now())
		if err != nil {
			return wrong{err}
		}
		who, end, err := f.client()
		if who == nil && err == nil {
			who, end, err = p.reach(c.Context(), &f.folders)
		}
		if err != nil {
			return err
		}
		return errors.Join(do(c.Context(), who, until, args), end())
	}
}

var spanForm = regexp.MustCompile(`^([1-9][0-9]{0,4})([hdw])$`)

// parseUntil reads a time, a day, or how long from now: 12h, 30d, 8w. Empty is no time.
func parseUntil(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if m := spanForm.FindStringSubmatch(s); m != nil {
		n, err := strconv.Atoi(m[1])
		unit := map[string]time.Duration{"h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}[m[2]]
		return now.Add(time.Duration(n) * unit).UTC(), err
	}
	t, err := tuning.ParseDay(s)
	if err != nil {
		return t, fmt.Errorf("--until: %q is no time; write 12h, 30d, 8w, 2026-12-31 or 2026-12-31T18:00:00Z", s)
	}
	return t, nil
}

func (p Program) watch() *cobra.Command {
	var f listFlags
	var x client.Watching
	c := &cobra.Command{Use: "watch", Short: "Watch lists: addresses, networks, accounts, hashes, domains and URLs that raise an alert when a log names them",
		Long: "A watch list has a name and a level (low, medium, high), which is the level of its alerts. A value is an address, a network, a hash in hex, a URL,\n" +
			"a domain or an account; what could be two things takes its kind in front: account:anna.keller. The commands go to the running server through\n" +
			"the socket in the data folder; without one they work on the folder itself. The logs that serve reads are named with serve --watch.",
		Example: "  tocsin watch add --list suspects --level high 203.0.113.9 198.51.100.0/24 account:anna.keller\n" +
			"  tocsin watch import --level medium --until 30d indicators.json drop.txt\n  tocsin watch list",
		Args: takes(0, 0, ""), RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	list := &cobra.Command{Use: "list [LIST]", Short: "Show the lists, or the values of one (its name or number)", Args: takes(0, 1, ""),
		Example: "  tocsin watch list\n  tocsin watch list suspects --json",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, args []string) error {
			return p.watchList(ctx, c, f.json, args)
		})}
	add := &cobra.Command{Use: "add --list LIST VALUE...", Short: "Put values on a list; a new name makes a list", Args: takes(1, math.MaxInt, "at least one VALUE"),
		Example: "  tocsin watch add --list suspects --level high --until 90d 203.0.113.9 evil.example",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, until time.Time, args []string) error {
			x.Person, x.Until, x.Values = f.as, until, args
			got, err := c.Watch(ctx, x)
			return p.sayWatched(f.json, got, err)
		})}
	remove := &cobra.Command{Use: "remove --list LIST (VALUE... | --all)", Short: "Take values off a list, or end the whole list", Args: takes(0, math.MaxInt, ""),
		Example: "  tocsin watch remove --list suspects 203.0.113.9\n  tocsin watch remove --list suspects --all",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, args []string) error {
			x.Person, x.Values = f.as, args
			if len(args) == 0 != x.End {
				return wrong{errors.New("name the values that leave the list, or end the whole list by --all")}
			}
			got, err := c.Unwatch(ctx, x)
			return p.sayWatched(f.json, got, err)
		})}
	imports := &cobra.Command{Use: "import FILE...", Short: "Put the values of files on lists: STIX 2.1 bundles, or text with one value a line", Args: takes(1, math.MaxInt, "at least one FILE"),
		Long: "Import reads STIX 2.1 bundles (indicators with patterns of type stix: addresses, networks, hashes, accounts, domains, URLs, joined by OR; valid_from,\n" +
			"valid_until and revoked count) and text: one value a line, or the columns value,until,note; # begins a comment. What cannot be watched is refused by\n" +
			"name, and the rest goes on the list. Without --list the list is named after the file. FILE - is the standard input.",
		Example: "  tocsin watch import --level high indicators.json\n  tocsin watch import --list drop --until 30d drop.txt\n  zcat feed.gz | tocsin watch import --list feed -",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, until time.Time, args []string) error {
			x.Person, x.Until = f.as, until
			return p.watchImport(ctx, c, f.json, x, args)
		})}
	for _, sub := range []*cobra.Command{list, add, remove, imports} {
		f.flags(sub)
		sub.Flags().BoolVar(&f.json, "json", false, "as JSON")
		if sub == list {
			c.AddCommand(sub)
			continue
		}
		sub.Flags().StringVar(&f.as, "as", "", "staff id of who does it (default: nobody in particular)")
		sub.Flags().StringVar(&x.List, "list", "", "name or number of the list")
		if sub == remove {
			sub.Flags().BoolVar(&x.End, "all", false, "end the whole list")
		}
		if sub != remove {
			sub.Flags().StringVar(&x.Level, "level", "", "level of the list's alerts: low, medium (default of a new list), high")
			sub.Flags().StringVar(&x.About, "about", "", "what the list is for")
			sub.Flags().StringVar(&f.until, "until", "", "when the values end: 12h, 30d, 8w, 2026-12-31 (default: never)")
		}
		c.AddCommand(sub)
	}
	return c
}

func (p Program) watchList(ctx context.Context, c *client.Client, asJSON bool, args []string) error {
	lists, err := c.WatchLists(ctx)
	if err != nil {
		return err
	}
	if len(args) == 1 {
		lists = slices.DeleteFunc(lists, func(l client.WatchList) bool {
			return !strings.EqualFold(l.Name, args[0]) && fmt.Sprint(l.ID) != args[0]
		})
		if len(lists) == 0 {
			return fmt.Errorf("there is no watch list %q; see `tocsin watch list`", args[0])
		}
	}
	if asJSON {
		return json.NewEncoder(p.Out).Encode(lists)
	}
	if len(lists) == 0 {
		_, err := fmt.Fprintln(p.Out, "There is no watch list. Make one: tocsin watch add --list NAME VALUE...")
		return err
	}
	t := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "LIST\tLEVEL\tVALUES\tLINES\tLAST\tNAME")
	for _, l := range lists {
		fmt.Fprintf(t, "%d\t%s\t%d\t%d\t%s\t%s\n", l.ID, Safe(l.Level), len(l.Values), l.Hits, stamp(l.LastHit), Safe(l.Name))
	}
	if len(args) == 1 {
		fmt.Fprintln(t, "\nKIND\tVALUE\tFROM\tUNTIL\tNOTE")
		for _, v := range lists[0].Values {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", Safe(v.Kind), Safe(v.Text), stamp(v.From), stamp(v.Until), Safe(v.Note))
		}
	}
	return t.Flush()
}

// stamp is a time in a table, "-" when there is none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04")
}

func (p Program) watchImport(ctx context.Context, c *client.Client, asJSON bool, x client.Watching, files []string) error {
	list := x.List
	for _, name := range files {
		b, err := readImport(name)
		if err != nil {
			return err
		}
		x.Data, x.File, x.List = string(b), filepath.Base(name), list
		if list == "" && name == "-" {
			return wrong{errors.New("name the list for what comes from the standard input with --list")}
		}
		if list == "" {
			x.List = strings.TrimSuffix(x.File, filepath.Ext(x.File))
		}
		got, err := c.Import(ctx, x)
		if err = p.sayWatched(asJSON, got, err); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// readImport reads a file, or the standard input, and no more than an import may have.
func readImport(name string) ([]byte, error) {
	f := os.Stdin
	if name != "-" {
		var err error
		if f, err = os.Open(name); err != nil {
			return nil, fmt.Errorf("%s cannot be read: %w", name, reason(err))
		}
		defer f.Close()
	}
	b, err := io.ReadAll(io.LimitReader(f, tuning.MaxImport+1))
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", name, reason(err))
	}
	if len(b) > tuning.MaxImport {
		return nil, fmt.Errorf("%s has more than %d bytes: split it", name, tuning.MaxImport)
	}
	return b, nil
}

// refusedShown is how many refused parts of a file are named on a terminal; --json names more.
const refusedShown = 20

func (p Program) sayWatched(asJSON bool, x client.Watched, err error) error {
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(p.Out).Encode(x)
	}
	fmt.Fprintf(p.Out, "list %d: %s added, %d were on it, %d removed", x.List, counted(x.Added, "value"), x.Known, x.Removed)
	if x.Format != "" {
		fmt.Fprintf(p.Out, "; read as %s, %s refused, %d over", x.Format, counted(len(x.Refused)+x.More, "part"), x.Expired)
	}
	fmt.Fprintln(p.Out)
	for n, r := range x.Refused {
		if n == refusedShown {
			fmt.Fprintf(p.Err, "and %d more; --json names the first %d\n", len(x.Refused)+x.More-n, tuning.MaxRefused)
			break
		}
		fmt.Fprintf(p.Err, "refused: %s: %s: %s\n", Safe(r.Where), Safe(r.Feature), Safe(r.Why))
	}
	for _, kind := range sortedKeys(x.Passed) {
		fmt.Fprintf(p.Err, "passed over: %d of type %s\n", x.Passed[kind], Safe(kind))
	}
	return nil
}

func sortedKeys(m map[string]int) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// readListed reads files of what a replay watches for, as lists of level medium. What is over today may have counted when a line was written.
func (p Program) readListed(files []string) (*tuning.Set, error) {
	var lists []tuning.Lister
	for n, name := range files {
		b, err := readImport(name)
		if err != nil {
			return nil, err
		}
		x, err := tuning.ParseImport(b, time.Time{}, time.Time{})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, r := range x.Refused {
			fmt.Fprintf(p.Err, "refused: %s: %s: %s: %s\n", Safe(name), Safe(r.Where), Safe(r.Feature), Safe(r.Why))
		}
		if x.More > 0 {
			fmt.Fprintf(p.Err, "refused: %s: and %d more\n", Safe(name), x.More)
		}
		lists = append(lists, tuning.Lister{List: int64(n + 1), Level: "medium", Values: x.Values})
	}
	return tuning.NewSet(lists), nil
}
