package incident

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tocsin/internal/entry"
)

// CauseClasses are the kinds of root cause: our own code, somebody else's software, credentials, configuration, a supplier, a person.
func CauseClasses() []string {
	return []string{"own-code", "third-party", "credentials", "configuration", "supplier", "person"}
}

// Branches are those of the fishbone, in the order of screens.
func Branches() []string {
	return []string{"people", "process", "technology", "supplier", "configuration", "environment"}
}

// How much a root cause has: five whys are the custom, and some causes lie deeper.
const (
	whysAtMost  = 9
	bonesAtMost = 60
	linksAtMost = 20
)

// Cause returns what the incident came from, as last written, and the entry that says so; 0 of none.
func (i *Incident) Cause() (entry.Cause, int64) {
	w, _ := last(i.Command().Causes)
	return w.What, w.N
}

// causeKnown reports whether a root cause says what a report needs: its class, and why.
func causeKnown(x entry.Cause) bool { return x.Class != "" && (len(x.Whys) > 0 || x.Text != "") }

// PutCause decides what an incident came from; x has all of it, and Before the entry that the person looked at, 0 of none. Links must lead somewhere; ids are
// returned as they are written.
func (b *Book) PutCause(actor string, x entry.Cause) (entry.Draft, error) {
	i, err := b.kept(x.Incident)
	if err != nil {
		return entry.Draft{}, err
	}
	if err := unseen(i.Command().Causes, x.Before, fmt.Sprintf("the root cause of incident %d", x.Incident), func(x entry.Cause) string { return x.Text }); err != nil {
		return entry.Draft{}, err
	}
	x.Whys, x.Bones = cloneReasons(x.Whys), cloneReasons(x.Bones)
	switch {
	case x.Class != "" && !slices.Contains(CauseClasses(), x.Class):
		return entry.Draft{}, fmt.Errorf("%s is no class of causes; known: %s", quoted(x.Class), strings.Join(CauseClasses(), ", "))
	case x.Class == "" && len(x.Whys)+len(x.Bones) == 0 && x.Text == "":
		return entry.Draft{}, errors.New("the root cause is empty")
	case len(x.Whys) > whysAtMost:
		return entry.Draft{}, fmt.Errorf("a root cause has at most %d whys; got %d", whysAtMost, len(x.Whys))
	case len(x.Bones) > bonesAtMost:
		return entry.Draft{}, fmt.Errorf("a fishbone has at most %d bones; got %d", bonesAtMost, len(x.Bones))
	}
	for k := range x.Whys {
		if x.Whys[k].Branch != "" {
			return entry.Draft{}, fmt.Errorf("why %d has a branch; only the fishbone has some", k+1)
		}
		if err := b.checkReason(i, &x.Whys[k]); err != nil {
			return entry.Draft{}, fmt.Errorf("why %d: %w", k+1, err)
		}
	}
	for k := range x.Bones {
		r := &x.Bones[k]
		if !slices.Contains(Branches(), r.Branch) {
			return entry.Draft{}, fmt.Errorf("bone %d: %s is no branch of the fishbone; known: %s", k+1, quoted(r.Branch), strings.Join(Branches(), ", "))
		}
		if err := b.checkReason(i, r); err != nil {
			return entry.Draft{}, fmt.Errorf("bone %d (%s): %w", k+1, r.Branch, err)
		}
	}
	return draft(actor, entry.CausePut, x.Incident, x), nil
}

// cloneReasons copies what is about to be changed: what the caller holds stays as it is.
func cloneReasons(of []entry.Reason) []entry.Reason {
	out := slices.Clone(of)
	for k := range out {
		out[k].Links = slices.Clone(out[k].Links)
	}
	return out
}

func (b *Book) checkReason(i *Incident, r *entry.Reason) error {
	if r.Text == "" {
		return errors.New("it is empty")
	}
	if len(r.Links) > linksAtMost {
		return fmt.Errorf("it has %d links, and may have %d", len(r.Links), linksAtMost)
	}
	for k := range r.Links {
		if err := b.checkLink(i, &r.Links[k]); err != nil {
			return fmt.Errorf("link %d: %w", k+1, err)
		}
	}
	return nil
}

// checkLink holds a link against what the incident, and those that are one with it, have.
func (b *Book) checkLink(i *Incident, l *entry.Link) (err error) {
	family := b.family(i.ID)
	found := false
	switch l.Kind {
	case "cve":
		l.Ref, err = ParseCVE(l.Ref)
		return err
	case "cwe":
		l.Ref, err = ParseCWE(l.Ref)
		return err
	case "commit":
		l.Ref, err = ParseCommit(l.Ref)
		return err
	case "file":
		if l.Ref == "" {
			return errors.New("it names no file")
		}
		return nil
	case "lines":
		found = slices.ContainsFunc(family, func(i *Incident) bool {
			return slices.ContainsFunc(i.Lines, func(a Attachment) bool { return strconv.FormatInt(a.N, 10) == l.Ref })
		})
	case "attachment":
		found = b.FileOf(i.ID, l.Ref) != nil
	case "alert":
		found = slices.ContainsFunc(family, func(i *Incident) bool { return slices.Contains(i.Alerts, l.Ref) })
	default:
		return fmt.Errorf("%s is no kind of link; known: lines, attachment, alert, file, commit, cve, cwe", quoted(l.Kind))
	}
	if !found {
		return fmt.Errorf("incident %d has no %s %s: attach it first", i.ID, l.Kind, quoted(l.Ref))
	}
	return nil
}
