package entry

// Words keeps texts that come often, so that all of them share their bytes: who acted, kinds, rules, steps. The zero Words is empty. It takes a bounded number; what
// comes behind them is kept by whoever has it.
type Words struct{ known map[string]string }

// wordsKept is how many it takes: more than a plan and a team have.
const wordsKept = 8192

// Of returns b as a text.
func (w *Words) Of(b []byte) string {
	if s, ok := w.known[string(b)]; ok {
		return s
	}
	return w.keep(string(b))
}

// Same returns s with the bytes of the first that was the same.
func (w *Words) Same(s string) string {
	if same, ok := w.known[s]; ok {
		return same
	}
	return w.keep(s)
}

func (w *Words) keep(s string) string {
	if s != "" && len(w.known) < wordsKept {
		if w.known == nil {
			w.known = map[string]string{}
		}
		w.known[s] = s
	}
	return s
}
