package desk

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"tocsin/internal/auth"
	"tocsin/internal/report"
)

// Attachments of a report from outside become evidence of its incident. The copy is an attachment like any other, with its custody from then on; what came before stands in
// where it is from: which report, by which way, on which day. The report keeps its own.

// A ReportEvidence says which attachments of a report become evidence.
type ReportEvidence struct {
	Report int64
	Files  []int  // by their numbers, from 1 on (ReportWords.All); none is all
	Why    string // why they matter, or the name under which a step expects them
	Label  string // TLP; "" is that of the incident
}

// evidenceAtOnce is how many bytes of attachments are held at once for it.
const evidenceAtOnce = 64 << 20

// A BroughtFile is an attachment of a report, and which attachment of the incident it is.
type BroughtFile struct {
	File       int
	Attachment int64
	Was        bool // it was evidence already: nothing was brought
}

// BringReportFiles makes attachments of a report evidence of the incident to which it belongs. What is evidence of it already, byte for byte, is not brought again, so who
// is interrupted does it once more. Errors: a FieldError of files, label or person; ErrNoOutsideReport; ErrReportLocked; an auth.Refusal; incident.ErrClosed; ErrBroken.
func (d *Desk) BringReportFiles(actor auth.Actor, x ReportEvidence) (id int64, out []BroughtFile, err error) {
	if _, err := doer(actor); err != nil {
		return 0, nil, err
	}
	c, _, err := d.OutsideReport(actor, x.Report)
	if err != nil {
		return 0, nil, err
	}
	known := map[string]int64{}
	d.ReadAs(actor, func(s *State) {
		if id = s.Incidents.Root(c.Incident); c.Incident == 0 {
			err = FieldError{"files", "Open an incident for the report first, or let it join one: evidence belongs to an incident."}
			return
		}
		if err = working(s, id); err == nil {
			for _, f := range s.FilesOf(id) {
				if f.Incident == id {
					known[f.SHA256] = f.ID
				}
			}
		}
	})
	if err = cmp.Or(err, d.MayOn(actor, auth.Note, id), d.Broken()); err != nil {
		return 0, nil, err
	}
	ctx, stop := context.WithTimeout(context.Background(), BringWait)
	defer stop()
	giveBack, ok := d.bringing.Take(ctx, actor.Name)
	if !ok {
		return 0, nil, FieldError{"files", "Other files are being brought at this moment. Send it again in a minute."}
	}
	defer giveBack()
	wanted := func(n int) bool { return len(x.Files) == 0 || slices.Contains(x.Files, n) }
	held := int64(0)
	told, err := d.OpenReportWith(actor, x.Report, func(n int, size int64) bool {
		if !wanted(n) {
			return false
		}
		held += size
		return held <= evidenceAtOnce
	})
	if err != nil {
		return 0, nil, err
	}
	files := told.All()
	switch {
	case told.Locked: // attachments are numbered over all messages: without one of them a number would be another's
		return 0, nil, ErrReportLocked
	case told.Lost:
		return 0, nil, FieldError{"files", "A message of this report cannot be read just now, so which attachment is which is not certain: nothing was brought. Try again in a minute."}
	case len(files) == 0:
		return 0, nil, FieldError{"files", "This report has no attachments."}
	case slices.ContainsFunc(x.Files, func(n int) bool { return n < 1 || n > len(files) }):
		return 0, nil, FieldError{"files", fmt.Sprintf("This report has the attachments 1 to %d.", len(files))}
	case held > evidenceAtOnce:
		return 0, nil, FieldError{"files", fmt.Sprintf("These are more than %s together: choose fewer, and then the others.", Size(evidenceAtOnce))}
	}
	for k, f := range files {
		n := k + 1
		if !wanted(n) {
			continue
		}
		sum := sha256.Sum256(f.Data)
		if was := known[hex.EncodeToString(sum[:])]; was != 0 {
			out = append(out, BroughtFile{n, was, true})
			continue
		}
		text := FileText{Name: cmp.Or(report.KeptName(f.Name, nameAtMost), fmt.Sprintf("report-%d-%d", x.Report, n)), Kind: evidenceKind(f), Why: x.Why, Label: x.Label,
			From: fmt.Sprintf("report %d from outside, attachment %d: it came by %s on %s, from who calls themselves: %s", x.Report, n, c.Way, c.Day, c.From)}
		number, err := d.AddFile(actor, id, text, bytes.NewReader(f.Data))
		if err != nil {
			if y, ok := errors.AsType[FieldError](err); ok && y.Field == "file" { // it is the file that cannot be kept, not what was typed
				err = FieldError{"files", fmt.Sprintf("Attachment %d: %s", n, y.Says)}
			}
			return id, out, err
		}
		known[hex.EncodeToString(sum[:])] = number
		out = append(out, BroughtFile{n, number, false})
	}
	return id, out, nil
}

// evidenceKind is what kind of evidence an attachment is by its bytes: nothing in it is believed or opened.
func evidenceKind(f report.File) string {
	kind := map[string]string{"image": "image", "pdf": "document", "office": "document", "archive": "archive", "script": "code"}[report.Handed(f).Warning]
	return cmp.Or(kind, "other")
}
