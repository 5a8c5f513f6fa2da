package cli

import (
	"net/netip"
	"strings"
	"testing"

	"tocsin/internal/config"
)

func TestLacking(t *testing.T) {
	mail := config.Mail{Host: "mail.shop.example"}
	proxy := []config.Network{config.Network(netip.MustParsePrefix("127.0.0.1/32"))}
	for _, tt := range []struct {
		name    string
		c       config.Config
		outside bool
		want    string // words of the only warning; "" is none
	}{
		{"nobody outside is rung", config.Config{}, false, ""},
		{"mail, and links to localhost", config.Config{Mail: mail}, true, "public_url"},
		{"a chat, and links to localhost", config.Config{}, true, "public_url"},
		{"mail, and links that work", config.Config{Mail: mail, PublicURL: "https://tocsin.shop.example", TLS: config.TLS{Cert: "c", Key: "k"}}, true, ""},
		{"a proxy that is not named", config.Config{PublicURL: "https://tocsin.shop.example"}, false, "trusted_proxies"},
		{"a proxy that is named", config.Config{PublicURL: "https://tocsin.shop.example", TrustedProxies: proxy}, true, ""},
	} {
		got := lacking(tt.c, tt.outside)
		switch {
		case tt.want == "" && len(got) > 0:
			t.Errorf("%s: warned of %+v", tt.name, got)
		case tt.want != "" && (len(got) != 1 || !strings.Contains(got[0].Mend, tt.want)):
			t.Errorf("%s: %+v, want a word on %s", tt.name, got, tt.want)
		}
	}
}
