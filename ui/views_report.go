package ui

import (
	"strconv"
	"strings"
)

// Outside is what the public pages have instead of a Frame: no reader, no navigation, and words of the reader's language.
type Outside struct {
	Lang   string // see Choose
	Path   string // of the page, for the links to other languages: "/report" or "/report/thread"
	Sample bool
	Of     string // whose page it is, "" is not said
	Errors Errors
	Limits ReportLimits
}

// ReportLimits is what the page's script must know: limits in characters and bytes, and the sizes to which it pads.
type ReportLimits struct {
	Text, Files, File, All int
	Classes                []int64
}

// W is the words of the page.
func (o Outside) W() Words { return WordsIn(o.Lang) }

// MostText and the others are the limits.
func (o Outside) MostText() int  { return o.Limits.Text }
func (o Outside) MostFiles() int { return o.Limits.Files }
func (o Outside) MostFile() int  { return o.Limits.File }
func (o Outside) MostAll() int   { return o.Limits.All }

// Classes is the sizes as the script reads them.
func (o Outside) Classes() string {
	var out []string
	for _, c := range o.Limits.Classes {
		out = append(out, strconv.FormatInt(c, 10))
	}
	return strings.Join(out, " ")
}

// FilesHint is what stands beside the choice of files.
func (o Outside) FilesHint() string {
	w := o.W()
	return w.Say(w.FilesMost, o.Limits.Files) + " " + w.FilesHint
}

// A LangLink leads to the page in another language.
type LangLink struct {
	Lang, Word, Href string
	Current          bool
}

// Langs are the links to all languages.
func (o Outside) Langs() []LangLink {
	path := o.Path
	if path != "/report" && path != "/report/thread" {
		path = "/report"
	}
	var out []LangLink
	for _, w := range Languages() {
		out = append(out, LangLink{w.Lang, w.Name, path + "?lang=" + w.Lang, w.Lang == o.W().Lang})
	}
	return out
}

// Says is what the script says.
func (o Outside) Says() []Option {
	w := o.W()
	return []Option{
		{Value: "checking", Word: w.Checking}, {Value: "sealing", Word: w.Sealing}, {Value: "working", Word: w.Working}, {Value: "sending", Word: w.Sending}, {Value: "sent", Word: w.Done}, {Value: "opening", Word: w.Opening},
		{Value: "cleaned", Word: w.Cleaned}, {Value: "stays", Word: w.Stays}, {Value: "fake", Word: w.Fake}, {Value: "big", Word: w.Big}, {Value: "large", Word: w.Large}, {Value: "many", Word: w.Many},
		{Value: "failed", Word: w.Failed}, {Value: "empty", Word: w.Empty}, {Value: "mistyped", Word: w.Mistyped}, {Value: "team", Word: w.Team}, {Value: "you", Word: w.You}, {Value: "unreadable", Word: w.Unreadable}, {Value: "copied", Word: w.Copied},
	}
}

// Standing is where a report stands, in the reporter's words: new, read, answered, opened, closed (report.Standing).
func (w Words) Standing(standing string) string {
	switch standing {
	case "new":
		return w.New
	case "answered":
		return w.Answered
	case "opened":
		return w.AtWork
	case "closed":
		return w.Closed
	}
	return w.Read
}

// Senders are the choices of who reports.
func (w Words) Senders(chosen string) []Option {
	var out []Option
	for _, o := range []Option{{"unknown", w.Unknown, false}, {"employee", w.Employee, false}, {"customer", w.Customer, false}, {"researcher", w.Researcher, false}, {"supplier", w.Supplier, false}} {
		o.Chosen = o.Value == chosen
		out = append(out, o)
	}
	return out
}

// ReportForm is the page on which people outside report something. GET /report; posts to the same path: with script (a field sealed) it is
// answered by JSON, without one by ReportSent.
var ReportForm = page[ReportFormView]("report")

// ReportFormView is what ReportForm shows.
type ReportFormView struct {
	Outside
	Team      string // age recipient of the team
	Closed    bool   // the team has no key yet
	Challenge string // see report.Challenge
	Bits      int

	Sender                     string // what was typed, when the form is shown again
	What, When, Where, Contact string
	Once                       string // chance that was drawn with the form, so that the same words from it are one report; without script
}

// Title is the title of the window.
func (v ReportFormView) Title() string { return v.W().Title }

// Runs says that the page has the script.
func (v ReportFormView) Runs() bool { return !v.Closed }

// From is the choices of who reports.
func (v ReportFormView) From() []Option { return v.W().Senders(v.Sender) }

// Receipt is empty: the script puts it in.
func (v ReportFormView) Receipt() string { return "" }

// ReportSent shows the receipt to somebody without script. Answer to POST /report.
var ReportSent = page[ReportSentView]("reportsent")

