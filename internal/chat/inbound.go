package chat

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The acts of a Press.
const (
	Acknowledge = "acknowledge"
	PassOn      = "pass on"
	TakeTask    = "take task"
	SetSeverity = "set severity"
)

// A Press is a button or choice on an incident's card. Whether it counts is the caller's decision; whether Channel and Card are those of
// the Place that it keeps, too.
type Press struct {
	ID       string // the same for the same press, delivered twice
	User     string // Slack's id
	Team     string // the workspace that the user is of; "" when Slack did not say
	Staff    string // who that is on the team
	Incident int
	Key      string // of the Card that was pressed on
	Channel  string
	Card     string
	Act      string // one of the above
	Task     string // of TakeTask
	Severity string // of SetSeverity: one of Severities
}

// The verbs of a Command.
const (
	OpenIncident = "open"
	AddNote      = "note"
	AskStatus    = "status"
	AskWho       = "who"
)

// Usage is what the slash command knows.
const Usage = "/tocsin open TEXT | note NUMBER TEXT | status | who. In an incident's channel, note needs no number."

// A Command is what somebody typed after /tocsin.
type Command struct {
	ID      string // the same for the same command, delivered twice
	User    string
	Team    string // the workspace that the user is of; "" when Slack did not say
	Staff   string
	Channel string // where it was typed
	Verb    string // one of the above
	Number  int    // of the incident; 0 when none was named and it was not typed in an incident's channel
	Text    string // of OpenIncident and AddNote: plain, several lines at most, at most 4,000 bytes
}

// A Heard is something said in an incident's channel, by a person.
type Heard struct {
	ID       string // channel and time: the same for the same message, delivered twice, edited or deleted
	Incident int
	Channel  string
	User     string // Slack's id
	Team     string // the workspace that the user is of; "" when Slack did not say
	Staff    string // who that is on the team; "" is nobody known
	Name     string // for people: Staff, or that it is somebody who is not on the team
	Change   string // "" is new; "edited": Text is the new one; "deleted": Text is what was there, "" when Slack did not say
	Text     string // plain, at most 4,000 bytes; what is named in it is spelt out
	Files    int    // how many files came with it; they are not fetched
	At       time.Time
}

// An envelope is what comes over the socket. https://docs.slack.dev/apis/events-api/using-socket-mode
type envelope struct {
	ID      string          `json:"envelope_id"`
	Type    string          `json:"type"`
	Reply   bool            `json:"accepts_response_payload"`
	Payload json.RawMessage `json:"payload"`
	Reason  string          `json:"reason"` // of disconnect
}

var (
	userForm    = regexp.MustCompile(`^[UW][A-Z0-9]{1,20}$`)
	channelForm = regexp.MustCompile(`^[CGD][A-Z0-9]{1,20}$`)
	timeForm    = regexp.MustCompile(`^[0-9]{1,11}\.[0-9]{1,6}$`)
	idForm      = regexp.MustCompile(`^[!-~]{1,200}$`)
)

// errNotOurs is a payload that is none of what the card and the command make.
var errNotOurs = errors.New("it is not of a kind that Tocsin asks for")

// readEnvelope reads a message of the socket.
func readEnvelope(b []byte) (e envelope, _ error) {
	if len(b) > maxEnvelope {
		return e, fmt.Errorf("slack: an envelope has more than %d bytes", maxEnvelope)
	}
	if err := json.Unmarshal(b, &e); err != nil {
		return e, errors.New("slack: an envelope is no JSON of the known form")
	}
	if e.Type != "hello" && e.Type != "disconnect" && !idForm.MatchString(e.ID) {
		return e, errors.New("slack: an envelope has no id")
	}
	return e, nil
}

// readPress reads the payload of an envelope of type interactive. Staff is left empty. A press on what is not ours is errNotOurs.
func readPress(payload []byte) (p Press, _ error) {
	var x struct {
		Type string
		User struct {
			ID   string
			Team string `json:"team_id"`
		}
		Channel   struct{ ID string }
		Container struct {
			Message string `json:"message_ts"`
			Channel string `json:"channel_id"`
		}
		Message struct{ TS string }
		Actions []struct {
			ID       string `json:"action_id"`
			At       string `json:"action_ts"`
			Value    string
			Selected struct{ Value string } `json:"selected_option"`
		}
	}
	if err := json.Unmarshal(payload, &x); err != nil {
		return p, errors.New("slack: a press is no JSON of the known form")
	}
	if x.Type != "block_actions" || len(x.Actions) != 1 {
		return p, errNotOurs
	}
	a := x.Actions[0]
	p.User, p.Team, p.Channel, p.Card = x.User.ID, x.User.Team, x.Channel.ID, x.Message.TS
	if p.Channel == "" {
		p.Channel = x.Container.Channel
	}
	if p.Card == "" {
		p.Card = x.Container.Message
	}
	value := a.Value
	switch {
	case a.ID == actAcknowledge:
		p.Act = Acknowledge
	case a.ID == actPass:
		p.Act = PassOn
	case a.ID == actSeverity:
		p.Act, value = SetSeverity, a.Selected.Value
	case strings.HasPrefix(a.ID, actTake+"_"):
		p.Act = TakeTask
	default:
		return p, errNotOurs
	}
	var more string
	var ok bool
	if p.Incident, p.Key, more, ok = readValue(value); !ok {
		return p, errors.New("slack: a press carries a value that no card of ours has")
	}
	switch {
	case p.Act == TakeTask && more != "":
		p.Task = more
	case p.Act == SetSeverity && slices.Contains(Severities(), more):
		p.Severity = more
	case p.Act != TakeTask && p.Act != SetSeverity && more == "":
	default:
		return p, errors.New("slack: a press carries a value that no card of ours has")
	}
	if !userForm.MatchString(p.User) || !channelForm.MatchString(p.Channel) || !timeForm.MatchString(p.Card) || !timeForm.MatchString(a.At) {
		return p, errors.New("slack: a press does not say by whom, where or when")
	}
	p.ID = "press:" + p.User + ":" + p.Channel + ":" + a.At + ":" + a.ID
	return p, nil
}

