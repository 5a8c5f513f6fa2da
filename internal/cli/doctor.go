package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tocsin/internal/client"
	"tocsin/internal/config"
	"tocsin/internal/desk"
	"tocsin/internal/disk"
	"tocsin/internal/intake"
	"tocsin/internal/notify"
	"tocsin/internal/plan"
)

// A finding is one line of the doctor's report.
type finding struct {
	What string `json:"what"`
	OK   bool   `json:"ok"`
	Warn bool   `json:"warn,omitempty"` // works, but look at it
	Says string `json:"says"`
	Mend string `json:"mend,omitempty"`
}

func (p Program) doctor() *cobra.Command {
	var o serveFlags
	var asJSON, quick, offline bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Say what is missing, broken or stale, and how to mend it; tests every sender and source for real",
		Long: "Doctor reads the settings, folders, ledger, archive, vault, rules and sources, and connects to every sender as a call would (without\n" +
			"sending). It changes nothing and works beside a running server. It fails when something does not work.",
		Example: "  tocsin doctor\n  tocsin doctor --config /etc/tocsin/tocsin.yaml --json",
		Args:    takes(0, 0, ""),
		RunE: func(c *cobra.Command, _ []string) error {
			return p.report(p.examine(c.Context(), o, quick, offline), asJSON)
		},
	}
	o.flags(c)
	c.Flags().StringVar(&o.config, "config", "", "settings file")
	c.Flags().StringArrayVar(&o.watch, "watch", nil, "further source to look at; repeatable")
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	c.Flags().BoolVar(&offline, "offline", false, "connect to nobody: leave out senders and all other far sides")
	c.Flags().BoolVar(&quick, "quick", false, "leave out reading every archived line")
	return c
}

