package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ParseSize reads a number of bytes as the settings write it: a whole number with the unit B, kB, MB, GB or TB (powers of 1,000, IEC 80000-13), or KiB,
// MiB, GiB or TiB (of 1,024).
func ParseSize(text string) (int64, error) {
	wrong := fmt.Errorf("%q is no size; write a whole number and a unit: 500MB, 20GB, 1TB", text)
	digits := strings.TrimRight(text, "kKMGTiB")
	unit, ok := map[string]int64{"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}[text[len(digits):]]
	n, err := strconv.ParseUint(digits, 10, 63)
	if !ok || err != nil || n > uint64(math.MaxInt64/unit) {
		return 0, wrong
	}
	return int64(n) * unit, nil
}
