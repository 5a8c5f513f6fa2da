package sigma

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"tocsin/internal/tree"
)

// A reader turns the tree of one document into a rule or a correlation. It collects faults instead of stopping at the
// first, so that a person mends a file once.
type reader struct {
	file string
	rule string
	root *tree.Tree
	errs []error

	options Options
	said    []string // placeholders that were resolved, with their values
}

const maxFaults = 20 // of one document; the rest is more of the same

func (r *reader) fail(t *tree.Tree, feature, format string, args ...any) {
	if len(r.errs) >= maxFaults {
		return
	}
	if t == nil {
		t = r.root
	}
	r.errs = append(r.errs, &Error{
		File: r.file, Line: t.Line, Column: t.Col, Rule: r.rule, Feature: feature, Why: fmt.Sprintf(format, args...),
	})
}

func (r *reader) document() Document {
	t := r.root
	if t.Kind != tree.Map {
		r.fail(t, "document", "a document must be a map with title, logsource and detection; this is %v", t.Kind)
		return Document{}
	}
	if x := t.Get("title"); x != nil {
		r.rule = x.Text
	}
	if x := t.Get("id"); x != nil && x.Text != "" {
		r.rule = x.Text
	}
	switch {
	case t.Get("action") != nil:
		r.fail(t, "action", "collections by action (global, repeat, reset) are not supported: write each rule as a document of its own")
	case r.kinds() > 1:
		r.fail(t, "document", "a document is a rule (detection), a correlation or a filter, not two of them")
	case t.Get("correlation") != nil:
		c := &Correlation{}
		r.correlation(c)
		return Document{Correlation: c}
	case t.Get("filter") != nil:
		f := &Filter{options: r.options}
		r.filter(f)
		return Document{Filter: f}
	default:
		u := &Rule{}
		r.plain(u)
		return Document{Rule: u}
	}
	return Document{}
}

// kinds counts the sections that say what a document is.
func (r *reader) kinds() int {
	n := 0
	for _, key := range []string{"detection", "correlation", "filter"} {
		if r.root.Get(key) != nil {
			n++
		}
	}
	return n
}

func (r *reader) meta(m *Meta, quiet time.Duration) {
	t := r.root
	*m = Meta{
		ID: r.short("id"), Name: r.short("name"), Title: r.short("title"), Related: r.related(),
		Description: r.text(t, "description"), Author: r.author(), License: r.text(t, "license"),
		Status: r.word(t, "status", "", "stable", "test", "experimental", "deprecated", "unsupported"),
		Level:  r.word(t, "level", "medium", "informational", "low", "medium", "high", "critical"),
		Date:   r.text(t, "date"), Modified: r.text(t, "modified"),
		Taxonomy: r.word(t, "taxonomy", "sigma", "sigma"), Scope: r.texts(t, "scope"), Fields: r.texts(t, "fields"),
		Tags: r.texts(t, "tags"), References: r.texts(t, "references"), FalsePositives: r.texts(t, "falsepositives"),
		File: r.file, Line: t.Line, root: t,
	}
	if m.Title == "" {
		r.fail(t, "title", "a rule needs a title")
	}
	m.Tocsin = r.tocsin(t.Get("tocsin"), quiet)
}

// related reads the list of rules that this one is related to.
func (r *reader) related() []Related {
	t := r.root.Get("related")
	if t == nil || t.Kind == tree.Null {
		return nil
	}
	if t.Kind != tree.List {
		r.fail(t, "related", "related must be a list of maps with id and type, not %v", t.Kind)
		return nil
	}
	var out []Related
	for _, x := range t.Values {
		if x.Kind != tree.Map {
			r.fail(x, "related", "related must be a list of maps with id and type; this is %v", x.Kind)
			continue
		}
		rel := Related{r.text(x, "id"), r.word(x, "type", "", "derived", "obsolete", "merged", "renamed", "similar")}
		if rel.ID == "" || rel.Type == "" {
			r.fail(x, "related", "a related rule needs id and type")
		}
		out = append(out, rel)
	}
	return out
}

// short reads a name of one line.
func (r *reader) short(key string) string {
	s := r.text(r.root, key)
	if utf8.RuneCountInString(s) > 256 || strings.ContainsAny(s, "\n\r") {
		r.fail(r.root.Get(key), key, "%s must be one line of at most 256 characters", key)
		return ""
	}
	return s
}

// author reads a text; SigmaHQ has lists of authors too.
func (r *reader) author() string {
	if x := r.root.Get("author"); x != nil && x.Kind == tree.List {
		return strings.Join(r.texts(r.root, "author"), ", ")
	}
	return r.text(r.root, "author")
}

// text reads a scalar as text; numbers and truth values as they are written. Missing and null are "".
func (r *reader) text(t *tree.Tree, key string) string {
	x := t.Get(key)
	if x == nil {
		return ""
	}
	if x.Kind == tree.List || x.Kind == tree.Map {
		r.fail(x, key, "%s must be a text, not %v", key, x.Kind)
		return ""
	}
	return x.Text
}

