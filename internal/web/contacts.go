package web

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/contact"
	"tocsin/internal/desk"
	"tocsin/ui"
)

// groupWord is what the four parts of the list are called.
func groupWord(g string) string {
	switch g {
	case contact.Team:
		return "Response team"
	case contact.Stakeholders:
		return "Stakeholders"
	case contact.Providers:
		return "Third-party providers"
	case contact.Regulators:
		return "Regulators"
	}
	return g
}

func groupOptions(chosen string) []ui.Option {
	var pairs []string
	for _, g := range contact.Groups() {
		pairs = append(pairs, g, groupWord(g))
	}
	return options(cmp.Or(chosen, contact.Providers), pairs...)
}

// mistakes are all that is wrong with a form, by the fields of the page.
func mistakes(err error) (out ui.Errors) {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range all.Unwrap() {
			out = append(out, mistakes(e)...)
		}
		return out
	}
	return fieldErrors(err)
}

func (s *Server) contacts(v *visit) error {
	return s.showContacts(v, http.StatusOK, nil, nil, nil)
}

// showContacts shows the list; a form that was wrong, add or load, comes back with what was typed.
func (s *Server) showContacts(v *visit, code int, add *ui.ContactForm, load *ui.ImportForm, mistake error) error {
	list, err := s.desk.Contacts(v.actor)
	if err != nil {
		return err
	}
	view := ui.ContactsView{Frame: s.frame(v, "contacts", "Contacts"), May: auth.May(v.actor, auth.Contacts) == nil, Query: queried(v, "q"), Total: len(list),
		Import: ui.ImportForm{Groups: groupOptions("")}}
	view.Path = "/contacts"
	if view.Query != "" {
		view.Path += "?q=" + url.QueryEscape(view.Query)
	}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		view.Add = s.contactForm(st, "/contacts", desk.Listed{})
		for _, g := range contact.Groups() {
			group := ui.ContactGroup{Key: g, Word: groupWord(g), Says: "Nobody yet."}
			for _, c := range list {
				if c.Overdue(v.now) && c.Group == g {
					view.Late++
				}
				if c.Group == g && fits(c.Card, view.Query) {
					group.Rows = append(group.Rows, s.contactRow(v, st, c))
				}
			}
			view.Groups = append(view.Groups, group)
		}
	})
	if add != nil {
		view.Add = *add
	}
	if load != nil {
		view.Import = *load
	}
	if mistake != nil {
		view.Errors, view.Still = mistakes(mistake), true
	}
	return ui.Contacts.Show(v.w, code, view)
}

// fits reports whether a card has every word of a query. Numbers are found however they are written.
func fits(c contact.Card, query string) bool {
	text := strings.Join([]string{c.Name, c.Organisation, c.Role, c.Duties, c.Note, strings.Join(c.Languages, " ")}, " ")
	for _, w := range c.Ways {
		text += " " + w.Value + " " + w.Note
	}
	text = strings.ToLower(text)
	for word := range strings.FieldsSeq(strings.ToLower(query)) {
		if !strings.Contains(text, word) && !strings.Contains(text, strings.Trim(word, "()-/.")) {
			return false
		}
	}
	return true
}

func (s *Server) contactRow(v *visit, st *desk.State, c desk.Listed) ui.ContactRow {
	var says []string
	for _, x := range []string{c.Card.Role, c.Card.Organisation, c.Card.Duties} {
		if x != "" {
			says = append(says, x)
		}
	}
	x := ui.ContactRow{ID: fmt.Sprint(c.ID), Href: fmt.Sprintf("/contacts/%d", c.ID), Name: c.Card.Name, Says: strings.Join(says, " · "), Ways: ways(c.Card), Langs: strings.Join(c.Card.Languages, ", "),
		Checked: v.at(c.Checked), Due: v.at(c.Due()), Checker: s.actorName(st, c.Checker), Hash: c.Hash, Owner: s.name(st, c.Owner), Fault: c.Fault,
		State: ui.State{Tone: "good", Word: "right"}}
	if c.Overdue(v.now) {
		x.State = ui.State{Tone: "late", Word: "check overdue"}
	}
	if auth.May(v.actor, auth.Contacts) == nil {
		x.Action = x.Href + "/check"
	}
	if c.Person != "" {
		x.Person = ui.Link{Word: s.name(st, c.Person), Href: "/people/" + c.Person}
	}
	if c.Card.Hours != "" {
		x.Hours = c.Card.Hours + " " + cmp.Or(c.Card.Zone, "UTC")
	}
	hours, err := contact.ParseHours(c.Card.Hours)
	zone, zerr := time.LoadLocation(c.Card.Zone)
	if open, known := hours.Open(v.now, cmp.Or(zone, time.UTC)); err == nil && zerr == nil && known {
		x.Open = ui.State{Tone: "off", Word: "closed now"}
		if open {
			x.Open = ui.State{Tone: "good", Word: "open now"}
		}
	}
	return x
}

