package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"tocsin/internal/desk"
	"tocsin/internal/query"
	"tocsin/internal/record"
	"tocsin/ui"
)

const (
	pageSearch  = 10 * time.Second       // what the lines of a page may take
	patience    = 400 * time.Millisecond // and what they may take before a page is shown without them, to be filled by its script
	besideTook  = 3 * time.Second        // what the histogram and the facets beside them may take
	linesShown  = 50
	rowsShown   = 1000
	facetRows   = 5
	lineShown   = 2000 // bytes of a line that a page shows
	valueShown  = 500  // bytes of a value
	linksFitted = 1000 // bytes of a value that links take
)

// examples are queries to begin with.
var examples = [...][2]string{
	{"Who failed to sign in today?", "action=login outcome=failure since today | top user"},
	{"Which addresses ask for doors that are not there?", "status=404 path in (/wp-*, *.env, /.git/*) since 1d | top ip"},
	{"What went wrong in the last hour?", "status=5xx since 1h"},
	{"When was the sign-in page busy?", "path~login last 24h | timeline"},
	{"What came last?", "| tail 20"},
}

// search looks for lines. A browser that runs our script gets the page within a moment, and the result by runSearch if it takes longer.
func (s *Server) search(v *visit) error {
	view := ui.SearchView{Frame: s.frame(v, "search", "Search")}
	view.Still = true // a page that follows changes would search again each time
	asked := v.r.URL.Query()
	if view.Query = askedQuery(v); view.Query == "" {
		for _, x := range examples {
			view.Examples = append(view.Examples, ui.QueryExample{Says: x[0], Query: x[1], Href: searchFor(x[1])})
		}
		return ui.Search.Show(v.w, http.StatusOK, view)
	}
	q, err := desk.ParseQuery(view.Query, v.zone)
	if wrong, ok := errors.AsType[*query.Error](err); ok {
		view.Wrong = wrongQuery(view.Query, wrong)
		return ui.Search.Show(v.w, http.StatusUnprocessableEntity, view)
	}
	if err != nil {
		return err
	}
	if to := askedRange(q, asked.Get("since"), asked.Get("until")); to != "" {
		return done(v, to, "")
	}
	limit, brief := pageSearch, hasScript(v.r) && asked.Get("wait") == ""
	if brief {
		limit = patience
	}
	ctx, stop := context.WithTimeout(v.r.Context(), limit)
	defer stop()
	full := view
	whole, err := s.fill(ctx, v, &full, q, nil)
	switch {
	case err != nil:
		return err
	case brief && !whole:
		view.Run = true
		view.Wait = searchFor(view.Query) + "&wait=1"
		return ui.Search.Show(v.w, http.StatusOK, view)
	case full.Says == "":
		return ui.Search.Show(v.w, http.StatusServiceUnavailable, full)
	}
	return ui.Search.Show(v.w, http.StatusOK, full)
}

// askedQuery is the query of a request.
func askedQuery(v *visit) string {
	return strings.TrimSpace(strings.ToValidUTF8(v.r.URL.Query().Get("q"), "\ufffd"))
}

// hasScript reports whether the browser runs search.js, which says so.
func hasScript(r *http.Request) bool {
	c, err := r.Cookie("script")
	return err == nil && c.Value == "1"
}

// askedRange is where a query is asked that a range of the histogram narrows; "" when there is none.
func askedRange(q *query.Query, since, until string) string {
	from, err := time.Parse(time.RFC3339Nano, since)
	to, err2 := time.Parse(time.RFC3339Nano, until)
	if err != nil || err2 != nil || !from.Before(to) {
		return ""
	}
	return rangeLink(q, from, to)
}