// texts reads a list of texts, or a single one.
func (r *reader) texts(t *tree.Tree, key string) []string {
	x := t.Get(key)
	if x == nil || x.Kind == tree.Null {
		return nil
	}
	if x.Kind != tree.List {
		return []string{r.text(t, key)}
	}
	var out []string
	for _, v := range x.Values {
		if v.Kind == tree.List || v.Kind == tree.Map || v.Kind == tree.Null {
			r.fail(v, key, "%s must be a list of texts; this is %v", key, v.Kind)
			continue
		}
		out = append(out, v.Text)
	}
	return out
}

// word reads one of the known words, or gives the default.
func (r *reader) word(t *tree.Tree, key, standard string, known ...string) string {
	s := r.text(t, key)
	if s == "" {
		return standard
	}
	if !slices.Contains(known, s) {
		r.fail(t.Get(key), key, "%s %q is not known%s", key, s, suggest(s, known))
		return standard
	}
	return s
}

// flag reads true or false.
func (r *reader) flag(t *tree.Tree, key string) bool {
	x := t.Get(key)
	if x == nil {
		return false
	}
	if x.Kind != tree.Bool {
		r.fail(x, key, "%s must be true or false, not %v", key, x.Kind)
		return false
	}
	return x.Yes()
}

// strict refuses keys that are not known, in sections where a misspelt key would change what a rule does.
func (r *reader) strict(t *tree.Tree, where string, known ...string) {
	for _, k := range t.Keys {
		if !slices.Contains(known, k.Text) {
			r.fail(k, where+" key", "%q is not a key of %s%s", k.Text, where, suggest(k.Text, known))
		}
	}
}

// span reads a time span: a number and s, m, h, d or w.
func (r *reader) span(t *tree.Tree, key string, standard time.Duration) time.Duration {
	s := r.text(t, key)
	if s == "" {
		return standard
	}
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	unit := units[s[len(s)-1]]
	n, err := strconv.ParseUint(s[:len(s)-1], 10, 32)
	switch d := time.Duration(n) * unit; {
	case unit == 0 || err != nil:
		r.fail(t.Get(key), key, "%s %q is not a time span: a number and s, m, h, d or w; months and years have no fixed length", key, s)
	case d <= 0 || n > uint64(maxSpan/unit):
		r.fail(t.Get(key), key, "%s %q must be more than nothing and at most 400 days", key, s)
	default:
		return d
	}
	return standard
}

const maxSpan = 400 * 24 * time.Hour

func (r *reader) tocsin(t *tree.Tree, quiet time.Duration) Tocsin {
	out := Tocsin{Source: "suspect", Account: "victim", Impact: "attempt", Parties: "all", Quiet: quiet}
	if t == nil {
		return out
	}
	if t.Kind != tree.Map {
		r.fail(t, "tocsin", "tocsin must be a map, not %v", t.Kind)
		return out
	}
	r.strict(t, "tocsin", "source", "account", "impact", "parties", "quiet", "group", "samples")
	out.Source = r.word(t, "source", out.Source, "suspect", "victim", "none")
	out.Account = r.word(t, "account", out.Account, "suspect", "victim", "none")
	out.Impact = r.word(t, "impact", out.Impact, "attempt", "compromise", "loss")
	out.Parties = r.word(t, "parties", out.Parties, "all", "last")
	out.Quiet = r.span(t, "quiet", out.Quiet)
	out.Group = r.texts(t, "group")
	if x := t.Get("samples"); x != nil {
		out.Samples = r.samples(x)
	}
	return out
}

func (r *reader) samples(t *tree.Tree) []Sample {
	if t.Kind != tree.List {
		r.fail(t, "samples", "samples must be a list, not %v", t.Kind)
		return nil
	}
	var out []Sample
	for _, x := range t.Values {
		if x.Kind != tree.Map {
			r.fail(x, "samples", "a sample must be a map with match or no_match, not %v", x.Kind)
			continue
		}
		r.strict(x, "samples", "file", "match", "no_match")
		s := Sample{File: r.text(x, "file"), Match: r.lines(x, "match"), NoMatch: r.lines(x, "no_match")}
		if len(s.Match)+len(s.NoMatch) == 0 {
			r.fail(x, "samples", "a sample needs lines under match or no_match")
		}
		out = append(out, s)
	}
	return out
}

// suggest says which known word is nearest, when one is near.
func suggest(s string, known []string) string {
	best, least := "", 3
	for _, k := range known {
		if d := distance(s, k); d < least || d == least && best == "" && d < len(k)/2 {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// distance is Levenshtein's, in bytes; long words are not compared.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := last
			if a[i] != b[j] {
				d++
			}
			last = row[j+1]
			row[j+1] = min(d, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
