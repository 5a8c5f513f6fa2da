package ui

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// An example is a page with rich data, as a shop would see it at 03:14 in the morning.
type example struct {
	name    string
	render  func(io.Writer) error
	hostile func(io.Writer) error // the same, every string replaced by what an attacker would write
}

func ex[T any](name string, p Page[T], view T) example {
	return example{
		name:    name,
		render:  func(w io.Writer) error { return p.Render(w, view) },
		hostile: func(w io.Writer) error { return p.Render(w, spoil(view)) },
	}
}

var (
	night  = time.Date(2026, 11, 23, 2, 14, 20, 0, time.UTC)
	berlin = time.FixedZone("CET", 3600)
)

func before(d time.Duration) Time { return At(night.Add(-d), night, berlin) }

// frame is the frame of a signed-in reader.
func frame(title, nav, path string) Frame {
	return Frame{
		Title: title, Nav: nav, Path: path,
		Who:    Who{"anna", "Anna Keller"},
		Counts: Counts{Incidents: 9, Calls: 1, Sources: 2, Agents: 1, Rules: 1},
		Bell:   Bell{Known: true, Alive: true, At: before(4 * time.Minute), Says: "a test message went through mail and the console"},
		Zone:   "Europe/Berlin", AsOf: before(0), News: "9 open incidents, 1 call rings",
	}
}

func ringing(f Frame) Frame {
	f.Ringing = []Ringing{{
		ID: "3", Severity: "critical", Title: "SQL injection against the shop, with data going out", Href: "/incidents/12", More: "and 1 more incident",
		Since: before(2*time.Minute + 15*time.Second), Now: "Anna Keller is being rung by mail and in the console; everyone in 3 min.", Action: "/calls/3/answer",
	}}
	return f
}

func plain(title string) Frame { return Frame{Title: title, Path: "/" + title} }

var incidentRows = []IncidentRow{
	{ID: "12", Title: "SQL injection against the shop, with data going out", Says: "198.51.100.77 (NL) · 159 requests · gift cards read · 3 rules", Severity: "critical", State: State{"bad", "ringing"}, Phase: "identification", Alerts: "4", Began: before(9 * time.Minute), Last: before(70 * time.Second)},
	{ID: "11", Title: "Web shell uploaded and used", Says: "203.0.113.200 (RO) · /uploads/.cache.php · 2 rules", Severity: "critical", State: State{"busy", "open"}, Phase: "containment", Assigned: "Boris Lang", Alerts: "3", Began: before(83 * time.Minute), Last: before(31 * time.Minute)},
	{ID: "9", Title: "Customer accounts taken over by tried passwords", Says: "412 addresses in 31 countries · 18 accounts opened", Severity: "high", State: State{"busy", "open"}, Phase: "containment", Assigned: "Anna Keller", Alerts: "22", Began: before(5 * time.Hour), Last: before(2 * time.Minute)},
	{ID: "8", Title: "FTP login of lager from a second country", Says: "36.101.53.159 (CN), usual: DE", Severity: "high", State: State{"busy", "open"}, Phase: "identification", Alerts: "2", Began: before(7 * time.Hour), Last: before(6 * time.Hour)},
	{ID: "7", Title: "Card testing at checkout", Says: "cards of 61 issuers from 5 addresses · 3 approved", Severity: "high", State: State{"busy", "open"}, Phase: "eradication", Assigned: "Chen Wei", Alerts: "5", Began: before(11 * time.Hour), Last: before(3 * time.Hour)},
	{ID: "6", Title: "SSH passwords tried for root", Says: "36.101.53.159 (CN) · 190 tries · none worked", Severity: "medium", State: State{"busy", "open"}, Phase: "identification", Alerts: "1", Began: before(26 * time.Hour), Last: before(25 * time.Hour)},
	{ID: "5", Title: "Directories of the shop searched", Says: "203.0.113.45 (US) · 960 requests", Severity: "medium", State: State{"busy", "open"}, Phase: "identification", Alerts: "2", Began: before(30 * time.Hour), Last: before(29 * time.Hour)},
	{ID: "4", Title: "Gift card numbers tried one after the other", Says: "7 addresses · 2,311 tries", Severity: "medium", State: State{"busy", "open"}, Phase: "lessons", Assigned: "Boris Lang", Alerts: "1", Began: before(50 * time.Hour), Last: before(47 * time.Hour), Mark: "history"},
	{ID: "2", Title: "Unusual export of orders by an admin", Says: "maria.keller · 4,100 orders", Severity: "low", State: State{"busy", "open"}, Phase: "identification", Alerts: "1", Began: before(70 * time.Hour), Last: before(70 * time.Hour)},
}

func rows(n int) []IncidentRow {
	out := make([]IncidentRow, n)
	for i := range out {
		out[i] = incidentRows[i%len(incidentRows)]
		out[i].ID = fmt.Sprint(1000 - i)
		out[i].Href = "/incidents/" + out[i].ID
		if i%4 == 3 {
			out[i].State = State{"off", "closed: false alarm"}
		}
	}
	return out
}

var injection = []Text{
	Visible(`198.51.100.77 - - [23/Nov/2026:02:12:58 +0000] "GET /shop/product-view.php?pid=7%27%20UNION%20ALL%20SELECT%20NULL%2CCONCAT%280x716b7a7671%2Ccode%2C0x7170707871%29%20FROM%20giftcards--%20- HTTP/1.1" 200 5121 "-" "sqlmap/1.8.11#stable (https://sqlmap.org)"`),
	Visible("198.51.100.77 - - [23/Nov/2026:02:13:01 +0000] \"GET /shop/product-view.php?q=\x00\u202egpj.php\u202c\x1b[2J\xff HTTP/1.1\" 200 871 \"-\" \"<script>alert(1)</script>\""),
}

var alertRows = []AlertRow{
	{ID: "a1", Href: "/alerts/a1", Title: "SQL injection by UNION SELECT in a query", Level: "critical", Count: "159", Sources: "198.51.100.77 (NL)", State: State{"busy", "goes on"}, First: before(9 * time.Minute), Last: before(70 * time.Second), Incident: Link{"Incident 12", "/incidents/12"}, Why: "opened it", Samples: injection},
	{ID: "a2", Href: "/alerts/a2", Title: "Many gift cards read in one query", Level: "high", Count: "12", Accounts: "shop@localhost", State: State{"busy", "goes on"}, First: before(8 * time.Minute), Last: before(2 * time.Minute), Incident: Link{"Incident 12", "/incidents/12"}, Why: "same session", Samples: []Text{Visible("261123 02:12:58\t  2501 Query\tSELECT code FROM giftcards")}},
	{ID: "a3", Href: "/alerts/a3", Title: "Known attack tool in the user agent", Level: "medium", Count: "159", Sources: "198.51.100.77 (NL)", State: State{"off", "ended"}, First: before(9 * time.Minute), Last: before(3 * time.Minute), Incident: Link{"Incident 12", "/incidents/12"}, Why: "same address", Samples: injection[:1]},
	{ID: "a4", Href: "/alerts/a4", Title: "Failed sign-in of a customer", Level: "low", Count: "4", Sources: "91.9.212.133 (DE)", Accounts: "felix.wagner401@example.net", State: State{"off", "ended"}, First: before(55 * time.Minute), Last: before(52 * time.Minute), Why: "low alerts open no incident"},
	{ID: "a5", Href: "/alerts/a5", Title: "A source fell silent", Level: "informational", Count: "1", State: State{"late", "muted"}, First: before(5 * time.Hour), Last: before(5 * time.Hour), Mark: "history"},
}

