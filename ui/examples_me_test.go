package ui

import "time"

func meView() MeView {
	f := frame("How you sign in", "me", "/me")
	f.Still = true
	return MeView{Frame: f, Password: true, Recover: true, Recovery: 8, Codes: []string{"7Q2M-8VKT-0C3N-5RXZ", "H1PD-W6YB-9EJG-2T4S"},
		Passkeys: []WayIn{{ID: "k1", Name: "my phone", Made: before(400 * time.Hour), Last: before(time.Hour), Says: "may be on several devices of yours", Remove: "/me/passkeys/k1/remove"},
			{ID: "k2", Name: "the blue key", Made: before(40 * time.Hour), Warn: "Its counter did not grow at a sign-in: somebody may have a copy. Remove it.", Remove: "/me/passkeys/k2/remove"}},
		App:      &WayIn{ID: "app", Name: "Authenticator app", Made: before(300 * time.Hour), Remove: "/me/app/remove"},
		Accounts: []WayIn{{ID: "link-0", Name: "https://login.kontor-nord.example", Says: "account 7c1e-33", Made: before(time.Hour), Remove: "/me/links/1/remove"}},
		Provider: "Kontor Nord",
		Sessions: []SessionRow{{ID: "s1", Device: "Firefox on Linux", Net: "203.0.113.0/24", How: "by a passkey", Since: before(time.Hour), Seen: before(time.Minute), Here: true, End: "/me/sessions/s1/end"},
			{ID: "s2", Device: "Safari on iPhone", Net: "2001:db8:1:2::/64", How: "by password and code", Since: before(30 * time.Hour), Seen: before(3 * time.Hour), End: "/me/sessions/s2/end"}},
		Tokens: []ProgramToken{{ID: "t1", Name: "nightly export", May: "see, search", Made: before(90 * time.Hour), Expires: before(-2000 * time.Hour), Last: "2026-11-27", Revoke: "/me/tokens/t1/revoke"}},
		Token:  "tcs_7Q2M8VKT0C3N5RXZH1PDW6YB9EJG2T4S0ABCDE", Scopes: []Option{{"note", "write a note", true}, {"see", "look at everything", false}}, Days: "90", Glass: "/break-glass"}
}

func meWrong() MeView {
	v := meView()
	v.Codes, v.Token = nil, ""
	v.KeyName, v.TokenFor, v.Days = "my phone", "export", "900"
	v.Errors = Errors{{"passkey-name", "You have a passkey of this name."}, {"current", "This is not your password."}, {"password", "Too short."}, {"again", "The two passwords differ."},
		{"token-name", "Give it a name."}, {"token-scope", "Choose at least one thing."}, {"token-days", "A token works for 1 to 365 days."}}
	return v
}
