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
	return []any{&Party{}, &Alert{}, &AlertGrowth{}, &Note{}, &StepWork{}, &StepResult{}, &Fact{}, &StepOverdue{}, &Reply{}, &Opened{}, &Closed{}, &Assigned{}, &Run{}, &Task{}}
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
		&Opened{7, "t", "high", []string{"level:high", "loss"}, t0, true, true, true}, &Closed{7, "true", "v", []string{"cause"}, "w"}, &Assigned{7, "eve"}, &Assigned{ID: 7}, &Run{1, 7, "b", "r", "chosen"},
		&Task{7, 1, "v", "legal", "eve", t0, "w"}, &Task{Incident: 7, ID: 2, Title: "v"},
	} {
		raw, err := json.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		if !agree(t, raw, x) {
			t.Errorf("%T does not read %s", x, raw)
		}
	}
}

// Given a body that was decoded ahead, then all who ask for it get what was read of the bytes.
func TestDecodeAhead(t *testing.T) {
	names, err := filepath.Glob(filepath.Join("testdata", "kinds", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d Decoder
	ahead := 0
	for _, name := range names {
		line, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		if d.Decode(&e); e.Known == nil {
			continue
		}
		ahead++
		slow := reflect.New(reflect.TypeOf(e.Known).Elem())
		if err := json.Unmarshal(e.Body, slow.Interface()); err != nil || !reflect.DeepEqual(e.Known, slow.Interface()) {
			t.Errorf("%s is decoded ahead as\n%+v, by encoding/json as\n%+v, %v", e.Kind, e.Known, slow.Elem(), err)
		}
	}
	if ahead < 10 {
		t.Errorf("%d kinds are decoded ahead", ahead)
	}
	e := Entry{Kind: TaskDone, Body: []byte(`{"incident":7,"id":1,"person":"eve"}`)}
	d.Decode(&e)
	e.Body = nil
	if x, err := Body[Reply](e); err != nil || x.Person != "eve" {
		t.Errorf("%+v, %v", x, err)
	}
	if _, err := Body[Note](e); err == nil {
		t.Error("what was decoded as another kind is taken")
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
