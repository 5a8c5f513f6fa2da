package main_test

import (
	"go/build"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// licences are those that may be linked into a program under Apache-2.0, with words that their text has.
var licences = map[string]string{
	"Apache-2.0":   "Apache License",
	"BSD-2-Clause": "Redistribution and use in source and binary forms",
	"BSD-3-Clause": "Neither the name of",
	"CC0-1.0":      "CC0 1.0",
	"ISC":          "ISC",
	"MIT":          "Permission is hereby granted, free of charge",
	"MPL-2.0":      "Mozilla Public License",
}

// TestLicences: THIRD_PARTY.md names every module of go.mod and no other, each with a licence that may be linked; and where the module
// is on this machine, its text is of that licence.
func TestLicences(t *testing.T) {
	text, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		t.Fatal(err)
	}
	named := thirdParty(t)
	var required []string
	for _, r := range mod.Require {
		required = append(required, r.Mod.Path)
		licence, ok := named[r.Mod.Path]
		if !ok {
			t.Errorf("THIRD_PARTY.md does not name %s", r.Mod.Path)
			continue
		}
		words, ok := licences[licence]
		if !ok {
			t.Errorf("THIRD_PARTY.md gives %s the licence %q, which is not one that may be linked", r.Mod.Path, licence)
			continue
		}
		if kept, ok := licenceText(t, r.Mod); ok && !strings.Contains(kept, words) {
			t.Errorf("the licence of %s %s does not read like %s", r.Mod.Path, r.Mod.Version, licence)
		}
	}
	for m := range named {
		if !slices.Contains(required, m) {
			t.Errorf("THIRD_PARTY.md names %s, which go.mod does not", m)
		}
	}
}

// thirdParty reads the rows "| `module` | licence | ..." of THIRD_PARTY.md.
func thirdParty(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("THIRD_PARTY.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]string{}
	for l := range strings.Lines(string(text)) {
		cells := strings.Split(l, "|")
		if len(cells) < 4 || !strings.HasPrefix(strings.TrimSpace(cells[1]), "`") {
			continue
		}
		named[strings.Trim(cells[1], " `")] = strings.TrimSpace(cells[2])
	}
	return named
}

// licenceText returns the licence file of a module as it lies in the module cache.
func licenceText(t *testing.T, v module.Version) (string, bool) {
	t.Helper()
	cache := os.Getenv("GOMODCACHE")
	if cache == "" {
		cache = filepath.Join(filepath.SplitList(build.Default.GOPATH)[0], "pkg", "mod")
	}
	p, err := module.EscapePath(v.Path)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"LICENSE", "LICENSE.txt", "LICENSE.md", "COPYING"} {
		if text, err := os.ReadFile(filepath.Join(cache, filepath.FromSlash(p)+"@"+v.Version, name)); err == nil {
			return string(text), true
		}
	}
	return "", false
}