var callRows = []CallRow{
	{ID: "3", Severity: "critical", Title: "SQL injection against the shop, with data going out", Href: "/incidents/12", More: "and 1 more incident", State: State{"bad", "ringing"}, Says: "step 1 of 3, nobody has answered", Opened: before(2*time.Minute + 15*time.Second), Action: "/calls/3/answer", Tries: []Try{
		{"3", before(10 * time.Second), "Anna Keller", "mail", State{"late", "waits"}, "the mail server asked to come back in 20 s (451 4.7.1)"},
		{"2", before(2 * time.Minute), "Anna Keller", "console", State{"good", "shown"}, ""},
		{"1", before(2 * time.Minute), "Anna Keller", "mail", State{"bad", "failed"}, "451 4.7.1 Greylisted, try again later"},
	}},
	{ID: "2", Severity: "high", Title: "Customer accounts taken over by tried passwords", Href: "/incidents/9", State: State{"good", "answered"}, Says: "Anna Keller after 1 min, by link", Opened: before(5 * time.Hour), Tries: []Try{{"1", before(5 * time.Hour), "Anna Keller", "mail", State{"good", "sent"}, ""}}},
	{ID: "1", Title: "Test call", State: State{"off", "ended"}, Says: "it was a test, rung for Boris Lang by webhook", Opened: before(28 * time.Hour)},
}

var sourceRows = []SourceRow{
	{Name: "app.jsonl", State: State{"bad", "missing"}, Lag: "–", Unparsed: "0", Last: before(3 * time.Hour)},
	{Name: "wp-auth.log", State: State{"late", "silent for 7 h"}, Lag: "0 s", Unparsed: "0", Last: before(7 * time.Hour)},
	{Name: "access.log", State: State{"busy", "behind by 41 s"}, Lag: "41 s", Unparsed: "12", Bad: true, Last: before(time.Second)},
	{Name: "auth.log", State: State{"good", "reading"}, Lag: "0 s", Unparsed: "0", Last: before(20 * time.Second)},
	{Name: "mariadb-general.log", State: State{"good", "reading"}, Lag: "0 s", Unparsed: "0", Last: before(4 * time.Second)},
}

func points() []Point {
	var ps []Point
	for i := range 48 {
		t := night.Add(-24*time.Hour + time.Duration(i)*30*time.Minute)
		p := Point{At: At(t, night, berlin), Span: t.In(berlin).Format("15:04") + " to " + t.Add(30*time.Minute).In(berlin).Format("15:04")}
		p.Records = int64(400 + 380*((i*7)%11)/10 + 900*max(0, 10-abs(i-22))/10)
		switch i {
		case 7:
			p.Alerts[2] = 2
		case 26:
			p.Alerts[1], p.Alerts[3] = 3, 2
		case 38:
			p.Alerts[1], p.Alerts[2], p.Alerts[4] = 1, 1, 2
		case 47:
			p.Alerts[0], p.Alerts[1], p.Alerts[2] = 2, 3, 1
			p.Records = 2600
		}
		ps = append(ps, p)
	}
	return ps
}

func abs(n int) int { return max(n, -n) }

var parties = []Party{
	{Name: Visible("198.51.100.77"), Role: "suspect", Country: "NL", Place: "Netherlands", Count: "159", Last: before(70 * time.Second)},
	{Name: Visible("2001:db8:85a3:8d3:1319:8a2e:370:7348"), Role: "suspect", Country: "RO", Place: "Romania", Shared: true, Count: "12", Last: before(3 * time.Minute)},
	{Name: Visible("10.20.0.10"), Role: "victim", Own: true, Count: "156", Last: before(3 * time.Minute)},
}

var accounts = []Party{
	{Name: Visible("shop@localhost"), Role: "victim", Realm: "database", Count: "156", Last: before(3 * time.Minute)},
	{Name: Visible("admin\u202e\x00<b>"), Role: "suspect", Realm: "customer", Count: "3", Last: before(4 * time.Minute)},
}

func incidentView() IncidentView {
	return IncidentView{
		Frame: ringing(frame("SQL injection against the shop, with data going out", "incidents", "/incidents/12")),
		ID:    "12", Severity: "critical", State: State{"bad", "ringing"}, Open: true, Phase: "identification", Updates: "/incidents/12/updates",
		Why:    []string{"A rule of level critical matched: SQL injection by UNION SELECT in a query.", "It succeeded: the database answered with rows of giftcards.", "About 48 kB of data went out."},
		Phases: []Phase{{"Identification", false, true}, {"Containment", false, false}, {"Eradication", false, false}, {"Recovery", false, false}, {"Lessons", false, false}},
		Known:  "Since 03:05, one address in the Netherlands has sent 159 requests with SQL in them to /shop/product-view.php; the database has answered with gift card codes, so data is going out.",
		Next:   Next{Says: "Nobody has answered yet. Anna Keller is being rung.", Button: "Answer the call", Action: "/calls/3/answer", Urgent: true},
		Times:  []TimeFact{{"Began", before(9 * time.Minute)}, {"Learned", before(135 * time.Second)}, {"Last seen", before(70 * time.Second)}},
		Facts:  []Fact{{"Records", "330 in 4 alerts", "#alerts"}, {"Data moved", "48 kB", ""}, {"Hosts", "shop1", ""}, {"Logs", "access.log, mariadb-general.log", "/sources"}},
		Lines:  attachedExample, AllLines: "All 214 lines",
		Timeline: []Moment{
			{Icon: "call", Tone: "bad", Learned: before(10 * time.Second), Who: "Tocsin", Says: "Mail to Anna Keller is tried again", Href: "#call-3"},
			{Icon: "note", Tone: "busy", Learned: before(60 * time.Second), Happened: before(6 * time.Minute), Apart: true, Who: "Boris Lang", Says: "Note", Note: VisibleLines("The marketing agency does not scan us tonight.\nI asked.")},
			{Icon: "severity", Tone: "bad", Learned: before(130 * time.Second), Who: "Tocsin", Says: "Severity from High to Critical: data is going out"},
			{Icon: "alert", Tone: "bad", Happened: before(8 * time.Minute), Learned: before(134 * time.Second), Apart: true, Who: "Tocsin", Says: "Many gift cards read in one query", Href: "/alerts/a2"},
			{Icon: "incident", Tone: "late", Happened: before(9 * time.Minute), Learned: before(135 * time.Second), Apart: true, Who: "Tocsin", Says: "Opened by: SQL injection by UNION SELECT in a query", Href: "/alerts/a1"},
		},
		Alerts: alertRows[:3], HasAlerts: "3", Parties: []PartyTable{
			{Key: "addresses", Of: "incident", Rows: parties, Count: "3"}, {Key: "accounts", Of: "incident", Rows: accounts, Count: "2"},
			{Key: "sessions", Of: "incident", Rows: []Party{{Name: Visible("sess-9f31c2"), Count: "12", Last: before(4 * time.Minute)}}, Count: "1"}},
		Calls: callRows[:1],
		Forms: IncidentForms{
			Severities: []Option{{"critical", "Critical", true}, {"high", "High", false}, {"medium", "Medium", false}, {"low", "Low", false}},
			Phases:     []Option{{"identification", "Identification", true}, {"containment", "Containment", false}},
			People:     []Option{{"", "nobody", true}, {"anna", "Anna Keller", false}, {"boris", "Boris Lang", false}},
			Rules:      []Option{{"r1", "SQL injection by UNION SELECT in a query", false}},
			Addresses:  []Option{{"198.51.100.77", "198.51.100.77 (NL)", true}},
			Until:      []Option{{"3600", "1 hour", false}, {"86400", "1 day", true}, {"604800", "1 week", false}},
		},
	}
}

