// Package tlp says to whom something may be told, by the Traffic Light Protocol of FIRST, version 2.0 (https://www.first.org/tlp/), and by which
// exits of the program it may so leave. Every exit asks MayLeave before it hands out a word; whoever writes a new exit names it here first, and
// an exit or a label that is not named lets nothing out.
//
// A label limits readers, not writers: it says how far those who get something may carry it. We are its source, so the table also says whom we
// give it to at all. RED is for the eyes of the people who are named in it: no exit of the program knows them one by one, so it leaves by none
// and is read by signing in.
package tlp

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Label says how far something may be carried. "" is no label of its own.
type Label string

// The labels, from the widest to the narrowest.
const (
	Clear       Label = "CLEAR"        // the whole world
	Green       Label = "GREEN"        // our community; never in public
	Amber       Label = "AMBER"        // our organization and its clients, who need to know it
	AmberStrict Label = "AMBER+STRICT" // our organization only
	Red         Label = "RED"          // the people named, nobody else
)

// Labels lists them, from the widest to the narrowest.
func Labels() []Label { return []Label{Clear, Green, Amber, AmberStrict, Red} }

// longest is how long the text of a label can be: "TLP:AMBER+STRICT".
const longest = 16

// Parse reads a label, with or without "TLP:" in front and in any case, because people type it so. It takes nothing else: WHITE is of
// version 1.0, and the error says what took its place.
func Parse(s string) (Label, error) {
	if len(s) > longest {
		return "", fmt.Errorf("a TLP label has at most %d characters; got %d", longest, len(s))
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return "", fmt.Errorf("%q is no TLP label; say one of %s", s, list()) // a letter that only looks like one of ours
	}
	word := strings.ToUpper(s)
	word = strings.TrimPrefix(word, "TLP:")
	switch l := Label(word); {
	case slices.Contains(Labels(), l):
		return l, nil
	case word == "WHITE":
		return "", fmt.Errorf("TLP:WHITE is of version 1.0 of the protocol: it is called TLP:CLEAR now")
	case word == "":
		return "", fmt.Errorf("a TLP label is missing; say one of %s", list())
	}
	return "", fmt.Errorf("%q is no TLP label; say one of %s", s, list())
}

func list() string {
	var out []string
	for _, l := range Labels() {
		out = append(out, l.String())
	}
	return strings.Join(out, ", ")
}

// String prints a label as FIRST writes it: "TLP:AMBER". Of no label it is "".
func (l Label) String() string {
	if l == "" {
		return ""
	}
	return "TLP:" + string(l)
}

// Colour is the colour of a label's letters, which stand on black (section 1 of the standard).
func (l Label) Colour() string {
	switch l {
	case Clear:
		return "#FFFFFF"
	case Green:
		return "#33FF00"
	case Amber, AmberStrict:
		return "#FFC000"
	}
	return "#FF2B2B"
}

// Says tells a person what a label means.
func (l Label) Says() string {
	switch l {
	case Clear:
		return "may be told to everybody"
	case Green:
		return "may be told to people we work with, never in public"
	case Amber:
		return "may be told to us and to those of our clients who need to know it"
	case AmberStrict:
		return "may be told inside our own organization only"
	case Red:
		return "is for the people who are named, and is passed on to nobody"
	}
	return "has no label"
}

// Narrowest returns the one of several that carries least far, "" of none. What is put together from parts has the narrowest of theirs. One
// that is no label counts as RED.
func Narrowest(of ...Label) Label {
	worst := -1
	for _, l := range of {
		if l == "" {
			continue
		}
		rank := slices.Index(Labels(), l)
		if rank < 0 {
			return Red
		}
		worst = max(worst, rank)
	}
	if worst < 0 {
		return ""
	}
	return Labels()[worst]
}

// Of returns the label that holds for a thing: its own, or else that of what it is part of, or else the first of what is usual.
func Of(own, whole, usual Label) Label {
	switch {
	case own != "":
		return own
	case whole != "":
		return whole
	}
	return usual
}
