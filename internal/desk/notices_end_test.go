package desk

import (
	"context"
	"testing"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/notify"
	"tocsin/internal/plan"
)

// Many notices may end while the program does. Each is written down, and nothing that the debt loop owns is touched meanwhile.
func TestNoticesThatEndWithTheProgram(t *testing.T) {
	h := newHouse(t)
	const many = 20 // as many as one person may have
	begun := make(chan struct{}, many)
	h.o.Senders[plan.Mail] = func(ctx context.Context, _ notify.Message) error {
		begun <- struct{}{}
		<-ctx.Done()
		return nil
	}
	d, stop := h.start()
	h.team(d)
	for n := range many {
		h.ask(d, entry.Notice{Mode: plan.Digest, Hour: n}, "")
	}
	ask := func(id int64) {
		if err := d.TestNotice(Local("test"), id); err != nil {
			t.Error(err)
		}
	}
	for id := range many {
		ask(int64(id) + 1)
	}
	for range many {
		select {
		case <-begun:
		case <-time.After(20 * time.Second):
			t.Fatal("they are not sent")
		}
	}
	stop()
	d, stop = h.start()
	defer stop()
	h.want(d, entry.NoticeSent, many)
}
