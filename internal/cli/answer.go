package cli

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"tocsin/internal/client"
)

func (p Program) answer() *cobra.Command {
	var f listFlags
	var person string
	var pass bool
	var snooze time.Duration
	c := &cobra.Command{
		Use:     "answer [CALL]",
		Short:   "Answer a call on this machine (without a number: the one that rings longest)",
		Long:    "Answer takes a call through the socket in the data folder, so that nobody else is rung for it. It needs a running server; with --server one elsewhere.",
		Example: "  tocsin answer\n  tocsin answer 3 --as anna\n  tocsin answer --pass --as anna\n  tocsin answer 3 --snooze 15m",
		Args:    takes(0, 1, ""),
		RunE: func(c *cobra.Command, args []string) error {
			var call int64
			if len(args) == 1 {
				n, err := strconv.ParseInt(args[0], 10, 64)
				if err != nil || n < 1 {
					return wrong{fmt.Errorf("%q is not the number of a call", args[0])}
				}
				call = n
			}
			if err := f.fill("", ""); err != nil {
				return err
			}
			var got client.Answered
			says := "You answered call %d. Nobody else is rung for it.\n"
			at, _, err := f.client()
			if err != nil {
				return err
			}
			if at == nil {
				at = client.New(f.data)
			}
			switch {
			case pass && snooze != 0:
				return wrong{errors.New("--pass and --snooze are two things: choose one")}
			case pass:
				got, err = at.PassOn(c.Context(), call, person)
				says = "You passed call %d on. The next step rings now.\n"
			case snooze != 0:
				got, err = at.Snooze(c.Context(), call, snooze, person)
				says = "Call %d is quiet until " + time.Now().Add(snooze).Format("15:04 MST") + "; then it rings again.\n"
			default:
				got, err = at.Answer(c.Context(), call, person)
			}
			if errors.Is(err, client.ErrNotRunning) {
				return fmt.Errorf("%w: %s; start `tocsin serve`, or name its folder with --data", err, f.data)
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.Out, says, got.Call)
			return err
		},
	}
	f.flags(c)
	c.Flags().BoolVar(&pass, "pass", false, "do not answer it: pass it on, so that the next step rings at once")
	c.Flags().DurationVar(&snooze, "snooze", 0, "do not answer it: keep it quiet for so long (at most 4h, 15m when it is critical)")
	c.Flags().StringVar(&person, "as", "", "staff id of who answers (default: nobody in particular)")
	return c
}

// whoami names the account that runs this program, for messages.
func whoami() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return strconv.Itoa(os.Getuid())
}
