package cli

import (
	"fmt"

	"tocsin/internal/config"
	"tocsin/internal/intake"
)

// mappings are the settings' mappings of JSON, as the parser takes them.
func mappings(c config.Config) (out []intake.Mapping) {
	for _, m := range c.Mappings {
		to := intake.Mapping{Name: m.Name, Files: m.Files, When: m.When, Category: m.Source.Category, Product: m.Source.Product, Service: m.Source.Service,
			TimePath: m.Time.Path, TimeLayout: m.Time.Layout, TimeZone: m.Time.Zone.Location, Values: m.Values, Set: m.Set, Fields: map[string][]string{}}
		for field, paths := range m.Fields {
			to.Fields[field] = paths
		}
		out = append(out, to)
	}
	return out
}

// checkMappings finds what the parser would refuse, with the place in the file.
func checkMappings(c *config.Config, say func(key, says string)) {
	names := map[string]bool{}
	for i, m := range mappings(*c) {
		at := fmt.Sprintf("mappings[%d]", i+1)
		m.Check(func(key, says string) {
			if key != "" {
				key = "." + key
			}
			say(at+key, says)
		})
		if names[m.Name] && m.Name != "" {
			say(at+".name", fmt.Sprintf("there are two mappings called %q: give each a name of its own", m.Name))
		}
		names[m.Name] = true
	}
}

// readMappings reads the mappings of files: settings, or files that hold nothing else.
func readMappings(files []string) (out []intake.Mapping, err error) {
	for _, name := range files {
		c, err := config.Load(name, checkMappings)
		if err != nil {
			return nil, err
		}
		if len(c.Mappings) == 0 {
			return nil, fmt.Errorf("%s: there are no mappings in it; write mappings: and a list, as doc/logs.md shows", name)
		}
		for _, m := range mappings(c) {
			m.Anywhere = true
			out = append(out, m)
		}
	}
	return out, nil
}
