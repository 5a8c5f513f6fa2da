package contact

import "time"

// Words in the languages that this program knows: English and German. Other readers get English ones; the text around them is the team's own.

// Word returns a severity, state, phase or a word of a page in a language.
func Word(lang, word string) string {
	if language(lang) == "de" {
		if w := german(word); w != "" {
			return w
		}
	}
	if w := english(word); w != "" {
		return w
	}
	return word
}

func english(word string) string {
	switch word {
	case "critical", "high", "medium", "low", "open", "closed", "identification", "containment", "eradication", "recovery":
		return word
	case "lessons":
		return "lessons learnt"
	case "page.title":
		return "Status of incident"
	case "page.skip":
		return "Skip to content"
	case "page.none":
		return "The response team has not written anything for you yet. It will: this page shows it."
	case "page.written":
		return "Written"
	case "page.next":
		return "Next word by"
	case "page.state":
		return "State"
	case "page.severity":
		return "Severity"
	case "page.phase":
		return "Work"
	case "page.for":
		return "This page is for"
	case "page.until":
		return "The link works until"
	case "page.private":
		return "Please do not pass it on."
	case "twice.mark":
		return "(possibly twice)"
	case "twice.says":
		return "You may have got this message before: our system was stopped while it was being sent."
	case "page.late":
		return "The promised time is over. The team is late, not silent: please ask it."
	}
	return ""
}

func german(word string) string {
	switch word {
	case "critical":
		return "kritisch"
	case "high":
		return "hoch"
	case "medium":
		return "mittel"
	case "low":
		return "niedrig"
	case "open":
		return "offen"
	case "closed":
		return "abgeschlossen"
	case "identification":
		return "Erkennung"
	case "containment":
		return "Eindämmung"
	case "eradication":
		return "Beseitigung"
	case "recovery":
		return "Wiederherstellung"
	case "lessons":
		return "Nachbereitung"
	case "page.title":
		return "Stand des Vorfalls"
	case "page.skip":
		return "Zum Inhalt"
	case "page.none":
		return "Das Reaktionsteam hat noch nichts für Sie geschrieben. Sobald es das tut, steht es hier."
	case "page.written":
		return "Geschrieben"
	case "page.next":
		return "Nächste Nachricht bis"
	case "page.state":
		return "Stand"
	case "page.severity":
		return "Schwere"
	case "page.phase":
		return "Arbeit"
	case "page.for":
		return "Diese Seite ist für"
	case "page.until":
		return "Der Link gilt bis"
	case "page.private":
		return "Bitte geben Sie ihn nicht weiter."
	case "twice.mark":
		return "(möglicherweise doppelt)"
	case "twice.says":
		return "Möglicherweise haben Sie diese Nachricht schon erhalten: Unser System wurde beim Versenden unterbrochen."
	case "page.late":
		return "Die zugesagte Zeit ist vorbei. Das Team ist verspätet, nicht verstummt: Bitte fragen Sie nach."
	}
	return ""
}

// When writes a time for a reader: in the zone and the language.
func When(lang string, t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	l := t.In(zone)
	if language(lang) == "de" {
		months := [...]string{"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"}
		return l.Format("2. ") + months[l.Month()-1] + l.Format(" 2006, 15:04 Uhr (MST)")
	}
	return l.Format("2 January 2006, 15:04 (MST)")
}

// PageLang is the language of our own words on a page for a reader of some languages: de or en.
func PageLang(langs []string) string {
	for _, l := range langs {
		if k := language(l); k == "de" || k == "en" {
			return k
		}
	}
	return "en"
}
