package api

import (
	"maps"
	"slices"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/desk"
	"tocsin/internal/entry"
)

type (
	// A Me is how one signs in oneself.
	Me struct {
		Person   string     `json:"person"`
		Password bool       `json:"password"`
		App      bool       `json:"app"`
		Recovery int        `json:"recovery" doc:"codes that are left"`
		Passkeys []Passkey  `json:"passkeys"`
		Accounts []Account  `json:"accounts" doc:"at the provider"`
		Tokens   []OwnToken `json:"tokens"`
		Sessions []Session  `json:"sessions"`
	}
	// A Passkey is one, without what it opens.
	Passkey struct {
		ID     string    `json:"id"`
		Name   string    `json:"name"`
		Made   time.Time `json:"made"`
		Last   time.Time `json:"last,omitzero"`
		Cloned bool      `json:"cloned,omitempty" doc:"its counter did not grow: somebody may have a copy"`
	}
	// An Account is one at the provider.
	Account struct {
		N      int       `json:"n" doc:"its place, from 1, by which it is removed"`
		Issuer string    `json:"issuer"`
		Made   time.Time `json:"made"`
	}
	// An OwnToken is one for programs, without what it opens.
	OwnToken struct {
		ID      string    `json:"id"`
		Name    string    `json:"name"`
		Scope   []string  `json:"scope"`
		Made    time.Time `json:"made"`
		Expires time.Time `json:"expires"`
		Last    time.Time `json:"last,omitzero" doc:"the day of its last use"`
	}
	// A Session is a browser that is signed in.
	Session struct {
		ID      string    `json:"id"`
		Device  string    `json:"device,omitempty"`
		Network string    `json:"network,omitempty"`
		Method  string    `json:"method,omitempty"`
		Started time.Time `json:"started"`
		Seen    time.Time `json:"seen"`
	}
	tokenBody struct {
		Name  string   `json:"name" maxLength:"60" doc:"what it is for"`
		Scope []string `json:"scope" minItems:"1" maxItems:"100" doc:"rights, as the table of rights names them"`
		Days  int      `json:"days" doc:"how long it works: 1 to 365"`
	}
	// A FreshToken is shown once.
	FreshToken struct {
		Token string `json:"token"`
	}
	// Codes are shown once.
	Codes struct {
		Codes []string `json:"codes"`
	}
	// An Ended answer says how many.
	Ended struct {
		Ended int `json:"ended"`
	}
	noticeBody struct {
		Person  string   `json:"person,omitempty" maxLength:"64" doc:"who is told; without it, oneself"`
		Channel string   `json:"channel" enum:"mail,webhook"`
		Mode    string   `json:"mode" enum:"each,new,digest"`
		Realms  []string `json:"realms,omitempty" maxItems:"20" doc:"of accounts: ssh, ftp, admin, ...; none is every one"`
		Account string   `json:"account,omitempty" maxLength:"200" doc:"of this account only"`
		Hour    int      `json:"hour,omitempty" minimum:"0" maximum:"23" doc:"of a digest, in the person's zone"`
		New     []string `json:"new,omitempty" maxItems:"3" doc:"of mode new: address, country, hour"`
	}
	// A Notice is a wish to be told of sign-ins.
	Notice struct {
		ID      int64    `json:"id"`
		Person  string   `json:"person"`
		Channel string   `json:"channel"`
		Mode    string   `json:"mode"`
		Realms  []string `json:"realms,omitempty"`
		New     []string `json:"new,omitempty"`
		Account string   `json:"account,omitempty"`
		Hour    int      `json:"hour,omitempty"`
		Told    int64    `json:"told" doc:"sign-ins, in all"`
		Waiting int64    `json:"waiting" doc:"sign-ins that are still to be told"`
		Failed  bool     `json:"failed,omitempty" doc:"the last message could not be sent"`
	}
)

// ownOperations are those of how one signs in oneself. By a token they are only read: a stolen one shall not make others.
func ownOperations(t *table) {
	const own = "Of the person who asks. A token cannot: a stolen one shall not take an account over. On the socket, name the person."
	o := get("/me", "getMe", "Show how one signs in, one's tokens, and where one is signed in")
	o.need, o.web = auth.Own, "GET /me"
	add(t, o, func(a ask, _ *none) (Me, error) { return me(a) })
	mine := func(path, id, sum, web string) operation {
		o := post("/me/"+path, id, sum)
		o.need, o.web, o.about = auth.Own, web, own
		return o
	}
	o = mine("tokens", "makeToken", "Make a token for programs", "POST /me/tokens")
	o.shown = true
	add(t, o, func(a ask, in *body[tokenBody]) (FreshToken, error) {
		var scope []auth.Action
		for _, x := range in.Body.Scope {
			scope = append(scope, auth.Action(x))
		}
		token, err := a.desk.MakeToken(a.actor, in.Body.Name, scope, in.Body.Days)
		return FreshToken{token}, err
	})
	act(t, mine("tokens/{id}/revoke", "revokeToken", "Revoke a token of one's own", "POST /me/tokens/{id}/revoke"), func(a ask, in *named) error {
		return missing(a.desk.RevokeToken(a.actor, a.actor.ID, in.ID))
	})
	act(t, mine("passkeys/{id}/remove", "removePasskey", "Remove a passkey", "POST /me/passkeys/{id}/remove"), func(a ask, in *named) error { return missing(a.desk.RemovePasskey(a.actor, in.ID)) })
	act(t, mine("app/remove", "removeApp", "Remove the authenticator app", "POST /me/app/remove"), func(a ask, _ *none) error { return missing(a.desk.RemoveApp(a.actor)) })
	o = mine("recovery", "newRecovery", "Make new recovery codes, which replace the old ones", "POST /me/recovery")
	o.shown = true
	add(t, o, func(a ask, _ *none) (Codes, error) {
		codes, err := a.desk.NewRecovery(a.actor)
		return Codes{codes}, err
	})
	act(t, mine("links/{id}/remove", "unlink", "Remove an account at the provider", "POST /me/links/{id}/remove"), func(a ask, in *numbered) error {
		return missing(a.desk.Unlink(a.actor, int(min(in.ID, 1000))-1))
	})
	end := func(a ask, id string) (Ended, error) {
		n, err := a.desk.EndSession(a.actor, id, a.now)
		return Ended{n}, missing(err)
	}
	add(t, mine("sessions/end", "endSessions", "Sign out everywhere", "POST /me/sessions/end"), func(a ask, _ *none) (Ended, error) { return end(a, "") })
	add(t, mine("sessions/{id}/end", "endSession", "End one session", "POST /me/sessions/{id}/end"), func(a ask, in *named) (Ended, error) { return end(a, in.ID) })
}

