package ui

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A Fishbone is a drawing of what led to an effect, in branches on a spine (Ishikawa's), and the same as a list. It is built of SVG attributes only.
type Fishbone struct {
	Box      Curve
	Spine    Curve
	Head     Bar
	HeadX    Curve
	HeadY    []FishLine // the effect, in lines
	Branches []FishBranch
}

// A FishBranch is one branch, with its reasons.
type FishBranch struct {
	Word    string
	Bone    Curve // path
	WordX   Curve
	WordY   Curve
	Reasons []FishReason
}

// A FishReason is one reason on its branch.
type FishReason struct {
	Row   ReasonRow
	Short Text
	Twig  Curve
	X, Y  Curve
}

// A FishLine is a line of words at its height.
type FishLine struct {
	Text Text
	Y    Curve
}

// How a fishbone is drawn, in units of its view box.
const (
	fishWidth    = 980.0
	fishHead     = 190.0
	fishLetters  = 28 // of a reason
	fishRow      = 24.0
	fishMargin   = 26.0
	fishSlant    = 60.0
	fishLeast    = 2 // rows of a branch, also when it is empty
	headLetters  = 22
	headLines    = 4
	fishPerSide  = 3
	mostFishRows = 12
)

// NewFishbone draws branches, three above the spine and three below it, in their order. Branches without reasons are drawn too: what nobody thought of
// is to be seen.
func NewFishbone(effect string, branches []FishBranch) Fishbone {
	up, down := 0, 0
	for i, b := range branches {
		n := min(max(fishLeast, len(b.Reasons)), mostFishRows)
		if i < fishPerSide {
			up = max(up, n)
		} else {
			down = max(down, n)
		}
	}
	upper, lower := float64(up)*fishRow+fishRow, float64(down)*fishRow+fishRow
	spine := fishMargin + upper
	step := (fishWidth - fishHead - fishSlant) / fishPerSide
	f := Fishbone{Box: Curve(fmt.Sprintf("0 0 %.0f %.0f", fishWidth, spine+lower+fishMargin)),
		Spine: Curve(fmt.Sprintf("M8 %.1fH%.1f", spine, fishWidth-fishHead)), Head: bar(fishWidth-fishHead, spine-52, fishHead-4, 104, ""), HeadX: unit(fishWidth - fishHead/2 - 2)}
	lines := wrapped(effect, headLetters, headLines)
	for k, l := range lines {
		f.HeadY = append(f.HeadY, FishLine{Visible(l), unit(spine + 5 + 19*(float64(k)-float64(len(lines)-1)/2))})
	}
	for i, b := range branches {
		sign, length := -1.0, upper
		if i >= fishPerSide {
			sign, length = 1, lower
		}
		foot := step*float64(i%fishPerSide+1) + fishSlant/2
		tip := foot - fishSlant
		b.Bone = Curve(fmt.Sprintf("M%.1f %.1fL%.1f %.1f", tip, spine+sign*length, foot, spine))
		b.WordX, b.WordY = unit(tip), unit(spine+sign*(length+14)+4)
		for k := range b.Reasons[:min(len(b.Reasons), mostFishRows)] {
			r := &b.Reasons[k]
			at := float64(k)*fishRow + fishRow
			x := foot - fishSlant*at/length
			y := spine + sign*at
			r.Twig = Curve(fmt.Sprintf("M%.1f %.1fH%.1f", x, y, x-step+26))
			r.X, r.Y, r.Short = unit(x-step+28), unit(y-5), Visible(clipped(r.Row.Text.String(), fishLetters))
		}
		f.Branches = append(f.Branches, b)
	}
	return f
}

// wrapped cuts a text into lines of at most so many letters, at blanks where it can; what is left over ends in "…".
func wrapped(s string, letters, lines int) (out []string) {
	line := ""
	for _, w := range fieldsOf(s, letters) {
		switch {
		case line == "":
			line = w
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(w) <= letters:
			line += " " + w
		case len(out) == lines-1:
			return append(out, line+" …")
		default:
			out, line = append(out, line), w
		}
	}
	if line != "" {
		out = append(out, line)
	}
	return out
}

// fieldsOf cuts a text into words, and words that are too long into pieces.
func fieldsOf(s string, letters int) (out []string) {
	for w := range strings.FieldsSeq(Visible(s).String()) {
		for r := []rune(w); len(r) > 0; r = r[min(letters, len(r)):] {
			out = append(out, string(r[:min(letters, len(r))]))
			if len(out) > 60 {
				return out
			}
		}
	}
	return out
}

// clipped is as much of a text as fits into so many letters.
func clipped(s string, letters int) string {
	if r := []rune(s); len(r) > letters {
		return string(r[:letters-1]) + "…"
	}
	return s
}
