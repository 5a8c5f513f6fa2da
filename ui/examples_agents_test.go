package ui

import (
	"fmt"
	"time"
)

func agentRows() []AgentRow {
	rows := []AgentRow{
		{ID: "a1", Href: "/agents/a1", Name: Visible("db-1"), System: Visible("Debian GNU/Linux 12 (bookworm)"), State: State{"bad", "lost for 3 h"}, Address: Visible("192.0.2.11:50122"), Last: before(3 * time.Hour), Lines: "88,120", Waiting: "1,204 batches, 312 MiB of 1.0 GiB",
			Signs: []State{{"bad", "1 loss of lines"}}},
		{ID: "a2", Href: "/agents/a2", Name: Visible("web-2"), System: Visible("Ubuntu 24.04.1 LTS"), State: State{"late", "not heard yet"}, Lines: "0", Waiting: "not known", Signs: []State{{"late", "its certificate ends in 12 days and was not renewed"}}},
		{ID: "a3", Href: "/agents/a3", Name: Visible("till-4"), System: Visible("Debian GNU/Linux 11 (bullseye)"), State: State{"good", "heard"}, Address: Visible("192.0.2.40:41022"), Last: before(4 * time.Second), Lines: "1,204,311", Waiting: "nothing",
			Signs: []State{{"bad", "clock is 4 years slow"}, {"bad", "its spool is full: reading waits"}}},
		{ID: "a4", Href: "/agents/a4", Name: Visible("web-1"), System: Visible("Debian GNU/Linux 12 (bookworm)"), State: State{"good", "heard"}, Address: Visible("[2001:db8::10]:50100"), Last: before(2 * time.Second), Lines: "41,204,311", Waiting: "1 batch, 12 KiB of 1.0 GiB",
			Signs: []State{{"late", "14 updates for security wait"}}},
		{ID: "a5", Href: "/agents/a5", Name: Visible("old-shop"), State: State{"off", "revoked"}, Lines: "0", Waiting: "not known"},
	}
	for i := range 12 {
		rows = append(rows, AgentRow{ID: fmt.Sprint("b", i), Href: fmt.Sprint("/agents/b", i), Name: Visible(fmt.Sprintf("web-%d.shop.example", i+10)), System: rows[3].System, State: rows[3].State, Address: rows[3].Address, Last: before(5 * time.Second), Lines: "2,120", Waiting: "nothing"})
	}
	return rows
}

var losses = []Loss{
	{Agent: Link{"db-1", "/agents/a1"}, File: Visible("/var/log/shop/orders.log"), Bounds: "bytes 1,204,311 to 5,120,004", Why: Visible("the file was rotated away and removed while the spool was full"), Since: before(4 * time.Hour), Until: before(3 * time.Hour), Told: before(3 * time.Hour)},
	{Agent: Link{"db-1", "/agents/a1"}, File: Visible("spool:k3v"), Bounds: "batches from 88 on; nobody knows how many", Why: Visible("the server lost batches that it had acknowledged"), Since: before(30 * time.Hour), Until: before(29 * time.Hour), Told: before(29 * time.Hour)},
}

func agentsView() AgentsView {
	return AgentsView{Frame: frame("Agents", "agents", "/agents"), Summary: "14 agents are heard, 1 lost, 1 not heard since Tocsin started, 1 revoked.", May: true, Heard: true, Address: "tocsin.kontor-nord.example:8443",
		Fingerprint: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", Agents: agentRows(), Pager: Pager{Says: "1 to 50 of 211", Next: "/agents?page=2"}, Losses: losses, MoreLosses: "And 12 older losses: tocsin agents show names them all.",
		Tokens:  []TokenRow{{Name: "till-5", By: "Anna Keller", Made: before(time.Hour), Until: At(night.Add(23*time.Hour), night, berlin)}, {By: "the command line", Made: before(time.Minute), Until: At(night.Add(time.Hour), night, berlin)}},
		Refused: []Fact{{Name: "no certificate of ours", Value: "212 times"}, {Name: "a token that is wrong, used or too old", Value: "1 time"}}, Form: AgentForm{Valid: tokenSpans}}
}

