package entry

// IncidentAffected is the kind of what an incident touched and cost, as people type it.
const IncidentAffected Kind = "incident.affected" // Affected

// Affected is which systems, data and people an incident touched, and what it cost, as from now on. The words lie in the vault, in the form that package
// incident writes (Sheet); the numbers say how many rows of each there are.
type Affected struct {
	Incident int64  `json:"incident"`
	Person   string `json:"person"` // who wrote it
	Text     string `json:"text"`   // vault object
	Systems  int    `json:"systems,omitempty"`
	Data     int    `json:"data,omitempty"`
	People   int    `json:"people,omitempty"`
	Costs    int    `json:"costs,omitempty"`
	Before   int64  `json:"before,omitempty"` // number of the entry whose place it takes
}
