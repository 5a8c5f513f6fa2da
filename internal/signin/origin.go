package signin

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// An Origin is where people reach the console, and what their browsers will do there. Passkeys, the microphone and cookies with the prefix
// __Host- work in a secure context only: under https, or on this machine by a name of its own (W3C Secure Contexts 3.1). A passkey is bound to a
// name, so one made under an address would be lost with it, and browsers refuse addresses (WebAuthn level 3, 5.1.3).
type Origin struct {
	URL      string // as the header Origin has it (RFC 6454 6.2): scheme, host and a port that is not the usual one
	Host     string // its name or address, in small letters, without a port: the relying party's id of passkeys
	Secure   bool   // browsers treat it as a secure context: the war room works
	Passkeys bool   // passkeys can be made and used
	Says     string // why one of them does not work, and how to mend it: a sentence or two for screens; "" when both do
}

// NewOrigin looks at the console's address, the setting public_url or what stands in for it.
func NewOrigin(public string) Origin {
	u, err := url.Parse(public)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return Origin{Says: "Nobody said at which address people reach the console, so passkeys and the war room do not work. Set public_url in tocsin.yaml."}
	}
	o := Origin{Host: strings.ToLower(u.Hostname())}
	port := u.Port()
	if u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		port = ""
	}
	host := o.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if o.URL = u.Scheme + "://" + host; port != "" {
		o.URL += ":" + port
	}
	a, err := netip.ParseAddr(o.Host)
	address := err == nil
	local := o.Host == "localhost" || strings.HasSuffix(o.Host, ".localhost") || address && a.Unmap().IsLoopback()
	o.Secure = u.Scheme == "https" || local
	o.Passkeys = o.Secure && !address
	switch {
	case !o.Secure:
		o.Says = "Browsers allow passkeys and the microphone under https only, and the console is reached at " + o.URL +
			". Set tls and a public_url that begins with https:// in tocsin.yaml."
	case !o.Passkeys:
		o.Says = "Passkeys are bound to a name, and the console is reached at the address " + o.Host + ". Set public_url in tocsin.yaml to a name, such as https://tocsin.example.com."
	}
	return o
}

// Same reports whether a request of a browser comes from a page of the console: for upgrades to WebSocket, to which browsers apply no
// same-origin policy, and for passkeys. Without the header it does not.
func (o Origin) Same(r *http.Request) bool {
	all := r.Header.Values("Origin")
	return o.URL != "" && len(all) == 1 && strings.EqualFold(all[0], o.URL)
}