func me(a ask) (Me, error) {
	if a.actor.ID == "" {
		return Me{}, mistake{"person", "say whose, as person"}
	}
	id := a.actor.ID
	c, err := a.desk.Credentials(id)
	if err != nil {
		return Me{}, err
	}
	out := Me{Person: id, Password: a.desk.HasPassword(id), App: c.App != nil, Recovery: len(c.Recovery), Passkeys: []Passkey{}, Accounts: []Account{}, Tokens: []OwnToken{}, Sessions: []Session{}}
	for _, p := range c.Passkeys {
		u := a.desk.LastUse(id, p.ID)
		out.Passkeys = append(out.Passkeys, Passkey{p.ID, p.Name, p.Made, u.At, u.Cloned})
	}
	for n, l := range c.Links {
		out.Accounts = append(out.Accounts, Account{n + 1, l.Issuer, l.Made})
	}
	for _, t := range c.Tokens {
		x := OwnToken{ID: t.ID, Name: t.Name, Scope: []string{}, Made: t.Made, Expires: t.Expires, Last: a.desk.LastUse(id, t.ID).At}
		for _, s := range t.Scope {
			x.Scope = append(x.Scope, string(s))
		}
		out.Tokens = append(out.Tokens, x)
	}
	for _, s := range a.desk.SessionsOf(id, a.now) {
		out.Sessions = append(out.Sessions, Session{s.ID, s.Device, s.Net, s.Method, s.Started, s.Seen})
	}
	return out, nil
}

// noticeOperations are those of being told of sign-ins.
func noticeOperations(t *table) {
	o := get("/notices", "listNotices", "List who is told of which sign-ins")
	o.need, o.web = auth.See, "GET /notices"
	add(t, o, func(a ask, _ *none) ([]Notice, error) {
		waits, _ := a.desk.NoticesWaiting()
		out, names, all := []Notice{}, map[int]string{}, auth.May(a.actor, auth.Team) == nil
		a.desk.ReadAs(a.actor, func(s *desk.State) {
			for n := range s.Notices.Standing(&s.Plan) {
				if n.Person != a.actor.ID && !all { // who watches whose sign-ins is theirs, and of those who keep the team
					continue
				}
				x := Notice{ID: n.ID, Person: n.Person, Channel: n.Channel, Mode: n.Mode, Realms: n.Realms, New: n.New, Hour: n.Hour, Told: n.Told, Waiting: waits[n.ID].Count}
				x.Failed = len(n.Tries) > 0 && n.Tries[len(n.Tries)-1].Failed
				if n.Vault != "" {
					names[len(out)] = n.Vault
				}
				out = append(out, x)
			}
		})
		for _, k := range slices.Sorted(maps.Keys(names)) {
			out[k].Account = a.desk.Text(names[k])
		}
		return out, nil
	})
	o = post("/notices", "askNotice", "Ask to be told of sign-ins: oneself, or others by the right team")
	o.need, o.web = auth.Ask, "POST /notices"
	act(t, o, func(a ask, in *body[noticeBody]) error {
		x := in.Body
		if x.Person == "" {
			x.Person = a.actor.ID
		}
		return a.desk.AskNotice(a.actor, entry.Notice{Person: x.Person, Channel: x.Channel, Mode: x.Mode, Realms: x.Realms, New: x.New, Hour: x.Hour}, x.Account)
	})
	on := func(path, id, sum string, do func(*desk.Desk, auth.Actor, int64) error) {
		o := post("/notices/{id}/"+path, id, sum)
		o.need, o.web = auth.Ask, "POST /notices/{id}/"+path
		act(t, o, func(a ask, in *numbered) error {
			err := error(nil)
			a.desk.ReadAs(a.actor, func(s *desk.State) { _, err = s.Notices.Get(in.ID) })
			if err != nil {
				return errMissing
			}
			return do(a.desk, a.actor, in.ID)
		})
	}
	on("remove", "endNotice", "Tell somebody no more", (*desk.Desk).EndNotice)
	on("test", "testNotice", "Send a test of a notice", (*desk.Desk).TestNotice)
}
