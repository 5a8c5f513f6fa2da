package rules

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"slices"
	"testing"

	"tocsin/internal/desk"
	"tocsin/internal/detect"
	"tocsin/internal/incident"
	"tocsin/internal/intake"
)

// families are the rules of which each must tell of its attack, in the sample as in the range that it is cut from.
var families = []string{
	"dir_discovery", "sqli_many", "sqli_confirmed", "sqli_database", "ssh_bruteforce", "admin_bruteforce_address", "admin_form_bruteforce",
	"stuffing_signs", "stuffing_spread", "traversal_works", "xss_many", "card_testing", "gift_card_enumeration", "gift_card_found",
	"script_uploaded", "web_shell", "web_shell_command", "ftp_guessed", "ftp_second_country", "ftp_theft", "ftp_script_overwritten",
	"admin_impossible_travel", "export_after_travel", "export_everything", "scraping_spread", "admin_api_bruteforce",
}

// replay runs the pack over a folder and returns what came of it, with the alerts that rules raised by name.
func replay(t *testing.T, folder fs.FS, countries string) (desk.Replay, map[string][]desk.ReplayAlert) {
	t.Helper()
	f, err := os.Open(countries)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	geo, err := intake.ReadGeo(f)
	if err != nil {
		t.Fatal(err)
	}
	docs := load(t)
	rules, _, _ := detect.Load(docs)
	out, err := desk.RunReplay(context.Background(), desk.ReplayOptions{Folders: []fs.FS{folder}, Rules: rules, Geo: geo})
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for _, d := range docs {
		names[d.Meta().ID] = d.Meta().Name
	}
	by := map[string][]desk.ReplayAlert{}
	for _, a := range out.Alerts {
		by[names[a.Rule]] = append(by[names[a.Rule]], a)
	}
	for _, name := range families {
		if len(by[name]) == 0 {
			t.Errorf("the rule %s tells of nothing", name)
		}
	}
	for _, b := range out.Broken {
		t.Errorf("the rule %s broke: %s", b.Rule, b.Why)
	}
	if out.Unparsed > 0 {
		t.Errorf("%d lines were not parsed", out.Unparsed)
	}
	return out, by
}

// maxSample is how many bytes the sample may have: it is part of the program.
const maxSample = 3_000_000

func TestSampleHoldsEveryAttack(t *testing.T) {
	folder := os.DirFS("../sample")
	var size int64
	err := fs.WalkDir(folder, ".", func(_ string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			var i fs.FileInfo
			if i, err = e.Info(); err == nil {
				size += i.Size()
			}
		}
		return err
	})
	if err != nil || size >= maxSample {
		t.Errorf("the sample has %d bytes, at most %d (%v)", size, maxSample, err)
	}
	out, _ := replay(t, folder, "../sample/geo.tsv")
	if n := len(out.Incidents); n < 10 || n > 25 {
		t.Errorf("%d incidents; sixteen attacks are in the sample", n)
	}
}

func TestRange(t *testing.T) {
	const base = "../../shared/data/range-a"
	if _, err := os.Stat(base); err != nil || testing.Short() {
		t.Skip("the range is not here, or takes too long")
	}
	out, by := replay(t, os.DirFS(base+"/logs"), base+"/geo.tsv")
	for _, name := range slices.Sorted(maps.Keys(by)) {
		if a := by[name]; incident.Rank(a[0].Level) > 0 {
			t.Logf("%-26s %-8s %d alerts, the first of %v", name, a[0].Level, len(a), a[0].Sources)
		}
	}
	for _, i := range out.Incidents {
		t.Logf("incident %s: %s: %s, %d addresses", i.ID, i.Severity, i.Title, len(i.Sources))
	}
	if n := len(out.Incidents); n > 22 {
		t.Errorf("%d incidents for sixteen attacks", n)
	}
}
