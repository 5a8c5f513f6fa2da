package review

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// A Case is what is known of an incident when it is reviewed. The desk makes it; texts are as people wrote them. A zero time is one that is not known; of what is not
// filled nothing is said, neither that it was so nor that it was not.
type Case struct {
	ID       int64
	Title    string
	Kind     string // of incident: the playbook's id, "" is none
	Severity string
	Verdict  string // true, false; "" while it is open
	Drill    bool

	Happened  time.Time // when the first thing in it was
	Detected  time.Time // when a rule or a person told us
	Answered  time.Time // when somebody answered the first call
	Contained time.Time // when the work went from containment on
	Recovered time.Time // when the shop was back
	Closed    time.Time

	ToldBy     string     // rule, employee, customer, researcher, supplier, "" is not known
	NightShift bool       // it began outside of working hours
	Timeline   []Moment   // what is pinned in it
	Decisions  []Decision // as they were taken
	Steps      []Worked   // of its playbooks
	Reopened   int
	Calls      int      // about it that rang; 0 too when one of them was needed no more before its time was over
	Unanswered int      // calls that nobody answered in their time
	LateWords  int      // stakeholders who were told late
	Unheld     []string // roles that nobody held
	Alone      []string // people who held three roles or more
	Twice      bool     // somebody held two roles or more
	Dropped    int64    // lines that were lost, or sources that were silent, meanwhile
	Undone     []string // orders that failed
	Backup     string   // what was restored from, "" nothing was
	Measures   []string // that are open
}

// A Moment is one line of the timeline.
type Moment struct {
	At   time.Time
	Says string
	By   string
}

// A Decision is one of the log.
type Decision struct {
	At              time.Time
	Question, Taken string
	Why, By         string
}

// A Worked step is one of a playbook.
type Worked struct {
	What, Role string
	State      string        // done, skipped, denied
	Within     time.Duration // by the plan; 0: it has no time, or it is not known how long it took
	Took       time.Duration // since it became ready
}

// late reports whether it took longer than the plan says.
func (w Worked) late() bool { return w.State == "done" && w.Within > 0 && w.Took > w.Within }

// An Agenda is what an internal review talks about.
type Agenda struct {
	Title string
	Items []Topic
}

// A Topic is one item of it: what to ask, and what the case says to it.
type Topic struct {
	Name  string
	Ask   string
	Facts []string
}

// Of an agenda that people get through in an hour.
const (
	mostFacts  = 25
	longestRow = 300 // signs
)

// Make returns the agenda for the review of an incident. It is never empty: where the case says nothing, the question stands alone. zone is the readers'.
func Make(c Case, zone *time.Location) Agenda {
	a := Agenda{Title: fmt.Sprintf("Internal review of incident %d: %s", c.ID, line(c.Title))}
	add := func(name, ask string, facts []string) {
		for i := range facts {
			facts[i] = line(facts[i])
		}
		if more := len(facts) - mostFacts; more > 0 {
			facts = append(facts[:mostFacts:mostFacts], fmt.Sprintf("%d more are in the incident.", more))
		}
		a.Items = append(a.Items, Topic{name, ask, facts})
	}
	var happened []string
	for _, m := range c.Timeline {
		happened = append(happened, fmt.Sprintf("%s: %s%s", at(m.At, zone), m.Says, by(m.By)))
	}
	add("What happened", "In which order did it happen, and does everybody agree? Nobody is blamed here: what people did made sense to them then.", happened)
	add("Figures", "Which of these times would have changed the outcome, had it been shorter?", c.figures())
	add("What went well", "What helped, and should be kept?", c.well())
	add("What went badly", "What was missing, late or wrong? Ask why until the answer is something that can be changed.", c.badly())
	add("Where luck helped", "What would have happened without it?", c.luck())
	var decisions []string
	for _, d := range c.Decisions {
		s := fmt.Sprintf("%s: %s - %s%s", at(d.At, zone), d.Question, d.Taken, by(d.By))
		if d.Why != "" {
			s += ", because " + d.Why
		}
		decisions = append(decisions, s)
	}
	add("Decisions", "Was what was known then enough, and would we decide so again?", decisions)
	add("Measures", "Which gap is closed by what, by whom, by when, and how will another person see that it is?", append([]string(nil), c.Measures...))
	add("The plan", "Which playbook, role, contact, letter, schedule or rule is changed because of it?", nil)
	return a
}

func (c Case) figures() (out []string) {
	for _, s := range c.spans() {
		if s.known {
			out = append(out, fmt.Sprintf("Time to %s: %s.", s.name, Span(s.took)))
		} else {
			out = append(out, fmt.Sprintf("Time to %s: not known.", s.name))
		}
	}
	return out
}

