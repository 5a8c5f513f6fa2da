package desk

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/report"
)

// The file /.well-known/security.txt (RFC 9116). It is made at the start when there is none, and when what it says is not true any more: another address or
// key. That it goes on being true somebody of the team says, by renewing it before it expires.

// SecurityText is the file as it is served.
type SecurityText struct {
	Text    string // "" there is none
	Expires time.Time
	Signed  bool
	Warning string // that it expires, "" while there is time
	Lacks   string // why there is none
}

// securityTxt is what the file should say, without its expiry. It names nothing that only works in the clear.
func (d *Desk) securityTxt() (x report.SecurityTxt, fingerprint string) {
	at, _ := d.OutsideURL()
	if strings.HasPrefix(at, "https://") {
		x.Contact = append(x.Contact, at+"/report")
		x.Canonical = []string{at + "/.well-known/security.txt"}
	}
	for _, c := range d.o.Outside.Contact {
		if !slices.Contains(x.Contact, c) {
			x.Contact = append(x.Contact, c)
		}
	}
	x.Languages = []string{"en", "de", "fr", "es", "it", "nl", "pl", "pt"}
	if i := d.seals.identity(); i != nil {
		fingerprint = i.Public().Fingerprint()
		x.Encryption = []string{"openpgp4fpr:" + strings.ToUpper(fingerprint)}
	}
	return x, fingerprint
}

// keepSecurityText makes the file when there is none, or it says what is not true any more. Without an address that others can use there is none.
func (d *Desk) keepSecurityText(now time.Time) error {
	want, _ := d.securityTxt()
	if len(want.Contact) == 0 {
		return nil
	}
	is, err := d.readSecurityText()
	if err == nil {
		want.Expires = is.Expires
		if text, _ := want.Text(); text != "" {
			if was, werr := is.Text(); werr == nil && was == text {
				return nil
			}
		}
	}
	if _, err = d.makeSecurityText("desk", now); err != nil {
		d.log.Error("security.txt cannot be made", "error", err) // the bell is worth more
	}
	return nil
}

func (d *Desk) readSecurityText() (report.SecurityTxt, error) {
	vault := ""
	d.Read(func(s *State) { vault = s.reports.Text.Vault })
	if vault == "" {
		return report.SecurityTxt{}, errors.New("there is no security.txt")
	}
	b, err := d.vault.Get(vault)
	if err != nil {
		return report.SecurityTxt{}, err
	}
	return report.ParseSecurityTxt(string(b))
}

// RenewSecurityText makes the file anew, valid for nearly a year: who does it says that what it tells is still right.
func (d *Desk) RenewSecurityText(actor auth.Actor) (SecurityText, error) {
	if err := errors.Join(auth.May(actor, auth.Team), d.Broken()); err != nil {
		return SecurityText{}, err
	}
	if d.o.Outside == nil {
		return SecurityText{}, ErrNoReportKey
	}
	now := time.Now()
	if _, err := d.makeSecurityText(actor.Name, now); err != nil {
		return SecurityText{}, err
	}
	return d.SecurityText(now), nil
}

func (d *Desk) makeSecurityText(actor string, now time.Time) (text string, err error) {
	d.outside.changing.Lock()
	defer d.outside.changing.Unlock()
	x, fingerprint := d.securityTxt()
	x.Expires = now.Add(report.MostValid).UTC().Truncate(time.Second)
	if i := d.seals.identity(); i != nil {
		text, err = x.Sign(func(text string) (string, error) { return i.ClearSign(text, now) })
	} else {
		text, err = x.Text()
	}
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(text))
	e := entry.SecurityText{Hash: hex.EncodeToString(sum[:]), Expires: x.Expires, Key: fingerprint}
	if e.Vault, err = d.vault.Put([]byte(text)); err != nil {
		return "", fmt.Errorf("keeping security.txt: %w", err)
	}
	return text, d.write(func(*State, time.Time) ([]entry.Draft, error) {
		return []entry.Draft{{Actor: actor, Kind: entry.SecurityTextPut, Subject: "reports", Body: e}}, nil
	})
}

// SecurityText returns the file as it is served now.
func (d *Desk) SecurityText(now time.Time) (t SecurityText) {
	if d.o.Outside == nil {
		return SecurityText{Lacks: "reports are not set up"}
	}
	var x entry.SecurityText
	d.Read(func(s *State) { x = s.reports.Text })
	if x.Vault == "" {
		return SecurityText{Lacks: "there is no address that others can use: give public_url, or reports.contact, in tocsin.yaml"}
	}
	b, err := d.vault.Get(x.Vault)
	if err != nil {
		return SecurityText{Lacks: "it cannot be read: " + err.Error()}
	}
	return SecurityText{Text: string(b), Expires: x.Expires, Signed: x.Key != "", Warning: report.SecurityTxt{Expires: x.Expires}.Warning(now)}
}
