package incident

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Sheet is what an incident touched and cost, in words. People type it a row a line, with semicolons between the parts; the vault keeps it so too, with a word in front of each
// line (Text). What is at the end of a row may be left away.
//
//	system: web-1; shop front; checkout.js was changed; restored
//	data: card numbers; copied; 312; orders in the window       312 or ? for a number that is not known
//	people: customers who paid by card; 298; Germany, Poland; orders
//	cost: sales lost; 12500.50 EUR; 32 h 10 min; estimate        amount, work and the word estimate in any order
type Sheet struct {
	Systems []System
	Data    []Data
	People  []People
	Costs   []Cost
}

// A System is a host, site or service that the incident touched.
type System struct{ Name, Role, Effect, State string }

// Data is what was read, copied, changed, destroyed or exposed. Records -1 is not known.
type Data struct {
	What, Fate string
	Records    int64
	Basis      string // how one knows
}

// People are those whom it touched. Count -1 is not known.
type People struct {
	Who   string
	Count int64
	Where string
	Basis string
}

// A Cost is money in hundredths of a currency (ISO 4217), minutes of work, or both.
type Cost struct {
	What     string
	Cents    int64
	Currency string
	Minutes  int64
	Estimate bool
}

// Bounds of a sheet: what people read.
const (
	rowsAtMost  = 200
	partAtMost  = 500     // bytes of one part of a row
	sheetAtMost = 1 << 20 // bytes of a sheet as text
	mostCents   = 1e15
	mostMinutes = 5e8
)

// A SheetMistake is what is wrong with a sheet, and where.
type SheetMistake struct {
	Field string // systems, data, people, costs
	Row   int    // from 1
	Says  string
}

func (m SheetMistake) Error() string { return fmt.Sprintf("Row %d: %s", m.Row, m.Says) }

// ParseSheet reads the four fields of a form, a row a line. Errors are a SheetMistake.
func ParseSheet(systems, data, people, costs string) (x Sheet, err error) {
	for _, f := range []struct {
		field, text string
		most        int // parts of a row
		take        func(p []string) string
	}{
		{"systems", systems, 4, x.system}, {"data", data, 4, x.data}, {"people", people, 4, x.people}, {"costs", costs, 4, x.cost},
	} {
		if len(f.text) > sheetAtMost {
			return Sheet{}, SheetMistake{f.field, 1, "it is longer than 1 MiB."}
		}
		n := 0
		for l := range strings.Lines(f.text) {
			if strings.Trim(l, "; \t\r\n") == "" {
				continue
			}
			if n++; n > rowsAtMost {
				return Sheet{}, SheetMistake{f.field, n, fmt.Sprintf("there are more than %d rows; put what belongs together into one.", rowsAtMost)}
			}
			p := parts(l)
			says := ""
			switch {
			case p[0] == "":
				says = "its first part is empty: say what it is."
			case len(p) > f.most:
				says = fmt.Sprintf("it has %d parts, and may have %d; write a comma where you mean no new part.", len(p), f.most)
			case slices.ContainsFunc(p, func(s string) bool { return len(s) > partAtMost }):
				says = fmt.Sprintf("a part is longer than %d bytes; put the rest into a note.", partAtMost)
			default:
				says = f.take(append(p, make([]string, f.most-len(p))...))
			}
			if says != "" {
				return Sheet{}, SheetMistake{f.field, n, says}
			}
		}
	}
	return x, nil
}

// parts divides a row at its semicolons; spaces are made plain.
func parts(row string) (out []string) {
	for p := range strings.SplitSeq(strings.ToValidUTF8(row, "\ufffd"), ";") {
		out = append(out, strings.Join(strings.Fields(p), " "))
	}
	for len(out) > 1 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out
}

func (x *Sheet) system(p []string) string {
	x.Systems = append(x.Systems, System{p[0], p[1], p[2], p[3]})
	return ""
}

func (x *Sheet) data(p []string) string {
	n, says := countOf(p[2])
	x.Data = append(x.Data, Data{p[0], p[1], n, p[3]})
	return says
}

func (x *Sheet) people(p []string) string {
	n, says := countOf(p[1])
	x.People = append(x.People, People{p[0], n, p[2], p[3]})
	return says
}

// countOf reads a number of things; -1 is not known.
func countOf(s string) (int64, string) {
	if s == "" || s == "?" {
		return -1, ""
	}
	n, err := strconv.ParseInt(strings.ReplaceAll(s, " ", ""), 10, 64)
	if err != nil || n < 0 || n > mostCents {
		return -1, fmt.Sprintf("%q is no number: write digits only, or ? when it is not known.", s)
	}
	return n, ""
}

