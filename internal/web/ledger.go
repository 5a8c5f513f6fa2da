package web

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"sync"
	"time"

	"tocsin/internal/desk"
	"tocsin/ui"
)

const entriesShown = 30

// A verdict is the last result of verifying the ledger from the console.
type verdict struct {
	mu   sync.Mutex
	at   time.Time
	took time.Duration
	says string
	bad  bool
}

func (s *Server) ledger(v *visit) error {
	head, signed, signer := s.desk.LedgerHead()
	view := ui.LedgerView{Frame: s.frame(v, "ledger", "Ledger"), Size: ui.Number(head.Size), Root: base64.StdEncoding.EncodeToString(head.Root[:]), Signer: signer, Signed: v.at(signed)}
	s.checked.mu.Lock()
	view.Checked = ui.Check{State: ui.State{Tone: "off", Word: "not verified since the start"}}
	if c := s.checked; !c.at.IsZero() {
		view.Checked = ui.Check{State: ui.State{Tone: "good", Word: "intact"}, Says: c.says, At: v.at(c.at), Took: c.took.Round(time.Millisecond).String()}
		if c.bad {
			view.Checked.State = ui.State{Tone: "bad", Word: "damaged"}
		}
	}
	s.checked.mu.Unlock()
	last, err := s.desk.EntriesFor(v.actor, entriesShown)
	if err != nil {
		return err
	}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		for _, e := range last {
			if e.Kind == "" {
				view.Rows = append(view.Rows, ui.EntryRow{N: ui.Number(e.N), At: v.at(e.Time), Says: "restricted to others"})
				continue
			}
			view.Rows = append(view.Rows, ui.EntryRow{N: ui.Number(e.N), At: v.at(e.Time), Actor: s.actorName(st, e.Actor), Kind: string(e.Kind), Subject: e.Subject, Says: kindWords(e.Kind)})
		}
	})
	return ui.Ledger.Show(v.w, http.StatusOK, view)
}

// verify reads the whole ledger again.
func (s *Server) verify(v *visit) error {
	report, err := s.desk.VerifyLedger()
	s.checked.mu.Lock()
	defer s.checked.mu.Unlock()
	s.checked.at, s.checked.took = v.now, time.Since(v.now)
	s.checked.bad, s.checked.says = err != nil, fmt.Sprintf("%s entries, each as it was signed", ui.Number(report.Head.Size))
	if err != nil {
		s.checked.says = sentence(err)
	}
	return done(v, "/ledger", "verified")
}
