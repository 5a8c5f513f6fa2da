package tlp

import (
	"fmt"
	"slices"
	"strings"
)

// An Exit is a way by which words leave the program.
type Exit string

// The exits.
const (
	Page            Exit = "page"             // of the console, to everybody who is signed in
	TeamMail        Exit = "mail-team"        // to a person of the response team, and their text messages
	StakeholderMail Exit = "mail-stakeholder" // to a contact who must be informed
	Chat            Exit = "chat"             // somebody else's servers, and the guests in the channel
	Webhook         Exit = "webhook"          // another program, perhaps of another organization
	Export          Exit = "export"           // a file that one of the team takes out of the program
	StatusPage      Exit = "status-page"      // by a link that works without signing in
	Invitation      Exit = "invitation"       // a guest in the war room
	Voice           Exit = "voice"            // read out to one of the team by telephone

	ForTeam       Exit = "dossier-team"       // the dossier, written for the response team,
	ForManagement Exit = "dossier-management" // for whoever leads the shop,
	ForAuthority  Exit = "dossier-authority"  // for a regulator or the police,
	ForInsurer    Exit = "dossier-insurer"
	ForSupplier   Exit = "dossier-supplier"
	ForCustomers  Exit = "dossier-customers"
	ForPublic     Exit = "dossier-public"
)

// Exits lists them.
func Exits() []Exit {
	return []Exit{Page, TeamMail, StakeholderMail, Chat, Webhook, Export, StatusPage, Invitation, Voice,
		ForTeam, ForManagement, ForAuthority, ForInsurer, ForSupplier, ForCustomers, ForPublic}
}

// dossier is how the exits of dossiers begin.
const dossier = "dossier-"

// Dossier returns the exit of a dossier for an audience: team, management, authority, insurer, supplier, customers, public. Of another audience
// it is an exit that lets nothing out.
func Dossier(audience string) Exit { return Exit(dossier + audience) }

// furthest is the narrowest label that may leave by an exit; "" is none.
func (e Exit) furthest() Label {
	switch e {
	case Page, TeamMail, Export, Voice, ForTeam, ForManagement:
		return AmberStrict // readers of our own organization
	case StakeholderMail, Chat, Webhook, Invitation, ForAuthority, ForInsurer:
		return Amber // readers whom we chose, one by one
	case StatusPage, ForSupplier, ForCustomers:
		return Green // readers who are many, or may pass it on, but are known
	case ForPublic:
		return Clear
	}
	return ""
}

// MayLeave reports whether something with a label may leave by an exit. What has no label, or a word that is none, does not leave: ask Of first.
func MayLeave(l Label, e Exit) bool {
	rank := slices.Index(Labels(), l)
	return rank >= 0 && l != Red && rank <= slices.Index(Labels(), e.furthest())
}

// Refusal says to a person why something with a label does not leave by an exit, and what they can do. It says nothing of the thing itself, so it may
// stand in its place.
func Refusal(l Label, e Exit) string {
	way := strings.ReplaceAll(string(e), "-", " ")
	if l == "" {
		return fmt.Sprintf("This has no TLP label, so it does not leave by %s: give it one.", way)
	}
	if l == Red {
		return fmt.Sprintf("%s: this %s. It leaves by no exit: sign in to read it.", l, l.Says())
	}
	if f := e.furthest(); f != "" {
		return fmt.Sprintf("%s: this %s. By %s leaves at most %s: sign in to read it, or have its label changed.", l, l.Says(), way, f)
	}
	return fmt.Sprintf("%s: this %s. The program does not know the exit %q, so nothing leaves by it.", l, l.Says(), e)
}

// Usual is the label of a thing whose incident has none either: what a team writes is for itself and those it works for; what it writes for
// stakeholders may reach a status page. Kinds are those of the ledger's labels: note, attachment, status, and so on.
func Usual(kind string) Label {
	if kind == "status" {
		return Green
	}
	return Amber
}
