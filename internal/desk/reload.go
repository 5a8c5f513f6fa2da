package desk

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"tocsin/internal/detect"
	"tocsin/internal/disk"
	"tocsin/internal/intake"
	"tocsin/internal/sigma"
)

// # Rules that change while they are used
//
// A folder that is read again may hold a rule that is broken now: half written, or wrong. Detection goes on with the last
// good one of that file, because a slip of the pen must not blind it, and says so (RuleSet.Kept) until the file is
// mended. What stands in is decided by document:
//
//   - a rule that was good and is refused now stays as it was;
//   - where a broken document does not say which rule it is, every rule of the file stays that the file has no more;
//   - a rule that a file without a fault has no more is gone.
//
// A rule that is refused because of others (a missing rule, a ring of correlations) is likewise taken as it was.

// Reload reads the folders as LoadRules does, and lets the rules of s stand in for those that are broken now. On an error s is
// what goes on.
func (s RuleSet) Reload(folders ...fs.FS) (RuleSet, error) {
	set := RuleSet{Texts: map[string]string{}}
	files, err := set.read(folders)
	if err != nil {
		return set, err
	}
	set.build(s, files)
	if len(set.Rules.Documents()) == 0 {
		return set, errors.New("no rule could be loaded")
	}
	return set, nil
}

// build makes a set of files, with what of last stands in for what is broken.
func (s *RuleSet) build(last RuleSet, files []detect.File) {
	docs := make([]sigma.Document, 0, len(last.good))
	s.parsed = map[[sha256.Size]byte]parsed{}
	for _, f := range files {
		key := sha256.Sum256(append([]byte(f.Name+"\x00"), f.Data...))
		x, same := last.parsed[key]
		if !same {
			got, err := sigma.Parse(f.Name, f.Data)
			x = parsed{got, detect.Refusals(err)}
		}
		s.parsed[key] = x
		docs = append(docs, x.docs...)
		s.Refused = append(s.Refused, x.refused...)
	}
	docs = append(docs, s.standIns(last, docs)...)
	s.join(last, docs)
	for _, r := range s.Kept { // the page of a rule shows the text that is in use
		if old, ok := last.Texts[r.File]; ok {
			s.Texts[r.File] = old
		}
	}
	faulty := map[string]bool{}
	for _, r := range slices.Concat(s.Refused, s.Kept) {
		faulty[r.File] = true
	}
	s.sound = map[string]string{}
	for _, f := range files {
		if !faulty[f.Name] {
			s.sound[f.Name] = string(f.Data)
		} else if old, ok := last.sound[f.Name]; ok {
			s.sound[f.Name] = old
		}
	}
}

// rulesFile holds the rule files as they were when they were without a fault last, so that a start with a broken one knows the old
// rules. It is derived: without it that file's rules do not watch until it is mended.
const rulesFile = "derived/rules"

// saveRules writes the sound texts.
func (d *Desk) saveRules(set *RuleSet) {
	b, err := json.Marshal(set.sound)
	if err == nil {
		err = disk.Replace(d.o.Data, rulesFile, b)
	}
	if err != nil {
		d.log.Error("saving the rules that work: a start with a broken file will not know its old ones", "because", err)
	}
}

// firstRules are the rules as loaded for this start. Where files are broken, those of the last start stand in.
func (d *Desk) firstRules() RuleSet {
	set := d.o.Folders.Set
	if len(set.Refused) == 0 {
		return set
	}
	var texts map[string]string
	b, err := disk.ReadFile(d.o.Data, rulesFile)
	if err == nil {
		err = json.Unmarshal(b, &texts)
	}
	if err != nil {
		return set // of a first start, as a rule
	}
	last := RuleSet{Texts: texts}
	var files []detect.File
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		files = append(files, detect.File{Name: name, Data: []byte(texts[name])})
	}
	last.build(RuleSet{}, files)
	again, err := last.Reload(d.o.Folders.All...)
	if err != nil {
		return set // that could be read a moment ago
	}
	for _, r := range again.Kept {
		d.log.Warn("a rule is broken: the old one stays", "file", r.File, "line", r.Line, "rule", r.Rule, "feature", r.Feature, "why", r.Why)
	}
	return again
}

