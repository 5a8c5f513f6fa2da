package web

import (
	"net/http"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/oncall"
	"tocsin/internal/plan"
	"tocsin/ui"
)

// sealsView words the keys and the PIN of a person.
func (s *Server) sealsView(v *visit, st *desk.State, p entry.Person, c desk.Contact) ui.SealsView {
	x := st.Seals.Of(p.ID)
	view := ui.SealsView{Action: "/people/" + p.ID, Confirm: auth.May(v.actor, auth.Team) == nil, PIN: x.PIN != "", Ours: s.desk.OurKey(v.now).Fingerprint, Said: v.said}
	confirmed := false
	for _, form := range []string{plan.OpenPGP, plan.SMIME} {
		k := x.Keys[form]
		for _, one := range []entry.Key{k.Key, k.Candidate} {
			if one.Fingerprint == "" {
				continue
			}
			row := ui.SealKey{Form: "OpenPGP key", Fingerprint: grouped(one.Fingerprint), Plain: one.Fingerprint, Waits: one == k.Candidate}
			if form == plan.SMIME {
				row.Form = "Certificate (S/MIME)"
			}
			if one.Found == "wkd" {
				row.Says = "from the directory of their mail domain"
			}
			if one.Issued {
				row.Says = "issued by an authority that the settings name; nobody compared its fingerprint"
			}
			if why := s.desk.Unfit(one, c.Mail, v.now); why != "" {
				row.Says = strings.TrimSpace(row.Says + " It cannot be used: " + why)
			}
			confirmed = confirmed || !row.Waits
			view.Keys = append(view.Keys, row)
		}
	}
	if _, domain, ok := strings.Cut(c.Mail, "@"); ok {
		view.Find = domain
	}
	switch {
	case c.Mail == "":
		view.Says = "They have no mail address, so no key is needed."
	case confirmed:
		view.Says = "Mail for calls is encrypted: only they can read it. When that is not possible they are only told to sign in."
	case c.Sealing == "required" || c.Sealing == "" && x.Had:
		view.Says = "They have no key in use: mail only tells them that an incident needs them, without details."
	default:
		view.Says = "They have no key in use: every mail server on the way can read the mail of a call."
	}
	if others, agree := s.desk.Sharing(st, p.ID); len(others) > 0 {
		var names []string
		for _, id := range others {
			names = append(names, s.name(st, id))
		}
		view.Says += " They share their mailbox with " + strings.Join(names, ", ") + "."
		if !agree {
			view.Says += " Their keys differ, so updates to that address only say to call or sign in: give all of them the same key, or each an address of their own."
		}
	}
	switch {
	case strings.HasPrefix(c.Voice, "sips:"):
		view.Call = "Calls to their own SIP app are encrypted end to end."
	case c.Voice != "":
		view.Call = "Calls are encrypted to the telephone provider, which can listen, and so can the telephone network behind it."
	}
	return view
}

// grouped writes a fingerprint as people compare it: four digits and a space.
func grouped(fingerprint string) string {
	var b strings.Builder
	for k, r := range fingerprint {
		if k > 0 && k%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// unproven says why a channel of a person is not known to work; "" when it is.
func (s *Server) unproven(st *desk.State, person, channel string, now time.Time) string {
	proofs, _ := st.Calls.Readiness(&st.Plan, now)
	for _, f := range proofs {
		if f.Person != person || f.Channel != channel {
			continue
		}
		switch f.State {
		case oncall.Never:
			return "never tested: ring it and answer"
		case oncall.Failing:
			return "the last test could not be sent"
		case oncall.CameBack:
			return "mail came back: see whether the address is right, then test it"
		case oncall.Silent:
			return "the last test was sent, and nobody answered it"
		case oncall.TooOld:
			return "the last test is too old"
		}
	}
	return ""
}

// tryLines is what is known of a try beside its state: how it was protected, and a telephone call's moments.
func (s *Server) tryLines(t oncall.Try) (out []string) {
	words := map[string]string{"openpgp": "encrypted and signed by OpenPGP", "smime": "encrypted and signed by S/MIME", "signed": "readable on the way, signed", "clear": "readable on the way",
		"end to end": "encrypted end to end", "to the provider": "encrypted to the provider"}
	if w := words[t.Result.Form]; w != "" {
		out = append(out, w)
	}
	if t.Done.IsZero() || t.Result.Text == "" {
		return out
	}
	lines := strings.Split(strings.TrimRight(s.desk.Text(t.Result.Text), "\n"), "\n")
	if t.Failed {
		lines = lines[1:] // the first stands beside the state
	}
	return append(out, lines...)
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// sealed answers a form of keys and PIN.
func (s *Server) sealed(v *visit, err error, key string) error {
	if err != nil {
		if known(err) {
			return err
		}
		return s.showPerson(v, http.StatusUnprocessableEntity, nil, err, "")
	}
	if v.said != "" {
		return s.showPerson(v, http.StatusOK, nil, nil, "")
	}
	return done(v, "/people/"+v.r.PathValue("id")+"#seals", key)
}

func (s *Server) putKey(v *visit) error {
	if err := s.member(v); err != nil {
		return err
	}
	key, err := uploaded(v, "key", "tocsin mail add PERSON FILE")
	if err == nil {
		v.said, err = s.desk.PutKey(v.actor, v.r.PathValue("id"), key)
	}
	return s.sealed(v, err, "key")
}

func (s *Server) findKey(v *visit) error {
	if err := s.member(v); err != nil {
		return err
	}
	said, err := s.desk.LookUpKey(v.r.Context(), v.actor, v.r.PathValue("id"))
	v.said = said
	return s.sealed(v, err, "key")
}

func (s *Server) confirmKey(v *visit) error {
	if err := s.member(v); err != nil {
		return err
	}
	return s.sealed(v, s.desk.ConfirmKey(v.actor, v.r.PathValue("id"), v.r.PostFormValue("fingerprint")), "confirmed")
}

func (s *Server) removeKey(v *visit) error {
	if err := s.member(v); err != nil {
		return err
	}
	return s.sealed(v, s.desk.RemoveKey(v.actor, v.r.PathValue("id"), v.r.PostFormValue("fingerprint"), text(v.r, "reason")), "unsealed")
}

func (s *Server) setPIN(v *visit) error {
	if err := s.member(v); err != nil {
		return err
	}
	return s.sealed(v, s.desk.SetPIN(v.r.Context(), v.actor, v.r.PathValue("id"), text(v.r, "pin")), "pin")
}

// member finds out whether the path names somebody on the team, and whether their page may be seen.
func (s *Server) member(v *visit) error {
	id := v.r.PathValue("id")
	if v.actor.ID != id {
		if err := auth.May(v.actor, auth.Team); err != nil {
			return err
		}
	}
	if _, ok := s.desk.Person(id); !ok {
		return errMissing
	}
	return nil
}

// directory answers the Web Key Directory with our own key.
func (s *Server) directory(v *visit) error {
	s.desk.Directory().ServeHTTP(v.w, v.r)
	return nil
}
