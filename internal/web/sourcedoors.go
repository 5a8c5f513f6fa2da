package web

import (
	"maps"
	"slices"
	"strings"

	"tocsin/ui"
)

// A doorCount is what a door refused, in words.
type doorCount struct {
	note    string
	host    string // how many are at it now
	refused []ui.Fact
	why     string // of the last refusal; a sender may have chosen its words
}

// doorSays says what is to be known of each door, by its name.
func (s *Server) doorSays() map[string]doorCount {
	out := map[string]doorCount{}
	for _, c := range s.desk.Doors() {
		d := doorCount{note: c.Note, why: c.Why, host: "this host, " + ui.Plural(int64(c.Open), "sender now", "senders now")}
		if strings.HasPrefix(c.Door, "s3:") {
			d.host = "this host"
		}
		for _, r := range slices.Sorted(maps.Keys(c.Refused)) {
			if n := c.Refused[r]; n > 0 {
				d.refused = append(d.refused, ui.Fact{Name: string(r), Value: ui.Number(n)})
			}
		}
		out[c.Door] = d
	}
	return out
}

// throughDoor says whether lines with this file came through a door that is open: http:lines, and http:lines/access.log.
func throughDoor(doors map[string]doorCount, file string) bool {
	door, _, _ := strings.Cut(file, "/")
	_, is := doors[door]
	return is
}
