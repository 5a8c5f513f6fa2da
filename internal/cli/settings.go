package cli

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"tocsin/internal/config"
	"tocsin/internal/desk"
	"tocsin/internal/entry"
	"tocsin/internal/intake"
	"tocsin/internal/notify"
)

// reserve is how much of the disk the archive leaves to the ledger.
const reserve = 64 << 20

// settings puts flags over the settings file over the defaults.
func (p Program) settings(o serveFlags) (settings, error) {
	s := settings{folders: o.folders, sample: o.sample, Config: config.Default()}
	if err := s.readFile(o); err != nil {
		return s, err
	}
	if o.listen != "" {
		s.Listen = o.listen
	}
	if err := s.Check(); err != nil {
		return s, err
	}
	if err := s.fill(s.Config.Data, s.Config.Keys); err != nil {
		return s, err
	}
	folders, err := p.ruleFolders(append(s.Config.Rules, o.rules...))
	if err != nil {
		return s, err
	}
	s.rules = folders.Set
	if len(o.geo) == 0 {
		o.geo = s.Config.Geo
	}
	if o.sample && (len(o.watch) > 0 || len(s.Config.Watch) > 0) {
		return s, wrong{errors.New("--sample plays bundled logs and watches nothing: leave out --watch, or --sample")}
	}
	s.desk = desk.Options{Version: Version, Organisation: s.Organisation, Rules: s.rules.Rules, Refused: s.rules.Refused, Warned: s.rules.Warned, Folders: &folders,
		Own: config.Prefixes(s.OwnNetworks), Shared: config.Prefixes(s.SharedNetworks), Trusted: config.Prefixes(s.TrustedProxies), Zone: s.Zone.Location,
		Maps: mappings(s.Config), Watch: append(s.Config.Watch, o.watch...), Pace: o.pace, Retention: time.Duration(s.Retention), Reserve: reserve, LogBytes: p.LogBytes, JoinAfter: p.JoinAfter}
	if s.desk.Plan, err = fs.Sub(p.Files, "plan"); err != nil {
		return s, err
	}
	for _, k := range s.Keep {
		s.desk.Keeps = append(s.desk.Keeps, desk.Keep{Source: k.Source, Age: time.Duration(k.Age), Bytes: int64(k.Size)})
	}
	if s.desk.Geo, err = p.geoFor(o, s.sample); err != nil {
		return s, err
	}
	if !o.sample {
		s.desk.Silent = s.SilentLimit
	}
	if !o.sample { // its lines go when it ends
		s.desk.Doors = doorsOf(s.Config)
	}
	if err = p.senders(s.Config, &s.desk); err != nil {
		return s, err
	}
	if s.desk.Outside, err = p.outside(s.Config, o.sample); err != nil {
		return s, err
	}
	if o.sample { // nothing of it is real: a report that is read is seen by nobody else
		s.desk.Register, s.desk.Reports = nil, nil
	}
	if !o.sample { // nothing of it is real
		if s.desk.Webhooks, err = p.hooksOf(s.Config); err != nil {
			return s, err
		}
	}
	if err := p.watchersOf(&s); err != nil {
		return s, err
	}
	if s.desk.SignOn, err = p.signOn(s.Config.SignOn); err != nil {
		return s, err
	}
	if err = p.rooms(&s); err != nil {
		return s, err
	}
	s.seed, err = p.seedOf(s.Config)
	return s, err
}

// readFile finds and reads the settings file. One that is named must be there.
func (s *settings) readFile(o serveFlags) error {
	s.file = o.config
	if s.file == "" {
		f := s.folders
		if err := f.fill("", ""); err != nil {
			return err
		}
		for _, name := range []string{filepath.Join(f.data, "tocsin.yaml"), "/etc/tocsin/tocsin.yaml"} {
			if _, err := os.Stat(name); err == nil {
				s.file = name
				break
			}
		}
	}
	if s.file == "" {
		return nil
	}
	var err error
	s.Config, err = config.Load(s.file, checkMappings, checkHooks)
	return err
}

// signOn is where people may sign in elsewhere, nil when there is no such place.
func (p Program) signOn(c config.SignOn) (*desk.SignOn, error) {
	if c.Issuer == "" {
		return nil, nil
	}
	o := &desk.SignOn{Name: c.Name, Issuer: c.Issuer, ClientID: c.ClientID, Claim: c.GroupsClaim, Scopes: c.Scopes}
	for group, roles := range c.Roles {
		if o.Roles == nil {
			o.Roles = map[string][]string{}
		}
		o.Roles[group] = roles
	}
	if c.SecretFile != "" {
		secret, err := p.secret(c.SecretFile)
		if err != nil {
			return nil, fmt.Errorf("sign_on.secret_file: %w", err)
		}
		o.Secret = secret
	}
	return o, nil
}

