package sigma

import (
	"strconv"
	"strings"
	"time"

	"tocsin/internal/tree"
)

// SampleCountries is where addresses lie while samples are tested: a table as --geo takes it, of the networks that RFC
// 5737 keeps for examples. So a rule about countries can bring samples.
const SampleCountries = "192.0.2.0/24\tDE\n198.51.100.0/24\tBR\n203.0.113.0/24\tVN\n"

// maxSampleLines bounds what one sample may grow to.
const maxSampleLines = 5000

// sampleStart is when the first repeated line of a sample is; any day with a two-digit number would do.
var sampleStart = time.Date(2026, 11, 10, 10, 0, 0, 0, time.UTC)

// lines reads the lines of a sample: texts, or maps that stand for several lines, so that a correlation's sample need
// not be written out a hundred times:
//
//	line: 'Nov {dd} {hh}:{mm}:{ss} shop1 sshd[1]: Failed password for root from 198.51.100.{n} port 5 ssh2'
//	times: 12      # default 1
//	every: 5s      # before each line, default 1s, may be 0s
//
// {n} counts from 1 within the map; {dd} {hh} {mm} {ss} are day, hour, minute and second of a clock that starts on the
// 10th at 10:00 and runs on through all maps of the list.
func (r *reader) lines(t *tree.Tree, key string) []string {
	x := t.Get(key)
	if x == nil || x.Kind != tree.List {
		return r.texts(t, key)
	}
	var out []string
	now := sampleStart
	for _, v := range x.Values {
		switch v.Kind {
		case tree.Map:
			out = append(out, r.repeated(v, &now)...)
		case tree.List, tree.Null:
			r.fail(v, key, "%s must be a list of lines, or of maps with line, times and every; this is %v", key, v.Kind)
		default:
			out = append(out, v.Text)
		}
		if len(out) > maxSampleLines {
			r.fail(v, key, "a sample may have at most %d lines", maxSampleLines)
			return nil
		}
	}
	return out
}

func (r *reader) repeated(t *tree.Tree, now *time.Time) []string {
	r.strict(t, "a sample's line", "line", "times", "every")
	line := r.text(t, "line")
	if line == "" {
		r.fail(t, "samples", "a repeated line of a sample needs line")
	}
	times := 1
	if x := t.Get("times"); x != nil {
		n, err := strconv.Atoi(x.Text)
		if err != nil || n < 1 || n > maxSampleLines {
			r.fail(x, "times", "times must be a number from 1 to %d", maxSampleLines)
			return nil
		}
		times = n
	}
	every := time.Duration(0)
	if r.text(t, "every") != "0s" {
		every = r.span(t, "every", time.Second)
	}
	out := make([]string, times)
	for i := range out {
		*now = now.Add(every)
		out[i] = strings.NewReplacer("{n}", strconv.Itoa(i+1), "{dd}", now.Format("02"),
			"{hh}", now.Format("15"), "{mm}", now.Format("04"), "{ss}", now.Format("05")).Replace(line)
	}
	return out
}