func (p Program) report(found []finding, asJSON bool) error {
	bad := 0
	for _, f := range found {
		mark := "ok  "
		switch {
		case !f.OK:
			mark = "BAD "
			bad++
		case f.Warn:
			mark = "look"
		}
		if asJSON {
			if err := json.NewEncoder(p.Out).Encode(f); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(p.Out, "%s  %-10s %s\n", mark, f.What, Safe(f.Says))
		if f.Mend != "" {
			fmt.Fprintf(p.Out, "                 %s\n", Safe(f.Mend))
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d things do not work", bad, len(found))
	}
	return nil
}

// examine looks at everything. What cannot be looked at because of another finding is left out.
func (p Program) examine(ctx context.Context, o serveFlags, quick, offline bool) (found []finding) {
	add := func(what string, err error, good, mend string) bool {
		f := finding{What: what, OK: err == nil, Says: good}
		if err != nil {
			f.Says, f.Mend = err.Error(), mend
		}
		found = append(found, f)
		return err == nil
	}
	s := settings{folders: o.folders, Config: config.Default()}
	if !add("settings", s.readFile(o), "settings read"+from(s.file), "mend the file; every known key is in the manual") {
		return found
	}
	if err := s.fill(s.Config.Data, s.Config.Keys); err != nil {
		add("settings", err, "", "")
		return found
	}
	set, err := p.loadRules(append(s.Config.Rules, o.rules...))
	if add("rules", err, fmt.Sprintf("%d rules loaded", countRules(set)), "") && len(set.Refused) > 0 {
		found = append(found, finding{What: "rules", OK: true, Warn: true, Says: fmt.Sprintf("%d rules were refused and do not watch", len(set.Refused)), Mend: "tocsin rules check says which and why"})
	}
	found = append(found, p.examineFolder(s, quick)...)
	found = append(found, examineSources(append(s.Config.Watch, o.watch...), mappings(s.Config)...)...)
	found = append(found, examineMailKey(s, time.Now())...)
	if !offline {
		found = append(found, p.examineSenders(ctx, s.Config)...)
	}
	found = append(found, p.examineTeam(ctx, s, offline)...)
	if !offline {
		found = append(found, p.examineFar(ctx, s)...)
	}
	if s.tls() {
		found = append(found, examineTLS(s, time.Now())...)
	}
	return append(found, examineServer(ctx, s.data))
}

func from(file string) string {
	if file == "" {
		return ": none, so the defaults hold"
	}
	return " from " + file
}

func countRules(set desk.RuleSet) int {
	if set.Rules == nil {
		return 0
	}
	return len(set.Rules.Documents())
}

// examineFolder looks at the stores, without a lock.
func (p Program) examineFolder(s settings, quick bool) (found []finding) {
	if err := s.exists(); err != nil {
		return []finding{{What: "data", OK: true, Warn: true, Says: err.Error()}}
	}
	for _, dir := range []string{s.data, s.keys} {
		f := finding{What: "folder", OK: true, Says: dir + " is closed to others"}
		if stat, err := os.Stat(dir); err != nil {
			f.OK, f.Says, f.Mend = false, err.Error(), "bring the folder back from its backup"
		} else if stat.Mode().Perm()&0o077 != 0 {
			f.Warn, f.Says, f.Mend = true, "others can look into "+dir, "chmod 700 "+dir
		}
		found = append(found, f)
	}
	data, err := disk.Open(s.data)
	if err == nil {
		var keys *disk.Folder
		if keys, err = disk.Open(s.keys); err == nil {
			for _, x := range desk.Examine(data, keys, quick) {
				found = append(found, finding{What: x.What, OK: x.Err == nil, Says: x.Says, Mend: x.Mend})
			}
			return found
		}
	}
	return append(found, finding{What: "data", Says: err.Error()})
}

// examineSources opens every source for real and looks whether its lines are known.
func examineSources(paths []string, maps ...intake.Mapping) (found []finding) {
	for _, pattern := range paths {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			found = append(found, finding{What: "source", Says: pattern + " is not there", Mend: "see whether the service writes there; it is waited for"})
			continue
		}
		for _, name := range names {
			found = append(found, examineSource(name, maps...))
		}
	}
	return found
}

func examineSource(name string, maps ...intake.Mapping) finding {
	f := finding{What: "source", Says: name}
	stat, err := os.Stat(name)
	if err == nil && !stat.IsDir() && !stat.Mode().IsRegular() {
		f.Says, f.Mend = name+" is no file and no folder", "name the file in which the service writes its log"
		return f
	}
	if err == nil && stat.IsDir() {
		entries, err := os.ReadDir(name)
		if err != nil {
			f.Says, f.Mend = err.Error(), "give the account that runs Tocsin the right to read the folder"
			return f
		}
		return examineLogFolder(name, entries, maps)
	}
	head, err := headOf(name)
	if err != nil {
		f.Says, f.Mend = err.Error(), "give the account that runs Tocsin the right to read it: on Debian, add it to the group adm"
		return f
	}
	format, known := desk.KnownFormat(name, head, maps)
	f.OK, f.Says = true, name+" can be read; its lines are "+format
	if !known {
		f.Warn, f.Says, f.Mend = true, name+" can be read, but its first lines are of no known format", "its lines are kept and counted as not parsed; if they are JSON, mappings in tocsin.yaml say what they mean"
		if head == "" {
			f.Says, f.Mend = name+" can be read and is empty", ""
		}
	}
	return f
}

// headOf reads the start of a log.
func headOf(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	head := make([]byte, 64<<10)
	n, err := file.Read(head)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return string(head[:n]), nil
}

// examineLogFolder counts the files of a folder that can be read and are logs that we know.
func examineLogFolder(dir string, entries []os.DirEntry, maps []intake.Mapping) finding {
	f := finding{What: "source", OK: true}
	logs, files, shut := 0, 0, 0
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		if stat, err := os.Stat(name); err == nil && !stat.Mode().IsRegular() {
			continue
		}
		files++
		head, err := headOf(name)
		if err != nil {
			shut++
		} else if _, known := desk.KnownFormat(name, head, maps); known {
			logs++
		}
	}
	f.Says = fmt.Sprintf("%s is a folder with %d known logs among %d files", dir, logs, files)
	switch {
	case shut > 0:
		f.Warn, f.Says, f.Mend = true, fmt.Sprintf("%s; %d cannot be read", f.Says, shut), "give the account that runs Tocsin the right to read them: on Debian, add it to the group adm"
	case logs == 0:
		f.Warn, f.Mend = true, "see whether the service writes there; packed logs are not looked into here"
	}
	return f
}

