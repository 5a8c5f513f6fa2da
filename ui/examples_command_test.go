package ui

import (
	"slices"
	"time"
)

func leadTabs(current string) (out []Tab) {
	for _, t := range []Tab{{Word: "Work", Href: "/incidents/12"}, {Word: "Triage", Href: "/incidents/12/triage"}, {Word: "Cause and lessons", Href: "/incidents/12/cause"}, {Word: "Files", Href: "/incidents/12/files", Count: "2"}, {Word: "Related", Href: "/incidents/12/related", Count: "1"}} {
		t.Current = t.Word == current
		out = append(out, t)
	}
	return out
}

func caseHead(current string) CaseHead {
	return CaseHead{ID: "12", Severity: "critical", Incident: "Hidden script in the payment page", State: State{"busy", "open, in work"}, Label: amber, Tabs: leadTabs(current)}
}

var amber = Label{"TLP:AMBER", "Our organization and its clients, who need to know it."}

var reasonForm = Field{Name: "reason", Kind: "lines", Label: "Why", Rows: 2, Need: true}

// leadView is an incident in the middle of its work, as the analyst sees it.
func leadView() IncidentView {
	v := incidentView()
	v.Frame = frame("Incident 12: Hidden script in the payment page", "incidents", "/incidents/12")
	v.State, v.Assigned, v.Next, v.Calls = State{"busy", "open, in work"}, "Boris Lang", Next{}, nil
	v.Phase = "containment"
	v.Forms.Roles = []Option{{"", "nobody's in particular", true}, {"analyst", "Security Analyst", false}}
	v.Timeline = slices.Clone(v.Timeline)
	v.Timeline[0].Href = ""
	v.Timeline[1].Pinned, v.Timeline[1].Role, v.Timeline[1].Edited, v.Timeline[1].Open = true, "Security Analyst", "edited once", "/incidents/12/moments/812"
	v.Timeline[1].N = "812"
	v.Roles = RolesPart{}
	v.Suggest = Suggestion{Severity: "critical", Is: "high", Book: "Skimmer in the checkout", Says: "Foreign code is in the payment page, or was there when customers paid.", IsSays: "Foreign code is in the shop, and nobody knows yet whether it reads payments.", Action: "/incidents/12/severity", More: "/incidents/12/triage#classify", Fields: []Option{{"severity", "critical", false}, {"reason", "As the playbook says", false}}}
	v.Lead = Lead{
		Tabs: leadTabs("Work"), Label: amber,
		Labels:    []Fold{{Summary: "Change the label", Form: Form{ID: "label", Action: "/incidents/12/label", Button: "Set the label", Fields: []Field{{Name: "label", Kind: "choice", Label: "Label", Options: []Option{{"AMBER", "TLP:AMBER: our organization and its clients", true}, {"RED", "TLP:RED: the people named only", false}}}, {Name: "reason", Label: "Why"}}}}},
		Marks:     Link{"All labels", "/incidents/12/label"},
		Statement: []Text{Visible("A foreign script in the payment page reads card data and sends it to cdn-pay.example."), Visible("It came in with the agency's account at 21:40 yesterday; 37 customers paid since."), Visible("The shop is in maintenance since 03:02; nothing goes out any more.")},
		StatedBy:  "Anna Keller", Stated: before(6 * time.Minute),
		State: []Fold{{Summary: "Say it anew", Form: Form{ID: "state", Hidden: []Option{{Word: "seen", Value: "412"}}, Action: "/incidents/12/state", Button: "This is what we know", Fields: []Field{{Name: "text", Kind: "lines", Label: "What is known, in three sentences at most", Need: true}}}}},
		Scope: "Customers are affected", ScopeTone: "bad",
		Steps: []StepCard{
			{Href: "/incidents/12/steps/1/find-the-code", What: "Find where the foreign code lives", Why: "You can take out only what you found, and it often lies in two places.", Done: "Each place is written down, with the file or the row.", Role: "Security Analyst", State: State{"late", "ready"}, Due: At(night.Add(12*time.Minute), night, berlin), Button: "Do this step", Main: true, Next: true},
			{Href: "/incidents/12/steps/1/save-logs", What: "Save the logs of the last 30 days", Role: "Security Analyst", State: State{"busy", "you do it"}, Due: before(4 * time.Minute), Late: true, Button: "Go on with this step"},
		},
		Since: Since{Says: "12 changes since you looked, 8 min ago", Groups: []SinceGroup{{Word: "Decisions", Lines: []Moment{{Icon: "check", Tone: "good", Learned: before(5 * time.Minute), Who: "Anna Keller", Says: "Decided: take the shop offline"}}}, {Word: "Steps", Lines: []Moment{{Icon: "check", Learned: before(2 * time.Minute), Who: "Chen Wei", Says: "Done: put the shop into maintenance"}}, More: "and 10 more"}},
			Seen: Form{ID: "seen", Action: "/incidents/12/seen", Button: "I have seen it"}},
		Runs:  []RunRow{{Title: "Skimmer in the checkout", Href: "/plan/skimmer", Says: "9 of 31 steps done", Revision: "4f1c09a2", State: State{"busy", "short-term containment"}, Folds: []Fold{{Summary: "It is the wrong playbook", Form: Form{ID: "stop-1", Action: "/incidents/12/runs/1/stop", Button: "Stop it", Fields: []Field{reasonForm}}}}}},
		Watch: WatchRow{Until: At(night.AddDate(0, 0, 14), night, berlin), Says: "What its attacker left is looked for in each line: 4 values, 1 sign so far. When one comes back, the incident opens again.", Folds: []Fold{{Summary: "Stop watching now", Form: Form{ID: "watch-end", Action: "/incidents/12/watch/end", Button: "Stop watching", Danger: true, Fields: []Field{reasonForm}}}}},
		Begin: []Fold{{Summary: "Begin another playbook", Form: Form{ID: "begin", Action: "/incidents/12/begin", Button: "Begin it", Fields: []Field{{Name: "playbook", Kind: "choice", Label: "Playbook", Options: []Option{{"data-leak", "Customer data leaked", true}}}}}}},
		Lanes: []Lane{
			{Role: "Incident Commander", Holder: "Anna Keller", Count: "4 of 7 done", Rows: []LaneStep{{Href: "/incidents/12/steps/1/decide-offline", What: "Decide whether the shop goes offline", State: State{"good", "done"}, Who: "Anna Keller"}, {Href: "/incidents/12/steps/1/tell-bank", What: "Tell the bank", State: State{"late", "ready"}, Due: At(night.Add(30*time.Minute), night, berlin)}}},
			{Role: "Platform Engineer", Holder: "Chen Wei", Count: "2 of 8 done", Rows: []LaneStep{{Href: "/incidents/12/steps/1/block", What: "Block the server that the script talks to", State: State{"busy", "in work"}, Who: "Chen Wei"}}},
			{Role: "Security Analyst", Holder: "Boris Lang", Mine: true, Count: "3 of 9 done", Rows: []LaneStep{{Href: "/incidents/12/steps/1/find-the-code", What: "Find where the foreign code lives", State: State{"late", "ready"}, Due: At(night.Add(12*time.Minute), night, berlin)}}, More: "5 more wait for others"},
			{Role: "Legal Advisor", Count: "0 of 4 done", Rows: []LaneStep{{Href: "/incidents/12/steps/1/clock", What: "Start the clock of the data protection authority", State: State{"bad", "late"}, Due: before(20 * time.Minute)}}},
		},
		Clocks: []Clock{{What: "Start the clock of the data protection authority", Href: "/incidents/12/steps/1/clock", Who: "Legal Advisor: nobody", Due: before(20 * time.Minute), Late: true}, {What: "Find where the foreign code lives", Href: "/incidents/12/steps/1/find-the-code", Who: "Security Analyst: Boris Lang", Due: At(night.Add(12*time.Minute), night, berlin)}},
		Decisions: []DecisionRow{
			{ID: "2", Text: Visible("Do we tell customers tonight?"), State: State{"late", "open since 9 min"}, Mark: Link{"Who may hear of it", "/incidents/12/label?what=decision%3A2"}, Asked: "Dora Weiss", At: before(9 * time.Minute), Options: []OptionRow{{Text: Visible("Yes, all 37 by mail")}, {Text: Visible("In the morning, when Legal has read it")}},
				Choose: []Fold{{Summary: "Decide it", Open: true, Form: Form{ID: "choose-2", Action: "/incidents/12/decisions/2/choose", Hidden: []Option{{Word: "seen", Value: "815"}}, Button: "Decide", Main: true, Fields: []Field{{Name: "option", Kind: "radios", Label: "We do this", Need: true, Options: []Option{{Value: "1", Word: "Yes, all 37 by mail"}, {Value: "2", Word: "In the morning, when Legal has read it"}}}, reasonForm}}}}},
			{ID: "1", Text: Visible("Does the shop go offline?"), State: State{"good", "decided"}, Asked: "Chen Wei", At: before(20 * time.Minute), Options: []OptionRow{{Text: Visible("Yes, maintenance page"), Chosen: true}, {Text: Visible("No, only the payment page")}}, Chosen: Visible("Yes, maintenance page"), By: "Anna Keller", Made: before(17 * time.Minute), Why: Visible("Each hour costs customers their cards; we lose about 900 EUR an hour at night.")},
		},
		Deciding:  []Fold{{Summary: "Ask for a decision", Form: Form{ID: "ask", Action: "/incidents/12/decisions", Button: "Ask for it", Fields: []Field{{Name: "text", Label: "What is to be decided", Need: true}, {Name: "options", Kind: "lines", Label: "Options, one a line", Need: true}}}}},
		Questions: []QuestionRow{{ID: "1", Text: Visible("Does the agency still have access by FTP?"), For: "Platform Engineer", Asked: "Boris Lang", At: before(11 * time.Minute), State: State{"late", "open"}, Folds: []Fold{{Summary: "Answer it", Form: Form{ID: "answer-1", Action: "/incidents/12/questions/1/answer", Button: "Answer", Fields: []Field{{Name: "text", Kind: "lines", Label: "Answer", Need: true}}}}}}},
		Asking:    []Fold{{Summary: "Ask something", Form: Form{ID: "question", Action: "/incidents/12/questions", Button: "Ask", Fields: []Field{{Name: "text", Label: "What do you want to know?", Need: true}, {Name: "role", Kind: "choice", Label: "Whom do you ask?", Options: []Option{{"", "Everybody", true}, {"legal", "Legal Advisor", false}}}}}}},
		Handovers: []HandoverRow{{ID: "1", From: "Emil Roth", To: "Boris Lang", Roles: "Security Analyst", Text: VisibleLines("The script is saved.\nNext: the database. I looked at files only."), At: before(40 * time.Minute), State: State{"late", "waits for you"}, Take: []Form{{ID: "take-1", Action: "/incidents/12/handovers/1/take", Button: "I have read it and take over", Main: true}}}},
		Handing:   []Fold{{Summary: "Hand over your shift", Form: Form{ID: "shift", Action: "/incidents/12/handovers", Button: "Hand over", Fields: []Field{{Name: "to", Kind: "choice", Label: "To", Options: []Option{{"chen", "Chen Wei", false}}}, {Name: "text", Kind: "lines", Label: "What stands, what comes next, what worries you", Need: true, Rows: 5}}}}},
		Tasks:     []TaskRow{{ID: "task-1", Text: Visible("Ask the agency who was at work at 21:40"), Who: "Boris Lang", State: State{"late", "to do"}, Due: before(3 * time.Minute), Late: true, Done: []Form{{ID: "done-1", Action: "/incidents/12/tasks/1/done", Button: "Done", Fields: []Field{{Name: "text", Label: "What was done"}}}}}},
		Tasking:   []Fold{{Summary: "Add a task", Form: Form{ID: "task", Action: "/incidents/12/tasks", Button: "Add the task", Fields: []Field{{Name: "title", Label: "What is to be done", Need: true}, {Name: "who", Kind: "choice", Label: "By whom", Options: []Option{{"person:boris", "Boris Lang", true}}}, {Name: "due", Label: "By when", Hint: "in 2 h, 14:32, 2026-11-27 14:32"}}}}},
		Filters:   []Option{{"", "Everything", true}, {"pinned", "Pinned", false}, {"analyst", "Security Analyst", false}},
	}
	return v
}

