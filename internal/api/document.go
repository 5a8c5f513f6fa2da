package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

// version is of the operations: it changes only when something that programs rely on does.
const version = "1"

// tags are the chapters of the document, in their order.
func tags() []*huma.Tag {
	return []*huma.Tag{
		{Name: "incidents", Description: "What people work on"}, {Name: "alerts", Description: "Records that matched a rule"}, {Name: "calls", Description: "Paging people until somebody answers"},
		{Name: "work", Description: "What one has to do, across incidents"}, {Name: "playbooks", Description: "The written plan"}, {Name: "plan", Description: "The whole plan as one document"}, {Name: "playbook-check", Description: "What is wrong with a playbook"},
		{Name: "reports", Description: "What people told us from outside"}, {Name: "review", Description: "Parts of the plan, and when each was read and approved"},
		{Name: "measures", Description: "What is done so that a gap is closed"},
		{Name: "oncall", Description: "Who would be rung"}, {Name: "schedules", Description: "Who is on call when"}, {Name: "policies", Description: "Who is rung in which order"},
		{Name: "maintenance", Description: "Times in which what is less than Critical does not ring"}, {Name: "approvals", Description: "What needs a second person"},
		{Name: "people", Description: "The team"}, {Name: "me", Description: "How one signs in oneself"}, {Name: "break-glass", Description: "One-time credentials for the safe"},
		{Name: "rights", Description: "Who may do what"}, {Name: "contacts", Description: "The plan's contact list"}, {Name: "stakeholders", Description: "Who must hear of what by when"},
		{Name: "mail", Description: "Our own key for mail"}, {Name: "notices", Description: "Being told of sign-ins"}, {Name: "search", Description: "The kept lines"}, {Name: "lines", Description: "The kept lines, one by one"}, {Name: "export", Description: "Lines as evidence"},
		{Name: "rules", Description: "What is watched for"}, {Name: "habits", Description: "What is normal"}, {Name: "watch", Description: "Watch lists"}, {Name: "never", Description: "Mutes"},
		{Name: "sources", Description: "Logs that are read"}, {Name: "agents", Description: "Agents on other hosts"}, {Name: "webhooks", Description: "Programs that are told what happens"},
		{Name: "status", Description: "How Tocsin itself is"}, {Name: "ledger", Description: "What is kept for ever"},
	}
}

// describe returns the document before there are operations in it.
func describe() *huma.OpenAPI {
	return &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{Title: "Tocsin", Version: version, Description: "Everything that the console can do, for programs. A token is made under How you sign in; it acts as its owner, with those of its owner's rights " +
			"that are in its scope (x-tocsin-action names the right that an operation needs). Durations that end in _ns are nanoseconds; times are RFC 3339. What needs a second person answers 202."},
		Servers: []*huma.Server{{URL: "/api/v1", Description: "at the address of the console, with a token"}},
		Tags:    tags(),
		Components: &huma.Components{
			Schemas:         huma.NewMapRegistry("#/components/schemas/", typeName),
			SecuritySchemes: map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer", Description: "a token of a person: Authorization: Bearer tcs_..."}},
		},
	}
}

// finish drops the chapters that have no operation, and huma's own form of errors, which nobody gets.
func (t *table) finish() {
	doc := t.api.OpenAPI()
	for _, name := range []string{"V2ErrorModel", "V2ErrorDetail"} {
		delete(doc.Components.Schemas.Map(), name)
	}
	used := map[string]bool{}
	for _, p := range doc.Paths {
		for _, op := range []*huma.Operation{p.Get, p.Post} {
			if op != nil {
				used[op.Tags[0]] = true
			}
		}
	}
	doc.Tags = slices.DeleteFunc(doc.Tags, func(x *huma.Tag) bool { return !used[x.Name] })
}

// document returns the document as JSON, indented, so that a change of it can be read.
func document(t *table) ([]byte, error) {
	raw, err := t.api.OpenAPI().MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("writing the OpenAPI document: %w", err)
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, fmt.Errorf("writing the OpenAPI document: %w", err)
	}
	return json.MarshalIndent(v, "", " ")
}

// get and post begin an operation.
func get(path, id, sum string) operation {
	return operation{verb: http.MethodGet, path: path, id: id, sum: sum}
}

func post(path, id, sum string) operation {
	return operation{verb: http.MethodPost, path: path, id: id, sum: sum}
}
