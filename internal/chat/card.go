package chat

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/slack-go/slack"
)

// A Card is the state of an incident as the channel shows it. Its texts may come from a log: they are made safe here. It must
// hold no secrets and no personal data of customers: the provider reads it.
type Card struct {
	Number   int    // of the incident, from 1; its channel's name is made of it
	Key      string // tells the incident from another installation's or an earlier one of the same number: 1 to 40 of letters, digits, - and _; says nothing to others
	Title    string
	Severity string // Critical, High, Medium or Low; another word is shown without a sign
	Phase    string // such as Containment
	Open     bool   // false: the incident is closed, and there is nothing to press
	Answered string // who acknowledged; "" nobody yet
	Holders  []Holder
	Next     string // what is to be done next
	Tasks    []Task // those that are open; five are shown, the rest counted
	Link     string // to the incident in the console, https:// or http://; it must not let anybody in by itself
	Redacted bool   // nothing may be said here but number and severity, or the number alone where there is no severity: of a restricted incident, or one that Slack itself may be part of
}

// A Holder is who holds a role now.
type Holder struct{ Role, Name string }

// A Task is something to be done.
type Task struct {
	ID    string // 1 to 40 of letters, digits, ., - and _
	Text  string
	Taken string // by whom; "" by nobody
}

// Severities are the words of severity, worst first.
func Severities() []string { return []string{"Critical", "High", "Medium", "Low"} }

// sign is a shape for a severity, so that it is told by more than a colour; the word stands beside it always.
func sign(severity string) string {
	switch severity {
	case "Critical":
		return "▲▲▲"
	case "High":
		return "▲▲"
	case "Medium":
		return "▲"
	case "Low":
		return "▽"
	}
	return "◇"
}

// The lengths that Slack allows, with room for escaping. https://docs.slack.dev/reference/block-kit/blocks
const (
	maxTopic  = 250
	maxHeader = 150
	maxShown  = 5 // tasks
	maxRoles  = 12
)

// check returns why the card cannot be shown.
func (c Card) check() error {
	if c.Number < 1 || !handle(c.Key) {
		return fmt.Errorf("slack: incident %d with key %q cannot have a channel: the number begins at 1, and the key is 1 to 40 letters, digits, - and _", c.Number, short(c.Key, 40))
	}
	for _, t := range c.Tasks {
		if !handle(t.ID) {
			return fmt.Errorf("slack: incident %d: %q is no id of a task", c.Number, short(t.ID, 40))
		}
	}
	return nil
}

// handle reports whether s can stand in the value of a button.
func handle(s string) bool {
	for _, r := range s {
		if (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-' && r != '_' && r != '.' {
			return false
		}
	}
	return s != "" && len(s) <= 40
}

// severity is the sign and the word.
func (c Card) severity() string { return sign(c.Severity) + " " + defang(short(c.Severity, 20)) }

// head is what a reader sees first, also on a locked phone.
func (c Card) head() string {
	h := fmt.Sprintf("Incident %d", c.Number)
	if c.Severity != "" {
		h += ", " + c.severity()
	}
	if title := short(defang(visible(c.Title)), 100); title != "" && !c.Redacted {
		h += ": " + title
	}
	return h
}

// state is the phase and who acknowledged, in a sentence.
func (c Card) state() string {
	switch {
	case !c.Open:
		return "closed"
	case c.Redacted:
		return "open"
	}
	out := "open"
	if p := short(defang(c.Phase), 40); p != "" {
		out = p
	}
	if a := short(defang(c.Answered), 40); a != "" {
		return out + ", acknowledged by " + a
	}
	return out + ", not acknowledged yet"
}

// topic is the line at the head of the channel: at most 250 characters, plain text.
func (c Card) topic() string {
	return escape(cut(fmt.Sprintf("%s | %s", c.severity(), c.state()), maxTopic-30))
}