var tokenSpans = []Option{{"3600", "an hour", false}, {"86400", "a day", true}, {"604800", "7 days", false}}

func agentsJoining() AgentsView {
	v := agentsView()
	v.Agents, v.Losses, v.MoreLosses, v.Pager, v.Refused, v.Still = v.Agents[3:4], nil, "", Pager{}, nil, true
	const command = "tocsin-agent join https://tocsin.kontor-nord.example:8443 mzxw6ytboi2dknrxhezdgobsg43tcmrtgq2tmnzyheydcmrtgq2t.gm2tkojqgeztimzsgu3dooby4vqxizlmnrxw2zlomrzxizdbmnsw4zq"
	v.Joining = Joining{Command: command, Join: "sudo " + command + " && sudo systemctl enable --now tocsin-agent", Until: At(night.Add(24*time.Hour), night, berlin)}
	return v
}

func agentsWrong() AgentsView {
	v := agentsView()
	v.Address, v.Agents, v.Losses, v.Tokens, v.Pager, v.MoreLosses = "", nil, nil, nil, Pager{}, ""
	v.Form = AgentForm{Name: "web 1", Valid: tokenSpans, Open: true}
	v.Errors = Errors{{"agent-name", "\"web 1\" cannot name a host: use letters, digits, dots and dashes, at most 64."}, {"agent-valid", "Choose how long the token may be used."}}
	return v
}

func agentView() AgentView {
	row := agentRows()[2]
	v := AgentView{Frame: frame("till-4", "agents", "/agents/a3"), Agent: row, Told: before(20 * time.Second), Revoke: "/agents/a3/revoke", Losses: []Loss{losses[0], losses[1]}, MoreLoss: "And 2 older losses: tocsin agents show names them all.", MoreFeed: "And 12 more logs: tocsin agents show names them all.",
		Alarms:  []Problem{{Grave: true, Says: "The clock of this host is 4 years slow.", Mend: "Both times are kept: the one that stands in its lines, and when they came here. Set its clock, and let it follow a time server."}},
		Refused: []Fact{{Name: "sent again after it was kept", Value: "3 times"}}}
	v.Losses[0].Agent, v.Losses[1].Agent = Link{}, Link{}
	v.Facts = []AgentFact{{Name: "Heard last", At: before(4 * time.Second)}, {Name: "From", Text: Visible("192.0.2.40:41022")}, {Name: "Lines since Tocsin started", Says: "1,204,311"}, {Name: "Joined", At: before(4000 * time.Hour)}, {Name: "Let in by", Says: "Anna Keller"},
		{Name: "It joined from", Text: Visible("192.0.2.40:40012")}, {Name: "Certificate until", At: At(night.AddDate(0, 2, 0), night, berlin)}, {Name: "Fingerprint of its key", Text: Visible("2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae")}, {Name: "Id", Text: Visible("k3v7qm2pn5")}}
	v.Host = []AgentFact{{Name: "System", Text: Visible("Debian GNU/Linux 11 (bullseye)\u202e")}, {Name: "Kernel", Text: Visible("Linux 5.10.0-32-amd64 amd64")}, {Name: "Started", At: before(900 * time.Hour)}, {Name: "Agent's version", Text: Visible("v1.4.0")},
		{Name: "Its time when it told this", At: At(night.AddDate(-4, 0, 0), night, berlin)}, {Name: "Clock", Says: "4 years slow"}, {Name: "Updates that wait", Says: "14 for security, 31 in all"}, {Name: "Waits there to be sent", Says: "1,204 batches, 1.0 GiB of 1.0 GiB"}, {Name: "Ledger head that it keeps", Says: "4,790 entries"}}
	states := []State{{"bad", "missing"}, {"late", "behind"}, {"good", "reading"}}
	for i, path := range []string{"/var/log/shop/till.log", "journal:", "/var/log/nginx/access.log"} {
		v.Sources = append(v.Sources, Feed{Path: Visible(path), State: states[i], Lag: "no", Lines: "1,204,311", Last: before(time.Minute), Href: "/search?q=host%3Dtill-4"})
	}
	v.Sources[0].Why, v.Sources[1].Lag, v.Sources[2].Of = Visible("it is not there\x00"), "15,204,311 bytes", Visible("/var/log/nginx/*.log")
	list := AgentList{Title: "14 updates for security wait", More: "And 12 more: tocsin agents show names them all."}
	for i := range 14 {
		list.Rows = append(list.Rows, Visible(fmt.Sprintf("libssl3 3.0.%d-1~deb12u1", i)))
	}
	v.Lists = []AgentList{list, {Title: "2 ports are listened on", Rows: []Text{Visible("tcp 0.0.0.0:443  nginx"), Visible("tcp 127.0.0.1:3306  mariadbd")}}, {Title: "1 file system", Rows: []Text{Visible("/var: 12 GiB of 40 GiB free")}}}
	return v
}

