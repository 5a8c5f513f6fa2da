package desk

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tocsin/internal/disk"
	"tocsin/internal/entry"
	"tocsin/internal/envelope"
	"tocsin/internal/notify"
	"tocsin/internal/plan"
	"tocsin/internal/report"
)

// A dyingLayer takes so many more files, and then nothing: as if the program had been killed there. Below zero it takes all.
type dyingLayer struct {
	disk.Layer
	left *atomic.Int64
}

func (l dyingLayer) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	if flag != os.O_RDONLY && l.left.Load() == 0 {
		return nil, errors.New("killed")
	}
	return l.Layer.OpenFile(name, flag, perm)
}

func (l dyingLayer) Rename(old, new string) error {
	err := l.Layer.Rename(old, new)
	if l.left.Load() > 0 {
		l.left.Add(-1)
	}
	return err
}

// Given a security.txt that names our key, when the key is renewed or revoked, then from that moment it names the one that follows, and is signed by it.
func TestSecurityTextFollowsOurKey(t *testing.T) {
	h := newHouse(t)
	h.o.From = "Tocsin <tocsin@shop.example>"
	h.o.Senders = map[string]Sender{plan.Mail: h.send}
	h.o.Outside = &OutsideOptions{Limits: report.Usual(), Contact: []string{"mailto:security@shop.example"}}
	d := h.still()
	defer d.Close()
	names := func() (print string) {
		print = d.seals.identity().Public().Fingerprint()
		x := d.SecurityText(time.Now())
		if !x.Signed || strings.Count(x.Text, "openpgp4fpr:") != 1 || !strings.Contains(x.Text, "openpgp4fpr:"+strings.ToUpper(print)) {
			t.Errorf("our key is %s, and security.txt says:\n%s", print, x.Text)
		}
		return print
	}
	first := names()
	if _, err := d.RenewMailKey(commander(), "a year is over"); err != nil {
		t.Fatal(err)
	}
	second := names()
	if _, err := d.RevokeMailKey(commander(), "the server was stolen", true); err != nil {
		t.Fatal(err)
	}
	if third := names(); third == second || second == first {
		t.Error("the key is the same")
	}
	if _, err := d.RevokeMailKey(commander(), "lost", false); err != nil {
		t.Fatal(err)
	}
	names()
}

// Given a key that somebody else may have, when the program is killed between any two steps of revoking it, then it signs nothing any more, then and after the next start,
// and is served as revoked.
func TestRevokedKeyNeverSigns(t *testing.T) {
	h := newHouse(t)
	h.o.From = "Tocsin <tocsin@shop.example>"
	h.o.Senders = map[string]Sender{plan.Mail: h.send}
	var left atomic.Int64
	left.Store(-1)
	start := func() *Desk {
		o := h.o
		o.Data, o.Keys = h.data, dyingLayer{h.keys, &left}
		d, err := Open(slog.New(slog.NewTextHandler(h, nil)), o)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	steps := []string{".past", ".rev", ".key", "the end"}
	for n, step := range steps {
		d := start()
		old := d.seals.identity().Public().Fingerprint()
		left.Store(int64(n))
		_, err := d.RevokeMailKey(commander(), "the server was stolen", true)
		if (err == nil) != (step == "the end") {
			t.Errorf("killed before %s: %v", step, err)
		}
		if d.seals.identity().Public().Fingerprint() == old {
			t.Errorf("killed before %s: the revoked key signs on", step)
		}
		left.Store(-1)
		d.Close()
		d = start()
		now := d.seals.identity().Public().Fingerprint()
		served := map[string]bool{}
		for _, k := range d.seals.present() {
			served[k.Fingerprint()] = true
		}
		made := false
		d.Read(func(s *State) {
			for _, o := range s.Seals.Ours {
				made = made || o.Fingerprint == now && o.Revoked.IsZero()
			}
		})
		if now == old || !served[old] || !served[now] || len(served) != n+2 || !made || d.revocationOf() != now {
			t.Errorf("killed before %s, after the start: the same %v, served %v, on the ledger %v, revocation of it %v", step, now == old, served, made, d.revocationOf() == now)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	// Given a key folder that comes back from a backup with a revoked key, when the program starts, then that key is not used.
	d := start()
	old := d.seals.identity()
	if _, err := d.RevokeMailKey(commander(), "the server was stolen", true); err != nil {
		t.Fatal(err)
	}
	name := d.seals.name
	d.Close()
	if err := disk.Replace(h.keys, name+".key", old.Marshal()); err != nil {
		t.Fatal(err)
	}
	d = start()
	defer d.Close()
	if d.seals.identity().Public().Fingerprint() == old.Public().Fingerprint() {
		t.Error("a revoked key of a backup signs again")
	}
	h.want(d, entry.MailKeyRevoked, len(steps)+1)
	s, err := d.forPerson(notify.Message{To: "anna@shop.example"}, "anna", Contact{Mail: "anna@shop.example"}, envelope.IncidentNeeds, "").Seal(envelope.Plain{From: "tocsin@shop.example", To: "anna@shop.example", ID: "1@x", Date: time.Now(), Subject: "s", Body: "b\n"})
	if err != nil || s.Form != envelope.Signed {
		t.Errorf("mail leaves %s, %v", s.Form, err)
	}
}
