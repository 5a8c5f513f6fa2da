package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/query"
	"tocsin/ui"
)

const (
	runTold   = 200 * time.Millisecond // how often a search says how far it is
	runShown  = time.Second            // and what it has found
	liveTold  = 500 * time.Millisecond // how often lines that came are told
	liveRows  = 100                    // of these at most, each time
	liveLong  = 15 * time.Minute       // then the script asks again, and it is looked again who asks
	liveAsked = 5 * time.Second        // how often it is looked again who asks
)

// A told is a line of an answer to search.js.
type told struct {
	Kind   string  `json:"kind"` // progress, rows, end
	Says   string  `json:"says,omitempty"`
	Done   float64 `json:"done,omitempty"` // of 1
	HTML   string  `json:"html,omitempty"`
	Left   int     `json:"left,omitempty"`   // rows that are not in HTML
	Behind int64   `json:"behind,omitempty"` // where to go on when the connection is lost
}

// A stream writes such lines until the browser goes away.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	end     func() bool
}

func newStream(ctx context.Context, v *visit) *stream {
	t := &stream{w: v.w, control: http.NewResponseController(v.w)}
	v.w.Header().Set("Content-Type", "application/x-ndjson")
	_ = t.control.SetWriteDeadline(time.Time{})                                                            // not every connection has one
	_ = t.control.SetReadDeadline(time.Time{})                                                             // the request has come; its limit would end the answer
	t.end = context.AfterFunc(ctx, func() { _ = t.control.SetWriteDeadline(time.Now().Add(time.Second)) }) // however slowly it is read
	return t
}

func (t *stream) tell(x told) bool {
	b, err := json.Marshal(x)
	if err == nil {
		_, err = t.w.Write(append(b, '\n'))
	}
	return err == nil && t.control.Flush() == nil
}

// A progress is how far a search is, from it to who tells of it.
type progress struct {
	mu    sync.Mutex
	now   told
	found func() ui.SearchView // nil: nothing new to show
	shown time.Time
}

// runSearch searches as search does, and tells how far it is and what it has found so far. It ends when the browser goes away.
func (s *Server) runSearch(v *visit) error {
	ctx, stop := context.WithTimeout(v.r.Context(), desk.SearchLimit)
	defer stop()
	view := ui.SearchView{Frame: ui.Frame{Nav: "search"}, Query: askedQuery(v)}
	t := newStream(ctx, v)
	defer t.end()
	q, err := desk.ParseQuery(view.Query, v.zone)
	if wrong, ok := errors.AsType[*query.Error](err); ok {
		view.Wrong = wrongQuery(view.Query, wrong)
		return s.tellEnd(t, view)
	}
	if err != nil {
		return err
	}
	go s.stopWith(ctx, stop)
	p := &progress{now: told{Kind: "progress", Says: "Searching…"}, shown: time.Now()}
	done := make(chan error, 1)
	full := view
	go func() {
		done <- caught(func() error {
			_, err := s.fill(ctx, v, &full, q, func(x desk.SearchProgress) { p.note(s, v, view, q, x) })
			return err
		})
	}()
	tick := time.NewTicker(runTold)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			if err != nil {
				s.log.Error("a search failed", "error", err)
				full.Warnings = append(full.Warnings, ui.Visible("The search failed: "+sentence(err)))
			}
			return s.tellEnd(t, full)
		case <-tick.C:
			if !t.tell(p.take(s)) {
				stop()
			}
		}
	}
}

// caught turns a panic into an error: it costs the request, not the program.
func caught(act func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("a mistake of the program: %v", p)
		}
	}()
	return act()
}

// stopWith ends something when the console does.
func (s *Server) stopWith(ctx context.Context, stop func()) {
	select {
	case <-ctx.Done():
	case <-s.quit:
		stop()
	}
}

