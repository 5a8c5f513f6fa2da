package config

import (
	"os"
	"regexp"
	"testing"
)

// TestManual reads the settings that the manual shows as the program would.
func TestManual(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```yaml\n((?:(?:agents|syslog|http|buckets|webhooks):\n|listen: ).*?)```")
	for file, want := range map[string]int{"../../doc/inlets.md": 3, "../../doc/agents.md": 1, "../../doc/webhooks.md": 1, "../../doc/tls.md": 2} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := blocks.FindAllSubmatch(text, -1)
		if len(found) != want {
			t.Errorf("%s shows settings %d times, want %d", file, len(found), want)
		}
		for _, b := range found {
			if _, err := Parse(file, b[1]); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}
