package signin

import "testing"

// One method, or two of a kind, is no second factor; RFC 8176 names them.
func TestTwoFactors(t *testing.T) {
	for _, x := range []struct {
		amr  []string
		want bool
	}{
		{nil, false}, {[]string{"pwd"}, false}, {[]string{"otp"}, false}, {[]string{"hwk"}, false}, {[]string{"otp", "sms"}, false}, {[]string{"pwd", "pin"}, false},
		{[]string{"mfa"}, true}, {[]string{"pwd", "otp"}, true}, {[]string{"hwk", "pin"}, true}, {[]string{"swk", "fpt"}, true},
	} {
		if got := twoFactors(x.amr); got != x.want {
			t.Errorf("%v: %v", x.amr, got)
		}
	}
}
