package incident

import (
	"errors"
	"fmt"

	"tocsin/internal/entry"
)

// A Question is what somebody wants to know from a role, or from everybody.
type Question struct {
	entry.Question
	Asked  Written[struct{}]
	Answer *Written[entry.Reply] // nil while nobody answered
	Gone   *Written[entry.Reply] // withdrawn
}

// Open reports whether somebody should answer it.
func (q *Question) Open() bool { return q.Answer == nil && q.Gone == nil }

// Ask decides that somebody wants to know something. Its number is set here.
func (b *Book) Ask(actor string, x entry.Question) (entry.Draft, error) {
	i, err := b.open(x.Incident)
	if err != nil {
		return entry.Draft{}, err
	}
	all := i.Command().Questions
	switch {
	case x.Text == "":
		return entry.Draft{}, errors.New("the question is empty")
	case x.Person == "":
		return entry.Draft{}, errNobody
	}
	if err := aRole(x.Role); err != nil {
		return entry.Draft{}, err
	}
	x.ID = int64(len(all)) + 1
	return draft(actor, entry.QuestionAsked, x.Incident, x), room(all, "question", x.Incident)
}

// Answer decides that a question is answered; x.Text has the answer. Of two who answer at once, the second gets an *Overtaken that shows the first.
func (b *Book) Answer(actor string, x entry.Reply) (entry.Draft, error) {
	return b.reply(actor, entry.QuestionAnswered, x, "the answer is empty")
}

// WithdrawQuestion decides that a question need not be answered; x.Text says why.
func (b *Book) WithdrawQuestion(actor string, x entry.Reply) (entry.Draft, error) {
	return b.reply(actor, entry.QuestionWithdrawn, x, "say why it need not be answered")
}

func (b *Book) reply(actor string, kind entry.Kind, x entry.Reply, empty string) (entry.Draft, error) {
	i, err := b.Get(x.Incident) // also of one that is closed, or part of another
	if err != nil {
		return entry.Draft{}, err
	}
	q, err := numbered(i.Command().Questions, x.ID, "question", x.Incident)
	switch {
	case err != nil:
		return entry.Draft{}, err
	case !q.Open():
		return entry.Draft{}, q.overtaken()
	case x.Person == "":
		return entry.Draft{}, errNobody
	case x.Text == "":
		return entry.Draft{}, errors.New(empty)
	}
	return draft(actor, kind, x.Incident, x), nil
}

func (q *Question) overtaken() error {
	first, did := q.Answer, "answered"
	if first == nil {
		first, did = q.Gone, "withdrawn"
	}
	return &Overtaken{What: fmt.Sprintf("question %d of incident %d was %s", q.ID, q.Incident, did), N: first.N, By: first.By, At: first.At, Text: first.What.Text,
		Then: "look at it, and write what you have to add as a note"}
}

func (b *Book) applyQuestion(e entry.Entry) (bool, error) {
	switch e.Kind {
	case entry.QuestionAsked:
		return fold(b, e, func(x *entry.Question) int64 { return x.Incident }, func(_ *Incident, c *Command, x *entry.Question, m *Mark) error {
			if err := follows(c.Questions, x.ID, "question"); err != nil {
				return err
			}
			c.Questions = append(c.Questions, Question{Question: *x, Asked: written(e, struct{}{})})
			m.Ref, m.To = x.Text, fmt.Sprint(x.ID)
			c.tag(e.N, x.Role)
			b.todo.add(ofRole(x.Role), todo{x.Incident, Asked, x.ID})
			return nil
		})
	case entry.QuestionAnswered, entry.QuestionWithdrawn:
		return fold(b, e, replyTo, func(_ *Incident, c *Command, x *entry.Reply, m *Mark) error {
			q, err := numbered(c.Questions, x.ID, "question", x.Incident)
			if err != nil {
				return err
			}
			if !q.Open() {
				return q.overtaken()
			}
			w := written(e, *x)
			if e.Kind == entry.QuestionAnswered {
				q.Answer = &w
			} else {
				q.Gone = &w
			}
			m.Ref, m.To = x.Text, fmt.Sprint(x.ID)
			c.tag(e.N, q.Role)
			b.todo.cut(ofRole(q.Role), todo{x.Incident, Asked, x.ID})
			return nil
		})
	}
	return false, nil
}
