package entry

import "time"

// The kinds, with their bodies below. They are for ever: a body gets optional fields only.
const (
	ProgramStarted Kind = "program.started" // Started
	ClockJumped    Kind = "clock.jumped"    // Jumped
	RulesLoaded    Kind = "rules.loaded"    // Rules
	SourceSilent   Kind = "source.silent"   // Source
	SourceBack     Kind = "source.back"     // Source
	SourceAdded    Kind = "source.added"    // Source
	VaultErased    Kind = "vault.erased"    // Erased
	LinesSealed    Kind = "lines.sealed"    // Lines
	LinesJoined    Kind = "lines.joined"    // Lines
	LinesExpired   Kind = "lines.expired"   // Lines
	LinesAside     Kind = "lines.aside"     // Lines
	LinesExported  Kind = "lines.exported"  // LinesExport

	AgentInvited Kind = "agent.invited" // AgentToken
	AgentJoined  Kind = "agent.joined"  // AgentJoin
	AgentRenewed Kind = "agent.renewed" // AgentCertificate
	AgentRevoked Kind = "agent.revoked" // AgentEnd
	AgentLost    Kind = "agent.lost"    // AgentSilence
	AgentBack    Kind = "agent.back"    // AgentSilence
	AgentGap     Kind = "agent.gap"     // AgentLoss

	AlertRaised Kind = "alert.raised" // Alert
	AlertGrew   Kind = "alert.grew"   // AlertGrowth
	AlertEnded  Kind = "alert.ended"  // AlertGrowth

	IncidentOpened   Kind = "incident.opened"   // Opened
	IncidentSeverity Kind = "incident.severity" // Severity
	IncidentPhase    Kind = "incident.phase"    // Phase
	IncidentNoted    Kind = "incident.noted"    // Note
	IncidentAssigned Kind = "incident.assigned" // Assigned
	IncidentClosed   Kind = "incident.closed"   // Closed
	IncidentReopened Kind = "incident.reopened" // Reopened
	IncidentHeld     Kind = "incident.held"     // Held
	IncidentReleased Kind = "incident.released" // Held
	IncidentAttached Kind = "incident.attached" // Attached
	IncidentChannels Kind = "incident.channels" // Barred

	IncidentRoleTaken    Kind = "incident.role_taken"   // IncidentRole
	IncidentRoleGiven    Kind = "incident.role_given"   // IncidentRole
	IncidentRoleHanded   Kind = "incident.role_handed"  // IncidentRole
	IncidentRoleLeft     Kind = "incident.role_left"    // IncidentRole
	IncidentRestricted   Kind = "incident.restricted"   // Restriction
	IncidentUnrestricted Kind = "incident.unrestricted" // RestrictionEnd

	ApprovalAsked   Kind = "approval.asked"   // Approval
	ApprovalGiven   Kind = "approval.given"   // Approved
	ApprovalDenied  Kind = "approval.denied"  // Approved
	ApprovalExpired Kind = "approval.expired" // Approved
	ApprovalDone    Kind = "approval.done"    // ApprovalResult

	MuteAdded   Kind = "mute.added"   // Mute
	MuteRemoved Kind = "mute.removed" // MuteEnd

	HabitForgotten Kind = "habit.forgotten" // Unlearnt
	ListPut        Kind = "list.put"        // List
	ListAdded      Kind = "list.added"      // ListBatch
	ListRemoved    Kind = "list.removed"    // ListCut

	PersonPut      Kind = "person.put"      // Person
	PersonPassword Kind = "person.password" // Password
	PersonInvited  Kind = "person.invited"  // Invitation
	PolicyPut      Kind = "policy.put"      // Policy
	PolicyEnded    Kind = "policy.ended"    // PolicyEnd
	PolicyChosen   Kind = "policy.chosen"   // PolicyTable
	PersonWays     Kind = "person.ways"     // Ways
	PersonPIN      Kind = "person.pin"      // PIN
	KeyPut         Kind = "key.put"         // Key
	KeyConfirmed   Kind = "key.confirmed"   // KeyCheck
	KeyRemoved     Kind = "key.removed"     // KeyEnd
	MailKeyMade    Kind = "mailkey.made"    // MailKey
	MailKeyRevoked Kind = "mailkey.revoked" // MailKeyEnd
	SignedIn       Kind = "signin.accepted" // Signin
	SigninRefused  Kind = "signin.refused"  // Refusals

	CredentialAdded   Kind = "credential.added"   // Credential
	CredentialRemoved Kind = "credential.removed" // Credential
	TokenMade         Kind = "token.made"         // Token
	TokenRevoked      Kind = "token.revoked"      // Token
	SessionRevoked    Kind = "session.revoked"    // SessionEnd
	GlassMade         Kind = "breakglass.made"    // Glass
	GlassUsed         Kind = "breakglass.used"    // GlassUse

	CallOpened   Kind = "call.opened"   // Call
	CallJoined   Kind = "call.joined"   // CallJoin
	CallWanted   Kind = "call.wanted"   // CallTry
	CallSent     Kind = "call.sent"     // CallResult
	CallFailed   Kind = "call.failed"   // CallResult
	CallAnswered Kind = "call.answered" // Answer
	CallEnded    Kind = "call.ended"    // CallEnd
	CallStepped  Kind = "call.stepped"  // CallStep
	CallPutOff   Kind = "call.held"     // CallHeld
	CallTaken    Kind = "call.taken"    // Answer, one of several that a step wants
	CallPassed   Kind = "call.passed"   // CallPass
	CallSnoozed  Kind = "call.snoozed"  // CallSnooze
	CallResumed  Kind = "call.resumed"  // CallAgain

	MaintenancePut   Kind = "maintenance.put"   // Maintenance
	MaintenanceEnded Kind = "maintenance.ended" // MaintenanceEnd

	BeatLost Kind = "beat.lost" // BeatSilence
	BeatBack Kind = "beat.back" // BeatSilence

	NoticeAsked  Kind = "notice.asked"  // Notice
	NoticeEnded  Kind = "notice.ended"  // NoticeEnd
	NoticeWanted Kind = "notice.wanted" // NoticeTry
	NoticeSent   Kind = "notice.sent"   // NoticeResult
	NoticeFailed Kind = "notice.failed" // NoticeResult

	SchedulePut        Kind = "schedule.put"            // Schedule
	ScheduleEnded      Kind = "schedule.ended"          // ScheduleEnd
	ScheduleOverridden Kind = "schedule.overridden"     // Override
	OverrideEnded      Kind = "schedule.override_ended" // OverrideEnd
	PersonAbsent       Kind = "person.absent"           // Absence
	PersonBack         Kind = "person.back"             // AbsenceEnd
	CalendarRenewed    Kind = "calendar.renewed"        // Calendar

	WebhookBegun  Kind = "webhook.begun"  // Webhook: the settings have it, and did not before
	WebhookFailed Kind = "webhook.failed" // Webhook: it takes nothing
	WebhookBack   Kind = "webhook.back"   // Webhook: it takes what it is told again
	WebhookOff    Kind = "webhook.off"    // Webhook: it took nothing for so long that it is told nothing more
	WebhookEnded  Kind = "webhook.ended"  // Webhook: the settings have it no more
)

