package search

import (
	"hash/maphash"
	"sync"

	"tocsin/internal/query"
)

// Words are the different texts of one field in all volumes that were counted by it lately, numbered. Of a volume's column it is then known which word each
// value is, so that counting by a field is adding numbers, without a text being read or compared. When there are too many they are
// all forgotten, and counting goes by texts until there are some again.
type words struct {
	mu  sync.Mutex
	all *tally // its counts do not count
}

const (
	wordsMost  = 4       // fields that have words: those that were counted by first
	wordsBytes = 8 << 20 // of the words of one
)

// A lexicon says which words the values of a column are.
type lexicon struct {
	of  *tally // of these words
	ids []uint32
}

// wordsOf returns the words of a field; nil when too many fields have some.
func (s *Searcher) wordsOf(f query.Field) *words {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.words[f]
	if w == nil && len(s.words) < wordsMost {
		w = &words{all: newTally(s.seed)}
		s.words[f] = w
	}
	return w
}

// lexiconOf returns which words the values of a column are; nil when there are too many.
func (c *scan) lexiconOf(w *words, x *at, name string) (*lexicon, error) {
	key := cacheKey{c.v.Name, c.place, name + "\x00words"} // what grows has no name
	if l, _ := c.s.cache.get(key).(*lexicon); l != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		if l.of == w.all {
			return l, nil
		}
		c.s.cache.drop(key)
	}
	l := &lexicon{ids: make([]uint32, x.Len)}
	for n := range x.Blocks() {
		if err := x.ReadBlock(n, &x.block); err != nil {
			return nil, c.damage(err)
		}
		w.mu.Lock()
		if n == 0 {
			l.of = w.all
		}
		for i := range x.block.Count {
			if w.all != l.of || w.all.full() || len(w.all.texts) >= wordsBytes {
				if w.all == l.of {
					w.all = newTally(c.s.seed)
				}
				w.mu.Unlock()
				return nil, nil
			}
			text := x.block.Text(i)
			if len(text) > tallyText {
				w.mu.Unlock()
				return nil, nil
			}
			l.ids[x.block.First+i] = uint32(w.all.addHashed(maphash.String(w.all.seed, text), text, 0))
		}
		w.mu.Unlock()
	}
	if c.v.Name != "" {
		c.s.cache.put(key, l, int64(len(l.ids))*4+64)
	}
	return l, nil
}

// A census is how many rows have each word.
type census struct {
	words  *words
	of     *tally // the words at that time
	counts []int64
}

// countWords counts values by their words; false when they have none.
func (w *worker) countWords(c *scan, f query.Field, x *at, counts []uint32) (done bool, err error) {
	if f.Place != query.PlaceKnown || x.Len > tallyMost || w.over {
		return false, nil
	}
	all := c.s.wordsOf(f)
	if all == nil {
		return false, nil
	}
	l, err := c.lexiconOf(all, x, f.Known.String())
	if l == nil || err != nil {
		return false, err
	}
	if w.census.of != nil && w.census.of != l.of {
		w.census.sumUp(w.tally)
	}
	w.census.words, w.census.of = all, l.of
	for i, n := range counts {
		if n > 0 {
			w.census.add(int(l.ids[i]), int64(n))
		}
	}
	return true, nil
}

func (s *census) add(word int, n int64) {
	if word >= len(s.counts) {
		s.counts = append(s.counts, make([]int64, word+1-len(s.counts)+len(s.counts)/2)...)
	}
	s.counts[word] += n
}

// merge adds another one, or what cannot be added by words to a tally.
func (s *census) merge(o *census, rest *tally) {
	switch {
	case s.of == nil:
		*s = *o
	case s.of == o.of:
		for word, n := range o.counts {
			if n > 0 {
				s.add(word, n)
			}
		}
	default:
		o.sumUp(rest)
	}
	*o = census{}
}

// sumUp moves what was counted to a tally.
func (s *census) sumUp(to *tally) {
	if s.of != nil {
		s.words.mu.Lock()
		defer s.words.mu.Unlock()
		for word, n := range s.counts {
			if n > 0 {
				to.addHashed(s.of.hashes[word], string(s.of.text(word)), n)
			}
		}
	}
	*s = census{}
}

// pour hands what was counted to a fold, with what is in a tally.
func (s *census) pour(f *query.Fold, stage query.Stage, t *tally, alone bool) {
	if s.of == nil || len(t.counts) > 0 {
		s.sumUp(t)
		t.pour(f, stage, alone)
		return
	}
	s.words.mu.Lock()
	defer s.words.mu.Unlock()
	pour(f, stage, s.counts[:min(len(s.counts), len(s.of.counts))], s.of.text, t.none, alone)
}
