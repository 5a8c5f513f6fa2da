package ui

// Search looks for lines. GET /search
var Search = page[SearchView]("search")

// SearchView is what Search shows.
type SearchView struct {
	Frame
	Query    string
	Wrong    WrongQuery
	Examples []QueryExample // while nothing is asked
	Says     string         // "34 of 120 volumes, 1,204,331 records, 0.08 s"; "" while nothing is asked
	Found    string         // "214 lines"
	Warnings []Text         // what was cut, estimated or damaged
	Bars     Histogram
	Facets   []Facet
	Lines    []FoundLine
	Older    string    // where the lines before these are; "" is none
	Columns  []Heading // of a query that folds
	Rows     [][]FoundValue
}

// A WrongQuery is a text that cannot be read. Why is empty when it can.
type WrongQuery struct {
	Before, Place, After Text
	Why, Mend            Text
}

// A QueryExample is a query to begin with.
type QueryExample struct{ Says, Query, Href string }

// A Facet is the most frequent values of a field.
type Facet struct {
	Name string
	Rows []FoundValue
}

// A FoundValue is a value with where it leads.
type FoundValue struct {
	Value  Text
	Count  string // of a facet
	Number bool   // stands at the right
	Only   string // the search for lines that have it; "" is none
}

// A FoundLine is a line that was found.
type FoundLine struct {
	At     Time
	Place  Text // host and file
	Line   Text
	Cut    string // "and 12,000 more bytes"; "" is none
	Shown  []FoundField
	Fields []FoundField
}

// A FoundField is a field of a line. A link is empty where there is none.
type FoundField struct {
	Name    string
	Value   Text
	Only    string
	Not     string
	Session string
	Watch   string
}

// A Histogram is how many lines there are over time.
type Histogram struct {
	Bars     []HistogramBar
	Most     string
	From, To Time
}

// A HistogramBar is one of its bars. Href narrows the search to its time.
type HistogramBar struct {
	Says string
	Href string
	Hit  Bar
	Bar  Bar
}

// A Counted is what a histogram is drawn of.
type Counted struct {
	Says  string
	Href  string
	Count int64
}

// NewHistogram draws counts, which must be in order of time.
func NewHistogram(moments []Counted, from, to Time) Histogram {
	h := Histogram{From: from, To: to}
	var most int64
	for _, m := range moments {
		most = max(most, m.Count)
	}
	h.Most = Number(most)
	step := chartWidth / float64(max(1, len(moments)))
	gap := min(2, step/4)
	for i, m := range moments {
		x := float64(i) * step
		h.Bars = append(h.Bars, HistogramBar{Says: m.Says, Href: m.Href, Hit: bar(x, 0, step, recordsFloor, ""), Bar: rise(x, step-gap, recordsTop, recordsFloor, 0, m.Count, most, "")})
	}
	return h
}
