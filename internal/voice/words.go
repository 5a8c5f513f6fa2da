package voice

// A language is what one language says for each prepared phrase, and which voice of espeak-ng speaks it.
type language struct {
	Voice string
	Words map[string]string
}

// numerals names the digits of a language, from 0 to 9.
func numerals(words map[string]string, digits ...string) map[string]string {
	for i, d := range digits {
		words["digit-"+string(rune('0'+i))] = d
	}
	return words
}

// vocabulary returns every prepared phrase in every language. The clips under clips/ are these texts as they were spoken.
func vocabulary() map[string]language {
	return map[string]language{
		"en": {"en-gb", numerals(map[string]string{
			"hello": "This is Tocsin. There is an emergency.", "incident": "Incident number", "severity-low": "Severity low.", "severity-medium": "Severity medium.",
			"severity-high": "Severity high.", "severity-critical": "Severity critical.", "pin": "Please enter your PIN, then press hash.", "wrong": "This is not right.",
			"menu":  "Press 1 to acknowledge, 2 to pass it on, 3 to hear it again.",
			"noted": "Thank you. You have acknowledged.", "passed": "Thank you. It is passed on.", "unrecorded": "Your answer could not be recorded. Please sign in.", "goodbye": "Goodbye.", "test": "This is only a test.",
		}, "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")},
		"de": {"de", numerals(map[string]string{
			"hello": "Hier ist Tocsin. Es gibt einen Notfall.", "incident": "Vorfall Nummer", "severity-low": "Schwere gering.", "severity-medium": "Schwere mittel.",
			"severity-high": "Schwere hoch.", "severity-critical": "Schwere kritisch.", "pin": "Bitte geben Sie Ihre PIN ein, dann die Raute.", "wrong": "Das ist nicht richtig.",
			"menu":  "Drücken Sie 1, um zu übernehmen, 2, um weiterzugeben, 3, um es noch einmal zu hören.",
			"noted": "Danke. Sie haben übernommen.", "passed": "Danke. Es wird weitergegeben.", "unrecorded": "Ihre Antwort konnte nicht gespeichert werden. Bitte melden Sie sich an.", "goodbye": "Auf Wiederhören.", "test": "Das ist nur eine Probe.",
		}, "null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun")},
		"fr": {"fr-fr", numerals(map[string]string{
			"hello": "Ici Tocsin. Il y a une urgence.", "incident": "Incident numéro", "severity-low": "Gravité faible.", "severity-medium": "Gravité moyenne.",
			"severity-high": "Gravité élevée.", "severity-critical": "Gravité critique.", "pin": "Saisissez votre code, puis dièse.", "wrong": "Ce n'est pas correct.",
			"menu":  "Appuyez sur 1 pour prendre en charge, 2 pour passer au suivant, 3 pour réécouter.",
			"noted": "Merci. Vous avez pris en charge.", "passed": "Merci. C'est transmis au suivant.", "unrecorded": "Votre réponse n'a pas pu être enregistrée. Connectez-vous.", "goodbye": "Au revoir.", "test": "Ceci est un essai.",
		}, "zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf")},
		"es": {"es", numerals(map[string]string{
			"hello": "Aquí Tocsin. Hay una emergencia.", "incident": "Incidente número", "severity-low": "Gravedad baja.", "severity-medium": "Gravedad media.",
			"severity-high": "Gravedad alta.", "severity-critical": "Gravedad crítica.", "pin": "Introduzca su PIN y pulse almohadilla.", "wrong": "No es correcto.",
			"menu":  "Pulse 1 para aceptar, 2 para pasarlo, 3 para oírlo otra vez.",
			"noted": "Gracias. Ha aceptado.", "passed": "Gracias. Se pasa al siguiente.", "unrecorded": "No se pudo guardar su respuesta. Inicie sesión.", "goodbye": "Adiós.", "test": "Esto es solo una prueba.",
		}, "cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve")},
		"it": {"it", numerals(map[string]string{
			"hello": "Qui Tocsin. C'è un'emergenza.", "incident": "Incidente numero", "severity-low": "Gravità bassa.", "severity-medium": "Gravità media.",
			"severity-high": "Gravità alta.", "severity-critical": "Gravità critica.", "pin": "Inserisca il PIN, poi prema cancelletto.", "wrong": "Non è corretto.",
			"menu":  "Prema 1 per prendere in carico, 2 per passare ad altri, 3 per riascoltare.",
			"noted": "Grazie. Ha preso in carico.", "passed": "Grazie. Passa ad altri.", "unrecorded": "La risposta non è stata salvata. Acceda al sistema.", "goodbye": "Arrivederci.", "test": "Questa è solo una prova.",
		}, "zero", "uno", "due", "tre", "quattro", "cinque", "sei", "sette", "otto", "nove")},
		"nl": {"nl", numerals(map[string]string{
			"hello": "Dit is Tocsin. Er is een noodgeval.", "incident": "Incident nummer", "severity-low": "Ernst laag.", "severity-medium": "Ernst gemiddeld.",
			"severity-high": "Ernst hoog.", "severity-critical": "Ernst kritiek.", "pin": "Voer uw pincode in en druk op hekje.", "wrong": "Dat is niet juist.",
			"menu":  "Druk op 1 om het aan te nemen, 2 om het door te geven, 3 om het opnieuw te horen.",
			"noted": "Dank u. U heeft het aangenomen.", "passed": "Dank u. Het wordt doorgegeven.", "unrecorded": "Uw antwoord kon niet worden opgeslagen. Meld u aan.", "goodbye": "Tot ziens.", "test": "Dit is maar een test.",
		}, "nul", "één", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen")},
		"pl": {"pl", numerals(map[string]string{
			"hello": "Tu Tocsin. Mamy sytuację awaryjną.", "incident": "Incydent numer", "severity-low": "Waga niska.", "severity-medium": "Waga średnia.",
			"severity-high": "Waga wysoka.", "severity-critical": "Waga krytyczna.", "pin": "Podaj swój PIN i naciśnij krzyżyk.", "wrong": "To nie jest poprawne.",
			"menu":  "Naciśnij 1, aby przyjąć, 2, aby przekazać dalej, 3, aby usłyszeć ponownie.",
			"noted": "Dziękuję. Przyjęto.", "passed": "Dziękuję. Przekazano dalej.", "unrecorded": "Nie udało się zapisać odpowiedzi. Zaloguj się.", "goodbye": "Do usłyszenia.", "test": "To tylko próba.",
		}, "zero", "jeden", "dwa", "trzy", "cztery", "pięć", "sześć", "siedem", "osiem", "dziewięć")},
		"pt": {"pt", numerals(map[string]string{
			"hello": "Aqui é o Tocsin. Há uma emergência.", "incident": "Incidente número", "severity-low": "Gravidade baixa.", "severity-medium": "Gravidade média.",
			"severity-high": "Gravidade alta.", "severity-critical": "Gravidade crítica.", "pin": "Introduza o seu PIN e prima cardinal.", "wrong": "Não está certo.",
			"menu":  "Prima 1 para aceitar, 2 para passar a outro, 3 para ouvir de novo.",
			"noted": "Obrigado. Aceitou.", "passed": "Obrigado. Passa a outro.", "unrecorded": "Não foi possível guardar a resposta. Inicie sessão.", "goodbye": "Adeus.", "test": "Isto é apenas um teste.",
		}, "zero", "um", "dois", "três", "quatro", "cinco", "seis", "sete", "oito", "nove")},
	}
}