// stepView is a step that its reader does now.
func stepView() StepView {
	f := frame("Find where the foreign code lives", "incidents", "/incidents/12/steps/1/find-the-code")
	return StepView{Frame: f, ID: "12", Severity: "critical", Incident: "Hidden script in the payment page", Book: Link{"Skimmer in the checkout", "/plan/skimmer"}, Place: "Step 4 of 31 · Identification", Role: "Security Analyst", Holder: "Boris Lang",
		State: State{"busy", "you do it"}, Due: At(night.Add(12*time.Minute), night, berlin), Doer: "Boris Lang", At: before(3 * time.Minute), What: "Find where the foreign code lives", Why: "You can take out only what you found, and it often lies in two places.",
		How:  NewProse("1. Search the database for \"<script\" in pages, settings and templates.\n2. Compare the files of the shop with a clean copy of the same version.\n3. Look at what was changed lately: files, then rows.\nWrite down each place. Change nothing yet."),
		Done: "Each place is written down, with the file or the row.", Action: ActionRow{Says: "Compares the shop's files with their baseline.", Hand: "Tocsin cannot do it yet: do it by hand."},
		Evidence: []EvidenceRow{{Name: "the foreign code, as found", State: State{"good", "here"}, Files: []Link{{"1. skimmer.js", "/incidents/12/files#file-1"}}}, {Name: "the list of changed files", State: State{"late", "missing"}, Files: []Link{{"Bring it", "/incidents/12/files?step=1/find-the-code&name=x"}}}},
		Agree:    "The Incident Commander must agree before it is done.", Next: "Do what is written below. Then answer the question and press Done.",
		Main: []Form{{ID: "finish", Action: "/incidents/12/steps/1/find-the-code/done", Button: "Done", Main: true, Next: true, Fields: []Field{{Name: "fact.lives-in", Kind: "radios", Label: "Where does the foreign code live?", Need: true, Options: []Option{{"file", "file", false}, {"database", "database", true}, {"outside-script", "outside-script", false}, {"unknown", "unknown", false}}},
			{Name: "evidence", Kind: "ticks", Label: "Evidence for this step", Options: []Option{{"1", "1. skimmer.js", true}}}, {Name: "text", Kind: "lines", Label: "What you found"}}}},
		Folds:   []Fold{{Summary: "I do not do it any more", Form: Form{ID: "leave", Action: "/incidents/12/steps/1/find-the-code/leave", Button: "Leave it", Fields: []Field{{Name: "reason", Label: "Why"}}}}, {Summary: "Skip this step", Form: Form{ID: "skip", Action: "/incidents/12/steps/1/find-the-code/skip", Button: "Skip it", Danger: true, Fields: []Field{reasonForm}}}},
		Moments: []Moment{{Icon: "user", Learned: before(3 * time.Minute), Who: "Boris Lang", Says: "Taken by Boris Lang"}},
	}
}

