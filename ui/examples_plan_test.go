package ui

import "time"

func bookRow() BookRow {
	return BookRow{ID: "skimmer", Href: "/plan/skimmer", Title: "Skimmer in the checkout", Summary: "Foreign code in the payment page reads what customers type and sends it away. Each hour it stays costs your customers their cards.", Owner: "Incident Commander", Severity: "critical", Steps: "31 steps", Review: State{"good", "reviewed 12 days ago"}, Revision: "4f1c09a2"}
}

func revisionRows() []RevisionRow {
	return []RevisionRow{{Revision: "4f1c09a2", Title: "Skimmer in the checkout", Href: "/plan/skimmer?revision=4f1c", Diff: "/plan/skimmer/diff?to=4f1c", At: before(290 * time.Hour), By: "Anna Keller", Approver: "Boris Lang", Why: Visible("After incident 9: save the database first."), From: "console", Current: true}, {Revision: "77ab3c01", Title: "Skimmer in the checkout", Href: "/plan/skimmer?revision=77ab", At: before(2000 * time.Hour), By: "Tocsin", From: "shipped"}}
}

func stepFlow(number, id, what, role, key string) StepFlow {
	return StepFlow{Number: number, ID: id, What: what, Role: role, RoleKey: key, Why: "The saved page is the first proof.", How: NewProse("1. Use a private window.\n2. Press F12, open Network."), Done: "The page is attached.", If: "affected = customers", Facts: []Fact{{"Asks", "Could the code read card data?", ""}, {"Within", "20 min", ""}}, Evidence: []string{"the saved payment page"}}
}

func planView() PlanView {
	other := bookRow()
	other.ID, other.Href, other.Title, other.Severity, other.Review, other.Summary = "ransomware", "/plan/ransomware", "Ransomware", "critical", State{"late", "review is 12 days late"}, "Files cannot be read, and somebody wants money."
	return PlanView{Frame: frame("The plan", "plan", "/plan"), Rows: []BookRow{bookRow(), other}, Retired: []BookRow{{Href: "/plan/old", Title: "An old one"}}, History: revisionRows(), Built: "14 of 22 actions are built; the others are done by hand.", May: true,
		Proposals: []ProposalRow{{Href: "/plan/proposals/1", Title: "Ransomware", By: "Chen Wei", At: before(3 * time.Hour), Why: Visible("The backups have moved."), State: State{"late", "waits for you"}}},
		Forms:     []Fold{{Summary: "Import a playbook (CACAO 2.0 or our YAML)", Form: Form{ID: "import", Action: "/plan/import", Button: "Read it", Fields: []Field{{Name: "text", Kind: "lines", Label: "The file", Need: true, Code: true, Most: 300000, Rows: 6}}}}}}
}

func bookView() BookView {
	return BookView{Frame: frame("Skimmer in the checkout", "plan", "/plan/skimmer"), Row: bookRow(), Signs: []string{"A customer's bank asks about fraud after a purchase here."}, Criteria: criteria, Asks: []Fact{{"card-data", "Could the code read card data? yes, no, unknown", ""}}, Ends: "verdict = false-alarm",
		Phases: []PhaseFlow{{ID: "identification", Word: "Detection and identification", Nodes: []NodeFlow{{Steps: []StepFlow{stepFlow("1", "look-at-page", "Open the payment page as a customer would, and save it", "Security Analyst", "analyst")}}, {Branches: []BranchFlow{{Word: "technical", Steps: []StepFlow{stepFlow("2", "block", "Block the server that the script talks to", "Platform Engineer", "engineer"), stepFlow("3", "save", "Save the database", "Platform Engineer", "engineer")}}, {Word: "people", Steps: []StepFlow{stepFlow("4", "tell-bank", "Tell the bank", "Incident Commander", "commander")}}, {Word: "law", Steps: []StepFlow{stepFlow("5", "clock", "Start the clock of the authority", "Legal Advisor", "legal")}}}}}},
			{ID: "recovery", Word: "Recovery", Nodes: []NodeFlow{{Steps: []StepFlow{stepFlow("6", "tell", "Tell customers that it is over", "Communications Officer", "communications")}}}}},
		Findings: []FindingRow{{Line: "210", Says: "The action file.compare is not built yet: the step is done by hand.", Warning: true}}, Revisions: revisionRows(), Exports: []Link{{"Export as CACAO 2.0", "/plan/skimmer/export"}, {"Export as YAML", "/plan/skimmer/export?as=yaml"}}, Edit: "/plan/skimmer/edit",
		Folds: []Fold{{Summary: "Do not begin it any more", Form: Form{ID: "retire", Action: "/plan/skimmer/retire", Button: "Retire it", Danger: true, Fields: []Field{reasonForm}}}}}
}

