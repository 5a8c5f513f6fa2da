// Package hook decides what other programs are told of the ledger, and when: webhooks out. Each hook stands in the settings file, so only
// the owner of the machine says where something is sent to; nobody can name an address in the console.
//
// What is told is an entry of the ledger, as a Payload: its number, what kind it is of, and ids and links. Names, words and addresses are
// left out, also those that the ledger itself has (a rule's title), so a receiver that is not ours learns what to look up, and nothing else. A
// payload is a function of the ledger up to that entry: told again it is the same, whatever happened since.
//
//	ledger --Entries(through+1)--> Book.Payload --Hook.Wants--> signed POST --2xx--> the hook's file: through = that entry
//	                                                                |
//	                                              no: Backoff, and after three days webhook.off
//
// A delivery is a debt: what is behind `through` is owed. It is told at least once, in the order of the ledger, and the receiver knows a repeat
// by its id. Only changes of a hook's state are entries (entry.Webhook): the hook's file counts the rest and may be lost, then the
// last entry's position holds and some of it is told twice. doc/webhooks.md has the format and what a receiver must do.
package hook

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/internal/entry"
)

// Version is that of the payload. Fields are only added to a version.
const Version = 1

// A Hook is a program that is told.
type Hook struct {
	Name     string
	What     []string // nouns (incident, alert, call, report, source, agent) or kinds (incident.opened); none is incidents and calls
	Severity string   // least severity of incidents, alerts and calls: low, medium, high, critical; "" is all
}

// TestKind is the kind of a payload that somebody asked for, to try whether a hook works.
const TestKind = "webhook.test"

// kinds are those that may be told. All of them have ids and no words.
var kinds = []entry.Kind{
	entry.IncidentOpened, entry.IncidentSeverity, entry.IncidentPhase, entry.IncidentNoted, entry.IncidentAssigned, entry.IncidentClosed, entry.IncidentReopened,
	entry.IncidentHeld, entry.IncidentReleased, entry.IncidentAttached,
	entry.IncidentStated, entry.IncidentLabelled, entry.IncidentMerged, entry.IncidentUnmerged,
	entry.DecisionAsked, entry.DecisionMade, entry.TaskAdded, entry.TaskDone, entry.TaskDropped, entry.AttachmentAdded,
	entry.RunBegun, entry.RunMoved, entry.RunStopped, entry.StepDone, entry.StepSkipped, entry.StepLate,
	entry.AlertRaised, entry.CallOpened, entry.CallAnswered, entry.CallEnded,
	entry.ReportFiled, entry.ReportBundled, entry.ReportAnswered, entry.ReportOpened, entry.ReportJoined, entry.ReportClosed,
	entry.SourceSilent, entry.SourceBack, entry.AgentJoined, entry.AgentRevoked, entry.AgentLost, entry.AgentBack,
}