func settledStep() StepView {
	v := stepView()
	v.State, v.Main, v.Agree = State{"good", "done"}, nil, ""
	v.Next, v.Onward = "This step is done.", Link{"Your next step: block the server", "/incidents/12/steps/1/block"}
	v.Asks = []AnswerRow{{Ask: "Where does the foreign code live?", Answer: Visible("database"), By: "Boris Lang", At: before(time.Minute)}, {Ask: "Could the code read card data?"}}
	v.Result = VisibleLines("Table cms_block, id 17.\nNothing in files.")
	v.Waits = []Link{{"Save the page", "/incidents/12/steps/1/look-at-page"}}
	return v
}

func tasksView() TasksView {
	lead := leadView().Lead
	rows := []TaskRow{lead.Tasks[0], {ID: "task-question", What: "Question", Text: Visible("Does the agency still have access by FTP?"), Who: "Platform Engineer", State: State{"late", "question to answer"}, Incident: Link{"Incident 12", "/incidents/12"}, Href: "/incidents/12#question-1"}}
	rows[0].Incident, rows[0].Href = Link{"Incident 12", "/incidents/12"}, "/incidents/12#task-1"
	return TasksView{Frame: frame("My tasks", "tasks", "/tasks"), Late: "2 are late.", Steps: lead.Steps, Rows: rows}
}

