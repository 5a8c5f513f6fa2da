package ui

// roomView is the war room of a host who has just made a link.
func roomView() RoomView {
	return RoomView{Frame: frame("War room of incident 12", "incidents", "/incidents/12/room"), Incident: "SQL injection against the shop, with data going out", Href: "/incidents/12", Base: "/room",
		Code: "r1.eyJyb29tIjoiMTIifQ.c2VhbA", Phone: "Without it, call +49 30 901820 and ask for incident 12.",
		Invite: Invite{Action: "/incidents/12/room/invite", Hours: []Option{{"1", "1 hour", true}, {"24", "24 hours", false}}, Link: "https://tocsin.shop.example/room#r1.eyJyb29tIjoiMTIifQ.c2VhbA", For: "Dr. Öztürk, forensics"}}
}
