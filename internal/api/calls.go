package api

import (
	"slices"
	"time"

	"tocsin/internal/auth"
	"tocsin/internal/client"
	"tocsin/internal/desk"
	"tocsin/internal/oncall"
)

type (
	// A CallPath names a call.
	CallPath struct {
		Call string `path:"call" maxLength:"20" doc:"its number, or ringing: the one that rings longest"`
	}
	callSnooze struct {
		CallPath
		Body client.Snoozing
	}
	// A Call pages people until somebody answers.
	Call struct {
		ID        int64     `json:"id"`
		Incidents []int64   `json:"incidents,omitempty"`
		Severity  string    `json:"severity,omitempty"`
		Test      bool      `json:"test,omitempty"`
		Person    string    `json:"person,omitempty" doc:"whom a test rings"`
		Channel   string    `json:"channel,omitempty" doc:"and how"`
		Policy    string    `json:"policy,omitempty"`
		Opened    time.Time `json:"opened"`
		Rings     bool      `json:"rings,omitempty"`
		Rests     time.Time `json:"rests_until,omitzero" doc:"it is snoozed until then"`
		Step      int       `json:"step,omitempty" doc:"of the policy, from 1, counted over all rounds"`
		Answered  string    `json:"answered,omitempty" doc:"staff id of who answered"`
		Via       string    `json:"via,omitempty"`
		Ended     string    `json:"ended,omitempty" doc:"why it ended without an answer"`
		At        time.Time `json:"at,omitzero" doc:"when it was answered or ended"`
		Tries     []Try     `json:"tries"`
	}
	// A Try is one person rung on one channel.
	Try struct {
		Try     int       `json:"try"`
		Person  string    `json:"person,omitempty"`
		Channel string    `json:"channel"`
		Wanted  time.Time `json:"wanted"`
		Done    time.Time `json:"done,omitzero"`
		Failed  bool      `json:"failed,omitempty"`
		Twice   bool      `json:"twice,omitempty" doc:"a crash fell between the act and its entry: it was possibly sent twice"`
		Says    string    `json:"says,omitempty" doc:"what the far side said"`
	}
	// Calls are some of them, newest first.
	Calls struct {
		Calls []Call `json:"calls"`
		All   int    `json:"all"`
	}
)

// callOperations are those of calls.
func callOperations(t *table) {
	o := get("/calls", "listCalls", "List calls, newest first")
	o.need, o.web = auth.See, "GET /calls"
	add(t, o, func(a ask, in *ListQuery) (Calls, error) {
		out := Calls{Calls: []Call{}}
		a.desk.ReadAs(a.actor, func(st *desk.State) {
			list := slices.Clone(st.Calls.Calls)
			slices.Reverse(list)
			out.All = len(list)
			for _, c := range part(list, *in) {
				out.Calls = append(out.Calls, callOf(c))
			}
		})
		return out, nil
	})
	o = get("/calls/{call}", "getCall", "Show a call with everybody who was rung")
	o.need, o.web = auth.See, "GET /calls/{id}"
	add(t, o, func(a ask, in *CallPath) (out Call, err error) {
		id, err := pick(a, in.Call)
		if err != nil {
			return out, err
		}
		var tries []oncall.Try
		a.desk.ReadAs(a.actor, func(st *desk.State) {
			c, e := st.Calls.Get(id)
			if err = e; err == nil {
				out, tries = callOf(c), slices.Clone(c.Tries)
			}
		})
		if err != nil {
			return out, errMissing
		}
		for k, x := range tries { // outside of Read: their words lie in the vault
			out.Tries[k].Says = a.desk.Text(x.Result.Text)
		}
		return out, nil
	})
	press := func(path, id, sum string, do func(a ask, call int64) error) {
		o := post("/calls/{call}/"+path, id, sum)
		o.need, o.web = auth.Ring, "POST /calls/{id}/"+path
		add(t, o, func(a ask, in *CallPath) (client.Answered, error) {
			call, err := pick(a, in.Call)
			if err == nil {
				err = do(a, call)
			}
			return client.Answered{Call: call}, err
		})
	}
	press("answer", "answerCall", "Answer a call, which stops it", func(a ask, call int64) error { return a.desk.Answer(a.actor, call, a.via) })
	press("pass", "passCall", "Pass a call on: the next step rings at once", func(a ask, call int64) error { return a.desk.PassOn(a.actor, call, a.via) })
	o = post("/calls/{call}/snooze", "snoozeCall", "Keep a call quiet for a while")
	o.need, o.web = auth.Ring, "POST /calls/{id}/snooze"
	add(t, o, func(a ask, in *callSnooze) (client.Answered, error) {
		call, err := pick(a, in.Call)
		if err == nil {
			err = a.desk.Snooze(a.actor, call, a.via, in.Body.Lasts)
		}
		return client.Answered{Call: call}, err
	})
}

func callOf(c *oncall.Call) Call {
	x := Call{ID: c.ID, Incidents: slices.Clone(c.Incidents), Severity: c.Severity, Test: c.Test, Person: c.Person, Channel: c.Channel, Policy: c.Call.Policy, Opened: c.Opened, Rings: c.Rings(),
		Step: c.Step + 1, Answered: c.Answered.Person, Via: c.Answered.Via, Ended: c.Ended, At: c.At, Tries: []Try{}}
	if r, rests := c.Resting(); rests {
		x.Rests = r.Until
	}
	for _, t := range c.Tries {
		x.Tries = append(x.Tries, Try{Try: t.CallTry.Try, Person: t.Person, Channel: t.Channel, Wanted: t.Wanted, Done: t.Done, Failed: t.Failed, Twice: t.CallTry.Twice || t.Result.Twice})
	}
	return x
}