func pastRows() []PastRow {
	return []PastRow{{ID: "9", Href: "/incidents/9", Title: "Hidden script in a template", State: State{"off", "closed: true alarm"}, Shares: "1 address, 1 account", At: before(400 * time.Hour), Severity: "high"}, {ID: "4", Href: "/incidents/4", Title: "Directories of the shop searched", State: State{"off", "closed: false alarm"}, Shares: "1 address", At: before(900 * time.Hour), Severity: "low"}}
}

var criteria = []CriterionRow{{"critical", "Foreign code is in the payment page, or was there when customers paid.", true}, {"high", "Foreign code is in the shop, and nobody knows yet whether it reads payments.", false}, {"medium", "Somebody tried to put code in, and it is not on any page.", false}, {"low", "A report without any trace of code.", false}}

func triageView() TriageView {
	return TriageView{Frame: frame("Triage of incident 12", "incidents", "/incidents/12/triage"), CaseHead: caseHead("Triage"), Alerts: alertRows[:2], Unusual: []Text{Visible("lager signs in from VN; usual: DE.")}, Past: pastRows(), Criteria: criteria, More: "and 3 more alerts",
		Close:    []Form{{ID: "false-alarm", Action: "/incidents/12/triage", Hidden: []Option{{Word: "verdict", Value: "false-alarm"}}, Button: "False alarm: close it", Danger: true, Fields: []Field{{Name: "kind", Kind: "radios", Label: "What was it?", Need: true, Options: []Option{{"looked", "I looked at the lines, and nothing in them is harmful", true}, {"ours", "Our own work, test or scan", false}, {"partner", "A partner or service that may do this", false}}}, {Name: "reason", Label: "In your words"}}}},
		Judge:    []Form{{ID: "judged", Action: "/incidents/12/triage", Button: "It is real", Hidden: []Option{{Word: "verdict", Value: "real"}}, Main: true, Next: true, Fields: []Field{reasonForm}}},
		Tuned:    []Fold{{Summary: "SQL injection by UNION SELECT, for 198.51.100.77", Form: Form{ID: "tune-1", Action: "/incidents/12/mute", Button: "Keep quiet", Hint: "It would have kept 159 records quiet.", Fields: []Field{{Name: "until", Kind: "choice", Label: "For", Options: []Option{{"604800", "7 days", true}}}, reasonForm}}}},
		Scope:    ScopeAsk{"/incidents/12/fact", []Option{{"site-only", "Only the site", false}, {"customers", "Customers too", false}, {"unknown", "Not known yet", false}}},
		Classify: []Form{{ID: "severity", Action: "/incidents/12/severity", Button: "Change severity", Fields: []Field{{Name: "severity", Kind: "choice", Label: "Severity", Options: []Option{{"critical", "Critical", true}, {"high", "High", false}}}, reasonForm}}},
	}
}

