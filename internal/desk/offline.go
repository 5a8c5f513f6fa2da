package desk

import (
	"errors"
	"log/slog"

	"tocsin/internal/detect"
)

// OpenOffline opens the stores of a folder on which no server works, for a command on what the ledger decides: nothing is watched,
// read or rung, and the ledger gets no entry but the command's. The caller holds the folder's lock, and closes the desk.
func OpenOffline(log *slog.Logger, o Options) (*Desk, error) {
	d := &Desk{log: log, o: o, state: newState(), changed: newBroadcast(), owing: make(chan struct{}, 1), offline: true, seeking: newSlots(seekers), exporting: newSlots(downloads), following: newSlots(followers), bringing: newSlots(uploads)}
	d.alarm = newAlarm(d)
	d.state.Runs.Text = d.readRevision
	if o.Rules == nil {
		o.Rules = &detect.Rules{}
	}
	d.rules.Store(&RuleSet{Rules: o.Rules, Refused: o.Refused, Warned: o.Warned})
	if _, err := d.openStores(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	d.eraseAgain()
	d.relist()
	return d, nil
}
