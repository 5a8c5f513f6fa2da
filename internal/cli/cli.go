// Package cli is the command line. It speaks in one voice: what was asked for goes to standard output, everything else to
// standard error; an error is a line that starts with "tocsin: " and says what, where and how to mend it (a settings file
// with three mistakes gives three); what comes from outside is shown without control characters; progress is shown only on a terminal. Exit status: 0 done, 1 failed, 2 wrong use, 3 an alert of the level named by --fail-on came.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"tocsin/internal/desk"
	"tocsin/internal/disk"
)

// Version is set by the build.
const Version = "0.1.0"

// A Program is what main hands over: the bundled files, and where to print.
type Program struct {
	Files     fs.FS // rules/, sample/, plan/
	Out       io.Writer
	Err       io.Writer
	Layer     func(disk.Layer) disk.Layer           // wraps the data folder; nil leaves it
	LogBytes  int64                                 // desk.Options.LogBytes
	JoinAfter time.Duration                         // desk.Options.JoinAfter
	Sender    func(string, desk.Sender) desk.Sender // wraps the sender of a channel; nil leaves it
}

// wrong is a wrong use of the command line: exit status 2.
type wrong struct{ error }

// errFailOn is exit status 3.
var errFailOn = errors.New("an alert of the level named by --fail-on came")

// Main runs one command and returns the exit status.
func Main(args []string, p Program) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := &cobra.Command{
		Use:   "tocsin",
		Short: "An online shop's emergency plan as a program",
		Long: "Tocsin reads a shop's logs, detects attacks, opens and classifies incidents, and rings the team until\nsomebody answers.\n\n" +
			"  tocsin serve --sample                               look at it with bundled logs\n" +
			"  tocsin serve --watch /var/log/nginx/access.log      watch your own\n" +
			"  tocsin replay /var/log/nginx                        what the rules say of logs you have; changes nothing\n" +
			"  tocsin search 'status=5xx since 2h | top path'      find lines that were kept",
		SilenceUsage: true, SilenceErrors: true,
		Args: takes(0, 0, ""),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetOut(p.Out)
	root.SetErr(p.Err)
	root.SetArgs(args)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return wrong{fmt.Errorf("%w; see `%s --help`", err, c.CommandPath())}
	})
	root.AddCommand(p.serve(), p.replay(), p.rules(), p.ledger(), p.answer(), p.oncall(), p.watch(), p.never(), p.contacts(), p.people(), p.mailKeys(), p.approvals(), p.breakglass(), p.incident(), p.plan(), p.tasks(), p.review(), p.search(), p.trace(), p.archive(), p.agents(), p.webhooks(), p.reportsOutside(), p.habits(), p.doctor(), p.version())
	root.CompletionOptions.HiddenDefaultCmd = true
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errFailOn):
		return 3
	}
	if m, ok := errors.AsType[misread](err); ok {
		fmt.Fprintln(p.Err, m.show)
		return 2
	}
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimSpace(line); line != "" {
			fmt.Fprintln(p.Err, "tocsin: "+Safe(line))
		}
	}
	if _, ok := errors.AsType[wrong](err); ok {
		return 2
	}
	return 1
}

// takes refuses another number of arguments than a command takes. what names those that it needs.
func takes(least, most int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		see := fmt.Sprintf("; see `%s --help`", c.CommandPath())
		switch {
		case len(args) < least:
			return wrong{fmt.Errorf("%s needs %s%s", c.CommandPath(), what, see)}
		case len(args) > most && c.HasSubCommands():
			c.SuggestionsMinimumDistance = 2
			if near := c.SuggestionsFor(args[0]); len(near) > 0 {
				see = fmt.Sprintf("; did you mean %q?", near[0])
			}
			return wrong{fmt.Errorf("%s has no command %q%s", c.CommandPath(), args[0], see)}
		case len(args) > most:
			return wrong{fmt.Errorf("%s does not take %q%s", c.CommandPath(), args[most], see)}
		}
		return nil
	}
}

func (p Program) version() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Print the version", Example: "  tocsin version", Args: takes(0, 0, ""), RunE: func(*cobra.Command, []string) error {
		_, err := fmt.Fprintln(p.Out, "tocsin "+Version)
		return err
	}}
}

// folders are the data folder and the key folder beside it.
type folders struct{ data, keys string }

func (f *folders) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.data, "data", "", "folder of all state (default: $XDG_STATE_HOME/tocsin, as a service /var/lib/tocsin)")
	c.Flags().StringVar(&f.keys, "keys", "", "folder of the master and signing key (default: the data folder's name with -keys added)")
}

// fill applies what the configuration says, then the defaults.
func (f *folders) fill(data, keys string) error {
	if f.data == "" {
		f.data = data
	}
	if f.keys == "" {
		f.keys = keys
	}
	if f.data == "" {
		switch {
		case os.Getenv("STATE_DIRECTORY") != "": // systemd.exec(5)
			f.data, _, _ = strings.Cut(os.Getenv("STATE_DIRECTORY"), ":") // several are joined so
		case os.Getenv("XDG_STATE_HOME") != "":
			f.data = filepath.Join(os.Getenv("XDG_STATE_HOME"), "tocsin")
		default:
			home, err := os.UserHomeDir()
			if err != nil {
				return fmt.Errorf("no folder to keep state in: name one with --data (%w)", err)
			}
			f.data = filepath.Join(home, ".local", "state", "tocsin")
		}
	}
	f.data = filepath.Clean(f.data)
	if f.keys == "" {
		f.keys = f.data + "-keys"
	}
	return nil
}

// exists says whether there is a data folder, in words if not.
func (f *folders) exists() error {
	if _, err := os.Stat(f.data); err != nil {
		return fmt.Errorf("no data folder at %s: name one with --data, or start `tocsin serve` first", f.data)
	}
	return nil
}
