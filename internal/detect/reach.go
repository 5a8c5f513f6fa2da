package detect

import "time"

// Reach is how far back a record can lie and still change what these rules say of one now: the longest row of timespans of
// correlations that read each other, with the quiet that an alert outlasts and the lateness of records; how long a sign-in
// tells of an address that it is shared; and, when a rule asks what is normal for an account, how long that is remembered. An alert that goes on and on may have begun before.
func (r *Rules) Reach(lateness time.Duration) time.Duration {
	spans := make([]time.Duration, len(r.nodes))
	longest := sharedSpan
	for i, n := range r.nodes { // each stands behind those that it reads
		for _, s := range n.slots {
			spans[i] = max(spans[i], spans[s.node.n])
		}
		if n.corr != nil {
			spans[i] += n.corr.Timespan
		}
		longest = max(longest, spans[i]+n.meta.Tocsin.Quiet)
		if n.habits {
			longest = max(longest, forgetDays*24*time.Hour)
		}
	}
	return longest + Options{Lateness: lateness}.filled().Lateness
}
