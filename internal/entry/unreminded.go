package entry

// TaskUnreminded says that a reminder of a task reached not everybody whom it was for: those who are named are reminded once more, soon.
const TaskUnreminded Kind = "task.unreminded" // Unreminded

// Unreminded is a reminder that was not sent.
type Unreminded struct {
	Incident int64    `json:"incident"`
	ID       int64    `json:"id"`
	N        int64    `json:"n"`      // number of the reminder's entry
	People   []string `json:"people"` // who was not reached
}
