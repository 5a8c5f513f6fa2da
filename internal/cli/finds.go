package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tocsin/internal/client"
	"tocsin/internal/query"
)

func (p Program) newFinds(asJSON bool, q *query.Query) *finds {
	s := &finds{p: p, zone: q.Zone}
	_, s.meter = terminal(p.Err)
	if asJSON {
		s.json = json.NewEncoder(p.Out)
		s.json.SetEscapeHTML(false)
	}
	_, folding := q.Folding()
	s.lines = !folding && !slices.ContainsFunc(q.Stages, func(x query.Stage) bool { return x.Kind == query.Columns })
	return s
}

// found takes one line of the answer.
func (s *finds) found(f client.Found) error {
	if f.Kind == "progress" {
		if s.meter && f.Progress != nil {
			s.drawn = true
			fmt.Fprintf(s.p.Err, "\r%3.0f%% searched, %s records seen\033[K", 100*f.Done, thousands(f.Seen))
		}
		return nil
	}
	s.wipe()
	if s.json != nil {
		return s.json.Encode(f)
	}
	switch {
	case f.Kind == "bar" && f.Bar != nil:
		s.bars = append(s.bars, *f.Bar)
	case f.Kind == "row" && f.Row != nil && s.lines:
		return s.line(f.Fields)
	case f.Kind == "row" && f.Row != nil && s.behind: // followed: nothing to wait for
		_, err := fmt.Fprintln(s.p.Out, strings.TrimRight(strings.Join(s.texts(f.Fields), "  "), " "))
		return err
	case f.Kind == "row" && f.Row != nil:
		s.row(f.Fields)
	case f.Kind == "summary" && f.Summary != nil:
		s.behind = true
		return s.summary(*f.Summary)
	}
	return nil
}

// wipe takes the progress away.
func (s *finds) wipe() {
	if s.drawn {
		fmt.Fprint(s.p.Err, "\r\033[K")
		s.drawn = false
	}
}

// end is called when nothing more comes.
func (s *finds) end() error {
	s.wipe()
	return nil
}

// line shows a line as it came, behind its time and where it lies.
func (s *finds) line(f client.Fields) error {
	var when, host, file, raw string
	for _, x := range f {
		text, _ := x.Value.(string)
		switch x.Name {
		case "time":
			when = s.clock(text)
		case "host":
			host = Safe(text)
		case "file":
			file = Safe(text)
		case "raw":
			raw = Safe(text)
		}
	}
	if host != "" {
		host += ":"
	}
	_, err := fmt.Fprintf(s.p.Out, "%s  %s%s  %s\n", when, host, file, raw)
	return err
}

const clockForm = "2006-01-02 15:04:05.000 -0700"

// clock writes a time in the reader's zone; all have the same length.
func (s *finds) clock(text string) string {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return fmt.Sprintf("%-*s", len(clockForm), "-")
	}
	return t.In(s.zone).Format(clockForm)
}

// texts are the values of a row, harmless.
func (s *finds) texts(f client.Fields) (out []string) {
	for _, x := range f {
		text := "-"
		switch v := x.Value.(type) {
		case string:
			if text = Safe(v); x.Name == "time" {
				text = s.clock(v)
			}
		case json.Number:
			text = Safe(v.String())
		}
		out = append(out, text)
	}
	return out
}

// row keeps a row for the table.
func (s *finds) row(f client.Fields) {
	if s.table == nil {
		var head []string
		for _, x := range f {
			head = append(head, strings.ToUpper(Safe(x.Name)))
		}
		s.table, s.right = [][]string{head}, make([]bool, len(f))
		for i := range s.right {
			s.right[i] = true
		}
	}
	for i, x := range f {
		if _, number := x.Value.(json.Number); x.Value != nil && !number && i < len(s.right) {
			s.right[i] = false
		}
	}
	s.table = append(s.table, s.texts(f))
}

const widest = 120 // characters of a column that others are aligned to

// showTable writes the rows in columns; numbers stand to the right.
func (s *finds) showTable() error {
	var wide []int
	for _, row := range s.table {
		for i, text := range row {
			if i == len(wide) {
				wide = append(wide, 0)
			}
			wide[i] = max(wide[i], min(utf8.RuneCountInString(text), widest))
		}
	}
	for _, row := range s.table {
		var b strings.Builder
		for i, text := range row {
			pad := strings.Repeat(" ", max(0, wide[i]-utf8.RuneCountInString(text)))
			switch {
			case s.right[i]:
				b.WriteString(pad + text)
			case i < len(row)-1:
				b.WriteString(text + pad)
			default:
				b.WriteString(text)
			}
			if i < len(row)-1 {
				b.WriteString("  ")
			}
		}
		if _, err := fmt.Fprintln(s.p.Out, b.String()); err != nil {
			return err
		}
	}
	return nil
}

const barWidth = 50 // characters of the longest bar

// showBars writes a histogram.
func (s *finds) showBars() error {
	most, digits := int64(1), 1
	for _, b := range s.bars {
		most = max(most, b.Count)
	}
	digits = len(thousands(most))
	form := "2006-01-02 15:04 -0700"
	if first := s.bars[0]; first.End.Sub(first.Start) < time.Minute {
		form = "2006-01-02 15:04:05 -0700"
	}
	for _, b := range s.bars {
		n := int((b.Count*barWidth + most - 1) / most) // a few lines are seen, too
		line := fmt.Sprintf("%s  %*s  %s", b.Start.In(s.zone).Format(form), digits, thousands(b.Count), strings.Repeat("#", n))
		if _, err := fmt.Fprintln(s.p.Out, strings.TrimRight(line, " ")); err != nil {
			return err
		}
	}
	return nil
}

// summary shows what was kept back, and says on standard error how the search went.
func (s *finds) summary(x client.Summary) (err error) {
	switch {
	case len(s.bars) > 0:
		err = s.showBars()
	case len(s.table) > 0:
		err = s.showTable()
	}
	if err != nil {
		return err
	}
	e := s.p.Err
	some := counted(int(x.Matched), "line")
	switch {
	case x.Matched == 0:
		some = "no line matches"
	case x.Matched == 1:
		some += " matches"
	default:
		some = thousands(x.Matched) + " lines match"
	}
	fmt.Fprintf(e, "%s; %s records looked at in %d of %d volumes and %s not on the shelf yet, in %s\n", some, thousands(x.Scanned.Rows), x.Scanned.Volumes, x.Scanned.Of,
		thousands(x.Scanned.Tail), time.Duration(x.Took*float64(time.Second)).Round(10*time.Microsecond))
	if x.Without > 0 {
		fmt.Fprintf(e, "%s of them are in no row, because they lack what is asked for\n", thousands(x.Without))
	}
	for _, says := range []string{x.Cut, x.Truncated, x.About} {
		if says != "" {
			fmt.Fprintln(e, Safe(says))
		}
	}
	for _, d := range x.Damaged {
		fmt.Fprintf(e, "the volume %s is damaged (%s: %s) and was not searched: bring its files back from a backup; tocsin archive verify says more\n", Safe(d.Volume), Safe(d.File), Safe(d.Why))
	}
	return nil
}
