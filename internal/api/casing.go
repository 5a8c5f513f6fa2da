package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"tocsin/internal/client"
)

// castDeep is how deep a body may be nested.
const castDeep = 64

// exact refuses a body with a member that is not spelled as the schema has it, or that is there twice. encoding/json takes a member for a field of another casing and
// merges what comes twice, while the schema is held against one of them: so a limit could be passed by. What is no JSON is huma's to refuse.
func exact(all huma.Registry, op *huma.Operation, sent []byte) error {
	if op.RequestBody == nil || op.RequestBody.Content["application/json"] == nil || !json.Valid(sent) {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(sent))
	return speller{d, all}.value(op.RequestBody.Content["application/json"].Schema, "body", 0)
}

// A speller reads a body beside its schema.
type speller struct {
	from *json.Decoder
	all  huma.Registry
}

func (s speller) value(x *huma.Schema, at string, deep int) error {
	for x != nil && x.Ref != "" {
		x = s.all.SchemaFromRef(x.Ref)
	}
	if deep > castDeep {
		return misspelt(at, fmt.Sprintf("it is nested more than %d deep", castDeep))
	}
	begin, err := s.from.Token()
	if err != nil {
		return problemFor(http.StatusBadRequest, "the request is no JSON")
	}
	switch begin {
	case json.Delim('['):
		for n := 0; s.from.More(); n++ {
			var each *huma.Schema
			if x != nil {
				each = x.Items
			}
			if err := s.value(each, fmt.Sprintf("%s[%d]", at, n), deep+1); err != nil {
				return err
			}
		}
	case json.Delim('{'):
		seen := map[string]bool{}
		for s.from.More() {
			name, err := s.from.Token()
			if err != nil {
				return problemFor(http.StatusBadRequest, "the request is no JSON")
			}
			member, _ := name.(string)
			where := fmt.Sprintf("%s.%.60s", at, member)
			if seen[member] {
				return misspelt(where, "it is there twice")
			}
			seen[member] = true
			inner, known := memberOf(x, member)
			if !known {
				return misspelt(where, "unexpected property: names are taken to the letter")
			}
			if err := s.value(inner, where, deep+1); err != nil {
				return err
			}
		}
	default:
		return nil
	}
	if _, err = s.from.Token(); err != nil {
		return problemFor(http.StatusBadRequest, "the request is no JSON")
	}
	return nil
}

// memberOf is the schema of a member; nil where there is none that says more of it.
func memberOf(x *huma.Schema, member string) (inner *huma.Schema, known bool) {
	if x == nil || len(x.Properties) == 0 {
		if x != nil {
			inner, _ = x.AdditionalProperties.(*huma.Schema)
		}
		return inner, true
	}
	inner, known = x.Properties[member]
	return inner, known
}

// misspelt is as huma says it.
func misspelt(where, says string) problem {
	p := problemFor(http.StatusUnprocessableEntity, "the request is not what this operation takes: "+where+": "+says)
	p.Errors = append(p.Errors, client.Mistake{Where: where, Says: says})
	return p
}
