package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"tocsin/internal/api"
	"tocsin/internal/client"
	"tocsin/internal/config"
	"tocsin/internal/desk"
	"tocsin/internal/disk"
	"tocsin/internal/query"
)

// asking is what commands that ask the kept lines have alike.
type asking struct {
	folders
	since, until, zone string
	as                 string
}

func (o *asking) flags(c *cobra.Command) {
	o.folders.flags(c)
	c.Flags().StringVar(&o.since, "since", "", "from when on: 2h, yesterday, 2026-11-20, 2026-11-20T14:05:00Z; as `since` in the query")
	c.Flags().StringVar(&o.until, "until", "", "until when, likewise")
	c.Flags().StringVar(&o.zone, "zone", "", "time zone of times without one, of days and of what is printed (default: this machine's)")
	c.Flags().StringVar(&o.as, "as", "", "staff id of who asks (default: nobody in particular)")
}

// parse reads the query with what flags add to it. A wrong query is shown with its place.
func (o *asking) parse(text string, now time.Time) (*query.Query, error) {
	name := o.zone
	if name == "" {
		name = machineZone()
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, wrong{fmt.Errorf("--zone: unknown time zone %q", o.zone)}
	}
	q, err := query.Parse(text, now, zone)
	if err != nil {
		return nil, shown(text, err)
	}
	for _, b := range []struct{ word, text string }{{"since", o.since}, {"until", o.until}} {
		if b.text == "" {
			continue
		}
		only, err := query.Parse(b.word+" "+b.text, now, zone)
		if err != nil {
			return nil, shown(b.word+" "+b.text, err)
		}
		if only.Where != nil || len(only.Stages) > 0 || b.word == "since" && !only.Until.IsZero() || b.word == "until" && !only.Since.IsZero() {
			return nil, wrong{fmt.Errorf("--%s takes a time, such as 2h or 2026-11-20, and nothing else", b.word)}
		}
		if b.word == "since" && only.Since.After(q.Since) {
			q.Since = only.Since
		}
		if b.word == "until" && (q.Until.IsZero() || only.Until.Before(q.Until)) {
			q.Until = only.Until
		}
	}
	if !q.Since.IsZero() && !q.Until.IsZero() && !q.Since.Before(q.Until) {
		return nil, wrong{errors.New("there is no time between since and until; the earlier one comes first")}
	}
	return q, nil
}

// shown is a query that cannot be read, with a caret where.
func shown(text string, err error) error {
	if e, ok := errors.AsType[*query.Error](err); ok {
		return misread{wrong{err}, e.Show(text)}
	}
	return wrong{err}
}

// misread is a wrong use that is shown in several lines, as it is.
type misread struct {
	wrong
	show string
}

// Unwrap lets it be a wrong use.
func (m misread) Unwrap() error { return m.wrong }

// machineZone is the name of this machine's zone, as the time zone database has it.
func machineZone() string {
	if name := strings.TrimPrefix(os.Getenv("TZ"), ":"); name != "" {
		return name
	}
	if to, err := filepath.EvalSymlinks("/etc/localtime"); err == nil {
		if _, name, ok := strings.Cut(to, "zoneinfo/"); ok {
			return name
		}
	}
	return "UTC"
}

type searchFlags struct {
	asking
	elsewhere
	json, follow bool
	limit        int
	timeout      time.Duration
	attach       int64 // an incident; 0 is none
}

const searchLong = `Search asks all kept lines: those on the shelf, and those that came a moment ago. The query has one language, the same in the console (doc/search.md):
words and "texts" look in the line; fields narrow (ip=203.0.113.7, status>=500, user in (anna, bob), path~/\.php$/); since, until, last say when; stages behind
"|" fold (top, rare, count by, sum, avg, min, max, p95, distinct, timeline, session, fields, sort, head, tail).

Beside a running server that one is asked, through the socket in the data folder; without one the folder is only read. Lines are shown as they came, with
their time, host and file before them.

--json prints one object a line. Names are only added:
  {"kind":"row","fields":{"time":"RFC 3339","host":null,"file":"...","raw":"..."}}     one a line, or a group: a value for each column, null where there is none
  {"kind":"bar","start":"RFC 3339","end":"RFC 3339","count":12}                      of timeline, in place of rows
  {"kind":"summary","query":"...","matched":12,"without":0,"scanned":{"volumes":1,"of":2,"rows":9,"lines":9,"tail":3},"cut":"","truncated":"","about":"",
   "damaged":[{"volume":"...","file":"...","why":"..."}],"took":0.012}
matched counts lines, without those of them that are in no row; volumes were looked into, of all; rows are records there, lines those whose text was read, tail
what is not on the shelf yet; cut says why not all was searched, truncated what is left out, about what is estimated; took is in seconds. With --follow rows
come behind the summary.

Exit status: 0 found or not, 1 failed, 2 the query cannot be read.`

func (p Program) search() *cobra.Command {
	var o searchFlags
	c := &cobra.Command{Use: "search QUERY", Short: "Search all kept lines", Long: searchLong, Args: takes(1, 1, "a QUERY (in quotes for the shell)"),
		Example: "  tocsin search 'failed password since 2h | top ip'\n  tocsin search 'ip=203.0.113.7' --since yesterday\n" +
			"  tocsin search 'status=5xx last 24h | timeline'\n  tocsin search '| session 203.0.113.7' --json | jq -r .fields.raw\n  tocsin search 'path~login status!=200' --follow\n  tocsin search 'ip=203.0.113.7 path=/wp-*' --attach 12",
		RunE: func(c *cobra.Command, args []string) error { return p.runSearch(c.Context(), o, args[0]) }}
	o.asking.flags(c)
	o.elsewhere.flags(c)
	c.Flags().BoolVar(&o.json, "json", false, "one JSON object a line")
	c.Flags().BoolVar(&o.follow, "follow", false, "then go on with lines that come, until interrupted; needs a running server, and a query that only lists lines")
	c.Flags().Int64Var(&o.attach, "attach", 0, "then make these lines, at most 1,000, part of the open incident with this number; needs a running server, and a query that only lists lines")
	c.Flags().IntVar(&o.limit, "limit", 0, "show at most so many rows: the last lines, the first of others (default: 10,000)")
	c.Flags().DurationVar(&o.timeout, "timeout", 0, "end after so long with what was found until then (default 30s, at most 1h)")
	return c
}