func closedIncident() IncidentView {
	v := incidentView()
	v.Frame = frame(v.Title, "incidents", "/incidents/12")
	v.Notice = Done("closed")
	v.Open, v.State, v.Assigned = false, State{"off", "closed"}, "Anna Keller"
	v.Verdict = "True alarm, closed by Anna Keller: the query is parameterised now, the gift cards are blocked."
	v.Marks = []string{"History: it was over before watching began, and rang nobody."}
	v.Next = Next{}
	for i := range v.Phases {
		v.Phases[i] = Phase{v.Phases[i].Word, i < 4, i == 4}
	}
	v.Calls = callRows[1:2]
	v.Timeline = slices.Clone(v.Timeline)
	v.Timeline[0].Href = "#call-2"
	return v
}

func overviewView() OverviewView {
	open := make([]IncidentRow, len(incidentRows))
	for i, r := range incidentRows {
		r.Href = "/incidents/" + r.ID
		open[i] = r
	}
	sources := make([]SourceRow, len(sourceRows))
	for i, r := range sourceRows {
		r.Href = "/sources#source-" + fmt.Sprint(i)
		sources[i] = r
	}
	v := OverviewView{Mine: &Next{Says: "Incident 12, SQL injection against the shop. First: Find where the foreign code lives (and 3 more)", Button: "Go to incident 12", Action: "/incidents/12", Get: true, Mine: true},
		Ready: Readiness{State{"bad", "77 % proven"}, "7 of 9 ways to reach somebody answered a test lately.", "Chen Li cannot be reached at all: give them an address.", Link{"Open Chen Li", "/people/chen"}},
		Frame: ringing(frame("Overview", "overview", "/")),
		Tally: []Tally{{"critical", 2, "/incidents?severity=critical"}, {"high", 3, "/incidents?severity=high"}, {"medium", 3, "/incidents?severity=medium"}, {"low", 1, "/incidents?severity=low"}},
		Open:  open, More: 4, Chart: NewChart("Records and alerts of the last 24 hours, by half hours", points()),
		Figures: []Figure{{"Records", "41,204", "yesterday by now: 38,911", "/sources"}, {"Alerts", "17", "yesterday by now: 3", "/alerts"}, {"Incidents opened", "4", "2 of them Critical", "/incidents"}, {"Calls", "2", "answered after 1 min on average", "/calls"}},
		Sources: sources, Calls: callRows,
	}
	v.Sample = true
	v.Problems = []Problem{
		{Says: "Detection is behind: 41 s of access.log are still to be read.", Mend: "It catches up by itself. If it does not within 10 min, run: tocsin doctor", Href: "/sources"},
		{Says: "1 rule is refused.", Mend: "See which, and why.", Href: "/rules#refused"},
	}
	return v
}

func quietOverview() OverviewView {
	f := frame("Overview", "overview", "/")
	f.Counts, f.Bell, f.News = Counts{}, Bell{}, "nothing is open"
	f.Notice = Done("setup")
	return OverviewView{MoreSources: 12, Frame: f, Tally: []Tally{{"critical", 0, "/incidents?severity=critical"}, {"high", 0, "/incidents?severity=high"}, {"medium", 0, "/incidents?severity=medium"}, {"low", 0, "/incidents?severity=low"}},
		Figures: []Figure{{Name: "Records", Value: "0"}, {Name: "Alerts", Value: "0"}}}
}

