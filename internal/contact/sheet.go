package contact

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Sheet is the emergency card: one page that is printed for the day when all is down.
type Sheet struct {
	Printed     time.Time
	Revision    int64  // of the ledger's entries, the last that changed what stands here
	Fingerprint string // of all that stands here: two papers with the same one say the same
	People      []SheetRow
	Left        int // contacts that did not fit
	Steps       []string
	Envelope    string
	Secrets     bool // phrases and customer numbers are printed: guard it like a key
}

// A SheetRow is one contact of it.
type SheetRow struct {
	Group    string
	Name     string
	Says     string // role, organisation, duties in short
	Ways     []string
	CallBack string
	Hours    string
	Phrase   string
	Number   string
	Checked  string // when it was checked last, and by whom: "2026-11-28, Anna Keller"; the mark does not change with it
}

// Authentic says on the card how to know on the telephone whom one speaks with. With phrases on the card it says what to do with them.
func Authentic(secrets bool) string {
	says := "Hang up, and ring back on the number that is printed here, never on one that the caller gives or the display shows. "
	if secrets {
		return says + "Then let them say the phrase first; whoever does not know it learns nothing."
	}
	return says + "Then ask for the shared phrase, which is in the console and on the card with phrases; whoever does not know it learns nothing."
}

// CardText is what the vault keeps of the card besides the contacts.
type CardText struct {
	Version  int      `json:"version"`
	Steps    []string `json:"steps"` // the first five
	Envelope string   `json:"envelope"`
}

// SheetRows is how many contacts fit on the page beside steps and envelope, on the shorter of A4 and Letter, in letters that can be read.
const SheetRows = 12

// FirstSteps is how many steps stand on it.
const FirstSteps = 5

// DefaultCard returns the steps for a team that has not written its own.
func DefaultCard() CardText {
	return CardText{Version: CardVersion, Steps: []string{
		"Write down the time, and from now on whatever you do.",
		"Ring the first person of the response team; nobody answers in 5 minutes: the next.",
		"Do not switch machines off and do not clean up: take the shop's network away, or put its maintenance page up.",
		"Talk by phone, not by the shop's mail or chat: they may be overheard.",
		"Ring the hoster and the payment provider from the list; call back before you tell anybody a secret.",
	}}
}

// CheckCard brings the texts of the card into their one form and says all that is wrong with them. Fields are step.1 and so on, and envelope.
func CheckCard(c *CardText) (wrong []Problem) {
	c.Version = CardVersion
	for i := range c.Steps {
		c.Steps[i] = tidy(c.Steps[i], false)
	}
	c.Steps = slices.DeleteFunc(c.Steps, func(s string) bool { return s == "" })
	c.Envelope = tidy(c.Envelope, false)
	if len(c.Steps) == 0 || len(c.Steps) > FirstSteps {
		wrong = append(wrong, Problem{"step.1", fmt.Sprintf("The card has 1 to %d first steps.", FirstSteps)})
	}
	for i, s := range c.Steps {
		if says := plain(s, maxShort); says != "" {
			wrong = append(wrong, Problem{fmt.Sprintf("step.%d", i+1), fmt.Sprintf("Step %d %s.", i+1, says)})
		}
	}
	if says := plain(c.Envelope, maxShort); says != "" {
		wrong = append(wrong, Problem{"envelope", "The place of the envelope " + says + "."})
	}
	return wrong
}

// Draw makes the card of contacts in their order. The response team comes first, then providers, then regulators and stakeholders. revision is Book.Revision.
func Draw(rows []Row, text CardText, revision int64, now time.Time, secrets bool) Sheet {
	s := Sheet{Printed: now, Revision: revision, Steps: text.Steps, Envelope: text.Envelope, Secrets: secrets}
	for _, g := range []string{Team, Providers, Regulators, Stakeholders} {
		for _, r := range rows {
			if r.Entry.Group != g {
				continue
			}
			if len(s.People) == SheetRows {
				s.Left++
				continue
			}
			s.People = append(s.People, sheetRow(r, secrets))
		}
	}
	s.Fingerprint = s.fingerprint()
	return s
}

func sheetRow(r Row, secrets bool) SheetRow {
	c := r.Card
	var says []string
	for _, x := range []string{c.Role, c.Organisation, c.Duties} {
		if x != "" {
			says = append(says, strings.ReplaceAll(x, "\n", " "))
		}
	}
	x := SheetRow{Group: r.Entry.Group, Name: c.Name, Says: strings.Join(says, ", "), Hours: c.Hours}
	if c.Hours != "" && c.Hours != "24/7" && c.Zone != "" {
		x.Hours += " " + c.Zone
	}
	for _, w := range c.Ways {
		if len(x.Ways) < 3 { // what fits on the line
			x.Ways = append(x.Ways, Spoken(w))
		}
	}
	x.Checked = r.Checked
	if r.Checker != "" {
		x.Checked += ", " + r.Checker
	}
	if c.CallBack != "" {
		x.CallBack = Spaced(c.CallBack)
	}
	if secrets {
		x.Phrase, x.Number = c.Phrase, c.Number
	}
	return x
}

