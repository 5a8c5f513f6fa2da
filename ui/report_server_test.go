package ui

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/letterbox"
	"tocsin/internal/report"
)

// A slot serves the pages for reports from outside as the program will: it decides with package report, seals with package letterbox, and
// keeps ledger and ciphertexts in a folder.
type slot struct {
	t     *testing.T
	dir   string
	team  letterbox.Key
	mu    sync.Mutex
	state *report.State
	door  report.Door
	spent report.Spent
	n     int64
	seen  [][]byte // everything that came over the wire in posts
}

const slotSecret = "a key of the installation"

func newSlot(t *testing.T) (*slot, *httptest.Server) {
	t.Helper()
	key, err := letterbox.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	s := &slot{t: t, dir: t.TempDir(), team: key, state: report.NewState(), door: report.Door{Limits: report.Usual()}}
	mux := http.NewServeMux()
	mux.Handle("GET /static/", Static())
	mux.HandleFunc("GET /report", func(w http.ResponseWriter, r *http.Request) { s.form(w, r, http.StatusOK, ReportFormView{}) })
	mux.HandleFunc("GET /report/thread", func(w http.ResponseWriter, r *http.Request) { s.back(w, r, http.StatusOK, nil) })
	mux.HandleFunc("POST /report", s.post)
	mux.HandleFunc("POST /report/thread", s.thread)
	mux.HandleFunc("POST /report/answer", s.thread)
	server := httptest.NewServer(Secure(s.listening(mux), false))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	return s, server
}

// listening keeps what is posted, so that a test can look for what should not be in it.
func (s *slot) listening(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tap := &tapped{ReadCloser: r.Body}
		r.Body = tap
		next.ServeHTTP(w, r)
		s.mu.Lock()
		s.seen = append(s.seen, tap.all)
		s.mu.Unlock()
	})
}

type tapped struct {
	io.ReadCloser
	all []byte
}

func (b *tapped) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.all = append(b.all, p[:n]...)
	return n, err
}

func (s *slot) outside(r *http.Request, path string, wrong Errors) Outside {
	return Outside{Lang: Choose(r.FormValue("lang"), r.Header.Get("Accept-Language")), Path: path, Errors: wrong,
		Limits: ReportLimits{report.MostText, report.MostFiles, report.MostFile, report.MostAll, report.Classes()}}
}

func (s *slot) challenge() (string, int) {
	var chance [report.ChallengeChance]byte
	rand.Read(chance[:])
	bits := s.door.Difficulty(time.Now())
	return report.Challenge([]byte(slotSecret), bits, time.Now(), chance), bits
}

func (s *slot) form(w http.ResponseWriter, r *http.Request, status int, v ReportFormView) {
	if v.Lang == "" {
		v.Outside = s.outside(&http.Request{URL: r.URL, Header: r.Header, Method: "GET"}, "/report", nil)
	}
	v.Team = s.team.Recipient()
	s.mu.Lock()
	v.Challenge, v.Bits = s.challenge()
	s.mu.Unlock()
	if err := ReportForm.Show(w, status, v); err != nil {
		s.t.Error(err)
	}
}

func (s *slot) back(w http.ResponseWriter, r *http.Request, status int, wrong Errors) {
	o := s.outside(&http.Request{URL: r.URL, Header: r.Header, Method: "GET"}, "/report/thread", wrong)
	if err := ReportBack.Show(w, status, ReportBackView{o, s.team.Recipient()}); err != nil {
		s.t.Error(err)
	}
}

