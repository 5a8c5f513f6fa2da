package oncall

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tocsin/internal/entry"
	"tocsin/internal/plan"
)

// A model is the policy once more, plain and slow: it looks at every half minute, and knows the rules of one call and nothing of entries,
// debts or times to look again. Everybody's channel works, unless broken says so.
type model struct {
	policy   entry.Policy
	people   map[string]entry.Person
	ways     map[string]entry.Ways
	oncall   map[string][]string // by schedule
	severity string
	began    time.Time
	broken   map[string]bool // "anna by mail" fails for good

	step    int // over all rounds; -1
	stepped time.Time
	base    int
	snoozed time.Time // when; zero is not
	quiet   time.Time // until when
	done    bool
	took    []string
	need    int
	passed  map[int][]string // who passed on which step
	pending []due
	heard   map[int]bool // steps that rang somebody by a channel that works
	log     []string
}

type due struct {
	at     time.Time
	quiet  bool
	person string
	by     string
	step   int
}

const tick = 30 * time.Second

// inside is the hours of a day, hour by hour: the model's hours are whole hours in UTC.
func inside(h *entry.Hours, t time.Time) bool {
	if h == nil {
		return false
	}
	var from, until int
	_, _ = fmt.Sscanf(h.From, "%d:00", &from)
	_, _ = fmt.Sscanf(h.Until, "%d:00", &until)
	for k := from; k != until; k = (k + 1) % 24 {
		if t.UTC().Hour() == k {
			return true
		}
	}
	return false
}

// asks says whom a step rings: who, by what, when.
func (m *model) asks(step int, now time.Time) (out []due) {
	n := step - m.base
	s := m.policy.Steps[len(m.policy.Steps)-1]
	if n < len(m.policy.Steps)*m.policy.Rounds {
		s = m.policy.Steps[n%len(m.policy.Steps)]
	}
	var who []string
	for _, w := range s.Who {
		switch {
		case w == "everyone":
			for id := range m.people {
				who = append(who, id)
			}
		case strings.HasPrefix(w, "role:"):
			for id, p := range m.people {
				if slices.Contains(p.Roles, w[5:]) {
					who = append(who, id)
				}
			}
		case strings.HasPrefix(w, "schedule:"):
			who = append(who, m.oncall[w[9:]]...)
		default:
			who = append(who, w)
		}
	}
	slices.Sort(who)
	for _, id := range slices.Compact(who) {
		p, here := m.people[id]
		if !here || p.Gone || slices.Contains(m.took, id) {
			continue
		}
		var can []string
		for _, c := range p.Channels {
			if len(s.By) == 0 || slices.Contains(s.By, c) {
				can = append(can, c)
			}
		}
		var mine []due
		matched, late := false, false
		for _, r := range m.ways[id].Rules {
			if !slices.Contains(can, r.Channel) || len(r.Severities) > 0 && !slices.Contains(r.Severities, m.severity) {
				continue
			}
			matched = true
			if r.Hours != nil && !inside(r.Hours, now.Add(r.After)) {
				late = true
				continue
			}
			mine = append(mine, due{at: now.Add(r.After), person: id, by: r.Channel})
		}
		if len(mine) == 0 && !(matched && late && m.severity != "critical") {
			var unspoken []string
			for _, c := range can {
				if !slices.ContainsFunc(m.ways[id].Rules, func(r entry.Way) bool { return r.Channel == c }) {
					unspoken = append(unspoken, c)
				}
			}
			if len(unspoken) == 0 {
				unspoken = can
			}
			for _, c := range unspoken {
				mine = append(mine, due{at: now, person: id, by: c})
			}
		}
		for k := range mine {
			if q := m.ways[id].Quiet; m.severity != "critical" && inside(q, mine[k].at) {
				mine[k].quiet = true
				end := mine[k].at.Truncate(time.Hour)
				for inside(q, end) {
					end = end.Add(time.Hour)
				}
				mine[k].at = end
			}
		}
		out = append(out, mine...)
	}
	last := n >= len(m.policy.Steps)*m.policy.Rounds || n%len(m.policy.Steps) == len(m.policy.Steps)-1
	if last && !slices.ContainsFunc(out, func(d due) bool { return !d.quiet }) {
		for k := range out {
			if out[k].quiet {
				out[k].at, out[k].quiet = now, false
			}
		}
	}
	return slices.DeleteFunc(out, func(d due) bool {
		return d.quiet && slices.ContainsFunc(m.pending, func(o due) bool { return o.person == d.person && o.by == d.by && o.at.After(now) })
	})
}

