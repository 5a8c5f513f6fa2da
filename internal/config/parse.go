package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A Problem is one mistake in the file, or in what flags made of it.
type Problem struct {
	File         string // "" when no file says it
	Line, Column int    // from 1, in characters; 0 when no place can be named
	Says         string // the key, what is wrong with it and how to mend it
}

func (p Problem) Error() string {
	switch {
	case p.File == "":
		return p.Says
	case p.Line == 0:
		return p.File + ": " + p.Says
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Says)
}

// maxFile is the most bytes that are read of a file, maxProblems how many of its problems are told.
const (
	maxFile     = 256 << 10
	maxProblems = 50
)

// A Check finds what is wrong with settings that only another package can judge. It calls say with the key, as mappings[1].fields, and what is
// wrong and how to mend it; the message gets the place in the file.
type Check func(c *Config, say func(key, says string))

// Load reads a settings file. All its mistakes come as one joined error of Problems.
func Load(name string, more ...Check) (Config, error) {
	data, err := readFile(name)
	if err != nil {
		return Config{}, err
	}
	return Parse(name, data, more...)
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading the settings: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading the settings: %w", err)
	}
	return data, nil
}

// Parse reads settings from data; name is for messages, and relative paths begin at its folder. An empty file is the
// default. The error joins a Problem for each mistake, in the order of the file; with one the settings are not to be used.
func Parse(name string, data []byte, more ...Check) (Config, error) {
	c := Default()
	d := &decoder{file: name, places: make(map[string]place), failed: make(map[string]bool)}
	d.decode(data, &c)
	d.check(&c)
	for _, check := range more {
		check(&c, func(key, says string) {
			if !d.failed[key] {
				d.wrong(d.near(key), key, "%s", says)
			}
		})
	}
	if len(d.problems) == 0 {
		c.resolve(filepath.Dir(name))
	}
	return c, d.err()
}

// Check repeats what Parse checks, after flags were put over the file's settings.
func (c Config) Check() error {
	var d decoder
	d.check(&c)
	return d.err()
}

// err joins the problems, first those that come first in the file.
func (d *decoder) err() error {
	slices.SortStableFunc(d.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	var all []error
	for _, p := range d.problems[:min(len(d.problems), maxProblems)] {
		all = append(all, p)
	}
	if more := len(d.problems) - maxProblems; more > 0 {
		all = append(all, fmt.Errorf("and %d mistakes more", more))
	}
	return errors.Join(all...)
}

// resolve makes relative paths begin at dir.
func (c *Config) resolve(dir string) {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs // "./smtp" must not become "smtp", which is a credential
	}
	at := func(p *string) {
		if *p != "" && !filepath.IsAbs(*p) {
			folder := strings.HasSuffix(*p, "/")
			if *p = filepath.Join(dir, *p); folder {
				*p += "/" // Join drops it, and with it that a folder was meant
			}
		}
	}
	secret := func(p *string) {
		if strings.Contains(*p, "/") {
			at(p)
		}
	}
	for _, p := range []*string{&c.Data, &c.Keys, &c.TLS.Cert, &c.TLS.Key, &c.TLS.ACME.CAFile, &c.Mail.CAFile, &c.Mail.SMIMEAuthorities, &c.Mail.Bounces.IMAP.CAFile, &c.Syslog.Cert, &c.Syslog.Key, &c.Syslog.ClientCA} {
		at(p)
	}
	for i := range c.Watch {
		at(&c.Watch[i])
	}
	for i := range c.Rules {
		at(&c.Rules[i])
	}
	for i := range c.Geo {
		at(&c.Geo[i])
	}
	for i := range c.Buckets {
		at(&c.Buckets[i].KeyFile)
	}
	for i := range c.Webhooks {
		at(&c.Webhooks[i].CAFile)
		secret(&c.Webhooks[i].KeyFile)
	}
	secret(&c.Mail.PasswordFile)
	secret(&c.Mail.Bounces.IMAP.PasswordFile)
	secret(&c.SignOn.SecretFile)
	for i := range c.People {
		secret(&c.People[i].WebhookFile)
	}
	limits := c.Silent
	c.Silent = nil
	for path, limit := range limits {
		if isPath(path) {
			at(&path)
		}
		if c.Silent == nil {
			c.Silent = make(map[string]Duration)
		}
		c.Silent[path] = limit
	}
}
