package web

import (
	"fmt"
	"slices"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/oncall"
	"tocsin/ui"
)

// readiness says in plain words whether a call would reach everybody, and the one thing that is to be done next.
func (s *Server) readiness(v *visit, st *desk.State) ui.Readiness {
	proofs, percent := st.Calls.Readiness(&st.Plan, v.now)
	out, next := readinessOf(proofs, percent, func(id string) string { return s.name(st, id) })
	switch {
	case next == "":
	case auth.May(v.actor, auth.TestRing) == nil || v.actor.ID == next:
		out.Link = ui.Link{Word: "Open " + s.name(st, next), Href: "/people/" + next}
	default:
		out.Link = ui.Link{Word: "See all of them", Href: "/bell"}
	}
	return out
}

// readinessOf words what is known of all ways, and returns whose way is to be seen to first: who cannot be reached at all comes before whose mail came back, that before
// what fails, that before what was not answered, and that before what was never tested or not lately. next is "" when nothing is to be done.
func readinessOf(proofs []oncall.Proof, percent int, name func(id string) string) (out ui.Readiness, next string) {
	if len(proofs) == 0 {
		return out, ""
	}
	worst := []string{oncall.NoWayYet, oncall.CameBack, oncall.Failing, oncall.Silent, oncall.Never, oncall.TooOld}
	var first *oncall.Proof
	good, rank := 0, len(worst)
	for k := range proofs {
		if proofs[k].State == oncall.Proven {
			good++
		}
		if at := slices.Index(worst, proofs[k].State); at >= 0 && at < rank {
			first, rank = &proofs[k], at
		}
	}
	tone := "late"
	switch {
	case good == len(proofs):
		tone = "good"
	case rank <= slices.Index(worst, oncall.Failing):
		tone = "bad"
	}
	out.State = ui.State{Tone: tone, Word: fmt.Sprintf("%d %% proven", percent)}
	out.Says = fmt.Sprintf("%d of %s answered a test lately.", good, ui.Plural(int64(len(proofs)), "way to reach somebody", "ways to reach somebody"))
	if first == nil {
		return out, ""
	}
	who, channel := name(first.Person), channelWord(first.Channel)
	switch first.State {
	case oncall.NoWayYet:
		out.Next = who + " cannot be reached at all: give them an address."
	case oncall.CameBack:
		out.Next = "mail to " + who + " came back: see whether the address is right, then test it."
	case oncall.Failing:
		out.Next = "the last test of " + who + " by " + channel + " could not be sent: see why, and mend the address or the channel."
	case oncall.Silent:
		out.Next = who + " did not answer the last test by " + channel + ": ask whether it came, and test it again."
	case oncall.Never:
		out.Next = "test " + who + " by " + channel + "; nobody knows yet whether that works."
	default:
		out.Next = "test " + who + " by " + channel + " again; the last test is too old."
	}
	return out, first.Person
}
