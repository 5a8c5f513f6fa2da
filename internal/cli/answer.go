package cli

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"

	"github.com/spf13/cobra"

	"tocsin/internal/client"
)

func (p Program) answer() *cobra.Command {
	var f folders
	var person string
	c := &cobra.Command{
		Use:     "answer [CALL]",
		Short:   "Answer a call on this machine (without a number: the one that rings longest)",
		Long:    "Answer takes a call through the socket in the data folder, so that nobody else is rung for it. It needs a running server.",
		Example: "  tocsin answer\n  tocsin answer 3 --as anna",
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
			got, err := client.New(f.data).Answer(c.Context(), call, person)
			if errors.Is(err, client.ErrNotRunning) {
				return fmt.Errorf("%w: %s; start `tocsin serve`, or name its folder with --data", err, f.data)
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.Out, "You answered call %d. Nobody else is rung for it.\n", got.Call)
			return err
		},
	}
	f.flags(c)
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