func fish() Fishbone {
	row := func(s string, links ...Link) FishReason { return FishReason{Row: ReasonRow{Visible(s), links}} }
	return NewFishbone("A foreign script reads cards in the payment page", []FishBranch{
		{Word: "People", Reasons: []FishReason{row("One password for three people"), row("Nobody asked why the agency needs to sign in at night")}},
		{Word: "Process", Reasons: []FishReason{row("No second person sees changes of the checkout"), row("Accounts of the agency are not reviewed")}},
		{Word: "Technology", Reasons: []FishReason{row("The editor lets scripts through", Link{"CVE-2026-31337", ""}, Link{"commit 1a2b3c4d", ""}), row("No content policy on the payment page"), row("Old version")}},
		{Word: "Supplier", Reasons: []FishReason{row("The agency's mail box was open for weeks")}},
		{Word: "Configuration"},
		{Word: "Environment", Reasons: []FishReason{row("Black Friday: changes went live unseen")}},
	})
}

func causeView() CauseView {
	return CauseView{Frame: frame("Cause of incident 12", "incidents", "/incidents/12/cause"), CaseHead: caseHead("Cause and lessons"), Class: "Credentials", Sum: Visible("The agency's account was taken over and used to put a script into a content block."), By: "Boris Lang", At: before(time.Hour), Versions: "written 2 times; all are in the ledger",
		Whys: []ReasonRow{{Visible("Why was there foreign code? The account of the agency put it in."), []Link{{"lines 812", "/incidents/12/lines"}}}, {Visible("Why could it? The account may edit the checkout."), nil}, {Visible("Why did nobody see it? Nothing compares the content of the database."), nil}},
		Fish: fish(), Edit: []Form{{ID: "cause", Action: "/incidents/12/cause", Button: "Write it down", Main: true, Hidden: []Option{{Word: "seen", Value: "900"}}, Fields: []Field{{Name: "class", Kind: "choice", Label: "Kind of cause", Options: []Option{{"credentials", "Credentials", true}}}, {Name: "text", Kind: "lines", Label: "In sum", Value: "The agency's account was taken over."}, {Name: "why1", Label: "Why 1", Value: "Why was there foreign code?"}, {Name: "people", Kind: "lines", Label: "People", Hint: "One reason a line."}}}},
		Other:   []Text{Visible("The supplier was at fault.")},
		Lessons: []LessonRow{{"What went well", []Text{Visible("The shop was offline within 20 minutes.")}}, {"What went badly", []Text{Visible("Nobody held the role of Legal until 04:00.")}}},
		Learn:   []Form{{ID: "lessons", Action: "/incidents/12/lessons", Button: "Write them down", Fields: []Field{{Name: "well", Kind: "lines", Label: "What went well"}, {Name: "badly", Kind: "lines", Label: "What went badly"}, {Name: "text", Kind: "lines", Label: "What follows from it"}}}}}
}