func agentRevoked() AgentView {
	v := agentView()
	v.Agent, v.Alarms, v.Sources, v.Host, v.Losses, v.Lists, v.Revoke, v.MoreFeed, v.MoreLoss, v.Told = agentRows()[4], nil, nil, nil, nil, nil, "", "", "", Time{}
	v.Facts = append(v.Facts, AgentFact{Name: "Revoked", At: before(time.Hour)}, AgentFact{Name: "Why", Text: VisibleLines("the machine was sold\nto somebody")})
	return v
}

func agentWrong() AgentView {
	v := agentView()
	v.Still, v.Errors = true, Errors{{"revoke-reason", "Say why. Whoever asks later finds it in the ledger."}}
	return v
}

// doorsView is the page of sources with doors.
func doorsView() SourcesView {
	v := SourcesView{Frame: frame("Sources", "sources", "/sources"), Pager: Pager{Says: "1 to 50 of 211", Next: "/sources?page=2"}, Summary: "3 sources, 1 silent, missing or behind, 0 with lines that could not be parsed"}
	door := func(k int, name string, state State) Source {
		id := fmt.Sprint("source-", k)
		return Source{ID: id, SourceRow: SourceRow{Name: name, Href: "/sources#" + id, State: state, Lag: "none", Unparsed: "0", Last: before(time.Minute)}, Path: name, Host: "this host, 3 senders now", Format: "not known yet", Lines: "88,120", Limit: "24 h", Door: true}
	}
	v.Sources = []Source{door(1, "s3:alb", State{"bad", "stuck"}), door(2, "syslog:udp", State{"good", "open"}), door(3, "http:lines", State{"good", "open"})}
	v.Sources[0].Says = "The archive takes no lines: the disk is full."
	v.Sources[1].Note = "Datagrams can be lost on the way and here, and nobody is told of those lost on the way."
	v.Sources[1].Refused = []Fact{{Name: "dropped by the kernel", Value: "12"}, {Name: "unknown peer", Value: "1,204"}}
	v.Sources[1].LastRefused = Visible("198.51.100.7 is not on the list of peers\x1b")
	v.Sources[2].Refused = []Fact{{Name: "unknown token", Value: "3"}}
	return v
}

func agentExamples() []example {
	off := AgentsView{Frame: frame("Agents", "agents", "/agents"), Summary: "Programs that follow the logs of your other hosts and send them here.", May: true}
	return []example{
		ex("agents", Agents, agentsView()),
		ex("agents-off", Agents, off),
		ex("agents-joining", Agents, agentsJoining()),
		ex("agents-wrong", Agents, agentsWrong()),
		ex("agent", AgentPage, agentView()),
		ex("agent-revoked", AgentPage, agentRevoked()),
		ex("agent-wrong", AgentPage, agentWrong()),
		ex("sources-doors", Sources, doorsView()),
	}
}