func (p Program) runSearch(ctx context.Context, o searchFlags, text string) error {
	q, err := o.parse(text, time.Now())
	if err != nil {
		return err
	}
	if o.limit < 0 || o.timeout < 0 {
		return wrong{errors.New("--limit and --timeout are not negative")}
	}
	if why := desk.Followable(q); o.follow && why != "" {
		return wrong{errors.New(why)}
	}
	if o.follow && o.limit > 0 {
		return wrong{errors.New("--limit ends, and --follow goes on; leave one out")}
	}
	if err := o.attaches(q); err != nil {
		return err
	}
	if o.limit > 0 {
		limited(q, o.limit)
	}
	who, end, err := p.toSearch(ctx, &o)
	if err != nil {
		return err
	}
	x := client.Search{Query: q.String(), Zone: q.Zone.String(), Timeout: o.timeout, Follow: o.follow, Person: o.as}
	show := p.newFinds(o.json, q)
	err = errors.Join(who.Search(ctx, x, show.found), show.end())
	if err == nil && o.attach > 0 {
		err = p.attachFound(ctx, who, x, o.attach)
	}
	return errors.Join(err, end())
}

// attaches says what stands against attaching what a query finds.
func (o *searchFlags) attaches(q *query.Query) error {
	switch {
	case o.attach < 0:
		return wrong{errors.New("--attach takes the number of an incident")}
	case o.attach > 0 && (o.follow || o.limit > 0):
		return wrong{errors.New("--attach takes all lines that match; leave --follow and --limit out")}
	}
	for _, s := range q.Stages {
		if o.attach > 0 && s.Kind != query.Session {
			return wrong{fmt.Errorf("--attach takes whole lines, so the stage %s cannot be in the query; leave it out", s.Kind)}
		}
	}
	return nil
}

// attachFound makes what was found part of an incident.
func (p Program) attachFound(ctx context.Context, who *client.Client, x client.Search, id int64) error {
	got, err := who.Attach(ctx, x, id)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.Err, "%s attached to incident %d\n", counted(got.Lines, "line"), id)
	return err
}

// limited shows fewer rows of a query: of lines the last ones, which are the newest.
func limited(q *query.Query, n int) {
	kind := query.Tail
	for _, s := range q.Stages {
		if s.Kind != query.Session && s.Kind != query.Columns {
			kind = query.Head
		}
	}
	q.Stages = append(q.Stages, query.Stage{Kind: kind, N: n})
}

// toSearch returns who answers: the running server, or this process itself, which then only reads the folder.
func (p Program) toSearch(ctx context.Context, o *searchFlags) (*client.Client, func() error, error) {
	if c, end, err := o.client(); c != nil || err != nil {
		return c, end, err
	}
	if err := o.fill("", ""); err != nil {
		return nil, nil, err
	}
	c := client.New(o.data)
	if err := c.Alive(ctx); !errors.Is(err, client.ErrNotRunning) {
		return c, func() error { return nil }, nil
	}
	if o.attach > 0 {
		return nil, nil, fmt.Errorf("%w: %s; to attach lines start `tocsin serve`", client.ErrNotRunning, o.data)
	}
	if o.follow {
		return nil, nil, fmt.Errorf("%w: %s; without one no lines come that could be followed: start `tocsin serve`, or leave --follow out", client.ErrNotRunning, o.data)
	}
	d, err := p.openToRead(&o.folders)
	if err != nil {
		return nil, nil, err
	}
	return client.Of(api.SearchHandler(p.quietLogger(), d)), d.Close, nil
}

// openToRead opens the kept lines of a folder as its settings say that they are to be read.
func (p Program) openToRead(f *folders) (*desk.Desk, error) {
	if err := f.exists(); err != nil {
		return nil, err
	}
	set := settings{folders: *f}
	if err := set.readFile(serveFlags{folders: *f}); err != nil {
		return nil, err
	}
	o, err := p.reading(set)
	if err != nil {
		return nil, err
	}
	if o.Data, err = disk.Open(f.data); err != nil {
		return nil, err
	}
	return desk.OpenToRead(p.quietLogger(), o)
}

// reading is how the settings say that lines are to be read.
func (p Program) reading(set settings) (desk.Options, error) {
	geo, err := p.geoFor(serveFlags{geo: set.Config.Geo}, false)
	return desk.Options{Version: Version, Geo: geo, Own: config.Prefixes(set.OwnNetworks), Shared: config.Prefixes(set.SharedNetworks), Trusted: config.Prefixes(set.TrustedProxies), Zone: set.Zone.Location, Maps: mappings(set.Config)}, err
}

// terminal reports whether a writer is one, and how wide.
func terminal(w io.Writer) (int, bool) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	return width, err == nil
}

// finds shows what a search finds.
type finds struct {
	p      Program
	json   *json.Encoder // nil: for people
	lines  bool          // the query lists lines as they came
	zone   *time.Location
	meter  bool // on standard error
	drawn  bool
	table  [][]string
	right  []bool // columns of numbers
	bars   []client.Bar
	behind bool // the summary was told
}
