package incident

import (
	"errors"
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"

	"tocsin/internal/entry"
	"tocsin/internal/plan"
)

// What is known is three sentences that somebody can read while a telephone rings.
const (
	sentencesAtMost = 3
	lettersAtMost   = 600
)

// FitsStatement says what is wrong with the words of a statement; the words themselves go to the vault.
func FitsStatement(text string) error {
	switch n := Sentences(text); {
	case n == 0:
		return errors.New("say in one to three sentences what is known")
	case n > sentencesAtMost:
		return fmt.Errorf("what is known has %d sentences, and may have three: move the rest to a note", n)
	case utf8.RuneCountInString(text) > lettersAtMost:
		return fmt.Errorf("what is known has %d characters, and may have %d: move the rest to a note", utf8.RuneCountInString(text), lettersAtMost)
	}
	return nil
}

// Sentences counts the sentences of a text: an end is a line's end, or one of . ! ? with a space or nothing behind it, unless the next word begins with a small
// letter ("e.g. the cart"). Numbers ("3.5"), versions and addresses have no space behind their points.
func Sentences(text string) (n int) {
	open, ended := false, false
	for _, r := range text {
		switch {
		case r == '\n' || r == '\u2028' || r == '\u2029':
			if open {
				n++
			}
			open, ended = false, false
		case unicode.IsSpace(r):
			if ended && open {
				ended, open = false, false
				n++ // unless the next letter says otherwise
			}
		case slices.Contains([]rune{'.', '!', '?', '…', '。', '！', '？'}, r):
			ended = open
		case unicode.IsLetter(r) || unicode.IsNumber(r):
			if !open && n > 0 && unicode.IsLower(r) {
				n-- // it went on
			}
			open, ended = true, false
		}
	}
	if open {
		n++
	}
	return n
}

// Commands reports whether a person may keep what only the Commander keeps: they hold the role or are a deputy, or nobody on the team holds it (staff says
// who is on it).
func (i *Incident) Commands(person string, staff func(string) bool) bool {
	h := i.Roles[plan.Commander]
	holder, gap := h.Held(staff)
	return gap || holder == person || slices.Contains(h.Deputies, person)
}

// State decides what is known of an incident from now on; text is a vault object with words that FitsStatement takes. Seen is the entry of the statement that the
// person looked at, 0 of none: if another was written meanwhile, the refusal is an *Overtaken.
func (b *Book) State(actor, person string, staff func(string) bool, id, seen int64, text string) (entry.Draft, error) {
	i, err := b.open(id)
	switch {
	case err != nil:
		return entry.Draft{}, err
	case person == "":
		return entry.Draft{}, errNobody
	case !i.Commands(person, staff):
		return entry.Draft{}, fmt.Errorf("what is known of incident %d is kept by its Commander, %s: tell them, or take the role first", id, i.Roles[plan.Commander].Person)
	case text == "":
		return entry.Draft{}, errors.New("say in one to three sentences what is known")
	}
	if err := unseen(i.Command().Statements, seen, fmt.Sprintf("what is known of incident %d", id), func(x entry.Statement) string { return x.Text }); err != nil {
		return entry.Draft{}, err
	}
	return draft(actor, entry.IncidentStated, id, entry.Statement{Incident: id, Text: text, Before: seen}), nil
}

// unseen refuses a new version of what another changed since a person looked.
func unseen[T any](of []Written[T], seen int64, what string, text func(T) string) error {
	now, _ := last(of)
	switch {
	case now.N == seen:
		return nil
	case seen > now.N:
		return fmt.Errorf("%s has no version of entry %d", what, seen)
	}
	return &Overtaken{What: what + " was written", N: now.N, By: now.By, At: now.At, Text: text(now.What), Then: "look at it, and write yours again where it differs"}
}
