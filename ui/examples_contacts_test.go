package ui

import (
	"slices"
	"time"
)

func contactRows() []ContactRow {
	right, late := State{"good", "right"}, State{"late", "check overdue"}
	return []ContactRow{
		{ID: "1", Href: "/contacts/1", Name: "Anna Keller", Says: "Incident Commander", Ways: []ContactWay{{"phone", "+49 170 123 456 7", "mobile", "+491701234567", ""}, {"sip", "sips:anna@shop.example", "", "", ""}},
			Hours: "24/7 Europe/Berlin", Open: State{"good", "open now"}, Langs: "de, en", Checked: before(20 * 24 * time.Hour), Due: before(-70 * 24 * time.Hour), Checker: "Anna Keller", State: right, Action: "/contacts/1/check", Hash: "aa", Owner: "Anna Keller", Person: Link{"Anna Keller", "/people/anna"}},
		{ID: "7", Href: "/contacts/7", Name: "Night desk", Says: "Support · Hoster GmbH · switch the shop's network off, restore snapshots", Ways: []ContactWay{{"phone", "+49 301 234 56", "switchboard", "+4930123456", ""}, {"mail", "noc@hoster.example", "", "", "noc@hoster.example"}, {"form", "https://hoster.example/emergency/form?customer=of-the-shop", "", "", ""}},
			Hours: "Mo-Fr 08:00-18:00 Europe/Berlin", Open: State{"off", "closed now"}, Langs: "de", Checked: before(120 * 24 * time.Hour), Due: before(30 * 24 * time.Hour), Checker: "Boris Lang", State: late, Action: "/contacts/7/check", Hash: "bb"},
	}
}

func contactForm(action string) ContactForm {
	return ContactForm{Action: action, Groups: []Option{{"team", "Response team", false}, {"providers", "Third-party providers", true}}, People: []Option{{"", "nobody of the team", true}, {"anna", "Anna Keller", false}},
		Owners: []Option{{"", "nobody in particular", true}, {"anna", "Anna Keller", false}}}
}

func contactsView() ContactsView {
	rows := contactRows()
	return ContactsView{Frame: frame("Contacts", "contacts", "/contacts"), May: true, Total: 2, Late: 1, Add: contactForm("/contacts"), Import: ImportForm{Groups: []Option{{"providers", "Third-party providers", true}}},
		Groups: []ContactGroup{{"team", "Response team", "", rows[:1]}, {"stakeholders", "Stakeholders", "Nobody yet.", nil}, {"providers", "Third-party providers", "", rows[1:]}, {"regulators", "Regulators", "Nobody yet.", nil}}}
}

func contactWrong() ContactsView {
	v := contactsView()
	v.Add.Open = true
	v.Add.Ways = "phone:030 123456"
	v.Errors = Errors{{"name", "A contact needs a name: of a person, or of a desk such as \"Night desk\"."}, {"way-1", `In line 1: The phone number "030 123456" begins with a zero, so it depends on where one dials: write it with the country, as +49 30 12345 (E.164).`}}
	return v
}

func contactView() ContactView {
	row := contactRows()[1]
	return ContactView{Frame: frame(row.Name, "contacts", "/contacts/7"), May: true, Inform: true, Row: row, Form: contactForm("/contacts/7"), Remove: "/contacts/7/remove", Revoke: "/contacts/7/revoke",
		Facts:  []Fact{{"Group", "Third-party providers", ""}, {"Hours", row.Hours, ""}, {"Next check", "24 Oct 2026, 03:14 (30 days ago)", ""}},
		Secret: []Fact{{"Call back on", "+49 301 234 56", ""}, {"Shared phrase", "blue heron", ""}, {"Customer or contract number", "K-77", ""}}}
}

