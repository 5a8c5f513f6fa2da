package api_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tocsin/internal/api"
	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/plan"
)

// A watched body says how many slots for large requests are taken while it is read.
type watched struct {
	*bytes.Reader
	d     *desk.Desk
	taken int
}

func (w *watched) Read(b []byte) (int, error) {
	w.taken = max(w.taken, w.d.Bringing().Taken())
	return w.Reader.Read(b)
}

// A clocked answer remembers until when a request may come.
type clocked struct {
	*httptest.ResponseRecorder
	until []time.Time
}

func (c *clocked) SetReadDeadline(at time.Time) error {
	c.until = append(c.until, at)
	return nil
}

// TestLargeRequestsInSlots: a request that may be large is read in a slot, and within a time; a small one needs none.
func TestLargeRequestsInSlots(t *testing.T) {
	d, _, _ := running(t)
	h := api.Handler(slog.New(slog.DiscardHandler), d, nil)
	send := func(bytesOf int) (*watched, *clocked) {
		body := fmt.Sprintf(`{"name":"a.log","kind":"log","from":"shop1","bytes":%q}`, base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("x"), bytesOf)))
		in, out := &watched{bytes.NewReader([]byte(body)), d, 0}, &clocked{ResponseRecorder: httptest.NewRecorder()}
		r := httptest.NewRequest(http.MethodPost, "http://localhost/v1/incidents/1/attachments?person="+plan.Analyst, in)
		r.Header.Set("Content-Type", "application/json")
		r.ContentLength = int64(len(body))
		h.ServeHTTP(out, r)
		return in, out
	}
	in, out := send(desk.BringLarge)
	if out.Code != http.StatusOK || in.taken != 1 || len(out.until) == 0 || time.Until(out.until[0]) <= 0 || d.Bringing().Taken() != 0 {
		t.Errorf("%d %s: %d slots while it came, until %v, %d after", out.Code, out.Body, in.taken, out.until, d.Bringing().Taken())
	}
	if in, out := send(100); out.Code != http.StatusOK || in.taken != 0 {
		t.Errorf("a small one: %d %s, %d slots", out.Code, out.Body, in.taken)
	}
}

// TestAllReports: a list is asked for until all of it is there; what moved to another page meanwhile is listed once.
func TestAllReports(t *testing.T) {
	list := []int64{5, 4, 3, 2, 1}
	asked := 0
	out, err := client.AllReports(func(from int) (x client.ReportList, err error) {
		if asked++; asked == 2 { // something came, so what was the last of the page before is the first of this one
			list = append([]int64{6}, list...)
		}
		for _, id := range list[from:min(from+2, len(list))] {
			x.Reports = append(x.Reports, client.Report{ID: id})
		}
		x.All = len(list)
		return x, nil
	})
	ids := ""
	for _, r := range out.Reports {
		ids += fmt.Sprint(r.ID, " ")
	}
	if err != nil || strings.TrimSpace(ids) != "5 4 3 2 1" || asked != 3 {
		t.Errorf("%s, asked %d times, %v", ids, asked, err)
	}
}
