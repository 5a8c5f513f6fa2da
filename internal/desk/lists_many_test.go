package desk

import (
	"fmt"
	"testing"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/tuning"
)

// Many values go at once: an entry of the ledger has a limit, and one that is larger would stop the program from writing.
func TestManyValuesGoAtOnce(t *testing.T) {
	h := newHouse(t)
	d, stop := h.start()
	defer stop()
	var many []tuning.Listed
	for n := range 40_000 {
		many = append(many, tuning.Listed{Kind: tuning.Account, Text: fmt.Sprintf("account%d", n)})
	}
	if _, err := d.Watch(Local("test"), Listing{List: "feed", Values: many}); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	got, err := d.Unwatch(Local("test"), "feed", many[1:])
	if err != nil || got.Removed != len(many)-1 {
		t.Fatalf("%+v, %v", got, err)
	}
	if took := time.Since(begun); took > time.Minute {
		t.Errorf("it took %v", took)
	}
	if l := d.WatchLists(); len(l) != 1 || len(l[0].Values) != 1 {
		t.Errorf("%d lists", len(l))
	}
	if err := d.Broken(); err != nil {
		t.Error(err)
	}
	h.want(d, entry.ListRemoved, 5)
	if got, err := d.Watch(Local("test"), Listing{List: "feed", Values: many[:2]}); err != nil || got.Added != 1 || got.Known != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if l := d.WatchLists(); len(l[0].Values) != 2 {
		t.Errorf("%d values", len(l[0].Values))
	}
}

// The limit of all lists holds whichever way values come.
func TestListsAreBounded(t *testing.T) {
	h := newHouse(t)
	d, stop := h.start()
	defer stop()
	many := make([]tuning.Listed, tuning.MaxListed+1)
	for n := range many {
		many[n] = tuning.Listed{Kind: tuning.Account, Text: fmt.Sprint("a", n)}
	}
	if _, err := d.Watch(Local("test"), Listing{List: "feed", Values: many}); err == nil {
		t.Error("more values than all lists may hold were taken")
	}
	h.want(d, entry.ListPut, 0)
}
