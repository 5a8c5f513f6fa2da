package ui

import (
	"strconv"
	"strings"
)

// A FiredAlert says why an alert was raised: its sample lines, and what the rule found in them.
type FiredAlert struct {
	Alert Link
	At    Time
	Says  string      // "21 log lines, counted together by source.ip: 203.0.113.9"
	Note  string      // "The rule has changed since: ..."; "" is none
	Lines []FiredLine // one for each way in which lines matched
	More  []Text      // lines that matched in a way that Lines shows already
}

// A FiredLine is a sample line and what of it made rules match.
type FiredLine struct {
	Line  Text
	Says  string // instead of rules: why nothing can be said
	Rules []FiredRule
}

// A FiredRule is a rule that matches the line.
type FiredRule struct {
	Rule   Link // Href is empty for the rule whose page this is
	Parts  []FiredPart
	Absent string // the selections that the line does not have: "filter_office, filter_tool"; "" is none
}

// A FiredPart is one selection of a rule that holds.
type FiredPart struct {
	Name string // as the rule calls it
	Says []Text // what makes it hold, a line each
}

// A Stretch is a choice of how far a chart reaches back.
type Stretch struct {
	Word, Href string
	Current    bool
}

// A Spark is a small drawing of how often something happened, hour by hour. It is built of numbers only.
type Spark struct{ D string } // of an SVG path in SparkBox; "" draws nothing

const (
	sparkStep = 3  // units from one bar to the next
	sparkHigh = 16 // units
)

// SparkBox is the view box of a Spark of a day.
const SparkBox = "0 0 72 16"

// NewSpark draws a bar for each count, against the highest of them. What is there is at least 2 units high.
func NewSpark(counts []int64) Spark {
	most := int64(0)
	for _, n := range counts {
		most = max(most, n)
	}
	var b strings.Builder
	for k, n := range counts {
		if n <= 0 {
			continue
		}
		high := max(2, int64(float64(n)/float64(most)*sparkHigh+.5))
		b.WriteString("M" + strconv.Itoa(k*sparkStep+1) + " 16V" + strconv.FormatInt(sparkHigh-high, 10))
	}
	return Spark{b.String()}
}

// Box returns the view box.
func (Spark) Box() string { return SparkBox }
