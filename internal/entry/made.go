package entry

// DossierMade is the kind of an incident report that was made: it is written before a byte of the report is handed out.
const DossierMade Kind = "dossier.made" // Dossier

// Dossier says which report of an incident was made, for whom, and of what bytes.
type Dossier struct {
	Incident int64  `json:"incident"`
	Person   string `json:"person,omitempty"`   // staff id of who asked; "" is nobody in particular, on the machine itself
	Form     string `json:"form"`               // html, md, docx, pdf, own; stix, veris of an exchange, which has no manifest
	Depth    string `json:"depth"`              // executive, full
	Audience string `json:"audience"`           // TLP 2.0: CLEAR, GREEN, AMBER, AMBER+STRICT
	Head     int64  `json:"head"`               // entries of the ledger out of which it was made
	SHA256   string `json:"sha256"`             // of the report's bytes, in hex
	Manifest string `json:"manifest,omitempty"` // SHA-256 of its signed manifest, in hex; "" of none
}