// fill searches, and words what it finds; whole is false when ctx ended before all was. Tell hears how far it is, and may be nil.
func (s *Server) fill(ctx context.Context, v *visit, view *ui.SearchView, q *query.Query, tell func(desk.SearchProgress)) (whole bool, err error) {
	giveBack, ok := s.seeking.Take(ctx, v.actor.Name)
	if !ok {
		view.Warnings = append(view.Warnings, ui.Visible("Too many searches are under way. Wait a little, and search again."))
		return false, nil
	}
	defer giveBack()
	res, err := s.desk.Search(ctx, v.actor, look(q), tell)
	if err != nil {
		return false, err
	}
	s.word(v, view, q, res)
	if _, folds := q.Folding(); !folds && res.Matched > 0 {
		s.beside(ctx, v, view, q)
	}
	return ctx.Err() == nil, nil
}

// look is what is searched for to show a query.
func look(q *query.Query) *query.Query {
	if _, folds := q.Folding(); folds {
		return q
	}
	return listing(q)
}

// word words a result, but for what stands beside its lines.
func (s *Server) word(v *visit, view *ui.SearchView, q *query.Query, res desk.Found) {
	view.Says, view.Warnings = scannedWords(res), searchWarnings(res)
	view.Found = ui.Plural(res.Matched, "line", "lines")
	view.Again = searchFor(view.Query)
	stage, folds := q.Folding()
	switch {
	case !folds:
		view.Listed = true
		view.Attach = s.attachForm(v)
		s.foundLines(v, view, q, res)
		if desk.Followable(q) == "" {
			view.Behind = strconv.FormatInt(res.Last, 10)
		}
		if all := folded(q).String(); res.Matched > 1 && res.Matched <= desk.AttachAtOnce && len(all) <= query.MaxText {
			view.Attach.All = "Attach all " + view.Found + " of this search"
			view.Attach.AllHref = "/search/attach?" + url.Values{"q": {all}}.Encode()
		}
	case stage.Kind == query.Timeline:
		view.Bars = histogram(v, q, res.Bars)
	default:
		foundRows(view, q, stage, res)
	}
}

// wrongQuery marks the place of a mistake.
func wrongQuery(text string, e *query.Error) ui.WrongQuery {
	runes := []rune(text)
	at := min(max(e.At, 0), len(runes))
	end := min(max(e.End, at), len(runes))
	return ui.WrongQuery{Before: ui.Visible(string(runes[:at])), Place: ui.Visible(string(runes[at:end])), After: ui.Visible(string(runes[end:])), Why: ui.Visible(e.Why), Mend: ui.Visible(e.Mend)}
}

// scannedWords says how much was looked at.
func scannedWords(res desk.Found) string {
	records := ui.Plural(res.Scanned.Rows+res.Scanned.Tail, "record", "records")
	if res.Scanned.Of == 0 {
		return fmt.Sprintf("%s, none of them on the shelf yet, %.2f s", records, res.Took.Seconds())
	}
	return fmt.Sprintf("%s of %s, %s, %.2f s", ui.Number(int64(res.Scanned.Volumes)), ui.Plural(int64(res.Scanned.Of), "volume", "volumes"), records, res.Took.Seconds())
}

// searchWarnings says what is not whole in a result.
func searchWarnings(res desk.Found) (out []ui.Text) {
	for _, says := range []string{res.Cut, res.Truncated, res.About} {
		if says != "" {
			out = append(out, ui.Visible(says))
		}
	}
	for _, d := range res.Damaged {
		out = append(out, ui.Visible("The volume "+d.Volume.Name+" is damaged and was not searched. Run: tocsin doctor"))
	}
	return out
}

// pivots are the fields of a line that a list shows, because people go on from them; the page of the line has them all.
func pivots() []query.Field {
	var out []query.Field
	for _, f := range []record.Field{record.SourceIP, record.SourceCountry, record.UserName, record.SessionID, record.HTTPMethod, record.URLPath, record.HTTPStatus, record.EventAction, record.EventOutcome} {
		out = append(out, query.KnownField(f))
	}
	return out
}

