package web

import (
	"errors"
	"net/http"
	"strings"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/ui"
)

func (s *Server) webhooks(v *visit) error {
	return s.showWebhooks(v, http.StatusOK, nil)
}

// showWebhooks shows what other programs are told; a test that was not taken comes back with the reason.
func (s *Server) showWebhooks(v *visit, code int, mistake error) error {
	view := ui.WebhooksView{Frame: s.frame(v, "webhooks", "Webhooks"), May: auth.May(v.actor, auth.Hosts) == nil}
	view.Path = "/webhooks"
	for _, w := range s.desk.Webhooks() {
		view.Webhooks = append(view.Webhooks, s.webhookRow(v, w))
	}
	if mistake != nil {
		view.Errors, view.Still = fieldErrors(mistake), true
	}
	return ui.Webhooks.Show(v.w, code, view)
}

func (s *Server) webhookRow(v *visit, w desk.WebhookState) ui.WebhookRow {
	x := ui.WebhookRow{Name: w.Name, Host: ui.Visible(w.Host), What: "incidents and calls", Told: ui.Plural(w.Delivered, "message taken", "messages taken"), Last: v.at(w.Last),
		Test: "/webhooks/" + w.Name + "/test", Why: ui.Visible(w.Why)}
	if len(w.What) > 0 {
		x.What = strings.Join(w.What, ", ")
	}
	if w.Severity != "" && w.Severity != "low" {
		x.What += ", from " + w.Severity + " on"
	}
	if w.Failed > 0 {
		x.Told += ", " + ui.Plural(w.Failed, "try failed", "tries failed")
	}
	switch w.State {
	case "off":
		x.State = ui.State{Tone: "bad", Word: "off since " + ui.Span(v.now.Sub(w.Since))}
		x.Mend = "It took nothing for three days. A test that it takes switches it on again, and it is told all that it missed."
	case "fails":
		x.State = ui.State{Tone: "late", Word: "fails for " + ui.Span(v.now.Sub(w.Since))}
		x.Mend = "It is tried again by itself; nothing is skipped."
		if !w.Next.IsZero() {
			x.Next = v.at(w.Next)
		}
	case "waits":
		x.State = ui.State{Tone: "off", Word: "nothing told yet"}
	default:
		x.State = ui.State{Tone: "good", Word: "works"}
	}
	return x
}

// testWebhook sends a test, and says what became of it.
func (s *Server) testWebhook(v *visit) error {
	err := s.desk.TestWebhook(v.r.Context(), v.actor, v.r.PathValue("id"))
	switch {
	case err == nil:
		return done(v, "/webhooks", "hook-tested")
	case known(err):
		return err
	case errors.Is(err, desk.ErrNoHook):
		return errMissing
	}
	return s.showWebhooks(v, http.StatusUnprocessableEntity, desk.FieldError{Says: sentence(err)})
}