// rooms are where people meet over an incident: the war room, and a Slack workspace. The sample's are none.
func (p Program) rooms(s *settings) (err error) {
	if r := s.Config.Room; r.UDP != "" {
		s.desk.Room = &desk.RoomOptions{UDP: r.UDP, TCP: r.TCP, Public: r.Public}
		if r.Record {
			s.desk.Room.Folder = filepath.Join(s.data, "recordings")
		}
	}
	c := s.Config.Slack
	if c.BotTokenFile == "" || s.sample {
		return nil
	}
	o := &desk.SlackOptions{Prefix: c.Prefix, Private: c.Private, Least: c.Least, Timeline: c.Timeline, Invite: map[string][]string{}}
	for severity, who := range c.Invite {
		o.Invite[severity] = who
	}
	if o.BotToken, err = p.secret(c.BotTokenFile); err != nil {
		return fmt.Errorf("slack.bot_token_file: %w", err)
	}
	if o.AppToken, err = p.secret(c.AppTokenFile); err != nil {
		return fmt.Errorf("slack.app_token_file: %w", err)
	}
	s.desk.Slack = o
	return nil
}

func (p Program) secret(name string) (string, error) {
	secret, warn, err := config.Secret(name)
	if warn != "" {
		fmt.Fprintln(p.Err, "warning: "+warn)
	}
	return secret, err
}

// watchersOf makes who is told that the bell works, and whose bell is listened for. The bundled sample does neither, and tests nobody.
func (p Program) watchersOf(s *settings) error {
	if s.sample {
		return nil
	}
	s.desk.Tests = time.Duration(s.TestCalls)
	for i, w := range s.Watchers {
		token, err := p.secret(w.TokenFile)
		if err != nil {
			return fmt.Errorf("watchers: %d: token_file: %w", i+1, err)
		}
		tell, err := notify.BeatTo(w.URL, token)
		if err != nil {
			return fmt.Errorf("watchers: %d: %w", i+1, err)
		}
		name := w.URL
		if u, err := url.Parse(w.URL); err == nil {
			name = u.Host
		}
		if slices.ContainsFunc(s.desk.Watchers, func(o desk.Watcher) bool { return o.Name == name }) {
			name = fmt.Sprintf("%s (%d)", name, i+1)
		}
		s.desk.Watchers = append(s.desk.Watchers, desk.Watcher{Name: name, Tell: tell})
	}
	for _, w := range s.Watches {
		key, err := hex.DecodeString(w.TokenHash)
		if err != nil {
			return fmt.Errorf("watches: %s: token_hash: %w", w.ID, err)
		}
		s.desk.Watches = append(s.desk.Watches, desk.Watch{ID: w.ID, Key: key, Limit: time.Duration(w.SilentAfter)})
	}
	return nil
}

// seedOf is what the file says of the team.
func (p Program) seedOf(c config.Config) (desk.Seed, error) {
	var seed desk.Seed
	for _, x := range c.People {
		contact := desk.Contact{Name: x.Name, Mail: x.Mail, Voice: x.Voice, SMS: x.SMS}
		if x.Zone.Location != nil {
			contact.Zone = x.Zone.String()
		}
		if x.WebhookFile != "" {
			secret, err := p.secret(x.WebhookFile)
			if err != nil {
				return seed, fmt.Errorf("people: %s: webhook_file: %w", x.ID, err)
			}
			contact.Webhook = secret
		}
		seed.People = append(seed.People, desk.SeedPerson{ID: x.ID, Roles: x.Roles, Contact: contact})
	}
	e := c.Escalation
	if len(e.Steps) == 0 {
		return seed, nil
	}
	policy := entry.Policy{Rounds: e.Rounds, Every: time.Duration(e.Every), Throttle: time.Duration(e.Throttle), Medium: e.Medium, Attend: time.Duration(e.Attend)}
	for _, s := range e.Steps {
		wait := time.Duration(s.Wait)
		if wait == 0 {
			wait = 5 * time.Minute
		}
		policy.Steps = append(policy.Steps, entry.PolicyStep{Who: s.Who, By: s.By, Wait: wait, Answers: s.Answers})
	}
	seed.Policy = &policy
	return seed, nil
}

// sampleGeo is the country table of the bundled sample.
const sampleGeo = "sample/geo.tsv"

// geoFor reads the geo files that are named; the sample brings its own.
func (p Program) geoFor(o serveFlags, sample bool) (*intake.Geo, error) {
	if len(o.geo) > 0 || !sample {
		return readGeo(o.geo)
	}
	f, err := p.Files.Open(sampleGeo)
	if err != nil {
		return nil, fmt.Errorf("the country table of the sample: %w", err)
	}
	defer f.Close()
	return intake.ReadGeo(f)
}