func (m *model) wait(step int) time.Duration {
	if n := step - m.base; n < len(m.policy.Steps)*m.policy.Rounds {
		return m.policy.Steps[n%len(m.policy.Steps)].Wait
	}
	return m.policy.Every
}

// at lets the model see one moment.
func (m *model) at(now time.Time) {
	if m.done {
		return
	}
	if !m.quiet.IsZero() {
		if now.Before(m.quiet) && !m.snoozed.After(now.Add(time.Minute)) {
			return
		}
		m.quiet, m.base, m.pending = time.Time{}, m.step+1, nil
	}
	for m.next(now) || m.ring(now, -1) {
		if !m.next(now) {
			continue
		}
		m.step = max(m.step+1, m.base)
		m.stepped = now
		if n := m.step - m.base; n < len(m.policy.Steps)*m.policy.Rounds {
			m.need = max(m.need, m.policy.Steps[n%len(m.policy.Steps)].Answers)
		} else {
			m.need = max(m.need, m.policy.Steps[len(m.policy.Steps)-1].Answers)
		}
		for _, d := range m.asks(m.step, now) {
			d.step = m.step
			m.pending = append(m.pending, d)
		}
		m.ring(now, m.step)
	}
}

// next reports whether the next step begins now.
func (m *model) next(now time.Time) bool {
	over := m.stepped.Add(m.wait(max(m.step, m.base)))
	if m.step < m.base || len(m.passed[m.step]) > 0 || !now.Before(over) || m.stepped.After(now.Add(time.Minute)) {
		return true
	}
	if m.heard[m.step] || slices.ContainsFunc(m.pending, func(d due) bool { return d.at.Before(over) }) {
		return false
	}
	for later := m.step + 1; later-m.base <= len(m.policy.Steps)*m.policy.Rounds; later++ {
		for _, d := range m.asks(later, now) {
			if !d.at.After(now) || d.at.Before(now.Add(m.wait(later))) {
				return true
			}
		}
	}
	return false
}

// ring rings what is due, of one step or of all (-1).
func (m *model) ring(now time.Time, step int) (did bool) {
	m.pending = slices.DeleteFunc(m.pending, func(d due) bool {
		if d.at.After(now) || step >= 0 && d.step != step {
			return false
		}
		did = true
		if m.people[d.person].Gone || slices.Contains(m.took, d.person) {
			return true
		}
		m.log = append(m.log, fmt.Sprintf("%s %s by %s", now.UTC().Format(time.RFC3339), d.person, d.by))
		if !m.broken[d.person+" by "+d.by] {
			m.heard[m.step] = true
		}
		return true
	})
	return did
}

var modelChannels = []string{"mail", "webhook", "push"}

