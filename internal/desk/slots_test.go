package desk

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// Given somebody who has as many searches as one may, when another searches, then this one gets a slot at once, and has it before those of the first that wait.
func TestSlotsAreSharedFairly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(3)
		var anna []func()
		waiting, stop := context.WithCancel(context.Background())
		for range PerPerson {
			go func() {
				if back, ok := s.Take(waiting, "anna"); ok {
					anna = append(anna, back)
				}
			}()
			synctest.Wait()
		}
		if _, ok := s.Take(context.Background(), "anna"); ok {
			t.Error("a seventh search")
		}
		soon, end := context.WithTimeout(context.Background(), time.Second)
		defer end()
		back, ok := s.Take(soon, "boris")
		if !ok {
			t.Fatal("another person gets no slot")
		}
		if len(anna) != 2 {
			t.Errorf("%d searches of one person work", len(anna))
		}
		back()
		anna[0]()
		synctest.Wait()
		if len(anna) != 3 {
			t.Error("the next one that waits gets no slot")
		}
		stop()
		synctest.Wait()
		anna[1]()
		anna[2]()
		if len(s.of)+len(s.free) > 0 {
			t.Errorf("%v and %d slots are left", s.of, len(s.free))
		}
	})
}
