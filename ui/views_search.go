package ui

// Search looks for lines. GET /search
var Search = page[SearchView]("search")

// SearchView is what Search shows.
type SearchView struct {
	Frame
	Query    string
	Wrong    WrongQuery
	Examples []QueryExample // while nothing is asked
	Run      bool           // the page has no result yet: its script hears of it on /search/run
	Wait     string         // the same search, waited for: where there is no script
	Says     string         // "34 of 120 volumes, 1,204,331 records, 0.08 s"; "" while nothing is asked
	Partly   bool           // the search goes on
	Found    string         // "214 lines"
	Warnings []Text         // what was cut, estimated or damaged
	Bars     Histogram
	Facets   []Facet
	Lines    []FoundLine
	Listed   bool      // the query lists lines, be there any or none
	Behind   string    // lines behind this number are heard of on /search/live; "" when the query cannot be followed
	Again    string    // the same search, later
	Older    string    // where the lines before these are; "" is none
	Columns  []Heading // of a query that folds
	Rows     [][]FoundValue
	Attach   AttachForm
}

// An AttachForm makes lines part of an incident. It is shown when May is set.
type AttachForm struct {
	May       bool
	Incidents []Option // that are open
	All       string   // "all 214 lines of this search"
	AllHref   string   // asks to attach them; "" where there are too many
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
	Number string // in the archive: "1204"
	Href   string // the page of the line
	Pick   bool   // it can be chosen, to be attached
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
	Says    string // its ECS name where Name is a short one
	Value   Text
	Only    string
	Not     string
	Session string
	Watch   string
}

// A Histogram is how many lines there are over time.
type Histogram struct {
	Bars     []HistogramBar
	Range    string // the query that a range narrows: since and until, RFC 3339, are asked beside it
	Most     string
	From, To Time
}

// A HistogramBar is one of its bars. Href narrows the search to its time.
type HistogramBar struct {
	Counted
	Hit Bar
	Bar Bar
}

// A Counted is what a histogram is drawn of.
type Counted struct {
	Says         string
	Href         string
	Since, Until string // RFC 3339
	From, To     string // the same for the reader: "03:05"
	Count        int64
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
		h.Bars = append(h.Bars, HistogramBar{Counted: m, Hit: bar(x, 0, step, recordsFloor, ""), Bar: rise(x, step-gap, recordsTop, recordsFloor, 0, m.Count, most, "")})
	}
	return h
}

// LinePage is one line with everything that was read in it. GET /search/line/{id}
var LinePage = page[LineView]("line")

// LineView is what LinePage shows.
type LineView struct {
	Frame
	Number  string
	At      Time
	Says    string // why there is none: it has expired; "" when there is one
	Raw     Text
	Cut     string
	Facts   []Fact
	Times   []TimeFact
	Digests []Digest
	Records []LineRecord
	Back    string // the search that it was found by; "" is none
	Around  string // the lines of its file about that time
	Before  string // the line before it in the archive
	After   string
	Attach  AttachForm
}

// A Digest is a SHA-256 with what it is of.
type Digest struct {
	Of    Text
	Value string
}

// A LineRecord is one event of a line.
type LineRecord struct {
	Title  string // "" when the line is one
	Fields []FoundField
	Own    []FoundField // of the application
}

// Attach asks to which incident lines are attached. GET, POST /search/attach
var Attach = page[AttachView]("attach")

// AttachView is what Attach shows.
type AttachView struct {
	Frame
	Lines []FoundLine
	Query string // or all that a query finds
	Form  AttachForm
	Back  string
}

// AttachedLines are the lines of an incident. GET /incidents/{id}/lines
var AttachedLines = page[AttachedLinesView]("attached")

// AttachedLinesView is what AttachedLines shows.
type AttachedLinesView struct {
	Frame
	ID    string
	Title string
	Lines []AttachedLine
	Pager Pager
}

// An AttachedLine is a line that is part of an incident.
type AttachedLine struct {
	Number string
	Href   string // "" for who may not search
	At     Time
	Place  Text
	Line   Text
	Cut    string
	Why    string // why there is no line
	Grave  bool
	SHA256 string
	Who    string
	When   Time
}