// modelPolicy draws a policy. All its times are whole ticks.
func modelPolicy(t *rapid.T) entry.Policy {
	p := entry.Policy{Rounds: rapid.IntRange(1, 3).Draw(t, "rounds"), Every: ticks(t, "every", 1, 40), Throttle: 2 * time.Minute, Medium: true}
	target := rapid.SampledFrom([]string{"anna", "boris", "chen", "dora", "role:engineer", "role:legal", "schedule:web", "schedule:none", "everyone"})
	for k := range rapid.IntRange(1, 4).Draw(t, "steps") {
		s := entry.PolicyStep{Who: rapid.SliceOfNDistinct(target, 1, 3, rapid.ID).Draw(t, fmt.Sprint("who", k)), Wait: ticks(t, "wait", 1, 30), Answers: rapid.IntRange(0, 2).Draw(t, "answers")}
		if rapid.Bool().Draw(t, "some channels") {
			s.By = rapid.SliceOfNDistinct(rapid.SampledFrom(modelChannels), 1, 2, rapid.ID).Draw(t, "by")
		}
		p.Steps = append(p.Steps, s)
	}
	last := &p.Steps[len(p.Steps)-1]
	if !slices.Contains(last.Who, "everyone") {
		last.Who = append(last.Who, "everyone")
	}
	return p
}

func ticks(t *rapid.T, what string, least, most int) time.Duration {
	return time.Duration(rapid.IntRange(least, most).Draw(t, what)) * tick
}

func modelHours(t *rapid.T, what string) *entry.Hours {
	if !rapid.Bool().Draw(t, what) {
		return nil
	}
	from := rapid.IntRange(0, 23).Draw(t, "from")
	until := (from + rapid.IntRange(1, 23).Draw(t, "long")) % 24
	return &entry.Hours{From: fmt.Sprintf("%02d:00", from), Until: fmt.Sprintf("%02d:00", until)}
}

// TestModel holds the decisions against the model, under drawn policies, people, rules, answers and clocks that jump.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		severity := rapid.SampledFrom([]string{"critical", "high", "medium"}).Draw(rt, "severity")
		m := &model{policy: modelPolicy(rt), people: map[string]entry.Person{}, ways: map[string]entry.Ways{}, severity: severity, broken: map[string]bool{},
			step: -1, need: 1, passed: map[int][]string{}, heard: map[int]bool{}}
		w := newWorld(t)
		w.now = t0.Add(ticks(rt, "begin", 0, 2880))
		m.oncall = map[string][]string{"web": rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"anna", "boris", "chen", "gone"}), 0, 2, rapid.ID).Draw(rt, "on call")}
		w.plan.OnCall = func(s string, _ time.Time) []string { return m.oncall[s] }
		for _, id := range []string{"anna", "boris", "chen"} {
			p := entry.Person{ID: id, Roles: []string{rapid.SampledFrom([]string{"commander", "engineer"}).Draw(rt, "role")},
				Channels: rapid.SliceOfNDistinct(rapid.SampledFrom(modelChannels), 0, 3, rapid.ID).Draw(rt, "channels")}
			m.people[id] = p
			w.person(id, p.Roles, p.Channels...)
			for _, c := range p.Channels {
				m.broken[id+" by "+c] = rapid.IntRange(0, 4).Draw(rt, "broken") == 0
			}
			x := entry.Ways{ID: id, Quiet: modelHours(rt, "quiet")}
			for range rapid.IntRange(0, 3).Draw(rt, "rules") {
				r := entry.Way{Channel: rapid.SampledFrom(modelChannels).Draw(rt, "by"), After: ticks(rt, "after", 0, 20), Hours: modelHours(rt, "hours")}
				if rapid.Bool().Draw(rt, "some severities") {
					r.Severities = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"critical", "high", "medium"}), 1, 2, rapid.ID).Draw(rt, "severities")
				}
				x.Rules = append(x.Rules, r)
			}
			m.ways[id] = x
			w.write(entry.Draft{Kind: entry.PersonWays, Body: x})
		}
		w.write(entry.Draft{Kind: entry.PolicyPut, Body: m.policy})
		w.fail = func(x Try) (bool, bool) { return m.broken[x.Person+" by "+x.Channel], false }
		m.began = w.now
		w.incident(1, severity)
		for range rapid.IntRange(1, 25).Draw(rt, "acts") {
			drawAct(rt, w, m)
		}
		var got []string
		for _, x := range w.book.Calls[0].Tries {
			if x.Channel != plan.Console {
				got = append(got, fmt.Sprintf("%s %s by %s", x.Wanted.UTC().Format(time.RFC3339), x.Person, x.Channel))
			}
		}
		slices.Sort(got)
		slices.Sort(m.log)
		if !slices.Equal(got, m.log) {
			k := 0
			for k < min(len(got), len(m.log)) && got[k] == m.log[k] {
				k++
			}
			got, m.log = got[k:min(k+6, len(got))], m.log[k:min(k+6, len(m.log))]
			for _, x := range w.book.Calls[0].Steps[:min(8, len(w.book.Calls[0].Steps))] {
				rt.Logf("%s step %d %s %+v %+v", x.At.Format(time.RFC3339), x.Step, x.Why, x.CallStep.Rings, x.Left)
			}
			rt.Fatalf("after %d rang\n  %s\nthe model rang\n  %s\npolicy %+v\npeople %+v\nways %+v", k, strings.Join(got, "\n  "), strings.Join(m.log, "\n  "), m.policy, m.people, m.ways)
		}
		if w.book.Calls[0].Rings() == m.done {
			rt.Fatalf("rings %v, the model is done %v", w.book.Calls[0].Rings(), m.done)
		}
	})
}

