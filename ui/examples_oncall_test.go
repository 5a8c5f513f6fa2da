package ui

import "time"

func stripExample(id string, n int) RotaStrip {
	var days []StripPart
	for i := range 7 {
		days = append(days, StripPart{X: float64(i) / 7, W: 1. / 7, Word: night.AddDate(0, 0, i).Format("Mon 2 Jan"), Off: i > 4})
	}
	who := []string{"Anna Keller", "Boris Lang", "Chen Wei"}
	lines := []StripLine{{Word: "weeks"}, {Word: "nights-and-weekends"}, {Word: "Overrides"}, {Word: "On call", Final: true}}
	lines[0].Parts = []StripPart{{X: 0, W: 1, Word: who[0], Says: "Anna Keller from Mon 23 Nov 09:00 to Mon 30 Nov 09:00 CET", Hue: 0}}
	for i := range 7 {
		lines[1].Parts = append(lines[1].Parts, StripPart{X: float64(i)/7 + .1, W: .08, Word: who[i%3], Says: who[i%3] + " from 18:00 to 08:00", Hue: i % 3})
		lines[3].Parts = append(lines[3].Parts, StripPart{X: float64(i) / 7, W: .1, Word: who[0], Says: who[0], Hue: 0}, StripPart{X: float64(i)/7 + .1, W: 1./7 - .1, Word: who[i%3], Says: who[i%3], Hue: i % 3})
	}
	lines[2].Parts = []StripPart{{X: .3, W: .2, Word: who[1], Says: "Boris Lang, override 3", Hue: 1}}
	lines[3].Parts[6] = StripPart{X: 3. / 7, W: .1, Word: "nobody", Says: "nobody", Hue: -1}
	s := NewStrip(id, "The shop, the week of 23 November 2026", "Europe/Berlin", .02, days, lines[:n])
	s.Table = []ShiftRow{{Who: "Anna Keller", From: before(20 * time.Hour), Until: before(-4 * time.Hour), Why: "layer weeks"}, {Gap: true, From: before(-4 * time.Hour), Until: before(-9 * time.Hour), Why: "Boris Lang is away"}}
	return s
}

func duties() []Duty {
	return []Duty{
		{ID: "payments", Name: "Payments", Href: "/oncall/payments", Until: before(-5 * time.Hour), Why: "Calls go on to whom the policy names next.", After: "Chen Wei"},
		{ID: "shop", Name: "The shop", Href: "/oncall/shop", Who: "Anna Keller", Until: before(-7 * time.Hour), Why: "override 3 instead of Boris Lang", After: "nobody", Gap: true},
		{ID: "nights", Name: "Nights", Href: "/oncall/nights", Who: "Boris Lang", Until: before(-31 * time.Hour), After: "Anna Keller"},
	}
}

func rotaRowExample() RotaRow {
	return RotaRow{ID: "shop", Name: "The shop", Href: "/oncall/shop", Strip: stripExample("shop", 4), Month: "November 2026", Loads: []LoadRow{
		{Who: "Anna Keller", All: "412.5", Night: "120", Weekend: "96", Holiday: "0", Shifts: "18", Part: LoadPart(1)}, {Who: "Boris Lang", All: "204", Night: "77", Weekend: "48", Holiday: "0", Shifts: "9", Part: LoadPart(.5)},
		{Gap: true, All: "12", Night: "0", Weekend: "0", Holiday: "0", Shifts: "1", Part: LoadPart(.03)}}}
}

var gapFault = Problem{Grave: true, Says: "The shop: nobody is on call from Thu 26 Nov 00:00 to Thu 26 Nov 08:00 CET (Wed 25 Nov 23:00 to 07:00 UTC), because Boris Lang cannot be.", Mend: "Ask somebody to take over, or change the schedule.", Href: "/oncall/shop"}

func coverExample(action string) CoverForm {
	people := []Option{{"anna", "Anna Keller", true}, {"boris", "Boris Lang", false}}
	return CoverForm{Action: action, People: people, Instead: people, From: "2026-11-23T04:00", Until: "2026-11-24T04:00", Zone: "Europe/Berlin"}
}

func rotaFormExample(action string, fresh bool) RotaForm {
	o := []Option{{"weekly", "by the week", true}, {"daily", "by the day", false}}
	return RotaForm{Action: action, Fresh: fresh, ID: "shop", Name: "The shop", Zone: "Europe/Berlin", People: "anna (Anna Keller), boris (Boris Lang)", Holidays: "christmas 2026-12-24 2026-12-26 yearly layer:nights",
		Layers: []LayerForm{{N: 1, Word: "The lowest layer", ID: "weeks", People: "anna, boris", Rotations: o, Weekdays: o, At: "09:00", Start: "2026-11-23", Hours: "mon tue 18:00-08:00", Absent: o}, {N: 2, Word: "One more layer, above", Rotations: o, Weekdays: o, Absent: o}}}
}

func onCallExamples() []example {
	cover := CoverRow{ID: "override-3", Says: "3: Anna Keller instead of Boris Lang", From: before(time.Hour), Until: before(-7 * time.Hour), Why: "his child is ill", By: "Boris Lang", End: "/overrides/3/end"}
	v := OnCallView{Frame: frame("Who is on call now", "oncall", "/oncall"), May: true, Now: duties(), Faults: []Problem{gapFault}, Prev: "/oncall?week=-1#week", Next: "/oncall?week=1#week", Says: "The week of 23 November 2026", Rotas: []RotaRow{rotaRowExample()},
		Absences: []CoverRow{{ID: "away-1", Says: "Boris Lang", From: before(-30 * time.Hour), Until: before(-99 * time.Hour), By: "Boris Lang", End: "/absences/1/end"}}, Away: coverExample("/absences"), Renew: "/calendar/renew",
		Calendars: []Calendar{{"My duties", "https://tocsin.shop.example/calendar/AQAAAAAAAAAMYW5uYQBzaG9wq2vXJ1bq7iJc5sE.ics"}}, Add: rotaFormExample("/oncall", true)}
	wrong := v
	wrong.Away.Open, wrong.Add.Open = true, true
	wrong.Errors = Errors{{"cover-until", "It must end after it begins."}, {"rota-zone", "The time zone is not known."}}
	r := RotaView{Frame: frame("The shop", "oncall", "/oncall/shop"), May: true, ID: "shop", Name: "The shop", For: "Whoever answers for the shop itself", Duty: duties()[1], Faults: []Problem{gapFault}, Prev: v.Prev, Next: v.Next, Says: v.Says, Row: rotaRowExample(),
		Overrides: []CoverRow{cover}, Cover: coverExample("/oncall/shop/override"), Form: rotaFormExample("/oncall/shop", false), Changes: []ChangeRow{{At: before(48 * time.Hour), By: "Anna Keller", Says: "A schedule was made or changed.", Why: "Chen is new", N: "1,204"}},
		Calendar: "/oncall/shop.ics", End: "/oncall/shop/end", Handovers: stripExample("x", 4).Table}
	p := r
	p.Form.Open, p.Form.Ready, p.Still = true, true, true
	p.Preview = &RotaPreview{Strip: stripExample("preview", 4), Faults: []Problem{gapFault}}
	return []example{
		ex("oncall", OnCall, v), ex("oncall-wrong", OnCall, wrong), ex("oncall-none", OnCall, OnCallView{Frame: frame("Who is on call now", "oncall", "/oncall")}),
		ex("rota", Rota, r), ex("rota-preview", Rota, p),
	}
}
