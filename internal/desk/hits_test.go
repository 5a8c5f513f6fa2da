package desk

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRuleHoursAreBounded(t *testing.T) {
	far := int64(400_000)
	for _, x := range []struct {
		name  string
		hours []int64
		first int64
		want  map[int]int64 // by place
		long  int
	}{
		{"one", []int64{far}, far, map[int]int64{0: 1}, 1},
		{"the same twice", []int64{far, far}, far, map[int]int64{0: 2}, 1},
		{"a later one", []int64{far, far + 3}, far, map[int]int64{0: 1, 3: 1}, 4},
		{"an earlier one", []int64{far, far - 2}, far - 2, map[int]int64{0: 1, 2: 1}, 3},
		{"the last that is kept", []int64{far, far - hoursKept + 1}, far - hoursKept + 1, map[int]int64{0: 1, hoursKept - 1: 1}, hoursKept},
		{"one too old", []int64{far, far - hoursKept}, far, map[int]int64{0: 1}, 1},
		{"one much too old", []int64{far, -far}, far, map[int]int64{0: 1}, 1},
		{"old ones go", []int64{far, far + 1, far + hoursKept}, far + 1, map[int]int64{0: 1, hoursKept - 1: 1}, hoursKept},
		{"all go", []int64{far, far + 1, far * 9}, far * 9, map[int]int64{0: 1}, 1},
	} {
		var h ruleHours
		for _, hour := range x.hours {
			h.add(hour)
		}
		want := make([]int64, x.long)
		for at, n := range x.want {
			want[at] = n
		}
		if h.First != x.first || !cmp.Equal(h.N, want) {
			t.Errorf("%s: %d %v", x.name, h.First-far, h.N)
		}
	}
}

func TestHitsOfRulesThatAreGoneGo(t *testing.T) {
	x := ruleHits{"now": {First: 5000, N: []int64{1}}, "gone": {First: 5000 - hoursKept, N: []int64{7}}, "old": {First: 5001 - hoursKept, N: []int64{7}}}
	got := x.copied()
	if got["now"] == nil || got["old"] == nil || got["gone"] != nil {
		t.Errorf("kept %v", got)
	}
	if y := (ruleHits{"nil": nil, "empty": {}, "long": {N: make([]int64, hoursKept+1)}, "good": {N: []int64{1}}}).fit(); len(y) != 1 {
		t.Errorf("a broken file's hits are %v", y)
	}
}

// Matches are counted by the hour of the records, and a restart loses and doubles none; a new rule gets its past.
func TestHitsByHourOutliveARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d, stop := h.start()
		begun := time.Now()
		for n := range 5 {
			h.feed(d, request(time.Now(), "192.0.2.7", "/evil"), request(time.Now().Add(-3*time.Hour), "192.0.2.8", "/evil"))
			if n == 2 {
				h.feed(d, request(time.Now(), "192.0.2.7", "/knock"))
			}
			time.Sleep(time.Hour)
		}
		synctest.Wait()
		last := begun.Add(4 * time.Hour)
		want := map[string][]int64{evilRule: {1, 1, 2, 2, 1, 1, 1, 1}}
		want[evilRule] = hoursOf(begun, last, -3, -2, -1, 0, 1, 0, 1, 2, 3, 4)
		if diff := cmp.Diff(want, d.RuleHours("", len(want[evilRule]), last)); diff != "" {
			t.Error(diff)
		}
		stop()
		d, stop = h.start()
		synctest.Wait()
		if diff := cmp.Diff(want, d.RuleHours(evilRule, len(want[evilRule]), last)); diff != "" {
			t.Errorf("after a restart: %s", diff)
		}
		stop()
		h.o.Rules = testRules(t, countRule).Rules
		d, stop = h.start()
		defer stop()
		synctest.Wait()
		base := "11111111-1111-4111-8111-000000000098"
		want[base] = make([]int64, 8)
		want[base][5] = 1
		if diff := cmp.Diff(want, d.RuleHours("", 8, last)); diff != "" {
			t.Errorf("with a new rule: %s", diff)
		}
	})
}

// hoursOf counts hours after begun, up to that of last, from three hours before.
func hoursOf(begun, last time.Time, at ...int) []int64 {
	out := make([]int64, 3+int(last.Sub(begun)/time.Hour)+1)
	for _, k := range at {
		out[k+3]++
	}
	return out
}

func TestRuleHoursAskedForOddly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d, stop := h.start()
		defer stop()
		h.feed(d, request(time.Now(), "192.0.2.7", "/evil"))
		synctest.Wait()
		for hours, want := range map[int]int{-1: 1, 0: 1, 1: 1, 24: 24, 1 << 30: hoursKept} {
			got := d.RuleHours(evilRule, hours, time.Now())[evilRule]
			if len(got) != want || got[len(got)-1] != 1 {
				t.Errorf("%d hours: %s", hours, fmt.Sprint(got))
			}
		}
		if got := d.RuleHours(evilRule, 24, time.Now().Add(48*time.Hour)); len(got) != 0 {
			t.Errorf("two days later: %v", got)
		}
	})
}