// note is told by a search of one chunk at a time, which waits meanwhile: so what was found is taken only now and then.
func (p *progress) note(s *Server, v *visit, view ui.SearchView, q *query.Query, x desk.SearchProgress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = told{Kind: "progress", Done: x.Done, Says: fmt.Sprintf("%s of %s, %s records", ui.Number(int64(x.Done*100))+" %", ui.Plural(int64(x.Scanned.Volumes), "volume", "volumes"), ui.Number(x.Scanned.Rows+x.Scanned.Tail))}
	if time.Since(p.shown) < runShown {
		return
	}
	p.shown = time.Now()
	res := desk.Found{Result: x.So(), Scanned: x.Scanned}
	p.found = func() ui.SearchView {
		view.Partly = true
		s.word(v, &view, q, res)
		view.Bars.Range, view.Attach, view.Older = "", ui.AttachForm{}, ""
		for k := range view.Lines {
			view.Lines[k].Pick = false
		}
		return view
	}
}

// take is what to tell now.
func (p *progress) take(s *Server) told {
	p.mu.Lock()
	out, found := p.now, p.found
	p.found = nil
	p.mu.Unlock()
	if found != nil {
		out.HTML = s.part("found", found())
	}
	return out
}

// tellEnd tells the whole result.
func (s *Server) tellEnd(t *stream, view ui.SearchView) error {
	t.tell(told{Kind: "end", HTML: s.part("found", view)}) // the browser may be gone
	return nil
}

// part renders a part of the search page.
func (s *Server) part(name string, view any) string {
	var b bytes.Buffer
	if err := ui.Search.Part(&b, name, view); err != nil {
		s.log.Error("a page failed", "error", err)
		return ""
	}
	return b.String()
}

// liveSearch tells of lines that a query finds, as they come. It ends when the browser goes away.
func (s *Server) liveSearch(v *visit) error {
	ctx, stop := context.WithTimeout(v.r.Context(), liveLong)
	defer stop()
	t := newStream(ctx, v)
	defer t.end()
	refuse := func(why string) error {
		t.tell(told{Kind: "end", Says: why})
		return nil
	}
	asked := askedQuery(v)
	q, err := desk.ParseQuery(asked, v.zone)
	if err != nil {
		return refuse("This query cannot be read.")
	}
	if why := desk.Followable(q); why != "" {
		return refuse(why)
	}
	giveBack, ok := s.following.Try(v.actor.Name)
	if !ok {
		return refuse("Too many pages follow lines. Close one, and follow again.")
	}
	defer giveBack()
	behind, err := strconv.ParseInt(v.r.URL.Query().Get("behind"), 10, 64)
	if err != nil || behind < 0 {
		behind = s.desk.Kept().Last
	}
	go s.stopWith(ctx, stop)
	if !t.tell(told{Kind: "rows", Behind: behind}) {
		return nil
	}
	fields, shown := listing(q).Shown(), chosen(q)
	var mu sync.Mutex // of what follows
	var rows [][]query.Cell
	left := 0
	done := make(chan error, 1)
	go func() {
		done <- caught(func() error {
			return s.desk.Follow(ctx, v.actor, folded(q, query.Stage{Kind: query.Columns, By: fields}), behind, func(res query.Result) error {
				mu.Lock()
				defer mu.Unlock()
				for _, row := range res.Rows {
					behind = int64(row[4].Number)
					if len(rows) == liveRows { // the newest count
						rows = append(rows[:0], rows[1:]...)
						left++
					}
					rows = append(rows, row)
				}
				return nil
			})
		})
	}()
	may := s.attachForm(v).May
	tick := time.NewTicker(liveTold)
	defer tick.Stop()
	looked := time.Now()
	for {
		select {
		case err := <-done:
			if err != nil {
				return refuse(sentence(err))
			}
			return nil
		case <-tick.C:
		}
		if time.Since(looked) > liveAsked { // rights are taken away, and people sign out
			looked = time.Now()
			if err := auth.May(s.visit(v.w, v.r).actor, auth.SearchLines); err != nil {
				stop()
				<-done
				return refuse("You are signed out, or may not search any more.")
			}
		}
		mu.Lock()
		came, x := rows, told{Kind: "rows", Left: left, Behind: behind}
		rows, left = nil, 0
		mu.Unlock()
		if len(came) == 0 {
			x = told{Kind: "rows"} // shows whether somebody still listens
		}
		for _, row := range came {
			x.HTML += s.part("found-line", foundLine(v, q, fields, shown, row, asked, may))
		}
		if !t.tell(x) {
			stop()
			<-done
			return nil
		}
	}
}
