package desk

import (
	"testing"

	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/playbook"
)

// Given each kind of line that a timeline has, when it is worded, then it says something: the page and the report have no other words for it.
func TestEachLineHasWords(t *testing.T) {
	d, s := &Desk{}, newState()
	for _, k := range []entry.Kind{entry.IncidentOpened, entry.AlertRaised, entry.IncidentSeverity, entry.IncidentPhase, entry.IncidentNoted, entry.IncidentAssigned, entry.IncidentClosed, entry.IncidentReopened,
		entry.IncidentRoleTaken, entry.IncidentRoleGiven, entry.IncidentRoleHanded, entry.IncidentRoleLeft, entry.IncidentRestricted, entry.IncidentUnrestricted, entry.IncidentHeld, entry.IncidentReleased,
		entry.IncidentAttached, entry.IncidentChannels, entry.RoomJoined, entry.RoomLeft, entry.RoomMuted, entry.RoomRecorded, entry.RoomEnded, entry.IncidentStated, entry.IncidentLabelled, entry.IncidentMerged,
		entry.IncidentUnmerged, entry.IncidentAffected, entry.CausePut, entry.LessonsPut, entry.DecisionAsked, entry.DecisionMade, entry.DecisionWithdrawn, entry.QuestionAsked, entry.QuestionAnswered,
		entry.QuestionWithdrawn, entry.HandoverGiven, entry.HandoverTaken, entry.HandoverWithdrawn, entry.TaskAdded, entry.TaskChanged, entry.TaskDone, entry.TaskDropped, entry.TaskReminded, entry.TaskUnreminded, entry.NoteEdited, entry.NotePinned,
		entry.AttachmentAdded, entry.AttachmentPassed, entry.AttachmentRead, entry.FactAnswered, entry.StepDone} {
		if m := d.Moment(s, incident.Mark{Kind: k, From: incident.Affected, Why: []string{"commander"}}); m.Says == "" {
			t.Errorf("%s has no words", k)
		}
	}
	for _, k := range []entry.Kind{entry.RunBegun, entry.RunMoved, entry.RunStopped, entry.StepTaken, entry.StepLeft, entry.StepDone, entry.StepSkipped, entry.StepReopened, entry.StepApproved, entry.StepDenied, entry.StepLate} {
		if m, _ := DeedMoment(&playbook.Run{}, playbook.Deed{Kind: k}); m.Says == "" {
			t.Errorf("%s has no words", k)
		}
	}
}
