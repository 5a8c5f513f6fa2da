package desk

import (
	"errors"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/plan"
	"tocsin/internal/tuning"
	"tocsin/internal/vault"
)

// Given a closed incident whose attacker left something, when the watch for its return cannot be begun, then that is said, and it is tried again later and later until it can.
func TestAWatchThatCannotBeginIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		o := h.o
		o.Data, o.Keys = sickLayer{h.data, &h.ill}, h.keys
		d, err := Open(slog.New(slog.NewTextHandler(h, nil)), o)
		must(t, err)
		h.team(d)
		anna := person("anna", plan.Commander)
		id, err := d.Report(anna, "it burns")
		must(t, err)
		_, err = d.AddFile(anna, id, FileText{Name: "x.php", Kind: "code", From: "shop1"}, strings.NewReader("<?php"))
		must(t, err, d.Finish(anna, id, "true", "over", "none of it is known"))
		try := func(when string, after time.Duration, begun int, fault string) {
			t.Helper()
			time.Sleep(after)
			d.settleReturns(time.Now())
			h.want(d, entry.RecurrenceBegun, begun)
			if got := d.ReturnFault(id, 0); !strings.Contains(got, fault) || (got == "") != (fault == "") {
				t.Errorf("%s, it says %q, want %q", when, got, fault)
			}
		}
		h.sick(vaultDir, syscall.ENOSPC)
		try("with a full disk", 0, 0, "is not watched for yet")
		if !strings.Contains(h.logged(), "it is tried again") {
			t.Errorf("the log says nothing of it: %s", h.logged())
		}
		try("once more", time.Minute, 0, "is not watched for yet")
		h.sick("", nil)
		try("too early", 2*time.Minute, 0, "is not watched for yet")
		try("with room again", 4*time.Minute, 1, "")
		must(t, d.Close())
	})
}

// Given a watch whose values cannot be read, when the set is built, then that is said, and it is read again after a minute.
func TestAWatchThatCannotBeReadIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		d := h.still()
		h.team(d)
		anna := person("anna", plan.Commander)
		id, err := d.Report(anna, "it burns")
		must(t, err)
		_, err = d.AddFile(anna, id, FileText{Name: "x.php", Kind: "code", From: "shop1"}, strings.NewReader("<?php"))
		must(t, err, d.Finish(anna, id, "true", "over", "none of it is known"))
		d.settleReturns(time.Now())
		watch := int64(0)
		d.Read(func(s *State) { watch = s.Returns.Of(id, time.Now()).ID })
		if got := d.ReturnFault(id, watch); got != "" || d.returns.set.Load() == nil {
			t.Fatalf("it is watched for, and it says %q", got)
		}
		ref := ""
		d.Read(func(s *State) { ref = s.Returns.All[0].Vault; s.Returns.All[0].Vault = "none" })
		d.relistReturns()
		if got := d.ReturnFault(id, watch); !strings.Contains(got, "cannot be read") || d.returns.set.Load() != nil {
			t.Errorf("what is watched for cannot be read, and it says %q", got)
		}
		d.Read(func(s *State) { s.Returns.All[0].Vault = ref })
		time.Sleep(30 * time.Second)
		d.settleReturns(time.Now())
		if d.returns.set.Load() != nil {
			t.Error("it is read anew in each round of the bell")
		}
		time.Sleep(time.Minute)
		d.settleReturns(time.Now())
		if got := d.ReturnFault(id, watch); got != "" || d.returns.set.Load() == nil {
			t.Errorf("it can be read again, and it says %q", got)
		}
		must(t, d.Close())
	})
}

// Given alerts that cannot be read, when their trails are asked for, then they are counted; of those that were erased nothing is to be known.
func TestTrailsCountWhatTheyLose(t *testing.T) {
	h := newHouse(t)
	d := h.still()
	defer d.Close()
	erased, err := d.vault.Put([]byte("{}"))
	must(t, err, d.erase([]string{erased}))
	if _, err := d.Details(erased); !errors.Is(err, vault.ErrErased) {
		t.Fatal(err)
	}
	got, lost, err := d.trails([]string{erased, "none", "none either"}, []string{"ab"})
	if err != nil || lost != 2 || len(got) != 1 || got[0].Kind != tuning.Hash {
		t.Errorf("%+v, %d lost, %v", got, lost, err)
	}
}
