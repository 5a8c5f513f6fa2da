package entry

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write golden files that do not exist yet; never changes one that does")

// t0 is a Black Friday.
var t0 = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)

var party = Party{Hash: "aa11", Net: "bb22", Role: "suspect", Realm: "admin", Country: "DE", Own: true, Shared: true}

// full has every field of every kind set.
var full = map[Kind]any{
	ProgramStarted:   Started{"0.1.0", true, 12, 1},
	ClockJumped:      Jumped{90 * time.Second},
	RulesLoaded:      Rules{"abcd", 40, 1, 2, 3, 4},
	SourceSilent:     Source{"cc33", "v0", t0, time.Hour, ""},
	SourceBack:       Source{"cc33", "v0", t0, time.Hour, ""},
	SourceAdded:      Source{"cc33", "v0", t0, 0, "agent-1"},
	AgentInvited:     AgentToken{"ab12", "web-1", t0},
	AgentJoined:      AgentJoin{"agent-1", "web-1", "ab12", "v15", "cd34", t0},
	AgentRenewed:     AgentCertificate{"agent-1", "cd35", t0},
	AgentRevoked:     AgentEnd{"agent-1", "v16"},
	AgentLost:        AgentSilence{"agent-1", t0, 40 * time.Second},
	AgentBack:        AgentSilence{"agent-1", t0, 40 * time.Second},
	AgentGap:         AgentLoss{"agent-1", "ef56", "v17", t0, t0},
	VaultErased:      Erased{[]string{"v1"}, "v2"},
	LinesSealed:      Lines{99, []Volume{{"nginx-access/2026-11-27/09-0000000000000000001-abcd0123", 90, 1, 99, "ee55", "ff66"}}, nil, ""},
	LinesJoined:      Lines{0, []Volume{{"nginx-access/2026-11-27/09-0000000000000000001-abcd0124", 180, 1, 199, "ee56", "ff67"}}, []string{"nginx-access/2026-11-27/09-0000000000000000001-abcd0123"}, ""},
	LinesExpired:     Lines{0, nil, []string{"nginx-access/2026-11-27/09-0000000000000000001-abcd0124"}, ""},
	LinesAside:       Lines{0, nil, []string{"nginx-access/2026-11-27/10-0000000000000000200-abcd0125"}, "its SHA-256 is another"},
	LinesExported:    LinesExport{"v14", 12, 3400, "aa77"},
	DossierMade:      Dossier{4, "anna", "pdf", "full", "AMBER", 1234, "ab12", "cd34"},
	AlertRaised:      Alert{"a1", "r1", "rv", "Card testing", "high", "attempt", t0, t0, t0, 7, 3, 9, true, []Party{party}, []Party{party}, []string{"s1"}, "v1", true, true, 4, "opened", 2, []string{"attack.t1190"}, true},
	AlertGrew:        AlertGrowth{"a1", "tenfold", "high", "loss", t0, 30, 9, true, []Party{party}, []Party{party}, []string{"s1"}, "v2", true, 4, "address"},
	AlertEnded:       AlertGrowth{ID: "a1", Step: "ended", Last: t0, Count: 30},
	IncidentOpened:   Opened{4, "Card testing", "high", []string{"level:high"}, t0, true, true, true},
	IncidentSeverity: Severity{4, "high", "critical", []string{"loss"}, "v3"},
	IncidentPhase:    Phase{4, "identification", "containment"},
	IncidentNoted:    Note{4, "v4", t0, t0, "legal"},
	IncidentAssigned: Assigned{4, "anna"},
	IncidentClosed:   Closed{4, "true", "v5", []string{"lessons"}, "v6"},
	IncidentReopened: Reopened{4, "v6"},
	IncidentHeld:     Held{4, "v6"},
	IncidentReleased: Held{4, "v6"},
	IncidentAttached: Attached{4, 2, 17, 90, "v15", "cc44"},
	MuteAdded:        Mute{2, "r1", "aa11", t0, "v7", "bb22", 24, "cc33", 9},
	MuteRemoved:      MuteEnd{2},
	HabitForgotten:   Unlearnt{"aa11", "ssh", 12, "v11"},
	ListPut:          List{1, "high", "v11", true},
	ListAdded:        ListBatch{1, 20, 3, "v12"},
	ListRemoved:      ListCut{1, []string{"dd44"}},
	PersonPut:        Person{"anna", []string{"commander"}, []string{"mail"}, "v8", true, nil},
	PersonPassword:   Password{"anna", "v9"},
	PolicyPut:        Policy{[]PolicyStep{{[]string{"everyone"}, []string{"mail"}, time.Minute, 0}}, 2, time.Minute, time.Minute, true, "night", time.Hour},
	PolicyEnded:      PolicyEnd{"night"},
	PolicyChosen:     PolicyTable{map[string]string{"critical": "night"}},
	PersonWays:       Ways{"anna", []Way{{"voice", time.Minute, []string{"critical"}, &Hours{"08:00", "20:00"}}}, &Hours{"22:00", "07:00"}, "Europe/Berlin"},
	PersonInvited:    Invitation{"anna", t0},
	PersonPIN:        PIN{"anna", "v30"},
	KeyPut:           Key{"anna", "openpgp", "D8A4", "v31", "wkd", true, true},
	MailKeyMade:      MailKey{"D8A4", t0, "C7B3", "v33"},
	MailKeyRevoked:   MailKeyEnd{"D8A4", true, "v34"},
	KeyConfirmed:     KeyCheck{"anna", "D8A4"},
	KeyRemoved:       KeyEnd{"anna", "D8A4", "v32"},
	MaintenancePut:   Maintenance{2, t0, t0, []string{"high"}, "v20"},
	MaintenanceEnded: MaintenanceEnd{2},
	IncidentChannels: Barred{4, []string{"chat"}, "v21"},
	CallStepped:      CallStep{3, 1, "due", []CallRing{{"anna", "voice", t0, "quiet", 1}}, []CallSkip{{"schedule:web", "anna", "mail", "nobody"}}, true},
	CallPutOff:       CallHeld{3, 1, "throttle", t0, "mail", 4, 2},
	CallTaken:        Answer{3, "anna", "link"},
	CallPassed:       CallPass{3, 1, "anna", "voice"},
	CallSnoozed:      CallSnooze{3, "anna", "link", t0},
	CallResumed:      CallAgain{3, "snoozed"},
	BeatLost:         BeatSilence{"shop", t0, time.Minute},
	BeatBack:         BeatSilence{"shop", t0, time.Minute},
	SignedIn:         Signin{"anna", "bb22", "passkey", "s1", []string{"analyst"}, true},
	SigninRefused:    Refusals{"bb22", t0, 10},
	CallOpened:       Call{3, []int64{4}, "high", true, "anna", "mail", "default", "unattended", 2, nil, 0, ""},
	CallJoined:       CallJoin{3, 5},
	CallWanted:       CallTry{3, 2, 1, "anna", "mail", "call-3-2", 1, true, 2},
	CallSent:         CallResult{3, 2, true, false, false, 0, "", "", "openpgp", false},
	CallFailed:       CallResult{3, 2, true, true, true, time.Second, "v10", "barred", "clear", true},
	CallAnswered:     Answer{3, "anna", "link"},
	CallEnded:        CallEnd{3, "closed"},
	NoticeAsked:      Notice{2, "anna", "mail", []string{"ssh", "admin"}, "aa11", "v11", "new", 7, []string{"address", "country", "hour"}, 40},
	NoticeEnded:      NoticeEnd{2},
	NoticeWanted:     NoticeTry{2, 5, "anna", "mail", "notice-2-4", 12, 3, 90, "v12", true, 4, true},
	NoticeSent:       NoticeResult{2, 5, true, false, false, 0, "", "openpgp", true, ""},
	NoticeFailed:     NoticeResult{2, 5, true, true, true, time.Second, "v13", "clear", false, "bounced"},
	SchedulePut: Schedule{"web", "v18", "Europe/Berlin", []ScheduleLayer{{"nights", []string{"anna", "boris"}, "weekly", 14, "mon", "09:00", "2026-11-30",
		[]ScheduleHours{{[]string{"mon", "tue"}, "18:00", "08:00"}}, "gap", true}},
		[]ScheduleHoliday{{"christmas", "2026-12-24", "2026-12-26", "09:00", true, "nights", "carla"}}},
	ScheduleEnded:      ScheduleEnd{"web"},
	ScheduleOverridden: Override{3, "web", "anna", t0, t0.Add(time.Hour), "boris", true, "v19"},
	OverrideEnded:      OverrideEnd{3},
	PersonAbsent:       Absence{4, "anna", t0, t0.Add(time.Hour), "v20"},
	PersonBack:         AbsenceEnd{4},
	CalendarRenewed:    Calendar{"anna"},
	WebhookBegun:       Webhook{"tickets", 40, time.Time{}, 0, ""},
	WebhookFailed:      Webhook{"tickets", 41, t0, 5, "v21"},
	WebhookBack:        Webhook{"tickets", 42, t0, 0, ""},
	WebhookOff:         Webhook{"tickets", 41, t0, 90, "v22"},
	WebhookEnded:       Webhook{"tickets", 42, time.Time{}, 0, ""},
	PlaybookPut:        Playbook{"skimmer", "ab12", "v1", "ab11", "console", "v2", "anna", "boris"},
	PlaybookRetired:    PlaybookEnd{"skimmer", "v2"},
	RunBegun:           Run{7, 4, "skimmer", "ab12", "proposed"},
	RunMoved:           RunMove{7, "ab11", "ab12", "v2"},
	RunStopped:         RunEnd{7, "v2"},
	StepTaken:          StepWork{Run: 7, Step: "look", Person: "anna"},
	StepLeft:           StepWork{Run: 7, Step: "look", Person: "anna", Text: "v2"},
	StepDone:           StepResult{7, "look", "anna", []Fact{{0, 0, "verdict", "real", "", "", ""}}, []string{"f1"}, "v2"},
	StepSkipped:        StepWork{Run: 7, Step: "look", Person: "anna", Text: "v2"},
	StepReopened:       StepWork{Run: 7, Step: "look", Person: "anna", Text: "v2"},
	StepApproved:       StepWork{Run: 7, Step: "look", Person: "boris", Role: "commander"},
	StepDenied:         StepWork{Run: 7, Step: "look", Person: "boris", Role: "commander", Text: "v2"},
	StepLate:           StepOverdue{7, "look", t0, "analyst"},
	FactAnswered:       Fact{4, 7, "affected", "customers", "v3", "anna", "v2"},
	ContactPut:         Contact{7, "providers", "v20", "aa20", []string{"phone", "mail"}, "anna", "boris", 30},
	ContactChecked:     ContactCheck{7, "aa20"},
	ContactRemoved:     ContactEnd{7, "v21"},
	CardPut:            EmergencyCard{"v22", "aa22"},
	TemplatePut:        Template{2, "v23", "aa23", []string{"en", "de"}, true},
	RulePut:            StakeholderRule{3, "stakeholders", 7, "high", []string{"loss"}, time.Hour, 4 * time.Hour, true, 2, true, true},
	StatusPut:          Status{4, "v24", "aa24", t0},
	LinkRevoked:        StatusEnd{7, "v25"},
	UpdateWanted:       UpdateTry{9, 4, 3, 7, "opened", "mail", 2, "v26", "aa26", "update-9", 8, true},
	UpdateSent:         UpdateResult{9, true, false, false, 0, "v27", "signed", true, ""},
	UpdateFailed:       UpdateResult{9, true, true, true, time.Second, "v27", "clear", false, "bounced"},
	UpdateWaived:       UpdateWaiver{4, 3, 7, "again", "v28"},

	IncidentStated:    Statement{4, "v40", 39},
	IncidentLabelled:  Label{4, "attachment:3", "AMBER+STRICT", "v41"},
	IncidentMerged:    Merge{4, 2, "v42"},
	IncidentUnmerged:  Merge{4, 2, "v43"},
	IncidentAffected:  Affected{4, "anna", "v46", 1, 2, 3, 4, 38},
	CausePut:          Cause{4, "own-code", []Reason{{"", "v44", []Link{{"cve", "CVE-2026-12345"}}}}, []Reason{{"people", "v45", []Link{{"lines", "12"}}}}, "v46", 38},
	LessonsPut:        Lessons{4, "v47", "v48", "v49", 37},
	DecisionAsked:     Decision{4, 2, "v50", []string{"v51", "v52"}, 1},
	DecisionMade:      Choice{4, 2, 1, "anna", "v53"},
	DecisionWithdrawn: Reply{4, 2, "anna", "v54"},
	QuestionAsked:     Question{4, 3, "v55", "anna", "legal"},
	QuestionAnswered:  Reply{4, 3, "boris", "v56"},
	QuestionWithdrawn: Reply{4, 3, "anna", "v57"},
	HandoverGiven:     Handover{4, 1, "anna", "boris", []string{"commander"}, "v58"},
	HandoverTaken:     Reply{4, 1, "boris", "v59"},
	HandoverWithdrawn: Reply{4, 1, "anna", "v73"},
	TaskAdded:         Task{4, 5, "v60", "engineer", "", t0, ""},
	TaskChanged:       Task{4, 5, "v60", "", "boris", t0, "v61"},
	TaskDone:          Reply{4, 5, "boris", "v62"},
	TaskDropped:       Reply{4, 5, "boris", "v63"},
	TaskReminded:      Reminder{4, 5, "due", t0},
	TaskUnreminded:    Unreminded{4, 5, 17, []string{"anna"}, ""},
	NoteEdited:        NoteEdit{4, 12, "v64", t0, "legal", 12, "anna"},
	NotePinned:        NotePin{4, 12, true, "anna"},
	AttachmentAdded:   File{4, 3, "ab12", 900, "v65", "v66", "log", "AMBER", "anna", "v67", "v68"},
	AttachmentPassed:  FilePass{4, 3, "anna", "v69", "v70", "v71"},
	AttachmentRead:    FileRead{4, 3, "anna", "ab12", "v72"},

	IncidentRoleTaken:    IncidentRole{4, "legal", "anna", true, "", ""},
	IncidentRoleGiven:    IncidentRole{4, "legal", "anna", true, "", "v6"},
	IncidentRoleHanded:   IncidentRole{4, "legal", "boris", false, "anna", "v6"},
	IncidentRoleLeft:     IncidentRole{4, "legal", "anna", true, "", "v6"},
	IncidentRestricted:   Restriction{4, "insider", []string{"anna", "boris"}},
	IncidentUnrestricted: RestrictionEnd{4, 9, "v6"},
	ApprovalAsked:        Approval{9, "erase", "anna", "s1", "alert:a1", 4, "v6", "aa11", t0, true, t0},
	ApprovalGiven:        Approved{9, "boris", "s2", "aa11", true, "v6"},
	ApprovalDenied:       Approved{9, "boris", "s2", "aa11", false, "v6"},
	ApprovalExpired:      Approved{ID: 9},
	ApprovalDone:         ApprovalResult{9, true, "v6"},

	CredentialAdded:    Credential{"anna", "passkey", "k1", "v21", 0, false},
	CredentialRemoved:  Credential{"anna", "recovery", "", "v22", 9, true},
	TokenMade:          Token{"t1", "anna", []string{"note", "see"}, t0, "v23"},
	TokenRevoked:       Token{"t1", "anna", nil, time.Time{}, "v24"},
	SessionRevoked:     SessionEnd{"anna", "s1", 1},
	ChatPlaced:         ChatPlace{4, "C0123", "inc-4", "1700000000.000001", true},
	RoomJoined:         RoomSeat{4, "anna", "v30", 3, ""},
	RoomLeft:           RoomSeat{4, "anna", "v30", 3, "removed"},
	RoomMuted:          RoomSeat{4, "anna", "v30", 3, "silenced"},
	RoomRecorded:       RoomTape{4, true, "12/20261127T090000Z", "ab12", "v31"},
	RoomEnded:          RoomEnd{4},
	CredentialReplayed: Replay{"anna", "totp", "bb22"},
	ChangeWanted:       ChangeTry{3, "anna", "mail", "change-3", "v1", 40, []Change{{t0, "person:anna", CredentialAdded, "passkey"}}, 1, 2, true},
	ChangeSent:         NoticeResult{0, 3, true, false, false, 0, "", "openpgp", true, ""},
	ChangeFailed:       NoticeResult{0, 3, false, true, true, time.Minute, "v9", "", false, "bounced"},
	GlassMade:          Glass{1, 5, "v25"},
	GlassUsed:          GlassUse{3, "break-glass:3", "bb22", "s2", t0, "v26"},

	ReviewCalled:       ReviewCall{4, t0, "anna", []string{"anna", "boris"}, "v1", "aa11"},
	ReviewHeld:         ReviewMeeting{4, t0, []string{"anna", "boris"}, "v2", "aa12"},
	MeasurePut:         Measure{3, 4, "v3", "aa13", "anna", t0, 72 * time.Hour, "v4"},
	MeasureLinked:      MeasureLink{3, "playbook", "skimmer", "ab12"},
	MeasureDone:        MeasureStep{3, "anna", "v5"},
	MeasureVerified:    MeasureStep{3, "boris", "v6"},
	MeasureReopened:    MeasureStep{3, "boris", "v7"},
	MeasureDropped:     MeasureStep{3, "anna", "v8"},
	PartPut:            PlanPart{"playbook:skimmer", "anna", 91, true},
	PartAsked:          PartAsk{[]string{"roles", "playbook:skimmer"}, "threat", []string{"r1"}, t0, "v9"},
	PartRead:           PartReading{"roles", "ab12", "ab11", []string{"who", "deputies"}, 3, "anna", ""},
	PartApproved:       PartVerdict{ID: "roles", Revision: "ab12", Person: "boris"},
	PartRefused:        PartVerdict{"roles", "ab12", "boris", "v10", false},
	ThreatsSeen:        Threats{[]string{"r1", "r2"}, true, []string{"rules"}},
	ArchitectureSeen:   Architecture{"agent-1", map[string]string{"os": "aa14"}, []string{"os"}},
	ReminderWanted:     ReminderTry{7, "part:roles", t0, "owner", "anna", "mail", "reminder-7", 6, true},
	ReminderSent:       NoticeResult{0, 7, true, false, false, 0, "", "openpgp", true, ""},
	ReminderFailed:     NoticeResult{0, 7, true, true, true, time.Second, "v11", "clear", false, "bounced"},
	RecurrenceBegun:    Recurrence{2, 4, "v12", 31, 3, t0, t0.AddDate(0, 0, 14)},
	RecurrenceExtended: RecurrenceEnd{2, t0.AddDate(0, 0, 28), "v13"},
	RecurrenceEnded:    RecurrenceEnd{ID: 2, Text: "v14"},
	RecurrenceHit:      RecurrenceSign{2, "address", "aa15", "v15", t0, "a1"},
	ReportFiled:        report,
	ReportBundled:      ReportBundle{17, []Report{report}},
	ReportRead:         ReportStep{ID: 17, Person: "anna"},
	ReportOpened:       ReportStep{17, "anna", 4, true, "v41", &message, []ReportSpan{{17, 19}, {24, 24}}},
	ReportJoined:       ReportStep{17, "anna", 4, true, "v41", &message, []ReportSpan{{17, 19}, {24, 24}}},
	ReportAnswered:     ReportStep{ID: 17, Person: "anna", Message: &message},
	ReportClosed:       ReportStep{17, "anna", 0, true, "v41", &message, []ReportSpan{{17, 19}, {24, 24}}},
	ReportSpam:         ReportStep{ID: 17, Person: "anna", Bucket: true, Text: "v41"},
	ReportReopened:     ReportStep{ID: 17, Person: "anna", Text: "v41"},
	ReportTold:         told,
	ReportRung:         ReportWave{17, 1},
	ReportGrew:         ReportWave{17, 100},
	ReportGuessed:      ReportGuesses{t0, 10},
	ReportKeyMade:      ReportKey{"age1new", "v43", "age1old"},
	SecurityTextPut:    SecurityText{"v44", "aa44", t0, "D8A4"},
	ReportMailWanted:   ReportMail{17, 2, "v45", "report-17-2-aa45"},
	ReportMailSent:     ReportMailEnd{Report: 17, N: 2, Twice: true},
	ReportMailFailed:   ReportMailEnd{17, 2, true, t0, "v46", true},
}