// blocks lays the card out.
func (c Card) blocks() []slack.Block {
	text := func(s string) *slack.TextBlockObject {
		return slack.NewTextBlockObject(slack.PlainTextType, s, false, false)
	}
	out := []slack.Block{slack.NewHeaderBlock(text(cut(c.head(), maxHeader)))}
	section := func(s string) { out = append(out, slack.NewSectionBlock(text(cut(s, 2900)), nil, nil)) }
	if c.Redacted {
		section("What it is about is not shown here. Sign in to Tocsin.")
		return append(out, c.buttons()...)
	}
	section("State: " + c.state())
	var who []string
	for i, h := range c.Holders {
		if i == maxRoles {
			who = append(who, fmt.Sprintf("and %d more", len(c.Holders)-i))
			break
		}
		name := short(defang(h.Name), 60)
		if name == "" {
			name = "nobody"
		}
		who = append(who, short(defang(h.Role), 60)+": "+name)
	}
	if len(who) > 0 {
		section(strings.Join(who, "\n"))
	}
	if next := short(defang(visible(c.Next)), 600); next != "" {
		section("Next step: " + next)
	}
	out = append(out, c.tasks()...)
	out = append(out, c.buttons()...)
	if address := link(c.Link); address != "" {
		out = append(out, slack.NewContextBlock("tocsin_link", slack.NewTextBlockObject(slack.MarkdownType, "<"+address+"|Open in Tocsin>", false, false)))
	}
	return out
}

// tasks are one line each, with a button where nobody took it.
func (c Card) tasks() (out []slack.Block) {
	plainText := func(s string) *slack.TextBlockObject {
		return slack.NewTextBlockObject(slack.PlainTextType, s, false, false)
	}
	for i, t := range c.Tasks {
		if i == maxShown {
			out = append(out, slack.NewSectionBlock(plainText(fmt.Sprintf("%d more tasks are open.", len(c.Tasks)-i)), nil, nil))
			break
		}
		line := "Task: " + short(defang(visible(t.Text)), 300)
		var button *slack.Accessory
		if taken := short(defang(t.Taken), 60); taken != "" {
			line += " (taken by " + taken + ")"
		} else if c.Open {
			button = slack.NewAccessory(slack.NewButtonBlockElement(fmt.Sprintf("%s_%d", actTake, i), c.value(t.ID), plainText("Take task")))
		}
		out = append(out, slack.NewSectionBlock(plainText(line), nil, button, slack.SectionBlockOptionBlockID(fmt.Sprintf("tocsin_task_%d", i))))
	}
	return out
}

// The ids of what can be pressed. They stand in messages that Slack keeps, so they stay as they are.
const (
	actAcknowledge = "tocsin_acknowledge"
	actPass        = "tocsin_pass"
	actTake        = "tocsin_take"
	actSeverity    = "tocsin_severity"
)

// buttons is the row of what can be pressed; none on a closed incident.
func (c Card) buttons() []slack.Block {
	if !c.Open {
		return nil
	}
	text := func(s string) *slack.TextBlockObject {
		return slack.NewTextBlockObject(slack.PlainTextType, s, false, false)
	}
	acknowledge := slack.NewButtonBlockElement(actAcknowledge, c.value(""), text("Acknowledge"))
	acknowledge.Style = slack.StylePrimary
	var options []*slack.OptionBlockObject
	var now *slack.OptionBlockObject
	for _, s := range Severities() {
		o := slack.NewOptionBlockObject(c.value(s), text(sign(s)+" "+s), nil)
		options = append(options, o)
		if s == c.Severity {
			now = o
		}
	}
	choose := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, text("Set severity"), actSeverity, options...)
	choose.InitialOption = now
	return []slack.Block{slack.NewActionBlock("tocsin_acts", acknowledge, slack.NewButtonBlockElement(actPass, c.value(""), text("Pass on")), choose)}
}

// value is what a button carries: number and key of the incident, and what else is meant.
func (c Card) value(more string) string { return strconv.Itoa(c.Number) + "/" + c.Key + "/" + more }

// readValue reads what value wrote.
func readValue(s string) (number int, key, more string, ok bool) {
	f := strings.Split(s, "/")
	if len(s) > 150 || len(f) != 3 {
		return 0, "", "", false
	}
	n, err := strconv.ParseUint(f[0], 10, 31)
	if err != nil || n == 0 || !handle(f[1]) || f[2] != "" && !handle(f[2]) {
		return 0, "", "", false
	}
	return int(n), f[1], f[2], true
}

// link returns an address as it may stand in Slack's marks, "" when it is none that a person should follow.
func link(s string) string {
	if !strings.HasPrefix(s, "https://") && !strings.HasPrefix(s, "http://") || len(s) > 1000 || short(s, 1000) != s {
		return ""
	}
	return strings.ReplaceAll(strings.NewReplacer("|", "%7C", "<", "%3C", ">", "%3E", " ", "%20").Replace(s), "&", "&amp;")
}

// print tells two cards apart by what is shown.
func (c Card) print() string {
	b, err := json.Marshal(slack.Blocks{BlockSet: c.blocks()})
	if err != nil {
		panic("chat: our own card has no JSON: " + err.Error())
	}
	return string(b)
}
