package desk

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/entry"
	"tocsin/internal/notify"
	"tocsin/internal/plan"
	"tocsin/internal/report"
	"tocsin/internal/vault"
)

// Answers to reporters by mail, the part of the debt loop: wanted in the append of the decision, sent, and what became of it is an entry. The words and the
// address are destroyed when the mail has gone.

// A reportMail is one of them, as folded.
type reportMail struct {
	entry.ReportMail
	wanted time.Time
	tries  int
	unread int // how often it could not be read here
	again  time.Time
	done   bool
	failed bool // for good, if done
}

// reportMailTries is how often a mail is tried before it counts as failed for good. One that cannot be read here is tried for ever, reportMailLongest apart at most.
const (
	reportMailTries   = 8
	reportMailLongest = 6 * time.Hour
)

// reportWords are the words of a mail to a reporter, by language.
func reportWords(lang string) (subject, intro string) {
	switch lang {
	case "de":
		return "Ihre Meldung", "Sie haben uns etwas gemeldet. Unser Team antwortet Ihnen:"
	case "fr":
		return "Votre signalement", "Vous nous avez signalé quelque chose. Notre équipe vous répond :"
	case "es":
		return "Su aviso", "Usted nos avisó de algo. Nuestro equipo le responde:"
	case "it":
		return "La sua segnalazione", "Ci ha segnalato qualcosa. Il nostro team le risponde:"
	case "nl":
		return "Uw melding", "U hebt ons iets gemeld. Ons team antwoordt u:"
	case "pl":
		return "Zgłoszenie od Państwa", "Otrzymaliśmy od Państwa zgłoszenie. Nasz zespół odpowiada:"
	case "pt":
		return "A sua comunicação", "Comunicou-nos algo. A nossa equipa responde-lhe:"
	}
	return "Your report", "You have reported something to us. Our team answers you:"
}

// closingWords are what a reporter who gave a mail address is told when a report is closed and nobody wrote anything, by language.
func closingWords(lang string) string {
	switch lang {
	case "de":
		return "Ihre Meldung ist erledigt. Danke, dass Sie uns Bescheid gegeben haben."
	case "fr":
		return "Votre signalement a été traité. Merci de nous avoir prévenus."
	case "es":
		return "Hemos resuelto lo que nos comunicó. Gracias por avisarnos."
	case "it":
		return "Ci siamo occupati della sua segnalazione. Grazie di averci avvisati."
	case "nl":
		return "Uw melding is afgehandeld. Dank u dat u het ons hebt laten weten."
	case "pl":
		return "Sprawa z Państwa zgłoszenia została załatwiona. Dziękujemy za wiadomość."
	case "pt":
		return "Tratámos da sua comunicação. Obrigado por nos ter avisado."
	}
	return "Your report was dealt with. Thank you for telling us."
}

var addressForm = regexp.MustCompile(`[0-9A-Za-z.!#$%&'*+/=?^_{|}~-]{1,64}@[0-9A-Za-z-]{1,63}(?:\.[0-9A-Za-z-]{1,63}){1,8}`)

// mailAddress finds the mail address in what a reporter wrote about how to be reached, "" when there is none.
func mailAddress(contact string) string {
	found := addressForm.FindString(contact[:min(len(contact), 2000)])
	a, err := mail.ParseAddress(found)
	if found == "" || err != nil {
		return ""
	}
	return a.Address
}

// reportLetter is the vault object of such a mail.
type reportLetter struct{ To, Subject, Body string }

// reporterAddress is the mail address that a reporter gave, "" when there is none, or mail is not set up. ErrReportLocked: it cannot be read now.
func (d *Desk) reporterAddress(actor auth.Actor, c OutsideReport) (string, error) {
	if d.o.Senders[plan.Mail] == nil {
		return "", nil
	}
	keys, locked, err := d.reportKeys(actor)
	if err != nil {
		return "", err
	}
	p, err := d.openParcel(c.Vault, keys, locked)
	if errors.Is(err, ErrReportLocked) {
		return "", err
	}
	if err != nil {
		return "", nil // none of our keys opens it: the answer waits at the receipt
	}
	to := mailAddress(p.Contact)
	if d.ourAddress(to) {
		to = ""
	}
	return to, nil
}

