// Package sigma reads Sigma rules and says whether one record matches one rule.
//
// It follows the Sigma specification 2.1.0 whole: rules, correlations and filters. The conformance suite (here and in
// package detect) holds it against each section. It is written to be obviously correct: a faster evaluator is
// held against it. It decides and touches nothing outside.
//
// A file holds one or more YAML documents, each a rule, a correlation or a filter. Parse reads them strictly: what it
// does not support it refuses, naming rule, feature and place, and goes on with the next document. A rule that loads does
// what it says. One over a field or a log that no parser here gives loads too, and Loose (package detect's warnings) says so;
// only a name that is a slip of the pen for another of its log source is refused. Keys that nobody knows are kept (Print).
//
// Refused are: what Sigma 2 took away (aggregations behind a pipe, near, timeframe, collections by action), other taxonomies,
// patterns that RE2 cannot run, placeholders without values, and of YAML anchors, aliases and tags.
//
// # What a rule means here
//
// A selection is a map (all of its terms must hold), a list of maps (one of them must), or a list of texts
// (keywords: one of them must be found). A term is a field, modifiers and values: one of the values must hold, with
// "all" each of them. A field that a record lacks makes a term false, but for null, exists: false and neq.
//
//   - Text is compared without regard to case, by Unicode simple folding on both sides (so K matches the Kelvin sign),
//     unless the term says "cased". "re", "base64" and "base64offset" regard case, because text in another case is
//     other text there.
//   - "*" is any run of characters, line ends too; "?" is one character, a broken UTF-8 byte counts as one.
//     "\*" and "\?" are the characters themselves, "\\" is one backslash, a backslash before anything else is itself.
//   - A number matches a value that is the same number; a record's text counts as a number when it is plain decimal.
//     A quoted number is text and is compared with the value as the log wrote it.
//   - "" matches a field that is there and empty. null matches a field that is missing. They are not the same.
//   - A keyword is searched in the line as it was read and, each by itself, in every value that is not part of the line
//     (decoded text), never across two values.
//   - "neq" turns the whole term round: none of the values holds, or the field is missing. "all" asks for every value; a
//     value that stands for several (base64offset, a placeholder) holds when one of them does.
//   - "utf16le" ("wide"), "utf16be" and "utf16" turn text into the bytes of UTF-16, alone or before Base64.
//   - "re" is RE2, searched anywhere in the value, and sees its first MaxRegex bytes, fewer when it is costly (budget.go). A pattern with lookaround or back
//     references is refused. "i", "m" and "s" follow "re".
//   - "windash" lets a dash or slash before a word, and not behind one, be any of - / – — ―.
//   - "minute" to "year" take a part out of a time in the zone that is passed in; "week" is the ISO week, "day" the day of the month.
//   - "expand" puts the values of Options.Placeholders in the place of %name%; a rule with one that has none is refused.
//   - "fieldref" compares with another field of the same record, as text without regard to case or as numbers; it goes with
//     contains, startswith, endswith, cased, neq and all.
//
// Where the specification is silent or says two things: a filter takes away what its selections describe, whether its
// condition is written "selection" or "not selection" (Filter); value_percentile is the share of a value, or, with the key
// percentile, a percentile of numbers (Correlation); group-by may be left out; generate may stand beside correlation or in it.
//
// Field names are ECS's and our own (package record). Names of Sigma's taxonomy are mapped by log source (field.go). Every record
// also has @timestamp (its time), event.original (the line) and log.file.path (its file).
package sigma

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"tocsin/internal/tree"
)

// MaxRegex is how many bytes of a value a regular expression sees. RE2 is linear, yet a long line costs it
// milliseconds; pure code has no time limit, so the text is limited.
const MaxRegex = 8192

// A Document is one YAML document: a rule, a correlation or a filter; the others are nil.
type Document struct {
	Rule        *Rule
	Correlation *Correlation
	Filter      *Filter
}

// Meta returns what the kinds of documents have alike.
func (d Document) Meta() *Meta {
	switch {
	case d.Rule != nil:
		return &d.Rule.Meta
	case d.Correlation != nil:
		return &d.Correlation.Meta
	case d.Filter != nil:
		return &d.Filter.Meta
	}
	return nil
}

