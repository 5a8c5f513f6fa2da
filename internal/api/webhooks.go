package api

import (
	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/desk"
)

// webhookOperations are those of webhooks. They are set up in tocsin.yaml, which holds their secrets.
func webhookOperations(t *table) {
	o := get("/webhooks", "listWebhooks", "List the programs that are told what happens")
	o.need, o.web = auth.See, "GET /webhooks"
	add(t, o, func(a ask, _ *none) (client.WebhookList, error) { return webhooks(a.desk), nil })
	o = post("/webhooks/{id}/test", "testWebhook", "Send a webhook a test")
	o.need, o.web, o.silent = auth.Hosts, "POST /webhooks/{id}/test", true
	act(t, o, func(a ask, in *named) error { return a.desk.TestWebhook(a.ctx, a.actor, in.ID) })
}

func webhooks(d *desk.Desk) client.WebhookList {
	out := client.WebhookList{Webhooks: []client.Webhook{}}
	for _, w := range d.Webhooks() {
		out.Webhooks = append(out.Webhooks, client.Webhook{Name: w.Name, Host: w.Host, What: w.What, Severity: w.Severity, State: w.State, Since: w.Since, Why: w.Why,
			Delivered: w.Delivered, Failed: w.Failed, Last: w.Last, Behind: w.Behind, Next: w.Next})
	}
	return out
}
