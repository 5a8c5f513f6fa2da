package contact

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tocsin/internal/entry"
)

// A Row is a contact in an imported file, or one that is exported.
type Row struct {
	Line    int // of the file, from 1
	Entry   entry.Contact
	Card    Card
	Has     map[string]bool // the columns that the file has; what it has not stays as it is
	Wrong   []Problem
	Checked string // when it was checked last; exported only
	Checker string // who did, by name; on the card only
}

// Columns are the names of the columns of a CSV file, in the order in which they are exported:
//
//	id            number on the list; empty is a new contact, or the one of that name in the group
//	group         team, stakeholders, providers, regulators
//	name          of a person or a desk
//	organisation  role  duties  note
//	hours         24/7, or Mo-Fr 08:00-18:00; Sa 10:00-14:00
//	zone          IANA time zone of the hours: Europe/Berlin
//	languages     BCP 47 tags, parted by spaces: de en
//	way.1 ... way.12   in the order in which to try them: phone:+493012345 | switchboard
//	callback      number that is called back to be sure of who calls
//	person owner  staff ids: who it is, and who keeps it right
//	days          from check to check
//	checked       day of the last check; is not read
//	phrase number shared words for the phone, customer or contract number: only when asked for
//
// Columns phone, mail, sip, chat and form are read as ways behind the numbered ones. Order and case of names do not matter.
func Columns() []string {
	names := []string{"id", "group", "name", "organisation", "role", "duties", "hours", "zone", "languages"}
	for i := range maxWays {
		names = append(names, fmt.Sprintf("way.%d", i+1))
	}
	return append(names, "callback", "person", "owner", "days", "note", "checked", "phrase", "number")
}

// secret columns are exported only when they are asked for.
func secret(column string) bool { return column == "phrase" || column == "number" }

// WriteCSV writes contacts as a CSV file. Phrases and customer numbers are left out unless secrets are asked for.
func WriteCSV(rows []Row, secrets bool) []byte {
	ways := 1
	for _, r := range rows {
		ways = max(ways, len(r.Card.Ways))
	}
	var head []string
	for _, c := range Columns() {
		n, isWay := wayColumn(c)
		if isWay && n > ways || secret(c) && !secrets {
			continue
		}
		head = append(head, c)
	}
	out := [][]string{head}
	for _, r := range rows {
		var cells []string
		for _, c := range head {
			cells = append(cells, r.cell(c))
		}
		out = append(out, cells)
	}
	return writeCSV(out)
}

func wayColumn(name string) (int, bool) {
	rest, ok := strings.CutPrefix(name, "way.")
	n, err := strconv.Atoi(rest)
	return n, ok && err == nil && n >= 1 && n <= maxWays
}

// text returns the field of a card that a column holds as it stands, or nil.
func (r *Row) text(column string) *string {
	switch column {
	case "group":
		return &r.Entry.Group
	case "person":
		return &r.Entry.Person
	case "owner":
		return &r.Entry.Owner
	case "name":
		return &r.Card.Name
	case "organisation":
		return &r.Card.Organisation
	case "role":
		return &r.Card.Role
	case "duties":
		return &r.Card.Duties
	case "hours":
		return &r.Card.Hours
	case "zone":
		return &r.Card.Zone
	case "callback":
		return &r.Card.CallBack
	case "phrase":
		return &r.Card.Phrase
	case "number":
		return &r.Card.Number
	case "note":
		return &r.Card.Note
	}
	return nil
}

func (r *Row) cell(column string) string {
	if t := r.text(column); t != nil {
		return *t
	}
	if n, ok := wayColumn(column); ok {
		if n > len(r.Card.Ways) {
			return ""
		}
		return r.Card.Ways[n-1].String()
	}
	switch {
	case column == "id" && r.Entry.ID != 0:
		return strconv.FormatInt(r.Entry.ID, 10)
	case column == "days" && r.Entry.Days != 0:
		return strconv.Itoa(r.Entry.Days)
	case column == "languages":
		return strings.Join(r.Card.Languages, " ")
	case column == "checked":
		return r.Checked
	}
	return ""
}

// String writes a way as ParseWay reads it: "phone:+493012345 | switchboard".
func (w Way) String() string {
	s := w.Kind + ":" + w.Value
	if w.Note != "" {
		s += " | " + w.Note
	}
	return s
}

// ParseWay reads what String writes. Whether it is a way at all is Check's question.
func ParseWay(s string) Way {
	s, note, _ := strings.Cut(s, "|")
	kind, value, ok := strings.Cut(s, ":")
	if k := strings.ToLower(strings.TrimSpace(kind)); ok && slices.Contains(Kinds(), k) {
		return Way{Kind: k, Value: strings.TrimSpace(value), Note: strings.TrimSpace(note)}
	}
	return Way{Kind: guess(s), Value: strings.TrimSpace(s), Note: strings.TrimSpace(note)}
}

