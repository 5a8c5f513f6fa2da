package config

import (
	"net"
	"net/netip"
	"strconv"
)

// Slack is an app that keeps a channel for each incident (doc/chat.md).
type Slack struct {
	// BotTokenFile and AppTokenFile hold the app's two tokens. A name without a slash is a systemd credential first.
	BotTokenFile string `yaml:"bot_token_file"`
	AppTokenFile string `yaml:"app_token_file"`
	// Prefix begins the names of channels, as in inc-42. Default: inc. Private makes channels that only the invited see.
	Prefix  string `yaml:"prefix"`
	Private bool   `yaml:"private"`
	// Least is the severity from which on an incident has a channel. Default: high.
	Least string `yaml:"least"`
	// Invite says whom to bring into the channel, by severity: staff ids, role:<role>, everyone.
	Invite map[string]Files `yaml:"invite"`
	// Timeline writes what is said in the channels into the incidents' timelines.
	Timeline bool `yaml:"timeline"`
}

// Room is the war room (doc/room.md).
type Room struct {
	// UDP is the address and port at which sound comes in; without it there is no war room. TCP is the same for networks that let no UDP out.
	UDP string `yaml:"udp"`
	TCP string `yaml:"tcp"`
	// Public are the addresses that browsers see, where they are not the machine's own.
	Public Files `yaml:"public"`
	// Record lets hosts record. The files lie in the folder recordings of the data. Default: false.
	Record bool `yaml:"record"`
}

func checkRooms(c *Config, say say) {
	if s := c.Slack; s.BotTokenFile == "" != (s.AppTokenFile == "") {
		say("slack.bot_token_file", "Slack needs both tokens: bot_token_file and app_token_file")
	}
	known := map[string]bool{"low": true, "medium": true, "high": true, "critical": true}
	if c.Slack.Least != "" && !known[c.Slack.Least] {
		say("slack.least", "unknown severity %q; known: low, medium, high, critical", c.Slack.Least)
	}
	for severity := range c.Slack.Invite {
		if !known[severity] {
			say("slack.invite", "unknown severity %q; known: low, medium, high, critical", severity)
		}
	}
	for key, at := range map[string]string{"room.udp": c.Room.UDP, "room.tcp": c.Room.TCP} {
		if at == "" {
			continue
		}
		host, port, err := net.SplitHostPort(at)
		n, perr := strconv.Atoi(port)
		_, aerr := netip.ParseAddr(host)
		if err != nil || perr != nil || n < 1 || n > 65535 || host != "" && aerr != nil {
			say(key, "%q is no address with port; write 0.0.0.0:7443", at)
		}
	}
	if c.Room.UDP == "" && (c.Room.TCP != "" || len(c.Room.Public) > 0 || c.Room.Record) {
		say("room.udp", "the war room needs a UDP port; write udp: 0.0.0.0:7443")
	}
	for _, a := range c.Room.Public {
		if _, err := netip.ParseAddr(a); err != nil {
			say("room.public", "%q is no IP address; names are not known here", a)
		}
	}
}
