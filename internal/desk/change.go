package desk

import (
	"time"

	"tocsin/internal/detect"
	"tocsin/internal/entry"
)

// use has the reader go on with other rules, once it has written down what it made with the old ones.
func (r *reader) use(set *RuleSet) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.others = set
	if r.turn != nil {
		r.turn()
	}
}

// pending returns the rules that the reader is about to use, nil when it uses the last already.
func (r *reader) pending() *RuleSet {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.others
}

// change begins to use other rules, if there are some: those that did not change keep their windows, alerts of those that are gone
// end, and the ledger says so. Until it does the old rules are in use.
func (r *reader) change() error {
	set := r.pending()
	if set == nil {
		return nil
	}
	var adopted detect.Adopted
	if set.Rules.Hash() != r.d.rules.Load().Rules.Hash() || set.print != r.d.rules.Load().print {
		var fresh *detect.Detector
		fresh, adopted = r.goOn(set)
		if err := r.d.raise(r.d.ends(adopted)); err != nil {
			return err
		}
		err := r.d.write(func(*State, time.Time) ([]entry.Draft, error) { return []entry.Draft{set.loaded(adopted)}, nil })
		if err != nil {
			return err
		}
		r.mu.Lock()
		r.detector = fresh
		r.forgetAgain() // what was ordered while this was written down
		r.mu.Unlock()
		r.saver.next = 0 // the state on the disk is of the old rules
		r.d.saveRules(set)
		r.d.log.Info("the rules were loaded again", "loaded", len(set.Rules.Documents()), "new or changed", len(adopted.Fresh), "gone", len(adopted.Gone),
			"kept although broken", len(set.Kept), "refused", len(set.Refused))
	}
	r.d.rules.Store(set)
	r.mu.Lock()
	if r.others == set {
		r.others = nil
	}
	r.mu.Unlock()
	r.d.changed.say()
	return nil
}

// goOn returns a detector of other rules that has the windows of those that did not change.
func (r *reader) goOn(set *RuleSet) (*detect.Detector, detect.Adopted) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fresh := detect.New(set.Rules, r.d.detectOptions())
	windows, err := r.detector.Snapshot()
	var adopted detect.Adopted
	if err == nil {
		adopted, err = fresh.Adopt(windows)
	}
	if err == nil {
		return fresh, adopted
	}
	r.d.log.Error("the windows of detection cannot be taken over by the new rules: all of them begin anew", "error", err)
	for _, a := range r.detector.Alerts() {
		a.Ended = true
		adopted.Ended = append(adopted.Ended, detect.Change{Step: detect.Ended, Alert: a})
	}
	return fresh, adopted
}

// takeOver brings the windows of rules that did not change into the detector, when there are some to bring.
func (r *reader) takeOver() {
	if r.kept == nil {
		return
	}
	adopted, err := r.detector.Adopt(r.kept)
	r.kept = nil
	if err != nil {
		r.d.log.Error("windows of detection that could be read at the start cannot now: they are those that were filled again", "error", err)
		return
	}
	r.owing = append(r.owing, r.d.ends(adopted)...)
}

// ends are the ends of alerts whose rules are gone, for the ledger. What was history ends as history.
func (d *Desk) ends(a detect.Adopted) (out []told) {
	d.Read(func(s *State) {
		for _, c := range a.Ended {
			known := s.Incidents.Alerts[c.Alert.ID]
			out = append(out, told{c, known != nil && known.History})
		}
	})
	return out
}
