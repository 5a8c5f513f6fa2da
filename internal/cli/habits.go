package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/detect"
	"tocsin/internal/disk"
)

func (p Program) habits() *cobra.Command {
	var f habitFlags
	var asJSON bool
	c := &cobra.Command{
		Use:   "habits [ACCOUNT]",
		Short: "Show what is normal for accounts, as it was learnt; without an account, all of them",
		Long: "Habits shows countries, networks, devices, hours and volumes of each account whose sign-ins and transfers were seen. ACCOUNT is a name, or\n" +
			"realm/name where several realms have it. It reads the data folder, also beside a running server, which writes it every few seconds; with\n" +
			"--server it asks the one there.",
		Example: "  tocsin habits\n  tocsin habits ssh/deploy\n  tocsin habits anna --json\n  tocsin habits reset admin/anna --why \"the account was abused until noon\"",
		Args:    takes(0, 1, ""),
		RunE: func(c *cobra.Command, args []string) error {
			list, err := f.habits(c.Context())
			if err != nil {
				return err
			}
			if len(args) == 1 {
				if list = named(list, args[0]); len(list) == 0 {
					return fmt.Errorf("nothing is known of the account %q in %s", args[0], cmp.Or(f.server, f.data))
				}
			}
			if asJSON {
				return writeEach(p.Out, list)
			}
			if len(args) == 1 {
				return p.showHabits(list)
			}
			return p.listHabits(list)
		},
	}
	f.flags(c)
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	c.AddCommand(p.habitsReset())
	return c
}

func (p Program) habitsReset() *cobra.Command {
	var f habitFlags
	var why, person string
	c := &cobra.Command{
		Use:     "reset ACCOUNT",
		Short:   "Forget what is normal for an account, so that it is learnt anew; written in the ledger with the reason",
		Long:    "Reset asks the running server, through the socket in the data folder, or with --server the one there. Do it after somebody else used the account, or when its owner's ways changed for good.",
		Example: "  tocsin habits reset admin/anna --why \"the account was abused until noon\"",
		Args:    takes(1, 1, "the name of an account"),
		RunE: func(c *cobra.Command, args []string) error {
			if strings.TrimSpace(why) == "" {
				return wrong{errors.New("--why: say the reason; it is written in the ledger")}
			}
			list, err := f.habits(c.Context())
			if err != nil {
				return err
			}
			found := named(list, args[0])
			switch {
			case len(found) == 0 && strings.Contains(args[0], "/"): // the server may know more than the file
				realm, name, _ := strings.Cut(args[0], "/")
				found = []detect.Habit{{Realm: realm, Account: name}}
			case len(found) == 0:
				return fmt.Errorf("nothing is known of the account %q yet; name it with its realm, such as admin/%s, if it signed in within the last seconds", args[0], args[0])
			case len(found) > 1:
				return fmt.Errorf("%q is an account of several realms; name one: %s", args[0], strings.Join(fullNames(found), ", "))
			}
			who, _, err := f.client()
			if err != nil {
				return err
			}
			if who == nil {
				who = client.New(f.data)
			}
			err = who.Forget(c.Context(), found[0].Realm, found[0].Account, why, person)
			if errors.Is(err, client.ErrNotRunning) {
				return fmt.Errorf("%w: %s; start `tocsin serve`, or name its folder with --data", err, f.data)
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.Out, "What was normal for %s is forgotten. It is learnt anew from now on.\n", Safe(fullNames(found)[0]))
			return err
		},
	}
	f.flags(c)
	c.Flags().StringVar(&why, "why", "", "the reason, for the ledger (needed)")
	c.Flags().StringVar(&person, "as", "", "staff id of who does it (default: nobody in particular)")
	return c
}

// habitFlags are where what is normal is looked up.
type habitFlags struct {
	folders
	elsewhere
}

func (f *habitFlags) flags(c *cobra.Command) {
	f.folders.flags(c)
	f.elsewhere.flags(c)
}

// habits returns what is normal for accounts: as the server elsewhere says, or as the data folder has it.
func (f *habitFlags) habits(ctx context.Context) ([]detect.Habit, error) {
	who, _, err := f.client()
	if err != nil {
		return nil, err
	}
	if who == nil {
		return f.learnt()
	}
	all, err := who.Habits(ctx)
	out := make([]detect.Habit, len(all))
	for k, x := range all {
		if err := json.Unmarshal(x, &out[k]); err != nil {
			return nil, fmt.Errorf("reading what the server says is normal: %w", err)
		}
	}
	return out, err
}

