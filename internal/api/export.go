package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/desk"
)

type (
	linesQuery struct {
		ID   int64 `path:"id" minimum:"1" doc:"its number"`
		From int   `query:"from" minimum:"0" default:"0" doc:"how many of the list are passed over"`
		Most int   `query:"most" minimum:"1" maximum:"1000" default:"100" doc:"how many the answer has at most"`
	}
	// IncidentLines are lines that are part of an incident.
	IncidentLines struct {
		Lines []IncidentLine `json:"lines"`
		All   int            `json:"all"`
	}
	// An IncidentLine is one of them.
	IncidentLine struct {
		Number   int64     `json:"number"`
		At       time.Time `json:"at,omitzero" doc:"as the line says"`
		Received time.Time `json:"received"`
		Host     string    `json:"host,omitempty"`
		File     string    `json:"file"`
		SHA256   string    `json:"sha256" doc:"of the line's bytes"`
		Volume   string    `json:"volume,omitempty"`
		By       string    `json:"by"`
		Learned  time.Time `json:"attached"`
		Text     string    `json:"text,omitempty"`
		Why      string    `json:"why,omitempty" doc:"why the text is not there"`
	}
	// A Line is one kept line with what was read in it.
	Line struct {
		Number   int64               `json:"number"`
		Host     string              `json:"host,omitempty"`
		File     string              `json:"file"`
		Agent    string              `json:"agent,omitempty"`
		Received time.Time           `json:"received"`
		SHA256   string              `json:"sha256"`
		Text     string              `json:"text"`
		Records  []map[string]string `json:"records" doc:"ECS field names and values"`
	}
)

// searchOperations are those of the kept lines but the search itself.
func searchOperations(t *table) {
	o := post("/export", "exportLines", "Export lines as evidence, sealed")
	o.need, o.about = auth.SearchLines, "It answers with a tar archive (doc/formats/export.md). The ledger says who exported what before a byte is handed out. An answer that ends too early is not whole: see its length."
	streams(t, o, "application/x-tar", func(a ask, in *body[client.Search], w http.ResponseWriter) error {
		q, err := a.query(in.Body)
		if err != nil {
			return err
		}
		a, stop := a.lasting(searches)
		defer stop()
		limit := min(in.Body.Timeout, longest)
		if limit <= 0 {
			limit = longest
		}
		ctx, end := context.WithTimeout(a.ctx, limit)
		defer end()
		giveBack, err := a.slot(ctx, a.desk.Exporting(), errManyExports)
		if err != nil {
			return err
		}
		defer giveBack() // it lies in memory until it is handed out
		x, err := seek(a, limit, func(ctx context.Context) (*desk.Export, error) { return a.desk.Export(ctx, a.actor, q) })
		if err != nil {
			return err
		}
		control := http.NewResponseController(w)
		defer context.AfterFunc(a.ctx, func() { _ = control.SetWriteDeadline(time.Now()) })()
		w.Header().Set("Content-Type", "application/x-tar")
		w.Header().Set("Content-Length", strconv.FormatInt(x.Size(), 10))
		if _, err := x.WriteTo(whole{w, a}); err != nil {
			a.log.Debug("handing out an export", "error", err)
		}
		return nil
	})
	o = get("/lines/{id}", "getLine", "Show one kept line with what was read in it")
	o.need, o.web = auth.SearchLines, "GET /search/line/{id}"
	add(t, o, func(a ask, in *numbered) (Line, error) { return line(a, in.ID) })
	o = get("/incidents/{id}/lines", "listLines", "List the lines that are part of an incident")
	o.need, o.web, o.about = auth.See, "GET /incidents/{id}/lines", "Their text needs the right search."
	add(t, o, func(a ask, in *linesQuery) (IncidentLines, error) {
		list, all, err := a.desk.IncidentLines(a.ctx, a.actor, in.ID, in.From, in.Most)
		out := IncidentLines{Lines: []IncidentLine{}, All: all}
		for _, l := range list {
			out.Lines = append(out.Lines, IncidentLine{l.Number, l.At, l.Received, l.Host, l.File, l.SHA256, l.Volume, l.Actor, l.Learned, l.Raw, l.Why})
		}
		return out, err
	})
	o = post("/incidents/{id}/lines", "attachLines", "Make the lines that a query finds part of an incident")
	o.need, o.web, o.about = auth.Handle, "POST /search/attach", "It needs the right search, too."
	add(t, o, func(a ask, in *numberedWith[client.Search]) (out client.Attached, err error) {
		q, err := a.query(in.Body)
		if err == nil {
			out.Lines, err = seek(a, longest, func(ctx context.Context) (int, error) { return a.desk.AttachFound(ctx, a.actor, in.ID, q) })
		}
		return out, err
	})
	o = post("/incidents/{id}/trace", "trace", "Read the kept lines for the cause of an incident")
	o.need, o.web, o.reads = auth.SearchLines, "GET /incidents/{id}/trace", true
	add(t, o, traced)
}

// whole writes an answer that is handed out within an hour, and to those who may have it.
type whole struct {
	w http.ResponseWriter
	a ask
}

func (x whole) Write(b []byte) (int, error) {
	if time.Since(x.a.now) > longest || x.a.ctx.Err() != nil {
		return 0, http.ErrHandlerTimeout
	}
	return x.w.Write(b)
}

func line(a ask, number int64) (Line, error) {
	l, err := a.desk.Line(a.ctx, a.actor, number)
	if err != nil {
		return Line{}, err
	}
	out := Line{Number: l.Seq, Host: l.Host, File: l.File, Agent: l.Agent, Received: l.Received, SHA256: l.SHA256, Text: strings.ToValidUTF8(string(l.Raw), "\uFFFD"), Records: []map[string]string{}}
	for _, r := range l.Records {
		fields := map[string]string{}
		for name, v := range r.Fields {
			fields[name] = v.Text
		}
		out.Records = append(out.Records, fields)
	}
	return out, nil
}
