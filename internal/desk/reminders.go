package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/entry"
	"tocsin/internal/envelope"
	"tocsin/internal/notify"
	"tocsin/internal/plan"
	"tocsin/internal/review"
	"tocsin/internal/tlp"
)

// Reminders of reviews and measures, the part of the debt loop: what package review owes is written down, sent, and what became of it is written again. All that one person is
// to be reminded of at once goes in one message, so that a plan that nobody read yet is one mail and not twenty.

// A mailbag is the reminders that one message carries, and what became of it.
type mailbag struct {
	tries   []int
	failed  bool
	results []entry.NoticeResult
}

// postmen are the reminders that are being sent; the debt loop owns them.
type postmen struct {
	flying map[int]bool
	landed chan mailbag
	next   time.Time // nothing is owed before it
}

func newPostmen() postmen { return postmen{flying: map[int]bool{}, landed: make(chan mailbag, 64)} }

// remindersEvery is how often it is looked for reminders at most: none of them is urgent, and what is asked grows with the incidents.
const remindersEvery = time.Minute

// remindersInMail is of how much one message tells by name.
const remindersInMail = 40

// settleReminders wants the reminders that are owed, and sends those that are wanted. It returns when to look again.
func (d *Desk) settleReminders(ctx context.Context, now time.Time) (again time.Time) {
	d.settleAsks(now)
	if now.Before(d.postmen.next) && d.postmen.next.Sub(now) <= remindersEvery {
		return d.postmen.next
	}
	var sends []review.Reminder
	wrote := false
	err := d.write(func(s *State, now time.Time) ([]entry.Draft, error) {
		owed := s.Reviews.Owed(d.crew(s), now)
		for _, r := range owed.Sends {
			sends = append(sends, *r)
		}
		wrote = len(owed.Wanted) > 0
		return owed.Wanted, nil
	})
	if err != nil {
		if !errors.Is(err, ErrBroken) {
			d.log.Error("reminders of reviews cannot be written", "error", err)
		}
		return now.Add(heartbeat)
	}
	d.sendReminders(ctx, sends)
	if d.postmen.next = now.Add(remindersEvery); wrote {
		d.postmen.next = now // what is wanted now is sent in the next round
	}
	return d.postmen.next
}

// crew says who is there to be reminded. The state is held while it is used.
func (d *Desk) crew(s *State) review.Crew {
	return review.Crew{
		Staff: onTeam(s),
		Commander: func(id int64) []string {
			if id == 0 {
				return holders(s, plan.Commander)
			}
			i, err := s.Incidents.Get(id)
			if err != nil {
				return nil
			}
			h := i.Roles[plan.Commander]
			can := CanHold(s, id)
			who := slices.DeleteFunc(append([]string{h.Person}, h.Deputies...), func(p string) bool { return p == "" || !can(p) })
			if len(who) == 0 && i.Restriction.Kind != "" { // nobody else knows of it
				who = slices.DeleteFunc(slices.Clone(i.Restriction.People), func(p string) bool { return !can(p) })
			}
			return who
		},
		Administrators: holders(s, plan.Administrator),
		Channel: func(person string) string {
			to := d.People.Get(s.Plan.People[person].Vault)
			for _, channel := range []string{plan.Mail, plan.Webhook} {
				if to.Address(channel) != "" && d.Works(channel) {
					return channel
				}
			}
			return ""
		},
		Keepers: func(part string) []string { return holders(s, d.keeperOf(s, part)) },
		Sees:    func(person string, id int64) bool { return CanHold(s, id)(person) },
	}
}

// Unreached are the people who cannot be reminded of what is owed now, as no channel reaches them.
func (d *Desk) Unreached(now time.Time) (out []review.Unreached) {
	d.Read(func(s *State) { out = s.Reviews.Owed(d.crew(s), now).Unreached })
	return out
}

// sendReminders starts what is wanted, once: one message to each person by each channel.
func (d *Desk) sendReminders(ctx context.Context, sends []review.Reminder) {
	type place struct{ person, channel string }
	bags := map[place][]review.Reminder{}
	var order []place
	for _, r := range sends {
		if d.postmen.flying[r.Try] {
			continue
		}
		d.postmen.flying[r.Try] = true
		p := place{r.Person, r.Channel}
		if bags[p] == nil {
			order = append(order, p)
		}
		bags[p] = append(bags[p], r)
	}
	for _, p := range order {
		bag := bags[p]
		twice := bag[0].Twice || bag[0].Wanted.Before(d.started())
		m, bag, err := d.reminderWords(p.person, p.channel, bag, twice)
		d.sending.Go(func() {
			var said receipt
			if err == nil {
				ctx, stop := context.WithTimeout(ctx, reminderWithin)
				said, err = d.carry(ctx, p.channel, m)
				stop()
			}
			if err != nil && ctx.Err() != nil {
				return // the end of the program broke it off: the next start owes it
			}
			l := d.bagged(bag, said, err, twice)
			select {
			case d.postmen.landed <- l:
			case <-ctx.Done():
				d.landReminders(l)
			}
		})
	}
}

// bagged words what became of one message.
func (d *Desk) bagged(bag []review.Reminder, said receipt, err error, twice bool) mailbag {
	l := mailbag{failed: err != nil}
	r := entry.NoticeResult{Twice: twice, Form: said.form, Less: said.less}
	if err != nil {
		d.log.Warn("a reminder was not sent", "person", bag[0].Person, "error", err)
		if x, ok := errors.AsType[*notify.Failure](err); ok {
			r.Temporary, r.Uncertain, r.After = x.Temporary, x.Uncertain, x.After
		}
		text, verr := d.text(err.Error())
		if verr != nil {
			d.log.Error("keeping why a reminder failed", "error", verr)
		}
		r.Text = text
	}
	for _, x := range bag {
		r.Try = x.Try
		l.tries, l.results = append(l.tries, x.Try), append(l.results, r)
	}
	return l
}

