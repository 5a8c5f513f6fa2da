package ui

// Contacts shows the plan's contact list. GET /contacts; posts to /contacts, /contacts/import and /contacts/{id}/check.
var Contacts = page[ContactsView]("contacts")

// ContactsView is what Contacts shows.
type ContactsView struct {
	Frame
	May    bool // the reader keeps the list
	Query  string
	Groups []ContactGroup
	Total  int
	Late   int // whose check is overdue
	Add    ContactForm
	Import ImportForm
}

// A ContactGroup is one of the four parts of the list.
type ContactGroup struct {
	Key, Word, Says string
	Rows            []ContactRow
}

// A ContactRow is one contact in short.
type ContactRow struct {
	ID       string
	Href     string
	Name     string
	Says     string // role, organisation, duties
	Ways     []ContactWay
	Hours    string
	Open     State // reachable now, by their hours; the zero State is not known
	Langs    string
	Checked  Time
	Due      Time
	Checker  string
	State    State  // of the check
	Action   string // "/contacts/7/check"; "" when the reader may not
	Hash     string // of what is looked at
	Owner    string
	Person   Link
	CallBack string
	Fault    string
}

// A ContactWay is one way to reach somebody, ready to be followed.
type ContactWay struct {
	Word, Value, Note string
	Tel, To           string // what a phone dials, and a mail program writes to; "" is no link
}

// A ContactForm is what stands in the form of a contact.
type ContactForm struct {
	Action       string
	Open         bool
	Groups       []Option
	Name         string
	Organisation string
	Role         string
	Duties       string
	Hours        string
	Zone         string
	Languages    string
	Ways         string // one a line
	CallBack     string
	Phrase       string
	Number       string
	Note         string
	People       []Option
	Owners       []Option
	Days         string
	Hash         string // of the card from which a change is made, "" of a new one
}

// ContactFields is a form with its mistakes.
type ContactFields struct {
	ContactForm
	Errors Errors
}

// Fields returns the form that adds a contact, with its mistakes.
func (v ContactsView) Fields() ContactFields { return ContactFields{v.Add, v.Errors} }

// An ImportForm is what stands in the form that imports a file.
type ImportForm struct {
	Open   bool
	Groups []Option
	Data   string
}

// ContactPage shows and changes one contact. GET /contacts/{id}; posts to the same path, and to check, remove and revoke below it.
var ContactPage = page[ContactView]("contact")

// ContactView is what ContactPage shows.
type ContactView struct {
	Frame
	May    bool
	Inform bool // the reader may take links away
	Row    ContactRow
	Facts  []Fact
	Secret []Fact // shown when asked for
	Form   ContactForm
	Remove string
	Revoke string
}

// Fields returns the form of the contact, with its mistakes.
func (v ContactView) Fields() ContactFields { return ContactFields{v.Form, v.Errors} }

// ContactImport shows what an import would change. POST /contacts/import.
var ContactImport = page[ImportView]("contactimport")

// ImportView is what ContactImport shows.
type ImportView struct {
	Frame
	Summary  string
	Ready    bool
	Rows     []ImportRow
	More     int // rows that are not shown
	Data     string
	Group    string
	Revision string
}

// An ImportRow is what would become of one contact of the file.
type ImportRow struct {
	Line  int
	Name  string
	Group string
	State State
	Says  []string
}

// Card is the emergency card for the day when all is down. GET /contacts/card; posts to the same path.
var Card = page[CardView]("card")

// CardView is what Card shows.
type CardView struct {
	Frame
	Printed  string
	Revision string
	Print    string // fingerprint
	Sample   bool
	Groups   []CardGroup
	Left     int
	Steps    []string
	Envelope string
	Secrets  bool
	MaySee   bool // the reader may print phrases
	May      bool // the reader may change steps and envelope
	Own      bool // the team wrote them
	Edit     []CardStep
	Check    string // address at which to compare the fingerprint
	Really   string // how to know on the telephone whom one speaks with
}

