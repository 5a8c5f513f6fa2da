// Command tocsin-agent sends the logs of a shop host to a Tocsin server, and says what the host is. It links no server code.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"tocsin/internal/agent"
	"tocsin/internal/config"
)

const usualConfig = "/etc/tocsin-agent/tocsin-agent.yaml"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command(os.Stdout).ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "tocsin-agent:", err)
		stop()
		os.Exit(exitStatus(err))
	}
}

// exitStatus is 2 for wrong use, else 1.
func exitStatus(err error) int {
	if _, ok := errors.AsType[usage](err); ok {
		return 2
	}
	return 1
}

// usage is an error of who typed the command.
type usage struct{ error }

func command(out io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use: "tocsin-agent", Short: "Send the logs of this host to a Tocsin server", Version: version(),
		SilenceErrors: true, SilenceUsage: true, CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetOut(out)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage{err} })
	file, data := "", ""
	root.PersistentFlags().StringVar(&file, "config", "", "settings file (default "+usualConfig+", if it is there)")
	root.PersistentFlags().StringVar(&data, "data", "", "folder of what the agent keeps (default as in the settings)")
	settings := func() (config.Agent, error) { return load(file, data) }
	root.AddCommand(join(settings), run(settings), status(settings), facts(settings))
	return root
}

// load reads the settings; the usual file need not be there.
func load(file, data string) (config.Agent, error) {
	name := file
	if name == "" {
		name = usualConfig
	}
	c, err := config.LoadAgent(name)
	if file == "" && errors.Is(err, fs.ErrNotExist) {
		c, err = config.DefaultAgent(), nil
	}
	if data != "" {
		c.Data = data
	}
	return c, err
}

// release is the version of the package that this program is of; packaging/agent/build.sh has the linker write it here.
var release string

// version is what the server is told and --version prints.
func version() string {
	if release != "" {
		return release
	}
	b, ok := debug.ReadBuildInfo()
	if !ok || b.Main.Version == "" {
		return "unknown"
	}
	return b.Main.Version
}

// exactly asks for so many arguments.
func exactly(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != n {
			return usage{fmt.Errorf("wrong use: %s", c.UseLine())}
		}
		return nil
	}
}

func join(settings func() (config.Agent, error)) *cobra.Command {
	name := ""
	c := &cobra.Command{
		Use: "join URL TOKEN", Short: "Make this host known to a server, with a token that it gave", Args: exactly(2),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := settings()
			if err != nil {
				return err
			}
			if name == "" {
				if name, err = os.Hostname(); err != nil {
					return fmt.Errorf("asking for this host's name: %w; give one with --name", err)
				}
			}
			if err := agent.BecomeOwner(s.Data); err != nil {
				return err
			}
			id, err := agent.Join(c.Context(), s.Data, args[0], args[1], name, s.Proxy)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "This host joined %s as %s (%s). Start the agent now: systemctl enable --now tocsin-agent\n", id.URL, id.Name, id.Agent)
			return nil
		},
	}
	c.Flags().StringVar(&name, "name", "", "what the host is called there (default: its own name)")
	return c
}

// memoryLimit is from how many bytes on memory is cleaned up more eagerly, unless GOMEMLIMIT says another number: an agent shall take at most 40 MB of a shop's host, and what the
// system counts has the program's own file besides, some 9 MB.
const memoryLimit = 26 << 20

func run(settings func() (config.Agent, error)) *cobra.Command {
	return &cobra.Command{
		Use: "run", Short: "Watch and send, until it is stopped", Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := settings()
			if err != nil {
				return err
			}
			if err := agent.CheckOwner(s.Data); err != nil {
				return err
			}
			if os.Getenv("GOMEMLIMIT") == "" {
				debug.SetMemoryLimit(memoryLimit)
			}
			log := slog.New(slog.NewTextHandler(os.Stderr, nil))
			var usual []string
			if slices.Equal(s.Watch, config.DefaultAgent().Watch) {
				usual = s.Watch
			}
			r, err := agent.OpenRemote(log, agent.RemoteOptions{
				Dir: s.Data, Paths: s.Watch, Usual: usual, Journal: s.Journal, Units: s.JournalUnits, Syslog: s.Syslog, Spool: int64(s.SpoolMiB) << 20,
				Proxy: s.Proxy, Roots: s.WebRoots, Version: version(),
			})
			if err != nil {
				return err
			}
			return r.Run(c.Context())
		},
	}
}

func status(settings func() (config.Agent, error)) *cobra.Command {
	asJSON := false
	c := &cobra.Command{
		Use: "status", Short: "How the agent is: connection, spool, sources", Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := settings()
			if err != nil {
				return err
			}
			st, err := agent.ReadStatus(s.Data)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), st)
			}
			return printStatus(c.OutOrStdout(), st, time.Now())
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return c
}

// printStatus tells people. It is an error when the agent does not run or is not connected, so that scripts see it.
func printStatus(w io.Writer, s agent.Status, now time.Time) error {
	fmt.Fprintf(w, "server       %s\nagent        %s (%s)\nstate        %s, since %s\n", s.Server, s.Name, s.Agent, s.State, s.Since.Format(time.DateTime))
	if !s.Last.IsZero() {
		fmt.Fprintf(w, "last receipt %s\n", s.Last.Format(time.DateTime))
	}
	fmt.Fprintf(w, "certificate  until %s\nspool        %d batches, %d of %d MiB\n", s.Until.Format(time.DateOnly), s.Host.Spool.Batches, s.Host.Spool.Bytes>>20, s.Host.Spool.Limit>>20)
	if c := s.Host.Clock; c.Known {
		fmt.Fprintf(w, "clock        off by %v, give or take %v\n", c.Offset.Round(time.Millisecond), c.Within.Round(time.Millisecond))
	}
	for _, f := range s.Host.Sources {
		fmt.Fprintf(w, "source       %q %s, %d lines", f.Path, f.State, f.Lines)
		if f.Why != "" {
			fmt.Fprintf(w, " (%q)", f.Why)
		}
		fmt.Fprintln(w)
	}
	for _, g := range s.Host.Gaps {
		fmt.Fprintf(w, "lost         %q from %d to %d: %q\n", g.File, g.From, g.To, g.Why)
	}
	if now.Sub(s.At) > time.Minute {
		return fmt.Errorf("the agent does not run: it was last heard of on %s; start it with systemctl start tocsin-agent", s.At.Format(time.DateTime))
	}
	if s.State != "connected" {
		return errors.New("the agent is not connected")
	}
	return nil
}

func facts(settings func() (config.Agent, error)) *cobra.Command {
	return &cobra.Command{
		Use: "facts", Short: "What the agent tells the server of this host, as JSON", Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := settings()
			if err != nil {
				return err
			}
			return printJSON(c.OutOrStdout(), agent.Facts(c.Context(), s.WebRoots))
		},
	}
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
