package dossier

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestOwn: a shop's own template sees the document, escaped for its form, and works on a case without anything.
func TestOwn(t *testing.T) {
	const text = `{{.Title}} ({{.Label}}, {{time .Made}})
{{with section "timeline"}}{{range .Blocks}}{{with .Table}}{{range .Rows}}{{.ID}}: {{join .Cells " | "}}
{{end}}{{end}}{{end}}{{end}}{{define "x"}}{{end}}`
	c := skimmer()
	c.Title.Says = "<b>*Skimmer*</b>"
	for form, want := range map[Form]string{AsHTML: "Incident 42: &lt;b&gt;*Skimmer*&lt;/b&gt; (TLP:RED, 2026-03-06T03:20:05Z)\n110: 110 | ", AsMarkdown: `Incident 42: \<b\>\*Skimmer\*\</b\>`, AsText: "Incident 42: <b>*Skimmer*</b>"} {
		o, err := ParseOwn("shop.tmpl", text, form)
		if err != nil {
			t.Fatal(err)
		}
		d := Assemble(c, Full, Red, time.UTC)
		before := d.Text()
		got, err := o.Render(d)
		if err != nil || !strings.HasPrefix(string(got), want) {
			t.Errorf("%s: %v: %.120q, want %q", form, err, got, want)
		}
		if d.Text() != before {
			t.Error("rendering changed the document")
		}
	}
}

// TestOwnRefuses: a template that is wrong, endless or greedy is refused in a sentence that names its place.
func TestOwnRefuses(t *testing.T) {
	double := `{{$x := "0123456789abcdef"}}` + strings.Repeat(`{{$x = printf "%s%s" $x $x}}`, 40) + `{{$x}}`
	for name, x := range map[string]struct{ text, want string }{
		"not closed":      {"line\n{{.Title", "shop.tmpl:2"},
		"no such field":   {"\n\n{{.Titel}}", "shop.tmpl:3"},
		"no such func":    {"{{exec 1}}", "exec"},
		"long":            {strings.Repeat("x", ownAtMost+1), "too long"},
		"counts":          {"{{range 1000000000}}{{end}}", "goes round too often"},
		"counts nested":   {"{{range 30000}}{{range 30000}}{{end}}{{end}}", "goes round too often"},
		"recursion":       {`{{define "a"}}{{template "a"}}{{template "a"}}{{end}}{{template "a"}}`, `calls itself by its template "a"`},
		"in a circle":     {`{{define "a"}}{{range .Cover}}{{template "b"}}{{end}}{{end}}{{define "b"}}{{if 1}}{{template "a"}}{{end}}{{end}}x`, "calls itself"},
		"doubling calls":  {many(), "goes round too often"},
		"shrinking":       {`{{define "a"}}{{if .}}{{template "a" (slice . 1)}}{{template "a" (slice . 1)}}{{end}}{{end}}{{template "a" "0123456789"}}`, "calls itself"},
		"doubles":         {double, "too long"},
		"doubles by html": {`{{html "&"}}`, "not there"},
		"many verbs":      {`{{$x := printf "%200000d" 1}}{{printf "` + strings.Repeat("%[1]s", 2000) + `" $x}}`, "too long: about"},
		"many wide verbs": {`{{printf "` + strings.Repeat("%200000d", 2000) + `" 1}}`, "too long: about"},
		"wide by a star":  {`{{printf "%*d" 1000000 1}}`, "not as *"},
		"many values":     {`{{$x := printf "%200000d" 1}}{{print ` + strings.Repeat("$x ", 2000) + `}}`, "too long: about"},
		"wide between":    {`{{$x := printf "%250000d" 1}}{{range .Sections}}{{range .Blocks}}{{with .Table}}{{range .Rows}}{{join .Cells $x}}{{end}}{{end}}{{end}}{{end}}`, "too long: about"},
		"writes much":     {`{{$x := printf "%200000d" 1}}{{range 1000}}{{$x}}{{end}}`, "writes too much"},
	} {
		if _, err := ParseOwn("shop.tmpl", x.text, AsText); err == nil || !strings.Contains(err.Error(), x.want) || len(err.Error()) > 400 {
			t.Errorf("%s: %.500v; want %q", name, err, x.want)
		}
	}
	if _, err := ParseOwn("shop.tmpl", "", "docx"); err == nil {
		t.Error("a template for docx is taken")
	}
}

// many is a template of which each part calls the next twice.
func many() string {
	var b strings.Builder
	for k := range 60 {
		fmt.Fprintf(&b, `{{define "t%d"}}{{template "t%d"}}{{template "t%d"}}{{end}}`, k, k+1, k+1)
	}
	return b.String() + `{{define "t60"}}{{end}}{{template "t0"}}`
}
