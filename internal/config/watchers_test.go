package config

import (
	"strings"
	"testing"
	"time"
)

func TestWatchers(t *testing.T) {
	const hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	for says, text := range map[string]string{
		"": "watchers:\n  - {url: 'https://watch.example.com/beat/shop', token_file: /t}\n  - {url: 'http://localhost:1/beat/shop', token_file: /t}\n" +
			"watches:\n  - {id: branch, token_hash: " + hash + ", silent_after: 5m}\ntest_calls: never\n",
		"begins with https://":       "watchers:\n  - {url: 'http://watch.example.com/beat/shop', token_file: /t}\n",
		"the address of the watcher": "watchers:\n  - {token_file: /t}\n",
		"the file with the token":    "watchers:\n  - {url: 'https://watch.example.com'}\n",
		"is no id":                   "watches:\n  - {id: 'Branch 1', token_hash: " + hash + "}\n",
		"two watches with the id":    "watches:\n  - {id: a, token_hash: " + hash + "}\n  - {id: a, token_hash: " + hash + "}\n",
		"no SHA-256 in hex":          "watches:\n  - {id: a, token_hash: secret}\n",
		"silence is 2m to 24h":       "watches:\n  - {id: a, token_hash: " + hash + ", silent_after: 30s}\n",
		"every 1d to 90d":            "test_calls: 1h\n",
		"rings again after 5m":       "escalation: {attend: 1m, steps: [{who: [everyone]}]}\n",
		"1 to 5 answers":             "escalation: {steps: [{who: [everyone], answers: 9}]}\n",
	} {
		c, err := Parse("tocsin.yaml", []byte(text))
		switch {
		case says == "" && err != nil:
			t.Errorf("%s\n%v", text, err)
		case says == "" && (len(c.Watchers) != 2 || time.Duration(c.Watches[0].SilentAfter) != 5*time.Minute || c.TestCalls != 0):
			t.Errorf("read as %+v", c)
		case says != "" && (err == nil || !strings.Contains(err.Error(), says)):
			t.Errorf("%s\n%v, want %q", text, err, says)
		}
	}
	c, err := Parse("tocsin.yaml", []byte("escalation: {steps: [{who: ['schedule:web', 'chat:ops']}, {who: [everyone], by: [voice, sms]}]}\n"))
	if err != nil || c.TestCalls != Duration(30*24*time.Hour) || c.Escalation.Attend != Duration(30*time.Minute) {
		t.Errorf("schedules and chats, and the defaults: %v, %+v", err, c.Escalation)
	}
}
