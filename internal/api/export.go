package api

import (
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
