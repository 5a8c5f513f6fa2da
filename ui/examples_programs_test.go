package ui

import "fmt"

func programsView() ProgramsView {
	v := ProgramsView{Frame: frame("For programs", "me", "/api"), Version: "1", Says: "Everything that the console can do, for programs."}
	for _, name := range []string{"incidents", "calls", "people"} {
		c := Chapter{Name: name, Says: "What " + name + " are", Href: "/api/" + name}
		for n := range 20 {
			c.Operations = append(c.Operations, OperationLine{Method: "POST", Path: fmt.Sprintf("/%s/{id}/something-with-a-long-name/%d", name, n), Says: "Do something to one of them", Right: "break-glass",
				Href: fmt.Sprintf("/api/%s#%s%d", name, name, n)})
		}
		v.Chapters = append(v.Chapters, c)
	}
	return v
}

func chapterView() ChapterView {
	v := ChapterView{Frame: frame("For programs: incidents", "me", "/api/incidents"), Name: "incidents", Says: "What people work on"}
	for n := range 12 {
		id := fmt.Sprint("operation", n)
		fields := []OperationField{{"why", "text", "the reason, for the ledger", true}, {"channels[].a.very.long.name.of.a.field", "list of whole number", "one of critical, high, medium, low", false}}
		v.Operations = append(v.Operations, Operation{ID: id, Method: "POST", Path: "/api/v1/incidents/{id}/" + id, Says: "Set the severity of an incident", About: "More of it.", Right: "handle", May: n%2 == 0, Two: n == 3, Once: n == 4,
			Tables:  []FieldTable{{"Parameters", "Parameters of " + id, fields}, {"Body", "Body of " + id, fields}, {"Answer", "Answer of " + id, fields}},
			Answers: []Fact{{Name: "200", Value: "OK"}, {Name: "403", Value: "Forbidden"}},
			Curl:    "curl -H @token.txt -X POST -H 'Content-Type: application/json' \\\n  -d '{\"severity\":\"critical\",\"why\":\"...\"}' \\\n  https://tocsin.kontor-nord.example/api/v1/incidents/1/severity"})
	}
	return v
}
