package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"tocsin/internal/api"
	"tocsin/internal/client"
	"tocsin/internal/config"
	"tocsin/internal/desk"
	"tocsin/internal/disk"
	"tocsin/internal/notify"
	"tocsin/internal/plan"
	"tocsin/internal/web"
)

type serveFlags struct {
	folders
	config string
	listen string
	watch  []string
	rules  []string
	geo    []string
	sample bool
	pace   time.Duration
	debug  bool
}

func (p Program) serve() *cobra.Command {
	var o serveFlags
	c := &cobra.Command{
		Use:   "serve",
		Short: "Watch logs, detect, ring, and show it all in the console",
		Long: "Serve reads the watched logs as they grow, raises alerts and incidents, rings the team, and serves the console. All state is in the\n" +
			"data folder; settings come from tocsin.yaml if there is one (--config, else the data folder's, else /etc/tocsin/tocsin.yaml).",
		Example: "  tocsin serve --sample\n  tocsin serve --watch /var/log/nginx/access.log --watch /var/log/auth.log",
		Args:    takes(0, 0, ""),
		RunE:    func(c *cobra.Command, _ []string) error { return p.runServe(c.Context(), o) },
	}
	o.flags(c)
	c.Flags().StringVar(&o.config, "config", "", "settings file")
	c.Flags().StringVar(&o.listen, "listen", "", "address of the console (default localhost:8181)")
	c.Flags().StringArrayVar(&o.watch, "watch", nil, "file, glob or folder of logs; repeatable")
	c.Flags().StringArrayVar(&o.rules, "rules", nil, "folder of further Sigma rules; repeatable")
	c.Flags().StringArrayVar(&o.geo, "geo", nil, geoUsage)
	c.Flags().BoolVar(&o.sample, "sample", false, "play the bundled sample in fast motion instead of watching")
	c.Flags().DurationVar(&o.pace, "pace", 20*time.Second, "how long the sample plays")
	c.Flags().BoolVar(&o.debug, "debug", false, "say more in the log")
	return c
}

// How much may lie about while the ledger is read, in parts of a hundred of what is in use: the most that the program ever has, it has then. Of a large ledger it may be
// more: there the memory limit is the bound anyway, and cleaning up would be half of the start.
const (
	eager       = 50
	relaxed     = 200
	largeLedger = 64 << 20 // bytes
)

// tidiness is what to set for the ledger in a data folder.
func tidiness(data disk.Layer) int {
	if st, err := data.Stat("ledger/entries.jsonl"); err == nil && st.Size() > largeLedger {
		return relaxed
	}
	return eager
}

// runServe opens everything, serves until ctx ends, and closes everything, in this order.
func (p Program) runServe(ctx context.Context, o serveFlags) (err error) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(MemoryLimit)
	}
	log := p.logger(o.debug)
	set, err := p.settings(o)
	if err != nil {
		return err
	}
	held, err := lock(set.folders)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, held.Unlock()) }()
	listener, err := listen(set.Listen)
	if err != nil {
		return err
	}
	defer listener.Close() // closed by the server, too; the second time does nothing
	set.desk.URL = set.url(listener.Addr())
	shown, err := secure(ctx, log, set, listener)
	if err != nil {
		return err
	}
	defer shown.Close()
	set.desk.Expiries = shown.expiries
	if set.desk.Hub, err = hubOf(set.Config, set.sample); err != nil {
		return err
	}
	if err := p.openLayers(&set); err != nil {
		return err
	}
	usual := debug.SetGCPercent(tidiness(set.desk.Data))
	d, err := desk.Open(log, set.desk)
	debug.SetGCPercent(usual)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if took, err := d.SeedPlan(set.seed); err != nil {
		return fmt.Errorf("taking the team from %s: %w", set.file, err)
	} else if took {
		log.Info("the team and the policy were taken from the settings file; from now on they are kept in the plan", "file", set.file)
	}
	return p.run(ctx, log, d, set, listener, shown)
}

// logger writes to standard error, for a person or for journald.
func (p Program) logger(debug bool) *slog.Logger {
	level := slog.LevelInfo
	if debug {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(p.Err, &slog.HandlerOptions{Level: level}))
}

func lock(f folders) (*disk.Held, error) {
	for _, dir := range []string{f.data, f.keys} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("making the folder %s: %w; name another with --data, or give %s the right to write there", dir, err, whoami())
		}
	}
	return disk.Lock(f.data)
}

// listen opens the console's port, and says in words when that does not work.
func listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("the console cannot listen on %s: %w; stop what uses that port, or choose another with --listen localhost:PORT", addr, err)
	}
	return l, nil
}

func (p Program) openLayers(set *settings) error {
	data, err := disk.Open(set.data)
	if err != nil {
		return err
	}
	keys, err := disk.Open(set.keys)
	if err != nil {
		return err
	}
	set.desk.Data, set.desk.Keys = data, keys
	if p.Layer != nil {
		set.desk.Data = p.Layer(data)
	}
	for channel, s := range set.desk.Senders {
		if p.Sender != nil {
			set.desk.Senders[channel] = p.Sender(channel, s)
		}
	}
	if deliver := set.desk.Deliver; p.Sender != nil && deliver != nil {
		set.desk.Deliver = func(ctx context.Context, m notify.Message) (said notify.Accepted, err error) {
			err = p.Sender(plan.Mail, func(ctx context.Context, m notify.Message) (err error) {
				said, err = deliver(ctx, m)
				return err
			})(ctx, m)
			return said, err
		}
	}
	if !set.sample {
		return nil
	}
	set.desk.Sample, err = fs.Sub(p.Files, "sample")
	return err
}