// mailFor keeps the mail that brings an answer to an address.
func (d *Desk) mailFor(to string, c OutsideReport, words string) (*entry.ReportMail, error) {
	subject, intro := reportWords(c.Lang)
	signed := ""
	if d.o.Organisation != "" {
		signed = "\n-- \n" + d.o.Organisation + "\n"
	}
	b, err := json.Marshal(reportLetter{to, subject, intro + "\n\n" + words + "\n" + signed})
	if err != nil {
		return nil, err
	}
	m := entry.ReportMail{Report: c.ID}
	if m.Vault, err = d.vault.Put(b); err != nil {
		return nil, fmt.Errorf("keeping a mail to a reporter: %w", err)
	}
	return &m, nil
}

// reportMessage is the left side of the Message-ID of a mail to a reporter. Who answers it proves by it that they got it.
func reportMessage(hash func(kind, text string) string, id int64, n int) string {
	name := fmt.Sprintf("report-%d-%d", id, n)
	return name + "-" + hash("report mail", name)[:20]
}

var reportMessageForm = regexp.MustCompile(`^report-([0-9]{1,18})-([0-9]{1,6})-[0-9A-Za-z_-]{20}$`)

// wantReportMail numbers a mail as the message that it brings, which is written with it: two who answer at once have two numbers.
func wantReportMail(s *State, hash func(kind, text string) string, m entry.ReportMail) entry.Draft {
	if c, ok := s.reports.Case(m.Report); ok {
		m.N = len(c.Thread) + 1
	}
	m.Message = reportMessage(hash, m.Report, m.N)
	return entry.Draft{Actor: "desk", Kind: entry.ReportMailWanted, Subject: fmt.Sprintf("report:%d", m.Report), Body: m}
}

func reportMailKey(id int64, n int) string { return fmt.Sprintf("%d.%d", id, n) }

// applyReportMail folds the mails to reporters.
func (s *State) applyReportMail(e entry.Entry) error {
	if e.Kind == entry.ReportMailWanted {
		m, err := entry.Body[entry.ReportMail](e)
		s.reportMails[reportMailKey(m.Report, m.N)] = &reportMail{ReportMail: m, wanted: e.Time}
		return err
	}
	x, err := entry.Body[entry.ReportMailEnd](e)
	m := s.reportMails[reportMailKey(x.Report, x.N)]
	if err != nil || m == nil {
		return errors.Join(err, fmt.Errorf("entry %d (%s): no mail %d to the reporter of report %d was wanted", e.N, e.Kind, x.N, x.Report))
	}
	if x.Unread {
		m.unread++
	} else {
		m.tries++
	}
	m.again, m.done, m.failed = x.Again, x.Again.IsZero(), e.Kind == entry.ReportMailFailed
	return nil
}

// eraseSentMail destroys the address and words of mails that have gone: the program may have ended between the entry that says so and the erasure.
func (d *Desk) eraseSentMail() {
	var gone []string
	d.Read(func(s *State) {
		for _, m := range s.reportMails {
			if m.done {
				gone = append(gone, m.Vault)
			}
		}
	})
	if err := d.erase(gone); err != nil {
		d.log.Error("addresses of reporters whose mail has gone are still there: mend what is said here, then restart", "error", err)
	}
}

// settleReportMail sends the mails to reporters that are owed, and returns when to look again.
func (d *Desk) settleReportMail(ctx context.Context, now time.Time) (again time.Time) {
	owed, again := d.owedReportMails(now)
	d.flyReportMails(ctx, now, owed)
	return again
}

// owedReportMails are the mails to reporters that are owed now, and when the next one is; some of them may be under way.
func (d *Desk) owedReportMails(now time.Time) (owed []reportMail, again time.Time) {
	d.Read(func(s *State) {
		for _, m := range s.reportMails {
			switch {
			case m.done:
			case now.Before(m.again):
				again = sooner(again, m.again)
			default:
				owed = append(owed, *m)
			}
		}
	})
	slices.SortFunc(owed, func(a, b reportMail) int { return cmp.Compare(a.Report, b.Report) })
	return owed, again
}

