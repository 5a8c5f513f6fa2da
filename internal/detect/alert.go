// Package detect reads records one after the other and says which alerts they make: rules over time.
//
// It decides and touches nothing: no clock (windows use the records' own time), no chance, no file. The same records
// in the same order give the same alerts with the same ids, whatever the batches were. Its whole state is one
// snapshot, which the desk keeps together with the archive position up to which records were read.
package detect

import "time"

// A Role says on which side of an attack a party is.
type Role string

const (
	Suspect Role = "suspect" // did it: joins incidents
	Victim  Role = "victim"  // it was done to them
)

// An Impact is what had happened when a rule matches. Severity is proposed from it (package incident).
type Impact string

const (
	Attempt    Impact = "attempt"    // tried; nothing says that it worked
	Compromise Impact = "compromise" // something of ours now obeys them: an account, a file, a process
	Loss       Impact = "loss"       // money or personal data is going, or will be at once
)

// A Party is an address or an account in an alert.
type Party struct {
	Name    string `json:"name"` // the address, or the account as the log wrote it
	Role    Role   `json:"role"`
	Country string `json:"country,omitempty"` // of an address
	Realm   string `json:"realm,omitempty"`   // of an account: customer, admin, ssh, ftp, system, database
	Own     bool   `json:"own,omitempty"`     // an address of the shop's own networks
	Shared  bool   `json:"shared,omitempty"`  // an address that many customers use (carrier NAT, office): never joins incidents
	Count   int64  `json:"count"`             // records of the alert that name it
}

// An Alert is records that matched one rule with one group key, counted. A storm is one alert.
type Alert struct {
	ID          string    `json:"id"` // 32 hex digits: SHA-256 of rule version, group key and Seq of the first record, cut
	Rule        string    `json:"rule"`
	RuleVersion string    `json:"rule_version"` // 16 hex digits: SHA-256 of the rule's text, cut
	Title       string    `json:"title"`
	Level       string    `json:"level"` // informational, low, medium, high, critical
	Author      string    `json:"author,omitempty"`
	Tags        []string  `json:"tags,omitempty"`
	Impact      Impact    `json:"impact"`
	Group       []string  `json:"group,omitempty"` // the values that the rule groups by
	First       time.Time `json:"first"`           // record time of the first record
	Last        time.Time `json:"last"`
	Raised      time.Time `json:"raised"` // record time of the record that completed it
	FirstSeq    int64     `json:"first_seq"`
	RaisedSeq   int64     `json:"raised_seq"` // archive number of the record that completed it
	LastSeq     int64     `json:"last_seq"`
	Count       int64     `json:"count"`
	Sources     []Party   `json:"sources,omitempty"`  // at most MaxParties, in order of first sight
	Accounts    []Party   `json:"accounts,omitempty"` // likewise
	Sessions    []string  `json:"sessions,omitempty"` // likewise
	Dropped     int64     `json:"dropped,omitempty"`  // sightings of parties beyond MaxParties, which are not named
	Logs        []string  `json:"logs,omitempty"`     // base names of the files
	Hosts       []string  `json:"hosts,omitempty"`
	Samples     []string  `json:"samples,omitempty"`   // at most MaxSamples raw lines, each at most MaxSample bytes
	Bytes       int64     `json:"bytes,omitempty"`     // moved by downloads, uploads and exports in it
	Succeeded   bool      `json:"succeeded,omitempty"` // a record with event.outcome success came behind one with failure: one of the tries worked
	Past        bool      `json:"past,omitempty"`      // each record that completed it was there before its log was watched
	Ended       bool      `json:"ended,omitempty"`
	Why         string    `json:"why,omitempty"` // of a rule that reads habits: what is not normal, in words ("first sign-in of anna (ssh) from Indonesia; ...")
}

const (
	MaxParties = 500
	MaxSamples = 5
	MaxSample  = 2000
)

// A Step says why the desk is told of an alert. The desk writes an entry for each, and no others.
type Step string

const (
	Raised  Step = "raised"
	Tenfold Step = "tenfold" // the count reached ten times that of the last entry
	Level   Step = "level"   // the level or impact rose, or Succeeded became true
	Joined  Step = "joined"  // an address or account was seen that the last entry did not have (at most at 2, 4, 8, ... of them)
	Ended   Step = "ended"   // quiet for its window
)

// A Change is one thing to tell the desk. Alert is a copy as of then.
type Change struct {
	Step  Step
	Alert Alert
}