func sourcesView() SourcesView {
	v := SourcesView{Frame: frame("Sources", "sources", "/sources"), Summary: "5 sources are watched: 1 is missing, 1 is silent, 12 lines are unparsed."}
	for i, r := range sourceRows {
		r.Href = "/sources#source-" + fmt.Sprint(i)
		s := Source{ID: "source-" + fmt.Sprint(i), SourceRow: r, Path: "/var/log/shop/" + r.Name, Host: "shop1", Format: "nginx combined", Lines: "1,204,311", Limit: "6 h"}
		switch i {
		case 0:
			s.Format, s.Says = "JSON lines", "The file does not exist. It is read from its beginning when it appears; check the path, or whether the application still writes there."
		case 2:
			s.Rejected = []Rejected{{"line 40,218", before(time.Hour), injection[1], "no time in it"}, {"line 40,219", before(time.Hour), Visible("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), "not text: perhaps TLS spoken to a plain port"}}
		}
		v.Sources = append(v.Sources, s)
	}
	return v
}

func rulesView() RulesView {
	v := RulesView{Frame: frame("Rules", "rules", "/rules"), Summary: "42 rules watch, 1 is refused.", Levels: []Option{{"", "any level", true}, {"critical", "Critical", false}}, States: []Option{{"", "any state", true}, {"refused", "refused", false}}}
	v.Refused = []RefusedRule{{"rules/mine/night-export.yml", "Export at night", "line 14, column 5: unknown modifier \"containz\"; the nearest known one is \"contains\""}}
	v.Kept = []RefusedRule{{"mine/refunds.yml:12", "Refunds in bulk", "re: lookaround (?=...) is not RE2"}}
	v.Trouble = "mine: permission denied"
	for i, a := range alertRows {
		id := fmt.Sprintf("7d6d30b8-5b91-4b90-a891-46cccaf2%04d", i)
		v.Rows = append(v.Rows, RuleRow{ID: id, Href: "/rules/" + id, Title: a.Title, Says: "A query string holds SQL that joins a second result to the first.", Level: a.Level, State: State{"good", "watching"}, Matches: "1,590", Alerts: "7", Last: a.Last})
	}
	v.Rows[4].State, v.Rows[4].Last = State{"off", "no source for it"}, Time{}
	v.Rows[0].Day, v.Rows[0].Spark = "159", NewSpark([]int64{0, 0, 1, 0, 0, 3, 0, 0, 0, 0, 9, 40, 12, 0, 0, 0, 0, 0, 2, 0, 0, 0, 11, 81})
	v.Broken = []RefusedRule{{"rules/mine/odd.yml", "Odd rule", "index out of range"}}
	v.Warned = NamedRules{Count: "1", Notes: []RefusedRule{{"rules/mine/windows.yml", "Logon of a service", "no log that Tocsin reads is windows, security"}}}
	v.Never, v.Unread = NamedRules{Count: "1", Links: []Link{{"Many gift cards read in one query", "/rules/r7"}}}, NamedRules{Count: "2", Links: []Link{{"A night export", "/rules/r8"}}, More: "and 1 more."}
	v.Pager = Pager{Says: "1 to 5 of 155", Next: "/rules?page=2"}
	v.Headings = []Heading{{Word: "Level", Href: "/rules?sort=-level"}, {Word: "Rule", Href: "/rules?sort=title"}, {Word: "State"}, {Word: "Last 24 hours", Href: "/rules?sort=day", Sorted: "descending", Number: true}, {Word: "Matches", Number: true}, {Word: "Alerts", Number: true}, {Word: "Last alert"}}
	return v
}

var fired = FiredAlert{Says: "159 log lines of “SQL injection by UNION SELECT in a query”, counted together for 198.51.100.77.", Note: "The rule has changed since: this is what it says of these lines today.",
	Lines: []FiredLine{
		{Line: injection[0], Rules: []FiredRule{{Parts: []FiredPart{{"words", []Text{Visible(`url.decoded contains 'union all select'; it is "/shop/product-view.php?pid=7' UNION ALL SELECT NULL,CONCAT(0x716b7a7671,code,0x7170707871) FROM giftcards-- -"`)}}, {"method", []Text{Visible(`http.request.method is GET; it is "GET"`)}}}, Absent: "scanner_of_ours"},
			{Rule: Link{"Known attack tool in the user agent", "/rules/r2"}, Parts: []FiredPart{{"agent", []Text{Visible("user_agent.original contains sqlmap")}}}}}},
		{Line: injection[1], Says: "By itself this line cannot be read: what it is was known from the lines before it."}},
	More: injection}

var mutes = []Mute{
	{ID: "4", Rule: Link{"Known attack tool in the user agent", "/rules/r1"}, Address: Visible("185.12.64.10"), Until: At(night.Add(30*time.Hour), night, berlin), By: "Boris Lang", Reason: Visible("the yearly test, until Wednesday"), Action: "/mutes/4/remove"},
	{ID: "5", Rule: Link{"A source fell silent", "/rules/r2"}, Until: At(night.Add(3*time.Hour), night, berlin), By: "Anna Keller", Action: "/mutes/5/remove"},
}

func ruleView() RuleView {
	row := rulesView().Rows[0]
	return RuleView{
		Frame: frame(row.Title, "rules", row.Href), Row: row,
		Description:    []string{"A query string or form holds SQL that joins a second result to the first. This is how data is read out through a hole in the shop.", "One match is enough, as no browser writes this by itself."},
		Explained:      []string{"Read the web server's access log.", "Decode the query once and twice.", "Match when it holds UNION, then SELECT, with at most 20 characters between.", "Group by the address that sent it."},
		FalsePositives: []string{"A forum or a search where people write about SQL.", "Your own scanner: mute the rule for its address."},
		Tags:           []Fact{{Name: "T1190", Value: "Exploit Public-Facing Application"}, {Name: "TA0001", Value: "Initial Access"}},
		LogSource:      "web server access logs", Author: "Tocsin", Licence: "Apache-2.0", Date: "2026-11-20", File: "rules/web/sql-union.yml",
		References: []string{"https://attack.mitre.org/techniques/T1190/"},
		YAML:       VisibleLines("title: SQL injection by UNION SELECT in a query\nid: 7d6d30b8\nlogsource:\n    category: webserver\ndetection:\n    selection:\n        cs-uri-query|contains|all:\n            - union\n            - select\n    condition: selection\nlevel: critical\n"),
		Hits:       injection[:1], Misses: []Text{Visible(`91.9.212.133 - - [23/Nov/2026:01:03:05 +0000] "GET /shop/search?q=union+jack HTTP/1.1" 200 812`)},
		Mutes: mutes[:1], Recent: alertRows[:1],
		LevelWhy: "Critical: money or data is about to go. An alert opens an incident, which rings.", Cost: "not measured yet", Chart: NewHits("Matches and alerts of this rule in the last 24 hours", points()),
		Stretches: []Stretch{{"48 hours", "/rules/r1?over=48h#hits", true}, {"14 days", "/rules/r1?over=14d#hits", false}}, Fired: []FiredAlert{ruleFired()},
	}
}

func quietRule() RuleView {
	v := ruleView()
	v.Chart, v.Fired, v.Recent, v.Mutes, v.Tags = Chart{}, nil, nil, nil, nil
	v.Quiet = "It has matched nothing in the last 14 days."
	return v
}

func ruleFired() FiredAlert {
	f := fired
	f.Alert, f.At = Link{"Alert of 03:05:20", "/alerts/a1"}, before(70*time.Second)
	return f
}

var habitRows = []HabitRow{
	{ID: "h1", Href: "/habits/h1", Account: Visible("anna"), Realm: "administrator", State: State{"good", "known"}, Signins: "412", Days: "88", Places: "Germany 408, Austria 4", Last: before(time.Hour)},
	{ID: "h2", Href: "/habits/h2", Account: Visible("deploy"), Realm: "SSH", State: State{"busy", "learning"}, Signins: "3", Days: "1", Places: "the United Kingdom 3", Last: before(3 * time.Hour)},
	{ID: "h3", Href: "/habits/h3", Account: Visible("<script>alert(1)</script>\u202e\x1b[31m" + `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx`), Realm: "customer", State: State{"busy", "learning"}, Signins: "1", Days: "1", Last: before(26 * time.Hour)},
}

func habitView() HabitView {
	v := HabitView{Frame: frame("What is normal for anna", "habits", "/habits/h1"), Row: habitRows[0], Says: "It signed in 412 times on 88 days. What is not below is new, and rules may tell of it.", Began: before(90 * 24 * time.Hour),
		Countries: []HabitKnown{{Visible("Germany"), "408", "41 in the 30 days up to the last", "2026-11-23"}, {Visible("Austria"), "4", "0 in the 30 days up to the last", "2026-09-30"}},
		Networks:  []HabitKnown{{Visible("93.207.44.0/24"), "380", "", "2026-11-23"}, {Visible("AS3320"), "380", "", "2026-11-23"}, {Visible("2003:f1:2c00:1234::/64"), "32", "", "2026-11-20"}},
		Devices:   []HabitKnown{{Visible("Firefox on Linux"), "400", "", "2026-11-23"}, {Visible("Safari on iPhone"), "12", "", "2026-11-02"}},
		Waiting:   []Text{Visible("36.73.124.0/24")},
		Volumes:   []HabitVolume{{"Exports in a day", "14 days", "2.1 MB, 1 file", "31 MB or 100 files", "2.4 MB"}, {"Fetched in a session", "3 sessions", "2.1 MB, 1 file", "too little is known", "2.4 MB"}},
		Action:    "/habits/h1/forget"}
	var hours [24]float64
	for i := range 10 {
		hours[i+8] = float64(i*(10-i)) + 0.4
	}
	v.Hours = NewHourChart(hours, "Europe/Berlin")
	return v
}

func unusualAlert() AlertView {
	row := alertRows[0]
	row.Title, row.Level = "SSH or FTP sign-in of an account from a new country", "medium"
	row.Unusual = Visible("first sign-in of anna\u202e (ssh) from Indonesia; 41 from Germany and 2 from Austria in 30 days; never before from the network 203.0.113.0/24, and from 1 other; 45 minutes after a sign-in from Germany, at least 8,317 km away: 11,089 km/h")
	return AlertView{Frame: frame(row.Title, "alerts", "/alerts/a1"), Row: row, Says: "1 log line, from 1 address, about 1 account.", Rule: Link{row.Title, "/rules/r1"}, Impact: "attempt: nothing says that it worked"}
}

func wrongHabit() HabitView {
	v := habitView()
	v.Row, v.Hours, v.Countries, v.Networks, v.Devices, v.Volumes, v.Waiting = habitRows[2], HourChart{Zone: "UTC"}, nil, nil, nil, nil, nil
	v.Errors = Errors{{"reason", "Forgetting what is normal for an account needs a reason."}}
	return v
}

var sealsExample = SealsView{Action: "/people/boris", Says: "They have no key in use: every mail server on the way can read the mail of a call.", Find: "kontor-nord.example", Confirm: true,
	Call: "Calls to their own SIP app are encrypted end to end.", Ours: "D1A4 77F0 0B7C 1E3A 9C55 20D1 8E6F 4B2A 3C19 77E0",
	Keys: []SealKey{{"OpenPGP key", "8F3B 11C2 90DA 4E77 B6A1 0F52 C3D8 2E94 7A60 5B1F", "8F3B11C290DA4E77B6A10F52C3D82E947A605B1F", true, "from the directory of their mail domain"}}}

var people = []Person{
	{ID: "anna", Href: "/people/anna", Name: "Anna Keller", Roles: []string{"Incident Commander"}, Zone: "Europe/Berlin", You: true, Channels: []Channel{
		{"mail", "Mail", "anna@kontor-nord.example", "With a key of theirs, only they can read it. Without one every mail server on the way can.", State{"good", "reached"}, "250 2.0.0 Ok: queued as 4TqX1", before(4 * time.Minute), "/people/anna/ring", ""},
		{"console", "Console", "", "", State{"good", "open in 1 browser"}, "", before(time.Minute), "/people/anna/ring", ""},
	}},
	{ID: "boris", Href: "/people/boris", Name: "Boris Lang", Roles: []string{"Platform Engineer", "Security Analyst"}, Zone: "Europe/Vienna", Channels: []Channel{
		{"mail", "Mail", "boris@kontor-nord.example", "", State{"bad", "failed"}, "550 5.1.1 no such user", before(26 * time.Hour), "/people/boris/ring", "the last test could not be sent"},
		{"webhook", "Webhook", "hooks.chat.example", "", State{"off", "never tested"}, "", Time{}, "/people/boris/ring", "never tested: ring it and answer"},
	}},
	{ID: "chen", Href: "/people/chen", Name: "Chen Wei", Says: "Not in the policy: is never rung.", Gone: true},
}

var roles = []Option{{"commander", "Incident Commander", true}, {"platform", "Platform Engineer", false}, {"analyst", "Security Analyst", false}, {"legal", "Legal Advisor", false}, {"communications", "Communications Officer", false}}

func peopleView() PeopleView {
	v := PeopleView{Frame: frame("People and policy", "people", "/people"), People: people, Mutes: mutes, Add: PersonForm{Action: "/people", New: true, Zone: "Europe/Berlin", Roles: roles[1:]}}
	v.Policy = PolicyForm{Says: []string{"Anna Keller by every channel; 3 min for an answer.", "The Platform Engineers by mail and webhook; 5 min.", "Everyone, by every channel; then again every 10 min."}, Action: "/policy", Rounds: "2", Every: "10", Throttle: "5"}
	for i := range 4 {
		v.Policy.Steps = append(v.Policy.Steps, PolicyStep{N: i, Word: fmt.Sprintf("Step %d", i+1), Wait: "5",
			Who: []Option{{"anna", "Anna Keller", i == 0}, {"boris", "Boris Lang", false}, {"role:platform", "Platform Engineers", i == 1}, {"everyone", "Everyone", i == 2}},
			By:  []Option{{"mail", "Mail", i == 1}, {"webhook", "Webhook", i == 1}, {"console", "Console", false}}})
	}
	return v
}

func peopleWithErrors() PeopleView {
	v := peopleView()
	v.Errors = Errors{{"name", "Enter a name."}, {"id", "The staff id Anna! has other signs than small letters, digits and dashes."}, {"mail", "This is no mail address: anna at example."}}
	v.Add = PersonForm{Action: "/people", New: true, ID: "Anna!", Mail: "anna at example", Roles: roles, Open: true}
	return v
}

func noticesView() NoticesView {
	v := NoticesView{Frame: frame("Notices of sign-ins", "notices", "/notices")}
	tries := []Try{{"3", before(time.Hour), "Anna Keller", "mail", State{"good", "sent"}, "12 sign-ins"}, {"2", before(2 * time.Hour), "Anna Keller", "mail", State{"bad", "failed"}, "1 sign-in: 452 4.2.2 mailbox full, come back later"}}
	v.Mine = []Notice{{ID: "1", Who: "You", Says: "each sign-in by SSH, by FTP or to the administration, by mail", State: State{"good", "sent"}, At: before(time.Hour), Detail: "12 sign-ins", Waits: "3 sign-ins wait to be told.", Told: "41 sign-ins told since 3 Nov 08:00:00", Remove: "/notices/1/remove", Test: "/notices/1/test", Send: "Send me one now", Tries: tries},
		{ID: "2", Who: "You", Says: "a digest of the sign-ins as a customer, daily at 08:00, by mail", Account: Visible("felix\u202e.wagner"), State: State{"off", "nothing told yet"}, Told: "0 sign-ins told since 3 Nov 08:00:00", Remove: "/notices/2/remove", Test: "/notices/2/test", Send: "Send me one now"}}
	v.Others = []Notice{{ID: "3", Who: "Boris Lang", Says: "each sign-in of every kind at which the country is new, in a chat", State: State{"bad", "failed"}, At: before(2 * time.Hour), Detail: "1 sign-in: 404 no such hook", Told: "1 sign-in told since 3 Nov 08:00:00", Remove: "/notices/3/remove", Test: "/notices/3/test", Send: "Send Boris Lang one now"}}
	v.Forgot = "20 accounts were forgotten because too many sign in: what they do next counts as new."
	v.Form = NoticeForm{People: []Option{{"anna", "Anna Keller", true}, {"boris", "Boris Lang", false}}, Ways: []Option{{"mail", "Mail", true}, {"webhook", "Chat webhook", false}},
		Realms: []Option{{"ssh", "By SSH", true}, {"ftp", "By FTP", true}, {"admin", "To the administration", true}, {"customer", "As a customer", false}},
		Modes:  []Option{{"each", "Each one, at once", true}, {"new", "Only what is new", false}, {"digest", "Once a day", false}}, Hours: []Option{{"8", "08:00", true}},
		New: []Option{{"address", "The address", true}, {"country", "The country", true}, {"hour", "The hour of the day", false}}}
	return v
}

func noticesWrong() NoticesView {
	v := noticesView()
	v.Mine, v.Others, v.Forgot, v.Form.Open, v.Form.Account = nil, nil, "", true, "felix"
	v.Errors = Errors{{"account", "The account's name is too long."}, {"channel", "You have no address for webhook."}, {"hour", "Say at which hour."}}
	return v
}

func listsView() ListsView {
	never := append([]Mute{{ID: "6", Rule: Link{"every rule", "/rules"}, Address: Visible("203.0.113.0/24"), Account: Visible("backup"), Until: At(night.AddDate(0, 3, 0), night, berlin), By: "Boris Lang", Reason: Visible("our payment provider probes the shop"),
		Kept: "kept 1,204 alerts quiet, the last 4 min ago", Back: "/lists", Action: "/mutes/6/remove"}}, mutes...)
	ends := []Option{{"", "never", true}, {"2592000", "in 30 days", false}}
	v := ListsView{Frame: frame("Lists", "lists", "/lists"), May: true, Nevers: never,
		Watch: WatchForm{Level: []Option{{"low", "Low", false}, {"medium", "Medium", true}, {"high", "High", false}}, Until: ends},
		Never: NeverForm{Rules: []Option{{"", "every rule", true}, {"r1", "Known attack tool in the user agent", false}}, Until: ends[1:]}}
	for i, l := range []Severity{"high", "medium", "low"} {
		v.Lists = append(v.Lists, WatchList{ID: fmt.Sprint(i + 1), Href: fmt.Sprintf("/lists/%d", i+1), Name: Visible([]string{"Those who left us", "drop", "indicators of November"}[i]), About: Visible("from the yearly review"), Level: l,
			Count: "1,204", Kinds: "1,180 addresses, 24 networks", Lines: "17", Last: before(time.Hour), By: "Anna Keller", Made: before(300 * time.Hour)})
	}
	v.Lists[2].Note, v.Lists[2].Fault, v.Lists[2].Last = "3 parts of imported files could not be taken", "20 values cannot be read: the vault was changed", Time{}
	return v
}

func listsWrong() ListsView {
	v := listsView()
	v.Errors = Errors{{"watch-list", "A watch list needs a name."}, {"watch-values", "Nothing of the file can be watched."}, {"never-from", "10.0.0.0/3 is too wide."}, {"never-reason", "A mute needs a reason."}}
	v.Watch.Open, v.Watch.Values, v.Never.Open, v.Never.From = true, "10.0.0.0/3", true, "10.0.0.0/3"
	return v
}

func listView() ListView {
	v := ListView{Frame: frame("drop", "lists", "/lists/2"), May: true, List: listsView().Lists[1], Query: "sbl", Remove: "/lists/2/remove", End: "/lists/2/end", Pager: Pager{"1 to 100 of 1,204", "", "/lists/2?page=2"}}
	for i := range 100 {
		v.Rows = append(v.Rows, ListRow{Kind: "network", Value: Visible(fmt.Sprintf("203.0.%d.0/24", i)), Typed: fmt.Sprintf("203.0.%d.0/24", i), Note: Visible("SBL 4711"), Of: Visible("drop.txt"), By: "Boris Lang", Added: before(time.Hour),
			Until: At(night.AddDate(0, 1, 0), night, berlin), State: State{"good", "watched"}})
	}
	v.Rows[1].State, v.Rows[2].State, v.Rows[2].Until = State{"late", "not yet"}, State{"off", "over"}, Time{}
	return v
}

func ledgerView() LedgerView {
	v := LedgerView{Frame: frame("Ledger", "ledger", "/ledger"), Size: "4,812", Root: "N4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=", Signer: "tocsin-shop1+7d1f2a90", Signed: before(10 * time.Second)}
	v.Checked = Check{State{"good", "Intact"}, "All 4,812 entries follow from each other, and the head's signature is good.", before(3 * time.Hour), "0.4 s"}
	v.Copies = []Fact{{Name: "shop2", Value: "4,790 entries, 2 min ago"}}
	kinds := []string{"call.failed", "call.wanted", "incident.severity", "alert.grew", "incident.opened", "alert.raised", "signin.accepted"}
	for i := range 50 {
		v.Rows = append(v.Rows, EntryRow{N: fmt.Sprint(4812 - i), At: before(time.Duration(i*i) * time.Second), Actor: []string{"desk", "detect", "Anna Keller"}[i%3], Kind: kinds[i%len(kinds)], Subject: fmt.Sprintf("incident:%d", 12-i%9), Says: "Severity from High to Critical"})
	}
	return v
}

func pick(code int) ErrorView {
	v := ErrorFor(code)
	v.Frame.Path = "/"
	return v
}

// examples returns every page at least once.
func examples() []example {
	grave := frame("Alerts", "alerts", "/alerts")
	grave.Theme = "dark"
	grave.Bell = Bell{Known: true, At: before(time.Hour)}
	grave.Problems = []Problem{{Grave: true, Says: "Tocsin cannot write: the disk of its data folder is full.", Mend: "Free some space on it; Tocsin then goes on by itself. Until then it rings, but takes no commands.", Href: "/sources"}}
	list := make([]AlertRow, 40)
	for i := range list {
		list[i] = alertRows[i%len(alertRows)]
		list[i].ID = fmt.Sprint("b", i)
		list[i].Samples = nil
	}
	signedIn := pick(http.StatusNotFound)
	signedIn.Frame = frame(signedIn.Title, "", "/nowhere")
	crowded := ringing(frame("Incidents", "incidents", "/incidents"))
	for range 4 {
		crowded.Ringing = append(crowded.Ringing, crowded.Ringing[0])
		crowded.Ringing[len(crowded.Ringing)-1].ID = fmt.Sprint(len(crowded.Ringing) + 2)
	}
	policy := peopleView()
	policy.Policy.Open = true
	policy.Errors = Errors{{"every", "The last step can be repeated every minute at the most often."}}
	wrongIncident := incidentView()
	wrongIncident.Errors = Errors{{"severity-reason", "Say why. A changed severity without a reason helps nobody later."}}
	wrongIncident.Forms.Again = "severity"
	return append(slices.Concat(commandExamples(), planExamples(), reviewExamples(), contactExamples(), reportExamples(), onCallExamples(), agentExamples(), rightsExamples()), []example{
		ex("overview", Overview, overviewView()),
		ex("overview-quiet", Overview, quietOverview()),
		ex("incidents", Incidents, IncidentsView{Frame: frame("Incidents", "incidents", "/incidents?state=open"), Query: `"keller"`, Filtered: true, Sort: "-began",
			States: []Option{{"", "any state", false}, {"open", "open", true}}, Severities: []Option{{"", "any severity", true}, {"critical", "Critical", false}},
			Headings: []Heading{{Word: "Severity", Href: "/incidents?sort=severity"}, {Word: "Incident"}, {Word: "State", Href: "/incidents?sort=state"}, {Word: "Assigned"}, {Word: "Alerts", Href: "/incidents?sort=alerts", Number: true}, {Word: "Began", Href: "/incidents?sort=began", Sorted: "descending"}, {Word: "Last seen", Href: "/incidents?sort=last"}},
			Rows:     rows(50), Pager: Pager{"51 to 100 of 1,204", "/incidents?page=1", "/incidents?page=3"}}),
		ex("incidents-none", Incidents, IncidentsView{Frame: crowded, States: []Option{{"", "any state", true}}, Severities: []Option{{"", "any severity", true}}}),
		ex("incident", Incident, incidentView()),
		ex("incident-closed", Incident, closedIncident()),
		ex("incident-wrong", Incident, wrongIncident),
		ex("trace", Trace, traceView()),
		ex("dossier", Dossier, DossierView{Frame: frame("Report of incident 12", "incidents", "/incidents/12/report"), ID: "12", Incident: "SQL injection against the shop", Severity: "critical", Exchange: Form{ID: "exchange", Action: "/incidents/12/exchange", Button: "Write it for programs", Leaves: true, Fields: []Field{{Name: "format", Kind: "choice", Label: "Format", Options: []Option{{"stix", "STIX 2.1, for threat intelligence", true}}}, {Name: "audience", Kind: "choice", Label: "For whom (TLP)", Options: []Option{{"AMBER", "TLP:AMBER, us and our clients", true}}, Wrong: "Incident 12 is TLP:RED and leaves by no exit."}}},
			Formats: []Option{{"pdf", "PDF", true}, {"html", "HTML", false}},
			Depths:  []Option{{"full", "everything", true}}, Audiences: []Option{{"GREEN", "TLP:GREEN, our community", true}}, Errors: Errors{{"audience", "What is TLP:RED leaves by no exit."}}}),
		ex("trace-none", Trace, TraceView{Frame: frame("How incident 12 came about", "incidents", "/incidents/12/trace"), ID: "12", Incident: "SQL injection against the shop", Severity: "low", Cut: []Text{Visible("No lines of 198.51.100.77 are kept any more.")}}),
		ex("room", Room, roomView()),
		ex("room-guest", Room, RoomView{Frame: plain("War room"), Base: "/room"}),
		ex("close", Close, CloseView{Frame: frame("Close incident 12", "incidents", "/incidents/12/close"), ID: "12", Severity: "critical", Incident: "SQL injection against the shop, with data going out", Effects: []string{"Call 3 stops ringing. Nobody has answered it.", "New alerts from its addresses open a new incident."}, Undo: "It can be reopened at any time. Both stand in the ledger.", Verdict: "true", Lacking: []Link{{"Write the root cause", "/incidents/12/cause"}, {"Write the lessons", "/incidents/12/cause#lessons"}}}),
		ex("confirm", Confirm, ConfirmView{Frame: frame("Lower the severity to Low?", "incidents", "/incidents/12"), Effects: []string{"Call 3 stops ringing."}, Undo: "raise it again; it then rings anew.", Approve: "nobody else", Action: "/incidents/12/severity", Fields: []Option{{Word: "severity", Value: "low"}}, Button: "Lower it", Back: "/incidents/12"}),
		ex("alerts", Alerts, AlertsView{Frame: grave, Rules: []Option{{"", "any rule", true}, {"r1", "SQL injection by UNION SELECT in a query", false}}, Levels: []Option{{"", "any level", true}}, Rows: list, Pager: Pager{Says: "1 to 40 of 211", Next: "/alerts?page=2"}}),
		ex("alert-unusual", Alert, unusualAlert()),
		ex("alert", Alert, AlertView{Frame: frame("SQL injection by UNION SELECT in a query", "alerts", "/alerts/a1"), Row: alertRows[0], Says: "159 requests from one address held UNION and SELECT; 31 of them were answered with more bytes than usual.", Rule: Link{"SQL injection by UNION SELECT in a query", "/rules/r1"}, Impact: "loss: data is going out", Facts: []Fact{{Name: "Logs", Value: "access.log", Href: "/sources"}, {Name: "Data moved", Value: "48 kB"}}, Fired: []FiredAlert{fired}, Parties: []PartyTable{
			{Key: "addresses", Of: "alert", Rows: parties, Count: "214", All: Link{"All 214", "/alerts/a1?list=addresses"}}, {Key: "accounts", Of: "alert", Rows: accounts, Count: "2"}}, Dropped: "and 120 more addresses, counted but not named"}),
		ex("named", Named, NamedView{Frame: frame("Addresses of incident 12", "incidents", "/incidents/12?list=addresses"), Over: Link{"Incident 12", "/incidents/12"}, Table: PartyTable{Key: "addresses", Of: "incident", Rows: parties, Count: "53"}, Note: "Of the newest 1,000 of its 2,345 alerts.", Pager: Pager{Says: "51 to 53 of 53", Prev: "/incidents/12?list=addresses&page=1"}}),
		ex("named-none", Named, NamedView{Frame: frame("Sessions of incident 12", "incidents", "/incidents/12?list=sessions"), Over: Link{"Incident 12", "/incidents/12"}, Table: PartyTable{Key: "sessions", Of: "incident"}}),
		ex("sources", Sources, sourcesView()),
		ex("rules", Rules, rulesView()),
		ex("rule", Rule, ruleView()),
		ex("rule-quiet", Rule, quietRule()),
		ex("habits", Habits, HabitsView{Frame: frame("Habits", "habits", "/habits"), Summary: "214 accounts, of which 180 are known well enough to call something new", Realms: []Option{{"", "Every kind", true}, {"ssh", "SSH", false}},
			Rows: habitRows, Pager: Pager{Says: "1 to 3 of 3"}}),
		ex("habits-none", Habits, HabitsView{Frame: frame("Habits", "habits", "/habits?q=x"), Summary: "no accounts", Query: `"x"`, Filtered: true}),
		ex("habit", Habit, habitView()),
		ex("habit-wrong", Habit, wrongHabit()),
		ex("calls", Calls, CallsView{Frame: ringing(frame("Calls", "calls", "/calls")), Calls: callRows, Pager: Pager{Says: "1 to 3 of 3"}}),
		ex("lists", Lists, listsView()),
		ex("lists-wrong", Lists, listsWrong()),
		ex("lists-none", Lists, ListsView{Frame: frame("Lists", "lists", "/lists")}),
		ex("list", ListPage, listView()),
		ex("search", Search, searchView()),
		ex("search-table", Search, tableView()),
		ex("line", LinePage, lineView()),
		ex("attach", Attach, attachView()),
		ex("attached", AttachedLines, AttachedLinesView{Frame: frame("Lines of incident 12", "incidents", "/incidents/12/lines"), ID: "12", Title: "SQL injection", Lines: attachedExample}),
		ex("search-none", Search, SearchView{Frame: frame("Search", "search", "/search"), Examples: []QueryExample{{"What came last?", "| tail 20", "/search?q=%7C+tail+20"}}}),
		ex("search-wrong", Search, SearchView{Frame: Frame{Title: "Search", Who: Who{"anna", "Anna Keller"}, Still: true}, Query: "ip=", Wrong: WrongQuery{Before: Visible("ip="), Why: Visible("A value is missing."), Mend: Visible("Write one.")}}),
		ex("people", People, peopleView()),
		ex("people-wrong", People, peopleWithErrors()),
		ex("people-policy", People, policy),
		ex("person", PersonPage, PersonView{Frame: frame("Boris Lang", "people", "/people/boris"), Person: people[1], Form: PersonForm{Action: "/people/boris", ID: "boris", Name: "Boris Lang", Mail: "boris@kontor-nord.example", Zone: "Europe/Vienna", Roles: roles}, Ways: waysExample(), Seals: sealsExample, Invite: "/people/boris/invite", Factors: "/people/boris/factors", Wish: LinkWish{"/people/boris/link", "7c1e", "Boris Lang (7c1e) at https://login.shop.example"}, Link: "https://tocsin.kontor-nord.example/setup/Yb3m0kT2vJ6pQ9sXcD4fGh7LwN1zRa8e"}),
		ex("call", CallPage, callView()),
		ex("bell", BellPage, bellView()),
		ex("bell-none", BellPage, BellView{Frame: frame("The bell", "bell", "/bell"), Ready: "0 % proven"}),
		ex("policy", PolicyPage, PolicyView{Frame: frame("Policy night", "bell", "/policies/new"), Name: "night", New: true, Policy: namedPolicy()}),
		ex("simulate", Simulate, simulateView()),
		ex("answer", Answer, AnswerView{Frame: plain("Answer a call"), Pass: true, Severity: "critical", Call: "SQL injection against the shop, with data going out", More: "and 1 more incident", Opened: before(135 * time.Second), To: "Anna Keller", Action: "/answer/Yb3m0kT2vJ6pQ9sX"}),
		ex("answer-late", Answer, AnswerView{Frame: plain("Answer a call"), Severity: "high", Call: "Card testing at checkout", Opened: before(time.Hour), Says: "Boris Lang answered 4 min ago. Nobody is rung any more."}),
		ex("answered", Answered, AnsweredView{Frame: plain("Answered"), Severity: "critical", Call: "SQL injection against the shop, with data going out", You: true, Says: "You answered at 03:14:20 CET. Nobody else is rung for it.", Href: "/incidents/12", Next: []string{"Open the incident and read what is known.", "Assign it to yourself.", "Write down what you do as you do it."}}),
		ex("setup", Setup, SetupView{Frame: plain("Set up"), Action: "/setup/Yb3m0kT2vJ6p"}),
		ex("setup-wrong", Setup, SetupView{Frame: Frame{Title: "Set up", Errors: Errors{{"password", "The password has 4 characters; it needs 12."}, {"again", "The two passwords differ."}}}, Action: "/setup/Yb3m0kT2vJ6p", Name: "Anna Keller", ID: "anna"}),
		ex("setup-known", Setup, SetupView{Frame: plain("Choose your password"), Action: "/setup/Yb3m0kT2vJ6p", Known: true, Name: "Boris Lang", ID: "boris"}),
		ex("signin", SignIn, SignInView{Frame: plain("Sign in"), Next: "/incidents/12"}),
		ex("signin-wait", SignIn, SignInView{Frame: Frame{Title: "Sign in", Errors: Errors{{"", "Staff id and password do not fit together."}}}, ID: "anna", Wait: 24}),
		ex("signin-ways", SignIn, SignInView{Frame: Frame{Title: "Sign in", Nav: "door"}, Passkeys: true, Provider: "Kontor Nord", Next: "/incidents/12"}),
		ex("me", Me, meView()),
		ex("me-new", Me, MeView{Frame: frame("How you sign in", "me", "/me"), Weak: "Your password alone opens everything. Add a passkey or an authenticator app.", NoKeys: "Passkeys need https.", Password: true, Days: "90"}),
		ex("me-wrong", Me, meWrong()),
		ex("app", App, AppView{Frame: frame("Add an authenticator app", "me", "/me"), Ceremony: "Yb3m0kT2vJ6p", Size: 33, Path: "M4 4h7v1h-7zM4 5h1v1h-1z", Secret: "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP", Account: "anna"}),
		ex("stepup", StepUp, StepUpView{Frame: Frame{Title: "Prove that it is you", Nav: "door"}, Why: "This act is dangerous, and you proved who you are more than ten minutes ago.", Passkey: true, Code: true, Provider: "Kontor Nord", Fields: []Option{{Word: "then", Value: "/people/boris/invite"}}, Next: "/people"}),
		ex("stepup-password", StepUp, StepUpView{Frame: Frame{Title: "Prove that it is you", Errors: Errors{{"", "This is not your password."}}}, Why: "This act is dangerous.", Password: true, Next: "/me", Wait: 4}),
		ex("glass", Glass, GlassView{Frame: plain("A sheet from the safe")}),
		ex("glass-wrong", Glass, GlassView{Frame: Frame{Title: "A sheet from the safe", Errors: Errors{{"sheet", "The code was mistyped."}}}, Wait: 3}),
		ex("sheets", Sheets, SheetsView{Frame: frame("Break-glass sheets", "people", "/break-glass"), Count: "5", New: []PrintedSheet{{4, "7Q2M-8VKT-0C3N-5RXZ-H1PD-W6YB-9EJG", "https://tocsin.kontor-nord.example/sign-in/break-glass", before(time.Minute), "Anna Keller"}},
			Sheets: []SheetRow{{4, State{"good", "sealed"}, before(time.Minute), "Anna Keller", Time{}}, {3, State{"bad", "used"}, before(time.Hour), "Boris Lang", before(time.Minute)}}}),
		ex("sheets-none", Sheets, SheetsView{Frame: frame("Break-glass sheets", "people", "/break-glass"), Count: "5"}),
		ex("notices", Notices, noticesView()),
		ex("notices-wrong", Notices, noticesWrong()),
		ex("webhooks", Webhooks, webhooksView()),
		ex("programs", Programs, programsView()),
		ex("chapter", ChapterPage, chapterView()),
		ex("webhooks-none", Webhooks, WebhooksView{Frame: frame("Webhooks", "webhooks", "/webhooks")}),
		ex("ledger", Ledger, ledgerView()),
		ex("error-403", Error, pick(http.StatusForbidden)),
		ex("error-404", Error, signedIn),
		ex("error-500", Error, pick(http.StatusInternalServerError)),
	}...)
}
