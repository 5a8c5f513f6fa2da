package desk

import (
	"fmt"
	"testing"
	"time"
)

// Given many keys, when a new one comes, then the oldest finished one of who has too many gives way, one that is unfinished never does, and who waits is told
// for how long.
func TestRoomForKeys(t *testing.T) {
	now := time.Date(2026, 11, 10, 12, 0, 0, 0, time.UTC)
	// keys adds n keys of an actor, each a second younger than the one before; the first is an hour old.
	keys := func(o *once, actor string, n int, r *Reply) {
		for k := range n {
			o.keys[fmt.Sprint(actor, k)] = asked{Actor: actor, At: now.Add(time.Duration(k)*time.Second - time.Hour), Reply: r}
		}
	}
	done := &Reply{Status: 200}
	for name, x := range map[string]struct {
		given func(*once)
		old   string
		wait  time.Duration
	}{
		"room":                        {func(o *once) { keys(o, "anna", onceEach-1, done) }, "", 0},
		"too many of one":             {func(o *once) { keys(o, "anna", onceEach, done) }, "anna0", 0},
		"too many of another":         {func(o *once) { keys(o, "boris", onceEach, done) }, "", 0},
		"the oldest is under way":     {func(o *once) { keys(o, "anna", onceEach, done); o.busy["anna0"] = true }, "anna1", 0},
		"the oldest has no known end": {func(o *once) { keys(o, "anna", onceEach, done); o.keys["anna0"] = asked{Actor: "anna", At: now} }, "anna1", 0},
		"none has a known end":        {func(o *once) { keys(o, "anna", onceEach, nil) }, "", 23 * time.Hour},
		"none has, one is over": {func(o *once) {
			keys(o, "anna", onceEach, nil)
			o.keys["anna7"] = asked{Actor: "anna", At: now.Add(-onceLasts)}
		}, "anna7", 0},
		"none has, one is under way":    {func(o *once) { keys(o, "anna", onceEach, nil); o.busy["anna7"] = true }, "", time.Second},
		"none has, others are finished": {func(o *once) { keys(o, "anna", onceEach, nil); keys(o, "boris", 9, done) }, "", 23 * time.Hour},
		"too many of all": {func(o *once) {
			keys(o, "anna", 1, done)
			keys(o, "carla", onceAtMost-1-onceEach+1, nil)
			keys(o, "boris", onceEach-1, done)
		}, "boris0", 0},
		"too many of all, as many are hers": {func(o *once) {
			keys(o, "anna", 3, done)
			keys(o, "boris", 3, done)
			keys(o, "carla", onceAtMost-6, nil)
		}, "anna0", 0},
		"too many of all, none finished": {func(o *once) { keys(o, "carla", onceAtMost, nil) }, "", 23 * time.Hour},
	} {
		o := &once{keys: map[string]asked{}, busy: map[string]bool{}}
		x.given(o)
		if old, wait := o.room("anna", now); old != x.old || wait != x.wait {
			t.Errorf("%s: %q and %v, want %q and %v", name, old, wait, x.old, x.wait)
		}
	}
}
