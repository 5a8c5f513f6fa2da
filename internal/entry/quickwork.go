package entry

func (x *Opened) quick(p *cursor) {
	p.object(func(name []byte) int {
		switch string(name) {
		case "id":
			x.ID = p.number()
			return 0
		case "title":
			x.Title = p.text()
			return 1
		case "severity":
			x.Severity = p.text()
			return 2
		case "why":
			x.Why = p.texts()
			return 3
		case "happened":
			x.Happened = p.time()
			return 4
		case "history":
			x.History = p.yes()
			return 5
		case "sample":
			x.Sample = p.yes()
			return 6
		case "everyone":
			x.Everyone = p.yes()
			return 7
		}
		p.fail()
		return 0
	})
}

func (x *Closed) quick(p *cursor) {
	p.object(func(name []byte) int {
		switch string(name) {
		case "id":
			x.ID = p.number()
			return 0
		case "verdict":
			x.Verdict = p.text()
			return 1
		case "text":
			x.Text = p.text()
			return 2
		case "lacking":
			x.Lacking = p.texts()
			return 3
		case "excuse":
			x.Excuse = p.text()
			return 4
		}
		p.fail()
		return 0
	})
}

func (x *Assigned) quick(p *cursor) {
	p.object(func(name []byte) int {
		switch string(name) {
		case "id":
			x.ID = p.number()
			return 0
		case "person":
			x.Person = p.text()
			return 1
		}
		p.fail()
		return 0
	})
}

func (x *Run) quick(p *cursor) {
	p.object(func(name []byte) int {
		switch string(name) {
		case "id":
			x.ID = p.number()
			return 0
		case "incident":
			x.Incident = p.number()
			return 1
		case "playbook":
			x.Playbook = p.text()
			return 2
		case "revision":
			x.Revision = p.text()
			return 3
		case "why":
			x.Why = p.text()
			return 4
		}
		p.fail()
		return 0
	})
}

func (x *Task) quick(p *cursor) {
	p.object(func(name []byte) int {
		switch string(name) {
		case "incident":
			x.Incident = p.number()
			return 0
		case "id":
			x.ID = p.number()
			return 1
		case "title":
			x.Title = p.text()
			return 2
		case "role":
			x.Role = p.text()
			return 3
		case "person":
			x.Person = p.text()
			return 4
		case "due":
			x.Due = p.time()
			return 5
		case "text":
			x.Text = p.text()
			return 6
		}
		p.fail()
		return 0
	})
}
