package desk

import (
	"maps"
	"slices"
	"time"

	"tocsin/internal/record"
)

// How often each rule matched, hour by hour of the records' own time: what the console draws of a rule. It is part of the
// derived snapshot, bounded by rules and hours, and says nothing that reading the archive again would not.

// hitRules is of how many rules hours are kept: more than any set of rules has. What comes beyond is not counted.
const hitRules = 20_000

// A ruleHours counts the matches of one rule. N[0] is of hour First; the last one is of the newest hour with a match, and
// there are at most hoursKept.
type ruleHours struct {
	First int64   `json:"first"` // Unix time / 3600
	N     []int64 `json:"n"`
}

// add counts a match in an hour. One that lies further back than is kept is left out.
func (h *ruleHours) add(hour int64) {
	last := h.First + int64(len(h.N)) - 1
	switch {
	case len(h.N) == 0 || hour-last >= hoursKept:
		h.First, h.N = hour, append(h.N[:0], 0)
	case hour > last:
		h.N = append(h.N, make([]int64, hour-last)...)
		if over := len(h.N) - hoursKept; over > 0 {
			h.First, h.N = h.First+int64(over), slices.Delete(h.N, 0, over)
		}
	case hour <= last-hoursKept:
		return
	case hour < h.First:
		h.N = append(make([]int64, h.First-hour, int64(len(h.N))+h.First-hour), h.N...)
		h.First = hour
	}
	h.N[hour-h.First]++
}

// last is the newest hour.
func (h *ruleHours) last() int64 { return h.First + int64(len(h.N)) - 1 }

// ruleHits are the hours of all rules, by their keys.
type ruleHits map[string]*ruleHours

// copied returns the hours as of now, without rules whose newest lies further back than is kept: most of those are gone.
func (x ruleHits) copied() ruleHits {
	newest := int64(0)
	for _, h := range x {
		newest = max(newest, h.last())
	}
	out := make(ruleHits, len(x))
	for rule, h := range x {
		if h.last() > newest-hoursKept {
			out[rule] = &ruleHours{h.First, slices.Clone(h.N)}
		}
	}
	return out
}

// fit makes what a file said safe to count on.
func (x ruleHits) fit() ruleHits {
	if x == nil {
		return ruleHits{}
	}
	maps.DeleteFunc(x, func(_ string, h *ruleHours) bool { return h == nil || len(h.N) == 0 || len(h.N) > hoursKept })
	return x
}

// countHits counts the rules that a record matched. again says that the line was counted before: then it counts for rules that
// were not there at the time, which is how a new rule gets its past.
func (r *reader) countHits(rec *record.Record, again bool) {
	if rec.Time.IsZero() {
		return
	}
	for rule := range r.detector.Matched {
		h := r.hits[rule]
		if again && h != nil && r.refill[rule] == nil {
			continue
		}
		if h == nil {
			if len(r.hits) >= hitRules {
				continue
			}
			h = &ruleHours{}
			r.hits[rule] = h
		}
		if again {
			if r.refill == nil {
				r.refill = ruleHits{}
			}
			r.refill[rule] = h
		}
		h.add(rec.Time.Unix() / 3600)
	}
}

// RuleHours returns how often each rule matched, or one rule if it is named, in each of the last hours before now: the last is the
// hour of now. Rules without a match are left out.
func (d *Desk) RuleHours(rule string, hours int, now time.Time) map[string][]int64 {
	r := d.reader
	r.mu.Lock()
	defer r.mu.Unlock()
	hours = min(max(hours, 1), hoursKept)
	first := now.Unix()/3600 - int64(hours) + 1
	out := map[string][]int64{}
	for key, h := range r.hits {
		if rule != "" && key != rule || h.last() < first {
			continue
		}
		row, some := make([]int64, hours), false
		for k, n := range h.N {
			if at := h.First + int64(k) - first; at >= 0 && at < int64(hours) && n > 0 {
				row[at], some = n, true
			}
		}
		if some {
			out[key] = row
		}
	}
	return out
}
