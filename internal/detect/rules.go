package detect

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"tocsin/internal/record"
	"tocsin/internal/sigma"
)

// Rules is a set of rules that fit together: every correlation finds the rules that it names. It is not changed after
// Load, and several Detectors may share it.
type Rules struct {
	nodes []*node // rules in the order given, then correlations, each behind those that it reads
	plain int     // how many of nodes are rules
	hash  string
}

// A node is a rule or a correlation in the graph of those that read each other.
type node struct {
	n       int // its place in Rules.nodes
	doc     sigma.Document
	meta    *sigma.Meta
	rule    *sigma.Rule        // nil for a correlation
	corr    *sigma.Correlation // nil for a rule
	raises  bool               // raises alerts of its own
	group   []sigma.Field      // of a rule: tocsin.group
	slots   []slot             // of a correlation, as its rules
	parents []parent           // the correlations that read it
	most    int                // of a correlation: the highest count that it compares with
	aside   string             // why it is not used though it loads, "" when it is
	least   int                // and the lowest that fulfils it; 0 when it may be none
	once    bool               // it counts an alert of a correlation below once
	salt    uint64             // tells its groups from those of other rules and versions
	habits  bool               // it, or a rule that it reads, asks what is normal
}

// A slot is one of the rules that a correlation reads.
type slot struct {
	node *node
	by   []source // group-by, in its order
	of   []source // the condition's fields, in their order
}

// A source says where a value of a match is taken from: from the record, or from the group of a correlation below.
type source struct {
	field sigma.Field
	value int // place in the lower correlation's group-by, -1: take field from the record
}

// A parent is a correlation that reads a node in one of its slots.
type parent struct {
	node, slot int
}

// Refused says why a document or a file was not loaded.
type Refused struct {
	Rule    string `json:"rule,omitempty"` // id, name or title; "" when the file was not read so far
	Title   string `json:"title,omitempty"`
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column,omitempty"` // in characters, from 1; 0 when the whole document is meant
	Feature string `json:"feature"`          // what is not supported or wrong, in a few words
	Why     string `json:"why"`
}

// A Warning says what is strange about a document that was loaded.
type Warning struct {
	Rule string `json:"rule"`
	File string `json:"file"`
	Line int    `json:"line"`
	Why  string `json:"why"`
}

// A File is the content of a file of rules.
type File struct {
	Name string
	Data []byte
}

// LoadFiles is LoadFilesWith without options.
func LoadFiles(files []File, known ...record.LogSource) (*Rules, []Refused, []Warning) {
	return LoadFilesWith(sigma.Options{}, files, known...)
}

// LoadFilesWith parses files with the shop's placeholders and loads what is right in them: Parse, then Load.
func LoadFilesWith(o sigma.Options, files []File, known ...record.LogSource) (*Rules, []Refused, []Warning) {
	var docs []sigma.Document
	var refused []Refused
	for _, f := range files {
		got, err := o.Parse(f.Name, f.Data)
		docs = append(docs, got...)
		refused = append(refused, Refusals(err)...)
	}
	rules, more, warnings := Load(docs, known...)
	return rules, append(refused, more...), warnings
}

// Refusals turns what sigma.Parse returned into our form.
func Refusals(err error) []Refused {
	var out []Refused
	for _, e := range sigma.Refusals(err) {
		out = append(out, Refused{Rule: e.Rule, File: e.File, Line: e.Line, Column: e.Column, Feature: e.Feature, Why: e.Why})
	}
	return out
}

// Load joins documents to a set. It refuses what cannot work: a second document of the same id or name, a correlation
// whose rule is not there or was refused, correlations that read each other in a ring, fields that a rule's records
// cannot have. A filter is added to the rules that it names; one that names a rule of another log source is refused, one
// that names a rule that is not there is a warning. Known are the log sources that parsers here give; a rule for another is loaded with a warning. Without
// known this is not looked at.
func Load(docs []sigma.Document, known ...record.LogSource) (*Rules, []Refused, []Warning) {
	l := &loader{names: map[string]*node{}, state: map[*node]int{}, rules: &Rules{}}
	var all []*node
	for _, d := range docs {
		if n := l.admit(d); n != nil {
			all = append(all, n)
		}
	}
	for _, d := range docs {
		if d.Filter != nil {
			l.addFilter(d.Filter)
		}
	}
	for _, n := range all {
		if n.rule != nil {
			l.addRule(n, known)
		}
	}
	l.rules.plain = len(l.rules.nodes)
	for _, n := range all {
		if n.corr != nil {
			_ = l.addCorrelation(n) // the reason of a failure is among the refused
		}
	}
	l.settle()
	return l.rules, l.refused, l.warnings
}

type loader struct {
	rules    *Rules
	names    map[string]*node // by id and by name
	state    map[*node]int
	refused  []Refused
	warnings []Warning
}