// listing is a query that lists lines, with these fields, and no more of them than a page shows. What the reader asked to be shown comes last.
func listing(q *query.Query) *query.Query {
	out := *q
	out.Stages = nil
	fields := append([]query.Field{query.Time, query.Host, query.File, query.Raw, query.Number}, pivots()...)
	for _, f := range chosen(q) {
		if !slices.Contains(fields, f) {
			fields = append(fields, f)
		}
	}
	for _, st := range q.Stages {
		if st.Kind == query.Session {
			out.Stages = append(out.Stages, st)
		}
	}
	out.Stages = append(out.Stages, query.Stage{Kind: query.Columns, By: fields})
	last := query.Stage{Kind: query.Tail, N: linesShown}
	for _, st := range q.Stages {
		switch st.Kind {
		case query.Sort, query.Head:
			last.Kind = query.Head
		case query.Tail:
			last.Kind = query.Tail
		default:
			continue
		}
		out.Stages = append(out.Stages, st)
	}
	out.Stages = append(out.Stages, last)
	return &out
}

// chosen are the fields that a query asks to be shown.
func chosen(q *query.Query) []query.Field {
	for _, st := range q.Stages {
		if st.Kind == query.Columns {
			return st.By
		}
	}
	return nil
}

// ordered reports whether a query says itself which lines it lists, or in which order.
func ordered(q *query.Query) bool {
	return slices.ContainsFunc(q.Stages, func(s query.Stage) bool { return s.Kind >= query.Sort })
}

// foundLines words the lines of a result, the newest first unless the query says otherwise.
func (s *Server) foundLines(v *visit, view *ui.SearchView, q *query.Query, res desk.Found) {
	fields := listing(q).Shown()
	shown := chosen(q)
	rows := res.Rows
	if !ordered(q) {
		rows = slices.Clone(rows)
		slices.Reverse(rows)
		if n := len(rows); n > 0 && res.Matched > int64(n) && rows[n-1][0].Kind == query.CellTime {
			view.Older = olderLink(q, rows[n-1][0].Time)
		}
	}
	for _, row := range rows {
		view.Lines = append(view.Lines, foundLine(v, q, fields, shown, row, view.Query, view.Attach.May))
	}
}

// foundLine words a line.
func foundLine(v *visit, q *query.Query, fields, shown []query.Field, row []query.Cell, asked string, pick bool) ui.FoundLine {
	l := ui.FoundLine{At: v.at(row[0].Time), Place: ui.Visible(joined(row[1].Text, row[2].Text)), Number: row[4].Text, Pick: pick}
	l.Href = lineLink(l.Number, asked)
	l.Line, l.Cut = cutLine(row[3].Text)
	for k, f := range fields {
		if row[k].Kind == query.CellMissing || f == query.Raw || f == query.Time || f == query.Number {
			continue
		}
		l.Fields = append(l.Fields, foundField(q, f, row[k]))
	}
	for _, f := range shown {
		if k := slices.Index(fields, f); row[k].Kind != query.CellMissing {
			l.Shown = append(l.Shown, ui.FoundField{Name: f.String(), Value: ui.Visible(clipped(row[k].Text))})
		}
	}
	return l
}

// cutLine is as much of a line as a list shows, and how much is left out.
func cutLine(raw string) (ui.Text, string) {
	n := len(raw) - lineShown
	if n <= 0 {
		return ui.Visible(raw), ""
	}
	return ui.Visible(cutText(raw, lineShown)), "and " + ui.Plural(int64(n), "more byte", "more bytes")
}

func joined(host, file string) string {
	if host == "" {
		return file
	}
	return host + ":" + file
}

// clipped is as much of a value as a page shows.
func clipped(s string) string {
	if len(s) > valueShown {
		return cutText(s, valueShown) + "…"
	}
	return s
}

// cutText is the beginning of a text, about so many bytes: it does not end within a character.
func cutText(s string, most int) string {
	for k := most; k > most-utf8.UTFMax; k-- {
		if utf8.RuneStart(s[k]) {
			return s[:k]
		}
	}
	return s[:most]
}

