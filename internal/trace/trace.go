// Package trace reads for the cause: from the alerts of an incident back to the first sign of whoever did it, and on to what they touched.
//
//	Case (what the incident names) --Trace, asking the kept lines--> Story: a graph, and statements in order of time
//
// It asks as an investigator does. Of each suspect address: its first line, what it looked for in vain and what it was first given, the
// sign-ins that failed and those that worked, what it uploaded, fetched, exported and deleted, who called what was uploaded, its last line. Of each account
// that was opened: from where it is used otherwise, and from where it was used next. Of sessions, rare programs and rare paths: which other
// addresses have them. Addresses that the same account or session leads to are looked into as well.
//
// Each Statement says what it is. A Fact is what lines say: who asked for what, when, under which name. That two addresses are the same
// intruder is never in a line, so it is a Guess, with the reason. Nothing is said without lines: a Statement has a Proof, which only an answer
// that has lines makes; the Ask in it finds precisely those lines again.
//
// The package knows no shop: no name, address or path stands in it. It is bounded (limits below): what was not asked or not said is told in
// Story.Cut. Names in texts come from lines and are hostile: they are cut, and whoever shows them escapes them.
package trace

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// What a trace may cost, and hold.
const (
	maxAsked      = 400  // questions to the kept lines
	maxAddresses  = 10   // addresses that are looked into
	maxAccounts   = 10   // accounts likewise
	maxHeld       = 1000 // lines of one answer
	maxRefs       = 100  // lines that a Proof names
	maxStatements = 200
	maxNodes      = 60
	maxEdges      = 120
	maxName       = 160  // bytes of a name in a text
	maxValue      = 70   // of one in a list of several
	maxNames      = 1500 // bytes of names that one question asks for
	maxTerm       = 300  // bytes of a value that is asked for
	maxAlerts     = 8    // moments with alerts that are told
	fewOthers     = 4    // other addresses that a session, program or path may have and still be telling

	lookBack  = 30 * 24 * time.Hour // before the first alert: held lines reach back as far
	lookAhead = 24 * time.Hour      // behind the last one
	nextUse   = 48 * time.Hour      // after a break-in in which another use of the account is told
)

// A Party is an address or account that an incident names.
type Party struct {
	Name    string
	Realm   string // of an account
	Country string // of an address; "" when it is not known
	Suspect bool   // did it; else it was done to them
	Own     bool   // an address of the shop's own networks
	Shared  bool   // an address that many share: what comes from it is not one visitor's
}

// An Alert is one of the incident.
type Alert struct {
	Title               string
	Level               string // informational, low, medium, high, critical
	First, Last, Raised time.Time
	Addresses, Accounts []Party
	Logs                []string // base names of its files
}

// A Case is what is known before anything is asked.
type Case struct {
	Alerts   []Alert // in order of Raised
	Sessions []string
	Ours     func(address string) bool // reports whether an address is the shop's own; nil knows none
}

// A Kind says how sure a statement is.
type Kind string

const (
	Fact  Kind = "fact"  // the lines say so
	Guess Kind = "guess" // what the lines say makes it likely
)

// A Step says which question a statement answers.
type Step string

const (
	First   Step = "first"   // the first line of an address
	Looked  Step = "looked"  // what it asked for and did not get
	Worked  Step = "worked"  // the first thing that it was given then
	Broke   Step = "broke"   // what the site failed at
	Tried   Step = "tried"   // sign-ins that failed
	Entered Step = "entered" // sign-ins that worked
	Usual   Step = "usual"   // from where the account is used otherwise
	Next    Step = "next"    // from where it was used then
	Moved   Step = "moved"   // files that were uploaded, fetched, exported, deleted
	Called  Step = "called"  // requests for what was uploaded
	Asked   Step = "asked"   // what it asked the site for
	Did     Step = "did"     // what else it did
	Alike   Step = "alike"   // another address with the same session, program or path
	Same    Step = "same"    // who may be the same
	Alarm   Step = "alert"   // an alert
	Last    Step = "last"    // the last line of an address
)

// A Statement is one sentence of the story, and the lines that it stands on.
type Statement struct {
	At, Until time.Time // of its first and last line; of many lines that came at once they are the same
	Kind      Kind
	Step      Step
	Text      string // one sentence, plain; names in it are hostile text
	Why       string // of a Guess: what makes it likely, and what speaks against it
	Bytes     int64  // that were moved, as far as the lines say so
	Nodes     []int  // places in Story.Nodes of whom and what it is about; each is named in some of the lines, and each line names one
	Proof     Proof
}

// A NodeKind says what a node of the graph is.
type NodeKind string

const (
	Address NodeKind = "address"
	Account NodeKind = "account"
	Session NodeKind = "session"
	Program NodeKind = "program" // a user agent
	File    NodeKind = "file"    // a file that was moved, or a path that was asked for
	Warning NodeKind = "alert"
)

