package desk

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/note"

	"tocsin/internal/auth"
	"tocsin/internal/dossier"
	"tocsin/internal/entry"
	"tocsin/internal/incident"
	"tocsin/internal/ledger"
	"tocsin/internal/tlp"
)

// A DossierAsk says which report of an incident is wanted.
type DossierAsk struct {
	Form     string         // html, md, docx, pdf; "" is pdf
	Depth    string         // executive, full; "" is full
	Audience string         // TLP 2.0; "" is AMBER. RED is for who asks alone, and only when they are named on a restricted incident
	Zone     *time.Location // of the times in it; nil is UTC
	Own      string         // a template of the shop's own, of package dossier, in place of the built-in one; for html and md only
}

// A MadeDossier is a report of an incident, and the signed manifest that vouches for its bytes (package dossier).
type MadeDossier struct {
	Name     string // incident-4-full.pdf
	Type     string // of its content
	Bytes    []byte
	Manifest []byte
}

// dossierTypes are the types of content by the form.
func dossierTypes() map[string]string {
	return map[string]string{"html": "text/html; charset=utf-8", "md": "text/markdown; charset=utf-8", "pdf": "application/pdf",
		"docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document"}
}

// checked fills in what is usual, and refuses what is not known. It returns the own template, nil of none.
func (x *DossierAsk) checked() (audience tlp.Label, own *dossier.Own, err error) {
	x.Form, x.Depth, x.Zone = cmp.Or(x.Form, "pdf"), cmp.Or(x.Depth, string(dossier.Full)), cmp.Or(x.Zone, time.UTC)
	if audience, err = tlp.Parse(cmp.Or(x.Audience, string(tlp.Amber))); err != nil {
		return audience, nil, FieldError{"audience", err.Error()}
	}
	switch {
	case dossierTypes()[x.Form] == "":
		return audience, nil, FieldError{"format", fmt.Sprintf("A report has the format pdf, html, docx or md, and %.20q is none.", x.Form)}
	case x.Depth != string(dossier.Full) && x.Depth != string(dossier.Executive):
		return audience, nil, FieldError{"depth", fmt.Sprintf("A report has the depth full or executive, and %.20q is none.", x.Depth)}
	case x.Own == "":
		return audience, nil, nil
	case x.Form != "html" && x.Form != "md":
		return audience, nil, FieldError{"format", "A template of your own writes html or md: a docx and a pdf have the built-in form."}
	}
	if own, err = dossier.ParseOwn("own", x.Own, dossier.Form(x.Form)); err != nil {
		err = FieldError{"template", err.Error()}
	}
	return audience, own, err
}

// Dossier writes the report of an incident as it stands at this moment, signs a manifest of it with the ledger's key and the ledger's head, and writes down that it
// did, before it hands a byte out. What the audience may not know is left out. An incident that is TLP:RED has no report but for a person who is named on it while it is restricted: they ask
// for the audience RED, and each page says that it is for them alone. Errors: a FieldError, an auth.Refusal, incident.ErrNotFound (also of one that is restricted to others), a Withheld.
func (d *Desk) Dossier(actor auth.Actor, id int64, x DossierAsk) (out MadeDossier, err error) {
	audience, own, err := x.checked()
	if err == nil {
		err = cmp.Or(d.MayOn(actor, auth.Note, id), d.Broken())
	}
	if err == nil {
		d.ReadAs(actor, func(s *State) { err = mayReport(s, actor, id, audience) })
	}
	if err != nil {
		return out, err
	}
	c, err := d.dossierCase(actor, id)
	if err != nil {
		return out, err
	}
	if audience == tlp.Red {
		c.For = c.By
	}
	doc := dossier.Assemble(c, dossier.Depth(x.Depth), dossier.Label(audience.String()), x.Zone)
	out = MadeDossier{Name: dossier.Name(id, dossier.Depth(x.Depth), "."+x.Form), Type: dossierTypes()[x.Form]}
	if out.Bytes, err = rendered(doc, x.Form, own); err != nil {
		return MadeDossier{}, fmt.Errorf("writing the report of incident %d: %w", id, err)
	}
	m := dossier.Manifest{Incident: id, Depth: dossier.Depth(x.Depth), Audience: dossier.Label(audience.String()), Made: c.Made, Head: c.Head}
	out.Manifest, err = d.key.SignDossier(func(key note.Signer) ([]byte, error) {
		return dossier.Seal(m, map[string][]byte{out.Name: out.Bytes}, key)
	})
	if err != nil {
		return MadeDossier{}, err
	}
	form := x.Form
	if own != nil {
		form = "own"
	}
	err = d.doOn(actor, auth.Note, id, func(s *State, _ time.Time) (entry.Draft, error) {
		return entry.Draft{Actor: actor.Name, Kind: entry.DossierMade, Subject: fmt.Sprintf("incident:%d", id), Body: entry.Dossier{Incident: id, Person: actor.ID, Form: form, Depth: x.Depth,
			Audience: string(audience), Head: c.Head.Size, SHA256: sumOf(out.Bytes), Manifest: sumOf(out.Manifest)}}, mayReport(s, actor, id, audience)
	})
	if err != nil {
		return MadeDossier{}, err
	}
	return out, nil
}

