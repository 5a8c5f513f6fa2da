package entry

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Given any changes of an agenda, when it is asked, then it says what a plain map would.
func TestAgendaIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a Agenda[int]
		plain := map[int]time.Time{}
		for range rapid.IntRange(1, 400).Draw(t, "changes") {
			k, at := rapid.IntRange(0, 9).Draw(t, "key"), rapid.IntRange(0, 30).Draw(t, "at")
			when := time.Time{}
			if delete(plain, k); at > 0 {
				when = time.Unix(int64(at), 0)
				plain[k] = when
			}
			a.Set(k, when)
			var next time.Time
			var due []int
			now := time.Unix(int64(rapid.IntRange(0, 31).Draw(t, "now")), 0)
			for k, at := range plain {
				if next.IsZero() || at.Before(next) {
					next = at
				}
				if !now.Before(at) {
					due = append(due, k)
				}
			}
			got := a.Due(now)
			slices.Sort(due)
			slices.Sort(got)
			if !a.Next().Equal(next) || !slices.Equal(got, due) {
				t.Fatalf("next %v, want %v; due %v, want %v", a.Next(), next, got, due)
			}
		}
	})
}