func filesView() FilesView {
	return FilesView{Frame: frame("Files of incident 12", "incidents", "/incidents/12/files"), CaseHead: caseHead("Files"), Wants: []EvidenceRow{{Name: "the list of requests (HAR)", Files: []Link{{"Bring it", "#add"}}}},
		Rows: []FileRow{
			{ID: "1", Name: Visible("skimmer.js"), Kind: "code", Size: "48 kB", SHA256: "9f31c2b70a5d44e2a1c0ffee9f31c2b70a5d44e2a1c0ffee9f31c2b70a5d44e2", From: Visible("payment page, saved in a private window"), Why: Visible("What is stolen, and where it goes"), Label: amber, State: State{"good", "whole each time somebody looked"},
				Chain: []CustodyRow{{At: before(50 * time.Minute), What: "brought", Who: "Boris Lang", From: Visible("payment page"), Why: Visible("first proof"), State: State{"good", "whole"}}, {At: before(20 * time.Minute), What: "passed on", Who: "Anna Keller", From: Visible("console"), To: Visible("police, K. Brandt, by encrypted mail"), Why: Visible("charges")}, {At: before(2 * time.Minute), What: "looked at", Who: "Chen Wei", State: State{"good", "whole"}}},
				Open:  []Form{{ID: "read-1", Action: "/incidents/12/files/1/read", Button: "Open it, and check its hash"}}, Folds: []Fold{{Summary: "It went to somebody", Form: Form{ID: "pass-1", Action: "/incidents/12/files/1/pass", Button: "Write it down", Fields: []Field{{Name: "to", Label: "To whom", Need: true}, {Name: "why", Label: "Why", Need: true}}}}}},
			{ID: "2", Name: Visible("access\u202egol.log"), Kind: "log", Size: "2.1 MB", SHA256: "0000c2b70a5d44e2a1c0ffee9f31c2b70a5d44e2a1c0ffee9f31c2b70a5d44e2", From: Visible("shop1"), State: State{"bad", "changed: it is not what was brought"}, Chain: []CustodyRow{{At: before(30 * time.Minute), What: "brought", Who: "Chen Wei", From: Visible("shop1"), State: State{"good", "whole"}}, {At: before(time.Minute), What: "looked at", Who: "Chen Wei", State: State{"bad", "changed"}}}},
		},
		Add: []Fold{{Summary: "Bring a file", Open: true, Form: Form{ID: "add", Action: "/incidents/12/files", Files: true, Button: "Bring it", Main: true, Fields: []Field{{Name: "file", Kind: "file", Label: "File", Need: true, Hint: "At most 16 MB."}, {Name: "kind", Kind: "choice", Label: "What it is", Options: []Option{{"log", "log", true}, {"image", "image", false}}}, {Name: "from", Label: "Where it is from", Need: true}, {Name: "why", Label: "Why it matters"}}}}},
	}
}

