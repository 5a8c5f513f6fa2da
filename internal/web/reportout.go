package web

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"tocsin/internal/desk"
	"tocsin/internal/letterbox"
	"tocsin/internal/report"
	"tocsin/ui"
)

// The pages on which people outside report. They ask nobody who they are, set no cookie, and log nothing about who asks: an address is used to count, as a
// keyed hash of its network whose key dies with the program. Forms are read into memory alone, a bounded number of them at once.

// Bounds of forms that are read at once.
const (
	smallForm    = 512 << 10
	smallAtOnce  = 32
	smallOfOne   = 8 // of one network
	largeAtOnce  = 2
	formWait     = 10 * time.Second // for a place
	formTime     = 2 * time.Minute  // in which a large form must have come: 25 MB over a slow line
	publicReport = "/report"
)

// outsiders are the strangers who ask now.
type outsiders struct {
	key          []byte // of hashes of networks; it dies with the program
	small, large chan struct{}
	mu           sync.Mutex
	sending      map[string]int // forms by network
}

func newOutsiders() *outsiders {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // it never fails
	return &outsiders{key: key, small: make(chan struct{}, smallAtOnce), large: make(chan struct{}, largeAtOnce), sending: map[string]int{}}
}

// network names a network (/24, /48) so that nobody can tell which one it is.
func (o *outsiders) network(a netip.Addr) string {
	length := 48
	if a.Is4() {
		length = 24
	}
	p, err := a.Prefix(length)
	if err != nil {
		return "unknown"
	}
	m := hmac.New(sha256.New, o.key)
	m.Write([]byte(p.String()))
	return hex.EncodeToString(m.Sum(nil)[:12])
}

// place waits for one in which a form of that size is read. free gives it back; nil says that there is none.
func (o *outsiders) place(large bool, network string, gone <-chan struct{}) (free func()) {
	slots, key, most := o.small, network, smallOfOne
	if large {
		slots, key, most = o.large, "large "+network, 1
	}
	o.mu.Lock()
	full := o.sending[key] >= most
	if !full {
		o.sending[key]++
	}
	o.mu.Unlock()
	if full {
		return nil
	}
	done := func() {
		o.mu.Lock()
		if o.sending[key]--; o.sending[key] == 0 {
			delete(o.sending, key)
		}
		o.mu.Unlock()
	}
	late := time.NewTimer(formWait)
	defer late.Stop()
	select {
	case slots <- struct{}{}:
		return func() { <-slots; done() }
	case <-late.C:
	case <-gone:
	}
	done()
	return nil
}

// outsideRoutes are those of the public pages, for an origin of their own and for the console's.
func outsideRoutes() []route {
	return []route{
		{"GET /report", "", (*Server).reportForm},
		{"POST /report", "", (*Server).fileReport},
		{"GET /report/thread", "", (*Server).reportBack},
		{"POST /report/thread", "", (*Server).reportThread},
		{"POST /report/answer", "", (*Server).reportThread},
		{"GET /.well-known/security.txt", "", (*Server).securityTxt},
	}
}

// readsItself says that a route reads its form by itself.
func readsItself(pattern string) bool {
	return strings.HasPrefix(pattern, "POST /report") && !strings.HasPrefix(pattern, "POST /reports")
}

// strangerLeft reports whether an error only says that the connection of somebody who reports broke off: its words name their address, and no log may have it.
func strangerLeft(pattern string, err error) bool {
	_, broke := errors.AsType[*net.OpError](err)
	return broke && slices.ContainsFunc(outsideRoutes(), func(r route) bool { return r.pattern == pattern })
}

// Outside returns the public pages alone, for an origin of their own.
func (s *Server) Outside() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /static/", ui.Static())
	own := *s
	own.ownOrigin = true
	for _, r := range outsideRoutes() {
		mux.HandleFunc(r.pattern, func(w http.ResponseWriter, req *http.Request) { own.serve(r, w, req) })
	}
	mux.Handle("GET /{$}", http.RedirectHandler(publicReport, http.StatusSeeOther))
	return ui.Secure(mux, s.o.TLS)
}

// elsewhere sends to the pages' own origin, when they have one and this is not it.
func (s *Server) elsewhere(v *visit) bool {
	at, own := s.desk.OutsideURL()
	if !own || s.ownOrigin {
		return false
	}
	http.Redirect(v.w, v.r, at+v.r.URL.Path, http.StatusSeeOther)
	return true
}

// outside is what the public pages share.
func (s *Server) outside(v *visit, path string, wrong ui.Errors) ui.Outside {
	return ui.Outside{Lang: langOf(v.r), Path: path, Of: s.desk.Organisation(), Sample: s.desk.Sample(), Errors: wrong,
		Limits: ui.ReportLimits{Text: report.MostText, Files: report.MostFiles, File: report.MostFile, All: report.MostAll, Classes: report.Classes()}}
}