// A Node is somebody or something in the graph.
type Node struct {
	Kind    NodeKind
	Name    string // as the lines have it, whole; hostile
	Note    string // the country of an address, the realm of an account, the level of an alert
	Suspect bool   // an address that the alerts say did it
}

// An Edge says what one node has to do with another.
type Edge struct {
	From, To  int // places in Story.Nodes
	Verb      string
	Statement int // place in Story.Statements
	Guess     bool
}

// A Story is what a trace comes to.
type Story struct {
	Nodes      []Node
	Edges      []Edge
	Statements []Statement // in order of time
	Cut        []string    // sentences that say what was not looked into, or is not told
	Asked      int         // questions that were put to the kept lines
}

// Trace reads for the cause of a case. The error is of a.
func Trace(c Case, a Archive) (Story, error) {
	t := &tracer{c: c, a: a, nodes: map[string]int{}, said: map[string]bool{}, entered: map[string]int{}, uploaded: map[string]bool{}, drawn: map[string]bool{}, looked: map[string]bool{}, suspect: map[string]string{}, cuts: map[string]bool{}}
	t.frame()
	t.suspects()
	t.alerts()
	for len(t.queue) > 0 && t.err == nil {
		next := t.queue[0]
		t.queue = t.queue[1:]
		next()
	}
	if t.err != nil {
		return Story{}, t.err
	}
	t.order()
	return t.story, nil
}

// A tracer is a trace under way.
type tracer struct {
	c            Case
	a            Archive
	since, until time.Time
	story        Story
	queue        []func() // whom to look into, in order
	addresses    int      // that are looked into, or will be
	accounts     int
	suspect      map[string]string // the countries of whom the alerts suspect, "?" when it is not known
	looked       map[string]bool   // addresses and accounts, by kind and name
	nodes        map[string]int    // place of a node, by kind and name
	said         map[string]bool   // texts of statements, and pairs of what is alike
	entered      map[string]int    // statements that an address signed in to an account, by both
	uploaded     map[string]bool   // paths whose callers are told
	drawn        map[string]bool   // edges
	cuts         map[string]bool   // sentences
	err          error
}

// frame is the time that is looked at.
func (t *tracer) frame() {
	for _, a := range t.c.Alerts {
		if from := a.First.Add(-lookBack); t.since.IsZero() || from.Before(t.since) {
			t.since = from
		}
		if to := a.Last.Add(lookAhead); to.After(t.until) {
			t.until = to
		}
	}
}

// cut says once that something is left out.
func (t *tracer) cut(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !t.cuts[text] {
		t.cuts[text] = true
		t.story.Cut = append(t.story.Cut, text)
	}
}

// suspects queues whom the alerts suspect. Of more than are looked into, those to whom something was given come first. Without any the
// sessions and accounts of the alerts are where to begin.
func (t *tracer) suspects() {
	var all []string
	var accounts []Party
	known := map[string]bool{}
	for _, a := range t.c.Alerts {
		for _, p := range a.Addresses {
			if p.Suspect && !p.Own && !p.Shared && t.suspect[p.Name] == "" {
				t.suspect[p.Name] = cmp.Or(p.Country, "?")
				all = append(all, p.Name)
			}
		}
		for _, p := range a.Accounts {
			if key := p.Realm + "/" + p.Name; !known[key] {
				known[key] = true
				accounts = append(accounts, p)
			}
		}
	}
	if len(all) > maxAddresses {
		t.cut("%d addresses are suspect, and %d of them are looked into: those first that something worked for.", len(all), maxAddresses)
		all = t.luckyFirst(all)[:maxAddresses]
	}
	for _, name := range all {
		t.follow(name)
	}
	if len(all) > 0 {
		return
	}
	for _, s := range t.c.Sessions[:min(len(t.c.Sessions), fewOthers)] {
		if !askable(s) {
			continue
		}
		for _, x := range t.top(t.window(is(sessionField, s)), addressField, fewOthers) {
			if !t.ours(x.Value) {
				t.follow(x.Value)
			}
		}
	}
	for _, p := range accounts {
		t.enter(p.Name, p.Realm, "", time.Time{})
	}
}

// luckyFirst puts those first who signed in, and of them those who tried more than one account.
func (t *tracer) luckyFirst(all []string) []string {
	luck := map[string]int{}
	tries := 0
	for some := range slices.Chunk(slices.DeleteFunc(slices.Clone(all), func(s string) bool { return !askable(s) }), 50) {
		for _, x := range t.top(t.window(is(actionField, "login"), is(outcomeField, "success"), is(addressField, some...)), addressField, len(some)) {
			luck[x.Value] = 1
			if tries++; tries <= 4*maxAddresses && len(t.top(t.window(is(actionField, "login"), is(addressField, x.Value)), accountField, 2)) > 1 {
				luck[x.Value] = 2
			}
		}
	}
	slices.SortStableFunc(all, func(a, b string) int { return cmp.Compare(luck[b], luck[a]) })
	return all
}

