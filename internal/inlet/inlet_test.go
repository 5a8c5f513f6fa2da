package inlet

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"tocsin/internal/record"
)

// Given an archive that refuses, when a batch is sent, then the same batch is tried again, ever less often, until it is kept; and it is told
// once that lines cannot be kept, and once that they can.
func TestSendTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tries []time.Duration
		var numbers []uint64
		begun := time.Now()
		s := newSender(func(b record.Batch) (record.Receipt, error) {
			tries = append(tries, time.Since(begun))
			numbers = append(numbers, b.Number)
			if len(tries) < 8 {
				return record.Receipt{}, errors.New("the disk is full")
			}
			return record.Receipt{}, nil
		}, "a")
		log := &logged{}
		tally := newTally(slog.New(slog.NewTextHandler(log, nil)), "door")
		if err := s.send(t.Context(), tally, record.Batch{Lines: []record.Line{{Raw: "abc"}}}, 1); err != nil {
			t.Fatal(err)
		}
		ms := func(n ...int) (out []time.Duration) {
			for _, x := range n {
				out = append(out, time.Duration(x)*time.Millisecond)
			}
			return out
		}
		if d := cmp.Diff(ms(0, 250, 750, 1750, 3750, 7750, 12750, 17750), tries); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]uint64{1, 1, 1, 1, 1, 1, 1, 1}, numbers); d != "" {
			t.Error(d)
		}
		if c := tally.read(); c.Lines != 1 || c.Bytes != 3 || c.Cut != 1 || c.Stuck != "" || strings.Count(log.String(), "cannot be kept") != 1 || strings.Count(log.String(), "kept again") != 1 {
			t.Errorf("%+v\n%s", c, log.String())
		}
	})
}

// Given a stop while the archive refuses, when a batch waits, then it is tried once more, and what is lost then is counted.
func TestSendAtStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		s := newSender(func(record.Batch) (record.Receipt, error) {
			tries++
			return record.Receipt{}, errors.New("the disk is full")
		}, "")
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		tally := newTally(quietLog(), "door")
		if err := s.send(ctx, tally, record.Batch{Lines: make([]record.Line, 7)}, 0); err == nil || tries != 4 {
			t.Errorf("%v after %d tries", err, tries)
		}
		if c := tally.read(); c.Refused[NotKept] != 7 || c.Lines != 0 {
			t.Errorf("%+v", c)
		}
	})
}

// Given many refusals of one reason, when they are told of, then the log has one line a minute, which says how many there were.
func TestRefusalsAreToldOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &logged{}
		tally := newTally(slog.New(slog.NewTextHandler(log, nil)), "door")
		for range 180 {
			tally.refuse(BadPeer, 2, "192.0.2.1", "Why.")
			time.Sleep(time.Second)
		}
		if n := strings.Count(log.String(), "\n"); n != 3 || !strings.Contains(log.String(), "times=120") {
			t.Errorf("%d lines:\n%s", n, log.String())
		}
		if c := tally.read(); c.Refused[BadPeer] != 360 || c.Why != "192.0.2.1: Why." {
			t.Errorf("%+v", c)
		}
	})
}
