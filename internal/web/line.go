package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/query"
	"tocsin/internal/record"
	"tocsin/ui"
)

const (
	wholeShown  = 64 << 10        // bytes of a line that its own page shows
	recordsMost = 50              // events of a line that its page shows
	around      = 5 * time.Minute // on both sides of a line
)

// line shows one line with everything that was read in it.
func (s *Server) line(v *visit) error {
	n, err := number(v.r, "id")
	if err != nil {
		return err
	}
	l, err := s.desk.Line(v.r.Context(), v.actor, n)
	missing, gone := errors.AsType[desk.MissingLine](err)
	switch {
	case gone && !missing.Came:
		return errMissing
	case err != nil && !gone:
		return err
	}
	asked := askedQuery(v)
	q, err := desk.ParseQuery(asked, v.zone)
	if err != nil || asked == "" {
		q, asked = &query.Query{Zone: v.zone}, ""
	}
	view := ui.LineView{Number: strconv.FormatInt(n, 10)}
	view.Frame = s.frame(v, "search", "Line "+view.Number)
	view.Still = true
	if asked != "" {
		view.Back = searchFor(asked)
	}
	if n > 1 {
		view.Before = lineLink(strconv.FormatInt(n-1, 10), asked)
	}
	if n < s.desk.Kept().Last {
		view.After = lineLink(strconv.FormatInt(n+1, 10), asked)
	}
	if gone {
		view.Says = sentence(missing)
		return ui.LinePage.Show(v.w, http.StatusGone, view)
	}
	s.fillLine(v, &view, q, l)
	if v.r.URL.Query().Has("part") { // for a row that opens
		v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
		return ui.LinePage.Part(v.w, "line-records", view)
	}
	view.Attach = s.attachForm(v)
	return ui.LinePage.Show(v.w, http.StatusOK, view)
}

// fillLine words a line.
func (s *Server) fillLine(v *visit, view *ui.LineView, q *query.Query, l desk.Line) {
	view.Raw = ui.Visible(l.Raw)
	if n := len(l.Raw) - wholeShown; n > 0 {
		view.Raw, view.Cut = ui.Visible(cutText(l.Raw, wholeShown)), "and "+ui.Plural(int64(n), "more byte", "more bytes")+"; tocsin archive export gives all of them"
	}
	for k, r := range l.Records[:min(len(l.Records), recordsMost)] {
		x := lineRecord(q, r)
		if len(l.Records) > 1 {
			x.Title = fmt.Sprintf("Event %d of %d", k+1, len(l.Records))
		}
		view.Records = append(view.Records, x)
	}
	var at time.Time
	if len(l.Records) > 0 {
		at = l.Records[0].Time
	}
	view.At = v.at(at)
	view.Times = []ui.TimeFact{{Name: "Happened", At: v.at(at)}, {Name: "Received", At: v.at(l.Received)}}
	fact := func(name, value string) {
		if value != "" {
			view.Facts = append(view.Facts, ui.Fact{Name: name, Value: ui.Visible(clipped(value)).String()})
		}
	}
	fact("Host", l.Host)
	fact("File", l.File)
	fact("Place in the file", "byte "+ui.Number(l.Offset))
	fact("Read by", l.Agent)
	view.Digests = []ui.Digest{{Of: ui.Visible("This line, " + ui.Plural(int64(len(l.Raw)), "byte", "bytes")), Value: l.SHA256}}
	if len(l.Volumes) == 0 {
		fact("Kept in", "the write-ahead log; it goes to the shelf soon")
	}
	for _, x := range l.Volumes {
		fact("Kept in volume", x.Name)
		view.Digests = append(view.Digests, ui.Digest{Of: ui.Visible("The volume's lines"), Value: x.Lines.SHA256}, ui.Digest{Of: ui.Visible("The volume's columns"), Value: x.Columns.SHA256})
	}
	if !at.IsZero() {
		near := &query.Query{Zone: v.zone, Since: at.Add(-around), Until: at.Add(around), Where: query.Is(query.File, l.File)}
		if l.Host != "" {
			near.Where = query.All(query.Is(query.Host, l.Host), near.Where)
		}
		view.Around = queryLink(near)
	}
}

