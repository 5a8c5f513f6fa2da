package ui

// Lists shows who is watched for and who never alerts. GET /lists; posts to /lists and /never.
var Lists = page[ListsView]("lists")

// ListsView is what Lists shows.
type ListsView struct {
	Frame
	May    bool // the reader may change lists
	Lists  []WatchList
	Watch  WatchForm
	Nevers []Mute
	Never  NeverForm
}

// A WatchList is a watch list in short.
type WatchList struct {
	ID    string
	Href  string
	Name  Text
	About Text
	Level Severity
	Count string // of values: "1,204"
	Kinds string // "1,180 addresses, 24 networks"
	Lines string // of logs that named one of them
	Last  Time   // when one was named last
	By    string
	Made  Time
	Fault string // why some of it cannot be read; "" if all can
	Note  string // "3 parts of imported files could not be taken"; may be empty
}

// A WatchForm is what stands in the form that puts values on a list.
type WatchForm struct {
	List   string
	Level  []Option
	About  string
	Values string // one a line, or a bundle of STIX 2.1
	Until  []Option
	Open   bool // shown open, because it comes back with errors
}

// A NeverForm is what stands in the form of who never alerts.
type NeverForm struct {
	From    string
	Account string
	Rules   []Option
	Until   []Option
	Reason  string
	Open    bool
}

// ListPage shows the values of one watch list. GET /lists/{id}; posts to /lists/{id}/remove and /lists/{id}/end.
var ListPage = page[ListView]("list")

// ListView is what ListPage shows.
type ListView struct {
	Frame
	May    bool
	List   WatchList
	Query  string
	Rows   []ListRow
	Pager  Pager
	Remove string // where a value is taken off
	End    string // where the whole list ends
}

// A ListRow is one value.
type ListRow struct {
	Kind  string
	Value Text
	Typed string // as the form sends it
	Note  Text
	Of    Text // the file that it came from
	By    string
	Added Time
	Until Time
	State State // "watched", "not yet", "over"
}