func changeViews() []ChangeView {
	return []ChangeView{{Kind: "added", What: "Save the database", Place: "Recovery, behind Tell the bank", Fields: []FieldView{{Name: "Role", To: []Text{Visible("Platform Engineer")}}}}, {Kind: "changed", What: "Tell the bank", Fields: []FieldView{{Name: "How", From: []Text{Visible("1. Call the bank."), Visible("2. Write it down.")}, To: []Text{Visible("1. Call the bank on the number of the card.")}}}}}
}

func bookEditView() BookEditView {
	return BookEditView{Frame: frame("Edit: Skimmer in the checkout", "plan", "/plan/skimmer/edit"), Back: Link{"Skimmer in the checkout", "/plan/skimmer"}, Checked: "It cannot be used: 2 mistakes.", Other: []Text{Visible("Revision 4f1c09a2 by Anna Keller stands since 3 min ago.")}, Refused: []string{"step type playbook-action: while-condition--1", "extension x-acme"},
		Findings: []FindingRow{{Line: "12", Says: "“bos” is no role; known: commander, engineer, analyst, legal, communications.", Text: "        role: bos"}, {Line: "40", Says: "The step can never be needed: its condition cannot hold.", Text: "        if: affected = customers and affected = site-only"}, {Says: "The action file.compare is not built yet: the step is done by hand.", Warning: true}},
		Changes:  changeViews(), Form: Form{ID: "book", Action: "/plan/skimmer/edit", Button: "Check it", Also: []Option{{"propose", "Propose it", false}}, Hidden: []Option{{Word: "before", Value: "4f1c"}}, Fields: []Field{{Name: "text", Kind: "lines", Label: "The playbook", Need: true, Code: true, Rows: 24, Most: 400000, Value: "playbook: skimmer\ntitle: Skimmer in the checkout\n"}, {Name: "reason", Label: "Why it is changed", Need: true}}}}
}

func bookDiffView() BookDiffView {
	return BookDiffView{Frame: frame("What changes in Skimmer in the checkout", "plan", "/plan/proposals/1"), Back: Link{"Skimmer in the checkout", "/plan/skimmer"}, From: revisionRows()[1], To: revisionRows()[0], Changes: changeViews(), Note: State{"late", "waits for a second person"}, Says: "You wrote it, so another person agrees.",
		Findings: []FindingRow{{Says: "The file that it was made of: the file is signed; the signatures are kept, and nobody verified them here.", Warning: true}},
		Decide:   []Form{{ID: "agree", Action: "/plan/proposals/1/agree", Button: "Agree: it stands from now on", Main: true}, {ID: "refuse", Action: "/plan/proposals/1/refuse", Button: "Refuse", Danger: true, Fields: []Field{reasonForm}}}}
}

func planExamples() []example {
	nothing := frame("The plan", "plan", "/plan")
	return []example{
		ex("plan", PlanPage, planView()), ex("plan-none", PlanPage, PlanView{Frame: nothing}), ex("book", BookPage, bookView()), ex("bookedit", BookEdit, bookEditView()), ex("bookdiff", BookDiff, bookDiffView()),
		ex("glossary", GlossaryPage, GlossaryView{Frame: frame("Glossary", "plan", "/plan/glossary"), Terms: []TermRow{{"t-skimmer", "skimmer", "skimmers, card skimmer", "Foreign code that reads card data while a customer pays."}, {"t-web-shell", "web shell", "", "A program on the server that obeys an attacker by the web."}}}),
	}
}
