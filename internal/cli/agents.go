package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tocsin/internal/client"
	"tocsin/internal/record"
)

func (p Program) agents() *cobra.Command {
	var f listFlags
	valid, why := 24*time.Hour, ""
	c := &cobra.Command{Use: "agents", Short: "Agents on other hosts: let them in, look after them, put them out",
		Long: "An agent (the program tocsin-agent) follows the logs of a host and sends them here. `tocsin agents add` prints the command that lets one in; the token\n" +
			"in it works once. Agents are heard at the port agents.listen of tocsin.yaml. doc/agents.md says how to install one.",
		Example: "  tocsin agents add web-1\n  tocsin agents list\n  tocsin agents show web-1\n  tocsin agents revoke web-1 --why 'the machine was sold'",
		Args:    takes(0, 0, ""), RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	list := &cobra.Command{Use: "list", Short: "Show the agents, and the tokens that may still be used", Args: takes(0, 0, ""), Example: "  tocsin agents list\n  tocsin agents list --json",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, _ []string) error {
			return p.agentList(ctx, c, f.json)
		})}
	show := &cobra.Command{Use: "show AGENT", Short: "Show what is known of one: its host, its sources, what it lost", Args: takes(1, 1, "an AGENT (name or id)"), Example: "  tocsin agents show web-1",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, args []string) error {
			return p.agentShow(ctx, c, f.json, args[0])
		})}
	add := &cobra.Command{Use: "add [NAME]", Short: "Make a token for one agent, and print the command that joins it", Args: takes(0, 1, "one NAME, or none"),
		Example: "  tocsin agents add web-1\n  tocsin agents add --valid 1h",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, args []string) error {
			got, err := c.InviteAgent(ctx, strings.Join(args, ""), valid, f.as)
			if err != nil {
				return err
			}
			if f.json {
				return json.NewEncoder(p.Out).Encode(got)
			}
			fmt.Fprintf(p.Err, "On the host, as root, with tocsin-agent installed (doc/agents.md). It works once, until %s:\n", got.Expires.Format("2006-01-02 15:04 MST"))
			_, err = fmt.Fprintln(p.Out, got.Command)
			return err
		})}
	revoke := &cobra.Command{Use: "revoke AGENT", Short: "Hear an agent no more, at once", Args: takes(1, 1, "an AGENT (name or id)"), Example: "  tocsin agents revoke web-1 --why 'the machine was sold'",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, args []string) error {
			if err := c.RevokeAgent(ctx, args[0], why, f.as); err != nil {
				return err
			}
			_, err := fmt.Fprintf(p.Out, "%s is not heard any more. What it sent before stays.\n", Safe(args[0]))
			return err
		})}
	for _, sub := range []*cobra.Command{list, show, add, revoke} {
		f.flags(sub)
		if sub == add || sub == revoke {
			sub.Flags().StringVar(&f.as, "as", "", "staff id of who does it (default: nobody in particular)")
		}
		if sub != revoke {
			sub.Flags().BoolVar(&f.json, "json", false, "as JSON")
		}
		c.AddCommand(sub)
	}
	add.Flags().DurationVar(&valid, "valid", valid, "how long the token may be used")
	revoke.Flags().StringVar(&why, "why", "", "the reason")
	return c
}

func (p Program) agentList(ctx context.Context, c *client.Client, asJSON bool) error {
	all, err := c.Agents(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(p.Out).Encode(all)
	}
	if len(all.Agents) == 0 && len(all.Tokens) == 0 {
		_, err := fmt.Fprintln(p.Out, "No agent ever joined. Let one in: tocsin agents add NAME")
		return err
	}
	t := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tSTATE\tHEARD LAST\tLINES\tCERTIFICATE UNTIL\tID")
	for _, a := range all.Agents {
		seen := a.Seen
		if seen.IsZero() {
			seen = a.Lost
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%s\t%s\n", Safe(a.Name), a.State, stamp(seen), a.Lines, a.Expires.UTC().Format(time.DateOnly), Safe(a.ID))
	}
	for _, x := range all.Tokens {
		fmt.Fprintf(t, "%s\ttoken\t-\t-\t-\tuntil %s, by %s\n", Safe(cmp.Or(x.Name, "(any name)")), stamp(x.Expires), Safe(x.By))
	}
	return t.Flush()
}

func (p Program) agentShow(ctx context.Context, c *client.Client, asJSON bool, which string) error {
	all, err := c.Agents(ctx)
	if err != nil {
		return err
	}
	k := slices.IndexFunc(all.Agents, func(a client.Agent) bool { return a.ID == which || a.Name == which }) // those that are heard come first
	if k < 0 {
		return fmt.Errorf("there is no agent %q; see `tocsin agents list`", which)
	}
	a := all.Agents[k]
	if asJSON {
		return json.NewEncoder(p.Out).Encode(a)
	}
	t := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	say := func(name, format string, args ...any) {
		fmt.Fprintf(t, "%s\t%s\n", name, Safe(fmt.Sprintf(format, args...)))
	}
	say("agent", "%s (%s)", a.Name, a.ID)
	say("state", "%s", a.State)
	say("joined", "%s from %s, by a token of %s", stamp(a.Joined), a.From, a.By)
	if !a.Revoked.IsZero() {
		say("revoked", "%s: %s", stamp(a.Revoked), cmp.Or(a.Why, "no reason was given"))
	}
	say("heard last", "%s from %s", stamp(a.Seen), a.Address)
	say("certificate", "until %s", stamp(a.Expires))
	for reason, n := range a.Refused {
		say("refused", "%d times: %s", n, reason)
	}
	var h record.Host
	if len(a.Host) > 0 {
		if err := json.Unmarshal(a.Host, &h); err != nil {
			return err
		}
		sayHost(say, h)
	}
	return t.Flush()
}

// sayHost prints what an agent says of its host.
func sayHost(say func(name, format string, args ...any), h record.Host) {
	say("version", "%s", h.Version)
	say("system", "%s, kernel %s, %s", h.System, h.Kernel, h.Arch)
	say("booted", "%s", stamp(h.Booted))
	switch {
	case !h.Updates.Known:
		say("updates", "not known: %s", h.Updates.Why)
	default:
		say("updates", "%d pending, %d for security: %s", h.Updates.All, len(h.Updates.Security), strings.Join(h.Updates.Security, ", "))
	}
	for _, x := range h.Software {
		say("software", "%s %s %s (%s)", x.Kind, x.Name, x.Version, x.Path)
	}
	for _, x := range h.Ports {
		say("port", "%s %s:%d %s", x.Protocol, x.Address, x.Port, x.Program)
	}
	for _, x := range h.Disks {
		say("disk", "%s: %d of %d GB free", x.Path, x.Free/1e9, x.Bytes/1e9)
	}
	if h.Clock.Known {
		say("clock", "off by %v, give or take %v", h.Clock.Offset.Round(time.Millisecond), h.Clock.Within.Round(time.Millisecond))
	}
	say("spool", "%d batches, %d of %d MiB", h.Spool.Batches, h.Spool.Bytes>>20, h.Spool.Limit>>20)
	for _, x := range h.Sources {
		say("source", "%s: %s, %d lines, %d bytes behind %s", x.Path, x.State, x.Lines, x.Lag, x.Why)
	}
	for _, g := range h.Gaps {
		say("lost", "%s from %d to %d, between %s and %s: %s", g.File, g.From, g.To, stamp(g.Since), stamp(g.Until), g.Why)
	}
}
