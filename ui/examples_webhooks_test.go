package ui

import "time"

func webhooksView() WebhooksView {
	v := WebhooksView{Frame: frame("Webhooks", "webhooks", "/webhooks"), May: true, Webhooks: []WebhookRow{
		{Name: "tickets", Host: Visible("tickets.kontor-nord.example"), What: "incidents and calls, from high on", State: State{"good", "works"}, Told: "1,204 messages taken", Last: before(4 * time.Minute), Test: "/webhooks/tickets/test"},
		{Name: "bot", Host: Visible("bot.example:8443"), What: "incident.opened", State: State{"late", "fails for 12 min"}, Told: "3 messages taken, 9 tries failed", Last: before(time.Hour), Next: before(-5 * time.Minute),
			Why: Visible("webhook bot: it answered 503 \x1b busy"), Mend: "It is tried again by itself; nothing is skipped.", Test: "/webhooks/bot/test"},
		{Name: "old", Host: Visible("old.example"), What: "agent", State: State{"bad", "off since 4 days"}, Told: "0 messages taken, 90 tries failed",
			Why: Visible("webhook old: no answer in time"), Mend: "It took nothing for three days. A test that it takes switches it on again, and it is told all that it missed.", Test: "/webhooks/old/test"},
	}}
	v.Errors = Errors{{"", "Webhook old: no answer in time."}}
	return v
}
