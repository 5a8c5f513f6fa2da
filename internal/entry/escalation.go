package entry

import "time"

// PolicyEnd says that a named policy is not to be chosen any more. Calls that began with it go on with it.
type PolicyEnd struct {
	ID string `json:"id"`
}

// PolicyTable says which policy rings for which severity, as from now on. A severity that it does not name has the default one.
type PolicyTable struct {
	By map[string]string `json:"by"` // severity to policy id; "" is the default one
}

// Ways says by which channels a person is rung, in which order, as from now on. Without rules it is every channel at once.
type Ways struct {
	ID    string `json:"id"` // of the person
	Rules []Way  `json:"rules,omitempty"`
	Quiet *Hours `json:"quiet,omitempty"` // when only Critical rings
	Zone  string `json:"zone,omitempty"`  // of IANA, in which hours are meant; "" is UTC
}

// A Way is one rule of a person: by which channel, how long after a step called for them.
type Way struct {
	Channel    string        `json:"channel"`
	After      time.Duration `json:"after_ns,omitempty"`
	Severities []string      `json:"severities,omitempty"` // none is every one
	Hours      *Hours        `json:"hours,omitempty"`      // nil is always
}

// Hours are a part of each day, "22:00" to "07:00", by the clocks of a zone. From is in it, Until is not.
type Hours struct {
	From  string `json:"from"`
	Until string `json:"until"`
}

// Maintenance is a time in which new incidents of some severities do not ring. Those that are open at its end ring then.
type Maintenance struct {
	ID         int64     `json:"id"`
	From       time.Time `json:"from"`
	Until      time.Time `json:"until"`
	Severities []string  `json:"severities"`     // medium, high; never critical
	Text       string    `json:"text,omitempty"` // vault object: what is done, and why
}

// MaintenanceEnd ends a maintenance window before its time.
type MaintenanceEnd struct {
	ID int64 `json:"id"`
}

// Barred says which channels must not be used for an incident, as from now on: one of them may be what is attacked.
type Barred struct {
	ID   int64    `json:"id"`
	Not  []string `json:"not"`            // channels, or kinds of them: "mail", "chat", "chat:ops"; none lifts it
	Text string   `json:"text,omitempty"` // vault object with the reason
}

// CallStep begins a step of a call: whom it rings by what and when, and whom it could not ring, as was found then.
type CallStep struct {
	ID    int64      `json:"id"`
	Step  int        `json:"step"`            // from 0, over all rounds and returns
	Why   string     `json:"why,omitempty"`   // first, due, passed, unheard (the one before rang nobody), again
	Rings []CallRing `json:"rings,omitempty"` // numbered over the whole call, from 1
	Left  []CallSkip `json:"left,omitempty"`
	Empty bool       `json:"empty,omitempty"` // it rings nobody but the console now
}

// CallRing is one person on one channel. Person "" is the console, or a chat.
type CallRing struct {
	Person  string    `json:"person,omitempty"`
	Channel string    `json:"channel"`
	Due     time.Time `json:"due,omitzero"`   // zero is at once
	Why     string    `json:"why,omitempty"`  // why it is not at once, or not by the person's own rules: rule, quiet, loud, norule, instead
	Ring    int       `json:"ring,omitempty"` // of instead: the ring that was held back
}

// CallSkip is whom a step names and does not ring.
type CallSkip struct {
	Target  string `json:"target,omitempty"` // as the policy names it, when all of it is left out
	Person  string `json:"person,omitempty"`
	Channel string `json:"channel,omitempty"` // "" is every one
	Why     string `json:"why"`               // nobody, gone, unknown, unreachable, barred, hours, waits, taken
}

// CallHeld says that a ring was held back when it was due.
type CallHeld struct {
	ID          int64     `json:"id,omitempty"`          // the call; 0 is an incident that does not ring yet
	Ring        int       `json:"ring,omitempty"`        // its number in the call
	Why         string    `json:"why"`                   // throttle, barred, gone, unreachable, taken, maintenance
	Until       time.Time `json:"until,omitzero"`        // when it is looked at again; zero is never
	Instead     string    `json:"instead,omitempty"`     // the channel that is used in its place
	Incident    int64     `json:"incident,omitempty"`    // of maintenance
	Maintenance int64     `json:"maintenance,omitempty"` // the window
}

// CallPass says that somebody cannot, and that the next step is to ring at once.
type CallPass struct {
	ID     int64  `json:"id"`
	Step   int    `json:"step"` // that rang then
	Person string `json:"person,omitempty"`
	Via    string `json:"via"`
}

// CallSnooze keeps a call quiet until a time. Then it rings again.
type CallSnooze struct {
	ID     int64     `json:"id"`
	Person string    `json:"person,omitempty"`
	Via    string    `json:"via"`
	Until  time.Time `json:"until"`
}

// CallAgain says that a call that was quiet rings from its first step.
type CallAgain struct {
	ID  int64  `json:"id"`
	Why string `json:"why"` // snoozed, worse
}

// BeatSilence says that another Tocsin is not heard of, or is again.
type BeatSilence struct {
	ID    string        `json:"id"` // as the settings name it
	Since time.Time     `json:"since"`
	Limit time.Duration `json:"limit_ns"`
}