// recordFields are what is shown of a record.
func recordFields() []query.Field {
	out := []query.Field{query.Host, query.File, query.Log}
	for f := range record.NumFields {
		if f := record.Field(f); !f.View() {
			out = append(out, query.KnownField(f))
		}
	}
	return out
}

// repeats reports whether a field that follows from another, such as a decoded address, says just what that one does.
func repeats(f query.Field, value string, of func(query.Field) string) bool {
	if f.Place != query.PlaceKnown {
		return false
	}
	base, is := f.Known.Base()
	return is && of(query.KnownField(base)) == value
}

// lineRecord words one event of a line.
func lineRecord(q *query.Query, r *record.Record) (x ui.LineRecord) {
	for _, f := range recordFields() {
		seen := map[string]bool{}
		f.Each(r, func(value record.Value) bool {
			same := repeats(f, value.Text, func(base query.Field) string {
				v, _ := base.Value(r)
				return v.Text
			})
			if !seen[value.Text] && !same {
				seen[value.Text] = true
				field := fieldOf(q, f, value.Text)
				if f.Place == query.PlaceKnown && f.Known.String() != field.Name {
					field.Says = f.Known.String()
				}
				x.Fields = append(x.Fields, field)
			}
			return true
		})
	}
	for _, p := range r.Extra {
		field := fieldOf(q, query.OwnField(p.Name), p.Value.Text)
		field.Name = ui.Visible(clipped(p.Name)).String()
		x.Own = append(x.Own, field)
	}
	return x
}

// attachForm is where lines can be attached to; who may not has none.
func (s *Server) attachForm(v *visit) (f ui.AttachForm) {
	if auth.May(v.actor, auth.Handle) != nil || auth.May(v.actor, auth.SearchLines) != nil {
		return f
	}
	f.May = true
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		for _, i := range slices.Backward(st.Incidents.Incidents) {
			if !i.Closed && len(f.Incidents) < incidentsOffered {
				f.Incidents = append(f.Incidents, ui.Option{Value: strconv.FormatInt(i.ID, 10), Word: fmt.Sprintf("%d: %s", i.ID, i.Title)})
			}
		}
	})
	return f
}

const (
	incidentsOffered = 200
	linesFirst       = 10 // lines of an incident that its page shows
	linesPaged       = 50
	linesTook        = 2 * time.Second // what reading them may take
)

// askAttach asks to which incident lines are attached.
func (s *Server) askAttach(v *visit) error {
	chosen := v.r.URL.Query()
	return s.showAttach(v, http.StatusOK, chosen, nil)
}

// showAttach shows what was chosen, once more when there was a mistake.
func (s *Server) showAttach(v *visit, code int, chosen url.Values, mistake error) error {
	view := ui.AttachView{Frame: s.frame(v, "search", "Attach lines"), Form: s.attachForm(v), Query: chosen.Get("q")}
	view.Still, view.Path = true, "/search/attach"
	back := view.Query
	if back == "" {
		back = chosen.Get("back")
	}
	if back != "" {
		view.Back = searchFor(back)
	}
	for k, o := range view.Form.Incidents {
		view.Form.Incidents[k].Chosen = o.Value == chosen.Get("incident")
	}
	ctx, stop := context.WithTimeout(v.r.Context(), linesTook)
	defer stop()
	for _, n := range lineNumbers(chosen) {
		l, err := s.desk.Line(ctx, v.actor, n)
		x := ui.FoundLine{Number: strconv.FormatInt(n, 10)}
		switch {
		case err != nil:
			x.Cut = sentence(err)
		default:
			x.Place = ui.Visible(joined(l.Host, l.File))
			x.Line, x.Cut = cutLine(l.Raw)
			if len(l.Records) > 0 {
				x.At = v.at(l.Records[0].Time)
			}
		}
		view.Lines = append(view.Lines, x)
	}
	if mistake != nil {
		view.Errors = fieldErrors(mistake)
		for k := range view.Errors {
			if view.Errors[k].Field == "" {
				view.Errors[k].Field = "line"
			}
		}
	}
	return ui.Attach.Show(v.w, code, view)
}

