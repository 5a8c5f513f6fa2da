package incident

import (
	"fmt"
	"strings"
)

// ParseCVE reads the id of a vulnerability strictly and returns it in capitals: "CVE-", a year of four digits from 1999 on, "-", and a number of four to nineteen
// digits, which begins with a zero only when it has four (CVE Record Format 5.1, cveId).
func ParseCVE(s string) (string, error) {
	year, number, ok := strings.Cut(after(s, "CVE-"), "-")
	switch {
	case !ok || len(year) != 4 || !digits(year) || len(number) < 4 || len(number) > 19 || !digits(number):
		return "", fmt.Errorf("%s is no CVE id: write it as CVE-2024-12345", quoted(s))
	case year < "1999":
		return "", fmt.Errorf("%s is no CVE id: there was none before 1999", quoted(s))
	case len(number) > 4 && number[0] == '0':
		return "", fmt.Errorf("%s is no CVE id: a number of more than four digits does not begin with a zero", quoted(s))
	}
	return "CVE-" + year + "-" + number, nil
}

// ParseCWE reads the id of a kind of weakness strictly and returns it in capitals: "CWE-" and a number of one to five digits that does not begin with a zero.
func ParseCWE(s string) (string, error) {
	number := after(s, "CWE-")
	if len(number) < 1 || len(number) > 5 || !digits(number) || number[0] == '0' {
		return "", fmt.Errorf("%s is no CWE id: write it as CWE-79", quoted(s))
	}
	return "CWE-" + number, nil
}

// ParseCommit reads the id of a commit strictly and returns it in small letters: 7 to 40 hexadecimal digits (SHA-1, or its beginning), or 64 (SHA-256).
func ParseCommit(s string) (string, error) {
	if n := len(s); n < 7 || n > 40 && n != 64 {
		return "", fmt.Errorf("%s is no id of a commit: it has 7 to 40 hexadecimal digits, or 64", quoted(s))
	}
	low := strings.ToLower(s)
	if len(low) != len(s) || !hexadecimal(low) {
		return "", fmt.Errorf("%s is no id of a commit: it has hexadecimal digits only", quoted(s))
	}
	return low, nil
}

// after returns what stands behind a prefix in any case, "" when it is not there.
func after(s, prefix string) string {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) || s[0] >= 0x80 {
		return ""
	}
	return s[len(prefix):]
}

func digits(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}

func hexadecimal(low string) bool { return strings.Trim(low, "0123456789abcdef") == "" }

// quoted shows hostile text to a person: a part of it, with nothing in it that a screen obeys.
func quoted(s string) string {
	const shown = 80
	if len(s) > shown {
		return fmt.Sprintf("%+q and more", s[:shown])
	}
	return fmt.Sprintf("%+q", s)
}
