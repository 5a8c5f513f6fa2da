package detect

import "strings"

// A mark in a user agent and what it stands for; of several the first in the list counts (Edge and Opera say Chrome too, Chrome says
// Safari, and so on).
type agentWord struct{ mark, means string }

var agentFamilies = []agentWord{
	{"Edg", "Edge"}, {"OPR/", "Opera"}, {"Opera", "Opera"}, {"SamsungBrowser", "Samsung Internet"}, {"Vivaldi", "Vivaldi"}, {"YaBrowser", "Yandex Browser"},
	{"Firefox", "Firefox"}, {"FxiOS", "Firefox"}, {"CriOS", "Chrome"}, {"HeadlessChrome", "headless Chrome"}, {"Chrome", "Chrome"}, {"Chromium", "Chrome"},
	{"Safari", "Safari"}, {"Trident", "Internet Explorer"}, {"MSIE", "Internet Explorer"},
}

var agentSystems = []agentWord{
	{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Macintosh", "macOS"}, {"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"},
}

// maxAgent is how much of a user agent is looked at, in bytes: browsers' are shorter.
const maxAgent = 1024

// device is the stable part of a user agent in words: family and system, without versions, which change every few weeks. Of what is no
// browser it is the name of the first product (RFC 9110, section 10.1.5). "" is no user agent.
func device(agent string) string {
	agent = agent[:min(len(agent), maxAgent)]
	named := func(words []agentWord) string {
		for _, w := range words {
			if strings.Contains(agent, w.mark) {
				return w.means
			}
		}
		return ""
	}
	family, system := "", named(agentSystems)
	if strings.HasPrefix(agent, "Mozilla/") || strings.HasPrefix(agent, "Opera/") {
		family = named(agentFamilies)
	}
	if family == "" {
		family = product(agent)
	}
	if family == "" || system == "" {
		return family
	}
	return family + " on " + system
}

// product is the first word of a user agent, without its version and without what has no place in a name.
func product(agent string) string {
	end := 0
	for end < len(agent) && end < 32 {
		c := agent[end]
		if c|0x20 < 'a' || c|0x20 > 'z' {
			if c-'0' > 9 && c != '-' && c != '_' && c != '.' {
				break
			}
		}
		end++
	}
	return agent[:end]
}
