package desk

import (
	"context"
	"fmt"
	"net/mail"
	"slices"
	"strings"

	"tocsin/internal/entry"
	"tocsin/internal/envelope"
	"tocsin/internal/notify"
	"tocsin/internal/plan"
	"tocsin/internal/voice"
)

// A Contact is how a person is reached. It lies in the vault; the ledger knows the person by id.
type Contact struct {
	Name     string            `json:"name"`
	Mail     string            `json:"mail,omitempty"`
	Webhook  string            `json:"webhook,omitempty"`  // the address of a Slack-format incoming webhook: a secret
	Voice    string            `json:"voice,omitempty"`    // a phone: +49301234567, or sips:anna@example.com
	SMS      string            `json:"sms,omitempty"`      // a phone: +49301234567
	Slack    string            `json:"slack,omitempty"`    // the id in the Slack workspace, such as U0123ABCD
	Ways     map[string]string `json:"ways,omitempty"`     // addresses of the further channels, by plan's names
	Sealing  string            `json:"sealing,omitempty"`  // what mail a person gets whom nothing can be encrypted to: required, opportunistic; "" is required from their first confirmed key on
	Language string            `json:"language,omitempty"` // that calls speak; "" is English
	Zone     string            `json:"zone,omitempty"`     // IANA name; "" is UTC
}

// Address returns where a channel reaches the person, "" when it does not.
func (c Contact) Address(channel string) string {
	switch channel {
	case plan.Mail:
		return c.Mail
	case plan.Webhook:
		return c.Webhook
	case plan.Voice:
		return c.Voice
	case plan.SMS:
		return c.SMS
	}
	return c.Ways[channel]
}

// SetAddress says where a channel reaches the person; "" is nowhere.
func (c *Contact) SetAddress(channel, address string) {
	switch channel {
	case plan.Mail:
		c.Mail = address
	case plan.Webhook:
		c.Webhook = address
	case plan.Voice:
		c.Voice = address
	case plan.SMS:
		c.SMS = address
	default:
		if address == "" {
			delete(c.Ways, channel)
			return
		}
		if c.Ways == nil {
			c.Ways = map[string]string{}
		}
		c.Ways[channel] = address
	}
}

// contactOrder is the order in which the channels of a contact are listed in entries: the two oldest first, as they always were.
func contactOrder() []string {
	out := []string{plan.Mail, plan.Webhook}
	for _, c := range plan.Channels() {
		if c != plan.Console && !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

// checkWays says what is wrong with the addresses of a contact: a FieldError named by the channel.
func checkWays(c Contact) error {
	for channel := range c.Ways {
		if _, known := plan.ChannelOf(channel); !known {
			return fmt.Errorf("there is no channel named %.40q", channel)
		}
	}
	for _, x := range plan.ChannelTable() {
		address := c.Address(x.Name)
		if address == "" {
			continue
		}
		if x.Name == plan.Mail {
			if a, err := mail.ParseAddress(address); err != nil || a.Address != address {
				return FieldError{"mail", fmt.Sprintf("%q is not a mail address.", address)}
			}
		}
		if err := x.Check(address); err != nil {
			return FieldError{x.Name, Title(err.Error()) + "."}
		}
	}
	switch envelope.Policy(c.Sealing) {
	case "", envelope.Required, envelope.Opportunistic:
	default:
		return FieldError{"sealing", fmt.Sprintf("%.40q says nothing about mail; known: required, opportunistic.", c.Sealing)}
	}
	if c.Language != "" && !slices.Contains(voice.Languages(), c.Language) {
		return FieldError{"language", fmt.Sprintf("Calls do not speak %.40q; known: %v.", c.Language, voice.Languages())}
	}
	return nil
}

// Languages lists the languages that calls are spoken in.
func Languages() []string { return voice.Languages() }

// Works reports whether a channel is set up on this machine.
func (d *Desk) Works(channel string) bool {
	return channel == plan.Console || d.o.Senders[channel] != nil || channel == plan.Voice && d.o.Phone != nil
}

// A job is one try, ready to be sent.
type job struct {
	notify.Message
	person string
	order  *voice.Order // of a telephone call
}

// A receipt is what is known of a message that was taken: how it was protected, and the other side's words.
type receipt struct {
	form  string
	less  bool
	words string
}

// carry hands a message to the sender of its channel.
func (d *Desk) carry(ctx context.Context, channel string, m notify.Message) (t receipt, err error) {
	if channel == plan.Mail && d.o.Deliver != nil {
		a, err := d.o.Deliver(ctx, m)
		t.form, t.words = string(a.Form), a.Reply
		if a.Downgraded != "" {
			t.less, t.words = true, strings.TrimSpace(a.Downgraded+" "+a.Reply)
		}
		return t, err
	}
	sender := d.o.Senders[channel]
	if sender == nil {
		return t, fmt.Errorf("no %s sender is configured: see tocsin.yaml", channel)
	}
	return t, sender(ctx, m)
}

// sent is the landing of a try that was taken.
func (d *Desk) sent(f flight, t receipt, twice bool) landing {
	r := entry.CallResult{ID: f.call, Try: f.try, Twice: twice, Form: t.form, Less: t.less}
	text, err := d.text(t.words)
	if err != nil {
		d.log.Error("keeping what the other side said", "error", err)
	}
	r.Text = text
	return landing{flight: f, kind: entry.CallSent, result: r}
}