// Started says that the program began to work on this ledger.
type Started struct {
	Version    string `json:"version"`
	Sample     bool   `json:"sample,omitempty"`
	CutBytes   int64  `json:"cut_bytes,omitempty"`   // of a torn, never acknowledged tail that was set aside
	CutEntries int64  `json:"cut_entries,omitempty"` // whole entries in it
}

// Jumped says that the wall clock moved by more than a minute against the machine's steady clock.
type Jumped struct {
	By time.Duration `json:"by_ns"` // forward is positive
}

// Rules says which rules detection began to use.
type Rules struct {
	Hash    string `json:"hash"`
	Loaded  int    `json:"loaded"`
	Refused int    `json:"refused,omitempty"`
	Kept    int    `json:"kept,omitempty"`  // that are broken in the files, so that the last good ones are used
	Fresh   int    `json:"fresh,omitempty"` // that are new or changed since the last were loaded
	Gone    int    `json:"gone,omitempty"`  // that are not there any more
}

// Source says that a watched source spoke for the first time, fell silent or spoke again. Its path is in the vault: names of files can name people.
type Source struct {
	Hash  string        `json:"hash"` // keyed hash of the path
	Vault string        `json:"vault"`
	Since time.Time     `json:"since"` // when its last line came
	Limit time.Duration `json:"limit_ns,omitempty"`
	Agent string        `json:"agent,omitempty"` // id of the agent that tells of it; "" is this host
}

