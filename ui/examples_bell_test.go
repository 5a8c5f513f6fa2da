package ui

import (
	"fmt"
	"time"
)

func callView() CallView {
	v := CallView{Frame: ringing(frame("Call 3", "calls", "/calls/3")), Call: callRows[0], Pass: "/calls/3/pass", Snooze: "/calls/3/snooze",
		Facts: []Fact{{Name: "Policy", Value: "night", Href: "/bell#policies"}, {Name: "Answers", Value: "1 of 2"}, {Name: "Not to be used", Value: "chat, sms", Href: "/incidents/12#channels"}},
		Lasts: []Option{{"5", "5 min", false}, {"15", "15 min", true}}, More: "The oldest 12 are not shown; the ledger has them."}
	v.History = []CallMoment{
		{before(time.Minute), State{"good", "taken"}, "by Boris Lang, by voice; another answer is wanted", nil},
		{before(2 * time.Minute), State{"late", "held back"}, "Anna Keller by phone: was rung too often lately; text message is used instead", nil},
		{before(3 * time.Minute), State{"bad", "step 2"}, "nobody answered in time", []string{"It reaches nobody but the console, so the next one does not wait.", "schedule:web: nobody is in it now", "Chen Wei: has left the team"}},
		{before(4 * time.Minute), State{"busy", "began"}, "call 2 was answered, and for 30 min nobody has noted, changed or attached anything", nil},
	}
	return v
}

func bellView() BellView {
	v := BellView{Frame: frame("The bell", "bell", "/bell"), Change: true, Ready: "50 % proven",
		Form: MaintenanceForm{From: "2026-11-27T22:00", Until: "2026-11-28T02:00", Why: "New database", Severities: []Option{{"high", "High", true}, {"medium", "Medium", false}}, Open: true}}
	v.Proofs = []Proof{{Link{"Anna Keller", "/people#person-anna"}, "mail", State{"good", "proven"}, before(30 * time.Hour), ""},
		{Link{"Boris Lang", "/people#person-boris"}, "phone", State{"late", "unproven"}, before(90 * time.Hour), "the last test was sent, and nobody answered it"}}
	v.Windows = []Window{{"2", "High and Medium do not ring", State{"late", "lasts now"}, before(time.Hour), before(-time.Hour), "Anna Keller", Visible("New database"), "/maintenance/2/end"}}
	v.Watchers = []Pulse{{"watch.example.com", State{"bad", "cannot be told"}, before(time.Hour), "watcher: posting to watch.example.com: connection refused"}}
	v.Watches = []Pulse{{"branch", State{"good", "heard"}, before(20 * time.Second), "tocsin-abcdefghij"}}
	v.Policies = []NamedPolicy{{"default", "/people#policy", []string{"Everyone, on every channel; wait 5 min for an answer."}, ""}, {"night", "/policies/night", []string{"Who is on call in web, by phone; wait 5 min for 2 answers."}, "/policies/night/end"}}
	for _, s := range []Severity{"critical", "high", "medium"} {
		v.Chosen = append(v.Chosen, Choice{s, string(s), []Option{{"", "default", true}, {"night", "night", false}}})
	}
	return v
}

func namedPolicy() PolicyForm {
	f := peopleView().Policy
	f.Action, f.Named, f.Name, f.Attend = "/policies/new", true, "night", "30"
	return f
}

func simulateView() SimulateView {
	v := SimulateView{Frame: frame("Who would be rung?", "bell", "/simulate"), Severities: []Option{{"critical", "Critical", true}, {"high", "High", false}}, Policies: []Option{{"", "the one for the severity", true}, {"night", "night", false}},
		When: "2027-01-01T03:10", Says: "14 rings in the first 2 h", Strip: Strip{Title: "14 rings in the first 2 h"}}
	for i := range 9 {
		v.Strip.Ticks = append(v.Strip.Ticks, StripMark{X: float64(12 + 77*i), Word: fmt.Sprint(15 * i)})
		v.Strip.Marks = append(v.Strip.Marks, StripMark{X: float64(12 + 60*i), Y: float64(36 - 9*(i%3)), Kind: []string{"ring", "held"}[i%2], Word: "5m0s: anna by phone"})
	}
	v.Rows = []SimulatedRow{{"0 min", before(0), State{"busy", "step 1"}, "the first one"}, {"0 min", before(0), State{"bad", "not rung"}, "schedule:web: nobody is in it now"},
		{"0 min", before(0), State{"good", "rings"}, "Anna Keller by phone"}, {"5 min", before(-5 * time.Minute), State{"late", "later"}, "Boris Lang by phone at 07:00:00: quiet hours"}}
	return v
}

func waysExample() WaysForm {
	f := WaysForm{Action: "/people/boris/ways", Says: []string{"By phone after 5 min, for Critical.", "Quiet from 22:00 to 07:00 (Europe/Vienna): only Critical rings."}, QuietFrom: "22:00", QuietUntil: "07:00", Zone: "Europe/Vienna"}
	for i := range 3 {
		f.Rules = append(f.Rules, WayRow{i, fmt.Sprintf("Rule %d", i+1), []Option{{"", "no rule", i > 0}, {"mail", "mail", i == 0}}, "5", []Option{{"critical", "Critical", i == 0}, {"high", "High", false}}, "08:00", "20:00"})
	}
	return f
}