// ways are a card's ways, as links where a browser can follow them.
func ways(c contact.Card) (out []ui.ContactWay) {
	for _, w := range c.Ways {
		x := ui.ContactWay{Word: w.Kind, Value: w.Value, Note: w.Note}
		switch w.Kind {
		case contact.Phone:
			x.Value, x.Tel = contact.Spaced(w.Value), w.Value
		case contact.Mail:
			x.To = w.Value
		}
		out = append(out, x)
	}
	return out
}

func (s *Server) staffOptions(st *desk.State, chosen, nobody string) []ui.Option {
	pairs := []string{"", nobody}
	for _, id := range staff(st) {
		pairs = append(pairs, id, s.name(st, id))
	}
	return options(chosen, pairs...)
}

func (s *Server) contactForm(st *desk.State, action string, c desk.Listed) ui.ContactForm {
	f := ui.ContactForm{Action: action, Groups: groupOptions(c.Group), Name: c.Card.Name, Organisation: c.Card.Organisation, Role: c.Card.Role, Duties: c.Card.Duties, Hours: c.Card.Hours,
		Zone: c.Card.Zone, Languages: strings.Join(c.Card.Languages, " "), CallBack: c.Card.CallBack, Phrase: c.Card.Phrase, Number: c.Card.Number, Note: c.Card.Note,
		People: s.staffOptions(st, c.Person, "nobody of the team"), Owners: s.staffOptions(st, c.Owner, "nobody in particular")}
	if c.ID != 0 {
		f.Hash = c.Hash
	}
	if c.Days != 0 {
		f.Days = strconv.Itoa(c.Days)
	}
	var lines []string
	for _, w := range c.Card.Ways {
		lines = append(lines, w.String())
	}
	f.Ways = strings.Join(lines, "\n")
	return f
}

// typedContact reads the form of a contact.
func typedContact(v *visit) (desk.Listed, error) {
	var c desk.Listed
	c.Group, c.Person, c.Owner = text(v.r, "group"), text(v.r, "person"), text(v.r, "owner")
	c.Card = contact.Card{Name: text(v.r, "name"), Organisation: text(v.r, "organisation"), Role: text(v.r, "role"), Duties: text(v.r, "duties"), Hours: text(v.r, "hours"), Zone: text(v.r, "zone"),
		Languages: strings.FieldsFunc(text(v.r, "languages"), func(r rune) bool { return r == ' ' || r == ',' }), CallBack: text(v.r, "callback"), Phrase: text(v.r, "phrase"),
		Number: text(v.r, "number"), Note: text(v.r, "note")}
	for line := range strings.SplitSeq(text(v.r, "ways"), "\n") {
		if strings.TrimSpace(line) != "" {
			c.Card.Ways = append(c.Card.Ways, contact.ParseWay(line))
		}
	}
	if days := text(v.r, "days"); days != "" {
		n, err := strconv.Atoi(days)
		if err != nil || n < 1 {
			return c, desk.FieldError{Field: "days", Says: "Say every how many days it is checked, as a number."}
		}
		c.Days = n
	}
	return c, nil
}

// oneField puts what is wrong with any way beside the one field in which ways are typed.
func oneField(err error) error {
	if f, ok := err.(desk.FieldError); ok && strings.HasPrefix(f.Field, "way-") {
		return desk.FieldError{Field: "way-1", Says: "In line " + strings.TrimPrefix(f.Field, "way-") + ": " + f.Says}
	}
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		var out []error
		for _, e := range all.Unwrap() {
			out = append(out, oneField(e))
		}
		return errors.Join(out...)
	}
	return err
}