// lineNumbers are the lines that a form names, each once, at most as many as a page has.
func lineNumbers(form url.Values) (numbers []int64) {
	for _, text := range form["line"] {
		n, err := strconv.ParseInt(text, 10, 64)
		if err == nil && n > 0 && !slices.Contains(numbers, n) && len(numbers) < linesShown {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// attach makes lines part of an incident.
func (s *Server) attach(v *visit) error {
	id, err := strconv.ParseInt(text(v.r, "incident"), 10, 64)
	if err != nil {
		err = desk.FieldError{Field: "incident", Says: "Choose an incident that is open."}
	} else if asked := text(v.r, "q"); asked == "" {
		_, err = s.desk.Attach(v.r.Context(), v.actor, id, lineNumbers(v.r.PostForm))
	} else {
		var q *query.Query
		if q, err = desk.ParseQuery(asked, v.zone); err == nil {
			_, err = s.desk.AttachFound(v.r.Context(), v.actor, id, q)
		}
	}
	if err != nil {
		if known(err) {
			return err
		}
		return s.showAttach(v, http.StatusUnprocessableEntity, v.r.PostForm, err)
	}
	return done(v, fmt.Sprintf("/incidents/%d", id), "attached")
}

// attachedLines words lines of an incident.
func (s *Server) attachedLines(v *visit, id int64, from, most int) (out []ui.AttachedLine, all int, err error) {
	ctx, stop := context.WithTimeout(v.r.Context(), linesTook)
	defer stop()
	lines, all, err := s.desk.IncidentLines(ctx, v.actor, id, from, most)
	if err != nil {
		return nil, 0, err
	}
	may := auth.May(v.actor, auth.SearchLines) == nil
	for _, l := range lines {
		x := ui.AttachedLine{Number: strconv.FormatInt(l.Number, 10), At: v.at(l.At), Place: ui.Visible(joined(l.Host, l.File)), Why: l.Why, Grave: l.Grave, SHA256: l.SHA256, When: v.at(l.Learned)}
		if may {
			x.Href = lineLink(x.Number, "")
		}
		x.Line, x.Cut = cutLine(l.Raw)
		out = append(out, x)
	}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		for k, l := range lines {
			out[k].Who = s.actorName(st, l.Actor)
		}
	})
	return out, all, nil
}

// firstLines are those that the page of an incident shows, and what leads to the others.
func (s *Server) firstLines(v *visit, id int64) ([]ui.AttachedLine, string, error) {
	lines, all, err := s.attachedLines(v, id, 0, linesFirst)
	says := ""
	if all > len(lines) {
		says = "All " + ui.Number(int64(all)) + " lines"
	}
	return lines, says, err
}

// incidentLines shows the lines of an incident.
func (s *Server) incidentLines(v *visit) error {
	id, err := number(v.r, "id")
	if err != nil {
		return err
	}
	view := ui.AttachedLinesView{ID: strconv.FormatInt(id, 10)}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		i, e := st.Incidents.Get(id)
		if err = e; e == nil {
			view.Title = i.Title
		}
	})
	if err != nil {
		return err
	}
	page := pageOf(v)
	lines, all, err := s.attachedLines(v, id, page*linesPaged, linesPaged)
	if err != nil {
		return err
	}
	view.Frame = s.frame(v, "incidents", "Lines of incident "+view.ID)
	view.Lines, view.Pager = lines, pager(v, page, linesPaged, all)
	return ui.AttachedLines.Show(v.w, http.StatusOK, view)
}
