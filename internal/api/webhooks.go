package api

import (
	"net/http"

	"tocsin/internal/client"
	"tocsin/internal/desk"
)

// webhookRoutes are the routes of webhooks.
func webhookRoutes(d *desk.Desk) []route {
	return []route{
		{"GET /v1/webhooks", func(http.ResponseWriter, *http.Request) (any, error) { return webhooks(d), nil }},
		{"POST /v1/webhooks/{name}/test", func(w http.ResponseWriter, r *http.Request) (any, error) {
			var body struct {
				Person string `json:"person"`
			}
			actor, err := readFrom(d, w, r, &body, &body.Person)
			if err != nil {
				return nil, err
			}
			return struct{}{}, d.TestWebhook(r.Context(), actor, r.PathValue("name"))
		}},
	}
}

func webhooks(d *desk.Desk) client.WebhookList {
	out := client.WebhookList{Webhooks: []client.Webhook{}}
	for _, w := range d.Webhooks() {
		out.Webhooks = append(out.Webhooks, client.Webhook{Name: w.Name, Host: w.Host, What: w.What, Severity: w.Severity, State: w.State, Since: w.Since, Why: w.Why,
			Delivered: w.Delivered, Failed: w.Failed, Last: w.Last, Behind: w.Behind, Next: w.Next})
	}
	return out
}