// Size is how large the letters may be so that the card stays one page of A4 or Letter: "large", "medium" or "small".
func (v CardView) Size() string {
	rows := len(v.Groups)
	for _, g := range v.Groups {
		rows += len(g.Rows)
	}
	switch {
	case rows <= 9:
		return "large"
	case rows <= 14:
		return "medium"
	}
	return "small"
}

// A CardStep is one step in the form.
type CardStep struct {
	N    int
	Text string
}

// A CardGroup is one part of the contacts on the card.
type CardGroup struct {
	Word string
	Rows []CardRow
}

// A CardRow is one contact on the card.
type CardRow struct {
	Name, Says, CallBack, Hours, Phrase, Number, Checked string
	Ways                                                 []string
}

// Updates shows what stakeholders of an incident must hear. GET /incidents/{id}/updates; posts below it.
var Updates = page[UpdatesView]("updates")

// UpdatesView is what Updates shows.
type UpdatesView struct {
	Frame
	Incident Link
	Severity Severity
	State    State
	May      bool // the reader tells stakeholders
	Rules    bool // there are rules
	Action   string
	Owed     []OwedRow
	Preview  UpdatePreview // the zero one is not shown
	Stand    StandForm
	Told     []ToldRow
	Link     string   // to a status page, shown once
	LinkFor  []Option // contacts to whom a link can be given
}

// An OwedRow is what one stakeholder must hear.
type OwedRow struct {
	ID      string
	Who     Link
	Stage   string
	Rule    string
	By      Time
	State   State
	Says    string // why it waits, or failed
	Hidden  []Option
	Preview string // its address
	Mail    bool
	Auto    bool
	Ways    []Option
	Spoken  []ContactWay
}

// An UpdatePreview is a worded update.
type UpdatePreview struct {
	Who     string
	To      string
	Lang    string
	Subject string
	Body    string
	Wrong   string // why it cannot be worded
	Hidden  []Option
}

// A StandForm is what the team writes for stakeholders.
type StandForm struct {
	Written  Time
	By       string
	Versions []StandVersion
	Next     string
	NextSays Time
}

// A StandVersion is one language of it.
type StandVersion struct {
	N          int
	Lang, Body string
}

// A ToldRow is one update that was sent, or tried.
type ToldRow struct {
	ID    string
	Who   string
	Stage string
	Way   string
	By    string
	At    Time
	State State
	Says  string
}

// StakeholderRules shows who must hear of what. GET /stakeholders; posts below it.
var StakeholderRules = page[RulesOfView]("stakeholders")

// RulesOfView is what StakeholderRules shows.
type RulesOfView struct {
	Frame
	May          bool
	Inform       bool // the reader may end all links to status pages
	Rules        []RuleOf
	Texts        []TextOf
	Rule         RuleForm
	Text         TextForm
	Placeholders []Fact
}

// A RuleOf is one rule, in words.
type RuleOf struct {
	ID, Says, Text string
	Auto           bool
	End            string
}

// A TextOf is one text for stakeholders.
type TextOf struct {
	ID, Name, Langs string
	By              string
	Put             Time
	Fault           string
	Edit, End       string
}

// A RuleForm is what stands in the form of a rule.
type RuleForm struct {
	Open                           bool
	Whom, Least, Impacts, Template []Option
	Within, Every                  string
	Close, Auto                    bool
}

// A TextForm is what stands in the form of a text.
type TextForm struct {
	Open     bool
	ID, Name string
	Versions []TextVersion
}

// A TextVersion is one language of it.
type TextVersion struct {
	N                   int
	Lang, Subject, Body string
}

// Status is the page that a stakeholder reads by a signed link. GET /status/{token}. It needs no script and no cookie, and has no other link.
var Status = page[StatusView]("status")

// StatusView is what Status shows. Its words are in the reader's language.
type StatusView struct {
	Skip     string // the link past the head
	Lang     string
	BodyLang string
	Title    string
	Number   string
	Sample   bool
	Facts    []Fact
	Body     []string // paragraphs
	None     string
	Written  string
	Next     string
	Late     string
	Foot     []string
}