func (s *Server) addContact(v *visit) error {
	c, err := typedContact(v)
	var id int64
	if err == nil {
		id, err = s.desk.PutContact(v.actor, c.Contact.Contact, c.Card)
	}
	if err == nil {
		return done(v, fmt.Sprintf("/contacts/%d", id), "contact")
	}
	if known(err) {
		return err
	}
	var f ui.ContactForm
	s.desk.ReadAs(v.actor, func(st *desk.State) { f = s.contactForm(st, "/contacts", c) })
	f.Open = true
	return s.showContacts(v, http.StatusUnprocessableEntity, &f, nil, oneField(err))
}

// contactOf is the contact of the path.
func (s *Server) contactOf(v *visit) (desk.Listed, error) {
	id, err := number(v.r, "id")
	if err != nil {
		return desk.Listed{}, err
	}
	c, err := s.desk.ContactOf(v.actor, id)
	if errors.Is(err, contact.ErrNotFound) {
		err = errMissing
	}
	return c, err
}

func (s *Server) contact(v *visit) error { return s.showContact(v, http.StatusOK, nil, nil) }

func (s *Server) showContact(v *visit, code int, typed *desk.Listed, mistake error) error {
	c, err := s.contactOf(v)
	if err != nil {
		return err
	}
	view := ui.ContactView{Frame: s.frame(v, "contacts", c.Card.Name), May: auth.May(v.actor, auth.Contacts) == nil, Inform: auth.May(v.actor, auth.Inform) == nil}
	view.Path = fmt.Sprintf("/contacts/%d", c.ID)
	view.Remove, view.Revoke = view.Path+"/remove", view.Path+"/revoke"
	fact := func(to *[]ui.Fact, name, value, href string) {
		if value != "" {
			*to = append(*to, ui.Fact{Name: name, Value: value, Href: href})
		}
	}
	s.desk.ReadAs(v.actor, func(st *desk.State) {
		view.Row = s.contactRow(v, st, c)
		if typed != nil {
			view.Form = s.contactForm(st, view.Path, *typed)
			view.Form.Open = true
		} else {
			view.Form = s.contactForm(st, view.Path, c)
		}
		fact(&view.Facts, "Group", groupWord(c.Group), "")
		fact(&view.Facts, "Hours", view.Row.Hours, "")
		fact(&view.Facts, "Languages", view.Row.Langs, "")
		fact(&view.Facts, "Member of the team", view.Row.Person.Word, view.Row.Person.Href)
		fact(&view.Facts, "Kept right by", view.Row.Owner, "")
		fact(&view.Facts, "Next check", view.Row.Due.Local+" ("+view.Row.Due.Ago+")", "")
		fact(&view.Facts, "Note", c.Card.Note, "")
	})
	fact(&view.Secret, "Call back on", contact.Spaced(c.Card.CallBack), "")
	fact(&view.Secret, "Shared phrase", c.Card.Phrase, "")
	fact(&view.Secret, "Customer or contract number", c.Card.Number, "")
	if mistake != nil {
		view.Errors, view.Still = mistakes(mistake), true
	}
	return ui.ContactPage.Show(v.w, code, view)
}

func (s *Server) changeContact(v *visit) error {
	old, err := s.contactOf(v)
	if err != nil {
		return err
	}
	c, err := typedContact(v)
	if err == nil {
		c.ID, c.Hash = old.ID, text(v.r, "hash")
		_, err = s.desk.PutContact(v.actor, c.Contact.Contact, c.Card)
	}
	if err == nil {
		return done(v, fmt.Sprintf("/contacts/%d", old.ID), "contact")
	}
	if known(err) {
		return err
	}
	code := http.StatusUnprocessableEntity
	if errors.Is(err, desk.ErrMoved) { // the page shows how it is now, and what was typed: who sends that again has seen both
		code = http.StatusConflict
		if now, err := s.contactOf(v); err == nil {
			c.Hash = now.Hash
		}
	}
	c.ID = old.ID
	return s.showContact(v, code, &c, oneField(err))
}

func (s *Server) checkContact(v *visit) error {
	return s.onContact(v, "/contacts", "checked", func(c desk.Listed) error { return s.desk.CheckContact(v.actor, c.ID, v.r.PostFormValue("hash")) })
}

func (s *Server) removeContact(v *visit) error {
	return s.onContact(v, "/contacts", "removed", func(c desk.Listed) error {
		return s.desk.RemoveContact(v.actor, c.ID, text(v.r, "reason"), v.r.PostFormValue("erase") != "")
	})
}

