package ui

import "time"

// rightsExamples are who may do what, and what waits for a second person: of each state, as who may approve it, who asked for it, and who may neither.
func rightsExamples() []example {
	roles := []string{"Commander", "Engineer", "Analyst", "Legal", "Communications", "Administrator", "Reader", "Auditor", "Reporter"}
	may := func(n int) (out []bool) {
		for k := range roles {
			out = append(out, n>>k&1 == 1)
		}
		return out
	}
	rights := RightsView{Frame: frame("Who may do what", "people", "/rights"), Roles: roles, Rows: []RightRow{
		{"see", "see incidents, alerts, sources, rules, people, calls and the ledger", may(0b011111111), false},
		{"answer", "answer a call", may(0b11111), false},
		{"erase", "destroy the details of an alert", may(0b100011), true},
		{"give-power", "make somebody commander, engineer or administrator", may(0b100011), true},
	}, Holders: []Fact{{Name: "Commander", Value: "Anna Keller, Boris Lang"}, {Name: "Auditor", Value: "nobody"}}}
	rows := []ApprovalRow{
		{ID: "9", Words: "Make somebody commander, engineer or administrator", About: "person:chen", Why: Visible("roles: commander"), By: "Boris Lang", At: before(20 * time.Minute), Ends: before(-23 * time.Hour),
			State: State{"late", "waits"}, Says: "Anna Keller or Dana Berg can approve it.", May: true, Action: "/approvals/9"},
		{ID: "8", Words: "Destroy the details of an alert", About: "alert:7f3a9c", Why: Visible("a customer asked\u202e for it <script>"), By: "Anna Keller", At: before(2 * time.Hour), Ends: before(-8 * time.Minute),
			State: State{"bad", "passes alone"}, Says: "There is nobody else who could approve it: everyone was rung.", Mine: true, Action: "/approvals/8"},
		{ID: "7", Words: "Let held lines go when their time is over", About: "incident:12", Why: Visible("the case is closed"), By: "Chen Li", At: before(26 * time.Hour), State: State{"good", "done"}, Says: "Approved by Anna Keller."},
	}
	approvals := ApprovalsView{Frame: frame("Approvals", "people", "/approvals"), Rows: rows}
	wrong := approvals
	wrong.Errors = Errors{{"", "Another person must approve: Anna Keller asked for it."}}
	return []example{ex("rights", Rights, rights), ex("approvals", Approvals, approvals), ex("approvals-wrong", Approvals, wrong), ex("approvals-none", Approvals, ApprovalsView{Frame: frame("Approvals", "people", "/approvals")})}
}
