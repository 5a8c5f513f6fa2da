package dossier

import (
	"strings"
	"testing"
	"time"
)

// secret is a word for the k-th label.
func secret(k int) string { return "secret-" + []string{"zero", "one", "two", "three", "four"}[k] }

// secrets is an incident in which each text is a word that names its label.
func secrets() Case {
	c := Case{ID: 9, Head: Head{Origin: "shop.example/ledger", Size: 1}}
	for k, l := range Labels() {
		w := secret(k)
		t := Text{w, l}
		c.ReportedBy = append(c.ReportedBy, Reporter{Name: w, What: w, Label: l})
		c.Summary, c.Criteria, c.Well, c.Badly, c.Lessons, c.Related = append(c.Summary, t), append(c.Criteria, t), append(c.Well, t), append(c.Badly, t), append(c.Lessons, t), append(c.Related, t)
		c.Cause.Says, c.Cause.Whys, c.Cause.Links = append(c.Cause.Says, t), append(c.Cause.Whys, t), append(c.Cause.Links, t)
		c.Cause.Bones = append(c.Cause.Bones, Bone{w, w, l})
		c.Systems = append(c.Systems, System{w, w, w, w, l})
		c.Team = append(c.Team, Holder{Role: w, Person: w, Label: l})
		c.Data = append(c.Data, Data{w, w, 1, w, l})
		c.People = append(c.People, People{w, 1, w, w, l})
		c.Actions = append(c.Actions, Action{N: 1, What: w, Who: w, Result: w, Undo: w, Label: l})
		c.Decisions = append(c.Decisions, Decision{N: 1, Question: w, Decided: w, By: w, Why: w, Options: []string{w}, Label: l})
		c.Told = append(c.Told, Told{Whom: w, Law: w, State: w, Label: l})
		c.Costs = append(c.Costs, Cost{What: w, Cents: 1, Currency: w, Label: l})
		c.Timeline = append(c.Timeline, Moment{N: 1, Who: w, What: w, Pinned: true, Label: l})
		c.Evidence = append(c.Evidence, Exhibit{N: 1, Name: w, SHA256: w, From: w, By: w, Custody: w, Label: l})
		c.Measures = append(c.Measures, Measure{What: w, Owner: w, State: w, Verified: w, Label: l})
		c.Questions = append(c.Questions, Question{N: 1, Ask: w, Whom: w, Label: l}, Question{N: 1, Ask: w, Answer: w, By: w, Label: l})
		c.Tasks = append(c.Tasks, Task{N: 1, What: w, Whom: w, Label: l})
		c.Handovers = append(c.Handovers, Handover{N: 1, From: w, To: w, Roles: w, Says: w, Label: l})
	}
	c.Title = Text{secret(4), Red}
	c.Cause.Class, c.Cause.Label = secret(4), Red
	return c
}

// TestAudience: for each audience no format and no template holds a word of a higher label, each holds those of its own and lower ones in each
// section, and each section that lacks something says so.
func TestAudience(t *testing.T) {
	own, err := ParseOwn("all", `{{.Title}}{{range .Sections}}{{.Heading}}{{range .Blocks}}{{.Text}}{{range .List}}{{.}}{{end}}{{with .Table}}{{range .Rows}}{{range .Cells}}{{.}}{{end}}{{end}}{{end}}{{end}}{{end}}`, AsText)
	if err != nil {
		t.Fatal(err)
	}
	for k, audience := range Labels() {
		for _, depth := range []Depth{Full, Executive} {
			d := Assemble(secrets(), depth, audience, time.UTC)
			files := formats(t, d)
			text, err := own.Render(d)
			if err != nil {
				t.Fatal(err)
			}
			readable := map[string]string{"HTML": string(files[".html"]), "Markdown": markdownPlain(files[".md"]), "DOCX": docxText(t, files[".docx"]),
				"PDF": squeeze(strings.Join(pdfPages(t, files[".pdf"]), "")), "own": string(text)}
			for format, text := range readable {
				for n := range Labels() {
					if has := strings.Contains(text, secret(n)); has != (n <= k) {
						t.Errorf("%s, %s of depth %s: holds %s: %v", audience, format, depth, secret(n), has)
					}
				}
			}
			for _, s := range d.Sections {
				said := false
				for _, x := range s.Blocks {
					said = said || x.Kind == LeftOut
				}
				free := s.ID == "figures" || s.ID == "classification" && depth == Executive || s.ID == "proof"
				if said != (k < len(Labels())-1) && !free {
					t.Errorf("%s: section %s says that something is left out: %v", audience, s.ID, said)
				}
			}
		}
	}
}