// beside fills in the histogram and the facets of what matches, side by side and for a short time.
func (s *Server) beside(ctx context.Context, v *visit, view *ui.SearchView, q *query.Query) {
	ctx, stop := context.WithTimeout(ctx, besideTook)
	defer stop()
	names := []struct {
		word  string
		field query.Field
	}{
		{"Addresses", query.KnownField(record.SourceIP)}, {"Accounts", query.KnownField(record.UserName)}, {"Paths", query.KnownField(record.URLPath)},
		{"Status", query.KnownField(record.HTTPStatus)}, {"Countries", query.KnownField(record.SourceCountry)},
	}
	results := make([]desk.Found, len(names)+1)
	errs := make([]error, len(names)+1)
	var wait sync.WaitGroup
	for k := range results {
		st := query.Stage{Kind: query.Timeline}
		if k > 0 {
			st = query.Stage{Kind: query.Top, By: []query.Field{names[k-1].field}, N: facetRows}
		}
		wait.Go(func() {
			errs[k] = caught(func() (err error) {
				results[k], err = s.desk.Search(ctx, v.actor, folded(q, st), nil)
				return err
			})
		})
	}
	wait.Wait()
	for k, res := range results {
		if errs[k] != nil || res.Cut != "" {
			view.Warnings = append(view.Warnings, ui.Visible("What stands beside the lines is not whole, because counting it took too long. Narrow the time."))
			break
		}
	}
	if errs[0] == nil {
		view.Bars = histogram(v, q, results[0].Bars)
	}
	for k, n := range names {
		f := ui.Facet{Name: n.word}
		for _, row := range results[k+1].Rows {
			if only := onlyLink(q, n.field, row[0].Text); only != "" && len(row) > 1 {
				f.Rows = append(f.Rows, ui.FoundValue{Value: ui.Visible(clipped(row[0].Text)), Count: countOf(row[1]), Only: only})
			}
		}
		if len(f.Rows) > 0 {
			view.Facets = append(view.Facets, f)
		}
	}
}

func countOf(c query.Cell) string {
	if c.Kind == query.CellNumber {
		return ui.Number(int64(c.Number))
	}
	return c.Text
}

// histogram draws bars that narrow the time.
func histogram(v *visit, q *query.Query, bars []query.Bar) ui.Histogram {
	if len(bars) == 0 {
		return ui.Histogram{}
	}
	var moments []ui.Counted
	for _, b := range bars {
		from := v.at(b.Start)
		moments = append(moments, ui.Counted{Says: ui.Plural(b.Count, "line", "lines") + " from " + from.Local, Href: rangeLink(q, b.Start, b.End), Count: b.Count,
			Since: b.Start.UTC().Format(time.RFC3339Nano), Until: b.End.UTC().Format(time.RFC3339Nano), From: from.Local, To: v.at(b.End).Local})
	}
	h := ui.NewHistogram(moments, v.at(bars[0].Start), v.at(bars[len(bars)-1].End))
	if queryLink(q) != "" {
		h.Range = q.String()
	}
	return h
}

// foundRows words the rows of a query that folds.
func foundRows(view *ui.SearchView, q *query.Query, stage query.Stage, res desk.Found) {
	fields := map[string]query.Field{}
	for _, f := range stage.By {
		fields[f.String()] = f
	}
	for _, name := range res.Columns {
		_, is := fields[name]
		view.Columns = append(view.Columns, ui.Heading{Word: name, Number: !is && name != "time"})
	}
	rows := res.Rows
	if len(rows) > rowsShown {
		view.Warnings = append(view.Warnings, ui.Visible(fmt.Sprintf("Of %s rows the first %s are shown. Put head behind the query, or narrow it.", ui.Number(int64(len(rows))), ui.Number(rowsShown))))
		rows = rows[:rowsShown]
	}
	for _, row := range rows {
		var out []ui.FoundValue
		for k, c := range row {
			x := ui.FoundValue{Value: ui.Visible(clipped(c.Text)), Number: view.Columns[k].Number}
			if c.Kind == query.CellMissing {
				x.Value = ui.Visible("–")
			} else if f, ok := fields[res.Columns[k]]; ok {
				x.Only = onlyLink(q, f, c.Text)
			}
			out = append(out, x)
		}
		view.Rows = append(view.Rows, out)
	}
}
