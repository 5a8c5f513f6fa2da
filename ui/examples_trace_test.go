package ui

import "time"

// traceView is how an account was guessed, used from elsewhere, and a program laid down.
func traceView() TraceView {
	f := frame("How incident 11 came about", "incidents", "/incidents/11/trace")
	f.Search, f.Still = true, true
	v := TraceView{Frame: f, ID: "11", Incident: "Many files fetched by FTP after a sign-in from elsewhere", Severity: "critical", Says: "10 facts and 2 guesses, from 48 questions to the kept lines",
		Cut: []Text{Visible("Alerts were raised in 12 moments; the 8 with the worst are told.")}}
	tell := func(minutes int, guess bool, says, why, lines, where string) {
		n := Number(int64(len(v.Told) + 1))
		v.Told = append(v.Told, Told{N: n, At: before(time.Duration(900-minutes) * time.Minute), Guess: guess, Says: Visible(says), Why: Visible(why), Lines: lines, Where: Visible(where), Href: "/search?q=ip%3D203.0.113.9"})
	}
	tell(0, false, "lager (ftp) was used from 192.0.2.91 (DE) before: first 3 d 3 h, last 3 h 51 min before 198.51.100.152 signs in.", "", "7 lines", "/var/log/vsftpd.log, numbers 63,100 to 63,170")
	tell(231, false, "198.51.100.152 (VN) is seen first: a sign-in as lager that fails.", "", "6 lines", "/var/log/auth.log, numbers 60,001 to 60,006")
	tell(231, false, "44 sign-ins of 198.51.100.152 (VN) as lager (ftp) failed.", "", "44 lines", "/var/log/auth.log, numbers 60,001 to 60,044")
	tell(231, false, "198.51.100.152 (VN) signs in as lager (ftp).", "", "1 line", "/var/log/vsftpd.log, number 64,201")
	tell(232, false, "Tocsin raises 4 alerts: “Impossible travel of a staff account” (high), “FTP sign-in succeeded after a brute force” (high), “SSH, FTP or database sign-in of an account from a new country” (medium) and 1 more.", "", "1 line", "/var/log/vsftpd.log, number 64,201")
	tell(800, false, "203.0.113.199 (NG) signs in as lager (ftp), the account that 198.51.100.152 (VN) had signed in to 13 h 39 min before.", "", "1 line", "/var/log/vsftpd.log, number 64,230")
	tell(800, true, "198.51.100.152 (VN) and 203.0.113.199 (NG) are the same intruder, or work together.", "Both sign in as lager, 13 h 39 min apart, and nobody had used it from either before. It may also be whoever the account belongs to, from another place.", "2 lines", "/var/log/vsftpd.log, numbers 64,201 and 64,230")
	tell(800, false, "203.0.113.199 (NG) fetches 70 files, 40,430,741 bytes, as lager: /lieferschein-000.pdf, /lieferschein-001.pdf, /lieferschein-002.pdf and 67 more.", "", "70 lines", "/var/log/vsftpd.log, numbers 64,231 to 64,300")
	tell(804, false, "203.0.113.199 (NG) uploads /wp-content/uploads/returns/retoure_foto\u202e.php, said to be image/jpeg, 42 bytes.", "", "1 line", "/srv/app/app.jsonl, number 61,004")
	tell(806, false, "203.0.113.199 (NG) asks for the uploaded file /wp-content/uploads/returns/retoure_foto.php 25 times, first 2 min 9 s after the upload, with cmd=cat+../../../wp-config.php (7), cmd=id (7).", "", "25 lines", "/var/log/nginx/access.log, numbers 44,000 to 44,061")
	tell(806, false, "Tocsin raises 7 alerts: “Command given to a web shell” (critical), “Web shell uploaded and used” (critical) and 5 more.", "", "1 line", "/var/log/nginx/access.log, number 44,000")
	tell(820, true, "192.0.2.8 belongs to whoever uploaded /wp-content/uploads/returns/retoure_foto.php from 203.0.113.199.", "Few know where an uploaded file lies; but a visitor who was sent there, or a search engine, may have asked for it too.", "1 line", "/var/log/nginx/access.log, number 44,090")
	v.Sign = v.Told[1]
	v.Graph = NewGraph([]GraphNode{
		{"address", "198.51.100.152", "VN", true}, {"address", "203.0.113.199", "NG", true}, {"address", "192.0.2.91", "DE", false}, {"address", "2001:db8:1234:5678:9abc:def0:1234:5678", "", false},
		{"account", "lager", "ftp", false}, {"file", "70 files", "fetched", false}, {"file", "/wp-content/uploads/returns/retoure_foto\u202e.php", "", false},
		{"alert", "Impossible travel of a staff account", "high", false}, {"alert", "Command given to a web shell", "critical", false},
	}, []GraphEdge{
		{2, 4, "used before", 1, false}, {0, 4, "tried", 3, false}, {0, 4, "signed in as", 4, false}, {0, 7, "set off", 5, false}, {1, 4, "signed in as", 6, false}, {1, 0, "may be", 7, true},
		{1, 5, "fetched", 8, false}, {4, 5, "was used for", 8, false}, {1, 6, "uploaded", 9, false}, {1, 6, "asked for", 10, false}, {1, 8, "set off", 11, false}, {3, 6, "asked for", 12, false}, {3, 1, "may be", 12, true},
	})
	return v
}
