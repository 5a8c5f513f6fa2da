package desk

import (
	"errors"
	"strings"
	"testing"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/incident"
	"tocsin/internal/letterbox"
	"tocsin/internal/plan"
	"tocsin/internal/report"
)

// Given a report with attachments, when they become evidence of its incident, then each is there once with where it is from and its label, their bytes are the same, and
// neither who may not see the incident nor a report without one gets there.
func TestReportFilesBecomeEvidence(t *testing.T) {
	h := newHouse(t)
	h.o.Outside = &OutsideOptions{Limits: report.Usual()}
	d, stop := h.start()
	t.Cleanup(stop)
	h.team(d)
	anna, boris := person("anna", plan.Commander), person("boris", plan.Engineer)
	own, err := letterbox.NewKey()
	must(t, err)
	b, err := letterbox.Post(report.Parcel{What: "look", Files: []report.File{{Name: "../../evil\u202egnp.php", Size: 11, Data: []byte("<?php die()")}, {Name: "a.png", Size: 8, Data: []byte("\x89PNG\r\n\x1a\n")}}}, d.TeamKey(), own.Recipient())
	must(t, err, d.file(time.Now(), "n", report.Filing{From: report.Researcher, Way: report.Form, Receipt: d.receiptHash([]byte(strings.Repeat("1", 32))), Reply: own.Recipient()}, b))
	if _, _, err := d.BringReportFiles(anna, ReportEvidence{Report: 1}); !isField(err, "files") {
		t.Errorf("a report without an incident: %v", err)
	}
	id, err := d.DecideReport(anna, ReportDeed{Report: 1, Deed: "open"})
	must(t, err)
	if _, _, err := d.BringReportFiles(anna, ReportEvidence{Report: 1, Files: []int{3}}); !isField(err, "files") {
		t.Errorf("an attachment that there is not: %v", err)
	}
	if _, _, err := d.BringReportFiles(anna, ReportEvidence{Report: 1, Label: "PINK"}); err == nil {
		t.Error("a label that there is not is taken")
	}
	at, got, err := d.BringReportFiles(anna, ReportEvidence{Report: 1, Files: []int{1}, Why: "web shell", Label: "RED"})
	must(t, err)
	if at != id || len(got) != 1 || got[0] != (BroughtFile{1, 1, false}) {
		t.Fatalf("%d: %+v", at, got)
	}
	_, got, err = d.BringReportFiles(anna, ReportEvidence{Report: 1})
	must(t, err)
	if len(got) != 2 || got[0] != (BroughtFile{1, 1, true}) || got[1] != (BroughtFile{2, 2, false}) {
		t.Fatalf("again: %+v", got)
	}
	d.Read(func(s *State) {
		files := s.FilesOf(id)
		if len(files) != 2 {
			t.Fatalf("%d attachments", len(files))
		}
		f := files[0]
		if name := d.Text(f.Name); name != "evilgnp.php" {
			t.Errorf("its name is %q", name)
		}
		if from := d.Text(f.From); !strings.Contains(from, "report 1 from outside, attachment 1") || !strings.Contains(from, "form") || d.Text(f.Why) != "web shell" || f.Person != "anna" {
			t.Errorf("it is from %q, because of %q, by %s", from, d.Text(f.Why), f.Person)
		}
		if l := s.Incidents.Label(id, "attachment:1"); l != "RED" || s.Incidents.Label(id, "attachment:2") == "RED" {
			t.Errorf("its label is %s", l)
		}
		if files[1].Kind != "image" {
			t.Errorf("a picture is kept as %s", files[1].Kind)
		}
	})
	if f, err := d.OpenFile(anna, id, 2, "look"); err != nil || string(f.Bytes) != "\x89PNG\r\n\x1a\n" || !f.Sound {
		t.Errorf("%+v, %v", f, err)
	}
	must(t, d.Restrict(anna, id, "insider", []string{"anna"}))
	if _, _, err := d.BringReportFiles(boris, ReportEvidence{Report: 1}); !errors.Is(err, ErrNoOutsideReport) {
		t.Errorf("who may not see the incident: %v", err)
	}
	if _, _, err := d.BringReportFiles(auth.Actor{Name: "anna", Local: true}, ReportEvidence{Report: 1}); !isField(err, "person") {
		t.Errorf("nobody: %v", err)
	}
	must(t, d.Finish(anna, id, "false", "a test", ""))
	if _, _, err := d.BringReportFiles(anna, ReportEvidence{Report: 1}); !errors.Is(err, incident.ErrClosed) {
		t.Errorf("an incident that is closed: %v", err)
	}
}

func isField(err error, field string) bool {
	x, ok := errors.AsType[FieldError](err)
	return ok && x.Field == field
}