func (s *Server) revokeLinks(v *visit) error {
	return s.onContact(v, "", "links", func(c desk.Listed) error { return s.desk.RevokeLinks(v.actor, c.ID, text(v.r, "reason")) })
}

// onContact does one thing with the contact of the path, and goes on to a page: "" is the contact's own.
func (s *Server) onContact(v *visit, to, key string, do func(desk.Listed) error) error {
	c, err := s.contactOf(v)
	if err != nil {
		return err
	}
	if err = do(c); err != nil {
		if known(err) {
			return err
		}
		return s.showContact(v, http.StatusUnprocessableEntity, nil, err)
	}
	return done(v, cmp.Or(to, fmt.Sprintf("/contacts/%d", c.ID)), key)
}

// importShown is how many rows of a preview are shown; refused ones come first.
const importShown = 200

// importContacts shows what a file would change, and does it when that was seen.
func (s *Server) importContacts(v *visit) error {
	data, err := typedFile(v)
	group := text(v.r, "into")
	var p contact.Preview
	var revision int64
	if err == nil {
		p, revision, err = s.desk.PreviewContacts(v.actor, data, group)
	}
	if err == nil && v.r.PostFormValue("do") != "" {
		seen, nerr := strconv.ParseInt(v.r.PostFormValue("revision"), 10, 64)
		if nerr != nil || seen < 0 {
			return errMissing
		}
		if p, err = s.desk.ImportContacts(v.actor, data, group, seen); err == nil {
			return done(v, "/contacts", "imported")
		}
		if !known(err) {
			return s.showImport(v, http.StatusConflict, p, data, group, revision, err)
		}
	}
	if err != nil {
		if known(err) {
			return err
		}
		if _, ok := errors.AsType[contact.LineError](err); ok {
			err = desk.FieldError{Field: "data", Says: sentence(err)}
		}
		return s.showContacts(v, http.StatusUnprocessableEntity, nil, &ui.ImportForm{Open: true, Groups: groupOptions(group), Data: string(data)}, err)
	}
	return s.showImport(v, http.StatusOK, p, data, group, revision, nil)
}

// typedFile reads an uploaded file of contacts, or what was typed in its place.
func typedFile(v *visit) ([]byte, error) { return uploaded(v, "data", "tocsin contacts import FILE") }

// uploaded reads the field "file" of a form, or what was typed in its place; command takes larger ones.
func uploaded(v *visit, field, command string) ([]byte, error) {
	if strings.HasPrefix(v.r.Header.Get("Content-Type"), "multipart/form-data") {
		if err := v.r.ParseMultipartForm(maxForm); err != nil {
			return nil, desk.FieldError{Field: field, Says: fmt.Sprintf("The file is too large or broken; a form takes %d kB. Larger ones: %s", maxForm>>10, command)}
		}
		defer func() { _ = v.r.MultipartForm.RemoveAll() }() // all of it is in memory: maxForm
	}
	f, _, err := v.r.FormFile("file")
	if err == nil {
		defer f.Close()
		if b, err := io.ReadAll(f); err != nil || len(b) > 0 {
			return b, err
		}
	}
	data := v.r.PostFormValue(field)
	if strings.TrimSpace(data) == "" {
		return nil, desk.FieldError{Field: field, Says: "Choose a file, or paste its text."}
	}
	return []byte(data), nil
}

