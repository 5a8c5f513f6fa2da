package ui

// searchView is what a search for a hostile line finds.
func searchView() SearchView {
	f := frame("Search", "search", "/search?q=union")
	f.Search, f.Still = true, true
	fields := []FoundField{{Name: "ip", Value: Visible("198.51.100.77"), Only: "/search?q=ip%3D198.51.100.77", Not: "/search?q=not+ip%3D198.51.100.77", Session: "/search?q=%7C+session+198.51.100.77", Watch: "/lists?values=198.51.100.77#watch"},
		{Name: "agent", Value: Visible("<script>alert(1)</script>\u202e\x00")}}
	v := SearchView{Frame: f, Query: "union since 1d", Found: "159 lines", Says: "34 of 120 volumes, 1,204,331 records, 0.08 s", Warnings: []Text{Visible("The volume 0012 is damaged and was not searched. Run: tocsin doctor")},
		Facets: []Facet{{Name: "Addresses", Rows: []FoundValue{{Value: Visible("198.51.100.77"), Count: "159", Only: "/search?q=ip%3D198.51.100.77"}}}}, Older: "/search?q=union+until+x",
		Bars: NewHistogram([]Counted{{Says: "12 lines from 03:05", Href: "/search?q=a", Count: 12}, {Says: "147 lines from 03:10", Href: "/search?q=b", Count: 147}}, before(600e9), before(0))}
	for _, line := range injection {
		v.Lines = append(v.Lines, FoundLine{At: before(60e9), Place: Visible("shop:/var/log/nginx/access.log"), Line: line, Fields: fields})
	}
	return v
}
