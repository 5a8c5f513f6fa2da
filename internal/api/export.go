package api

import (
	"fmt"
	"log/slog"
	"net/http"
	"strconv"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/query"
)

// asks is a query and who asks it.
type asks struct {
	q     *query.Query
	actor auth.Actor
}

// export hands lines out as evidence. Once it has begun, an answer that ends too early is all that an error can say.
func export(log *slog.Logger, d *desk.Desk, w http.ResponseWriter, r *http.Request) error {
	_, a, err := asked(d, w, r)
	if err != nil {
		return err
	}
	x, err := d.Export(r.Context(), a.actor, a.q)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/x-tar")
	w.Header().Set("Content-Length", strconv.FormatInt(x.Size(), 10))
	if _, err := x.WriteTo(w); err != nil {
		log.Debug("handing out an export", "error", err)
	}
	return nil
}

// attach makes the lines that a query finds part of an incident.
func attach(d *desk.Desk, w http.ResponseWriter, r *http.Request) (int, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not the number of an incident", r.PathValue("id"))
	}
	_, a, err := asked(d, w, r)
	if err != nil {
		return 0, err
	}
	return d.AttachFound(r.Context(), a.actor, id, a.q)
}