func langOf(r *http.Request) string {
	return ui.Choose(r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"))
}

func (s *Server) reportForm(v *visit) error {
	if s.elsewhere(v) {
		return nil
	}
	return s.showReportForm(v, http.StatusOK, ui.ReportFormView{Outside: s.outside(v, publicReport, nil)})
}

// newOnce draws the chance of a form: by it the same words are taken once, though the form is sent again because its answer was lost, or the page loaded anew.
func newOnce() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // it never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// onceOf is the chance of a form that came, "" when it is none of ours.
func onceOf(x map[string]string) string {
	if b, err := base64.RawURLEncoding.Strict().DecodeString(x["once"]); err != nil || len(b) != 16 {
		return ""
	}
	return x["once"]
}

func (s *Server) showReportForm(v *visit, code int, view ui.ReportFormView) error {
	view.Team = s.desk.TeamKey()
	if view.Closed = view.Team == "" || !s.desk.TakesReports(); !view.Closed {
		view.Challenge, view.Bits = s.desk.Challenge(v.now)
	}
	if view.Once == "" {
		view.Once = newOnce()
	}
	v.w.Header().Set("Cache-Control", "no-store")
	return ui.ReportForm.Show(v.w, code, view)
}

func (s *Server) reportBack(v *visit) error {
	if s.elsewhere(v) {
		return nil
	}
	return s.showReportBack(v, http.StatusOK, nil)
}

func (s *Server) showReportBack(v *visit, code int, wrong ui.Errors) error {
	v.w.Header().Set("Cache-Control", "no-store")
	return ui.ReportBack.Show(v.w, code, ui.ReportBackView{Outside: s.outside(v, publicReport+"/thread", wrong), Team: s.desk.TeamKey()})
}

// securityTxt serves the file of RFC 9116.
func (s *Server) securityTxt(v *visit) error {
	t := s.desk.SecurityText(v.now)
	if t.Text == "" {
		http.Error(v.w, "There is no security.txt here.", http.StatusNotFound)
		return nil
	}
	v.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err := v.w.Write([]byte(t.Text))
	return err
}

// An asked is one form of a stranger.
type asked struct {
	*visit
	letterbox.Posted
	network string
	words   ui.Words
	script  bool
	free    func() // gives the place back
}

// postedOutside reads a form of a stranger. When it cannot be read now, ok is false and err says why.
func (s *Server) postedOutside(v *visit) (a asked, err error) {
	a = asked{visit: v, network: s.outsiders.network(s.address(v.r)), words: ui.WordsIn(langOf(v.r)), free: func() {}}
	a.script = strings.Contains(v.r.Header.Get("Accept"), "application/json")
	v.w.Header().Set("Cache-Control", "no-store")
	large := v.r.ContentLength < 0 || v.r.ContentLength > smallForm
	free := s.outsiders.place(large, a.network, v.r.Context().Done())
	if free == nil {
		return a, report.Refusal{Why: "everybody", Wait: time.Minute}
	}
	a.free = free
	if large {
		_ = http.NewResponseController(v.w).SetReadDeadline(time.Now().Add(formTime)) // not every connection has one
	}
	a.Posted, err = letterbox.ReadForm(v.w, v.r)
	if err == nil {
		_ = http.NewResponseController(v.w).SetReadDeadline(time.Time{})
	}
	return a, err
}

// answer sends JSON to the page's script.
func (a asked) answer(code int, says any) error {
	a.w.Header().Set("Content-Type", "application/json")
	a.w.WriteHeader(code)
	return json.NewEncoder(a.w).Encode(says)
}

// again asks the script for other work.
func (s *Server) again(a asked) error {
	challenge, difficulty := s.desk.Challenge(a.now)
	return a.answer(http.StatusForbidden, map[string]any{"says": a.words.Over, "challenge": challenge, "bits": difficulty})
}

// outsideWrong words what went wrong to a stranger: nothing of ours stands in it.
func (s *Server) outsideWrong(a asked, err error) (code int, says string) {
	full, busy := errors.AsType[report.Refusal](err)
	switch {
	case busy && full.Why == "tries":
		return http.StatusTooManyRequests, a.words.Say(a.words.Tries, waitMinutes(full.Wait))
	case busy && full.Why == "size":
		return http.StatusUnprocessableEntity, a.words.Large
	case busy:
		return http.StatusTooManyRequests, a.words.Say(a.words.Busy, waitMinutes(full.Wait))
	case errors.Is(err, desk.ErrNotWorked): // without script there is no work to do
		return http.StatusTooManyRequests, a.words.Say(a.words.Tries, 60)
	case errors.Is(err, desk.ErrNoReportKey):
		return http.StatusUnprocessableEntity, a.words.NoKey
	case errors.Is(err, desk.ErrBroken):
		return http.StatusServiceUnavailable, a.words.Failed
	}
	return http.StatusUnprocessableEntity, a.words.Failed
}

func waitMinutes(d time.Duration) int { return max(1, int((d+time.Minute-1)/time.Minute)) }

// fileReport takes a report: sealed by the page's script, or readable.
func (s *Server) fileReport(v *visit) error {
	a, err := s.postedOutside(v)
	defer func() { a.free() }()
	if err == nil && a.Values["token"] != "" {
		a.script = true
		err = s.fileSealed(a)
		switch {
		case err == nil:
			return a.answer(http.StatusCreated, struct{}{})
		case errors.Is(err, desk.ErrNotWorked):
			return s.again(a)
		}
	}
	if a.script && err != nil {
		code, says := s.outsideWrong(a, err)
		return a.answer(code, map[string]string{"says": says})
	}
	var receipt report.Receipt
	if err == nil {
		receipt, err = s.filePlain(a)
	}
	if err != nil {
		return s.formAgain(a, err)
	}
	return ui.ReportSent.Show(v.w, http.StatusOK, ui.ReportSentView{Outside: s.outside(v, publicReport, nil), Receipt: receipt.String()})
}

func (s *Server) fileSealed(a asked) error {
	token, err := base64.RawURLEncoding.DecodeString(a.Values["token"])
	if err != nil || len(a.Files) != 1 {
		return errors.New("this is not what the page sends")
	}
	return s.desk.FileSealed(a.network, desk.Solved{Challenge: a.Values["challenge"], Number: a.Values["number"]},
		desk.SealedReport{From: a.Values["from"], Token: token, Recipient: a.Values["recipient"], Lang: a.words.Lang, Sealed: a.Files[0].Data})
}

func (s *Server) filePlain(a asked) (report.Receipt, error) {
	x := a.Values
	from := x["from"]
	if from == "" {
		from = report.Unknown
	}
	return s.desk.FilePlainOnce(a.network, onceOf(x), report.Parcel{From: from, What: x["what"], When: x["when"], Where: x["where"], Contact: x["contact"], Lang: a.words.Lang, Files: a.Files})
}

// formAgain shows the form with what was typed.
func (s *Server) formAgain(a asked, err error) error {
	x := a.Values
	code, says := s.outsideWrong(a, err)
	wrong := ui.Errors{{Says: says}}
	switch {
	case code != http.StatusUnprocessableEntity:
	case errors.Is(err, letterbox.ErrForm):
		wrong = ui.Errors{{Field: "files", Says: a.words.Large}}
	case strings.TrimSpace(x["what"]) == "":
		wrong = ui.Errors{{Field: "what", Says: a.words.Empty}}
	case len([]rune(x["what"])) > report.MostText:
		wrong = ui.Errors{{Field: "what", Says: a.words.Long}}
	}
	return s.showReportForm(a.visit, code, ui.ReportFormView{Outside: s.outside(a.visit, publicReport, wrong), What: x["what"], When: x["when"], Where: x["where"], Contact: x["contact"], Sender: x["from"], Once: onceOf(x)})
}

// reportThread opens a thread by its receipt, or by the token that the page's script makes of it, and takes a message into it.
func (s *Server) reportThread(v *visit) error {
	a, err := s.postedOutside(v)
	defer func() { a.free() }()
	x := a.Values
	a.script = a.script || x["token"] != ""
	var t desk.OutsideThread
	var own letterbox.Thread
	var receipt report.Receipt
	mistyped, writes := false, v.r.URL.Path == publicReport+"/answer"
	work := desk.Solved{Challenge: x["challenge"], Number: x["number"]}
	switch {
	case err != nil:
	case a.script:
		own, err = tokenOf(x["token"])
		switch {
		case err != nil:
			mistyped = true
		case writes && len(a.Files) == 1:
			t, err = s.desk.TellSealed(a.network, own.Token[:], work, a.Files[0].Data)
		case writes:
			err = errors.New("this is not what the page sends")
		default:
			t, err = s.desk.ReportThread(a.network, own.Token[:], work)
		}
	default:
		if receipt, err = report.ParseReceipt(x["receipt"]); err != nil {
			mistyped = true
			break
		}
		if own, err = letterbox.Derive(receipt); err != nil {
			break
		}
		if writes && strings.TrimSpace(x["what"]) != "" {
			t, err = s.desk.TellPlain(a.network, receipt, onceOf(x), x["what"])
			if full, busy := errors.AsType[report.Refusal](err); err != nil && (!busy || full.Why != "tries") && !errors.Is(err, report.ErrReceipt) && !errors.Is(err, desk.ErrNotWorked) { // the words stay, below the thread
				if t, e := s.desk.ReportThread(a.network, own.Token[:], desk.Solved{}); e == nil {
					return s.showThread(a, t, own, receipt, true, err)
				}
			}
		} else {
			t, err = s.desk.ReportThread(a.network, own.Token[:], desk.Solved{})
		}
	}
	if held, wrong := errors.AsType[desk.HeldBack](err); wrong {
		a.free()
		a.free = func() {} // the place is not held while the answer is
		hold(v, held.Wait)
	}
	switch {
	case err != nil && !a.script && !mistyped && writes && strings.TrimSpace(x["what"]) != "" && x["receipt"] != "":
		return s.keepWords(a, err)
	case err != nil:
		return s.noThread(a, err, mistyped)
	case a.script:
		return s.threadAnswer(a, t)
	}
	return s.showThread(a, t, own, receipt, writes, nil)
}

// hold keeps an answer back.
func hold(v *visit, wait time.Duration) {
	late := time.NewTimer(wait)
	defer late.Stop()
	select {
	case <-late.C:
	case <-v.r.Context().Done():
	}
}

func tokenOf(text string) (t letterbox.Thread, err error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != len(t.Token) {
		return t, errors.New("this is no token of a receipt")
	}
	copy(t.Token[:], b)
	return t, nil
}

// threadWrong words why a thread does not open.
func (s *Server) threadWrong(a asked, err error) (code int, says string) {
	if errors.Is(err, report.ErrReceipt) {
		return http.StatusNotFound, a.words.NoReport
	}
	return s.outsideWrong(a, err)
}

// keepWords shows what somebody without script wrote again, when it was not taken and their thread does not open.
func (s *Server) keepWords(a asked, err error) error {
	view := ui.ReportThreadView{Outside: s.outside(a.visit, publicReport+"/thread", nil), Receipt: a.Values["receipt"], What: a.Values["what"], Once: onceOf(a.Values)}
	code, says := s.threadWrong(a, err)
	view.Errors = ui.Errors{{Field: "what", Says: says}}
	return ui.ReportThread.Show(a.w, code, view)
}

func (s *Server) noThread(a asked, err error, mistyped bool) error {
	code, says := s.threadWrong(a, err)
	switch {
	case mistyped:
		code, says = http.StatusUnprocessableEntity, a.words.Mistyped
	case errors.Is(err, desk.ErrNotWorked) && a.script:
		return s.again(a)
	}
	if a.script {
		return a.answer(code, map[string]string{"says": says})
	}
	return s.showReportBack(a.visit, code, ui.Errors{{Field: "code", Says: says}})
}

// threadAnswer sends the thread, sealed, to the page's script.
func (s *Server) threadAnswer(a asked, t desk.OutsideThread) error {
	type row struct {
		Team   bool   `json:"team"`
		Day    string `json:"day"`
		Sealed string `json:"sealed"`
	}
	rows := []row{}
	for _, m := range t.Rows {
		rows = append(rows, row{m.Team, a.words.Day(m.Day), base64.RawURLEncoding.EncodeToString(m.Sealed)})
	}
	challenge, difficulty := s.desk.Challenge(a.now)
	return a.answer(http.StatusOK, map[string]any{"standing": a.words.Standing(t.Standing), "filed": a.words.Day(t.Filed), "rows": rows, "challenge": challenge, "bits": difficulty})
}

// showThread shows the thread, opened here by the receipt, to somebody without script. refused is why what they wrote was not taken; nil it was.
func (s *Server) showThread(a asked, t desk.OutsideThread, own letterbox.Thread, receipt report.Receipt, wrote bool, refused error) error {
	view := ui.ReportThreadView{Outside: s.outside(a.visit, publicReport+"/thread", nil), Receipt: receipt.String(), Standing: a.words.Standing(t.Standing), Filed: a.words.Day(t.Filed), Once: newOnce()}
	code := http.StatusOK
	switch {
	case refused != nil:
		view.What, view.Once = a.Values["what"], onceOf(a.Values)
		var says string
		code, says = s.outsideWrong(a, refused)
		view.Errors = ui.Errors{{Field: "what", Says: says}}
	case wrote && strings.TrimSpace(a.Values["what"]) == "":
		view.Errors = ui.Errors{{Field: "what", Says: a.words.Empty}}
	case wrote:
		view.Notice = a.words.ReplySent
	}
	for _, m := range t.Rows {
		row := ui.ThreadRow{Team: m.Team, Who: a.words.You, Day: a.words.Day(m.Day)}
		if m.Team {
			row.Who = a.words.Team
		}
		if p, err := letterbox.Read(m.Sealed, own.Key); err == nil {
			row.Text = ui.VisibleLines(p.What)
		}
		view.Rows = append(view.Rows, row)
	}
	return ui.ReportThread.Show(a.w, code, view)
}