func cardView() CardView {
	v := CardView{Frame: frame("Emergency card", "contacts", "/contacts/card"), Printed: "23 Nov 2026, 03:14 CET", Revision: "412", Print: "ab12 cd34", MaySee: true, May: true, Envelope: "safe in the office, upper shelf, red seal", Check: "tocsin.shop.example/contacts/card", Really: "Hang up, and ring back on the number that is printed here, never on one that the caller gives or the display shows. Then ask for the shared phrase.",
		Steps: []string{"Write down the time, and from now on whatever you do.", "Ring the first person of the response team; nobody answers in 5 minutes: the next.", "Do not switch machines off and do not clean up.", "Talk by phone, not by the shop's mail or chat.", "Ring the hoster and the payment provider."}}
	for i := range 5 {
		v.Edit = append(v.Edit, CardStep{i + 1, "step"})
	}
	row := CardRow{Name: "Night desk", Says: "Support, Hoster GmbH, switch the shop's network off, restore snapshots", Ways: []string{"+49 30 123 456 (switchboard)", "noc@hoster.example", "sips:noc@hoster.example"}, Hours: "Mo-Fr 08:00-18:00 Europe/Berlin", CallBack: "+49 30 123 456", Checked: "2026-11-12, Anna Keller"}
	for _, g := range []string{"Response team", "Third-party providers", "Regulators"} {
		group := CardGroup{Word: g}
		for range 4 {
			group.Rows = append(group.Rows, row)
		}
		v.Groups = append(v.Groups, group)
	}
	return v
}

// fewCard is the card of a small shop: large letters.
func fewCard() CardView {
	v := cardView()
	for i := range v.Groups {
		v.Groups[i].Rows = v.Groups[i].Rows[:2]
	}
	return v
}

// fullCard has every line that fits, with phrases, of long names.
func fullCard() CardView {
	v := cardView()
	v.Secrets = true
	for i := range v.Groups {
		v.Groups[i].Rows = slices.Repeat(v.Groups[i].Rows[:1], []int{4, 4, 4}[i]) // 12, as many as a card takes
		for k := range v.Groups[i].Rows {
			r := &v.Groups[i].Rows[k]
			r.Phrase, r.Number = "blue heron over the harbour", "K-77-2026-0815"
		}
	}
	return v
}

func updatesView() UpdatesView {
	hidden := []Option{{Word: "rule", Value: "1"}, {Word: "contact", Value: "7"}, {Word: "stage", Value: "opened"}}
	return UpdatesView{Frame: frame("Updates to stakeholders", "incidents", "/incidents/12/updates"), Incident: Link{"Incident 12", "/incidents/12"}, Severity: "critical", State: State{"busy", "open"}, May: true, Rules: true, Action: "/incidents/12/updates",
		Owed: []OwedRow{
			{ID: "1-7", Who: Link{"Dr. Maria Vogt", "/contacts/7"}, Stage: "the first word", Rule: "rule 1", By: before(10 * time.Minute), State: State{"late", "overdue"}, Says: "In the body, line 3, column 1: {status} has no value yet: write what stakeholders may know first.", Hidden: hidden, Preview: "/incidents/12/updates?rule=1#preview", Mail: true, Ways: []Option{{"phone", "phone", true}}, Spoken: contactRows()[1].Ways},
			{ID: "1-8", Who: Link{"Acquirer bank, fraud desk", "/contacts/8"}, Stage: "the next word", Rule: "rule 2", By: before(-3 * time.Hour), State: State{"busy", "due later"}, Hidden: hidden, Preview: "/incidents/12/updates?rule=2#preview", Mail: true, Auto: true, Ways: []Option{{"phone", "phone", true}}},
		},
		Preview: UpdatePreview{Who: "Dr. Maria Vogt", To: "vogt@board.example", Lang: "de", Subject: "Vorfall 12: offen", Body: "Guten Tag Dr. Maria Vogt,\n\nwir arbeiten an einem Sicherheitsvorfall.\n\nSchwere: kritisch.", Hidden: hidden},
		Stand:   StandForm{Written: before(time.Hour), By: "Anna Keller", Next: "4", NextSays: before(-3 * time.Hour), Versions: []StandVersion{{1, "en", "We work on a security incident. Payments go on."}, {2, "de", "Wir arbeiten an einem Sicherheitsvorfall."}, {3, "", ""}}},
		Told:    []ToldRow{{"2", "Acquirer bank, fraud desk", "the first word", "mail", "Anna Keller", before(time.Hour), State{"good", "sent"}, ""}, {"1", "Acquirer bank, fraud desk", "the first word", "mail", "Anna Keller", before(2 * time.Hour), State{"bad", "failed"}, "451 4.7.1 Greylisted, try again later"}},
		LinkFor: []Option{{"7", "Dr. Maria Vogt", true}}}
}

