package incident

import (
	"cmp"
	"slices"
	"time"
)

// What two incidents can share, and how much that says. A session is one browser, and the same bytes are the same tool; an address says much while few have it; an account
// is somebody's whom many attack; a technique says little.
const (
	kinSession = iota
	kinFile
	kinAddress
	kinAccount
	kinTechnique
	kins
)

func weight(kin int) int {
	return [kins]int{kinSession: 8, kinFile: 8, kinAddress: 5, kinAccount: 3, kinTechnique: 1}[kin]
}

// kin finds the incidents that have something by its key, newest first: each key names the newest link of its chain, and each link the one before. All chains lie in one
// slice, and most begin in the index by which alerts join: so a start, which puts the parties of every alert here, pays next to nothing for it.
type kin struct {
	accounts map[string]int32 // place of the newest link, from 1
	files    map[string]int32
	links    []kinLink
}

type kinLink struct {
	incident int64
	before   int32 // place of the link before; 0 is none
}

// link adds an incident to a chain and returns its place.
func (x *kin) link(incident int64, before int32) int32 {
	x.links = append(x.links, kinLink{incident, before})
	return int32(len(x.links))
}

func (x *kin) put(m *map[string]int32, key string, incident int64) {
	if *m == nil {
		*m = map[string]int32{}
	}
	head := (*m)[key]
	if head == 0 || x.links[head-1].incident != incident {
		(*m)[key] = x.link(incident, head)
	}
}

// head returns where the chain of a key begins; 0 is none.
func (x *index) head(what int, key string) int32 {
	switch what {
	case kinSession:
		return x.session[key].before
	case kinFile:
		return x.kin.files[key]
	case kinAddress:
		return x.address[key].before
	case kinAccount:
		return x.kin.accounts[key]
	}
	return x.technique[key].before
}

// A Relation is an incident that shares something with another. What is shared is named by keyed hashes, techniques by their tags, files by SHA-256.
type Relation struct {
	Incident   int64
	Score      int // the more the nearer; only their order means something
	Sessions   []string
	Files      []string
	Addresses  []string
	Accounts   []string
	Techniques []string
}

func (r *Relation) of(what int) *[]string {
	return [kins]*[]string{kinSession: &r.Sessions, kinFile: &r.Files, kinAddress: &r.Addresses, kinAccount: &r.Accounts, kinTechnique: &r.Techniques}[what]
}

// How far related incidents are looked for: what many incidents share says little of any of them, and an attack can name as many keys as it likes.
const (
	chainAtMost = 500    // the newest incidents with one key
	stepsAtMost = 50_000 // over all keys
)

// Related returns the incidents that share an address, account, session, file or technique with an incident, or with those that are one with it: the nearest
// first, then the newest, at most so many. Only a technique in common is told last. Cut says that there are more, or that not all were looked at. Own networks, addresses
// that many customers share, and addresses of which only alerts of low level tell tie nothing together.
func (b *Book) Related(id int64, most int) (out []Relation, cut bool) {
	own := b.family(id)
	inside := map[int64]bool{}
	for _, i := range own {
		inside[i.ID] = true
	}
	found, steps := map[int64]*Relation{}, 0
	look := func(what int, key string) {
		n := 0
		for at := b.index.head(what, key); at != 0; at = b.index.kin.links[at-1].before {
			if n, steps = n+1, steps+1; n > chainAtMost || steps > stepsAtMost {
				cut = true
				return
			}
			other := b.index.kin.links[at-1].incident
			if _, err := b.Get(other); err != nil || inside[other] {
				continue
			}
			r := found[other]
			if r == nil {
				r = &Relation{Incident: other}
				found[other] = r
			}
			if l := r.of(what); !slices.Contains(*l, key) {
				*l = append(*l, key)
				r.Score += weight(what)
			}
		}
	}
	seen := [kins]map[string]bool{}
	for k := range seen {
		seen[k] = map[string]bool{}
	}
	once := func(what int, key string) {
		if !seen[what][key] {
			seen[what][key] = true
			look(what, key)
		}
	}
	for _, i := range own {
		i.keys(b, once)
	}
	for _, r := range found {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(x, y Relation) int {
		return cmp.Or(cmp.Compare(y.Score, x.Score), cmp.Compare(y.Incident, x.Incident))
	})
	if len(out) > most {
		out, cut = out[:max(most, 0)], true
	}
	return out, cut
}

// keys tells what an incident can share, what says most first.
func (i *Incident) keys(b *Book, tell func(what int, key string)) {
	for _, s := range i.Sessions {
		tell(kinSession, s)
	}
	for _, f := range i.Command().Files {
		tell(kinFile, f.SHA256)
	}
	for _, p := range i.Sources {
		if !p.Own && !p.Shared {
			tell(kinAddress, p.Hash)
		}
	}
	for _, p := range i.Accounts {
		tell(kinAccount, p.Hash)
	}
	for _, id := range i.Alerts {
		if a := b.Alerts[id]; a != nil {
			for _, t := range a.Techniques {
				tell(kinTechnique, t)
			}
		}
	}
}

// A Past is an earlier incident of the same addresses and accounts: what whoever judges an alarm wants to know.
type Past struct {
	Relation
	Opened  time.Time
	Closed  bool
	Verdict string // true, false; "" while it is open
	Title   string
}

// History returns the incidents that were opened before an incident and share an address, account or session with it, the newest first, at most so many.
func (b *Book) History(id int64, most int) (out []Past, cut bool) {
	i, err := b.Get(id)
	if err != nil {
		return nil, false
	}
	all, cut := b.Related(id, len(b.Incidents))
	for _, r := range all {
		p, _ := b.Get(r.Incident)
		if r.Incident < i.ID && len(r.Addresses)+len(r.Accounts)+len(r.Sessions) > 0 {
			out = append(out, Past{r, p.Opened, p.Closed, p.Verdict, p.Title})
		}
	}
	slices.SortFunc(out, func(x, y Past) int { return cmp.Compare(y.Incident, x.Incident) })
	if len(out) > most {
		out, cut = out[:max(most, 0)], true
	}
	return out, cut
}