// append writes entries to the folder and folds them.
func (s *slot) append(drafts ...entry.Draft) {
	for _, d := range drafts {
		s.n++
		e, line, err := entry.Make(s.n, time.Now(), d)
		if err != nil {
			s.t.Error(err)
			return
		}
		f, err := os.OpenFile(filepath.Join(s.dir, "ledger"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err == nil {
			_, err = f.Write(append(line, '\n'))
			err = errors.Join(err, f.Close())
		}
		if err = errors.Join(err, s.state.Fold(e)); err != nil {
			s.t.Error(err)
		}
	}
}

func (s *slot) keep(sealed []byte) string {
	name := fmt.Sprintf("v%d", s.n+1000+int64(len(s.seen)))
	if err := os.WriteFile(filepath.Join(s.dir, name), sealed, 0o600); err != nil {
		s.t.Error(err)
	}
	return name
}

func (s *slot) object(name string) []byte {
	b, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Error(err)
	}
	return b
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

// working holds the work of a post against its challenge; false has answered.
func (s *slot) working(w http.ResponseWriter, v map[string]string, words Words) bool {
	done, err := report.CheckWork([]byte(slotSecret), v["challenge"], v["number"], time.Now())
	if err == nil {
		err = s.spent.Use(done, time.Now())
	}
	if err != nil {
		challenge, bits := s.challenge()
		answerJSON(w, http.StatusForbidden, map[string]any{"says": words.Over, "challenge": challenge, "bits": bits})
		return false
	}
	return true
}

func (s *slot) refused(err error, words Words) (int, string) {
	var full report.Refusal
	if errors.As(err, &full) {
		return http.StatusTooManyRequests, words.Say(words.Busy, int(full.Wait/time.Minute)+1)
	}
	return http.StatusUnprocessableEntity, words.Failed
}

// post takes a report, sealed by the page's script or readable.
func (s *slot) post(w http.ResponseWriter, r *http.Request) {
	words := WordsIn(Choose(r.URL.Query().Get("lang"), r.Header.Get("Accept-Language")))
	p, err := letterbox.ReadForm(w, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	v := p.Values
	if err == nil && len(p.Files) == 1 && v["token"] != "" {
		sealed := p.Files[0].Data
		token, wrong := base64.RawURLEncoding.DecodeString(v["token"])
		if wrong = errors.Join(wrong, letterbox.CheckSealed(sealed)); wrong != nil {
			s.t.Log(wrong)
			answerJSON(w, http.StatusUnprocessableEntity, map[string]string{"says": words.Failed})
			return
		}
		if !s.working(w, v, words) {
			return
		}
		err = s.file(report.Filing{From: v["from"], Way: report.Form, Size: int64(len(sealed)), Receipt: report.Hash([]byte(slotSecret), token), Reply: v["recipient"], Lang: words.Lang}, sealed)
		if err != nil {
			status, says := s.refused(err, words)
			answerJSON(w, status, map[string]string{"says": says})
			return
		}
		answerJSON(w, http.StatusCreated, struct{}{})
		return
	}
	var receipt report.Receipt
	if err == nil {
		receipt, err = s.filePlain(p, words)
	}
	if err != nil {
		status, says := s.refused(err, words)
		field := ""
		if strings.TrimSpace(v["what"]) == "" {
			says, field = words.Empty, "what"
		}
		s.mu.Unlock()
		view := ReportFormView{Outside: s.outside(&http.Request{URL: r.URL, Header: r.Header, Method: "GET"}, "/report", Errors{{field, says}}), What: v["what"], When: v["when"], Where: v["where"], Contact: v["contact"], Sender: v["from"]}
		s.form(w, r, status, view)
		s.mu.Lock()
		return
	}
	if err := ReportSent.Show(w, http.StatusOK, ReportSentView{s.outside(&http.Request{URL: r.URL, Header: r.Header, Method: "GET"}, "/report", nil), receipt.String()}); err != nil {
		s.t.Error(err)
	}
}

func (s *slot) filePlain(p letterbox.Posted, words Words) (report.Receipt, error) {
	var chance [report.ReceiptBytes]byte
	rand.Read(chance[:])
	receipt := report.NewReceipt(chance)
	own, err := letterbox.Derive(receipt)
	if err != nil {
		return "", err
	}
	v := p.Values
	sealed, err := letterbox.Post(report.Parcel{From: v["from"], What: v["what"], When: v["when"], Where: v["where"], Contact: v["contact"], Lang: words.Lang, Files: p.Files}, s.team.Recipient(), own.Key.Recipient())
	if err != nil {
		return "", err
	}
	return receipt, s.file(report.Filing{From: v["from"], Way: report.Form, Size: int64(len(sealed)), Plain: true, Receipt: report.Hash([]byte(slotSecret), own.Token[:]), Reply: own.Key.Recipient(), Lang: words.Lang}, sealed)
}

func (s *slot) file(f report.Filing, sealed []byte) error {
	if err := s.door.Admit(time.Now(), "one network", f.Plain, f.Size); err != nil {
		return err
	}
	f.Vault = s.keep(sealed)
	drafts, err := report.Take(s.state, time.Now(), s.door.Limits.Own, []report.Filing{f})
	if err != nil {
		return err
	}
	s.append(drafts...)
	return nil
}

// thread opens a thread by its receipt or token, and takes messages.
func (s *slot) thread(w http.ResponseWriter, r *http.Request) {
	words := WordsIn(Choose(r.URL.Query().Get("lang"), r.Header.Get("Accept-Language")))
	p, err := letterbox.ReadForm(w, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	v, script, says, status := p.Values, p.Values["token"] != "", words.NoReport, http.StatusNotFound
	token, bad := base64.RawURLEncoding.DecodeString(v["token"])
	var own letterbox.Thread
	receipt, mistyped := report.ParseReceipt(v["receipt"])
	if !script && err == nil && mistyped == nil {
		own, err = letterbox.Derive(receipt)
		token = own.Token[:]
	}
	refuse := func() {
		if script {
			answerJSON(w, status, map[string]string{"says": says})
			return
		}
		s.back(w, r, status, Errors{{"code", says}})
	}
	if err != nil || bad != nil || !script && mistyped != nil {
		says, status = words.Mistyped, http.StatusUnprocessableEntity
		refuse()
		return
	}
	var full report.Refusal
	if errors.As(s.door.Try(time.Now(), "one network"), &full) {
		says, status = words.Say(words.Tries, int(full.Wait/time.Minute)+1), http.StatusTooManyRequests
		refuse()
		return
	}
	hash := report.Hash([]byte(slotSecret), token)
	c, ok := s.state.Find(hash)
	if !ok {
		s.door.Wrong(time.Now(), "one network")
		refuse()
		return
	}
	notice := ""
	if r.URL.Path == "/report/answer" {
		var sealed []byte
		if script && len(p.Files) == 1 && letterbox.CheckSealed(p.Files[0].Data) == nil {
			if !s.working(w, v, words) {
				return
			}
			sealed = p.Files[0].Data
		} else if sealed, err = letterbox.Post(report.Parcel{What: v["what"]}, s.team.Recipient(), c.Reply); err != nil {
			says, status = words.Empty, http.StatusUnprocessableEntity
			refuse()
			return
		}
		d, err := report.Tell(s.state, time.Now(), hash, report.Written{Vault: s.keep(sealed), Size: int64(len(sealed)), Plain: !script})
		if err != nil {
			s.t.Error(err)
			return
		}
		s.append(d)
		notice = words.ReplySent
	}
	s.show(w, r, c, own, script, words, notice, receipt)
}

// show answers with the thread: sealed for the script, opened for a page without.
func (s *slot) show(w http.ResponseWriter, r *http.Request, c *report.Case, own letterbox.Thread, script bool, words Words, notice string, receipt report.Receipt) {
	type row struct {
		Team   bool   `json:"team"`
		Day    string `json:"day"`
		Sealed string `json:"sealed"`
	}
	rows := []row{{false, words.Day(c.Day), base64.RawURLEncoding.EncodeToString(s.object(c.Vault))}}
	if c.Size > 64<<10 {
		rows = []row{} // with its files it is too much to send back
	}
	for _, m := range c.Thread {
		rows = append(rows, row{m.Team, words.Day(m.Day), base64.RawURLEncoding.EncodeToString(s.object(m.Vault))})
	}
	if script {
		challenge, bits := s.challenge()
		answerJSON(w, http.StatusOK, map[string]any{"standing": words.Standing(string(c.Seen())), "filed": words.Day(c.Day), "rows": rows, "challenge": challenge, "bits": bits})
		return
	}
	view := ReportThreadView{Outside: s.outside(&http.Request{URL: r.URL, Header: r.Header, Method: "GET"}, "/report/thread", nil), Notice: notice, Receipt: receipt.String(), Standing: words.Standing(string(c.Seen())), Filed: words.Day(c.Day)}
	for _, x := range rows {
		b, _ := base64.RawURLEncoding.DecodeString(x.Sealed)
		who := words.You
		if x.Team {
			who = words.Team
		}
		read := ThreadRow{Team: x.Team, Who: who, Day: x.Day}
		if p, err := letterbox.Read(b, own.Key); err == nil {
			read.Text = VisibleLines(p.What)
		}
		view.Rows = append(view.Rows, read)
	}
	if err := ReportThread.Show(w, http.StatusOK, view); err != nil {
		s.t.Error(err)
	}
}

// answer writes to the reporter, as the team would.
func (s *slot) answer(id int64, words string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.state.Case(id)
	if !ok {
		s.t.Fatalf("there is no report %d", id)
	}
	sealed, err := letterbox.Post(report.Parcel{What: words}, s.team.Recipient(), c.Reply)
	if err != nil {
		s.t.Fatal(err)
	}
	d, err := report.Answer(s.state, time.Now(), report.Deed{Person: "anna", Report: id, Message: report.Written{Vault: s.keep(sealed), Size: int64(len(sealed))}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.append(d)
}

// read opens a report as the team.
func (s *slot) read(id int64) (report.Parcel, *report.Case) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.state.Case(id)
	if !ok {
		s.t.Fatalf("there is no report %d", id)
	}
	p, err := letterbox.Read(s.object(c.Vault), s.team)
	if err != nil {
		s.t.Fatal(err)
	}
	return p, c
}

// disk is every byte that was written.
func (s *slot) disk() []byte {
	s.t.Helper()
	var all []byte
	names, err := filepath.Glob(filepath.Join(s.dir, "*"))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}