// TestFactsOfTheIncident: severity, times, phases and verdict have the label of the incident; an audience beyond it is not told them.
func TestFactsOfTheIncident(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for _, label := range Labels() {
		c := Case{ID: 9, Label: label, Severity: "critical", Affected: "customers", Verdict: "true", Phase: "recovery", Playbook: "Zebra", Happened: at, Detected: at.Add(time.Minute), Made: at.AddDate(1, 0, 0),
			Phases: []Span{{Phase: "recovery", From: at}}}
		for _, audience := range Labels() {
			for _, depth := range []Depth{Full, Executive} {
				text := markdownPlain(formats(t, Assemble(c, depth, audience, time.UTC))[".md"])
				for _, fact := range []string{"critical", "customers too", "a real attack", "Recovery", "Zebra", "2026-03-04"} {
					if fact == "a real attack" && depth == Executive {
						continue // it has no such part
					}
					if has, may := strings.Contains(text, fact), label.rank() <= audience.rank(); has != may {
						t.Errorf("of an incident that is %s the report for %s says %q: %v", label, audience, fact, has)
					}
				}
			}
		}
	}
}

// TestNote is what a section says of what it leaves out.
func TestNote(t *testing.T) {
	for _, x := range []struct {
		labels []Label
		want   string
	}{
		{nil, ""},
		{[]Label{Red}, "1 entry is left out: TLP:RED."},
		{[]Label{Red, Red}, "2 entries are left out: TLP:RED."},
		{[]Label{"", Red, Green, "nonsense"}, "3 entries are left out: 2 TLP:RED, 1 TLP:AMBER+STRICT."},
	} {
		s := &sieve{audience: Green, standard: AmberStrict, left: map[Label]int{}}
		for _, l := range x.labels {
			s.may(l)
		}
		if got := s.note(); got != x.want {
			t.Errorf("of %v: %q, want %q", x.labels, got, x.want)
		}
		if got := s.note(); got != "" {
			t.Errorf("a second note says %q", got)
		}
	}
}

// TestEmpty: a case without anything has every section, and each says what is missing and who fills it.
func TestEmpty(t *testing.T) {
	d := Assemble(Case{}, Full, Red, nil)
	if len(d.Sections) != 19 {
		t.Fatalf("an empty case has %d sections", len(d.Sections))
	}
	for _, s := range d.Sections {
		if s.ID == "key-facts" || s.ID == "questions" || s.ID == "figures" {
			continue
		}
		said := false
		for _, x := range s.Blocks {
			said = said || x.Kind == Missing && strings.HasPrefix(x.Text, "Missing: ") && strings.Count(x.Text, ".") >= 2
		}
		if !said {
			t.Errorf("section %s does not say what is missing", s.ID)
		}
	}
}

// TestParseLabel is how people write labels.
func TestParseLabel(t *testing.T) {
	for text, want := range map[string]Label{"red": Red, "TLP:AMBER+STRICT": AmberStrict, " tlp:clear ": Clear, "white": "", "": ""} {
		if got, err := ParseLabel(text); got != want || (err != nil) != (want == "") {
			t.Errorf("ParseLabel(%q) = %q, %v", text, got, err)
		}
	}
}

// TestTimes is how times and durations are said.
func TestTimes(t *testing.T) {
	zone := berlin(t)
	for _, x := range []struct{ got, want string }{
		{at(time.Time{}, zone), "not known"},
		{at(began, zone), "2026-03-02 00:20:05 CET (2026-03-01 23:20:05 UTC)"},
		{at(began.Add(time.Hour), zone), "2026-03-02 01:20:05 CET (00:20:05 UTC)"},
		{at(began, time.UTC), "2026-03-01 23:20:05 UTC"},
		{took(began, began), "under 1 s"},
		{took(began, after(90*time.Second)), "1 min 30 s"},
		{took(began, after(26*time.Hour)), "26 h 0 min"},
		{took(began, after(75*time.Hour)), "3 d 3 h"},
		{took(began, after(-time.Hour)), "not known: the times contradict each other"},
		{took(time.Time{}, began), "not known"},
		{money(-5, "EUR"), "−0.05 EUR"},
		{money(-1<<63, "EUR"), "−92233720368547758.08 EUR"},
	} {
		if got := strings.ReplaceAll(x.got, "\u00a0", " "); got != x.want {
			t.Errorf("%q, want %q", got, x.want)
		}
	}
}
