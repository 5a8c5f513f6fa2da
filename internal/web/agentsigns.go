package web

import (
	"fmt"
	"time"

	"tocsin/internal/desk"
	"tocsin/internal/record"
	"tocsin/ui"
)

// renewalDue is how much life a certificate has left when its agent should long have renewed it: it asks before a third of 90 days is left.
const renewalDue = 20 * 24 * time.Hour

// agentSigns is what is to be seen to on a host, in a few words each.
func agentSigns(v *visit, a desk.Agent) (out []ui.State) {
	if !a.Revoked.IsZero() {
		return nil
	}
	add := func(tone, format string, args ...any) {
		out = append(out, ui.State{Tone: tone, Word: fmt.Sprintf(format, args...)})
	}
	switch off := a.Host.Clock.Offset.Abs(); {
	case !a.Host.Clock.Known || off <= clockOff:
	case off < clockWild:
		add("late", "clock is %s", clockWord(a.Host.Clock))
	default:
		add("bad", "clock is %s", clockWord(a.Host.Clock))
	}
	if !a.Host.Spool.Full.IsZero() {
		add("bad", "its spool is full: reading waits")
	}
	if n := len(a.Host.Updates.Security); n > 0 {
		add("late", "%s", ui.Plural(int64(n), "update for security waits", "updates for security wait"))
	}
	if n := len(a.Gaps); n > 0 {
		add("bad", "%s", ui.Plural(int64(n), "loss of lines", "losses of lines"))
	}
	switch left := a.Expires.Sub(v.now); {
	case left <= 0:
		add("bad", "its certificate has ended: let it join again")
	case left < renewalDue:
		add("late", "its certificate ends in %s and was not renewed", ui.Span(left))
	}
	return out
}

// agentAlarms is what must not be missed on the page of an agent.
func agentAlarms(a desk.Agent) (out []ui.Problem) {
	if !a.Revoked.IsZero() {
		return nil
	}
	if c := a.Host.Clock; c.Known && c.Offset.Abs() >= clockWild {
		out = append(out, ui.Problem{Grave: true, Says: "The clock of this host is " + clockWord(c) + ".",
			Mend: "Both times are kept: the one that stands in its lines, and when they came here. Rules that count within minutes may miss what happens on this host together with others. Set its clock, and let it follow a time server."})
	}
	if full := a.Host.Spool.Full; !full.IsZero() {
		out = append(out, ui.Problem{Grave: true, Says: "Its spool is full (" + waiting(a.Host.Spool) + "): the agent reads nothing more until this server takes what waits.",
			Mend: "Logs are read on where it stopped, unless they are removed meanwhile. See whether the archive here can be written, or raise spool_mib on the host."})
	}
	return out
}

// clockWord words how far a clock is off: "3 s slow, give or take 2 ms".
func clockWord(c record.Clock) string {
	if !c.Known {
		return "not measured"
	}
	off := c.Offset.Abs()
	if off <= clockOff {
		return "right, give or take " + max(off, c.Within.Abs()).Round(time.Millisecond).String()
	}
	word := ui.Span(off)
	if years := off / (365 * 24 * time.Hour); years > 0 {
		word = ui.Plural(int64(years), "year", "years")
	}
	if c.Offset > 0 { // what is to be added to it
		return word + " slow"
	}
	return word + " fast"
}

// waiting words what waits on a host to be sent.
func waiting(s record.Spool) string {
	if s.Batches == 0 {
		return "nothing"
	}
	return fmt.Sprintf("%s, %s of %s", ui.Plural(s.Batches, "batch", "batches"), bytesWord(uint64(max(0, s.Bytes))), bytesWord(uint64(max(0, s.Limit))))
}

// bytesWord words a size in the unit that fits.
func bytesWord(n uint64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	k, rest := 0, float64(n)
	for ; rest >= 1024 && k < len(units)-1; k++ {
		rest /= 1024
	}
	if k == 0 || rest >= 100 {
		return fmt.Sprintf("%.0f %s", rest, units[k])
	}
	return fmt.Sprintf("%.1f %s", rest, units[k])
}