// follow queues an address to be looked into.
func (t *tracer) follow(name string) {
	key := string(Address) + name
	if t.looked[key] {
		return
	}
	t.looked[key] = true
	if t.addresses++; t.addresses > maxAddresses {
		t.cut("More than %d addresses would have to be looked into; the others are not.", maxAddresses)
		return
	}
	t.queue = append(t.queue, func() { t.address(name) })
}

// enter queues an account that was opened from an address at a time; without one all that use it are told.
func (t *tracer) enter(name, realm, by string, at time.Time) {
	key := string(Account) + realm + "/" + name
	if t.looked[key] {
		return
	}
	t.looked[key] = true
	if t.accounts++; t.accounts > maxAccounts {
		t.cut("More than %d accounts were used; where the others were used from is not looked into.", maxAccounts)
		return
	}
	t.queue = append(t.queue, func() { t.account(name, realm, by, at) })
}

// node returns the place of a node, -1 when there is no room for another.
func (t *tracer) node(kind NodeKind, name, note string) int {
	country, suspect := "", false
	if kind == Address {
		country, suspect = t.suspect[name], t.suspect[name] != ""
	}
	note = cmp.Or(note, strings.TrimSuffix(country, "?"))
	at := t.nodeAs(string(kind)+"\x00"+name, Node{Kind: kind, Name: name, Note: note, Suspect: suspect})
	if at >= 0 {
		n := &t.story.Nodes[at]
		n.Note = cmp.Or(n.Note, note)
	}
	return at
}

// nodeAs is node for one that is known by another key than its name.
func (t *tracer) nodeAs(key string, n Node) int {
	if at, ok := t.nodes[key]; ok {
		return at
	}
	if len(t.story.Nodes) == maxNodes {
		t.cut("The graph has room for %d names; others are in the statements alone.", maxNodes)
		return -1
	}
	t.nodes[key] = len(t.story.Nodes)
	t.story.Nodes = append(t.story.Nodes, n)
	return len(t.story.Nodes) - 1
}

// say makes a statement of an answer, and returns its place; -1 when it was said before or there is no room.
func (t *tracer) say(f found, s Statement, about ...int) int {
	if s.Kind == "" {
		s.Kind = Fact
	}
	s.Proof = f.proof
	if s.At.IsZero() {
		s.At = f.first().Time
	}
	if s.Until.IsZero() {
		s.Until = f.last.Time
	}
	key := s.Text + "\x00" + s.At.String()
	if t.said[key] {
		return -1
	}
	t.said[key] = true
	if len(t.story.Statements) == maxStatements {
		t.cut("There is more to tell than %d statements.", maxStatements)
		return -1
	}
	for _, n := range about {
		if n >= 0 && !slices.Contains(s.Nodes, n) {
			s.Nodes = append(s.Nodes, n)
		}
	}
	t.story.Statements = append(t.story.Statements, s)
	return len(t.story.Statements) - 1
}

// draw makes an edge that a statement says.
func (t *tracer) draw(from, to int, verb string, statement int) {
	key := fmt.Sprint(from, " ", to, " ", verb)
	if from < 0 || to < 0 || from == to || statement < 0 || t.drawn[key] {
		return
	}
	if len(t.story.Edges) == maxEdges {
		t.cut("The graph has room for %d lines; others are in the statements alone.", maxEdges)
		return
	}
	t.drawn[key] = true
	t.story.Edges = append(t.story.Edges, Edge{from, to, verb, statement, t.story.Statements[statement].Kind == Guess})
}

// order puts the statements in order of time.
func (t *tracer) order() {
	places := make([]int, len(t.story.Statements))
	for i := range places {
		places[i] = i
	}
	slices.SortStableFunc(places, func(a, b int) int {
		x, y := t.story.Statements[a], t.story.Statements[b]
		return cmp.Or(x.At.Compare(y.At), cmp.Compare(rank(x.Step), rank(y.Step)), cmp.Compare(x.Proof.lines[0].Number, y.Proof.lines[0].Number))
	})
	sorted, now := make([]Statement, len(places)), make([]int, len(places))
	for to, from := range places {
		sorted[to], now[from] = t.story.Statements[from], to
	}
	t.story.Statements = sorted
	for i := range t.story.Edges {
		t.story.Edges[i].Statement = now[t.story.Edges[i].Statement]
	}
}

// rank is the order of what came in the same moment.
func rank(s Step) int {
	return slices.Index([]Step{Usual, First, Asked, Looked, Broke, Tried, Worked, Entered, Next, Called, Alike, Same, Moved, Did, Alarm, Last}, s)
}
