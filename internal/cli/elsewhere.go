package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"tocsin/internal/client"
)

// tokenName is the variable that holds a token. A token is never an argument: lists of processes show these.
const tokenName = "TOCSIN_TOKEN"

// elsewhere is a server on another machine.
type elsewhere struct{ server, tokenFile, ca, fingerprint string }

// flags adds what names a server, beside the folders.
func (f *listFlags) flags(c *cobra.Command) {
	f.folders.flags(c)
	f.elsewhere.flags(c)
}

func (f *elsewhere) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.server, "server", "", "ask the Tocsin at this address (https://tocsin.example) with a token from "+tokenName+" or --token-file, in place of one on this machine")
	c.Flags().StringVar(&f.tokenFile, "token-file", "", "with --server: a file that holds the token and is not open to others")
	c.Flags().StringVar(&f.ca, "ca", "", "with --server: a file of certificates (PEM) to believe in place of the machine's")
	c.Flags().StringVar(&f.fingerprint, "fingerprint", "", "with --server: the SHA-256 of its certificate, which alone is believed")
}

// client returns a client of the server elsewhere; nil when none is named.
func (e elsewhere) client() (*client.Client, func() error, error) {
	if e.server == "" {
		if e.tokenFile != "" || e.ca != "" || e.fingerprint != "" {
			return nil, nil, wrong{errors.New("--token-file, --ca and --fingerprint go with --server")}
		}
		return nil, nil, nil
	}
	x := client.Server{URL: e.server, Fingerprint: e.fingerprint, Token: os.Getenv(tokenName)}
	var err error
	if e.tokenFile != "" {
		if x.Token, err = tokenIn(e.tokenFile); err != nil {
			return nil, nil, err
		}
	}
	if e.ca != "" {
		if x.CA, err = os.ReadFile(e.ca); err != nil {
			return nil, nil, fmt.Errorf("reading the certificates to believe: %w", err)
		}
	}
	c, err := client.At(x)
	if err != nil {
		return nil, nil, wrong{err}
	}
	return c, func() error { return nil }, nil
}

// tokenIn reads a token, of a file that is its owner's alone.
func tokenIn(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("reading the token: %w", err)
	}
	defer f.Close()
	s, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("reading the token: %w", err)
	}
	if s.Mode().IsRegular() && s.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("the token in %s can be read by others: chmod 600 %s", name, name)
	}
	b, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return "", fmt.Errorf("reading the token: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}
