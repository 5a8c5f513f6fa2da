package signin

import (
	"net/http"
	"strings"
	"time"
)

// # Known browsers
//
// A browser in which somebody has signed in keeps a signed cookie that says so. It opens nothing. It only has a budget of tries of its own, so
// that an attacker who tries an account from everywhere, or from the same office, cannot keep its owner out (OWASP: device cookies).

const (
	deviceTime    = 180 * 24 * time.Hour
	devicePurpose = "device"
)

// DeviceCookie returns the cookie for a browser in which person has just signed in. key is that of Sign.
func DeviceCookie(key []byte, secure bool, person string, now time.Time) *http.Cookie {
	return &http.Cookie{Name: deviceName(secure), Value: Sign(key, devicePurpose, shortID(), person, now.Add(deviceTime)), Path: "/", Secure: secure, HttpOnly: true,
		SameSite: http.SameSiteStrictMode, MaxAge: int(deviceTime / time.Second)}
}

// Device returns the name of the browser of a request, when account has signed in with it before, else "".
func Device(key []byte, secure bool, r *http.Request, account string, now time.Time) string {
	c, err := r.Cookie(deviceName(secure))
	if err != nil {
		return ""
	}
	claim, err := Open(key, devicePurpose, c.Value, now)
	if err != nil || claim.Person != strings.ToLower(account) || claim.Person == "" {
		return ""
	}
	return claim.Subject
}

// KnownBrowser returns the name of the browser of a request, when anybody has signed in with it before, else "": for ways in that name nobody beforehand.
func KnownBrowser(key []byte, secure bool, r *http.Request, now time.Time) string {
	c, err := r.Cookie(deviceName(secure))
	if err != nil {
		return ""
	}
	claim, err := Open(key, devicePurpose, c.Value, now)
	if err != nil {
		return ""
	}
	return claim.Subject
}

func deviceName(secure bool) string {
	if secure {
		return "__Host-tocsin-device"
	}
	return "tocsin-device"
}

// DeviceWords says in words which browser a User-Agent names, as far as its owner needs it to know it again: "Firefox on Linux". What a browser
// says of itself is anybody's to write, so only words of ours come out.
func DeviceWords(agent string) string {
	if len(agent) > 1024 {
		agent = agent[:1024]
	}
	pick := func(rows [][2]string) string {
		for _, r := range rows {
			if strings.Contains(agent, r[0]) {
				return r[1]
			}
		}
		return ""
	}
	browser := pick([][2]string{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser", "Samsung Internet"}, {"Firefox", "Firefox"}, {"FxiOS", "Firefox"}, {"CriOS", "Chrome"},
		{"Chrom", "Chrome"}, {"Safari", "Safari"}, {"curl/", "curl"}})
	system := pick([][2]string{{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"CrOS", "ChromeOS"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"}})
	switch {
	case browser == "" && system == "":
		return "an unknown browser"
	case browser == "":
		return "a browser on " + system
	case system == "":
		return browser
	}
	return browser + " on " + system
}