// ReportSentView is what ReportSent shows.
type ReportSentView struct {
	Outside
	Receipt string
}

// Title is the title of the window.
func (v ReportSentView) Title() string { return v.W().Sent }

// Runs says that the page has the script, for its buttons.
func (v ReportSentView) Runs() bool { return true }

// ReportBack asks for a receipt. GET /report/thread; posts to the same path: with script (a field token) it is answered by JSON, without one
// (a field receipt) by ReportThread.
var ReportBack = page[ReportBackView]("reportback")

// ReportBackView is what ReportBack shows. The receipt that was typed is not shown again.
type ReportBackView struct {
	Outside
	Team string
}

// Title is the title of the window.
func (v ReportBackView) Title() string { return v.W().Return }

// Runs says that the page has the script.
func (v ReportBackView) Runs() bool { return true }

// ReportThread shows the thread to somebody without script. Answer to POST /report/thread and POST /report/answer.
var ReportThread = page[ReportThreadView]("reportthread")

// ReportThreadView is what ReportThread shows.
type ReportThreadView struct {
	Outside
	Notice   string
	Receipt  string // goes with the next message; it is in no address
	Standing string
	Filed    string
	Rows     []ThreadRow
	What     string
	Once     string // see ReportFormView
}

// Title is the title of the window.
func (v ReportThreadView) Title() string { return v.W().Thread }

// Runs says that the page has no script.
func (v ReportThreadView) Runs() bool { return false }

// Count is how many messages there are, in words.
func (v ReportThreadView) Count() string {
	w := v.W()
	return w.Say(w.Count, len(v.Rows))
}

// A ThreadRow is one message between the team and a reporter.
type ThreadRow struct {
	Team bool
	Who  string
	Day  string
	Text Text // empty when it does not open

	Files []ReportFile // for the team alone
}

// Reports lists what people outside told. GET /reports.
var Reports = page[ReportsView]("reports")

// ReportsView is what Reports shows.
type ReportsView struct {
	Frame
	Summary  string
	Warnings []Problem // security.txt that expires, a flood that goes on, many wrong receipts
	Filters  []LangLink
	Rows     []ReportRow
	None     string
	Pager    Pager
	Facts    []Fact // address of the page, the key, security.txt
	MayKey   bool
}

// Styles names the sheet of reports.
func (v ReportsView) Styles() []string { return []string{"report.css"} }

// A ReportRow is one report, or a bucket of many.
type ReportRow struct {
	ID       string
	Href     string
	Word     string // "Report 17", "Reports 60 to 9,412"
	Says     string // "form, up to 64 kB, 3 messages"
	State    State
	Unread   string // "2 new messages"
	From     string
	Day      string
	Plain    bool
	Incident Link
}

// ReportOne shows one report to the team. GET /reports/{id}; posts to the same path (deed, incident, message, reason, bucket, seen, unmailed), and to
// unlock and reopen below it.
var ReportOne = page[ReportOneView]("reportone")

// ReportOneView is what ReportOne shows.
type ReportOneView struct {
	Frame
	Row        ReportRow
	Locked     string // why it cannot be read; "" it can
	Asks       bool   // a passphrase would open it
	Told       []ToldText
	Files      []ReportFile
	Bucket     []ReportRow
	Thread     []ThreadRow
	Silent     string // why there is no thread
	Steps      []ReportStep
	May, Done  bool
	Action     string // "/reports/17"
	Deeds      []Option
	Incidents  []Option
	CanAnswer  bool
	AnswerHint string
	Message    string
	Reason     string
	All        string // "All 9,353 of this bucket"; "" is none
	AllTicked  bool
	Last       int64  // the last of these; goes back with the form, so that what came after it is not decided about unseen
	Pager      Pager  // of Bucket
	Seen       int    // see report.Case.Moves; goes back with the form
	Tally      string // what else came in the wave to which it belongs; "" is nothing to say

	MayUnmailed bool        // it may be decided without opening it
	Unmailed    bool        // which is ticked
	Kept        []KeptField // what was typed below, when the passphrase is asked for above: it goes through that form, too
	Evidence    []Form      // makes its files evidence of its incident; none when it has none
}

// A KeptField is a field that goes with a form unseen.
type KeptField struct{ Name, Value string }

// Styles names the sheet of reports.
func (v ReportOneView) Styles() []string { return []string{"report.css"} }

// A ToldText is one answer of the form, in a stranger's words.
type ToldText struct {
	Name string
	Text Text
}

// A ReportFile is an attachment.
type ReportFile struct {
	Name  Text
	Size  string
	Href  string
	State State // "image, drawn anew", "claims to be an image and is none", "program or script"
}

// A ReportStep is what somebody of the team did.
type ReportStep struct {
	At   Time
	Says string
	Why  string
}
