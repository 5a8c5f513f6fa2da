package playbook

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tocsin/internal/sigma"
)

func TestSuggested(t *testing.T) {
	books := []*Playbook{
		{ID: "skimmer", Suggest: Suggest{Techniques: []string{"attack.t1056.003"}, Titles: []string{"skimmer", "hidden script"}}},
		{ID: "shell", Suggest: Suggest{Techniques: []string{"attack.t1505.003", "attack.t1190"}, Titles: []string{"shell", "program uploaded"}}},
		{ID: "leak", Suggest: Suggest{Techniques: []string{"attack.t1213"}, Rules: []string{"d92c2d24-0b8e-5238-a8da-f20c545c4bfb"}, Titles: []string{"export"}}},
		{ID: "none"},
	}
	for name, x := range map[string]struct {
		title             string
		techniques, rules []string
		want              []string
	}{
		"nothing speaks":           {title: "Something", want: nil},
		"a rule before all":        {"Hidden script", []string{"attack.t1056.003"}, []string{"D92C2D24-0B8E-5238-A8DA-F20C545C4BFB"}, []string{"leak", "skimmer"}},
		"a title before technique": {"Export at night", []string{"attack.t1190"}, nil, []string{"leak", "shell"}},
		"longer words first":       {"Program uploaded by an export", nil, nil, []string{"shell", "leak"}},
		"whole words only":         {"Shellfish exported", nil, nil, nil},
		"any capitals":             {"HIDDEN SCRIPT", nil, nil, []string{"skimmer"}},
		"technique as ATT&CK has":  {"x", []string{"T1190"}, nil, []string{"shell"}},
		"of the family":            {"x", []string{"attack.t1213.006"}, nil, []string{"leak"}},
		"not of sisters":           {"x", []string{"attack.t1505.004"}, nil, nil},
		"technique once":           {"x", []string{"attack.t1213", "T1213", "attack.t1056.003"}, nil, []string{"leak", "skimmer"}},
		"equals by name":           {"x", []string{"attack.t1213", "attack.t1190"}, nil, []string{"leak", "shell"}},
		"hostile title":            {strings.Repeat("\u202e{{", 1000), nil, nil, nil},
	} {
		if got := Suggested(books, x.title, x.techniques, x.rules); !slices.Equal(got, x.want) {
			t.Errorf("%s: %v; want %v", name, got, x.want)
		}
	}
}

// TestSuggestedOfRules: for every rule of the shop pack that can wake somebody the plan has a playbook, and of well-known ones the right one stands
// first.
func TestSuggestedOfRules(t *testing.T) {
	books := shipped(t)
	files, err := filepath.Glob("../../rules/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no rules (%v)", err)
	}
	first := map[string]string{
		"Customer account changed after it was taken over":         "customer-accounts",
		"Credential stuffing from many addresses":                  "customer-accounts",
		"Gift card found by guessing":                              "customer-accounts",
		"Card testing from one network":                            "card-testing",
		"One session tries many cards":                             "card-testing",
		"Hidden script written into the shop's content":            "skimmer",
		"Command given to a web shell":                             "web-shell",
		"Web shell uploaded and used":                              "web-shell",
		"Program run from a folder for uploads":                    "web-shell",
		"The web server's account runs sudo":                       "web-shell",
		"SQL injection under way":                                  "database-content",
		"SQL injection reached the database":                       "database-content",
		"Note of blackmailers in the database":                     "ransomware",
		"Many tables of the database deleted":                      "ransomware",
		"Administrator sign-in succeeded after a brute force":      "admin-account",
		"Impossible travel of an administrator":                    "admin-account",
		"New administrator or role at night":                       "admin-account",
		"Money paid back after an odd sign-in":                     "admin-account",
		"SQL injection works, as the database saw it":              "database-content",
		"One address sends wrong prices":                           "card-testing",
		"Very large export":                                        "data-leak",
		"Many files fetched by FTP after a sign-in from elsewhere": "data-leak",
	}
	found := map[string]bool{}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		docs, err := sigma.Parse(f, data)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range docs {
			m := d.Meta()
			if m.Level != "high" && m.Level != "critical" {
				continue
			}
			var techniques []string
			for _, tag := range m.Tags {
				if strings.HasPrefix(tag, "attack.t") {
					techniques = append(techniques, tag)
				}
			}
			got := Suggested(books, m.Title, techniques, []string{m.ID})
			if len(got) == 0 {
				t.Errorf("no playbook fits %q %v", m.Title, techniques)
				continue
			}
			if want := first[m.Title]; want != "" {
				found[m.Title] = true
				if got[0] != want {
					t.Errorf("%q: %v; want %s first", m.Title, got, want)
				}
			}
			t.Logf("%-60s %v", m.Title, got)
		}
	}
	for title := range first {
		if !found[title] {
			t.Errorf("there is no rule %q of level high or critical", title)
		}
	}
}

// TestSuggestedRulesExist: the rules that playbooks name are rules of the pack.
func TestSuggestedRulesExist(t *testing.T) {
	var all strings.Builder
	files, _ := filepath.Glob("../../rules/*.yml")
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(data)
	}
	for _, p := range shipped(t) {
		for _, id := range p.Suggest.Rules {
			if !strings.Contains(all.String(), "\nid: "+id+"\n") {
				t.Errorf("%s names the rule %s, which the pack does not have", p.ID, id)
			}
		}
	}
}
