package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"tocsin/internal/desk"
)

// rowsOf counts the rows of a page's tables of addresses, accounts and sessions.
func rowsOf(body string) int { return strings.Count(body, `<td class="c-what"><code class="what">`) }

// Given an incident of many alerts from many addresses, when its page is read, then it shows the first of each list and leads to all of them.
func TestAStormOnAPage(t *testing.T) {
	const addresses = 120
	var web strings.Builder
	for n := range addresses {
		fmt.Fprintf(&web, "203.0.113.%d - - [10/Nov/2026:10:%02d:%02d +0000] \"GET /wp-content/uploads/x.php?cmd=id HTTP/1.1\" 200 512 %s\n", n, n/60, n%60, chrome)
	}
	c := newConsole(t, fstest.MapFS{"access.log": {Data: []byte(web.String())}}, nil)
	c.until(t, "an incident of many alerts", func(st *desk.State) bool {
		return len(st.Incidents.Incidents) > 0 && len(st.Incidents.Incidents[0].Sources) >= addresses
	})
	anna := c.as(t, "anna")
	all := 0
	c.desk.Read(func(st *desk.State) { all = len(st.Incidents.Incidents[0].Alerts) })
	page := anna.get("/incidents/1")
	if n := strings.Count(page.body, `<article class="alert"`); n != incidentAlerts {
		t.Errorf("the page has %d alerts of %d", n, all)
	}
	if n := rowsOf(page.body); n != partiesShown {
		t.Errorf("the page has %d addresses", n)
	}
	for _, link := range []string{`href="/alerts?incident=1">All ` + fmt.Sprint(all), `href="/incidents/1?list=addresses">All `} {
		if !strings.Contains(page.body, link) {
			t.Errorf("the page lacks %s", link)
		}
	}
	if len(page.body) > 100<<10 {
		t.Errorf("the page has %d bytes", len(page.body))
	}
	if got := readPage(t, anna.get("/alerts?incident=1").body); !strings.Contains(got.text, fmt.Sprintf("1 to 50 of %d", all)) {
		t.Error("the list does not have the incident's alerts")
	}
	seen := map[string]bool{}
	for n, want := range []int{50, 50, 20} {
		got := anna.get(fmt.Sprintf("/incidents/1?list=addresses&page=%d", n+1))
		if rows := rowsOf(got.body); rows != want || got.code != http.StatusOK {
			t.Errorf("page %d of the addresses: %d, %d rows", n+1, got.code, rows)
		}
		if p := readPage(t, got.body); len(p.wrong) > 0 {
			t.Error(p.wrong)
		}
		for k := range addresses {
			if a := fmt.Sprintf("203.0.113.%d<", k); strings.Contains(got.body, ">"+a) {
				seen[a] = true
			}
		}
	}
	if len(seen) != addresses {
		t.Errorf("the pages name %d of %d addresses", len(seen), addresses)
	}
	if got := readPage(t, anna.get("/incidents/1?list=sessions").body); !strings.Contains(got.text, "There are none.") {
		t.Error("an empty list does not say so")
	}
	for _, path := range []string{"/incidents/1?list=nothing", "/incidents/9?list=addresses", "/alerts/none?list=addresses"} {
		if got := anna.get(path); got.code != http.StatusNotFound {
			t.Errorf("%s: %d", path, got.code)
		}
	}
}

// Given alerts, when the list is asked for an address, an account or a title, then it has the alerts that name it, and no others.
func TestTheListOfAlertsFindsWhoTheyName(t *testing.T) {
	c := newConsole(t, attacks(), nil)
	c.settled(t)
	anna := c.as(t, "anna")
	for q, want := range map[string]string{"198.51.100.7": "198.51.100.7", "::ffff:198.51.100.7": "198.51.100.7", " root ": "192.0.2.33", "ROOT": "192.0.2.33", "sql": "198.51.100.7"} {
		_, table, _ := strings.Cut(anna.get("/alerts?q="+strings.ReplaceAll(q, " ", "+")).body, "<tbody>")
		rows := strings.Split(table, "<tr ")[1:]
		if len(rows) == 0 || slices.ContainsFunc(rows, func(row string) bool { return !strings.Contains(row, want) }) {
			t.Errorf("%q finds %d alerts, of which not all name %s", q, len(rows), want)
		}
	}
	for _, query := range []string{"q=198.51.100.8", "q=198.51.100", "incident=99", "incident=x", "incident=-1", "incident=1&q=203.0.113.9"} {
		if p := readPage(t, anna.get("/alerts?"+query).body); !strings.Contains(p.text, "No alert is like that.") {
			t.Errorf("%s finds alerts", query)
		}
	}
}

// Given an alert that names many accounts, when its page is read, then it shows the first of them and leads to all.
func TestAnAlertOfManyAccounts(t *testing.T) {
	const accounts = 240
	var ssh strings.Builder
	for n := range accounts {
		fmt.Fprintf(&ssh, "2026-11-10T10:%02d:%02d.000000+00:00 shop sshd[77]: Failed password for invalid user u%d from 192.0.2.33 port %d ssh2\n", 3+n/60, n%60, n, 40000+n)
	}
	c := newConsole(t, fstest.MapFS{"auth.log": {Data: []byte(ssh.String())}}, nil)
	id := ""
	c.until(t, "an alert that names many accounts", func(st *desk.State) bool {
		for _, a := range st.Incidents.Alerts {
			if len(a.Accounts) > namedShown {
				id = a.ID
			}
		}
		return id != ""
	})
	anna := c.as(t, "anna")
	page := anna.get("/alerts/" + id)
	if n := strings.Count(page.body, "ssh account"); n != partiesShown || !strings.Contains(page.body, `href="/alerts/`+id+`?list=accounts">All `) {
		t.Errorf("the page names %d accounts, and a link to all: %v", n, strings.Contains(page.body, "?list=accounts"))
	}
	first, second := anna.get("/alerts/"+id+"?list=accounts"), anna.get("/alerts/"+id+"?list=accounts&page=2")
	if n := rowsOf(first.body); n != namedShown || rowsOf(second.body) == 0 {
		t.Errorf("the list has %d accounts, and %d on its second page", n, rowsOf(second.body))
	}
}
