package entry

import "time"

// Webhook is a change of what another program, that the settings name, is told. Deliveries are not entries: what is behind Through is told
// again when nothing later is known.
type Webhook struct {
	Hook    string    `json:"hook"`            // its name in the settings
	Through int64     `json:"through"`         // it took all that it was to be told up to this entry
	Since   time.Time `json:"since,omitzero"`  // of failed, back and off: since when it took nothing
	Tries   int       `json:"tries,omitempty"` // of failed and off: how often it was tried meanwhile
	Text    string    `json:"text,omitempty"`  // of failed and off: vault object with the last reason
}
