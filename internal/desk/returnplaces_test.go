package desk

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/plan"
)

// What people write of where foreign code lay, and what is watched for then.
func TestPathsIn(t *testing.T) {
	for text, want := range map[string][]string{
		"web-1:/var/www/html/media/x.php":                            {"/var/www/html/media/x.php"},
		"/srv/shop/pub/a/b.phtml, and https://shop.example/a/b.php.": {"/srv/shop/pub/a/b.phtml", "/a/b.php"},
		"a mail of the host; media/x.php; /etc/passwd":               nil,
		"": nil,
	} {
		if got := pathsIn(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if n := len(pathsIn(strings.Repeat("/x.php ", 1000))); n != placesAtMost {
		t.Errorf("%d paths of one text", n)
	}
	for file, want := range map[string]string{"/var/www/html/media/x.php": "/media/x.php", "/home/shop/public_html/pub/x.php": "/x.php", "/opt/x.php": "", "/srv/shop/pub/x.php": "/x.php"} {
		if got := webPath(file); got != want {
			t.Errorf("%s is asked for as %q, want %q", file, got, want)
		}
	}
}

// Given a web shell that was brought as evidence with its place, when the incident is closed and the shell is asked for again, then the incident opens again.
func TestThePlaceOfForeignCodeIsWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, d, stop := burns(t)
		defer stop()
		anna := person("anna", plan.Commander)
		_, err := d.AddFile(anna, 1, FileText{Name: "x.php", Kind: "code", From: "web-1:/var/www/html/media/cache/x.php"}, strings.NewReader("<?php die();"))
		must(t, err, d.Finish(anna, 1, "true", "it is gone", "nobody knows how"))
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		open := func() (yes bool) {
			d.Read(func(s *State) { i, _ := s.Incidents.Get(1); yes = !i.Closed })
			return yes
		}
		d.Read(func(s *State) {
			r := s.Returns.Of(1, time.Now())
			if r == nil {
				t.Fatal("nothing is watched for")
			}
		})
		if open() {
			t.Fatal("it is open")
		}
		h.feed(d, request(time.Now(), "198.51.100.9", "/media/cache/y.php"))
		time.Sleep(time.Minute)
		synctest.Wait()
		if open() {
			t.Fatal("another file opens it again")
		}
		h.feed(d, request(time.Now(), "198.51.100.9", "/media/cache/x.php"))
		time.Sleep(time.Minute)
		synctest.Wait()
		if !open() {
			t.Error("the shell is asked for again, and the incident stays closed")
		}
	})
}
