package tuning

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of one import. A list that is larger is a product of its own, and no watch list of a shop.
const (
	MaxImport = 16 << 20 // bytes
	MaxValues = 100_000  // of one import
	MaxListed = 500_000  // of all lists together

	MaxRefused   = 1000 // that are named; more are counted
	longestWords = 700  // bytes of each of a refusal's texts
)

// A Refusal is a part of an import that was not taken, and why.
type Refusal struct {
	Where   string `json:"where"`   // "line 12", "objects[3] indicator--..."
	Feature string `json:"feature"` // what is wrong or not supported, in a few words
	Why     string `json:"why"`
}

// An Import is what a file brings.
type Import struct {
	Format  string         // "text" or "STIX 2.1"
	Values  []Listed       // in the order of the file, each once
	Cut     []Listed       // what the file says is no longer to be watched (STIX: revoked)
	Refused []Refusal      // what could not be taken, the first MaxRefused
	More    int            // refused beyond these
	Passed  map[string]int // objects of a bundle that are no indicators, by type
	Expired int            // values whose time is over
}

// ParseImport reads a file of values: a bundle of STIX 2.1, or text with one value a line. Until, if not zero, ends values that name no
// end of their own. The error is of a file that cannot be read at all, or holds nothing to watch.
func ParseImport(data []byte, now, until time.Time) (Import, error) {
	if len(data) > MaxImport {
		return Import{}, fmt.Errorf("the file has %d bytes, and at most %d are read: split it", len(data), MaxImport)
	}
	text := strings.TrimPrefix(string(data), "\ufeff")
	if !utf8.ValidString(text) {
		return Import{}, errors.New("the file is no UTF-8 text; a list has one value a line, or is a STIX 2.1 bundle in JSON")
	}
	x := Import{Format: "text"}
	var err error
	if strings.HasPrefix(strings.TrimSpace(text), "{") || strings.HasPrefix(strings.TrimSpace(text), "[{") {
		x, err = parseBundle([]byte(text))
	} else {
		x.lines(text)
	}
	if err != nil {
		return x, err
	}
	x.settle(now, until)
	switch {
	case len(x.Values) > MaxValues:
		return x, fmt.Errorf("the file holds %d values, and at most %d are taken at once: split it", len(x.Values), MaxValues)
	case len(x.Values)+len(x.Cut) == 0 && len(x.Refused) > 0:
		r := x.Refused[0]
		return x, fmt.Errorf("nothing of the file can be watched; the first of %d reasons: %s: %s: %s", len(x.Refused)+x.More, r.Where, r.Feature, r.Why)
	case len(x.Values)+len(x.Cut) == 0 && x.Expired > 0:
		return x, fmt.Errorf("nothing of the file can be watched: the time of its %d values is over", x.Expired)
	case len(x.Values)+len(x.Cut) == 0:
		return x, errors.New("the file holds nothing to watch")
	}
	return x, nil
}

// settle leaves out repeats and what is over, and ends what names no end.
func (x *Import) settle(now, until time.Time) {
	seen := map[Listed]bool{}
	kept := x.Values[:0]
	for _, v := range x.Values {
		if v.Until.IsZero() || !until.IsZero() && until.Before(v.Until) {
			v.Until = until
		}
		if !v.Until.IsZero() && !v.Until.After(now) {
			x.Expired++
			continue
		}
		same := v
		same.Note = ""
		if !seen[same] {
			seen[same] = true
			kept = append(kept, v)
		}
	}
	x.Values = kept
}

// lines reads text: a value a line, or the columns value, until, note with commas between. What follows # or ; behind a blank is
// a note; a line that begins with one is a comment. A first line that names columns is passed over.
func (x *Import) lines(text string) {
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' || line[0] == '/' {
			continue
		}
		where := fmt.Sprintf("line %d", n)
		line, note := cutNote(line)
		fields, err := columns(line)
		if err != nil {
			x.refuse(where, "columns", err)
			continue
		}
		if n == 1 && heading(fields[0]) {
			continue
		}
		v, err := ParseValue(fields[0])
		if err != nil {
			x.refuse(where, "value", err)
			continue
		}
		v.Note = note
		if len(fields) > 1 && fields[1] != "" {
			if v.Until, err = ParseDay(fields[1]); err != nil {
				x.refuse(where, "until", err)
				continue
			}
		}
		if len(fields) > 2 {
			v.Note = fields[2]
		}
		v.Note = short(v.Note)
		x.Values = append(x.Values, v)
	}
}

func (x *Import) refuse(where, feature string, why error) {
	x.refused(Refusal{where, feature, why.Error()})
}

// refused notes a refusal. A file can be made of nothing else, and what it says can be long.
func (x *Import) refused(r Refusal) {
	if len(x.Refused) == MaxRefused {
		x.More++
		return
	}
	x.Refused = append(x.Refused, Refusal{cut(r.Where, longestWords), cut(r.Feature, longestWords), cut(r.Why, longestWords)})
}

// heading reports whether a first line names its columns.
func heading(s string) bool {
	switch strings.ToLower(s) {
	case "value", "indicator", "ioc", "ip", "address", "network", "account", "user", "hash", "domain", "url":
		return true
	}
	return false
}

// cutNote takes the comment off a line. One that begins with a quotation mark has none.
func cutNote(line string) (rest, note string) {
	if line[0] == '"' {
		return line, ""
	}
	for i := 1; i < len(line); i++ {
		if (line[i] == '#' || line[i] == ';') && (line[i-1] == ' ' || line[i-1] == '\t') {
			return strings.TrimSpace(line[:i]), strings.TrimSpace(line[i+1:])
		}
	}
	return line, ""
}

// columns splits a line at its commas; a column in quotes may hold some (RFC 4180, on one line).
func columns(line string) (out []string, err error) {
	for {
		var f string
		if strings.HasPrefix(line, `"`) {
			var b strings.Builder // a line may be the whole file
			rest := line[1:]
			for {
				i := strings.IndexByte(rest, '"')
				if i < 0 {
					return nil, errors.New("a quotation mark is not closed")
				}
				b.WriteString(rest[:i])
				rest = rest[i+1:]
				if !strings.HasPrefix(rest, `"`) {
					break
				}
				b.WriteByte('"')
				rest = rest[1:]
			}
			f = b.String()
			line = strings.TrimSpace(rest)
			if line != "" && line[0] != ',' {
				return nil, errors.New("text follows a closing quotation mark")
			}
		} else {
			i := strings.IndexByte(line, ',')
			if i < 0 {
				i = len(line)
			}
			f, line = strings.TrimSpace(line[:i]), line[i:]
		}
		out = append(out, f)
		if line == "" {
			return out, nil
		}
		line = strings.TrimSpace(line[1:])
	}
}

// ParseDay reads a time as lists and people write it: RFC 3339, or a day, which ends then (UTC).
func ParseDay(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC(), nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return t, fmt.Errorf("%q is no time; write 2026-12-31 or 2026-12-31T18:00:00Z", s)
	}
	return t.AddDate(0, 0, 1), nil
}

// longestNote is how many bytes of a note are kept.
const longestNote = 300

func short(s string) string { return cut(s, longestNote) }

// cut keeps the first bytes of a text, whole characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
