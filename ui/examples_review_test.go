package ui

import "time"

func reviewView() ReviewView {
	return ReviewView{Frame: frame("Reviews", "review", "/review"), Intro: Visible("The plan is only as good as its last review."),
		Next: []StepCard{{Href: "/review/parts/playbook:skimmer", What: "Read: Skimmer in the checkout", Why: "Incident 12 used it.", State: State{"late", "review is late"}, Button: "Read it", Main: true, Next: true}},
		Lists: []ReviewList{{ID: "parts", Title: "Parts of the plan", Rows: []ReviewRow{{ID: "part-skimmer", Href: "/review/parts/playbook:skimmer", Title: Visible("Skimmer in the checkout"), State: State{"late", "never reviewed, late"}, Who: "kept by the Incident Commander (Anna Keller)", Due: before(50 * time.Hour), Late: true, Why: Visible("It was never reviewed.")},
			{ID: "part-roles", Href: "/review/parts/roles", Title: Visible("Roles and who has them"), State: State{"good", "reviewed 3 Nov 2026"}, Who: "kept by Boris Lang", Due: before(-900 * time.Hour)}}},
			{ID: "incidents", Title: "Incidents to be reviewed", Empty: "Every grave incident was reviewed."},
			{ID: "measures", Title: "Measures", Rows: []ReviewRow{{ID: "measure-1", Href: "/review/measures/1", Title: Visible("Nobody knew who updates the plug-in"), State: State{"late", "done, another person is to look"}, Who: "Boris Lang", Where: Link{"Incident 12: Skimmer", "/incidents/12/review"}}}}},
		Folds: []Fold{{Summary: "Ask for a review before its time", Form: Form{ID: "ask", Action: "/review/ask", Button: "Ask for it", Fields: []Field{{Name: "parts", Kind: "ticks", Label: "Which parts", Options: []Option{{"roles", "Roles and who has them", false}}}, reasonForm}}}}}
}

func reviewPart() ReviewView {
	return ReviewView{Frame: frame("Skimmer in the checkout", "review", "/review/parts/playbook:skimmer"), Over: Link{"Reviews", "/review"}, State: State{"late", "read, waits for an approval"}, Intro: Visible("It is kept by the Incident Commander (Anna Keller). It was never reviewed."), Change: changeViews(),
		Papers: []ReviewPaper{{ID: "section-1", Title: "Skimmer in the checkout", State: State{"late", "changed since it was approved"}, Open: true, Lines: []Text{Visible("Foreign code in the payment page"), Visible("1. Open the payment page\u202e (Security Analyst)")}}, {ID: "section-2", Title: "Recovery", State: State{"good", "as it was approved"}}},
		Forms: []Titled{{"Approve", Form{ID: "approve", Action: "/review/parts/x/approve", Button: "Approve: it was reviewed", Main: true, Next: true, Hint: "Boris Lang read all of it."}},
			{"Say what you have read", Form{ID: "read", Action: "/review/parts/x/read", Button: "I have read these", Fields: []Field{{Name: "sections", Kind: "ticks", Label: "Sections", Options: []Option{{"skimmer", "Skimmer in the checkout (changed since it was approved)", true}, {"skimmer-1", "Recovery", false}}}}}}},
		Folds: []Fold{{Summary: "Something is not right", Form: Form{ID: "refuse", Action: "/review/parts/x/refuse", Button: "Do not approve", Danger: true, Fields: []Field{reasonForm}}}}}
}

func reviewMeeting() ReviewView {
	x := reviewPart()
	head := causeView().CaseHead
	return ReviewView{Frame: frame("Review of incident 12", "incidents", "/incidents/12/review"), Case: []CaseHead{head}, State: State{"late", "to be reviewed by 12 Dec 2026"}, Intro: Visible("What is learnt from it: nobody is blamed."), Lists: reviewView().Lists[2:],
		Papers: []ReviewPaper{{ID: "held-1", Title: "Held on 3 Dec 2026 by Anna Keller", Open: true, Says: Visible("We talked."), Lines: []Text{Visible("Gap: no list of plug-ins")}, Links: []Link{{"Make a measure of gap 1: no list of plug-ins", "/incidents/12/review?meeting=1&gap=1#measure"}}}}, Forms: x.Forms[:1], Folds: x.Folds}
}

func reviewExamples() []example {
	return []example{ex("review", ReviewPage, reviewView()), ex("review-part", ReviewPage, reviewPart()), ex("review-meeting", ReviewPage, reviewMeeting()), ex("review-none", ReviewPage, ReviewView{Frame: frame("Reviews", "review", "/review"), Lists: []ReviewList{{ID: "parts", Title: "Parts of the plan", Empty: "The plan has no parts."}}})}
}
