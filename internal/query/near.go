package query

// nearest returns the name that was most likely meant: the one that takes the fewest slips (a letter more, less or other, or two
// swapped), at most two, of names with up to five letters one; none in fewer letters than least. The first of several counts.
func nearest(name string, least int, known []string) string {
	length := len([]rune(name))
	if length < least || length > 64 {
		return ""
	}
	best, found := 3, ""
	for _, k := range known {
		if d := slips(name, k); d < best && (d < 2 || min(length, len(k)) > 5) {
			best, found = d, k
		}
	}
	return found
}

// slips is the number of slips between two names (optimal string alignment distance).
func slips(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := range x {
		row[0] = i + 1
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}
