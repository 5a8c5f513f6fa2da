package trace

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"tocsin/internal/record"
)

// called is how a sentence names a node: with what is known of it.
func (t *tracer) called(at int, name string) string {
	name = clip(name)
	if at >= 0 && t.story.Nodes[at].Note != "" {
		return name + " (" + clip(t.story.Nodes[at].Note) + ")"
	}
	return name
}

// deed says what one line tells.
func deed(r *record.Record) string {
	action, outcome := r.Text(record.EventAction), r.Text(record.EventOutcome)
	if method := r.Text(record.HTTPMethod); method != "" {
		text := clip(method) + " " + clip(cmp.Or(r.Text(record.URLPath), "?"))
		if q := r.Text(record.URLQuery); q != "" {
			text = clip(text + "?" + q)
		}
		if status := r.Text(record.HTTPStatus); status != "" {
			text += ", answered with " + clip(status)
		}
		return text
	}
	text := "a sign-in"
	switch action {
	case "":
		return "a line in " + clip(r.Line.File)
	case "connect":
		return "a connection"
	case "login":
	default:
		text = "one " + clip(action)
	}
	if user := r.Text(record.UserName); user != "" {
		text += " as " + clip(user)
	}
	if file := r.Text(record.FilePath); file != "" {
		text += " of " + clip(file)
	}
	switch outcome {
	case "success":
		text += " that works"
	case "failure":
		text += " that fails"
	}
	return text
}

// clip is a name that is short enough for a sentence.
func clip(s string) string { return clipTo(s, maxName) }

func clipTo(s string, most int) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if len(s) <= most {
		return s
	}
	k := most
	for !utf8.RuneStart(s[k]) {
		k--
	}
	return s[:k] + "…"
}

// some names the first ones of a list, and says how many more there are.
func some(list []string) string {
	var names []string
	for _, s := range list[:min(len(list), fewNames)] {
		names = append(names, clip(s))
	}
	if more := len(list) - len(names); more > 0 {
		return strings.Join(names, ", ") + fmt.Sprintf(" and %s more", thousands(int64(more)))
	}
	return strings.Join(names, ", ")
}

// listed names the first ones of some values, each with how often; asked is how many were asked for.
func listed(list []Counted, most, asked int) string {
	var names []string
	for _, x := range list[:min(len(list), most)] {
		name := clipTo(x.Value, maxValue)
		if x.N > 1 {
			name += " (" + thousands(x.N) + ")"
		}
		names = append(names, name)
	}
	text := strings.Join(names, ", ")
	switch more := len(list) - len(names); {
	case len(list) == asked:
		text += " and many more"
	case more > 0:
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// number words a count of things.
func number(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + many
}

// thousands writes a number with its thousands apart.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// span words a length of time by its two largest units.
func span(d time.Duration) string {
	d = d.Round(time.Second)
	units := []struct {
		name string
		of   time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"min", time.Minute}, {"s", time.Second}}
	for i, u := range units {
		if d < u.of {
			continue
		}
		text := fmt.Sprintf("%d %s", d/u.of, u.name)
		if i+1 < len(units) {
			if rest := d % u.of / units[i+1].of; rest > 0 {
				text += fmt.Sprintf(" %d %s", rest, units[i+1].name)
			}
		}
		return text
	}
	return "less than a second"
}