// landReminders writes what became of a message. When that cannot be written its reminders stay owed, and are sent again after the next start.
func (d *Desk) landReminders(l mailbag) bool {
	kind := entry.ReminderSent
	if l.failed {
		kind = entry.ReminderFailed
	}
	err := d.write(func(*State, time.Time) (drafts []entry.Draft, _ error) {
		for _, r := range l.results {
			drafts = append(drafts, entry.Draft{Actor: "desk", Kind: kind, Subject: fmt.Sprintf("reminder:%d", r.Try), Body: r})
		}
		return drafts, nil
	})
	if err != nil {
		d.log.Error("writing what became of a reminder", "error", err)
	}
	return err == nil
}

// landedReminders takes what landed out of what flies.
func (d *Desk) landedReminders(l mailbag) {
	if d.landReminders(l) {
		for _, try := range l.tries {
			delete(d.postmen.flying, try)
		}
	}
}

// landLastReminders writes what became of reminders that ended while the program did. The loops have ended.
func (d *Desk) landLastReminders() {
	for {
		select {
		case l := <-d.postmen.landed:
			d.landReminders(l)
		default:
			return
		}
	}
}

// reminderWords words the message. What a label keeps inside, and what is of an incident where the channel must not be used, says only that something waits.
func (d *Desk) reminderWords(person, channel string, bag []review.Reminder, twice bool) (notify.Message, []review.Reminder, error) {
	var lines []string
	var to Contact
	d.Read(func(s *State) {
		to = d.People.Get(s.Plan.People[person].Vault)
		for _, r := range bag {
			lines = append(lines, d.reminderLine(s, r, channel, to.Location()))
		}
	})
	address := to.Address(channel)
	if address == "" {
		return notify.Message{}, bag, fmt.Errorf("%s has no address for %s any more", person, channel)
	}
	more := ""
	if n := len(lines) - remindersInMail; n > 0 {
		lines, more = lines[:remindersInMail], fmt.Sprintf("\n- and %d more", n)
	}
	subject := "A review or a measure waits for you"
	if strings.HasPrefix(bag[0].About, "meeting:") {
		subject = "You are invited to an internal review"
	}
	if len(bag) > 1 {
		subject = fmt.Sprintf("%d reviews and measures wait for you", len(bag))
	}
	m := notify.Message{To: address, Subject: subject, ID: bag[0].Message + "@" + d.origin(), Twice: twice,
		Body: "This waits for you:\n\n- " + strings.Join(slices.Compact(lines), "\n- ") + more + "\n\nAll of it: " + d.o.URL + "/review\n"}
	if channel == plan.Mail {
		m = d.forPerson(m, person, to, envelope.IncidentNeeds, "")
	}
	return m, bag, nil
}

// reminderLine is one thing to be reminded of.
func (d *Desk) reminderLine(s *State, r review.Reminder, channel string, zone *time.Location) string {
	kind, name, _ := strings.Cut(r.About, ":")
	due := r.Due.In(zone).Format("2006-01-02 15:04 MST")
	whose := ""
	switch r.Step {
	case review.StepCommander:
		whose = " You are told because you command, and nobody did it in time."
	case review.StepAdministrators:
		whose = " You are told because you administer, and nobody did it for a month."
	}
	if kind == "part" {
		return fmt.Sprintf("A part of the plan is to be reviewed since %s: %s. %s/review/parts/%s%s", due, d.partTitle(s, name), d.o.URL, name, whose)
	}
	id, err := strconv.ParseInt(name, 10, 64)
	exit := tlp.TeamMail
	if channel == plan.Webhook {
		exit = tlp.Webhook
	}
	bare := func(of int64) bool {
		i, err := s.Incidents.Get(of)
		return err != nil || i.Restriction.Kind != "" || plan.Bars(s.Calls.Barred(of), channel) || !mayTell(s, of, "lessons", exit) || !mayTell(s, of, "", exit)
	}
	if kind == "meeting" && err == nil {
		return d.meetingLine(s, r, id, zone, bare(id))
	}
	if kind == "review" && err == nil {
		if bare(id) {
			return "The internal review of an incident is to be held. " + bareWords
		}
		i, _ := s.Incidents.Get(id)
		return fmt.Sprintf("The internal review of incident %d (%s) was to be held until %s. %s/incidents/%d/review%s", id, i.Title, due, d.o.URL, id, whose)
	}
	m, err := s.Reviews.Measure(id)
	if err != nil {
		return "A measure waits."
	}
	words := map[string]string{review.StepBefore: "is due on", review.StepVerify: "is done, and another person is to see that the gap is closed, since"}[r.Step]
	if words == "" {
		words = "was due on"
	}
	if m.Incident != 0 && bare(m.Incident) {
		return fmt.Sprintf("Measure %d %s %s. %s", id, words, due, bareWords)
	}
	text, _, _ := strings.Cut(d.Text(m.Measure.Text), "\n")
	if len([]rune(text)) > 200 {
		text = string([]rune(text)[:200]) + "…"
	}
	return fmt.Sprintf("Measure %d %s %s: %s %s/review/measures/%d%s", id, words, due, text, d.o.URL, id, whose)
}
