package ui

var lineFields = []FoundField{{Name: "ip", Says: "source.ip", Value: Visible("198.51.100.77"), Only: "/search?q=ip%3D198.51.100.77", Not: "/search?q=not+ip%3D198.51.100.77", Session: "/search?q=%7C+session+198.51.100.77", Watch: "/lists?values=198.51.100.77#watch"},
	{Name: "status", Says: "http.response.status_code", Value: Visible("200"), Only: "/search?q=status%3D200", Not: "/search?q=not+status%3D200"},
	{Name: "agent", Says: "user_agent.original", Value: Visible("<script>alert(1)</script>\u202e\x00")}}

var attachTo = AttachForm{May: true, Incidents: []Option{{Value: "12", Word: "12: SQL injection against the shop, with data going out"}, {Value: "11", Word: "11: Web shell uploaded and used"}}, All: "Attach all 159 lines of this search", AllHref: "/search/attach?q=union"}

func searchFrame(path string) Frame {
	f := frame("Search", "search", path)
	f.Search, f.Still = true, true
	return f
}

// searchView is what a search for a hostile line finds.
func searchView() SearchView {
	v := SearchView{Frame: searchFrame("/search?q=union"), Query: "union since 1d", Found: "159 lines", Says: "34 of 120 volumes, 1,204,331 records, 0.08 s", Warnings: []Text{Visible("The volume 0012 is damaged and was not searched. Run: tocsin doctor")},
		Facets: []Facet{{Name: "Addresses", Rows: []FoundValue{{Value: Visible("198.51.100.77"), Count: "159", Only: "/search?q=ip%3D198.51.100.77"}}}}, Older: "/search?q=union+until+x",
		Listed: true, Behind: "120433", Again: "/search?q=union", Attach: attachTo,
		Bars: NewHistogram([]Counted{{Says: "12 lines from 03:05", Href: "/search?q=a", Count: 12, Since: "2026-11-23T02:05:00Z", Until: "2026-11-23T02:10:00Z", From: "03:05:00", To: "03:10:00"},
			{Says: "147 lines from 03:10", Href: "/search?q=b", Count: 147, Since: "2026-11-23T02:10:00Z", Until: "2026-11-23T02:15:00Z", From: "03:10:00", To: "03:15:00"}}, before(600e9), before(0))}
	v.Bars.Range = "union since 1d"
	for k, line := range injection {
		n := Number(int64(k + 1))
		v.Lines = append(v.Lines, FoundLine{Number: n, Href: "/search/line/" + n, Pick: true, At: before(60e9), Place: Visible("shop:/var/log/nginx/access.log"), Line: line, Fields: lineFields})
	}
	return v
}

func lineView() LineView {
	return LineView{Frame: searchFrame("/search/line/120433"), Number: "120433", At: before(60e9), Raw: injection[0], Back: "/search?q=union", Around: "/search?q=file", Before: "/search/line/120432", After: "/search/line/120434",
		Times: []TimeFact{{"Happened", before(60e9)}, {"Received", before(59e9)}}, Attach: attachTo,
		Facts:   []Fact{{Name: "Host", Value: "shop-2"}, {Name: "File", Value: "/var/log/nginx/access.log"}, {Name: "Place in the file", Value: "byte 20,118,223"}, {Name: "Kept in volume", Value: "nginx-access/2026-11-23/02-0000000000000120001-abcd0123"}},
		Digests: []Digest{{Visible("This line, 214 bytes"), "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}, {Visible("The volume's lines"), "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"}},
		Records: []LineRecord{{Fields: lineFields, Own: []FoundField{{Name: "cart", Value: Visible("7.5"), Only: "/search?q=cart%3D7.5"}}}}}
}

func attachView() AttachView {
	v := AttachView{Frame: searchFrame("/search/attach"), Lines: searchView().Lines[:2], Form: attachTo, Back: "/search?q=union"}
	v.Errors = Errors{{"line", "These lines are part of incident 12 already."}}
	return v
}

var attachedExample = []AttachedLine{
	{Number: "120433", Href: "/search/line/120433", At: before(60e9), Place: Visible("shop-2:/var/log/nginx/access.log"), Line: injection[0], SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", Who: "Anna Keller", When: before(30e9)},
	{Number: "99", Href: "/search/line/99", At: before(60e9), Place: Visible("/var/log/auth.log"), Why: "This line is not kept any more; its SHA-256 is.", SHA256: "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752", Who: "Anna Keller", When: before(30e9)},
}

// tableView is what a query that folds comes to.
func tableView() SearchView {
	v := SearchView{Frame: searchFrame("/search?q=%7C+count+by+ip"), Query: "| count by ip, agent", Found: "1,204 lines", Says: "1 of 1 volume, 1,204 records, 0.01 s", Again: "/search?q=x",
		Columns: []Heading{{Word: "ip"}, {Word: "agent"}, {Word: "count", Number: true}}}
	for _, n := range []string{"1,000", "204"} {
		v.Rows = append(v.Rows, []FoundValue{{Value: Visible("2001:db8:1234:5678:9abc:def0:1234:5678"), Only: "/search?q=ip"}, {Value: Visible("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"), Only: "/search?q=agent"}, {Value: Visible(n), Number: true}})
	}
	return v
}