func (s *Server) showImport(v *visit, code int, p contact.Preview, data []byte, group string, revision int64, mistake error) error {
	view := ui.ImportView{Frame: s.frame(v, "contacts", "What would change"), Ready: p.Ready() && mistake == nil, Data: string(data), Group: group, Revision: fmt.Sprint(revision),
		Summary: fmt.Sprintf("%d new, %d changed, %d as they are, %d refused.", p.New, p.Changed, p.Same, p.Refused)}
	view.Still = true
	if p.Refused > 0 {
		view.Summary += " One refused contact stops the whole import."
	}
	if mistake != nil {
		view.Errors = mistakes(mistake)
	}
	tones := map[string]string{contact.New: "good", contact.Changed: "busy", contact.Same: "off", contact.Refused: "bad"}
	order := []string{contact.Refused, contact.Changed, contact.New, contact.Same}
	slices.SortStableFunc(p.Changes, func(a, b contact.Change) int {
		return cmp.Compare(slices.Index(order, a.What), slices.Index(order, b.What))
	})
	for i, c := range p.Changes {
		if i == importShown {
			view.More = len(p.Changes) - i
			break
		}
		r := ui.ImportRow{Line: c.Line, Name: cmp.Or(c.Card.Name, "(no name)"), Group: groupWord(c.Entry.Group), State: ui.State{Tone: tones[c.What], Word: c.What}}
		for _, w := range c.Wrong {
			r.Says = append(r.Says, w.Says)
		}
		if len(c.Fields) > 0 && c.What == contact.Changed {
			r.Says = append(r.Says, "Different: "+strings.Join(c.Fields, ", ")+".")
		}
		view.Rows = append(view.Rows, r)
	}
	return ui.ContactImport.Show(v.w, code, view)
}

// exportContacts hands the list out as a file.
func (s *Server) exportContacts(v *visit) error {
	form := cmp.Or(queried(v, "form"), "csv")
	kinds := map[string][2]string{"csv": {"text/csv; charset=utf-8", "contacts.csv"}, "vcard": {"text/vcard; charset=utf-8", "contacts.vcf"}}
	kind, ok := kinds[form]
	if !ok {
		return errMissing
	}
	b, err := s.desk.ExportContacts(v.actor, form, queried(v, "secrets") == "yes")
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", kind[0])
	v.w.Header().Set("Content-Disposition", `attachment; filename="`+kind[1]+`"`)
	_, err = v.w.Write(b)
	return err
}

func (s *Server) card(v *visit) error { return s.showCard(v, http.StatusOK, nil, nil) }

func (s *Server) showCard(v *visit, code int, typed *contact.CardText, mistake error) error {
	may := auth.May(v.actor, auth.Contacts)
	secrets := queried(v, "secrets") == "yes"
	if secrets && may != nil {
		return may
	}
	sheet, err := s.desk.Sheet(v.actor, secrets, v.now)
	if err != nil {
		return err
	}
	_, own := s.desk.CardText()
	at := v.at(v.now)
	view := ui.CardView{Frame: s.frame(v, "contacts", "Emergency card"), Printed: strings.TrimSpace(at.Local + " " + at.Zone), Revision: fmt.Sprint(sheet.Revision), Print: sheet.Fingerprint,
		Sample: s.desk.Sample(), Left: sheet.Left, Steps: sheet.Steps, Envelope: sheet.Envelope, Secrets: secrets, MaySee: may == nil, May: may == nil, Own: own, Check: v.r.Host + "/contacts/card", Really: contact.Authentic(secrets)}
	view.Path = "/contacts/card"
	if secrets {
		view.Path += "?secrets=yes"
	}
	for _, p := range sheet.People {
		if n := len(view.Groups); n == 0 || view.Groups[n-1].Word != groupWord(p.Group) {
			view.Groups = append(view.Groups, ui.CardGroup{Word: groupWord(p.Group)})
		}
		g := &view.Groups[len(view.Groups)-1]
		g.Rows = append(g.Rows, ui.CardRow{Name: p.Name, Says: p.Says, CallBack: p.CallBack, Hours: p.Hours, Phrase: p.Phrase, Number: p.Number, Checked: p.Checked, Ways: p.Ways})
	}
	steps := sheet.Steps
	if typed != nil {
		steps, view.Envelope = typed.Steps, typed.Envelope
	}
	for i := range contact.FirstSteps {
		step := ui.CardStep{N: i + 1}
		if i < len(steps) {
			step.Text = steps[i]
		}
		view.Edit = append(view.Edit, step)
	}
	if mistake != nil {
		view.Errors, view.Still = mistakes(mistake), true
	}
	return ui.Card.Show(v.w, code, view)
}

func (s *Server) changeCard(v *visit) error {
	t := contact.CardText{Envelope: text(v.r, "envelope")}
	for i := range contact.FirstSteps {
		t.Steps = append(t.Steps, text(v.r, fmt.Sprintf("step.%d", i+1)))
	}
	if err := s.desk.PutCardText(v.actor, t); err != nil {
		if known(err) {
			return err
		}
		return s.showCard(v, http.StatusUnprocessableEntity, &t, err)
	}
	return done(v, "/contacts/card", "card")
}
