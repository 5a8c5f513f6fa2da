package config

import (
	"fmt"
	"net/netip"
	"net/url"
)

// SignOn is an OpenID provider at which people may sign in, too. The console's own ways in work without it.
type SignOn struct {
	// Name is what stands on the button. Default: the host of the issuer.
	Name string `yaml:"name"`
	// Issuer is how the provider names itself: an https address, without anything behind it that the provider does not say.
	Issuer string `yaml:"issuer"`
	// ClientID and SecretFile are what the provider gave to Tocsin, which is registered there with the redirect URI
	// public_url/sign-in/provider/back. A name without a slash is a systemd credential first.
	ClientID   string `yaml:"client_id"`
	SecretFile string `yaml:"secret_file"`
	// Scopes are asked for besides openid, email and profile. GroupsClaim lists a person's groups. Default: groups.
	Scopes      []string `yaml:"scopes"`
	GroupsClaim string   `yaml:"groups_claim"`
	// Roles gives roles by group; a group that is not named gives nothing. Without it the roles are those that the person has in the console.
	Roles map[string]Files `yaml:"roles"`
}

func checkSignOn(s SignOn, say say) {
	if s.Issuer == "" && s.ClientID == "" && s.SecretFile == "" && len(s.Roles) == 0 && s.Name == "" {
		return
	}
	u, err := url.Parse(s.Issuer)
	switch {
	case s.Issuer == "":
		say("sign_on.issuer", "the address of the provider is missing")
	case err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "":
		say("sign_on.issuer", "%q is no address of a provider; write https://login.example.com", s.Issuer)
	case u.Scheme != "https" && !(u.Scheme == "http" && here(u.Hostname())):
		say("sign_on.issuer", "the provider must be asked by https")
	}
	if s.ClientID == "" {
		say("sign_on.client_id", "the client id that the provider gave to Tocsin is missing")
	}
	for group, roles := range s.Roles {
		for _, r := range roles {
			if err := oneOfRoles(r); err != nil {
				say("sign_on.roles", "the group %q gives %v", group, err)
			}
		}
	}
}

// oneOfRoles says why r is no role.
func oneOfRoles(r string) error {
	for _, known := range roles() {
		if r == known {
			return nil
		}
	}
	return fmt.Errorf("%q, which is no role", r)
}

// here reports whether a host is this machine.
func here(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}