// readCommand reads the payload of an envelope of type slash_commands. A command that says nothing useful has no Verb. Staff is left empty, and Number 0 when
// none was typed.
func readCommand(payload []byte) (c Command, _ error) {
	var x struct {
		Text    string
		User    string `json:"user_id"`
		Team    string `json:"team_id"`
		Channel string `json:"channel_id"`
		Trigger string `json:"trigger_id"`
	}
	if err := json.Unmarshal(payload, &x); err != nil {
		return c, errors.New("slack: a command is no JSON of the known form")
	}
	if !userForm.MatchString(x.User) || !channelForm.MatchString(x.Channel) || !idForm.MatchString(x.Trigger) {
		return c, errors.New("slack: a command does not say by whom or where")
	}
	c = Command{ID: "command:" + x.Trigger, User: x.User, Team: x.Team, Channel: x.Channel}
	verb, rest, _ := strings.Cut(plain(x.Text, func(u string) string { return short(u, 40) }), " ")
	rest = strings.TrimSpace(rest)
	switch verb = strings.ToLower(verb); verb {
	case OpenIncident, AddNote:
		c.Text = rest
	case AskStatus, AskWho:
		c.Verb = verb
		return c, nil
	default:
		return c, nil
	}
	if verb == AddNote {
		first, more, _ := strings.Cut(rest, " ")
		if n, err := strconv.ParseUint(strings.TrimPrefix(first, "#"), 10, 31); err == nil && n > 0 {
			c.Number, c.Text = int(n), strings.TrimSpace(more)
		}
	}
	if c.Text != "" {
		c.Verb = verb
	}
	return c, nil
}

// said is a message as the Events API has it. https://docs.slack.dev/reference/events/message
type said struct {
	Type    string
	Subtype string
	Channel string
	User    string
	Team    string
	Theirs  string `json:"user_team"` // in a channel that is shared with another workspace
	Bot     string `json:"bot_id"`
	Text    string
	TS      string
	Deleted string `json:"deleted_ts"`
	Files   []struct{}
	Message *said
	Before  *said `json:"previous_message"`
}

// readHeard reads the payload of an envelope of type events_api. Incident, Staff and Name are left empty; who spells out people
// that the text names. What is not said by a person is errNotOurs.
func readHeard(payload []byte, who func(user string) string) (h Heard, _ error) {
	var x struct{ Event said }
	if err := json.Unmarshal(payload, &x); err != nil {
		return h, errors.New("slack: a message is no JSON of the known form")
	}
	m, at := x.Event, x.Event.TS
	if m.Type != "message" {
		return h, errNotOurs
	}
	h.Channel = m.Channel
	switch m.Subtype {
	case "", "file_share", "thread_broadcast", "me_message":
	case "message_changed":
		if m.Message == nil || m.Before != nil && m.Message.Text == m.Before.Text { // a preview of a link was added
			return h, errNotOurs
		}
		h.Change, at, m = "edited", m.TS, *m.Message
	case "message_deleted":
		before := said{TS: m.Deleted}
		if m.Before != nil {
			before = *m.Before
		}
		h.Change, at, m = "deleted", m.TS, before
	default:
		return h, errNotOurs
	}
	if m.Bot != "" || m.Subtype == "bot_message" {
		return h, errNotOurs
	}
	if h.Change == "deleted" && m.User == "" {
		return h, errNotOurs // nobody can tell whose it was
	}
	if !userForm.MatchString(m.User) || !channelForm.MatchString(h.Channel) || !timeForm.MatchString(m.TS) || !timeForm.MatchString(at) {
		return h, errors.New("slack: a message does not say by whom, where or when")
	}
	h.Team = cmp.Or(m.Theirs, m.Team)
	h.User, h.ID, h.Files, h.Text = m.User, h.Channel+":"+m.TS, len(m.Files), plain(m.Text, who)
	seconds, micros, _ := strings.Cut(at, ".")
	sec, _ := strconv.ParseInt(seconds, 10, 64) // at most 11 digits
	us, _ := strconv.ParseInt((micros + "000000")[:6], 10, 64)
	h.At = time.Unix(sec, us*1000).UTC()
	if h.Text == "" && h.Files == 0 && h.Change == "" {
		return h, errNotOurs
	}
	return h, nil
}