// guess says of which kind a way is that does not say so.
func guess(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	switch {
	case strings.HasPrefix(s, "sips:"), strings.HasPrefix(s, "sip:"):
		return SIP
	case strings.HasPrefix(s, "https:"), strings.HasPrefix(s, "http:"):
		return Form
	case strings.HasPrefix(s, "#"):
		return Chat
	case strings.Contains(s, "@"):
		return Mail
	}
	return Phone
}

// ReadCSV reads contacts. group is that of rows which name none. A file that is no table is an error; what is wrong with a row stands in its Wrong.
func ReadCSV(data []byte, group string, zone func(string) bool) ([]Row, error) {
	records, err := readCSV(data)
	if err != nil {
		return nil, err
	}
	if len(records) == 0 {
		return nil, LineError{1, "the file is empty: its first line names the columns"}
	}
	head, err := readHead(records[0])
	if err != nil {
		return nil, err
	}
	rows := make([]Row, 0, len(records)-1)
	for _, rec := range records[1:] {
		if !slices.ContainsFunc(rec.cells, func(c string) bool { return strings.TrimSpace(c) != "" }) {
			continue // a line of commas
		}
		rows = append(rows, readRow(head, rec, group, zone))
	}
	return rows, nil
}

func readHead(r record) (head []string, err error) {
	seen := map[string]bool{}
	for i, c := range r.cells {
		name := strings.ToLower(strings.TrimSpace(fuse(c)))
		_, isWay := wayColumn(name)
		switch {
		case name == "" && i == len(r.cells)-1: // a comma at the end of each line
		case !isWay && !slices.Contains(Columns(), name) && !slices.Contains(Kinds(), name):
			return nil, LineError{r.line, fmt.Sprintf("unknown column %q; known: %s, and %s", shorten(name), strings.Join(Columns(), ", "), strings.Join(Kinds(), ", "))}
		case seen[name]:
			return nil, LineError{r.line, fmt.Sprintf("the column %s is there twice", name)}
		}
		seen[name] = true
		head = append(head, name)
	}
	if !seen["name"] {
		return nil, LineError{r.line, "the first line must name the columns, and one of them is \"name\""}
	}
	return head, nil
}

func shorten(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}

func readRow(head []string, rec record, group string, zone func(string) bool) Row {
	r := Row{Line: rec.line, Has: map[string]bool{}}
	if len(rec.cells) > len(head) && strings.TrimSpace(strings.Join(rec.cells[len(head):], "")) != "" {
		r.Wrong = append(r.Wrong, Problem{"", fmt.Sprintf("There are %d cells, and %d columns.", len(rec.cells), len(head))})
	}
	numbered := map[int]Way{}
	var further []Way
	for i, name := range head {
		if name == "" {
			continue
		}
		cell := ""
		if i < len(rec.cells) {
			cell = strings.TrimSpace(fuse(rec.cells[i]))
		}
		n, isWay := wayColumn(name)
		switch {
		case isWay:
			r.Has["ways"] = true
			if cell != "" {
				numbered[n] = ParseWay(cell)
			}
		case slices.Contains(Kinds(), name):
			r.Has["ways"] = true
			if cell != "" {
				further = append(further, Way{Kind: name, Value: cell})
			}
		default:
			r.Has[name] = true
			r.set(name, cell)
		}
	}
	for n := 1; n <= maxWays; n++ {
		if w, ok := numbered[n]; ok {
			r.Card.Ways = append(r.Card.Ways, w)
		}
	}
	r.Card.Ways = append(r.Card.Ways, further...)
	r.finish(group, zone)
	return r
}

func (r *Row) set(column, cell string) {
	if t := r.text(column); t != nil {
		*t = cell
		return
	}
	switch column {
	case "id":
		if cell == "" {
			return
		}
		n, err := strconv.ParseInt(cell, 10, 64)
		if err != nil || n < 1 {
			r.Wrong = append(r.Wrong, Problem{"id", fmt.Sprintf("%q is not the number of a contact; leave it empty for a new one.", shorten(cell))})
		}
		r.Entry.ID = n
	case "days":
		if cell == "" {
			return
		}
		n, err := strconv.Atoi(cell)
		if err != nil {
			r.Wrong = append(r.Wrong, Problem{"days", fmt.Sprintf("%q is not a number of days.", shorten(cell))})
		}
		r.Entry.Days = n
	case "languages":
		r.Card.Languages = strings.FieldsFunc(cell, func(c rune) bool { return c == ' ' || c == ',' || c == ';' || c == '\n' })
	}
}

// finish checks a row that was read.
func (r *Row) finish(group string, zone func(string) bool) {
	r.Entry.Group = cmp.Or(strings.ToLower(r.Entry.Group), group)
	ways := r.Card.Ways
	if len(ways) == 0 && !r.Has["ways"] {
		r.Card.Ways = []Way{{Kind: Chat, Value: "-"}} // they stay as they are: preview.go puts them in, and asks again
	}
	wrong := Check(&r.Card, zone)
	if len(ways) == 0 && !r.Has["ways"] {
		r.Card.Ways = nil
	}
	r.Entry.Ways = r.Card.Kinds()
	r.Wrong = append(append(r.Wrong, wrong...), CheckPlace(r.Entry)...)
}
