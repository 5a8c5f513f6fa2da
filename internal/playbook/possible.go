package playbook

import "slices"

// maxCases is how many combinations of answers are tried to see whether a step can ever be needed. maxLooks is how many looks at steps all of them together
// may cost: a file can name five hundred steps, each with as many combinations as it may.
const (
	maxCases = 1 << 16
	maxLooks = 30_000_000
)

// impossible says which steps no answers can make needed. All combinations of answers to the facts that bear on a step are tried: a fact has no
// answer, too (its step may be skipped), and has one only when a step that asks for it is itself needed.
func (p *Playbook) impossible(file string) (out []Finding) {
	looks := maxLooks
	for _, s := range p.Steps {
		if s.If.Always() && (s.Always || p.Ends.Always()) {
			continue
		}
		facts := p.bearing(s)
		found, tried := p.possible(facts, &looks, func(answer func(string) string) bool {
			return s.If.Holds(answer) && (s.Always || !p.ended(answer)) && p.answerable(answer, facts)
		})
		switch {
		case looks <= 0:
			return append(out, p.finding(file, "if "+s.ID, "the conditions up to that of %s depend on too many answers to be checked: ask for fewer facts, or take the playbook apart", s.ID))
		case !tried:
			out = append(out, p.finding(file, "if "+s.ID, "the condition of %s depends on too many answers to be checked: ask for one fact that says what matters", s.ID))
		case !found && s.If.Always():
			out = append(out, p.finding(file, "step "+s.ID, "%s can never be needed: what ends the playbook, %q, holds whenever it is reached. Change ends, or let the step be done always", s.ID, p.Ends))
		case !found:
			out = append(out, p.finding(file, "if "+s.ID, "%s can never be needed: no answers make %q hold by the time it is reached. Change its if, or take the step out", s.ID, s.If))
		}
	}
	if p.Ends.Always() {
		return out
	}
	facts := p.bearing(&Step{If: p.Ends, Always: true})
	found, tried := p.possible(facts, &looks, func(answer func(string) string) bool { return p.ended(answer) && p.answerable(answer, facts) })
	if looks <= 0 {
		return append(out, p.finding(file, "ends", "what ends the playbook depends on too many answers to be checked: ask for fewer facts, or take the playbook apart"))
	}
	if tried && !found {
		out = append(out, p.finding(file, "ends", "no answers make %q hold: change ends, or take it out", p.Ends))
	}
	if always, _ := p.possible([]string{Severity}, &looks, func(answer func(string) string) bool { return !p.ended(answer) }); !always {
		out = append(out, p.finding(file, "ends", "%q holds before anything is answered: nothing would be done. Let it say which answer ends the playbook", p.Ends))
	}
	return out
}

func (p *Playbook) ended(answer func(string) string) bool {
	return !p.Ends.Always() && p.Ends.Holds(answer)
}

// bearing names the facts that bear on a step: those of its condition and of the end, and those of the conditions of steps that ask for these.
func (p *Playbook) bearing(s *Step) []string {
	facts := s.If.Facts()
	if !s.Always {
		facts = append(facts, p.Ends.Facts()...)
	}
	var out []string
	for len(facts) > 0 {
		f := facts[0]
		facts = facts[1:]
		if slices.Contains(out, f) {
			continue
		}
		out = append(out, f)
		for _, x := range p.Steps {
			if slices.Contains(x.Asks, f) {
				facts = append(facts, x.If.Facts()...)
			}
		}
	}
	return out
}

// answerable reports whether some step can have asked for each of some facts that has an answer.
func (p *Playbook) answerable(answer func(string) string, facts []string) bool {
	for _, f := range facts {
		if f == Severity || answer(f) == "" {
			continue
		}
		if !slices.ContainsFunc(p.Steps, func(x *Step) bool { return slices.Contains(x.Asks, f) && x.If.Holds(answer) }) {
			return false
		}
	}
	return true
}

// possible tries all answers to some facts. tried is false when they are too many; looks are those that are left for the whole playbook.
func (p *Playbook) possible(facts []string, looks *int, holds func(answer func(string) string) bool) (found, tried bool) {
	domains := make([][]string, len(facts))
	cases := 1
	for i, id := range facts {
		f, _ := p.Fact(id)
		domains[i] = f.Of
		if id != Severity {
			domains[i] = append([]string{""}, f.Of...)
		}
		if cases *= len(domains[i]); cases > maxCases {
			return false, false
		}
	}
	for n := range cases {
		if *looks -= 1 + len(facts)*len(p.Steps); *looks <= 0 {
			return false, false
		}
		at := make(map[string]string, len(facts))
		for i, id := range facts {
			at[id] = domains[i][n%len(domains[i])]
			n /= len(domains[i])
		}
		if holds(func(id string) string { return at[id] }) {
			return true, true
		}
	}
	return false, true
}
