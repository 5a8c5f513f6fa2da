package web

import "time"

// both writes a moment in a sentence: in the reader's zone, with UTC beside. A list has v.at, which says how long ago it was, too.
func (v *visit) both(t time.Time) string {
	local, utc := t.In(v.zone), t.UTC()
	if _, offset := local.Zone(); offset == 0 {
		return utc.Format("2 Jan 2006, 15:04 UTC")
	}
	layout := "15:04 UTC"
	if local.Day() != utc.Day() {
		layout = "2 Jan 15:04 UTC"
	}
	return local.Format("2 Jan 2006, 15:04 MST") + " (" + utc.Format(layout) + ")"
}

// zoned is a hint that shows how a time is typed, and in which zone it is read.
func (v *visit) zoned(hint string) string { return hint + " (" + v.zone.String() + ")" }

// typed writes a moment as its reader would type it, so that it is read back as the same one: in their zone, and in UTC in the hour that comes twice when clocks go back.
func (v *visit) typed(t time.Time, layout string) string {
	s := t.In(v.zone).Format(layout)
	if again, err := time.ParseInLocation(layout, s, v.zone); err != nil || !again.Equal(t.Truncate(time.Minute)) && !again.Equal(t.Truncate(time.Second)) {
		return t.UTC().Format(layout) + "Z"
	}
	return s
}
