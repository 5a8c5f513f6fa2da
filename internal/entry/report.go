package entry

import "time"

// Kinds of reports from outside. What was told lies in the vault, as ciphertext; here stand choices, sizes and days.
const (
	ReportFiled   Kind = "report.filed"   // Report
	ReportBundled Kind = "report.bundled" // ReportBundle: many reports in one entry, when more come than people can look at

	ReportRead     Kind = "report.read"     // ReportStep: somebody of the team opened it
	ReportOpened   Kind = "report.opened"   // ReportStep: an incident was opened for it
	ReportJoined   Kind = "report.joined"   // ReportStep: it belongs to an incident that was there
	ReportAnswered Kind = "report.answered" // ReportStep: the reporter was written to
	ReportClosed   Kind = "report.closed"   // ReportStep: it was dealt with
	ReportSpam     Kind = "report.spam"     // ReportStep: it was no report
	ReportReopened Kind = "report.reopened" // ReportStep
	ReportTold     Kind = "report.told"     // ReportMessage, by the reporter

	ReportRung    Kind = "report.rung"    // ReportWave: the team is called, once for all that come together
	ReportGrew    Kind = "report.grew"    // ReportWave: it has grown tenfold since; nobody is called again
	ReportGuessed Kind = "report.guessed" // ReportGuesses

	ReportKeyMade   Kind = "report.key.made" // ReportKey
	SecurityTextPut Kind = "securitytxt.put" // SecurityText
)

// Report is what a person told us. Of its time only the day is kept here, of its size only the class.
type Report struct {
	ID      int64  `json:"id"`
	Day     string `json:"day"`               // 2006-01-02, UTC
	From    string `json:"from"`              // employee, customer, researcher, supplier, unknown
	Way     string `json:"way"`               // form, mail
	Vault   string `json:"vault"`             // ciphertext (age)
	Size    int64  `json:"size"`              // bytes of its class, see report.Classes
	Plain   bool   `json:"plain,omitempty"`   // it reached us readable, and was sealed here
	Receipt string `json:"receipt,omitempty"` // keyed hash of what its receipt proves; "" has no receipt
	Reply   string `json:"reply,omitempty"`   // age recipient to whom answers are sealed
	Lang    string `json:"lang,omitempty"`    // language of the page
	Bucket  int64  `json:"bucket,omitempty"`  // of a bundled one: the first report of its bucket
}

// ReportBundle holds reports of one bucket.
type ReportBundle struct {
	Bucket  int64    `json:"bucket"`
	Reports []Report `json:"reports"`
}

// ReportStep is what the team did with a report, or with the whole bucket that begins with it.
type ReportStep struct {
	ID       int64          `json:"id"`
	Person   string         `json:"person"`
	Incident int64          `json:"incident,omitempty"`
	Bucket   bool           `json:"bucket,omitempty"`
	Text     string         `json:"text,omitempty"`    // vault object: why
	Message  *ReportMessage `json:"message,omitempty"` // what the reporter is told with it
	Spans    []ReportSpan   `json:"spans,omitempty"`   // of a bucket: the reports for which it holds, ascending; none is all that are in it
}

// ReportSpan is reports of a bucket by their numbers, both ends among them.
type ReportSpan struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// ReportMessage is one message between the team and a reporter.
type ReportMessage struct {
	ID    int64  `json:"id"` // of the report
	N     int    `json:"n"`  // from 1, both sides counted together
	Day   string `json:"day"`
	Vault string `json:"vault"` // ciphertext (age), sealed to the reporter's receipt and to the team
	Size  int64  `json:"size"`
	Plain bool   `json:"plain,omitempty"` // it reached us readable
	Once  string `json:"once,omitempty"`  // of the reporter's: keyed hash of what it came as, so that the same is taken once
}

// ReportWave is all that came since the team was last called for reports.
type ReportWave struct {
	First int64 `json:"first"` // report with which it began
	Count int   `json:"count"`
}

// ReportGuesses counts receipts that were wrong, at the first and at each tenfold in an hour.
type ReportGuesses struct {
	Since time.Time `json:"since"`
	Count int       `json:"count"`
}

// ReportKey is the key to which reports are sealed from now on. Older ones open what was sealed to them.
type ReportKey struct {
	Recipient string `json:"recipient"`
	Vault     string `json:"vault"` // the identity, wrapped
	Before    string `json:"before,omitempty"`
}

// SecurityText is the file /.well-known/security.txt as it is served from now on.
type SecurityText struct {
	Vault   string    `json:"vault"`
	Hash    string    `json:"hash"` // SHA-256 of its bytes, in hex
	Expires time.Time `json:"expires"`
	Key     string    `json:"key,omitempty"` // fingerprint of the key that signed it
}
