package entry

// Kinds of what stands in a chat, and of the war room. What people are called, and what was said, lies in the vault.
const (
	ChatPlaced Kind = "chat.placed" // ChatPlace

	RoomJoined   Kind = "room.joined"   // RoomSeat
	RoomLeft     Kind = "room.left"     // RoomSeat
	RoomMuted    Kind = "room.muted"    // RoomSeat
	RoomRecorded Kind = "room.recorded" // RoomTape
	RoomEnded    Kind = "room.ended"    // RoomEnd
)

// ChatPlace is where an incident stands in Slack, as from now on. It is written only when it differs from what stood before.
type ChatPlace struct {
	ID      int64  `json:"id"`
	Channel string `json:"channel"`        // Slack's id of the channel
	Name    string `json:"name,omitempty"` // as it was made
	Card    string `json:"card,omitempty"` // Slack's timestamp of the card
	Pinned  bool   `json:"pinned,omitempty"`
}

// RoomSeat is somebody who came into the war room of an incident, left it, or was muted or given back their voice by a host. Who
// did it is the entry's actor.
type RoomSeat struct {
	ID     int64  `json:"id"`               // the incident
	Person string `json:"person,omitempty"` // "" is a guest
	Name   string `json:"name,omitempty"`   // vault object with what the guest is called
	Seat   int    `json:"seat"`
	Why    string `json:"why,omitempty"` // of left: left, vanished, removed, restricted, ended; of muted: silenced, heard
}

// RoomTape is a recording of the war room that begins, or ended.
type RoomTape struct {
	ID     int64  `json:"id"` // the incident
	On     bool   `json:"on,omitempty"`
	Folder string `json:"folder"`           // below the folder of recordings
	SHA256 string `json:"sha256,omitempty"` // of its manifest, in hex, once it ended whole
	Text   string `json:"text,omitempty"`   // vault object: why it ended, or is not whole
}

// RoomEnd says that a host ended the conference for all, or the program did, because it stopped.
type RoomEnd struct {
	ID int64 `json:"id"` // the incident
}