var (
	amount = regexp.MustCompile(`^(-?)([0-9][0-9 ]*)(?:[.,]([0-9]{1,2}))? ?([A-Za-z]{3})$`)
	hours  = regexp.MustCompile(`^([0-9]{1,7})(?::([0-5][0-9]))? ?h(?: ([0-9]{1,2}) ?min)?$`)
	mins   = regexp.MustCompile(`^([0-9]{1,9}) ?min$`)
)

func (x *Sheet) cost(p []string) string {
	c := Cost{What: p[0]}
	money, work := false, false
	for _, s := range p[1:] {
		switch m := amount.FindStringSubmatch(s); {
		case s == "":
		case strings.EqualFold(s, "estimate") && !c.Estimate:
			c.Estimate = true
		case hours.MatchString(s) && !work:
			h := hours.FindStringSubmatch(s)
			c.Minutes, work = 60*wholes(h[1])+wholes(h[2])+wholes(h[3]), true
		case mins.MatchString(s) && !work:
			c.Minutes, work = wholes(mins.FindStringSubmatch(s)[1]), true
		case m != nil && !money:
			plain := strings.ReplaceAll(m[2], " ", "")
			if len(plain) > 13 {
				return fmt.Sprintf("%q is more money than there is.", s)
			}
			c.Cents, c.Currency, money = 100*wholes(plain)+wholes((m[3] + "00")[:2]), strings.ToUpper(m[4]), true
			if m[1] != "" {
				c.Cents = -c.Cents
			}
		default:
			return fmt.Sprintf("%q is no amount (12500.50 EUR), no work (32 h, 90 min) and not the word estimate, or is one too many.", s)
		}
	}
	if c.Minutes > mostMinutes {
		return "that is more work than there is."
	}
	x.Costs = append(x.Costs, c)
	return ""
}

// wholes reads digits that an expression has looked at; "" is 0.
func wholes(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

// Fields prints a sheet as ParseSheet reads it.
func (x Sheet) Fields() (systems, data, people, costs string) {
	var s, d, p, c []string
	for _, r := range x.Systems {
		s = append(s, row(r.Name, r.Role, r.Effect, r.State))
	}
	for _, r := range x.Data {
		d = append(d, row(r.What, r.Fate, counted(r.Records), r.Basis))
	}
	for _, r := range x.People {
		p = append(p, row(r.Who, counted(r.Count), r.Where, r.Basis))
	}
	for _, r := range x.Costs {
		of := []string{r.What}
		if r.Currency != "" {
			sign, cents := "", r.Cents
			if cents < 0 {
				sign, cents = "-", -cents
			}
			of = append(of, fmt.Sprintf("%s%d.%02d %s", sign, cents/100, cents%100, r.Currency))
		}
		if r.Minutes > 0 {
			of = append(of, fmt.Sprintf("%d h %d min", r.Minutes/60, r.Minutes%60))
		}
		if r.Estimate {
			of = append(of, "estimate")
		}
		c = append(c, row(of...))
	}
	return strings.Join(s, "\n"), strings.Join(d, "\n"), strings.Join(p, "\n"), strings.Join(c, "\n")
}

func row(parts ...string) string { return strings.TrimRight(strings.Join(parts, "; "), "; ") }

func counted(n int64) string {
	if n < 0 {
		return "" // row leaves it away at the end; between other parts it reads back as not known
	}
	return strconv.FormatInt(n, 10)
}

// The words in front of the rows in the vault, in the order of the fields.
var fronts = [4]string{"system: ", "data: ", "people: ", "cost: "}

// Text prints a sheet as the vault keeps it, and as people read it in the timeline.
func (x Sheet) Text() string {
	var b strings.Builder
	s, d, p, c := x.Fields()
	for k, f := range []string{s, d, p, c} {
		for l := range strings.Lines(f) {
			b.WriteString(fronts[k] + strings.TrimSuffix(l, "\n") + "\n")
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// ReadSheet reads what Text printed. A line without one of the words in front is refused: the vault then holds something else, as that it was erased.
func ReadSheet(text string) (Sheet, error) {
	if len(text) > 5*sheetAtMost {
		return Sheet{}, SheetMistake{"systems", 1, "it is too long."}
	}
	var of [len(fronts)]strings.Builder
	n := 0
	for l := range strings.Lines(text) {
		n++
		k := slices.IndexFunc(fronts[:], func(f string) bool { return strings.HasPrefix(l, f) })
		if k < 0 {
			return Sheet{}, SheetMistake{"systems", n, "it begins with none of system:, data:, people:, cost:"}
		}
		of[k].WriteString(strings.TrimSuffix(l[len(fronts[k]):], "\n") + "\n")
	}
	return ParseSheet(of[0].String(), of[1].String(), of[2].String(), of[3].String())
}