func relatedView() RelatedView {
	return RelatedView{Frame: frame("Incidents near incident 12", "incidents", "/incidents/12/related"), CaseHead: caseHead("Related"), Merged: Link{"incident 7", "/incidents/7"}, Parts: pastRows()[:1], Rows: pastRows(), More: "There are more.",
		Merge:   []Fold{{Summary: "Make this incident part of another", Form: Form{ID: "merge", Action: "/incidents/12/merge", Button: "Merge it", Fields: []Field{{Name: "into", Kind: "choice", Label: "Part of", Options: []Option{{"9", "9: Hidden script in a template", true}}}, reasonForm}}}},
		Unmerge: []Fold{{Summary: "Take it out again", Form: Form{ID: "unmerge", Action: "/incidents/12/unmerge", Button: "Take it out", Fields: []Field{reasonForm}}}}}
}

func lineOfView() LineOfView {
	m := leadView().Timeline[1]
	m.Open = ""
	return LineOfView{Frame: frame("A line of incident 12", "incidents", "/incidents/12/moments/812"), CaseHead: caseHead(""), N: "812", Moment: m, Versions: []VersionRow{{"Boris Lang", before(time.Minute), VisibleLines("The agency scans us?")}},
		Edit: []Form{{ID: "edit", Action: "/incidents/12/moments/812/edit", Button: "Keep it so", Fields: []Field{{Name: "note", Kind: "lines", Label: "Note", Need: true, Value: "The marketing agency does not scan us tonight."}, {Name: "happened", Label: "Happened at", Value: "2026-11-23 03:08"}}}},
		Pin:  []Form{{ID: "pin", Action: "/incidents/12/moments/812/pin", Button: "Take the pin out", Hidden: []Option{{Word: "off", Value: "yes"}}}}, Mark: []Form{{ID: "label", Action: "/incidents/12/label", Button: "Set the label", Fields: []Field{{Name: "label", Kind: "choice", Label: "Label", Options: []Option{{"", "as the incident", true}}}, {Name: "reason", Label: "Why"}}}}, Other: []Text{Visible("The agency scans us, Dora says.")}}
}

