package dossier

import (
	"slices"
	"unicode"
)

// backwardLetter reports whether a letter is written from right to left: Hebrew, Arabic and their kin.
func backwardLetter(r rune) bool {
	return r >= 0x590 && r <= 0x8ff || r >= 0xfb1d && r <= 0xfdff || r >= 0xfe70 && r <= 0xfeff || r >= 0x10800 && r <= 0x10fff || r >= 0x1e800 && r <= 0x1efff
}

// rightToLeft reports whether the first letter of a text is written from right to left.
func rightToLeft(text string) bool {
	for _, r := range text {
		if unicode.IsLetter(r) {
			return backwardLetter(r)
		}
	}
	return false
}

// drawn returns a line of a PDF page as it is drawn from left to right: letters of Arabic in the shape that their neighbours ask for, runs of
// right-to-left letters backward, numbers within them forward. It is a part of the Unicode bidirectional algorithm (UAX 9): the
// paragraph runs from left to right, and explicit controls do not come here.
func drawn(line []rune) []rune {
	if !slices.ContainsFunc(line, backwardLetter) {
		return line
	}
	line = shaped(line)
	out := make([]rune, 0, len(line))
	for k := 0; k < len(line); {
		if !backwardLetter(line[k]) || arabicDigit(line[k]) {
			out = append(out, line[k])
			k++
			continue
		}
		end := k + 1 // behind the last letter of the run: signs, spaces and numbers between such letters belong to it
		for n := end; n < len(line) && (!unicode.IsLetter(line[n]) || backwardLetter(line[n])); n++ {
			if backwardLetter(line[n]) || unicode.Is(unicode.Mn, line[n]) {
				end = n + 1
			}
		}
		out = append(out, backward(line[k:end])...)
		k = end
	}
	return out
}

func arabicDigit(r rune) bool { return r >= 0x660 && r <= 0x669 || r >= 0x6f0 && r <= 0x6f9 }

// backward turns a run: marks stay behind their letter, numbers keep their order, brackets are mirrored.
func backward(run []rune) []rune {
	out := make([]rune, 0, len(run))
	for end := len(run); end > 0; {
		from := end - 1
		switch {
		case unicode.IsDigit(run[from]):
			for from > 0 && (unicode.IsDigit(run[from-1]) || from > 1 && slices.Contains([]rune(".,:/"), run[from-1]) && unicode.IsDigit(run[from-2])) {
				from--
			}
		default:
			for from > 0 && unicode.Is(unicode.Mn, run[from]) {
				from--
			}
		}
		for _, r := range run[from:end] {
			out = append(out, mirrored(r))
		}
		end = from
	}
	return out
}

func mirrored(r rune) rune {
	const pairs = "()[]{}<>«»"
	list := []rune(pairs)
	if k := slices.Index(list, r); k >= 0 {
		return list[k^1]
	}
	return r
}

// forms are the letters of Arabic with the place of their shapes in Arabic Presentation Forms-B of Unicode; joins is 4 for those that join the
// letter behind them too (alone, end, begin, middle), 2 for those that do not (alone, end), 1 for the lone hamza.
var forms = [...]struct {
	letter, shape rune
	joins         int
}{
	{0x621, 0xfe80, 1}, {0x622, 0xfe81, 2}, {0x623, 0xfe83, 2}, {0x624, 0xfe85, 2}, {0x625, 0xfe87, 2}, {0x626, 0xfe89, 4}, {0x627, 0xfe8d, 2},
	{0x628, 0xfe8f, 4}, {0x629, 0xfe93, 2}, {0x62a, 0xfe95, 4}, {0x62b, 0xfe99, 4}, {0x62c, 0xfe9d, 4}, {0x62d, 0xfea1, 4}, {0x62e, 0xfea5, 4},
	{0x62f, 0xfea9, 2}, {0x630, 0xfeab, 2}, {0x631, 0xfead, 2}, {0x632, 0xfeaf, 2}, {0x633, 0xfeb1, 4}, {0x634, 0xfeb5, 4}, {0x635, 0xfeb9, 4},
	{0x636, 0xfebd, 4}, {0x637, 0xfec1, 4}, {0x638, 0xfec5, 4}, {0x639, 0xfec9, 4}, {0x63a, 0xfecd, 4}, {0x641, 0xfed1, 4}, {0x642, 0xfed5, 4},
	{0x643, 0xfed9, 4}, {0x644, 0xfedd, 4}, {0x645, 0xfee1, 4}, {0x646, 0xfee5, 4}, {0x647, 0xfee9, 4}, {0x648, 0xfeed, 2}, {0x649, 0xfeef, 2},
	{0x64a, 0xfef1, 4},
}

// joining returns where a letter's shapes begin and how many it has; 0 of what joins nothing.
func joining(r rune) (shape rune, joins int) {
	for _, f := range forms {
		if f.letter == r {
			return f.shape, f.joins
		}
	}
	if r == 0x640 { // the stroke that only lengthens
		return 0, 4
	}
	return 0, 0
}

// shaped gives letters of Arabic the shape that their neighbours ask for.
func shaped(line []rune) []rune {
	out := slices.Clone(line)
	joinsOn := false // the letter before joins this one
	for k, r := range line {
		if unicode.Is(unicode.Mn, r) {
			continue
		}
		shape, joins := joining(r)
		next := 0
		for n := k + 1; n < len(line); n++ {
			if !unicode.Is(unicode.Mn, line[n]) {
				_, next = joining(line[n])
				break
			}
		}
		if shape != 0 {
			place := rune(0)
			if joinsOn && joins >= 2 {
				place = 1
			}
			if joins == 4 && next >= 2 {
				place += 2
			}
			out[k] = shape + place
		}
		joinsOn = joins == 4
	}
	return out
}
