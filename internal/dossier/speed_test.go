package dossier

import "testing"

// BenchmarkFour renders an incident with ten thousand moments in all four formats; it is to take two seconds at most.
func BenchmarkFour(b *testing.B) {
	c := huge(10_000)
	zone := berlin(b)
	for b.Loop() {
		formats(b, Assemble(c, Full, Red, zone))
	}
}
