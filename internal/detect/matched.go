package detect

// matched notes that a rule matched the record that is stepped through, or that the record completed a correlation.
func (d *Detector) matched(n *node) {
	d.bins[n.n].stats.Matches++
	d.hits = append(d.hits, n.n)
}

// Matched calls yield with the key of each rule that the last record matched and of each correlation that it completed; a
// correlation that it completed for several groups comes as often. It is what Stats counts, record by record, so that who
// knows the record's time can count by hours.
func (d *Detector) Matched(yield func(rule string) bool) {
	for _, i := range d.hits {
		if !yield(d.rules.nodes[i].meta.Key()) {
			return
		}
	}
}
