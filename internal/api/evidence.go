package api

import (
	"bytes"

	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/incident"
)

// What requests say.
type (
	bringing struct {
		Name  string `json:"name" minLength:"1" maxLength:"200"`
		Kind  string `json:"kind" enum:"log,image,document,mail,code,archive,memory,other"`
		From  string `json:"from" minLength:"1" maxLength:"10000" doc:"where it is from"`
		Why   string `json:"why,omitempty" maxLength:"10000"`
		Label string `json:"label,omitempty" maxLength:"16" doc:"TLP; empty is that of the incident"`
		Bytes []byte `json:"bytes" doc:"base64; at most 32 MiB"`
	}
	passing struct {
		From string `json:"from,omitempty" maxLength:"10000"`
		To   string `json:"to" minLength:"1" maxLength:"10000" doc:"to whom it, or a copy, went"`
		Why  string `json:"why" minLength:"1" maxLength:"10000"`
	}
	opening struct {
		Why string `json:"why,omitempty" maxLength:"10000" doc:"why you look at it"`
	}
	// An OpenedFile is an attachment as it was found.
	OpenedFile struct {
		Name   string `json:"name"`
		Kind   string `json:"kind"`
		SHA256 string `json:"sha256"`
		Sound  bool   `json:"sound" doc:"its bytes are what was brought"`
		Bytes  []byte `json:"bytes"`
	}
)

// evidenceOperations are attachments with their custody.
func evidenceOperations(t *table) {
	o := post("/incidents/{id}/attachments", "addAttachment", "Bring a file to an incident as evidence")
	o.need, o.most, o.about = auth.Note, desk.FileAtMost/3*4+maxBody, "It is never replaced: another version is another attachment."
	add(t, o, func(a ask, in *numberedWith[bringing]) (client.Numbered, error) {
		n, err := a.desk.AddFile(a.actor, in.ID, desk.FileText{Name: in.Body.Name, Kind: in.Body.Kind, From: in.Body.From, Why: in.Body.Why, Label: in.Body.Label}, bytes.NewReader(in.Body.Bytes))
		return client.Numbered{ID: n}, err
	})
	onPart(t, "attachments/{number}/pass", "passAttachment", "Write down that an attachment went to somebody", func(a ask, id, number int64, x passing) error {
		return a.desk.PassFile(a.actor, id, number, x.From, x.To, x.Why)
	})
	o = post("/incidents/{id}/attachments/{number}/open", "openAttachment", "Read an attachment, which is written down with what its bytes were found to be")
	o.need, o.shown = auth.Note, true // no copy of the evidence is kept under an idempotency key, where nothing could erase it
	add(t, o, func(a ask, in *part2With[opening]) (OpenedFile, error) {
		f, err := a.desk.OpenFile(a.actor, in.ID, in.Number, in.Body.Why)
		return OpenedFile{Name: f.Name, Kind: f.Kind, SHA256: f.SHA256, Sound: f.Sound, Bytes: f.Bytes}, err
	})
}

func files(a ask, id int64, all []incident.File) []client.Attachment {
	out := []client.Attachment{}
	for _, f := range all {
		what, label := subject("attachment", f.ID), ""
		a.desk.Read(func(s *desk.State) { label = s.Incidents.Label(f.Incident, what).String() })
		x := client.Attachment{ID: f.ID, Incident: elsewhere(id, f.Incident), Name: a.word(f.Incident, what, f.Name), Kind: f.Kind, SHA256: f.SHA256, Bytes: f.Bytes, Label: label, Person: f.Person, From: a.word(f.Incident, what, f.From), At: f.Added.At, Sound: f.Sound(), Chain: []client.Custody{}}
		for _, c := range f.Chain {
			x.Chain = append(x.Chain, client.Custody{At: c.At, Kind: string(c.Kind), Person: c.Person, From: a.word(f.Incident, what, c.From), To: a.word(f.Incident, what, c.To), Why: a.word(f.Incident, what, c.Why), SHA256: c.SHA256})
		}
		out = append(out, x)
	}
	return out
}