// read reads the files, and notes what they hold and which of them cannot be read.
func (s *RuleSet) read(folders []fs.FS) (files []detect.File, err error) {
	h := sha256.New()
	for n, folder := range folders {
		err := fs.WalkDir(folder, ".", func(name string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if !ruleFile(name) || e.IsDir() {
				return nil
			}
			s.Files++
			b, err := readRules(folder, name)
			fmt.Fprintf(h, "%d %q %d %v\n", n, name, len(b), err)
			if err != nil {
				s.Refused = append(s.Refused, detect.Refused{File: name, Feature: "file", Why: err.Error()})
				return nil
			}
			h.Write(b)
			files = append(files, detect.File{Name: name, Data: b})
			s.Texts[name] = string(b)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("reading a rules folder: %w", err)
		}
	}
	s.print = hex.EncodeToString(h.Sum(nil))
	return files, nil
}

// ruleBytes is how much of a rule file is read: package sigma refuses less by its size.
const ruleBytes = 8 << 20

// readRules reads a rule file. What is no file, as a pipe, could hold the program up for ever; a link to a device could fill its memory.
func readRules(folder fs.FS, name string) ([]byte, error) {
	stat, err := fs.Stat(folder, name)
	if err != nil {
		return nil, err
	}
	if !stat.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	f, err := folder.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, ruleBytes))
}

// ruleFile reports whether a file of this name is read for rules.
func ruleFile(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	return ext == ".yml" || ext == ".yaml"
}

// standIns returns the rules of last that stay because their file is broken: docs is what could be read of all files.
// What was refused for that reason counts as kept.
func (s *RuleSet) standIns(last RuleSet, docs []sigma.Document) (out []sigma.Document) {
	var refused []detect.Refused
	taken := map[string]bool{}
	for _, r := range s.Refused {
		stays := false
		for _, d := range last.good {
			m := d.Meta()
			if m.File != r.File || !mayBe(r, m, last) || slices.ContainsFunc(docs, sameKey(m)) {
				continue
			}
			stays = true
			if !taken[m.Key()] {
				taken[m.Key()] = true
				out = append(out, d)
			}
		}
		if stays {
			s.Kept = append(s.Kept, r)
		} else {
			refused = append(refused, r)
		}
	}
	s.Refused = refused
	return out
}

// mayBe reports whether a refused document may be a newer text of a rule of its file: it is named so, or no rule that the file
// had is.
func mayBe(r detect.Refused, m *sigma.Meta, last RuleSet) bool {
	names := func(m *sigma.Meta) bool {
		return r.Rule != "" && slices.Contains([]string{m.Key(), m.ID, m.Name, m.Title}, r.Rule)
	}
	return names(m) || !slices.ContainsFunc(last.good, func(d sigma.Document) bool { return d.Meta().File == r.File && names(d.Meta()) })
}

func sameKey(m *sigma.Meta) func(sigma.Document) bool {
	return func(d sigma.Document) bool { return d.Meta().Key() == m.Key() }
}

// join loads documents as a set. One that does not fit the others is replaced by what it was in last, if that fits.
func (s *RuleSet) join(last RuleSet, docs []sigma.Document) {
	for again := true; again; {
		again = false
		rules, refused, warned := detect.Load(docs, intake.Sources()...)
		for _, r := range refused {
			i := slices.IndexFunc(docs, at(r))
			if i < 0 {
				continue
			}
			m := docs[i].Meta()
			old := slices.IndexFunc(last.good, func(d sigma.Document) bool {
				o := d.Meta()
				return o.File == m.File && o.Key() == m.Key() && o.Version != m.Version
			})
			if old >= 0 { // its version is last's from now on, so this ends
				docs[i], again = last.good[old], true
				s.Kept = append(s.Kept, r)
			}
		}
		if again {
			continue
		}
		s.Rules, s.Warned = rules, warned
		s.Refused = append(s.Refused, refused...)
		s.Kept = slices.DeleteFunc(s.Kept, func(k detect.Refused) bool { // what does not fit as it was, either
			return slices.ContainsFunc(refused, func(r detect.Refused) bool { return r.File == k.File && r.Rule == k.Rule })
		})
		s.good = slices.DeleteFunc(docs, func(d sigma.Document) bool {
			return slices.ContainsFunc(refused, func(r detect.Refused) bool { return at(r)(d) })
		})
	}
}

// at finds the document that was refused when rules were joined.
func at(r detect.Refused) func(sigma.Document) bool {
	return func(d sigma.Document) bool {
		m := d.Meta()
		return m.File == r.File && m.Line == r.Line && m.Key() == r.Rule
	}
}
