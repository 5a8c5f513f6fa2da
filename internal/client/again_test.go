package client

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Given answers that ask for patience, then the client asks again under the same key, for a bounded time; what is decided is not asked again.
func TestAskingAgain(t *testing.T) {
	for name, x := range map[string]struct {
		status int
		after  string
		times  int // that it answers so; -1 is always
		asked  int
		ok     bool
	}{
		"under way":           {409, "1", 2, 3, true},
		"answered by another": {409, "", -1, 1, false},
		"a gateway":           {502, "", 1, 2, true},
		"no ledger":           {503, "", 3, 4, true},
		"a slow gateway":      {504, "", -1, tries, false},
		"a mistake":           {422, "", -1, 1, false},
		"a long wait":         {503, "3600", -1, tries, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			var keys []string
			left := x.times
			c := Of(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				keys = append(keys, r.Header.Get("Idempotency-Key"))
				if left == 0 {
					_, _ = io.WriteString(w, `{"id":7}`)
					return
				}
				left--
				if x.after != "" {
					w.Header().Set("Retry-After", x.after)
				}
				w.WriteHeader(x.status)
				_, _ = io.WriteString(w, `{"detail":"wait"}`)
			}))
			c.token = "tcs_1"
			began := time.Now()
			_, err := c.OpenIncident(t.Context(), "words", "")
			if (err == nil) != x.ok || len(keys) != x.asked || time.Since(began) > tries*longPause {
				t.Errorf("%s: %v, asked %d times in %v", name, err, len(keys), time.Since(began))
			}
			for _, k := range keys {
				if k == "" || k != keys[0] {
					t.Errorf("%s: the keys were %q", name, keys)
				}
			}
		})
	}
}

// Given a list of accounts that grows while it is read, so that accounts move to the next answer, then each is in it once.
func TestHabitsWhileTheyChange(t *testing.T) {
	var list []string
	for n := range habitsAtOnce + 100 {
		list = append(list, fmt.Sprintf(`{"id":"x","realm":"ssh","account":"a%03d"}`, n))
	}
	c := Of(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var from int
		_, _ = fmt.Sscan(r.FormValue("from"), &from)
		some := list[min(from, len(list)):min(from+habitsAtOnce, len(list))]
		_, _ = fmt.Fprintf(w, `{"habits":[%s],"all":%d}`, strings.Join(some, ","), len(list))
		list = append([]string{`{"id":"y","realm":"admin","account":"a000"}`}, list...)
	}))
	got, err := c.Habits(t.Context())
	seen := map[string]int{}
	for _, h := range got {
		var x struct{ Realm, Account string }
		if err := json.Unmarshal(h, &x); err != nil {
			t.Fatal(err)
		}
		seen[x.Realm+"/"+x.Account]++
	}
	if err != nil || len(got) != habitsAtOnce+100 {
		t.Errorf("%d accounts, %v", len(got), err)
	}
	for a, n := range seen {
		if n != 1 {
			t.Errorf("%s is there %d times", a, n)
		}
	}
}