const (
	stateNew = iota
	stateOpen
	stateAdded
	stateRefused
)

func (l *loader) refuse(m *sigma.Meta, feature, format string, args ...any) error {
	why := fmt.Sprintf(format, args...)
	l.refused = append(l.refused, Refused{Rule: m.Key(), Title: m.Title, File: m.File, Line: m.Line, Feature: feature, Why: why})
	return errors.New(why)
}

func (l *loader) warn(m *sigma.Meta, format string, args ...any) {
	l.warnings = append(l.warnings, Warning{Rule: m.Key(), File: m.File, Line: m.Line, Why: fmt.Sprintf(format, args...)})
}

// admit registers a document under its id and name, or refuses a second one.
func (l *loader) admit(d sigma.Document) *node {
	m := d.Meta()
	if m == nil || d.Filter != nil {
		return nil
	}
	n := &node{doc: d, meta: m, rule: d.Rule, corr: d.Correlation}
	keys := []string{m.Key()}
	if m.Name != "" && m.Name != m.Key() {
		keys = append(keys, m.Name)
	}
	for _, k := range keys {
		if first := l.names[k]; first != nil {
			_ = l.refuse(m, "duplicate", "%q is taken by the rule at %s:%d; give one of them another id and name", k, first.meta.File, first.meta.Line)
			return nil
		}
	}
	for _, k := range keys {
		l.names[k] = n
	}
	if m.ID == "" {
		l.warn(m, "it has no id; alerts name it %q, and a new title makes it another rule", m.Key())
	}
	if m.Status == "deprecated" || m.Status == "unsupported" {
		l.warn(m, "its status is %s", m.Status)
	}
	return n
}

func (l *loader) addRule(n *node, known []record.LogSource) {
	u := n.rule
	if loose := u.Loose(); len(loose) > 0 {
		l.warn(n.meta, "no parser here gives the field %s; what is asked of it does not hold unless an application's log has it", strings.Join(loose, ", "))
	}
	if unused := u.Unused(); len(unused) > 0 {
		l.warn(n.meta, "the condition does not use the selection %s", strings.Join(unused, ", "))
	}
	if len(known) > 0 && !slices.ContainsFunc(known, u.Routed) {
		l.warn(n.meta, "no log here gives this source: no parser reads logs of %s, so the rule rests", u.LogSource)
	}
	if n.aside = u.OverBudget(); n.aside != "" {
		l.warn(n.meta, "it is set aside: %s", n.aside)
	}
	for _, name := range n.meta.Tocsin.Group {
		f, _ := u.LogSource.Field(name)
		n.group = append(n.group, f)
	}
	l.put(n)
}

// addFilter adds a filter to each of its rules, or to none.
func (l *loader) addFilter(f *sigma.Filter) {
	filtered := map[*node]*sigma.Rule{}
	for _, name := range f.Rules {
		n := l.names[name]
		if n == nil {
			l.warn(&f.Meta, "it names the rule %q, which is not there or was refused", name)
			continue
		}
		if n.corr != nil {
			_ = l.refuse(&f.Meta, "filter of a correlation", "%q is a correlation; a filter is for rules with a log source: name those that it reads", name)
			return
		}
		u, err := n.rule.Filtered(f)
		if err != nil {
			_ = l.refuse(&f.Meta, "filter", "it cannot be added to the rule %q: %v", name, err)
			return
		}
		filtered[n] = u
	}
	for n, u := range filtered {
		n.rule, n.meta = u, &u.Meta
		n.doc.Rule = u
	}
}

func (l *loader) put(n *node) {
	n.n = len(l.rules.nodes)
	n.salt = hashValues("", []string{n.meta.Key(), n.meta.Version})
	l.rules.nodes = append(l.rules.nodes, n)
	l.state[n] = stateAdded
}

// addCorrelation adds what n reads, then n.
func (l *loader) addCorrelation(n *node) error {
	switch l.state[n] {
	case stateAdded:
		return nil
	case stateRefused:
		return errors.New("it was refused itself")
	case stateOpen:
		return errors.New("it reads itself, directly or by way of others")
	}
	l.state[n] = stateOpen
	err := l.slots(n)
	if err != nil {
		l.state[n] = stateRefused
		return err
	}
	l.put(n)
	return nil
}

