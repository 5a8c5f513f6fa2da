package contact

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits of an imported file.
const (
	MaxImport   = 2 << 20 // bytes
	maxRecords  = maxContacts + 1
	maxColumns  = 60
	maxCell     = 4000 // bytes
	maxProblems = 200
)

// A LineError says what is wrong in a file, and where. Line counts from 1.
type LineError struct {
	Line int
	Says string
}

func (e LineError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Says) }

// A record is one row of a CSV file; line is where it begins.
type record struct {
	line  int
	cells []string
}

// readCSV takes a file apart (RFC 4180). What spreadsheets do is taken, too: a byte order mark, a first line "sep=;", semicolons or tabs between the cells, ends of
// lines of any system, empty lines, a last line without an end.
func readCSV(data []byte) ([]record, error) {
	text, comma, line, err := opening(data)
	if err != nil {
		return nil, err
	}
	var out []record
	r := record{line: line}
	var cell strings.Builder
	quoted := false // the cell began with a quote
	begun := 0      // line on which a quote was opened
	endCell := func() error {
		if len(r.cells) >= maxColumns {
			return LineError{line, fmt.Sprintf("more than %d columns", maxColumns)}
		}
		r.cells = append(r.cells, cell.String())
		cell.Reset()
		quoted = false
		return nil
	}
	endRecord := func() error {
		if len(r.cells) == 0 && cell.Len() == 0 && !quoted {
			return nil // an empty line
		}
		if err := endCell(); err != nil {
			return err
		}
		if len(out) >= maxRecords {
			return LineError{r.line, fmt.Sprintf("more than %d contacts: split the file", maxContacts)}
		}
		out = append(out, r)
		return nil
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case begun > 0 && c == '"' && i+1 < len(text) && text[i+1] == '"':
			cell.WriteByte('"')
			i++
		case begun > 0 && c == '"':
			begun = 0
		case begun > 0:
			if c == '\n' {
				line++
			}
			cell.WriteByte(c)
		case c == '"' && cell.Len() == 0 && !quoted:
			quoted, begun = true, line
		case c == '"':
			return nil, LineError{line, "a quote stands inside of a cell: put the whole cell in quotes, and write its own quotes twice"}
		case c == comma:
			err = endCell()
		case c == '\n':
			err = endRecord()
			line++
			r = record{line: line}
		case quoted:
			return nil, LineError{line, "text stands behind the closing quote of a cell: write the cell's own quotes twice"}
		default:
			cell.WriteByte(c)
		}
		if err == nil && cell.Len() > maxCell {
			err = LineError{line, fmt.Sprintf("a cell is longer than %d bytes; is a quote missing before?", maxCell)}
		}
		if err != nil {
			return nil, err
		}
	}
	if begun > 0 {
		return nil, LineError{begun, "a quote is opened and never closed"}
	}
	return out, endRecord()
}

// opening checks a file as a whole and finds out how its cells are parted. line is that on which the first record begins.
func opening(data []byte) (text string, comma byte, line int, err error) {
	if len(data) > MaxImport {
		return "", 0, 0, LineError{1, fmt.Sprintf("the file has more than %d bytes: split it", MaxImport)}
	}
	if bytes.HasPrefix(data, []byte{0xFF, 0xFE}) || bytes.HasPrefix(data, []byte{0xFE, 0xFF}) {
		return "", 0, 0, LineError{1, "the file is UTF-16: save it as \"CSV UTF-8\""}
	}
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.TrimPrefix(string(data), "\ufeff"))
	if !utf8.ValidString(text) {
		good := len(text)
		for i := 0; i < len(text); {
			r, n := utf8.DecodeRuneInString(text[i:])
			if r == utf8.RuneError && n == 1 {
				good = i
				break
			}
			i += n
		}
		return "", 0, 0, LineError{strings.Count(text[:good], "\n") + 1, "the text is not UTF-8: save the file as \"CSV UTF-8\""}
	}
	line = 1
	if first, rest, _ := strings.Cut(text, "\n"); len(first) == 5 && strings.HasPrefix(strings.ToLower(first), "sep=") && strings.ContainsAny(first[4:], ",;\t") {
		return rest, first[4], 2, nil
	}
	for i := 0; i < len(text) && text[i] == '\n'; i++ { // the header is the first line with text
		line++
	}
	text = strings.TrimLeft(text, "\n")
	head, _, _ := strings.Cut(text, "\n")
	comma, most := ',', 0
	for _, c := range []byte{',', ';', '\t'} {
		if n := strings.Count(head, string(c)); n > most {
			comma, most = c, n
		}
	}
	return text, comma, line, nil
}

// writeCSV writes rows as RFC 4180 has it, with a byte order mark, without which Excel reads umlauts wrongly.
func writeCSV(rows [][]string) []byte {
	var b bytes.Buffer
	b.WriteString("\ufeff")
	for _, r := range rows {
		for i, c := range r {
			if i > 0 {
				b.WriteByte(',')
			}
			c = defuse(c)
			if strings.ContainsAny(c, ",;\t\"\r\n") || c != strings.TrimSpace(c) {
				c = `"` + strings.ReplaceAll(c, `"`, `""`) + `"`
			}
			b.WriteString(c)
		}
		b.WriteString("\r\n")
	}
	return b.Bytes()
}

// formula reports whether a spreadsheet may take a cell for a formula (OWASP, CSV injection), or for one of which we have changed the start.
func formula(c string) bool {
	for _, p := range []string{"=", "+", "-", "@", "\t", "\r", "\n", "'", "\uFF1D", "\uFF0B", "\uFF0D", "\uFF20"} {
		if strings.HasPrefix(c, p) {
			return true
		}
	}
	return false
}

// defuse puts an apostrophe before what a spreadsheet could take for a formula. Phone numbers begin with a plus, too: fuse takes it away again.
func defuse(c string) string {
	if formula(c) {
		return "'" + c
	}
	return c
}

// fuse undoes defuse, and leaves other texts that begin with an apostrophe alone.
func fuse(c string) string {
	if rest, ok := strings.CutPrefix(c, "'"); ok && formula(rest) {
		return rest
	}
	return c
}
