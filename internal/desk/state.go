package desk

import (
	"bytes"
	"fmt"
	"sync"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/contact"
	"tocsin/internal/entry"
	"tocsin/internal/fleet"
	"tocsin/internal/hook"
	"tocsin/internal/incident"
	"tocsin/internal/oncall"
	"tocsin/internal/plan"
	"tocsin/internal/playbook"
	"tocsin/internal/report"
	"tocsin/internal/review"
	"tocsin/internal/rota"
	"tocsin/internal/tuning"
)

// A State is everything that the ledger's entries amount to. Faces read it inside Desk.Read and keep nothing of it.
type State struct {
	Incidents  incident.Book
	Calls      *oncall.Book
	Rota       *rota.Book
	Plan       plan.Plan
	Seals      plan.Seals
	Factors    plan.Changes // what people are told of how they sign in
	Tuning     tuning.Book
	Runs       playbook.Runs       // the playbooks of the plan, and what is worked through by them
	Returns    tuning.Recurrences  // watches for the return of closed incidents
	Reviews    review.Book         // what follows an incident: measures
	Unled      map[int64]time.Time // when: open incidents without a playbook, of which something new is known
	Unwatched  map[int64]time.Time // incidents closed as true alarms whose return is not watched for yet, and when
	forgot     time.Time           // when Unwatched was cleared last
	Notices    plan.Notices
	Fleet      fleet.Book
	Hooks      hook.Book
	Contacts   contact.Book
	Identity   Identity
	Approvals  auth.Approvals
	Rooms      Conferences
	Chat       Chats
	Changes    map[string][]ScheduleChange // of schedules, oldest first, by id
	Calendars  map[string]int64            // persons, and the entry before which their calendar links were made worthless
	Entries    int64                       // number of the last entry
	First      time.Time                   // when it did for the first time
	Started    time.Time                   // when the program began to work on this ledger last
	Sample     bool                        // the bundled sample was played then
	Jumps      int                         // how often the wall clock jumped
	Signins    map[string]time.Time
	Refused    map[string]entry.Refusals    // refused sign-ins by network hash, of its newest hour
	Silences   map[string]bool              // alerts of what is silent or lost that have not ended
	Erased     []string                     // vault objects that are destroyed, or must be
	LastErased time.Time                    // when something was erased last
	Forgotten  map[string]time.Time         // alerts whose details were erased, and when
	Beats      map[string]entry.BeatSilence // other Tocsins that are not heard of, by id
	Unlearnt   map[string]int64             // accounts (keyed hashes) of which what is normal was forgotten, and up to which line of the archive

	reports     *report.State          // from outside: what is hidden of them to whom says reportHidden
	reportMails map[string]*reportMail // to reporters, by report and number
}

func newState() *State {
	s := &State{Signins: map[string]time.Time{}, Refused: map[string]entry.Refusals{}, Silences: map[string]bool{}, Forgotten: map[string]time.Time{},
		Unlearnt: map[string]int64{}, Beats: map[string]entry.BeatSilence{}, Identity: newIdentity(), Rooms: newConferences(), Chat: Chats{}, Changes: map[string][]ScheduleChange{}, Calendars: map[string]int64{}, reports: report.NewState(), reportMails: map[string]*reportMail{}}
	s.Unled, s.Unwatched = map[int64]time.Time{}, map[int64]time.Time{}
	s.Plan.Zone = zones()
	s.Rota = rota.NewBook(s.Plan.Zone)
	s.Plan.OnCall = s.OnCall
	s.Calls = oncall.NewBook(s.Plan.PolicyFor)
	return s
}

// zones finds time zones by name, and remembers them: the bell asks every few seconds.
func zones() func(string) (*time.Location, error) {
	var known sync.Map
	return func(name string) (*time.Location, error) {
		if z, ok := known.Load(name); ok {
			return z.(*time.Location), nil
		}
		z, err := time.LoadLocation(name)
		if err == nil {
			known.Store(name, z)
		}
		return z, err
	}
}

// apply folds e. An unknown kind means that a newer program has been here: reading on would show, and act on,
// half the truth.
func (s *State) apply(e entry.Entry) error {
	known := false
	for _, f := range []func(entry.Entry) (bool, error){
		s.Runs.Apply, s.Incidents.Apply, s.Calls.Apply, s.Returns.Apply, s.Reviews.Apply, s.Factors.Apply, s.Plan.Apply, s.Seals.Apply, s.Rota.Apply, s.Tuning.Apply, s.Notices.Apply, s.Fleet.Apply, s.Hooks.Apply, s.Contacts.Apply, s.Identity.Apply, s.Approvals.Apply, s.Rooms.Apply, s.Chat.Apply, s.applySchedule, s.applyReports, s.applyOwn,
	} {
		ok, err := f(e)
		if err != nil {
			return err
		}
		known = known || ok
	}
	if err := s.unwatched(e); err != nil {
		return err
	}
	s.unled(e)
	if !known {
		return fmt.Errorf("entry %d has the unknown kind %q: this program is older than its ledger; start the newer one", e.N, e.Kind)
	}
	s.Entries = e.N
	return nil
}

// applyOwn folds the entries that no other package remembers.
func (s *State) applyOwn(e entry.Entry) (bool, error) {
	switch e.Kind {
	case entry.AlertRaised:
		if !bytes.Contains(e.Body, []byte(`"tocsin-`)) {
			return true, nil // most entries are alerts, and a start reads them all
		}
		x, err := entry.Body[entry.Alert](e)
		if StandingTitle(x.Rule) != "" {
			s.Silences[x.ID] = true
		}
		return true, err
	case entry.AlertEnded:
		if len(s.Silences) == 0 {
			return true, nil
		}
		x, err := entry.Body[entry.AlertGrowth](e)
		delete(s.Silences, x.ID)
		return true, err
	case entry.ProgramStarted:
		x, err := entry.Body[entry.Started](e)
		s.Started, s.Sample = e.Time, x.Sample
		return true, err
	case entry.ClockJumped:
		s.Jumps++
	case entry.RulesLoaded, entry.DossierMade:
	case entry.VaultErased:
		return true, s.applyErased(e)
	case entry.HabitForgotten:
		x, err := entry.Body[entry.Unlearnt](e)
		s.Unlearnt[x.Hash] = x.Seq
		return true, err
	case entry.BeatLost:
		x, err := entry.Body[entry.BeatSilence](e)
		s.Beats[x.ID] = x
		return true, err
	case entry.BeatBack:
		x, err := entry.Body[entry.BeatSilence](e)
		delete(s.Beats, x.ID)
		return true, err
	case entry.SignedIn:
		x, err := entry.Body[entry.Signin](e)
		s.Signins[x.ID] = e.Time
		return true, err
	case entry.SigninRefused:
		x, err := entry.Body[entry.Refusals](e)
		s.Refused[x.Net] = x
		return true, err
	default:
		return false, nil
	}
	return true, nil
}

// firstStart is when this ledger began, or now if it has not.
func (s *State) firstStart(now time.Time) time.Time {
	if s.First.IsZero() {
		return now
	}
	return s.First
}
