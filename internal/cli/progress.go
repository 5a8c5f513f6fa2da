package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"tocsin/internal/desk"
)

// A meter shows on a terminal how far a replay is: a bar of the bytes read of all, the lines a second of the last moments, and how
// long the rest will take at the rate so far.
type meter struct {
	out   io.Writer
	begun time.Time
	shown time.Time
	lines int64 // when it was shown last
	rate  float64
}

const (
	meterEvery = 200 * time.Millisecond
	meterWidth = 30  // characters of the bar
	meterNews  = 0.2 // how much of the rate is that of the last moment
)

// seen draws the meter, at most every meterEvery.
func (m *meter) seen(x desk.Progress, now time.Time) {
	since := now.Sub(m.shown)
	if since < meterEvery {
		return
	}
	rate := float64(x.Lines-m.lines) / since.Seconds()
	if m.shown.IsZero() {
		m.rate = float64(x.Lines) / max(now.Sub(m.begun).Seconds(), 0.001)
	} else {
		m.rate += meterNews * (rate - m.rate)
	}
	m.shown, m.lines = now, x.Lines
	fmt.Fprintf(m.out, "\r%s\033[K", meterLine(x, m.rate, now.Sub(m.begun)))
}

// clear takes the meter away.
func (m *meter) clear() { fmt.Fprint(m.out, "\r\033[K") }

// meterLine is what the meter says: at most 79 characters.
func meterLine(x desk.Progress, rate float64, took time.Duration) string {
	says := fmt.Sprintf("%s lines/s", thousands(int64(rate)))
	if x.Of <= 0 {
		return fmt.Sprintf("%s lines, %s", thousands(x.Lines), says)
	}
	part := min(float64(x.Bytes)/float64(x.Of), 1)
	full := int(part * meterWidth)
	left := "?"
	if part > 0.001 {
		left = clockTime(time.Duration(float64(took) * (1 - part) / part))
	}
	return fmt.Sprintf("[%s%s] %3.0f%% of %s, %s, %s left", strings.Repeat("=", full), strings.Repeat(" ", meterWidth-full), part*100, desk.Size(x.Of), says, left)
}

// thousands writes a number with commas.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// clockTime writes a duration as 4:05 or 1:04:05.
func clockTime(d time.Duration) string {
	s := int(d.Round(time.Second) / time.Second)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
