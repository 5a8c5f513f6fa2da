package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tocsin/internal/client"
	"tocsin/internal/config"
	"tocsin/internal/desk"
	"tocsin/internal/hook"
	"tocsin/internal/notify"
)

func hookWords() map[string]bool {
	out := map[string]bool{}
	for _, w := range hook.Words() {
		out[w] = true
	}
	return out
}

// hooksOf makes a sender for each webhook of the settings.
func (p Program) hooksOf(c config.Config) (out []desk.Webhook, err error) {
	for _, h := range c.Webhooks {
		key, err := p.secret(h.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("webhooks: %s: key_file: %w", h.Name, err)
		}
		sender, err := notify.NewHook(h.Name, notify.SignedOptions{URL: h.URL, KeyID: cmp.Or(h.KeyID, h.Name), Key: []byte(key), CAFile: h.CAFile})
		if err != nil {
			return nil, err
		}
		host := ""
		if u, err := url.Parse(h.URL); err == nil {
			host = u.Host
		}
		out = append(out, desk.Webhook{Hook: hook.Hook{Name: h.Name, What: h.What, Severity: h.Severity}, Host: host, Send: sender.Send})
	}
	return out, nil
}

func (p Program) webhooks() *cobra.Command {
	var f listFlags
	c := &cobra.Command{Use: "webhooks", Short: "Other programs that are told what happens: how they do, and a test",
		Long: "Webhooks are set in tocsin.yaml (webhooks:) and tell other programs, by ids and links, what happens to incidents, alerts and calls. doc/webhooks.md\n" +
			"has the format, and how a receiver checks the signature.",
		Example: "  tocsin webhooks list\n  tocsin webhooks test tickets", Args: takes(0, 0, ""), RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	list := &cobra.Command{Use: "list", Short: "Show each webhook and whether it takes what it is told", Args: takes(0, 0, ""), Example: "  tocsin webhooks list\n  tocsin webhooks list --json",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, _ []string) error {
			return p.webhookList(ctx, c, f.json)
		})}
	test := &cobra.Command{Use: "test NAME", Short: "Send a test; one that was off goes on when it is taken", Args: takes(1, 1, "a NAME"), Example: "  tocsin webhooks test tickets",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, args []string) error {
			if err := c.TestWebhook(ctx, args[0], f.as); err != nil {
				return err
			}
			_, err := fmt.Fprintf(p.Out, "%s took the test.\n", Safe(args[0]))
			return err
		})}
	f.flags(list)
	f.flags(test)
	list.Flags().BoolVar(&f.json, "json", false, "as JSON")
	test.Flags().StringVar(&f.as, "as", "", "staff id of who does it (default: nobody in particular)")
	c.AddCommand(list, test)
	return c
}

func (p Program) webhookList(ctx context.Context, c *client.Client, asJSON bool) error {
	all, err := c.Webhooks(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(p.Out).Encode(all)
	}
	if len(all.Webhooks) == 0 {
		_, err := fmt.Fprintln(p.Out, "No webhook is set: doc/webhooks.md says how.")
		return err
	}
	t := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tSTATE\tSINCE\tHOST\tTOLD\tFAILED\tTAKEN LAST\tWHAT")
	for _, w := range all.Webhooks {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\n", Safe(w.Name), w.State, stamp(w.Since), Safe(w.Host), w.Delivered, w.Failed, stamp(w.Last), Safe(cmp.Or(strings.Join(w.What, ","), "incident,call")))
		if w.Why != "" {
			fmt.Fprintf(t, "\t  %s\n", Safe(w.Why))
		}
	}
	return t.Flush()
}
