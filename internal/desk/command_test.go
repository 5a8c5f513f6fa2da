package desk

import (
	"testing"
	"time"

	"tocsin/internal/entry"
)

// Given entries of how an incident is commanded, when the state folds them, then none is unknown, and the incident has them.
func TestTheStateFoldsACommand(t *testing.T) {
	s := newState()
	at := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	for n, x := range []entry.Draft{
		{Kind: entry.IncidentOpened, Body: entry.Opened{ID: 1, Title: "r", Severity: "high", Happened: at}},
		{Kind: entry.IncidentOpened, Body: entry.Opened{ID: 2, Title: "r", Severity: "high", Happened: at}},
		{Kind: entry.IncidentStated, Body: entry.Statement{Incident: 1, Text: "v"}},
		{Kind: entry.IncidentLabelled, Body: entry.Label{Incident: 1, Label: "RED"}},
		{Kind: entry.CausePut, Body: entry.Cause{Incident: 1, Class: "supplier", Text: "v"}},
		{Kind: entry.LessonsPut, Body: entry.Lessons{Incident: 1, Text: "v"}},
		{Kind: entry.DecisionAsked, Body: entry.Decision{Incident: 1, ID: 1, Text: "v", Options: []string{"v1", "v2"}}},
		{Kind: entry.DecisionMade, Body: entry.Choice{Incident: 1, ID: 1, Option: 1, Person: "anna", Text: "v"}},
		{Kind: entry.DecisionAsked, Body: entry.Decision{Incident: 1, ID: 2, Text: "v", Options: []string{"v1", "v2"}}},
		{Kind: entry.DecisionWithdrawn, Body: entry.Reply{Incident: 1, ID: 2, Person: "anna", Text: "v"}},
		{Kind: entry.QuestionAsked, Body: entry.Question{Incident: 1, ID: 1, Text: "v", Person: "anna"}},
		{Kind: entry.QuestionAnswered, Body: entry.Reply{Incident: 1, ID: 1, Person: "anna", Text: "v"}},
		{Kind: entry.QuestionAsked, Body: entry.Question{Incident: 1, ID: 2, Text: "v", Person: "anna"}},
		{Kind: entry.QuestionWithdrawn, Body: entry.Reply{Incident: 1, ID: 2, Person: "anna", Text: "v"}},
		{Kind: entry.HandoverGiven, Body: entry.Handover{Incident: 1, ID: 1, From: "anna", To: "boris", Text: "v"}},
		{Kind: entry.HandoverTaken, Body: entry.Reply{Incident: 1, ID: 1, Person: "boris"}},
		{Kind: entry.TaskAdded, Body: entry.Task{Incident: 1, ID: 1, Title: "v", Person: "anna", Due: at}},
		{Kind: entry.TaskReminded, Body: entry.Reminder{Incident: 1, ID: 1, Stage: "due", Due: at}},
		{Kind: entry.TaskUnreminded, Body: entry.Unreminded{Incident: 1, ID: 1, N: 18, People: []string{"anna"}}},
		{Kind: entry.TaskChanged, Body: entry.Task{Incident: 1, ID: 1, Title: "v", Role: "legal", Text: "v"}},
		{Kind: entry.TaskDone, Body: entry.Reply{Incident: 1, ID: 1, Person: "anna"}},
		{Kind: entry.TaskAdded, Body: entry.Task{Incident: 1, ID: 2, Title: "v", Person: "anna"}},
		{Kind: entry.TaskDropped, Body: entry.Reply{Incident: 1, ID: 2, Person: "anna", Text: "v"}},
		{Kind: entry.IncidentNoted, Body: entry.Note{ID: 1, Text: "v", Role: "legal"}},
		{Kind: entry.NoteEdited, Body: entry.NoteEdit{Incident: 1, Note: 24, Text: "v2", Before: 24, Person: "anna"}},
		{Kind: entry.NotePinned, Body: entry.NotePin{Incident: 1, Note: 24, Person: "anna"}},
		{Kind: entry.AttachmentAdded, Body: entry.File{Incident: 1, ID: 1, SHA256: "ab", Vault: "v", Name: "v", Kind: "log", Person: "anna", From: "v"}},
		{Kind: entry.AttachmentPassed, Body: entry.FilePass{Incident: 1, ID: 1, Person: "anna", To: "v", Why: "v"}},
		{Kind: entry.AttachmentRead, Body: entry.FileRead{Incident: 1, ID: 1, Person: "anna", SHA256: "cd"}},
		{Kind: entry.HandoverGiven, Body: entry.Handover{Incident: 1, ID: 2, From: "boris", To: "anna", Text: "v"}},
		{Kind: entry.HandoverWithdrawn, Body: entry.Reply{Incident: 1, ID: 2, Person: "boris", Text: "v"}},
		{Kind: entry.IncidentMerged, Body: entry.Merge{Incident: 2, Into: 1, Text: "v"}},
		{Kind: entry.IncidentUnmerged, Body: entry.Merge{Incident: 2, Into: 1, Text: "v"}},
	} {
		x.Actor, x.Subject = "person:anna", "incident:1"
		e, _, err := entry.Make(int64(n)+1, at, x)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.apply(e); err != nil {
			t.Fatalf("%s: %v", x.Kind, err)
		}
	}
	i, err := s.Incidents.Get(1)
	if err != nil {
		t.Fatal(err)
	}
	if c := i.Command(); len(c.Decisions) != 2 || len(c.Files[0].Faults) != 1 || len(s.Incidents.Mine("anna", nil)) != 0 || len(i.Timeline) != 32 {
		t.Errorf("%d lines, %+v", len(i.Timeline), c)
	}
}