// learnt reads what is normal for accounts from the data folder.
func (f *folders) learnt() ([]detect.Habit, error) {
	if err := f.fill("", ""); err != nil {
		return nil, err
	}
	if err := f.exists(); err != nil {
		return nil, err
	}
	data, err := disk.Open(f.data)
	if err != nil {
		return nil, err
	}
	return desk.ReadHabits(data)
}

// named finds accounts by name, or by realm/name.
func named(list []detect.Habit, name string) (out []detect.Habit) {
	for _, h := range list {
		if h.Account == name || h.Realm+"/"+h.Account == name {
			out = append(out, h)
		}
	}
	return out
}

func fullNames(list []detect.Habit) (out []string) {
	for _, h := range list {
		out = append(out, h.Realm+"/"+h.Account)
	}
	return out
}

func writeEach[T any](w io.Writer, list []T) error {
	e := json.NewEncoder(w)
	for _, x := range list {
		if err := e.Encode(x); err != nil {
			return err
		}
	}
	return nil
}

// writeUnusual says what is not normal, in the words of the alerts that know, by their numbers.
func writeUnusual(w io.Writer, alerts []desk.ReplayAlert) {
	head := "\nNOT NORMAL\n"
	for n, a := range alerts {
		if a.Why != "" {
			fmt.Fprintf(w, "%s%d  %s\n", head, n+1, Safe(a.Why))
			head = ""
		}
	}
}

func (p Program) listHabits(list []detect.Habit) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(p.Err, "nothing was learnt yet: no sign-in and no transfer that names an account was read")
		return err
	}
	t := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ACCOUNT\tSIGN-INS\tDAYS\tLAST\tCOUNTRIES\tSTATE")
	for _, h := range list {
		var places []string
		for _, c := range h.Countries {
			places = append(places, fmt.Sprintf("%s %d", c.Name, c.Count))
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%s\t%s\n", Safe(h.Realm+"/"+h.Account), h.Signins, h.Days, h.Last.UTC().Format(time.RFC3339), Safe(strings.Join(places, ", ")), learning(h))
	}
	return t.Flush()
}

func learning(h detect.Habit) string {
	if h.Learning {
		return "learning"
	}
	return "known"
}

func (p Program) showHabits(list []detect.Habit) error {
	t := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	for i, h := range list {
		if i > 0 {
			fmt.Fprintln(t)
		}
		fmt.Fprintf(t, "%s, %s\n", Safe(h.Realm+"/"+h.Account), learning(h))
		fmt.Fprintf(t, "sign-ins\t%d on %d days, from %s to %s\n", h.Signins, h.Days, h.First.UTC().Format(time.RFC3339), h.Last.UTC().Format(time.RFC3339))
		for _, k := range h.Countries {
			fmt.Fprintf(t, "country\t%s: %d, %d in the last 30 days, last on %s\n", Safe(detect.CountryName(k.Name)), k.Count, k.Recent, k.Last)
		}
		for _, k := range h.Networks {
			fmt.Fprintf(t, "network\t%s: %d, last on %s\n", Safe(k.Name), k.Count, k.Last)
		}
		for _, k := range h.Devices {
			fmt.Fprintf(t, "device\t%s: %d, last on %s\n", Safe(k.Name), k.Count, k.Last)
		}
		for hour, n := range h.Hours {
			if n >= 0.1 {
				fmt.Fprintf(t, "hour\t%02d:00: %.1f\n", hour, n)
			}
		}
		for _, v := range h.Volumes {
			fmt.Fprintf(t, "%s\tmedian %s and %.0f files of %d, far above from %s or %.0f files on\n", v.What, desk.Size(int64(v.Median)), v.MedianFiles, v.Past, desk.Size(int64(v.Far)), v.FarFiles)
		}
		for _, w := range h.Waiting {
			fmt.Fprintf(t, "waiting\t%s: an odd sign-in, learnt when it comes again after a day\n", Safe(w))
		}
	}
	return t.Flush()
}