// Meta is what a document says about itself.
type Meta struct {
	ID             string // a UUID in Sigma; any short text is taken
	Name           string // by which correlations and filters may refer to it
	Related        []Related
	Title          string
	Description    string
	Taxonomy       string // sigma, the only one that is known; also when the document says nothing
	Author         string // Sigma's licence (DRL 1.1) demands that alerts show it
	License        string
	Status         string // stable, test, experimental, deprecated, unsupported, or ""
	Level          string // informational, low, medium, high, critical; medium when the document says nothing
	Date           string
	Modified       string
	Tags           []string
	Scope          []string // sets of machines that the rule is meant for, for people
	Fields         []string // that an analyst wants to see, for people; as the rule names them
	References     []string
	FalsePositives []string
	Tocsin         Tocsin

	File    string // as given to Parse
	Line    int    // of the document's first key, from 1
	Version string // 16 hex digits: SHA-256 of the document's text, of its placeholders' values and of its filters, cut

	root *tree.Tree
}

// A Related rule is one that this document came from or is like (Sigma 2.1, attribute related).
type Related struct {
	ID   string
	Type string // derived, obsolete, merged, renamed, similar
}

// Key is how alerts and people name the document: its id, else its name, else its title.
func (m *Meta) Key() string { return cmp.Or(m.ID, m.Name, m.Title) }

// Tocsin is our own section of a document. Every field has its default filled in.
type Tocsin struct {
	Source  string        // role of source.ip in the alerts: suspect (default), victim, none
	Account string        // role of user.name: victim (default), suspect, none
	Impact  string        // attempt (default), compromise, loss
	Parties string        // all (default): an alert names the parties of all its records; last: only of those that completed it
	Quiet   time.Duration // the alert ends after so long without a match; default 1 h, of a correlation its timespan
	Group   []string      // fields that a plain rule's alerts are grouped by; empty: source.ip, else user.name, else the file
	Samples []Sample
}

// A Sample is raw lines with what the rule must say of them. Of a rule each line of Match must match and none of
// NoMatch may. Of a correlation the lines of Match, in order, must fulfil it, and those of NoMatch must not; the rules
// that it reads are those of the set. Addresses lie where SampleCountries says.
type Sample struct {
	File    string // name of a log such as "access.log": a hint of the format, may be ""
	Match   []string
	NoMatch []string
}

// An Error is why one document, or a whole file, was refused.
type Error struct {
	File    string
	Line    int    // from 1
	Column  int    // from 1, in characters
	Rule    string // id or title; "" when the document says none
	Feature string // what is not supported or wrong, in two or three words: "modifier foo", "YAML"
	Why     string // what to say to a person
}

func (e *Error) Error() string {
	who := ""
	if e.Rule != "" {
		who = fmt.Sprintf("rule %q: ", e.Rule)
	}
	return fmt.Sprintf("%s:%d:%d: %s%s", e.File, e.Line, e.Column, who, e.Why)
}

// Options are what reading rules may need to know of the shop.
type Options struct {
	// Placeholders are the values that the modifier expand puts in the place of %name%, by name without the percent
	// signs. A value is written as a rule would write it: "*" and "?" are wildcards.
	Placeholders map[string][]string
}

// Parse reads a file without Options.
func Parse(file string, data []byte) ([]Document, error) { return Options{}.Parse(file, data) }

// Parse reads the documents of a file. It returns those that are right, in order, together with an error for the
// others: errors.As finds the first *Error, Refusals all of them.
func (o Options) Parse(file string, data []byte) ([]Document, error) {
	if len(data) > tree.MaxFile {
		return nil, &Error{File: file, Line: 1, Column: 1, Feature: "size", Why: fmt.Sprintf("larger than %d bytes", tree.MaxFile)}
	}
	var docs []Document
	var errs []error
	for _, c := range tree.Chunks(strings.TrimPrefix(string(data), "\ufeff")) {
		root, fault := tree.Parse(c)
		if fault != nil {
			errs = append(errs, &Error{File: file, Line: fault.Line, Column: fault.Col, Feature: "YAML", Why: fault.Why})
			continue
		}
		if root == nil {
			continue
		}
		r := &reader{file: file, root: root, options: o}
		d := r.document()
		if len(r.errs) > 0 {
			errs = append(errs, r.errs...)
			continue
		}
		d.Meta().Version = version(append([]string{c.Text}, r.said...))
		docs = append(docs, d)
	}
	return docs, errors.Join(errs...)
}

// version is the hash of texts, cut. Of a single text it is the text's own.
func version(texts []string) string {
	sum := sha256.Sum256([]byte(strings.Join(texts, "\x00")))
	return hex.EncodeToString(sum[:8])
}

// Refusals takes the errors out of what Parse returned.
func Refusals(err error) []*Error {
	switch e := err.(type) {
	case nil:
		return nil
	case *Error:
		return []*Error{e}
	case interface{ Unwrap() []error }:
		var out []*Error
		for _, e := range e.Unwrap() {
			out = append(out, Refusals(e)...)
		}
		return out
	}
	return []*Error{{Feature: "error", Why: err.Error()}}
}