var (
	report  = Report{17, "2026-11-27", "researcher", "form", "v40", 4096, true, "aa40", "age1reply", "de", 12}
	message = ReportMessage{17, 2, "2026-11-28", "v42", 4096, true, ""}
	told    = ReportMessage{17, 2, "2026-11-28", "v42", 4096, true, "aa42"}
)

// Golden files are for ever: what a ledger holds must read as it always did.
func TestGolden(t *testing.T) {
	for kind, body := range full {
		t.Run(string(kind), func(t *testing.T) {
			_, line, err := Make(7, t0, Draft{"desk", kind, "subject:1", body})
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Join("testdata", "kinds", string(kind)+".json")
			want, err := os.ReadFile(name)
			if os.IsNotExist(err) && *update {
				if err := os.WriteFile(name, append(line, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want = bytes.TrimSuffix(want, []byte("\n"))
			e, err := Parse(want)
			if err != nil {
				t.Fatalf("the golden entry no longer reads: %v", err)
			}
			back := reflect.New(reflect.TypeOf(body))
			if err := json.Unmarshal(e.Body, back.Interface()); err != nil {
				t.Fatal(err)
			}
			for field, value := range fields(t, e.Body) {
				if now, ok := fields(t, mustJSON(t, body))[field]; !ok || !reflect.DeepEqual(now, value) {
					t.Errorf("field %q of %s changed: was %v, is %v", field, kind, value, now)
				}
			}
			again, err := json.Marshal(e)
			if err != nil || !bytes.Equal(again, want) {
				t.Errorf("print of parse differs:\n%s\n%s (%v)", again, want, err)
			}
		})
	}
}

func fields(t *testing.T, b []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Every constant of type Kind has an example above, and so a golden file.
func TestEveryKindHasAnExample(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		n += examined(t, file)
	}
	if n != len(full) {
		t.Errorf("%d kinds, %d examples", n, len(full))
	}
}

// examined counts the kinds of a file, each of which must have an example.
func examined(t *testing.T, file *ast.File) (n int) {
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); !ok || typ.Name != "Kind" {
			return true
		}
		kind := Kind(strings.Trim(spec.Values[0].(*ast.BasicLit).Value, `"`))
		if _, ok := full[kind]; !ok {
			t.Errorf("kind %s has no example", kind)
		}
		n++
		return true
	})
	return n
}

func TestParseIsStrict(t *testing.T) {
	for _, bad := range []string{
		``, `{}x`, `{"n":1,"extra":2}`, `{"n":1} {"n":2}`, `[]`, `{"n":"1"}`,
	} {
		if e, err := Parse([]byte(bad)); err == nil {
			t.Errorf("%q was read as %+v", bad, e)
		}
	}
}

// What Parse takes, it prints and takes again as the same.
func FuzzParse(f *testing.F) {
	for kind, body := range full {
		_, line, err := Make(1, t0, Draft{"desk", kind, "s", body})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		e, err := Parse(line)
		if err != nil {
			return
		}
		b, err := json.Marshal(e)
		if err != nil {
			return // a time beyond year 9999 reads, and does not print
		}
		again, err := Parse(b)
		if err != nil {
			t.Fatalf("printed %q, which does not read: %v", b, err)
		}
		c, err := json.Marshal(again)
		if err != nil || !bytes.Equal(b, c) {
			t.Fatalf("printed %q, then %q (%v)", b, c, err)
		}
	})
}
