package detect

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"testing"
)

// A snapshot that no program of ours wrote is refused, or at least harms nothing.
func TestDamagedSnapshots(t *testing.T) {
	set := rules(t, everything)
	d := New(set, Options{MaxGroups: 25, MaxWaiting: 8})
	for i := range 60 {
		ip := fmt.Sprintf("1.1.1.%d", i/3)
		run(d, fail(float64(i), ip, fmt.Sprint(i)), at(float64(i), "source.ip="+ip, "user.name=a", "transfer.bytes=3"))
	}
	data, err := d.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	groups := func(s *snapshot, change func(x *groupForm)) {
		for i := range s.Bins {
			for j := range s.Bins[i].Groups {
				change(&s.Bins[i].Groups[j])
			}
		}
	}
	for name, damage := range map[string]func(s *snapshot){
		"two groups of one number": func(s *snapshot) { groups(s, func(x *groupForm) { x.Hash = 7 }) },
		"groups without values":    func(s *snapshot) { groups(s, func(x *groupForm) { x.Values = nil }) },
		"groups without tracks":    func(s *snapshot) { groups(s, func(x *groupForm) { x.Tracks = nil }) },
		"an estimate cut short": func(s *snapshot) {
			groups(s, func(x *groupForm) { x.Sketch = &sketch{}; x.Sketch.Slices[3].Ranks = []uint8{1} })
		},
		"matches of no record": func(s *snapshot) {
			groups(s, func(x *groupForm) {
				for i := range x.Tracks {
					for j := range x.Tracks[i].Marks {
						x.Tracks[i].Marks[j].N = 0
					}
				}
			})
		},
		"what waits is of a rule that counts nothing": func(s *snapshot) {
			for i := 0; i < len(s.Waiters); i += waiterSize {
				s.Waiters[i], s.Waiters[i+42], s.Waiters[i+43] = 1, 0, 0
			}
		},
	} {
		s, err := decode(data)
		if err != nil {
			t.Fatal(err)
		}
		damage(s)
		var out bytes.Buffer
		if err := gob.NewEncoder(&out).Encode(s); err != nil {
			t.Fatal(err)
		}
		back := New(set, Options{MaxGroups: 9, MaxWaiting: 8})
		if err := back.Restore(out.Bytes()); err == nil && name[:4] != "what" {
			t.Errorf("%s: restored", name)
		}
		for i := range 60 {
			run(back, fail(float64(i), fmt.Sprintf("2.1.1.%d", i), "a"), fail(float64(i), fmt.Sprintf("2.1.1.%d", i), "b"))
		}
		if b := back.Broken(); len(b) > 0 {
			t.Errorf("%s: %v", name, b)
		}
	}
}
