package signin

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"sort"
	"strings"
	"unicode"
)

// leaked is a filter of the passwords that leaks have most: of each, in small letters, the first five bytes of its SHA-256, sorted. A filter, not the list:
// it is smaller, and nobody has to read what people choose. One in ten million other words is taken for one of them. The words are those of
// zxcvbn-ts (language-common 4.1.3, MIT) and of Django (5.2, BSD) that have six bytes or more; TestLeakedFilter writes it anew from them.
//
//go:embed leaked.bin
var leaked []byte

const (
	leakedBytes = 5 // of each hash
	leakedWord  = 6 // bytes that a word of the filter has at least
)

// inLeaks reports whether leaks have word, in any spelling of its letters.
func inLeaks(word string) bool {
	if word = strings.ToLower(word); len(word) < leakedWord {
		return false
	}
	sum := sha256.Sum256([]byte(word))
	n := len(leaked) / leakedBytes
	k := sort.Search(n, func(k int) bool {
		return bytes.Compare(leaked[k*leakedBytes:(k+1)*leakedBytes], sum[:leakedBytes]) >= 0
	})
	return k < n && bytes.Equal(leaked[k*leakedBytes:(k+1)*leakedBytes], sum[:leakedBytes])
}

// fromLeaks reports whether password is one that leaks have, or such a one with digits and signs before and behind, or twice or more in a row.
func fromLeaks(password string) bool {
	inner := strings.TrimFunc(password, func(r rune) bool { return !unicode.IsLetter(r) })
	for _, s := range []string{password, inner} {
		if inLeaks(s) {
			return true
		}
		for parts := 2; parts <= len(s)/leakedWord; parts++ {
			if one := s[:len(s)/parts]; len(s)%parts == 0 && strings.Repeat(one, parts) == s && inLeaks(one) {
				return true
			}
		}
	}
	return false
}
