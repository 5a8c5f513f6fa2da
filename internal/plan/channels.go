package plan

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Channels by which a person can be rung. Which of them work on a machine is for its settings to say.
const (
	Voice      = "voice"
	SMS        = "sms"
	Pushover   = "pushover"
	Ntfy       = "ntfy"
	Telegram   = "telegram"
	Mattermost = "mattermost"
	Teams      = "teams"
	Discord    = "discord"
	Signed     = "signed"
	Webhook    = "webhook"
	Mail       = "mail"
	Console    = "console"
)

// A Channel is one way to ring a person, as screens, forms and checks need it: everything that is the same of all of them stands in its row.
type Channel struct {
	Name    string // in entries and settings
	Word    string // on screens: "phone"
	Field   string // what the address is called in a form: "Phone for calls"
	Like    string // what an address looks like
	Private string // how private it is, one honest sentence
	Answers string // how a call is answered on it: "press 1", "by the link", "by the button"
	Secret  bool   // who knows the address can write there, so it is shown to nobody
	Setting string // the group of tocsin.yaml that it needs; "" needs none

	form func(string) bool // nil: anything
}

// Channels lists the names of every channel of a person, those that wake somebody first.
func Channels() []string {
	var out []string
	for _, c := range ChannelTable() {
		out = append(out, c.Name)
	}
	return out
}

// ChannelTable is the one table of the channels, those that wake somebody first. How private each is, is measured in doc/calls.md, doc/mail.md and doc/chat.md.
func ChannelTable() []Channel {
	const link = "by the link"
	return []Channel{
		{Voice, "phone", "Phone for calls", "+49301234567, or sips:anna@example.com for an app of their own",
			"A sips: address is encrypted end to end; a number is encrypted to the telephone provider, which can listen, so give the person a PIN.", "press 1; 2 passes it on", false, "voice", voiceForm},
		{SMS, "text message", "Phone for text messages", "+49301234567",
			"Not encrypted: the gateway and both networks can read it, and whoever moved the number to another SIM card.", link, false, "sms", phoneForm.MatchString},
		{Pushover, "Pushover", "Pushover user key", "the 30 letters and digits of the user key",
			"Encrypted to the provider: Pushover can read it, and Apple or Google on the way.", link, true, "pushover", pushoverForm.MatchString},
		{Ntfy, "ntfy", "ntfy topic", "https://ntfy.example.com/topic, or the topic alone",
			"Encrypted to the server: whoever runs it can read it, and everybody who knows the topic's name.", link, true, "", ntfyForm},
		{Telegram, "Telegram", "Telegram chat", "the number of the chat with our bot",
			"Encrypted to the provider: Telegram can read it; a bot's chat is never encrypted end to end.", link, false, "telegram", telegramForm.MatchString},
		{Mattermost, "Mattermost", "Mattermost webhook", "https://chat.example.com/hooks/...",
			"Encrypted to the server: whoever runs it can read it, and everybody in that channel.", link, true, "", webForm},
		{Teams, "Teams", "Microsoft Teams workflow", "https://....logic.azure.com/workflows/...",
			"Encrypted to the provider: Microsoft can read it, the owners of the team, and everybody in that channel.", link, true, "", webForm},
		{Discord, "Discord", "Discord webhook", "https://discord.com/api/webhooks/...",
			"Encrypted to the provider: Discord can read it, and everybody in that channel.", link, true, "", webForm},
		{Signed, "signed webhook", "Address of a program of yours", "https://pager.example.com/tocsin",
			"Encrypted to your program, and signed: whoever runs it can read it, and nobody can forge it.", link, true, "signed", webForm},
		{Webhook, "chat webhook", "Webhook of a chat (Slack format)", "https://hooks.slack.com/services/...",
			"Encrypted to the provider: the chat's provider can read it, and everybody in that channel.", link, true, "", webForm},
		{Mail, "mail", "Mail address", "anna@example.com",
			"With a key of theirs, only they can read it. Without one every mail server on the way can.", link, false, "mail", nil},
		{Console, "console", "", "", "Encrypted end to end: this server and the browser that is signed in.", "by the button", false, "", nil},
	}
}

// ChannelOf returns the row of a channel.
func ChannelOf(name string) (c Channel, ok bool) {
	t := ChannelTable()
	if i := slices.IndexFunc(t, func(c Channel) bool { return c.Name == name }); i >= 0 {
		return t[i], true
	}
	return Channel{}, false
}

// Check says in words what is wrong with an address of this channel, or returns nil. The error shows no secret.
func (c Channel) Check(address string) error {
	if len(address) > maxAddress || strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r == 0x7f }) || c.form != nil && !c.form(address) {
		return fmt.Errorf("this is no address for %s; one is %s", c.Word, c.Like)
	}
	return nil
}

const maxAddress = 2000 // bytes: the addresses of Teams hold a signature

var (
	phoneForm    = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)                                                                      // E.164
	sipForm      = regexp.MustCompile(`^sips:[A-Za-z0-9._+-]{1,64}@([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?$`) // RFC 3261 19.1: sip: would not be encrypted
	pushoverForm = regexp.MustCompile(`^[0-9A-Za-z]{30}$`)
	topicForm    = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)
	telegramForm = regexp.MustCompile(`^(-?[0-9]{1,20}|@[A-Za-z][0-9A-Za-z_]{3,31})$`)
)

func voiceForm(s string) bool { return phoneForm.MatchString(s) || sipForm.MatchString(s) }

// webForm takes https addresses, and http on this machine.
func webForm(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.User != nil {
		return false
	}
	a, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || err == nil && a.IsLoopback()) // 127.evil.example is not this machine
}

func ntfyForm(s string) bool {
	if topicForm.MatchString(s) {
		return true
	}
	_, _, ok := NtfyTopic(s)
	return ok
}

// NtfyTopic cuts the address of a topic into its server and its name.
func NtfyTopic(address string) (server, topic string, ok bool) {
	i := strings.LastIndexByte(address, '/')
	if i < 0 || !topicForm.MatchString(address[i+1:]) || !webForm(address[:i]) {
		return "", "", false
	}
	return address[:i], address[i+1:], true
}