// flyReportMails sends those that are not under way.
func (d *Desk) flyReportMails(ctx context.Context, now time.Time, owed []reportMail) {
	for _, m := range owed {
		key := reportMailKey(m.Report, m.N)
		if _, flies := d.outside.flying.LoadOrStore(key, true); flies {
			continue
		}
		still := false // it may have come down since the list was made
		d.Read(func(s *State) {
			if x := s.reportMails[key]; x != nil && !x.done && !now.Before(x.again) {
				m, still = *x, true
			}
		})
		if !still {
			d.outside.flying.Delete(key)
			continue
		}
		d.sending.Go(func() {
			d.sendReportMail(ctx, m)
			d.outside.flying.Delete(key)
			d.owes()
		})
	}
}

func (d *Desk) sendReportMail(ctx context.Context, m reportMail) {
	x := entry.ReportMailEnd{Report: m.Report, N: m.N, Twice: m.tries > 0 || m.wanted.Before(d.started())}
	var l reportLetter
	b, err := d.vault.Get(m.Vault)
	if x.Unread = err != nil && !errors.Is(err, vault.ErrErased) && !errors.Is(err, vault.ErrNotFound); err == nil {
		err = json.Unmarshal(b, &l)
	}
	if err == nil {
		_, err = d.carry(ctx, plan.Mail, d.forAddress(notify.Message{To: l.To, Subject: l.Subject, Body: l.Body, ID: m.Message + "@" + d.origin(), Twice: x.Twice}, ""))
	}
	if err != nil && ctx.Err() != nil {
		return // the end of the program broke it off: the next start owes it
	}
	kind := entry.ReportMailSent
	if err != nil {
		kind = entry.ReportMailFailed
		wait := time.Duration(0)
		if f, ok := errors.AsType[*notify.Failure](err); ok && f.Temporary && m.tries+1 < reportMailTries {
			wait = max(f.After, time.Minute<<m.tries)
		}
		if x.Unread { // what lies here is not given up: the disk comes back, or somebody brings the file back
			wait = min(time.Minute<<min(m.unread, 10), reportMailLongest)
		}
		if wait > 0 {
			x.Again = time.Now().UTC().Round(0).Add(wait)
		}
		d.log.Warn("a mail to a reporter failed", "report", m.Report, "again", !x.Again.IsZero())
		words := err.Error()
		if l.To != "" {
			words = strings.ReplaceAll(words, l.To, "[address]")
		}
		x.Text, _ = d.text(words)
	}
	drafts := []entry.Draft{{Actor: "desk", Kind: kind, Subject: fmt.Sprintf("report:%d", m.Report), Body: x}}
	if x.Again.IsZero() { // the erasure is written before it is done, so that a start does it again on a vault that came back from a backup
		drafts = append(drafts, entry.Draft{Actor: "desk", Kind: entry.VaultErased, Subject: drafts[0].Subject, Body: entry.Erased{IDs: []string{m.Vault}}})
	}
	err = d.write(func(*State, time.Time) ([]entry.Draft, error) { return drafts, nil })
	if err == nil && x.Again.IsZero() {
		err = d.erase([]string{m.Vault})
	}
	if err != nil && !errors.Is(err, ErrBroken) {
		d.log.Error("writing what became of a mail to a reporter", "report", m.Report, "error", err)
	}
}

// ReportMailed says what became of the mails to the reporter of a report, by the numbers of their messages: "sent", "waits", "failed".
func (d *Desk) ReportMailed(c report.Case) map[int]string {
	out := map[int]string{}
	d.Read(func(s *State) {
		for n := 1; n <= len(c.Thread); n++ {
			switch m := s.reportMails[reportMailKey(c.ID, n)]; {
			case m == nil:
			case !m.done:
				out[n] = "waits"
			case m.failed:
				out[n] = "failed"
			default:
				out[n] = "sent"
			}
		}
	})
	return out
}
