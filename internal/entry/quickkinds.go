package entry

import "slices"

func (x *Party) quick(p *cursor) {
	p.object(func(name []byte) int {
		switch string(name) {
		case "hash":
			x.Hash = p.text()
			return 0
		case "net":
			x.Net = p.text()
			return 1
		case "role":
			x.Role = p.text()
			return 2
		case "realm":
			x.Realm = p.text()
			return 3
		case "country":
			x.Country = p.text()
			return 4
		case "own":
			x.Own = p.yes()
			return 5
		case "shared":
			x.Shared = p.yes()
			return 6
		}
		p.fail()
		return 0
	})
}

func (p *cursor) parties() (out []Party) {
	p.list(func() {
		var x Party
		x.quick(p)
		out = append(out, x)
	})
	return slices.Clip(out)
}

func (x *Alert) quick(p *cursor) {
	p.object(func(name []byte) int {
		switch string(name) {
		case "id":
			x.ID = p.text()
			return 0
		case "rule":
			x.Rule = p.text()
			return 1
		case "rule_version":
			x.RuleVersion = p.text()
			return 2
		case "title":
			x.Title = p.text()
			return 3
		case "level":
			x.Level = p.text()
			return 4
		case "impact":
			x.Impact = p.text()
			return 5
		case "first":
			x.First = p.time()
			return 6
		case "last":
			x.Last = p.time()
			return 7
		case "raised":
			x.Raised = p.time()
			return 8
		case "seq":
			x.Seq = p.number()
			return 9
		case "count":
			x.Count = p.number()
			return 10
		case "bytes":
			x.Bytes = p.number()
			return 11
		case "succeeded":
			x.Succeeded = p.yes()
			return 12
		case "sources":
			x.Sources = p.parties()
			return 13
		case "accounts":
			x.Accounts = p.parties()
			return 14
		case "sessions":
			x.Sessions = p.texts()
			return 15
		case "vault":
			x.Vault = p.text()
			return 16
		case "history":
			x.History = p.yes()
			return 17
		case "incident":
			x.Incident = p.number()
			return 18
		case "by":
			x.By = p.text()
			return 19
		case "techniques":
			x.Techniques = p.texts()
			return 20
		case "sample":
			x.Sample = p.yes()
			return 21
		case "mute":
			x.Mute = p.number()
			return 22
		case "everyone":
			x.Everyone = p.yes()
			return 23
		}
		p.fail()
		return 0
	})
}

func (x *AlertGrowth) quick(p *cursor) {
	p.object(func(name []byte) int {
		switch string(name) {
		case "id":
			x.ID = p.text()
			return 0
		case "step":
			x.Step = p.text()
			return 1
		case "level":
			x.Level = p.text()
			return 2
		case "impact":
			x.Impact = p.text()
			return 3
		case "last":
			x.Last = p.time()
			return 4
		case "count":
			x.Count = p.number()
			return 5
		case "bytes":
			x.Bytes = p.number()
			return 6
		case "succeeded":
			x.Succeeded = p.yes()
			return 7
		case "sources":
			x.Sources = p.parties()
			return 8
		case "accounts":
			x.Accounts = p.parties()
			return 9
		case "sessions":
			x.Sessions = p.texts()
			return 10
		case "vault":
			x.Vault = p.text()
			return 11
		case "live":
			x.Live = p.yes()
			return 12
		case "incident":
			x.Incident = p.number()
			return 13
		case "by":
			x.By = p.text()
			return 14
		}
		p.fail()
		return 0
	})
}

func (x *Note) quick(p *cursor) {
	p.object(func(name []byte) int {
		switch string(name) {
		case "id":
			x.ID = p.number()
			return 0
		case "text":
			x.Text = p.text()
			return 1
		case "happened":
			x.Happened = p.time()
			return 2
		case "learned":
			x.Learned = p.time()
			return 3
		case "role":
			x.Role = p.text()
			return 4
		}
		p.fail()
		return 0
	})
}

func (x *StepWork) quick(p *cursor) {
	p.object(func(name []byte) int {
		switch string(name) {
		case "run":
			x.Run = p.number()
			return 0
		case "step":
			x.Step = p.text()
			return 1
		case "person":
			x.Person = p.text()
			return 2
		case "role":
			x.Role = p.text()
			return 3
		case "text":
			x.Text = p.text()
			return 4
		case "via":
			x.Via = p.text()
			return 5
		}
		p.fail()
		return 0
	})
}

func (x *StepResult) quick(p *cursor) {
	p.object(func(name []byte) int {
		switch string(name) {
		case "run":
			x.Run = p.number()
			return 0
		case "step":
			x.Step = p.text()
			return 1
		case "person":
			x.Person = p.text()
			return 2
		case "answers":
			p.list(func() {
				var f Fact
				f.quick(p)
				x.Answers = append(x.Answers, f)
			})
			x.Answers = slices.Clip(x.Answers)
			return 3
		case "evidence":
			x.Evidence = p.texts()
			return 4
		case "text":
			x.Text = p.text()
			return 5
		}
		p.fail()
		return 0
	})
}

func (x *Fact) quick(p *cursor) {
	p.object(func(name []byte) int {
		switch string(name) {
		case "incident":
			x.Incident = p.number()
			return 0
		case "run":
			x.Run = p.number()
			return 1
		case "fact":
			x.Fact = p.text()
			return 2
		case "value":
			x.Value = p.text()
			return 3
		case "text":
			x.Text = p.text()
			return 4
		case "person":
			x.Person = p.text()
			return 5
		case "why":
			x.Why = p.text()
			return 6
		}
		p.fail()
		return 0
	})
}

func (x *StepOverdue) quick(p *cursor) {
	p.object(func(name []byte) int {
		switch string(name) {
		case "run":
			x.Run = p.number()
			return 0
		case "step":
			x.Step = p.text()
			return 1
		case "due":
			x.Due = p.time()
			return 2
		case "role":
			x.Role = p.text()
			return 3
		}
		p.fail()
		return 0
	})
}

func (x *Reply) quick(p *cursor) {
	p.object(func(name []byte) int {
		switch string(name) {
		case "incident":
			x.Incident = p.number()
			return 0
		case "id":
			x.ID = p.number()
			return 1
		case "person":
			x.Person = p.text()
			return 2
		case "text":
			x.Text = p.text()
			return 3
		}
		p.fail()
		return 0
	})
}
