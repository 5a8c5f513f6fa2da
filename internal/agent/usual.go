package agent

import "slices"

// needed leaves out the usual folders that hold no log, when another of them does: a host has one web server, and nobody asked for the others.
// When none does, all are shown, because the web server's logs then lie elsewhere or cannot be found.
func needed(all []Source, usual []string) []Source {
	is := func(s Source) bool { return slices.Contains(usual, s.Path) || slices.Contains(usual, s.Pattern) }
	if !slices.ContainsFunc(all, func(s Source) bool { return is(s) && s.State != Missing }) {
		return all
	}
	return slices.DeleteFunc(all, func(s Source) bool {
		return s.State == Missing && slices.Contains(usual, s.Path) && s.Lines == 0
	})
}
