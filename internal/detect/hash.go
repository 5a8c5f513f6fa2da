package detect

import (
	"math/bits"

	"tocsin/internal/sigma"
)

// Groups and the values of value_count are known by 64 bits of their folded text. The hash is the same on every machine and
// in every version that reads a snapshot, so its constants are for ever: those of wyhash (Wang Yi, public domain),
// whose mixing step it uses. A group is compared by its values too, so that two of one hash stay two; two values of one hash
// count as one, which somebody who makes them on purpose gains nothing by.

const (
	hashStart uint64 = 0xa0761d6478bd642f
	hashMix   uint64 = 0xe7037ed1a0b428db
)

// hashText adds a text, without regard to case, to a hash.
func hashText(h uint64, s string) uint64 {
	const high = 0x8080808080808080
	n := len(s)
	i := 0
	for ; i+8 <= n; i += 8 {
		x := load8(s[i:])
		if x&high != 0 {
			return hashFolded(h, sigma.Fold(s[i:]), i)
		}
		h = mix(h^lower8(x), hashMix)
	}
	var last uint64
	for j := n - 1; j >= i; j-- {
		last = last<<8 | uint64(s[j])
	}
	if last&high != 0 {
		return hashFolded(h, sigma.Fold(s[i:]), i)
	}
	return mix(h^lower8(last), hashMix^uint64(n))
}

// hashFolded adds the rest of a text that has more than ASCII, folded; n bytes were before it.
func hashFolded(h uint64, s string, n int) uint64 {
	n += len(s)
	for ; len(s) >= 8; s = s[8:] {
		h = mix(h^load8(s), hashMix)
	}
	var last uint64
	for j := len(s) - 1; j >= 0; j-- {
		last = last<<8 | uint64(s[j])
	}
	return mix(h^last, hashMix^uint64(n))
}

func load8(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// lower8 lowers the ASCII letters among eight bytes, none of which has its high bit.
func lower8(x uint64) uint64 {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	upper := (x + (0x80-'A')*ones) &^ (x + (0x80-'Z'-1)*ones) & high
	return x | upper>>2
}

func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// sameText reports whether two texts are one without regard to case.
func sameText(a, b string) bool {
	return a == b || sigma.Fold(a) == sigma.Fold(b)
}