// Spoken writes a way for people: numbers in groups.
func Spoken(w Way) string {
	v := w.Value
	if w.Kind == Phone {
		v = Spaced(v)
	}
	if w.Note != "" {
		v += " (" + w.Note + ")"
	}
	return v
}

// Spaced writes a number of E.164 so that it can be read aloud: the country's code, then groups of three digits, the first of which may have two or four:
// +49 30 123 456. Where the code of the area ends is not known here; in North America it has three digits, and the last group four.
func Spaced(n string) string {
	digits, ok := strings.CutPrefix(n, "+")
	if !ok || len(digits) < 5 || strings.Trim(digits, "0123456789") != "" {
		return n
	}
	code := countryCode(digits)
	parts, rest := []string{"+" + digits[:code]}, digits[code:]
	if digits[0] == '1' && len(rest) == 10 {
		return strings.Join(append(parts, rest[:3], rest[3:6], rest[6:]), " ")
	}
	head := len(rest) % 3
	if head < 2 {
		head = min(head+3, len(rest))
	}
	parts = append(parts, rest[:head])
	for i := head; i < len(rest); i += 3 {
		parts = append(parts, rest[i:i+3])
	}
	return strings.Join(parts, " ")
}

// countryCode is how many digits a number's country code has: the zones 1 and 7 have one, these have two, and all others three (ITU-T, list of assigned country codes of
// recommendation E.164).
func countryCode(digits string) int {
	const two = " 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98 "
	switch {
	case digits[0] == '1' || digits[0] == '7':
		return 1
	case strings.Contains(two, " "+digits[:2]+" "):
		return 2
	}
	return 3
}

// fingerprint is eight hex digits in two groups. It is to compare papers by, and proves nothing.
func (s Sheet) fingerprint() string {
	h := sha256.New()
	for _, p := range s.People {
		fmt.Fprintf(h, "%q\n", []any{p.Group, p.Name, p.Says, p.Ways, p.CallBack, p.Hours, p.Phrase, p.Number})
	}
	fmt.Fprintf(h, "%q %q", s.Steps, s.Envelope)
	sum := hex.EncodeToString(h.Sum(nil)[:4])
	return sum[:4] + " " + sum[4:]
}

// Plain writes the card as text for a terminal or a printer without a browser, at most 80 columns where names allow it.
func (s Sheet) Plain() string {
	var b strings.Builder
	fmt.Fprintf(&b, "EMERGENCY: WHO, AND WHAT FIRST\nPrinted %s, revision %d, mark %s\n", s.Printed.UTC().Format("2006-01-02 15:04 UTC"), s.Revision, s.Fingerprint)
	if s.Secrets {
		b.WriteString("With phrases: guard this paper like a key.\n")
	}
	b.WriteString("\nFIRST\n")
	for i, x := range s.Steps {
		fmt.Fprintf(&b, "%d. %s\n", i+1, x)
	}
	envelope := s.Envelope
	if envelope == "" {
		envelope = "nobody has written where it lies"
	}
	fmt.Fprintf(&b, "\nSEALED ENVELOPE: %s\n\nIS IT REALLY THEM? %s\n", envelope, Authentic(s.Secrets))
	group := ""
	for _, p := range s.People {
		if p.Group != group {
			group = p.Group
			fmt.Fprintf(&b, "\n%s\n", strings.ToUpper(group))
		}
		fmt.Fprintf(&b, "%s", p.Name)
		for _, x := range []string{p.Says, p.Hours} {
			if x != "" {
				fmt.Fprintf(&b, " / %s", x)
			}
		}
		b.WriteString("\n")
		for i, w := range p.Ways {
			fmt.Fprintf(&b, "    %d. %s\n", i+1, w)
		}
		for _, x := range []struct{ name, value string }{{"call back", p.CallBack}, {"phrase", p.Phrase}, {"customer", p.Number}, {"checked", p.Checked}} {
			if x.value != "" {
				fmt.Fprintf(&b, "    %s: %s\n", x.name, x.value)
			}
		}
	}
	if s.Left > 0 {
		fmt.Fprintf(&b, "\n%d more contacts do not fit on this page.\n", s.Left)
	}
	return b.String()
}