// stopWithin is how long requests under way may take when the program ends.
const stopWithin = 5 * time.Second

// run serves the console and the socket while the desk runs.
func (p Program) run(ctx context.Context, log *slog.Logger, d *desk.Desk, set settings, listener net.Listener, shown secured) error {
	door := api.NewDoor(log, d)
	console := web.New(log, d, web.Options{Document: door.Document, Programs: func(k web.Knock) http.Handler { return door.Handler(api.Guard(k)) }, TLS: strings.HasPrefix(set.desk.URL, "https://"), HSTS: shown.remember, Set: set.rules, Trusted: set.desk.Trusted, Limit: set.desk.Silent,
		Warnings: func() []web.Warning { return append(advice(set.Config, d), shown.warnings(time.Now())...) }})
	server := newServer(log, withLines(console.Handler(), d.LineHandler()))
	server.TLSConfig = shown.tls
	public, err := openPublic(set, shown, console.Outside())
	if err != nil {
		return err
	}
	socket, err := openSocket(set.data)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	local := &http.Server{Handler: api.Handler(log, d, ctx.Done()), ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	served := make(chan error, 3)
	go func() {
		if shown.tls != nil {
			served <- server.ServeTLS(listener, "", "")
			return
		}
		served <- server.Serve(listener)
	}()
	go func() { served <- local.Serve(socket) }()
	if public != nil {
		go func() { served <- public.serve() }()
	}
	go TendMemory(ctx, d.Late)
	p.greet(d, set)
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	select {
	case err = <-served:
		err = fmt.Errorf("the console stopped: %w", err)
	case err = <-ended:
		ended <- nil
	case <-ctx.Done():
	}
	stop(err)
	console.Stop()
	late, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	doors := []func(context.Context) error{server.Shutdown, public.shutdown, local.Shutdown}
	stopped := make([]error, len(doors))
	var all sync.WaitGroup
	for k, shut := range doors { // at once: each may wait some seconds for connections that were opened and not used
		all.Go(func() { stopped[k] = shut(late) })
	}
	all.Wait()
	return errors.Join(err, errors.Join(stopped...), <-ended)
}

// newServer returns the console's HTTP server. A request must have come whole within half a minute, or slow bodies could hold
// every connection; the answer may take its time, because the live channel is one without an end.
func newServer(log *slog.Logger, h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
}

// openSocket listens on the socket in the data folder, for its owner alone.
func openSocket(data string) (net.Listener, error) {
	name := filepath.Join(data, client.Socket)
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("removing the socket of an earlier start: %w", err)
	}
	l, err := net.Listen("unix", name)
	if err != nil {
		return nil, fmt.Errorf("opening the socket for the command line (a path may have about 100 bytes; choose a shorter --data): %w", err)
	}
	if err := os.Chmod(name, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("closing the socket to others: %w", err), l.Close())
	}
	return l, nil
}

// greet says where the console is, and how to begin.
func (p Program) greet(d *desk.Desk, set settings) {
	fmt.Fprintf(p.Out, "\nTocsin %s\n  console  %s\n", Version, set.desk.URL)
	switch {
	case set.sample:
		fmt.Fprintf(p.Out, "  sample   bundled logs play in fast motion (%v); nothing here is real\n", set.desk.Pace)
	case len(set.desk.Watch) == 0:
		fmt.Fprintln(p.Out, "  nothing is watched yet: start with --watch /var/log/nginx/access.log, or name it in tocsin.yaml")
	default:
		fmt.Fprintf(p.Out, "  watching %s\n", strings.Join(set.desk.Watch, ", "))
	}
	if set.desk.Hub != nil {
		fmt.Fprintf(p.Out, "  agents   are heard at %s; tocsin agents add lets one in\n", set.desk.Hub.Listener.Addr())
	}
	for _, c := range d.Doors() {
		fmt.Fprintf(p.Out, "  door     %s\n", c.Door)
	}
	fmt.Fprintf(p.Out, "  data     %s\n  keys     %s (back this folder up, apart from the data)\n", set.data, set.keys)
	if d.NeedsSetup() {
		fmt.Fprintf(p.Out, "\nNobody can sign in yet. Open this link once to begin; it works for 24 hours:\n\n  %s\n\n", d.SetupLink(time.Now()))
	}
	for _, w := range advice(set.Config, d) {
		fmt.Fprintf(p.Err, "warning: %s %s\n", Safe(w.Says), Safe(w.Mend))
	}
	now := set.rules
	if in, ok := d.RuleSet(); ok {
		now = in
	}
	p.sayRefused(now)
	for _, r := range now.Kept {
		fmt.Fprintf(p.Err, "rule broken, the old one stays: %s\n", Safe(refusedWords(r)))
	}
}

// settings are flags, settings file and defaults as one.
type settings struct {
	folders
	config.Config
	file   string
	sample bool
	desk   desk.Options
	seed   desk.Seed
	rules  desk.RuleSet
}

func (s settings) tls() bool { return s.TLS.On() }

// url is where people reach the console.
func (s settings) url(addr net.Addr) string {
	if s.PublicURL != "" {
		return strings.TrimSuffix(s.PublicURL, "/")
	}
	_, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "http://localhost"
	}
	scheme := "http"
	if s.tls() {
		scheme = "https"
	}
	return scheme + "://localhost:" + port
}