// mayReport returns nil if a report of an incident may be written for an audience.
func mayReport(s *State, actor auth.Actor, id int64, audience tlp.Label) error {
	if audience != tlp.Red {
		return withheld(s, id, "", tlp.Export)
	}
	i, err := s.Incidents.Get(id)
	if err != nil {
		return err
	}
	if !namedOn(i, actor) {
		return FieldError{"audience", "A report for TLP:RED is for one person who is named on a restricted incident, and who asks for it. This incident is not restricted, or you are not named on it: choose another audience."}
	}
	return nil
}

// namedOn reports whether an incident is restricted, and the actor is one of the people whom it names; a token is none.
func namedOn(i *incident.Incident, actor auth.Actor) bool {
	return i.Restricted() && actor.ID != "" && actor.Scope == nil && slices.Contains(i.Restriction.People, actor.ID)
}

// MayReportRed reports whether an actor can have a report of an incident for their own eyes.
func (d *Desk) MayReportRed(actor auth.Actor, id int64) (may bool) {
	d.ReadAs(actor, func(s *State) {
		i, err := s.Incidents.Get(id)
		may = err == nil && namedOn(i, actor)
	})
	return may
}

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func rendered(doc *dossier.Document, form string, own *dossier.Own) ([]byte, error) {
	switch {
	case own != nil:
		return own.Render(doc)
	case form == "html":
		return dossier.HTML(doc), nil
	case form == "md":
		return dossier.Markdown(doc), nil
	case form == "docx":
		return dossier.DOCX(doc)
	}
	return dossier.PDF(doc)
}

// VerifyDossier checks the bytes of a report against its signed manifest with the public key of the ledger alone. The report may have been renamed when its manifest
// names one file only.
func VerifyDossier(name string, report, manifest []byte, key note.Verifier) (dossier.Check, error) {
	c, err := dossier.Verify(map[string][]byte{name: report}, manifest, key)
	if err != nil && len(c.Manifest.Files) == 1 && c.Manifest.Files[0].Name != name {
		return dossier.Verify(map[string][]byte{c.Manifest.Files[0].Name: report}, manifest, key)
	}
	return c, err
}

// AgainstLedger holds a report that VerifyDossier found to be as it was signed against the ledger of today: its head must be on the ledger's chain, and an entry must say that it was made.
// It returns that entry. A *ledger.Fault is its error for a ledger that is damaged, cut or forked.
func (o Offline) AgainstLedger(c dossier.Check, report []byte) (made entry.Entry, err error) {
	h, err := entry.ParseHead(fmt.Sprintf("%s\n%d\n%s\n", c.Manifest.Head.Origin, c.Manifest.Head.Size, c.Manifest.Head.Root))
	if err != nil {
		return made, err
	}
	if _, err := ledger.VerifySince(o.Data, ledgerDir, o.key, h); err != nil {
		return made, fmt.Errorf("the report fits its manifest, but the ledger does not fit the head that the manifest names: %w", err)
	}
	sum := sumOf(report)
	for e, err := range o.Entries(h.Size + 1) {
		if err != nil {
			return made, err
		}
		if e.Kind != entry.DossierMade {
			continue
		}
		if x, err := entry.Body[entry.Dossier](e); err == nil && x.SHA256 == sum && x.Incident == c.Manifest.Incident {
			return e, nil
		}
	}
	return made, fmt.Errorf("no entry of the ledger says that this report of incident %d was made: it was signed with the ledger's key, but not by this ledger's program", c.Manifest.Incident)
}

// Packed is the report and its manifest in one ZIP file, for whoever takes both through a browser.
func (m MadeDossier) Packed(at time.Time) ([]byte, error) {
	var b bytes.Buffer
	err := packed(&b, at, [][2]string{{m.Name, string(m.Bytes)}, {dossier.ManifestName, string(m.Manifest)}})
	return b.Bytes(), err
}

// ErrNoManifest is that a packed report has no manifest, or more than one report.
var ErrNoManifest = errors.New("this is no packed report: it has one report and its " + dossier.ManifestName + ", and nothing else")