func waitingLead() IncidentView {
	v := leadView()
	v.Lead.Steps, v.Lead.Since = nil, Since{}
	v.Lead.Scope = ""
	v.Lead.Ask = triageView().Scope
	v.Lead.Statement = nil
	v.Lead.Waits = []string{"Put the shop into maintenance is being done by Chen Wei.", "Tell the bank waits for the Incident Commander."}
	v.Lead.Begin[0].Open = true
	v.Errors = Errors{{"ask-options", "A decision has 2 to 6 options; got 1."}, {"choose-2-reason", "Decision 2 was decided meanwhile: “In the morning”."}}
	v.Lead.Deciding[0].Open = true
	v.Lead.Deciding[0].Form = v.Lead.Deciding[0].Form.Again(map[string][]string{"text": {"Do we call the police?"}, "options": {"Yes"}}, v.Errors)
	v.Lead.Decisions = slices.Clone(v.Lead.Decisions)
	v.Lead.Decisions[0].Choose = []Fold{{Summary: "Decide it", Open: true, Form: v.Lead.Decisions[0].Choose[0].Form.Again(map[string][]string{"option": {"1"}, "reason": {"They have a right to know."}}, v.Errors)}}
	return v
}

func commandExamples() []example {
	return []example{
		ex("incident-lead", Incident, leadView()), ex("incident-wait", Incident, waitingLead()), ex("step", StepPage, stepView()), ex("step-done", StepPage, settledStep()), ex("tasks", Tasks, tasksView()),
		ex("tasks-none", Tasks, TasksView{Frame: frame("My tasks", "tasks", "/tasks")}), ex("triage", Triage, triageView()), ex("cause", CausePage, causeView()),
		ex("cause-none", CausePage, CauseView{Frame: frame("Cause of incident 12", "incidents", "/incidents/12/cause"), CaseHead: caseHead("Cause and lessons")}),
		ex("files", Files, filesView()), ex("related", Related, relatedView()), ex("moment", LineOf, lineOfView()),
		ex("labels", Labels, LabelsView{Frame: frame("Labels of incident 12", "incidents", "/incidents/12/label"), CaseHead: caseHead(""), Rows: labelRows()}),
		ex("label", Labels, LabelsView{Frame: frame("Labels of incident 12", "incidents", "/incidents/12/label"), CaseHead: caseHead(""), Rows: labelRows()[2:3], All: Link{"All labels of this incident", "/incidents/12/label"},
			Form: []Form{{ID: "label", Action: "/incidents/12/label", Button: "Set the label", Hidden: []Option{{Word: "what", Value: "decision:2"}}, Fields: []Field{{Name: "label", Kind: "choice", Label: "Who may hear of it", Options: []Option{{"", "as the incident", false}, {"RED", "TLP:RED: the people named only", true}}}, {Name: "reason", Label: "Why", Hint: "needed when more people may hear it than before"}}}}}),
	}
}

func labelRows() []LabelRow {
	red := Label{"TLP:RED", "For the eyes and ears of individual recipients only"}
	return []LabelRow{
		{Word: "The incident", Href: "/incidents/12", Label: amber, Says: "nobody said anything: the usual one"},
		{Word: "What is known", Href: "/incidents/12/label?what=statement", Label: amber, Says: "as the incident", Text: Visible("A foreign script in the payment page reads card data.")},
		{Word: "Decision 2", Href: "/incidents/12/label?what=decision%3A2", Label: red, Own: true, By: "Anna Keller", At: before(9 * time.Minute), Why: Visible("the agency must not hear of it"), Text: Visible("Do we accuse the agency?")},
		{Word: "Attachment 1, of incident 9", Href: "/incidents/9/label?what=attachment%3A1", Label: amber, Says: "as the incident", Text: Visible("page.html")},
	}
}
