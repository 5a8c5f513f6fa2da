package incident

import (
	"cmp"
	"slices"
	"time"
)

// What a person has to do.
const (
	Tasked = "task"
	Asked  = "question"
	Given  = "handover"
)

// A todo is something open that somebody has to do.
type todo struct {
	incident int64
	what     string
	id       int64
}

// todos are what is open, by who has it: so that what one person has to do is found without looking at every incident.
type todos map[string]map[todo]bool

func ofPerson(id string) string { return "person:" + id }
func ofRole(role string) string { return "role:" + role }

func (t *todos) add(who string, x todo) {
	if *t == nil {
		*t = todos{}
	}
	if (*t)[who] == nil {
		(*t)[who] = map[todo]bool{}
	}
	(*t)[who][x] = true
}

func (t *todos) cut(who string, x todo) {
	delete((*t)[who], x)
	if len((*t)[who]) == 0 {
		delete(*t, who)
	}
}

// A Todo is something that a person has to do: a task, a question to answer, a hand-over to take.
type Todo struct {
	Incident int64
	What     string // task, question, handover
	ID       int64
	Text     string // vault object: title, question or note
	Role     string // by which it is theirs; "" is their own
	Due      time.Time
	Since    time.Time
}

// Mine returns what a person has to do in every incident of the book: what is due first comes first, then the oldest. Roles are those that they have on the team.
// What a role has to do is theirs where they hold that role, or nobody does. Of an incident that is over only tasks are left. It looks at what is open for them and their roles, at nothing else.
func (b *Book) Mine(person string, roles []string) (out []Todo) {
	of := slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(roles), b.heldBy(person)...))))
	n := len(b.todo[ofPerson(person)]) + len(b.todo[ofRole("")])
	for _, role := range of {
		n += len(b.todo[ofRole(role)])
	}
	out = make([]Todo, 0, n)
	for x := range b.todo[ofPerson(person)] {
		out = b.one(out, x, "")
	}
	for _, role := range of {
		for x := range b.todo[ofRole(role)] {
			if i, err := b.Get(x.incident); err == nil && b.worked(i).has(person, role, roles) {
				out = b.one(out, x, role)
			}
		}
	}
	for x := range b.todo[ofRole("")] {
		out = b.one(out, x, "")
	}
	slices.SortFunc(out, func(x, y Todo) int {
		if x.Due.IsZero() != y.Due.IsZero() {
			if x.Due.IsZero() {
				return 1
			}
			return -1
		}
		return cmp.Or(x.Due.Compare(y.Due), x.Since.Compare(y.Since), cmp.Compare(x.Incident, y.Incident), cmp.Compare(x.What, y.What), cmp.Compare(x.ID, y.ID))
	})
	return out
}

// heldBy lists the roles that have something to do anywhere: one that a person holds in an incident need not be theirs on the team.
func (b *Book) heldBy(person string) (roles []string) {
	if person == "" {
		return nil
	}
	for who := range b.todo {
		if role, ok := cutRole(who); ok {
			roles = append(roles, role)
		}
	}
	return roles
}

func cutRole(who string) (role string, ok bool) {
	const front = "role:"
	if len(who) <= len(front) || who[:len(front)] != front {
		return "", false
	}
	return who[len(front):], true
}

// has reports whether what a role is to do in an incident is a person's.
func (i *Incident) has(person, role string, team []string) bool {
	h := i.Roles[role]
	if h.Person == "" && len(h.Deputies) == 0 {
		return slices.Contains(team, role)
	}
	return h.Person == person || slices.Contains(h.Deputies, person)
}

// one adds what a todo says now; of an incident that the book lacks, nothing.
func (b *Book) one(out []Todo, x todo, role string) []Todo {
	i, err := b.Get(x.incident)
	if err != nil {
		return out
	}
	if x.what != Tasked && b.over(i) {
		return out // nobody answers or takes over any more; a task that was promised stays, and can be ended
	}
	t, c := Todo{Incident: x.incident, What: x.what, ID: x.id, Role: role}, i.Command()
	switch x.what {
	case Tasked:
		k := &c.Tasks[x.id-1]
		t.Text, t.Due, t.Since = k.Title, k.Due, k.Versions[0].At
	case Asked:
		q := &c.Questions[x.id-1]
		t.Text, t.Since = q.Text, q.Asked.At
	case Given:
		h := &c.Handovers[x.id-1]
		t.Text, t.Since = h.Text, h.Given.At
	}
	return append(out, t)
}