func (l *loader) slots(n *node) error {
	c := n.corr
	for _, a := range c.Aliases {
		for _, p := range a.Of {
			below := l.names[p.Rule]
			if below == nil || !slices.ContainsFunc(c.Rules, func(r string) bool { return l.names[r] == below }) {
				return l.refuse(n.meta, "aliases", "the alias %q names the rule %q, which is none of the correlation's rules", a.Name, p.Rule)
			}
		}
	}
	for _, name := range c.Rules {
		below := l.names[name]
		if below == nil {
			return l.refuse(n.meta, "missing rule", "it reads the rule %q, which is not there or was refused", name)
		}
		if slices.ContainsFunc(n.slots, func(s slot) bool { return s.node == below }) {
			return l.refuse(n.meta, "rules", "it names the rule %q twice", name)
		}
		if below.corr != nil {
			if err := l.addCorrelation(below); err != nil {
				return l.refuse(n.meta, "missing rule", "it reads the correlation %q, which cannot be used: %v", name, err)
			}
		}
		s := slot{node: below}
		var err error
		if s.by, err = l.sources(n, below, name, c.GroupBy); err != nil {
			return err
		}
		if s.of, err = l.sources(n, below, name, c.Fields); err != nil {
			return err
		}
		for _, a := range c.Aliases {
			if _, ok := c.FieldFor(a.Name, below.meta.ID, below.meta.Name, name); !ok {
				return l.refuse(n.meta, "aliases", "the alias %q does not say how the rule %q calls the field", a.Name, name)
			}
		}
		n.slots = append(n.slots, s)
	}
	for _, b := range c.Bounds {
		n.most = max(n.most, int(b.Value))
		switch b.Op {
		case "gte", "eq":
			n.least = max(n.least, int(math.Ceil(b.Value)))
		case "gt":
			n.least = max(n.least, int(math.Floor(b.Value))+1)
		}
	}
	n.once = slices.Contains([]sigma.CorrelationType{sigma.EventCount, sigma.ValueSum, sigma.ValueAvg, sigma.ValuePercentile}, c.Type)
	return nil
}

// sources finds where the values of fields are taken from in the matches of one rule.
func (l *loader) sources(n, below *node, rule string, fields []string) ([]source, error) {
	var out []source
	for _, f := range fields {
		name, _ := n.corr.FieldFor(f, below.meta.ID, below.meta.Name, rule)
		if below.corr != nil {
			field, _ := sigma.LogSource{Category: "application"}.Field(name)
			out = append(out, source{field, slices.Index(below.corr.GroupBy, name)})
			continue
		}
		field, standing := below.rule.LogSource.Field(name)
		switch standing {
		case sigma.Unknown:
			return nil, l.refuse(n.meta, "field "+name, "records of its rule %q (%s) have no field %q", rule, below.rule.LogSource, name)
		case sigma.Unsure:
			l.warn(n.meta, "no parser here gives the field %s to the records of its rule %q; without it they do not count", name, rule)
		}
		out = append(out, source{field, -1})
	}
	return out, nil
}

// informational is the level of rules that only mark records for others: "no case or alerting should be triggered by
// such rules" (Sigma 2.1, field level).
const informational = "informational"

// settle links each node to the correlations above it, decides which raise alerts of their own, and hashes the set.
func (l *loader) settle() {
	h := sha256.New()
	for _, n := range l.rules.nodes { // each stands behind those that it reads
		n.habits = n.rule != nil && n.rule.Reads(record.Field.Habit) || slices.ContainsFunc(n.slots, func(s slot) bool { return s.node.habits })
		n.raises = n.meta.Level != informational
		fmt.Fprintf(h, "%s %s\n", n.meta.Version, n.meta.Key())
		if n.aside != "" {
			fmt.Fprintln(h, "aside")
		}
	}
	l.rules.hash = hex.EncodeToString(h.Sum(nil))
	generated := map[*node]bool{}
	for _, n := range l.rules.nodes {
		for i, s := range n.slots {
			s.node.parents = append(s.node.parents, parent{n.n, i})
			generated[s.node] = generated[s.node] || n.corr.Generate
		}
	}
	for below, own := range generated {
		below.raises = below.raises && own
	}
}

// Hash is the SHA-256 of the set, in hex: of every version in order. State of one set is of no use to another.
func (r *Rules) Hash() string { return r.hash }

// Documents returns what was loaded: rules first, then correlations, each behind those that it reads.
func (r *Rules) Documents() []sigma.Document {
	var out []sigma.Document
	for _, n := range r.nodes {
		out = append(out, n.doc)
	}
	return out
}

// Aside lists the rules that load and are not used, and why.
func (r *Rules) Aside() (all []Broken) {
	for _, n := range r.nodes {
		if n.aside != "" {
			all = append(all, Broken{n.meta.Key(), n.aside})
		}
	}
	return all
}

// Raises reports whether the rule with this id (name, title) raises alerts of its own. One of level informational never
// does, one that a correlation reads only when a correlation says generate (Sigma 2.1).
func (r *Rules) Raises(key string) bool {
	for _, n := range r.nodes {
		if n.meta.Key() == key {
			return n.raises
		}
	}
	return false
}

// Raising returns the keys of all that Raises is true of, for who asks of thousands.
func (r *Rules) Raising() map[string]bool {
	keys := make(map[string]bool, len(r.nodes))
	for _, n := range r.nodes {
		if n.raises {
			keys[n.meta.Key()] = true
		}
	}
	return keys
}