// both let time pass until a moment: the bell looks when it was told to, the model at every tick.
func both(rt *rapid.T, w *world, m *model, until time.Time) {
	for now := w.now; !now.After(until); now = now.Add(tick) {
		m.at(now)
	}
	for {
		again := w.settle()
		if again.IsZero() || again.After(until) {
			break
		}
		if !again.After(w.now) {
			rt.Fatalf("at %v to look again at %v: it spins", w.now, again)
		}
		w.now = again
	}
	w.now = until
	w.settle()
}

// drawAct lets time pass, and then somebody do something, or the clock jump.
func drawAct(rt *rapid.T, w *world, m *model) {
	both(rt, w, m, w.now.Add(ticks(rt, "passes", 0, 120)))
	c := w.book.Calls[0]
	who := rapid.SampledFrom([]string{"anna", "boris", "chen"}).Draw(rt, "who")
	switch rapid.SampledFrom([]string{"nothing", "answer", "pass", "pass", "snooze", "jump", "gone", "shift"}).Draw(rt, "act") {
	case "answer":
		d, err := w.book.Answer("person:"+who, &w.plan, 1, who, "link")
		if wrong := m.done || slices.Contains(m.took, who); (err != nil) != wrong {
			rt.Fatalf("answer of %s: %v", who, err)
		}
		if err != nil {
			return
		}
		w.write(d)
		here := 0
		for _, p := range m.people {
			if !p.Gone && len(p.Channels) > 0 {
				here++
			}
		}
		m.took = append(m.took, who)
		m.done = len(m.took) >= min(m.need, max(here, 1))
	case "pass":
		d, err := w.book.PassOn("person:"+who, 1, who, "voice", w.now)
		if err != nil {
			return
		}
		w.write(d)
		m.passed[m.step] = append(m.passed[m.step], who)
	case "snooze":
		lasts := ticks(rt, "snooze", 2, 30)
		d, err := w.book.Snooze("person:"+who, 1, who, "link", lasts, w.now)
		if err != nil {
			if _, rests := c.Resting(); c.Rings() && !rests {
				rt.Fatal(err)
			}
			return
		}
		w.write(d)
		m.snoozed, m.quiet = w.now, w.now.Add(lasts)
	case "jump":
		w.now = w.now.Add(time.Duration(rapid.IntRange(-600, 600).Draw(rt, "jump")) * tick)
	case "gone":
		if rapid.IntRange(0, 2).Draw(rt, "really") == 0 {
			p := m.people[who]
			p.Gone = true
			m.people[who] = p
			w.write(entry.Draft{Kind: entry.PersonPut, Body: p})
		}
	case "shift":
		m.oncall["web"] = []string{who}
	}
}
