package intake

import (
	"strings"
	"testing"
)

func TestContinentOf(t *testing.T) {
	for country, want := range map[string]string{"DE": "EU", "ID": "AS", "US": "NA", "BR": "SA", "NG": "AF", "AU": "OC", "AQ": "AN", "": "", "Z": "", "ZZ": "", " D": "", "S A": "", "E ": ""} {
		if got := continentOf(country); got != want {
			t.Errorf("continentOf(%q) = %q, want %q", country, got, want)
		}
	}
}

func TestEveryCountryOnce(t *testing.T) {
	seen := map[string]string{}
	for _, c := range continents {
		for _, country := range strings.Fields(c.countries) {
			if len(country) != 2 || seen[country] != "" {
				t.Errorf("%q of %s is in %s too, or no code", country, c.code, seen[country])
			}
			seen[country] = c.code
		}
	}
	if len(seen) < 240 {
		t.Errorf("only %d countries", len(seen))
	}
}