// Words are what Hook.What may say, in order.
func Words() (out []string) {
	for _, k := range kinds {
		if n := noun(k); !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	for _, k := range kinds {
		out = append(out, string(k))
	}
	return out
}

func noun(k entry.Kind) string {
	n, _, _ := strings.Cut(string(k), ".")
	return n
}

// severities in their order.
var severities = []string{"low", "medium", "high", "critical"}

// Severities are what Hook.Severity may say besides "".
func Severities() []string { return slices.Clone(severities) }

// Tells reports whether an entry of this kind can be told at all.
func Tells(k entry.Kind) bool { return slices.Contains(kinds, k) }

// Wants reports whether the hook is to be told of an entry.
func (h Hook) Wants(k entry.Kind, severity string) bool {
	what := h.What
	if len(what) == 0 {
		what = []string{"incident", "call"}
	}
	if !Tells(k) || !slices.Contains(what, noun(k)) && !slices.Contains(what, string(k)) {
		return false
	}
	return severity == "" || slices.Index(severities, severity) >= slices.Index(severities, h.Severity) // -1 is least
}

// A Payload is what is sent, as JSON. Its fields are in doc/webhooks.md.
type Payload struct {
	Version  int       `json:"version"`
	ID       string    `json:"id"` // the same in every repeat
	Hook     string    `json:"hook"`
	Kind     string    `json:"kind"`
	Entry    int64     `json:"entry,omitempty"`
	At       time.Time `json:"at"`
	Severity string    `json:"severity,omitempty"`
	Incident *Incident `json:"incident,omitempty"`
	Call     int64     `json:"call,omitempty"`
	Alert    string    `json:"alert,omitempty"`
	Rule     string    `json:"rule,omitempty"`
	Report   int64     `json:"report,omitempty"`
	Source   string    `json:"source,omitempty"`
	Agent    string    `json:"agent,omitempty"`
	Link     string    `json:"link,omitempty"`
}

// An Incident is one as of the entry. Of a restricted one nothing is told.
type Incident struct {
	ID       int64  `json:"id"`
	Severity string `json:"severity,omitempty"`
	Phase    string `json:"phase,omitempty"`
	Open     *bool  `json:"open,omitempty"`
}

// Of is where payloads come from.
type Of struct {
	Origin     string           // of the ledger; ids begin with it
	URL        string           // of the console, without a slash at the end
	Restricted func(int64) bool // whether an incident is; nil is none
}

// Payload words an entry for a hook; false when it is not wanted.
func (b *Book) Payload(h Hook, e entry.Entry, of Of) (Payload, bool, error) {
	if !Tells(e.Kind) {
		return Payload{}, false, nil
	}
	p := Payload{Version: Version, ID: fmt.Sprintf("%s/%d", of.Origin, e.N), Hook: h.Name, Kind: string(e.Kind), Entry: e.N, At: e.Time}
	id, err := b.fill(&p, e)
	if err != nil || !h.Wants(e.Kind, p.Severity) || id < 0 {
		return Payload{}, false, err
	}
	if r := b.reports[p.Report]; p.Report != 0 {
		p.Link = fmt.Sprintf("%s/reports/%d", of.URL, p.Report)
		if of.Restricted != nil && r.incident != 0 && of.Restricted(r.incident) {
			return Payload{}, false, nil
		}
	}
	switch {
	case id == 0:
	case of.Restricted != nil && of.Restricted(id):
		return Payload{}, false, nil
	default:
		p.Link = fmt.Sprintf("%s/incidents/%d", of.URL, id)
		if x, ok := b.at(id, e.N); ok {
			p.Incident = &Incident{ID: id, Severity: x.severity, Phase: x.phase, Open: new(!x.closed)}
		} else {
			p.Incident = &Incident{ID: id}
		}
	}
	return p, true, nil
}

// fill takes ids and severity out of the entry's body. id is the incident that it is of, 0 when of none; -1 is an entry that is not told.
func (b *Book) fill(p *Payload, e entry.Entry) (id int64, err error) {
	switch noun(e.Kind) {
	case "incident", "decision", "task", "attachment", "run", "step":
		return b.ofIncident(p, e)
	case "alert":
		x, err := entry.Body[entry.Alert](e)
		if x.History {
			return -1, err // it is older than the watch, and rings nobody
		}
		p.Alert, p.Rule, p.Severity = x.ID, x.Rule, known(x.Level)
		return x.Incident, err
	case "call":
		x, err := entry.Body[struct {
			ID        int64   `json:"id"`
			Incidents []int64 `json:"incidents"`
		}](e)
		c, ok := b.calls[x.ID]
		if !ok {
			return -1, err // a test
		}
		p.Call, p.Severity = x.ID, c.severity
		return c.incident, err
	case "report":
		return b.ofReport(p, e)
	case "source":
		x, err := entry.Body[entry.Source](e)
		p.Source, p.Agent = x.Hash, x.Agent
		return 0, err
	}
	x, err := entry.Body[struct {
		ID string `json:"id"`
	}](e)
	p.Agent = x.ID
	return 0, err
}

// ofIncident fills in what is about an incident, which bodies name in one of three ways.
func (b *Book) ofIncident(p *Payload, e entry.Entry) (id int64, err error) {
	x, err := entry.Body[struct {
		ID       int64 `json:"id"`
		Incident int64 `json:"incident"`
		Run      int64 `json:"run"`
	}](e)
	switch noun(e.Kind) {
	case "run":
		id = b.runs[x.ID]
	case "step":
		id = b.runs[x.Run]
	case "incident":
		if id = x.ID; x.Incident != 0 {
			id = x.Incident
		}
	default:
		id = x.Incident
	}
	if id == 0 {
		return -1, err // of an incident that the book does not know
	}
	if at, ok := b.at(id, e.N); ok {
		p.Severity = at.severity
	}
	return id, err
}

// ofReport fills in which report it is of, of those that are kept together the first, and returns the incident to which it belonged then. Of what is in it
// nothing is told.
func (b *Book) ofReport(p *Payload, e entry.Entry) (id int64, err error) {
	if e.Kind == entry.ReportBundled {
		x, err := entry.Body[entry.ReportBundle](e)
		p.Report = x.Bucket
		return 0, err
	}
	x, err := entry.Body[struct {
		ID int64 `json:"id"`
	}](e)
	p.Report = x.ID
	if r := b.reports[x.ID]; r.n <= e.N {
		id = r.incident
	}
	return id, err
}

// known is a severity in our words; "informational" of Sigma is low.
func known(level string) string {
	if slices.Contains(severities, level) {
		return level
	}
	return "low"
}

// The times of trying again.
const (
	firstWait = 5 * time.Second
	mostWait  = time.Hour
	SayAfter  = 2 * time.Minute    // so long a hook takes nothing before that is an entry
	GiveUp    = 3 * 24 * time.Hour // and so long before it is told nothing more
)

// Backoff is how long to wait after so many failed tries, from 1: 5 s, doubled each time up to an hour; longer when the other side asks for
// it, up to an hour. What trying again does not mend (HTTP 404, a wrong certificate) waits a minute at least.
func Backoff(tries int, temporary bool, after time.Duration) time.Duration {
	wait := mostWait
	if n := max(tries, 1) - 1; n < 10 {
		wait = min(firstWait<<n, mostWait)
	}
	if !temporary {
		wait = max(wait, time.Minute)
	}
	return max(wait, min(after, mostWait))
}
