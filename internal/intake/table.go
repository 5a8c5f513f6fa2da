package intake

import (
	"strings"
)

// tableHeader reads the names of a table's columns, in lower case. It reports false for a line whose cells are not all names.
func tableHeader(s string) (names []string, ok bool) {
	if len(s) > maxColumns*maxColumnName || !strings.ContainsAny(s, "\t,;") || s[0]-'0' <= 9 || s[0] == '{' || s[0] == '#' {
		return nil, false
	}
	for _, by := range []byte{'\t', ',', ';'} {
		cells := splitCells(s, by)
		if len(cells) < 4 {
			continue
		}
		for i, c := range cells {
			if cells[i] = lower(strings.TrimSpace(c)); cells[i] == "" || !columnName(cells[i]) {
				return nil, false
			}
		}
		return columnNames(cells)
	}
	return nil, false
}

func columnName(s string) bool {
	for i := range len(s) {
		if c := s[i]; !alphanumeric(c) && c != ' ' && c != '_' && c != '-' && c != '(' && c != ')' {
			return false
		}
	}
	return true
}

// tableCells splits a line of a table with n columns, whatever stands between them.
func tableCells(s string, n int) ([]string, bool) {
	for _, by := range []byte{'\t', ',', ';'} {
		if strings.Count(s, string(by)) < n-1 {
			continue
		}
		if cells := splitCells(s, by); len(cells) == n {
			return cells, true
		}
	}
	return nil, false
}

// splitCells splits at by, outside of quotes; a quote in quotes is doubled (RFC 4180).
func splitCells(s string, by byte) []string {
	var cells []string
	for len(cells) <= maxColumns {
		if strings.HasPrefix(s, `"`) && by != '\t' {
			end := 1
			for {
				i := strings.IndexByte(s[end:], '"')
				if i < 0 {
					return append(cells, s[1:])
				}
				if end += i; end+1 < len(s) && s[end+1] == '"' {
					end += 2
					continue
				}
				break
			}
			cells = append(cells, strings.ReplaceAll(s[1:end], `""`, `"`))
			s = s[end+1:]
			if s == "" {
				return cells
			}
			if s[0] != by {
				return nil
			}
			s = s[1:]
			continue
		}
		i := strings.IndexByte(s, by)
		if i < 0 {
			return append(cells, s)
		}
		cells = append(cells, s[:i])
		s = s[i+1:]
	}
	return nil
}

// cell returns the value of a column.
func cell(names, cells []string, name string) string {
	for i, n := range names {
		if n == name && i < len(cells) {
			return cells[i]
		}
	}
	return ""
}
