package desk

import (
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/notify"
	"tocsin/internal/plan"
)

var furtherIn = regexp.MustCompile(`and (\d+) further sign-ins? of`)
var singleIn = regexp.MustCompile(`(?m)^u\d+ signed in by SSH\.$`)

// The law of notices: whatever comes when, whatever fails for a while, and whenever the program is stopped, with or without its
// snapshot: in the end each sign-in was told once.
func TestNoticesLaw(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { noticesLaw(t, rand.New(rand.NewPCG(seed, 7))) })
		})
	}
}

func noticesLaw(t *testing.T, r *rand.Rand) {
	h := newHouse(t)
	d, stop := h.start()
	h.team(d)
	mode := entry.Notice{Mode: plan.Each, Realms: []string{"ssh"}}
	if r.IntN(3) == 0 {
		mode = entry.Notice{Mode: plan.New, New: []string{plan.NewAddress}, Realms: []string{"ssh"}}
	}
	h.ask(d, mode, "")
	total := 0
	for range 40 {
		switch r.IntN(8) {
		case 0:
			stop()
			if r.IntN(2) == 0 {
				_ = h.data.Remove(readerFile) // there may be none yet
			}
			time.Sleep(time.Duration(r.IntN(90)) * time.Second)
			d, stop = h.start()
		case 1:
			h.failing(func(context.Context, notify.Message) error { return &notify.Failure{Temporary: true, Reason: "down"} })
		case 2:
			h.failing(nil)
		case 3:
			time.Sleep(time.Duration(r.IntN(600)) * time.Second)
			h.failing(nil) // no outage lasts longer than notices are tried
		default:
			for range 1 + r.IntN(1+r.IntN(30)) {
				total++
				h.signin(d, sshAccepted(time.Now(), fmt.Sprintf("u%d", total), fmt.Sprintf("203.0.113.%d", r.IntN(256))))
			}
			time.Sleep(time.Duration(r.IntN(40)) * time.Second)
		}
		if r.IntN(2) == 0 {
			synctest.Wait()
		}
	}
	h.failing(nil)
	time.Sleep(time.Hour)
	synctest.Wait()
	defer stop()
	told, seen := 0, map[string]bool{}
	for _, m := range h.sent() {
		for _, line := range singleIn.FindAllString(m.Body, -1) {
			if seen[line] {
				t.Errorf("told twice: %s", line)
			}
			seen[line] = true
			told++
		}
		for _, x := range furtherIn.FindAllStringSubmatch(m.Body, -1) {
			n, err := strconv.Atoi(x[1])
			if err != nil {
				t.Fatal(err)
			}
			told += n
		}
	}
	if told != total {
		t.Errorf("%d sign-ins, %d told in %d messages", total, told, len(h.sent()))
	}
}
