package tlp

import (
	"strings"
	"testing"
)

// Given every label and every exit, when it is asked, then precisely what stands here leaves.
func TestMayLeave(t *testing.T) {
	// One row an exit: C, G, A, S (AMBER+STRICT), R; a letter that is missing does not leave.
	want := map[Exit]string{
		Page: "CGAS", TeamMail: "CGAS", StakeholderMail: "CGA", Chat: "CGA", Webhook: "CGA", Export: "CGAS", StatusPage: "CG", Invitation: "CGA", Voice: "CGAS",
		ForTeam: "CGAS", ForManagement: "CGAS", ForAuthority: "CGA", ForInsurer: "CGA", ForSupplier: "CG", ForCustomers: "CG", ForPublic: "C",
	}
	if len(want) != len(Exits()) {
		t.Errorf("%d exits, %d rows", len(Exits()), len(want))
	}
	letter := map[Label]string{Clear: "C", Green: "G", Amber: "A", AmberStrict: "S", Red: "R"}
	for _, e := range Exits() {
		for _, l := range Labels() {
			may := strings.Contains(want[e], letter[l])
			if got := MayLeave(l, e); got != may {
				t.Errorf("%s by %s: %v, want %v", l, e, got, may)
			}
			says := Refusal(l, e)
			if !strings.HasPrefix(says, l.String()+": this ") || !strings.HasSuffix(says, ".") {
				t.Errorf("%s by %s is refused as %q", l, e, says)
			}
		}
		if MayLeave("", e) || MayLeave("WHITE", e) || MayLeave("amber", e) {
			t.Errorf("what is no label leaves by %s", e)
		}
	}
	for _, l := range Labels() {
		for _, e := range []Exit{"", "fax", Dossier("rival"), Dossier("")} {
			if MayLeave(l, e) {
				t.Errorf("%s leaves by %q", l, e)
			}
		}
	}
}

// Given the audiences of dossiers, when their exits are asked for, then each is one that is named.
func TestDossier(t *testing.T) {
	for audience, want := range map[string]Exit{"team": ForTeam, "management": ForManagement, "authority": ForAuthority, "insurer": ForInsurer, "supplier": ForSupplier, "customers": ForCustomers, "public": ForPublic} {
		if got := Dossier(audience); got != want {
			t.Errorf("%s: %s", audience, got)
		}
	}
}

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		text string
		want Label
		says string // in the error
	}{
		{"CLEAR", Clear, ""}, {"TLP:GREEN", Green, ""}, {"tlp:amber", Amber, ""}, {"Amber+Strict", AmberStrict, ""}, {"TLP:RED", Red, ""},
		{"TLP:WHITE", "", "TLP:CLEAR"}, {"", "", "missing"}, {"TLP:", "", "missing"}, {"AMBER STRICT", "", "no TLP label"}, {"TLP: RED", "", "no TLP label"},
		{"TLP:TLP:RED", "", "no TLP label"}, {" RED", "", "no TLP label"}, {strings.Repeat("R", 99), "", "at most 16"}, {"ＲＥＤ", "", "no TLP label"},
	} {
		got, err := Parse(tt.text)
		if got != tt.want || (err != nil) != (tt.says != "") || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%q: %q, %v", tt.text, got, err)
		}
	}
}

func TestNarrowestAndOf(t *testing.T) {
	for _, tt := range []struct {
		of   []Label
		want Label
	}{
		{nil, ""}, {[]Label{""}, ""}, {[]Label{Clear, Amber, Green}, Amber}, {[]Label{"", AmberStrict, Amber}, AmberStrict}, {[]Label{Clear, "purple"}, Red}, {[]Label{Red, Clear}, Red},
	} {
		if got := Narrowest(tt.of...); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.of, got, tt.want)
		}
	}
	if Of(Clear, Red, Amber) != Clear || Of("", Red, Amber) != Red || Of("", "", Amber) != Amber {
		t.Error("a thing has another's label")
	}
	if Usual("status") != Green || Usual("note") != Amber || Usual("") != Amber {
		t.Error("what is usual is not")
	}
}

// What is read is printed as what reads as the same, and an exit lets out less the narrower a label is.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"CLEAR", "TLP:AMBER+STRICT", "tlp:red", "WHITE", "ſ", "TLP:"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l, err := Parse(s)
		if err != nil {
			return
		}
		again, err := Parse(l.String())
		if err != nil || again != l || Narrowest(l) != l {
			t.Fatalf("%q is %q, and then %q (%v)", s, l, again, err)
		}
		for _, e := range Exits() {
			if MayLeave(l, e) && !MayLeave(Clear, e) {
				t.Fatalf("%s leaves by %s, and CLEAR does not", l, e)
			}
		}
	})
}
