package dossier

import (
	"fmt"
	"strings"
)

// A sieve keeps what an audience may know, and counts what it may not, section by section.
type sieve struct {
	audience Label
	standard Label         // of what has no label
	left     map[Label]int // since the last note
}

// may reports whether the audience may know something with the label, and counts it when not.
func (s *sieve) may(l Label) bool {
	if l == "" {
		l = s.standard
	}
	if l.rank() <= s.audience.rank() {
		return true
	}
	s.left[Labels()[l.rank()]]++
	return false
}

// keep returns those of a list that the audience may know.
func keep[T any](s *sieve, list []T, label func(T) Label) []T {
	var out []T
	for _, x := range list {
		if s.may(label(x)) {
			out = append(out, x)
		}
	}
	return out
}

// says returns the lines of texts that the audience may know.
func (s *sieve) says(texts ...Text) []string {
	var out []string
	for _, t := range texts {
		if strings.TrimSpace(t.Says) != "" && s.may(t.Label) {
			out = append(out, lines(t.Says)...)
		}
	}
	return out
}

// each returns the texts that the audience may know, each as one line.
func (s *sieve) each(texts []Text) []string {
	var out []string
	for _, t := range texts {
		if strings.TrimSpace(t.Says) != "" && s.may(t.Label) {
			out = append(out, one(t.Says))
		}
	}
	return out
}

// note returns the sentence on what was left out since the last note, "" when nothing was. The highest label comes first.
func (s *sieve) note() string {
	n := 0
	var of []string
	for k := len(Labels()) - 1; k >= 0; k-- {
		if l := Labels()[k]; s.left[l] > 0 {
			n += s.left[l]
			of = append(of, fmt.Sprintf("%d %s", s.left[l], l))
		}
	}
	clear(s.left)
	switch {
	case n == 0:
		return ""
	case n == 1:
		return "1 entry is left out: " + strings.TrimPrefix(of[0], "1 ") + "."
	case len(of) == 1:
		return fmt.Sprintf("%d entries are left out: %s.", n, strings.TrimPrefix(of[0], fmt.Sprintf("%d ", n)))
	}
	return fmt.Sprintf("%d entries are left out: %s.", n, strings.Join(of, ", "))
}
