package client

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// A Report is one from outside, as `reports list --json` prints it: what is known of it without opening it.
type Report struct {
	ID       int64        `json:"id"`
	Day      string       `json:"day"` // 2006-01-02; the moment is not kept
	From     string       `json:"from"`
	Way      string       `json:"way"` // form, mail
	Size     int64        `json:"size"`
	Readable bool         `json:"readable,omitempty"` // it reached us readable, and was sealed here
	Lang     string       `json:"lang,omitempty"`
	Standing string       `json:"standing"`
	Incident int64        `json:"incident,omitempty"`
	Unread   int          `json:"unread,omitempty"`  // messages of the reporter that nobody opened
	Bundled  int          `json:"bundled,omitempty"` // how many are kept together with it, itself among them
	Last     int64        `json:"last,omitempty"`    // the last of these
	Bucket   int64        `json:"bucket,omitempty"`  // of one that is kept together with others: the first of them
	Moves    int          `json:"moves"`             // how much was decided and written about it; goes back with a decision as seen
	Steps    []ReportStep `json:"steps,omitempty"`
}

// A ReportStep is what somebody of the team did with it.
type ReportStep struct {
	At       time.Time `json:"at"`
	Kind     string    `json:"kind"`
	Person   string    `json:"person"`
	Incident int64     `json:"incident,omitempty"`
	Why      string    `json:"why,omitempty"`
}

// A ReportList is a part of them, the newest first, and how many there are.
type ReportList struct {
	Reports []Report `json:"reports"`
	All     int      `json:"all"`
	Waiting int      `json:"waiting"` // that nobody opened, or have new words
}

// An OpenedReport is what was told. All of it is a stranger's words.
type OpenedReport struct {
	Report  Report          `json:"report"`
	What    string          `json:"what"`
	When    string          `json:"when,omitempty"`
	Where   string          `json:"where,omitempty"`
	Contact string          `json:"contact,omitempty"`
	Files   []ReportFile    `json:"files,omitempty"`
	Thread  []ReportMessage `json:"thread,omitempty"`
}

// A ReportFile is an attachment.
type ReportFile struct {
	Name    string `json:"name"`
	Size    int64  `json:"size"`
	Warning string `json:"warning"`        // image, false (it claims to be one), script, archive, office, pdf, other
	Data    []byte `json:"data,omitempty"` // when files were asked for
}

// A ReportMessage is one of the thread.
type ReportMessage struct {
	Team bool   `json:"team"`
	By   string `json:"by,omitempty"`
	Day  string `json:"day"`
	Text string `json:"text"`
	Mail string `json:"mail,omitempty"` // of an answer that went by mail, too: sent, waits, failed

	Files []ReportFile `json:"files,omitempty"`
}

// A ReportOpening asks to open one.
type ReportOpening struct {
	Passphrase string `json:"passphrase,omitempty"`
	Files      bool   `json:"files,omitempty"`
}

// A ReportDeed is what is decided about one.
type ReportDeed struct {
	Deed     string `json:"deed"` // answer, open, join, close, spam, reopen
	Incident int64  `json:"incident,omitempty"`
	Message  string `json:"message,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Bundle   bool   `json:"bundle,omitempty"`
	Last     int64  `json:"last,omitempty"`     // of bundle: the last of these that you saw; what came after it stays as it is
	Seen     *int   `json:"seen,omitempty"`     // the moves of the report as you saw them: refused when something was done with it since
	Unmailed bool   `json:"unmailed,omitempty"` // decide though it cannot be opened, so that nobody knows of a mail address
}

// A SecurityText is the file security.txt.
type SecurityText struct {
	Text    string    `json:"text"`
	Expires time.Time `json:"expires,omitzero"`
	Signed  bool      `json:"signed"`
	Warning string    `json:"warning,omitempty"`
	Lacks   string    `json:"lacks,omitempty"` // why there is none
}

// Reports lists them; all has also those that are dealt with. Errors: ErrNotRunning, or the server's words.
func (c *Client) Reports(ctx context.Context, all bool, from, most int, person string) (out ReportList, err error) {
	return out, c.do(ctx, http.MethodGet, as(fmt.Sprintf("/v1/reports?all=%v&from=%d&most=%d", all, from, most), person), nil, &out)
}

// ReportBundle lists those that are kept together with one, itself left out, the oldest first. Errors as of Reports.
func (c *Client) ReportBundle(ctx context.Context, id int64, from, most int, person string) (out ReportList, err error) {
	return out, c.do(ctx, http.MethodGet, as(fmt.Sprintf("/v1/reports/%d/bundle?from=%d&most=%d", id, from, most), person), nil, &out)
}

// AllReports asks for the pages of a list until all of it is there. What moves to another page meanwhile is listed once.
func AllReports(page func(from int) (ReportList, error)) (out ReportList, err error) {
	seen := map[int64]bool{}
	out.Reports = []Report{}
	for from := 0; ; {
		x, err := page(from)
		if err != nil {
			return out, err
		}
		for _, r := range x.Reports {
			if !seen[r.ID] {
				seen[r.ID], out.Reports = true, append(out.Reports, r)
			}
		}
		out.All, out.Waiting = x.All, x.Waiting
		if from += len(x.Reports); len(x.Reports) == 0 || from >= x.All {
			return out, nil
		}
	}
}

// OpenReport opens one, which is written down.
func (c *Client) OpenReport(ctx context.Context, id int64, x ReportOpening, person string) (out OpenedReport, err error) {
	return out, c.do(ctx, http.MethodPost, as(fmt.Sprintf("/v1/reports/%d/open", id), person), x, &out)
}

// DecideReport decides about one, and returns the incident to which it belongs then.
func (c *Client) DecideReport(ctx context.Context, id int64, x ReportDeed, person string) (incident int64, err error) {
	var out struct {
		Incident int64 `json:"incident"`
	}
	err = c.do(ctx, http.MethodPost, as(fmt.Sprintf("/v1/reports/%d/decide", id), person), x, &out)
	return out.Incident, err
}

// MakeReportKey makes another key to which reports are sealed.
func (c *Client) MakeReportKey(ctx context.Context, passphrase, person string) (recipient string, err error) {
	var out struct {
		Recipient string `json:"recipient"`
	}
	err = c.do(ctx, http.MethodPost, as("/v1/reports/key", person), map[string]string{"passphrase": passphrase}, &out)
	return out.Recipient, err
}

// SecurityText returns security.txt as it is served; renew makes it anew.
func (c *Client) SecurityText(ctx context.Context, renew bool, person string) (out SecurityText, err error) {
	if renew {
		return out, c.do(ctx, http.MethodPost, as("/v1/reports/security-txt", person), nil, &out)
	}
	return out, c.do(ctx, http.MethodGet, as("/v1/reports/security-txt", person), nil, &out)
}