// AgentToken says that a token was made which lets one agent join. Its secret is nowhere here.
type AgentToken struct {
	Hash    string    `json:"hash"`           // SHA-256 of the secret, in hex
	Name    string    `json:"name,omitempty"` // that the agent gets; without one it names itself
	Expires time.Time `json:"expires"`
}

// AgentJoin says that an agent joined and spent its token.
type AgentJoin struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`    // host of its lines
	Token   string    `json:"token"`   // AgentToken.Hash
	From    string    `json:"from"`    // vault object with the address from which it came
	Key     string    `json:"key"`     // SHA-256 of its public key (PKIX, DER), in hex
	Expires time.Time `json:"expires"` // of its certificate
}

// AgentCertificate says that an agent got its next certificate.
type AgentCertificate struct {
	ID      string    `json:"id"`
	Key     string    `json:"key"`
	Expires time.Time `json:"expires"`
}

// AgentEnd says that an agent is not heard any more. Who decided it is the entry's actor.
type AgentEnd struct {
	ID   string `json:"id"`
	Text string `json:"text,omitempty"` // vault object with the reason
}

// AgentSilence says that an agent is not heard of, or is again.
type AgentSilence struct {
	ID    string        `json:"id"`
	Since time.Time     `json:"since"` // when it was heard of last
	Limit time.Duration `json:"limit_ns"`
}

// AgentLoss says that lines of a host are lost, as its agent tells.
type AgentLoss struct {
	ID    string    `json:"id"`
	Hash  string    `json:"hash"`  // keyed hash of what the vault object says
	Vault string    `json:"vault"` // object with the file and the exact bounds (record.Gap as JSON)
	Since time.Time `json:"since"` // the loss fell between these times
	Until time.Time `json:"until"`
}

// Lines says what became of kept lines: sealed in volumes, volumes joined, expired, or set aside because they are damaged.
type Lines struct {
	Through int64    `json:"through,omitempty"` // of sealed: lines up to this number are in volumes now, or were
	Came    []Volume `json:"came,omitempty"`
	Gone    []string `json:"gone,omitempty"` // names of volumes
	Why     string   `json:"why,omitempty"`  // of aside, and of joined when the entry is late
}

// A Volume is lines of one source and hour, on the shelf: two files, each with its SHA-256 in hex.
type Volume struct {
	Name    string `json:"name"`
	Rows    int    `json:"rows"`
	First   int64  `json:"first"`
	Last    int64  `json:"last"`
	Lines   string `json:"lines"`
	Columns string `json:"columns"`
}

// LinesExport says that lines were handed out as evidence. Who did is the entry's actor.
type LinesExport struct {
	Query    string `json:"query"` // vault object with the query, its times absolute
	Lines    int64  `json:"lines"`
	Bytes    int64  `json:"bytes"`    // of these lines
	Manifest string `json:"manifest"` // SHA-256 of the export's manifest, in hex
}

// Erased names vault objects whose keys were destroyed.
type Erased struct {
	IDs  []string `json:"ids"`
	Text string   `json:"text,omitempty"` // vault object with the reason
}

// A Party is an address or account, as keyed hashes.
type Party struct {
	Hash    string `json:"hash"`
	Net     string `json:"net,omitempty"` // of an address: keyed hash of its /24 or /64
	Role    string `json:"role"`          // suspect, victim
	Realm   string `json:"realm,omitempty"`
	Country string `json:"country,omitempty"`
	Own     bool   `json:"own,omitempty"`
	Shared  bool   `json:"shared,omitempty"`
}

// Alert is an alert when it was raised. Addresses, accounts and sample lines are in the vault object.
type Alert struct {
	ID          string    `json:"id"`
	Rule        string    `json:"rule"`
	RuleVersion string    `json:"rule_version"`
	Title       string    `json:"title"` // the rule's, which holds no personal data
	Level       string    `json:"level"`
	Impact      string    `json:"impact"`
	First       time.Time `json:"first"`
	Last        time.Time `json:"last"`
	Raised      time.Time `json:"raised"` // record time of the record that completed it
	Seq         int64     `json:"seq"`    // archive number of that record; 0 when no line did
	Count       int64     `json:"count"`
	Bytes       int64     `json:"bytes,omitempty"`
	Succeeded   bool      `json:"succeeded,omitempty"`
	Sources     []Party   `json:"sources,omitempty"`
	Accounts    []Party   `json:"accounts,omitempty"`
	Sessions    []string  `json:"sessions,omitempty"`
	Vault       string    `json:"vault"`
	History     bool      `json:"history,omitempty"` // older than the start of watching: rings nobody
	Sample      bool      `json:"sample,omitempty"`
	Incident    int64     `json:"incident,omitempty"`   // the incident that it opened or joined; 0 is none
	By          string    `json:"by,omitempty"`         // why so: opened, address, session, account, network, wave, technique, low, muted
	Mute        int64     `json:"mute,omitempty"`       // the mute that silenced it
	Techniques  []string  `json:"techniques,omitempty"` // of ATT&CK, as the rule's tags name them: attack.t1190
	Everyone    bool      `json:"everyone,omitempty"`   // it opens an incident of its own, for which everyone is rung at once
}

// AlertGrowth is a later state of an alert. Empty fields mean: as before.
type AlertGrowth struct {
	ID        string    `json:"id"`
	Step      string    `json:"step"` // tenfold, level, joined, ended
	Level     string    `json:"level,omitempty"`
	Impact    string    `json:"impact,omitempty"`
	Last      time.Time `json:"last"`
	Count     int64     `json:"count"`
	Bytes     int64     `json:"bytes,omitempty"`
	Succeeded bool      `json:"succeeded,omitempty"`
	Sources   []Party   `json:"sources,omitempty"`
	Accounts  []Party   `json:"accounts,omitempty"`
	Sessions  []string  `json:"sessions,omitempty"`
	Vault     string    `json:"vault,omitempty"`
	Live      bool      `json:"live,omitempty"`     // it was history, and goes on after the start of watching
	Incident  int64     `json:"incident,omitempty"` // set when it joined or opened one only now
	By        string    `json:"by,omitempty"`
}

// Opened is a new incident.
type Opened struct {
	ID       int64     `json:"id"`
	Title    string    `json:"title"`
	Severity string    `json:"severity"` // low, medium, high, critical
	Why      []string  `json:"why"`      // reasons, as codes of package incident
	Happened time.Time `json:"happened"` // when what it is about began
	History  bool      `json:"history,omitempty"`
	Sample   bool      `json:"sample,omitempty"`
	Everyone bool      `json:"everyone,omitempty"` // is rung at once, whatever the policy
}

// Severity is a changed severity.
type Severity struct {
	ID   int64    `json:"id"`
	From string   `json:"from"`
	To   string   `json:"to"`
	Why  []string `json:"why,omitempty"`  // of the program
	Text string   `json:"text,omitempty"` // vault object with a person's reason
}

// Phase is a changed phase: identification, containment, eradication, recovery, lessons.
type Phase struct {
	ID   int64  `json:"id"`
	From string `json:"from"`
	To   string `json:"to"`
}

// Note is what a person wrote down.
type Note struct {
	ID       int64     `json:"id"`
	Text     string    `json:"text"`              // vault object
	Happened time.Time `json:"happened,omitzero"` // when what it tells happened, if it says
	Learned  time.Time `json:"learned,omitzero"`  // when we learned it, if that was before it was written
	Role     string    `json:"role,omitempty"`    // whose work it is about
}

// Assigned gives an incident to a person; "" takes it away.
type Assigned struct {
	ID     int64  `json:"id"`
	Person string `json:"person"`
}

// Closed ends work on an incident.
type Closed struct {
	ID      int64  `json:"id"`
	Verdict string `json:"verdict"` // true, false: whether the alarm was
	Text    string `json:"text"`    // vault object with the reason

	Lacking []string `json:"lacking,omitempty"` // cause, lessons, verdict: what is not written, or says otherwise
	Excuse  string   `json:"excuse,omitempty"`  // vault object: why not
}

// Reopened resumes it.
type Reopened struct {
	ID   int64  `json:"id"`
	Text string `json:"text,omitempty"`
}

// Held says that the lines of an incident are kept beyond their time, or no longer.
type Held struct {
	ID   int64  `json:"id"`
	Text string `json:"text,omitempty"` // vault object with the reason
}

// Attached says that kept lines are part of an incident. Which ones, with the SHA-256 of each, stands in the vault object: doc/formats/ledger.md.
type Attached struct {
	ID    int64  `json:"id"`
	Lines int    `json:"lines"` // how many
	First int64  `json:"first"` // the least of their numbers
	Last  int64  `json:"last"`  // and the greatest
	Vault string `json:"vault"`
	Hash  string `json:"hash"` // keyed hash of that object
}

// Mute keeps alerts from opening incidents and ringing, until a time: those of a rule, of an address, of a network, of an account,
// or of what several of these say together.
type Mute struct {
	ID      int64     `json:"id"`
	Rule    string    `json:"rule"`              // "" is every rule
	Address string    `json:"address,omitempty"` // keyed hash; "" is every address
	Until   time.Time `json:"until"`
	Vault   string    `json:"vault"`             // address, network or account, and the reason
	Network string    `json:"network,omitempty"` // keyed hash of the network, in place of an address
	Bits    int       `json:"bits,omitempty"`    // how long the network's prefix is
	Account string    `json:"account,omitempty"` // keyed hash of the name, whatever the realm; "" is every account

	Incident int64 `json:"incident,omitempty"` // the false alarm for which it was made, whose words it has; 0 is none
}

// MuteEnd ends a mute before its time.
type MuteEnd struct {
	ID int64 `json:"id"`
}

// Unlearnt says that what is normal for an account was forgotten, to be learnt anew.
type Unlearnt struct {
	Hash  string `json:"hash"` // keyed hash of the account
	Realm string `json:"realm,omitempty"`
	Seq   int64  `json:"seq"`   // archive number of the last line that it had been learnt from
	Vault string `json:"vault"` // the account and the reason
}

// List is a watch list, as from now on.
type List struct {
	ID    int64  `json:"id"`
	Level string `json:"level"` // of its alerts: low, medium, high
	Vault string `json:"vault"` // its name and what it is for
	Gone  bool   `json:"gone,omitempty"`
}

// ListBatch puts values on a watch list.
type ListBatch struct {
	List    int64  `json:"list"`
	Count   int    `json:"count"`
	Refused int    `json:"refused,omitempty"` // parts of an imported file that could not be taken
	Vault   string `json:"vault"`             // the values, with their times and notes
}

// ListCut takes values off a watch list.
type ListCut struct {
	List   int64    `json:"list"`
	Hashes []string `json:"hashes"` // keyed hashes of kind and value
}

// Person is a member of the team, as from now on.
type Person struct {
	ID       string   `json:"id"`
	Roles    []string `json:"roles"`
	Channels []string `json:"channels,omitempty"` // mail, webhook: those that the vault object has an address for
	Vault    string   `json:"vault"`              // name, mail address, webhook, zone
	Gone     bool     `json:"gone,omitempty"`     // no longer rung, may not sign in
	Moved    []string `json:"moved,omitempty"`    // channels of which the address changed; "sealing" if the choice of mail without a key did
}

// Password says that a person's password changed.
type Password struct {
	ID    string `json:"id"`
	Vault string `json:"vault"` // the argon2id string
}

// Policy says who is rung in which order.
type Policy struct {
	Steps    []PolicyStep  `json:"steps"`
	Rounds   int           `json:"rounds"`              // how often the steps are gone through before the last one repeats
	Every    time.Duration `json:"every_ns"`            // between repeats of the last step
	Throttle time.Duration `json:"throttle_ns"`         // at least so long between new calls; incidents in between wait and share one; 0 is off
	Medium   bool          `json:"medium,omitempty"`    // ring for Medium too
	ID       string        `json:"id,omitempty"`        // "" is the default one, which counts where no other is chosen
	Attend   time.Duration `json:"attend_ns,omitempty"` // after an answer without a sign of work for so long, it rings again; 0 is never
}

// PolicyStep rings some people at once.
type PolicyStep struct {
	Who     []string      `json:"who"`               // person ids, "role:commander", "schedule:web", "chat:ops", "everyone"
	By      []string      `json:"by,omitempty"`      // mail, webhook, console, ...; none is every channel that a person has
	Wait    time.Duration `json:"wait_ns"`           // for an answer, before the next step
	Answers int           `json:"answers,omitempty"` // how many people must answer; 0 is one
}

// Signin is a person who signed in.
type Signin struct {
	ID      string   `json:"id"`
	Net     string   `json:"net,omitempty"`
	Method  string   `json:"method,omitempty"`  // password, password+code, password+recovery, passkey, oidc, breakglass
	Session string   `json:"session,omitempty"` // its name, by which it can be revoked
	Roles   []string `json:"roles,omitempty"`   // that a provider's groups gave it, in place of the plan's
	Cloned  bool     `json:"cloned,omitempty"`  // the passkey's counter did not grow: somebody may have a copy of it
}

// Refusals are refused sign-ins from one network in one hour, told at the first and at each tenfold.
type Refusals struct {
	Net   string    `json:"net"`
	Hour  time.Time `json:"hour"`
	Count int64     `json:"count"`
}

// Call begins to ring for incidents, or for a test.
type Call struct {
	ID        int64   `json:"id"`
	Incidents []int64 `json:"incidents,omitempty"`
	Severity  string  `json:"severity,omitempty"`
	Test      bool    `json:"test,omitempty"`
	Person    string  `json:"person,omitempty"`  // whom a test rings
	Channel   string  `json:"channel,omitempty"` // and how
	Policy    string  `json:"policy,omitempty"`  // the policy's name, "default" of the one without
	Why       string  `json:"why,omitempty"`     // why it rings when not for something new: unattended, maintenance, late; of a test: monthly
	Before    int64   `json:"before,omitempty"`  // of unattended: the call that was answered

	Who  []string `json:"who,omitempty"`  // of late: staff ids, or role:analyst; they are rung in place of the policy's steps
	Run  int64    `json:"run,omitempty"`  // of late: the run of a playbook,
	Late string   `json:"late,omitempty"` // and its step
}

// CallJoin adds an incident to a call that still rings.
type CallJoin struct {
	ID       int64 `json:"id"`
	Incident int64 `json:"incident"`
}

// CallTry is the intent to ring one person on one channel, written before the act.
type CallTry struct {
	ID      int64  `json:"id"`
	Try     int    `json:"try"`  // from 1, over the whole call
	Step    int    `json:"step"` // from 0, over all rounds
	Person  string `json:"person,omitempty"`
	Channel string `json:"channel"`
	Message string `json:"message"`         // Message-ID, the same in every repeat of this try
	Again   int    `json:"again,omitempty"` // the failed try that this one repeats
	Twice   bool   `json:"twice,omitempty"` // the repeated one may have reached its goal all the same
	Ring    int    `json:"ring,omitempty"`  // number of the ring in the call that this does; 0 of a test, and of old calls
}

// CallResult is what became of a try.
type CallResult struct {
	ID        int64         `json:"id"`
	Try       int           `json:"try"`
	Twice     bool          `json:"twice,omitempty"`     // the program had stopped between act and entry: possibly sent twice
	Temporary bool          `json:"temporary,omitempty"` // of a failure: worth another try
	Uncertain bool          `json:"uncertain,omitempty"` // of a failure: it broke off when the other side may already have had the message
	After     time.Duration `json:"after_ns,omitempty"`  // the other side asked to wait so long
	Text      string        `json:"text,omitempty"`      // vault object: the other side's words
	Why       string        `json:"why,omitempty"`       // of a failure of our own making: barred
	Form      string        `json:"form,omitempty"`      // how it was protected: openpgp, smime, signed, clear; of a call "end to end", "to the provider"
	Less      bool          `json:"less,omitempty"`      // it had less protection, or fewer details, than was asked for; Text says why
}

// Answer ends the ringing.
type Answer struct {
	ID     int64  `json:"id"`
	Person string `json:"person,omitempty"` // "" when the local command line did not say
	Via    string `json:"via"`              // link, console, command, voice, chat, ...
}

// CallEnd ends a call that nobody needs any more.
type CallEnd struct {
	ID  int64  `json:"id"`
	Why string `json:"why"` // closed, lowered, tested, apart (its incidents were restricted, or are no longer, and have calls of their own)
}
