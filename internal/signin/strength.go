package signin

import "unicode/utf8"

// Strengths are the words of Strength, from 0.
func Strengths() []string { return []string{"too short", "weak", "fair", "good", "strong"} }

// Strength reckons roughly how strong a password is, 0 to 4, as the meter beside the field does (ui/static/password.js): a character that came before, or is
// a neighbour of the last one, tells little. It refuses nothing; Refuse does.
func Strength(password string) int {
	if utf8.RuneCountInString(password) < minPassword {
		return 0
	}
	seen := map[rune]bool{}
	bits, before := 0.0, rune(-1)
	for _, r := range password {
		switch d := r - before; {
		case seen[r] || d >= -1 && d <= 1:
			bits += 1.5
		case r >= 'a' && r <= 'z':
			bits += 4
		default:
			bits += 5
		}
		seen[r], before = true, r
	}
	switch {
	case bits < 35:
		return 1
	case bits < 45:
		return 2
	case bits < 60:
		return 3
	}
	return 4
}
