package entry

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// quickKinds are the bodies that read themselves.
func quickKinds() []any {
	return []any{&AlertPlace{}, &Party{}, &Alert{}, &AlertGrowth{}, &Note{}, &StepWork{}, &StepResult{}, &Fact{}, &StepOverdue{}, &Reply{}}
}

// agree holds what a body reads of itself against encoding/json.
func agree(t *testing.T, body []byte, of any) (read bool) {
	t.Helper()
	quick, slow := reflect.New(reflect.TypeOf(of).Elem()), reflect.New(reflect.TypeOf(of).Elem())
	if !quickBody(body, quick.Interface()) {
		return false
	}
	if err := json.Unmarshal(body, slow.Interface()); err != nil {
		t.Fatalf("%T reads %q, of which encoding/json says: %v", of, body, err)
	}
	if !reflect.DeepEqual(quick.Interface(), slow.Interface()) {
		t.Fatalf("%T reads %q as\n%+v, encoding/json as\n%+v", of, body, quick.Elem(), slow.Elem())
	}
	return true
}

// Given what Make writes, then it is read by itself.
func TestQuickReadsWhatIsWritten(t *testing.T) {
	for _, x := range []any{
		&Alert{ID: "ab", Rule: "r", RuleVersion: "v", Title: "t", Level: "high", Impact: "attempt", First: t0, Last: t0, Raised: t0, Seq: 1, Count: 10, Bytes: 5, Succeeded: true,
			Sources: []Party{{"h", "n", "suspect", "customer", "DE", true, true}, {Hash: "i", Role: "victim"}}, Accounts: []Party{{Hash: "j"}}, Sessions: []string{"s", "t"}, Vault: "v", History: true, Incident: 7, By: "opened", Techniques: []string{"attack.t1190"}},
		&AlertGrowth{"ab", "ended", "low", "success", t0, 12, 3, true, []Party{{Hash: "h"}}, []Party{{Hash: "k"}}, []string{"s"}, "v", true, 7, "account"},
		&Note{7, "v", t0, t0, "legal"}, &StepWork{1, "look", "eve", "analyst", "v", "s1"}, &StepResult{1, "look", "eve", []Fact{{Fact: "big", Value: "yes", Person: "eve"}, {Fact: "where", Text: "v2"}}, []string{"1"}, "v"},
		&Fact{7, 1, "big", "yes", "v", "eve", "v2"}, &StepOverdue{1, "look", t0, "analyst"}, &Reply{7, 1, "eve", "v"},
	} {
		raw, err := json.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		if !agree(t, raw, x) {
			t.Errorf("%T does not read %s", x, raw)
		}
	}
	place := AlertPlace{}
	if raw, err := json.Marshal(Alert{ID: "ab", Impact: "attempt", Incident: 7, History: true, Title: `a title] of}`, Sources: []Party{{Hash: "h"}}}); err != nil || !quickBody(raw, &place) || place != (AlertPlace{"ab", "attempt", 7, true, false}) {
		t.Errorf("%s is read as %+v, %v", raw, place, err)
	}
}

// FuzzQuick: what reads itself reads what encoding/json reads.
func FuzzQuick(f *testing.F) {
	names, err := filepath.Glob(filepath.Join("testdata", "kinds", "*.json"))
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		line, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(e.Body))
	}
	for _, x := range []string{`{"id":"a","id":"b"}`, `{"ID":"a"}`, `{"incident":01}`, `{"incident":1e3}`, `{"sources":[]}`, `{"sources":null}`, `{"text":"\u0041"}`, `{"text":"ä"}`, `{"x":}`, `{"x":[}]}`, `{"id":1,}`, `{,"id":1}`, ``, `{"own":false}`} {
		f.Add([]byte(x))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, of := range quickKinds() {
			agree(t, body, of)
		}
	})
}
