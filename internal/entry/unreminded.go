package entry

// TaskUnreminded says that a reminder of a task reached not everybody whom it was for: those who are named are reminded once more, soon, unless it says why that is in vain.
const TaskUnreminded Kind = "task.unreminded" // Unreminded

// Unreachable is why a reminder is not tried again soon.
const Unreachable = "unreachable"

// Unreminded is a reminder that was not sent.
type Unreminded struct {
	Incident int64    `json:"incident"`
	ID       int64    `json:"id"`
	N        int64    `json:"n"`             // number of the reminder's entry
	People   []string `json:"people"`        // who was not reached; none: there was nobody whom it was for
	Why      string   `json:"why,omitempty"` // "" it failed; unreachable: none of them has an address by which they may be told
}
