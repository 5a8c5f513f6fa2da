package desk

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"tocsin/internal/detect"
	"tocsin/internal/entry"
)

// Folders are where the rules come from, so that they are loaded again when a file changes.
type Folders struct {
	Set  RuleSet  // as loaded
	All  []fs.FS  // the bundled folder first
	Dirs []string // those of All that may change, as paths to look at
}

const (
	rulesLook  = 5 * time.Second        // how often the folders are looked at, if the system tells nothing
	rulesQuiet = 300 * time.Millisecond // so long nothing may have happened: an editor writes a file in several steps
	rulesLate  = 3 * time.Second        // but no longer is waited for it
)

// RuleSet returns the rules in use, with what was refused. It is false when the desk was given rules without folders: its texts
// are not known then.
func (d *Desk) RuleSet() (RuleSet, bool) { return *d.rules.Load(), d.o.Folders != nil }

// watchRules loads the rules again whenever a rule folder changes, until ctx ends.
func (d *Desk) watchRules(ctx context.Context) error {
	if d.o.Folders == nil || len(d.o.Folders.Dirs) == 0 {
		<-ctx.Done()
		return nil
	}
	w, err := fsnotify.NewWatcher()
	if err != nil {
		d.log.Warn("the system does not tell of changes to rule folders (inotify); they are looked at regularly, so a change counts a little later", "error", err)
		w = &fsnotify.Watcher{}
	} else {
		defer w.Close()
	}
	look := time.NewTicker(rulesLook)
	defer look.Stop()
	last := ""
	for {
		seen := d.lookAtRules(w, err == nil)
		if seen != last { // at first, too: something may have changed since the rules were loaded
			d.reloadRules()
		}
		last = seen
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
		case <-w.Events:
			settle(ctx, w.Events)
			last = "changed" // a stamp may be the same as before
		case <-w.Errors: // among them: the kernel's queue ran over
			last = "changed"
		}
	}
}

// settle waits until nothing more happens.
func settle(ctx context.Context, happens <-chan fsnotify.Event) {
	late := time.After(rulesLate)
	for {
		select {
		case <-ctx.Done():
			return
		case <-late:
			return
		case <-time.After(rulesQuiet):
			return
		case <-happens:
		}
	}
}

// lookAtRules says in one text which rule files there are, with size and stamp, and has the system tell of changes in their folders.
func (d *Desk) lookAtRules(w *fsnotify.Watcher, tells bool) string {
	var b strings.Builder
	for _, dir := range d.o.Folders.Dirs {
		_ = fs.WalkDir(os.DirFS(dir), ".", func(name string, e fs.DirEntry, err error) error { // as rules are read: dir may be a link
			name = filepath.Join(dir, name)
			switch {
			case err != nil:
				fmt.Fprintf(&b, "%s: %v\n", name, err)
			case e.IsDir() && tells:
				_ = w.Add(name) // a folder that the system does not tell of is looked at, like all others
			case !e.IsDir() && ruleFile(name):
				if stat, err := os.Stat(name); err == nil {
					fmt.Fprintf(&b, "%s %d %d\n", name, stat.Size(), stat.ModTime().UnixNano())
				}
			}
			return nil
		})
	}
	return b.String() + "."
}

// reloadRules reads the folders and hands what is different to the reader.
func (d *Desk) reloadRules() {
	last := *d.rules.Load()
	if p := d.reader.pending(); p != nil {
		last = *p
	}
	set, err := last.Reload(d.o.Folders.All...)
	if err != nil {
		if last.Trouble != err.Error() {
			d.log.Error("the rules cannot be loaded again: the last ones go on", "error", err)
			last.Trouble = err.Error()
			d.reader.use(&last)
		}
		return
	}
	if set.print == last.print && last.Trouble == "" {
		return
	}
	for _, r := range set.Kept {
		d.log.Warn("a rule is broken: the old one stays", "file", r.File, "line", r.Line, "rule", r.Rule, "feature", r.Feature, "why", r.Why)
	}
	for _, r := range set.Refused {
		d.log.Warn("a rule was refused and does not watch", "file", r.File, "line", r.Line, "rule", r.Rule, "feature", r.Feature, "why", r.Why)
	}
	d.reader.use(&set)
}

// loaded is the entry that says which rules detection uses from now on.
func (s RuleSet) loaded(a detect.Adopted) entry.Draft {
	return entry.Draft{Actor: "desk", Kind: entry.RulesLoaded, Subject: "rules", Body: entry.Rules{
		Hash: s.Rules.Hash(), Loaded: len(s.Rules.Documents()), Refused: len(s.Refused), Kept: len(s.Kept), Fresh: len(a.Fresh), Gone: len(a.Gone)}}
}
