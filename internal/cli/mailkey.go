package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"tocsin/internal/client"
)

// mailKeys are the commands on keys for mail.
func (p Program) mailKeys() *cobra.Command {
	var f listFlags
	var why string
	var compromised, armour bool
	c := &cobra.Command{Use: "mail", Short: "Keys for mail: our own, and those of people",
		Long:    "Mail signs what leaves with a key of its own, and encrypts to keys of people. doc/mail.md says what protects it.",
		Example: "  tocsin mail key\n  tocsin mail renew --why 'it ends in March'\n  tocsin mail revoke --why 'the server was stolen' --compromised", Args: takes(0, 0, ""),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	show := func(k client.MailKey) error {
		if f.json {
			return json.NewEncoder(p.Out).Encode(k)
		}
		if armour {
			_, err := fmt.Fprint(p.Out, k.Armoured)
			return err
		}
		fmt.Fprintf(p.Out, "%s  %s\n  good until %s\n", Safe(k.Address), Safe(k.Fingerprint), k.Expires.UTC().Format("2 January 2006"))
		if k.Warning != "" {
			fmt.Fprintf(p.Out, "  %s\n", Safe(k.Warning))
		}
		for _, x := range k.Past {
			word := "replaced"
			if x.Revoked {
				word = "revoked"
			}
			fmt.Fprintf(p.Out, "  %s  %s %s\n", Safe(x.Fingerprint), word, stamp(x.Ended))
		}
		return nil
	}
	key := &cobra.Command{Use: "key", Short: "Show our own key: what people compare", Args: takes(0, 0, ""), Example: "  tocsin mail key\n  tocsin mail key --armour > tocsin.asc",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, _ []string) error {
			k, err := c.MailKey(ctx)
			if err != nil {
				return err
			}
			return show(k)
		})}
	renew := &cobra.Command{Use: "renew", Short: "Make the next key; the present one certifies it and stays good until it expires", Args: takes(0, 0, ""), Example: "  tocsin mail renew --why 'it ends in March'",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, _ []string) error {
			k, err := c.RenewMailKey(ctx, why, f.as)
			if err != nil {
				return err
			}
			return show(k)
		})}
	revoke := &cobra.Command{Use: "revoke", Short: "Revoke our key, tell the directory so, and make a new one", Args: takes(0, 0, ""),
		Long:    "Revoke ends the present key for good: the directory (WKD) serves it with its revocation beside the new one. With --compromised the old one does not\ncertify the new one, and people have to compare the new fingerprint.",
		Example: "  tocsin mail revoke --why 'the server was stolen' --compromised",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, _ []string) error {
			k, err := c.RevokeMailKey(ctx, why, compromised, f.as)
			if err != nil {
				return err
			}
			return show(k)
		})}
	revocation := &cobra.Command{Use: "revocation", Short: "Print the certificate that revokes our key, for the safe: do not publish it before it is needed", Args: takes(0, 0, ""),
		Example: "  tocsin mail revocation > revocation.asc",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, _ []string) error {
			text, err := c.MailKeyRevocation(ctx, f.as)
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(p.Out, text)
			return err
		})}
	add := &cobra.Command{Use: "add PERSON FILE", Short: "Bring somebody's OpenPGP key or S/MIME certificate, in armour or binary (PEM or DER)", Args: takes(2, 2, "a PERSON and a FILE"), Example: "  tocsin mail add anna anna.asc\n  tocsin mail add boris boris.der",
		RunE: p.asks(&f, func(ctx context.Context, c *client.Client, _ time.Time, args []string) error {
			b, err := os.ReadFile(args[1])
			if err != nil {
				return err
			}
			says, err := c.PutKey(ctx, args[0], b, f.as)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(p.Out, Safe(says))
			return err
		})}
	for _, sub := range []*cobra.Command{key, renew, revoke, revocation, add} {
		f.flags(sub)
		c.AddCommand(sub)
	}
	for _, sub := range []*cobra.Command{renew, revoke, revocation, add} {
		sub.Flags().StringVar(&f.as, "as", "", "staff id of who does it (default: nobody in particular)")
	}
	for _, sub := range []*cobra.Command{renew, revoke} {
		sub.Flags().StringVar(&why, "why", "", "why, for the ledger")
	}
	for _, sub := range []*cobra.Command{key, renew, revoke} {
		sub.Flags().BoolVar(&f.json, "json", false, "as JSON")
	}
	key.Flags().BoolVar(&armour, "armour", false, "the whole public key, for others")
	revoke.Flags().BoolVar(&compromised, "compromised", false, "somebody else may have the key")
	return c
}
