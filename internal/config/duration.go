package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseDuration reads a time as the settings write it: numbers with the units d, h, m, s and ms, the largest first
// ("30d", "1d12h", "1.5h"). A day has 24 hours. It is never negative; 0 needs its unit too.
func ParseDuration(text string) (time.Duration, error) {
	wrong := fmt.Errorf("%q is no time; write a number and a unit: 90s, 5m, 24h, 30d", text)
	if strings.HasPrefix(text, "-") || strings.HasPrefix(text, "+") || text == "" || text == "0" {
		return 0, wrong
	}
	var days time.Duration
	rest := text
	if before, after, ok := strings.Cut(text, "d"); ok {
		n, err := strconv.ParseUint(before, 10, 32)
		if err != nil || n > uint64(math.MaxInt64/(24*time.Hour)) {
			return 0, wrong
		}
		if days, rest = time.Duration(n)*24*time.Hour, after; rest == "" {
			return days, nil
		}
	}
	if c := rest[0]; c < '0' || c > '9' {
		return 0, wrong
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d > math.MaxInt64-days {
		return 0, wrong
	}
	return days + d, nil
}