func stakeholdersView() RulesOfView {
	return RulesOfView{Frame: frame("Who hears of what", "contacts", "/stakeholders"), May: true, Inform: true,
		Rules: []RuleOf{{"1", "Stakeholders: incidents of High or worse, within 1 h, then every 4 h, and at the close.", "First word", false, "/stakeholders/rules/1/end"}},
		Texts: []TextOf{{"1", "First word", "en, de", "Anna Keller", before(30 * time.Hour), "", "/stakeholders?text=1#text", "/stakeholders/texts/1/end"}},
		Rule:  RuleForm{Open: true, Whom: []Option{{"stakeholders", "All of: Stakeholders", true}}, Least: []Option{{"high", "High on", true}}, Impacts: []Option{{"loss", "losses", false}}, Template: []Option{{"1", "First word", true}}, Within: "60", Every: "4", Close: true},
		Text:  TextForm{ID: "1", Name: "First word", Open: true, Versions: []TextVersion{{1, "en", "Incident {incident.number}: {state}", "Dear {contact.name},\n\n{status}"}, {2, "", "", ""}}}, Placeholders: []Fact{{"{status}", "the sentences that the team wrote for stakeholders", ""}}}
}

func statusView() StatusView {
	return StatusView{Skip: "Zum Inhalt", Lang: "de", BodyLang: "de", Title: "Stand des Vorfalls", Number: "12", Facts: []Fact{{"Stand", "offen", ""}, {"Schwere", "kritisch", ""}, {"Arbeit", "Eindämmung", ""}},
		Body: []string{"Seit heute Nacht arbeiten wir an einem Sicherheitsvorfall im Shop.", "Zahlungen laufen weiter; Kartendaten waren nach heutigem Wissen nicht betroffen."}, Written: "Geschrieben: 23. November 2026, 03:14 Uhr (CET)", Next: "Nächste Nachricht bis 23. November 2026, 07:00 Uhr (CET)",
		Foot: []string{"Diese Seite ist für Dr. Maria Vogt.", "Der Link gilt bis 23. Dezember 2026, 03:14 Uhr (CET). Bitte geben Sie ihn nicht weiter."}}
}

func contactExamples() []example {
	none := statusView()
	none.Lang, none.BodyLang, none.Title, none.Body, none.None, none.Late = "en", "en", "Status of incident", nil, "The response team has not written anything for you yet. It will: this page shows it.", "The promised time is over. The team is late, not silent: please ask it."
	quiet := frame("Updates to stakeholders", "incidents", "/incidents/12/updates")
	return []example{
		ex("contacts", Contacts, contactsView()),
		ex("contacts-wrong", Contacts, contactWrong()),
		ex("contact", ContactPage, contactView()),
		ex("contact-import", ContactImport, ImportView{Frame: frame("What would change", "contacts", "/contacts"), Summary: "1 new, 1 changed, 0 as they are, 1 refused. One refused contact stops the whole import.", Data: "name\nx", Group: "team", Revision: "4",
			Rows: []ImportRow{{4, "Bank", "Stakeholders", State{"bad", "refused"}, []string{`The phone number "030" begins with a zero, so it depends on where one dials: write it with the country, as +49 30 12345 (E.164).`}}, {2, "Night desk", "Third-party providers", State{"busy", "changed"}, []string{"Different: role, ways."}}, {3, "Data protection authority", "Regulators", State{"good", "new"}, nil}}}),
		ex("contacts-card", Card, cardView()),
		ex("contacts-card-few", Card, fewCard()),
		ex("contacts-card-full", Card, fullCard()),
		ex("updates", Updates, updatesView()),
		ex("updates-none", Updates, UpdatesView{Frame: quiet, Incident: Link{"Incident 12", "/incidents/12"}, Severity: "low", State: State{"off", "closed"}, Action: "/incidents/12/updates"}),
		ex("stakeholders", StakeholderRules, stakeholdersView()),
		ex("status", Status, statusView()),
		ex("status-none", Status, none),
	}
}