// examineSenders connects to every sender as a call would.
func (p Program) examineSenders(ctx context.Context, c config.Config) (found []finding) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if c.Mail.Host == "" {
		found = append(found, finding{What: "mail", OK: true, Warn: true, Says: "no mail server is set, so nobody is rung by mail", Mend: "set mail in tocsin.yaml"})
	} else {
		f := finding{What: "mail", OK: true, Says: fmt.Sprintf("%s:%d takes our mail", c.Mail.Host, c.Mail.Port)}
		m, err := p.mail(c.Mail)
		if err == nil {
			err = m.Check(ctx)
		}
		if err != nil {
			f.OK, f.Says, f.Mend = false, err.Error(), "see mail in tocsin.yaml, and whether the server is up"
		}
		found = append(found, f)
	}
	return found
}

// examineTeam connects to the chat of everybody in the plan, or of those whom the settings would put there, and names who is rung
// in the console alone, and what the settings lack for this team. offline connects to nobody.
func (p Program) examineTeam(ctx context.Context, s settings, offline bool) (found []finding) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	team, own, from, err := p.team(s)
	if err != nil {
		return []finding{{What: "team", Says: "who is rung cannot be read: " + err.Error(), Mend: "see ledger and vault above, and people in tocsin.yaml"}}
	}
	found = p.examineChannels(ctx, s.Config, team, offline)
	var alone []string
	outside := s.Mail.Host != ""
	for _, x := range team {
		outside = outside || x.Webhook != ""
		outside = outside || x.Voice != "" && s.Voice.Calls()
		if x.Webhook == "" && (x.Mail == "" || s.Mail.Host == "") && (x.Voice == "" || !s.Voice.Calls()) {
			alone = append(alone, x.ID)
		}
		if x.Webhook == "" || offline {
			continue
		}
		f := finding{What: "webhook", OK: true, Says: "the chat of " + x.ID + " answers"}
		hook, err := notify.NewWebhook(notify.WebhookOptions{URL: x.Webhook})
		if err == nil {
			err = hook.Check(ctx)
		}
		if err != nil {
			f.OK, f.Says, f.Mend = false, x.ID+": "+err.Error(), "see the webhook of this person "+from
		}
		found = append(found, f)
	}
	if len(alone) > 0 {
		found = append(found, finding{What: "team", OK: true, Warn: true, Says: "rung in the console only, because mail and chat do not reach them: " + strings.Join(alone, ", "),
			Mend: "give them a webhook, or a mail address and the program a mail server"})
	}
	if !own {
		found = append(found, builtInPolicy())
	}
	for _, w := range lacking(s.Config, outside) {
		found = append(found, finding{What: "settings", OK: true, Warn: true, Says: w.Says, Mend: w.Mend})
	}
	return found
}

// builtInPolicy says what happens while nobody has set an escalation policy.
func builtInPolicy() finding {
	x := plan.DefaultPolicy()
	return finding{What: "escalation", OK: true, Says: fmt.Sprintf("there is no escalation policy of your own, so the built-in one is in force: a call rings everyone at once, again every %.0f minutes until "+
		"somebody answers, and once more when nobody is seen at work for %.0f minutes after an answer", x.Every.Minutes(), x.Attend.Minutes()),
		Mend: "to ring some people first, set a policy on the console's page People, and make schedules for it under On call"}
}

// team is the plan's if there is one, else that of the settings; own says whether it has an escalation policy, from where it is changed.
func (p Program) team(s settings) (team []desk.Reach, own bool, from string, err error) {
	if _, err := os.Stat(filepath.Join(s.data, "ledger")); err == nil {
		data, err := disk.Open(s.data)
		if err != nil {
			return nil, false, "", err
		}
		keys, err := disk.Open(s.keys)
		if err != nil {
			return nil, false, "", err
		}
		team, own, err = desk.Team(data, keys)
		if err != nil || len(team) > 0 || own {
			return team, own, "on the console's page People", err
		}
	}
	seed, err := p.seedOf(s.Config)
	for _, x := range seed.People {
		team = append(team, desk.Reach{ID: x.ID, Mail: x.Contact.Mail, Webhook: x.Contact.Webhook, Voice: x.Contact.Voice})
	}
	return team, seed.Policy != nil, "in the file that tocsin.yaml names", err
}

// examineServer asks whether a server runs on the folder.
func examineServer(ctx context.Context, data string) finding {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := client.New(data).Alive(ctx); err != nil {
		return finding{What: "server", OK: true, Warn: true, Says: err.Error(), Mend: "tocsin serve starts it"}
	}
	return finding{What: "server", OK: true, Says: "a server runs on this folder, and its bell is alive"}
}
