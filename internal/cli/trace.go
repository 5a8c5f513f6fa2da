package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tocsin/internal/client"
)

type traceFlags struct {
	folders
	elsewhere
	zone, as string
	json     bool
	timeout  time.Duration
}

const traceLong = `Trace reads for the cause of an incident: from its alerts back to the first sign of whoever did it, and on to what they touched. It asks the kept lines for
the first line of each suspect address, what it looked for in vain, the sign-ins that failed and worked, what it uploaded, fetched and exported, where the accounts
that it opened are used otherwise and were used next, and which other addresses have its sessions, its programs or its paths.

Each sentence is a fact, which the lines say, or a guess, which is marked and says why. Below each stand the numbers of its lines and the query that finds precisely
these. What was not looked into is said at the end. Beside a running server that one is asked; without one the folder is opened.

--json prints one object. Names are only added:
  {"incident":11,"title":"...","statements":[{"at":"RFC 3339","until":"...","kind":"fact","step":"first","text":"...","why":"","bytes":0,"about":[0],
   "count":70,"query":"...","lines":[{"number":1,"host":"","file":"...","time":"..."}]}],"nodes":[{"kind":"address","name":"...","note":"DE","suspect":true}],
   "edges":[{"from":0,"to":1,"verb":"signed in as","statement":2,"guess":false}],"cut":[],"asked":40}
kind is fact or guess; why is there for a guess; about, from and to are places in nodes, statement is one in statements; lines are the first hundred of count.

Exit status: 0 told, 1 failed (no such incident among others), 2 wrong use.`

func (p Program) trace() *cobra.Command {
	var o traceFlags
	c := &cobra.Command{Use: "trace INCIDENT", Short: "Tell how an incident came about: facts, guesses, and the lines of each", Long: traceLong, Args: takes(1, 1, "the number of an INCIDENT"),
		Example: "  tocsin trace 11\n  tocsin trace 11 --zone Europe/Berlin\n  tocsin trace 11 --json | jq -r '.statements[] | select(.kind == \"guess\") | .text'",
		RunE:    func(c *cobra.Command, args []string) error { return p.runTrace(c.Context(), &o, args[0]) }}
	o.folders.flags(c)
	o.elsewhere.flags(c)
	c.Flags().StringVar(&o.zone, "zone", "", "time zone of what is printed (default: this machine's)")
	c.Flags().StringVar(&o.as, "as", "", "staff id of who asks (default: nobody in particular)")
	c.Flags().BoolVar(&o.json, "json", false, "as one JSON object")
	c.Flags().DurationVar(&o.timeout, "timeout", 0, "end after so long with what is known by then (default 30s, at most 1h)")
	return c
}

func (p Program) runTrace(ctx context.Context, o *traceFlags, incident string) error {
	id, err := strconv.ParseInt(strings.TrimPrefix(incident, "#"), 10, 64)
	if err != nil || id < 1 {
		return wrong{fmt.Errorf("%q is not the number of an incident; the console lists them", incident)}
	}
	if o.timeout < 0 {
		return wrong{errors.New("--timeout is not negative")}
	}
	if o.zone == "" {
		o.zone = machineZone()
	}
	zone, err := time.LoadLocation(o.zone)
	if err != nil || o.zone == "Local" {
		return wrong{fmt.Errorf("--zone: unknown time zone %q", o.zone)}
	}
	who, end, err := o.client()
	if who == nil && err == nil {
		who, end, err = p.reach(ctx, &o.folders)
	}
	if err != nil {
		return err
	}
	s, err := who.Trace(ctx, id, client.Tracing{Zone: o.zone, Timeout: o.timeout, Person: o.as})
	switch {
	case err != nil:
	case o.json:
		to := json.NewEncoder(p.Out)
		to.SetEscapeHTML(false)
		err = to.Encode(s)
	default:
		err = p.tell(s, zone)
	}
	return errors.Join(err, end())
}

// tell prints a story for people.
func (p Program) tell(s client.Story, zone *time.Location) error {
	w := bufio.NewWriter(p.Out)
	fmt.Fprintf(w, "Incident %d: %s\n", s.Incident, Safe(s.Title))
	if len(s.Statements) == 0 {
		fmt.Fprint(w, "\nNo kept line says anything about it.\n")
	}
	for _, st := range s.Statements {
		sure := ""
		if st.Kind != "fact" {
			sure = "guess: "
		}
		fmt.Fprintf(w, "\n%s  %s%s\n", st.At.In(zone).Format(clockForm), sure, Safe(st.Text))
		indent := strings.Repeat(" ", len(clockForm)+2)
		if st.Why != "" {
			fmt.Fprintf(w, "%swhy: %s\n", indent, Safe(st.Why))
		}
		fmt.Fprintf(w, "%s%s of %s: tocsin search %s\n", indent, lineNumbers(st), logsOf(st), Safe(quoteForShell(st.Query)))
	}
	for _, c := range s.Cut {
		fmt.Fprintf(w, "\nleft out: %s\n", Safe(c))
	}
	return w.Flush()
}

const numbersShown = 6 // runs of line numbers

// lineNumbers says how many lines there are, and which, runs of them as 4-9.
func lineNumbers(st client.Statement) string {
	var runs []string
	for i := 0; i < len(st.Lines); {
		k := i
		for k+1 < len(st.Lines) && st.Lines[k+1].Number == st.Lines[k].Number+1 {
			k++
		}
		run := strconv.FormatInt(st.Lines[i].Number, 10)
		if k > i {
			run += "-" + strconv.FormatInt(st.Lines[k].Number, 10)
		}
		runs, i = append(runs, run), k+1
	}
	more := st.Count > int64(len(st.Lines)) || len(runs) > numbersShown
	text := strings.Join(runs[:min(len(runs), numbersShown)], ", ")
	if more {
		text += ", ..."
	}
	if st.Count == 1 {
		return "line " + text
	}
	return thousands(st.Count) + " lines (" + text + ")"
}

// logsOf names the files of a statement's lines.
func logsOf(st client.Statement) string {
	var names []string
	seen := map[string]bool{}
	for _, l := range st.Lines {
		name := l.File
		if l.Host != "" {
			name = l.Host + ":" + name
		}
		if !seen[name] {
			seen[name] = true
			names = append(names, Safe(name))
		}
	}
	return strings.Join(names, ", ")
}

// quoteForShell puts a text in single quotes (POSIX shell, 2.2.2).
func quoteForShell(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