func (c Case) well() (out []string) {
	onTime := 0
	for _, s := range c.Steps {
		if s.State == "done" && s.Within > 0 && !s.late() {
			onTime++
		}
	}
	if onTime > 0 {
		out = append(out, count(onTime, "step was", "steps were")+" done within the plan's time.")
	}
	if c.ToldBy == "rule" {
		out = append(out, "A rule of ours saw it first.")
	}
	if c.Calls > 0 && c.Unanswered == 0 {
		out = append(out, "Every call was answered in its time.")
	}
	switch {
	case len(c.Unheld) > 0 || len(c.Alone) > 0:
	case c.Twice:
		out = append(out, "Every role was held.")
	default:
		out = append(out, "Every role was held, by different people.")
	}
	if c.Backup != "" {
		out = append(out, "The shop came back from "+c.Backup+".")
	}
	return out
}

func (c Case) badly() (out []string) {
	if c.Unanswered > 0 {
		out = append(out, count(c.Unanswered, "call was", "calls were")+" not answered in time.")
	}
	for _, s := range c.Steps {
		switch {
		case s.late():
			out = append(out, fmt.Sprintf("%q (%s) took %s in place of %s.", s.What, s.Role, Span(s.Took), Span(s.Within)))
		case s.State == "skipped":
			out = append(out, fmt.Sprintf("%q (%s) was skipped.", s.What, s.Role))
		case s.State == "denied":
			out = append(out, fmt.Sprintf("%q (%s) was not approved.", s.What, s.Role))
		}
	}
	for _, r := range c.Unheld {
		out = append(out, "Nobody held the role "+r+".")
	}
	if c.LateWords > 0 {
		out = append(out, count(c.LateWords, "stakeholder was", "stakeholders were")+" told late.")
	}
	for _, u := range c.Undone {
		out = append(out, "This failed: "+u+".")
	}
	if c.Reopened > 0 {
		out = append(out, "It was opened again "+count(c.Reopened, "time", "times")+".")
	}
	if c.Dropped > 0 {
		out = append(out, fmt.Sprintf("%d lines of logs were lost meanwhile.", c.Dropped))
	}
	return out
}

func (c Case) luck() (out []string) {
	if c.ToldBy != "" && c.ToldBy != "rule" {
		out = append(out, "It was "+article(c.ToldBy)+" who told us, and no rule.")
	}
	if c.NightShift && !c.Answered.IsZero() {
		out = append(out, "It began outside of working hours, and somebody answered.")
	}
	if !c.Happened.IsZero() && c.Detected.Sub(c.Happened) > 7*day {
		out = append(out, fmt.Sprintf("It went on for %s before anybody knew; lines of that time were still kept.", Span(c.Detected.Sub(c.Happened))))
	}
	for _, p := range c.Alone {
		out = append(out, p+" held three roles or more: what if they had been away?")
	}
	return out
}

// Text is the agenda as Markdown. What people wrote is escaped: it can neither make headings nor links.
func (a Agenda) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", markdown(a.Title))
	for n, i := range a.Items {
		fmt.Fprintf(&b, "\n## %d. %s\n\n%s\n", n+1, i.Name, i.Ask)
		if len(i.Facts) > 0 {
			b.WriteString("\n")
		}
		for _, f := range i.Facts {
			fmt.Fprintf(&b, "- %s\n", markdown(f))
		}
	}
	return b.String()
}

// Span words a duration as people say it: "3 days 4 h", "2 h 5 min", "40 s".
func Span(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	days, h, m, s := d/day, d%day/time.Hour, d%time.Hour/time.Minute, d%time.Minute/time.Second
	switch {
	case days > 0 && h > 0:
		return sign + count(int(days), "day", "days") + fmt.Sprintf(" %d h", h)
	case days > 0:
		return sign + count(int(days), "day", "days")
	case h > 0 && m > 0:
		return sign + fmt.Sprintf("%d h %d min", h, m)
	case h > 0:
		return sign + fmt.Sprintf("%d h", h)
	case m > 0:
		return sign + fmt.Sprintf("%d min", m)
	}
	return sign + fmt.Sprintf("%d s", s)
}

func count(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// article puts "a" or "an" before a word.
func article(word string) string {
	if strings.ContainsAny(word[:1], "aeio") {
		return "an " + word
	}
	return "a " + word
}

func by(who string) string {
	if who == "" {
		return ""
	}
	return " (" + who + ")"
}

func at(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return "at an unknown time"
	}
	return t.In(zone).Format("2006-01-02 15:04 MST")
}

// line makes one line of a text: without signs that nobody sees, and not too long.
func line(s string) string {
	var b strings.Builder
	n, space := 0, false
	for _, r := range s {
		if unicode.IsSpace(r) {
			space = n > 0
			continue
		}
		if !unicode.IsPrint(r) {
			continue
		}
		if space {
			b.WriteByte(' ')
			n, space = n+1, false
		}
		if n++; n > longestRow {
			return b.String() + "…"
		}
		b.WriteRune(r)
	}
	return b.String()
}

func markdown(s string) string {
	return strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "#", `\#`, "|", `\|`, "!", `\!`).Replace(s)
}
