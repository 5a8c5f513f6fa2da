package main_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// layers is the import map: each package of ours, and which others of ours it may import; * marks packages that decide. It is
// policy: change section 4 of doc/design.md first, with the reason. A package that is named here need not exist yet; one
// that exists must be named here.
const layers = `
	entry    * :
	record   * :
	disk       :
	manifest   :
	ui         :
	chat       :
	notify     : envelope
	room       :
	envelope   :
	voice      :
	client     :
	cert       :
	query    * : record
	tree     * :
	tlp      * :
	sigma    * : record tree
	playbook * : entry tree
	cacao    * : entry playbook tree

	vault      : disk
	scratch    : disk
	config     : disk
	ledger     : entry disk
	archive    : record disk
	shelf      : record disk
	search     : record query shelf
	inlet      : record
	intake     : record

	detect   * : record sigma
	trace    * : record

	rota     * : entry

	auth     * : entry
	plan     * : entry rota
	hook     * : entry
	tuning   * : entry
	fleet    * : entry
	report   * : entry
	letterbox  : report
	contain  * : entry
	review   * : entry
	incident * : entry plan tlp
	oncall   * : entry plan rota
	breach   * : entry plan
	contact  * : entry
	exchange * : entry incident

	signin     : auth scratch
	guard      : manifest record disk
	backup     : vault manifest disk
	evidence   : vault manifest disk
	hub        : record contain entry
	agent      : record manifest contain entry inlet disk guard backup evidence

	desk       : entry record disk manifest notify hook envelope chat voice room sigma vault scratch ledger archive shelf search query inlet intake detect trace auth plan playbook cacao tlp tuning fleet report letterbox contain review incident rota oncall breach contact dossier exchange signin guard backup evidence hub agent

	dossier  * : entry incident contain oncall breach plan report review playbook
	drill      : desk record FACE
	api        : desk auth dossier drill client FACE
	web        : desk auth dossier drill ui signin agent intake letterbox FACE
	cli        : desk hub inlet cert config client api web dossier drill disk notify envelope voice intake FACE

	main             : cli
	cmd/tocsin-agent : agent config

	counterpart :
	bench       : TEST
	soak        : TEST
`

// counterpart starts the real programs that tests talk to: only tests import it, and it alone of what is no test imports testing.
// FACE in the map stands for every package that decides (for its types and pure functions), TEST for everything: only
// programs that measure may, and nothing imports them.

// stdlib is what a package that decides may import of the standard library: nothing in it has a clock, chance, a file,
// a network, a logger or a process, but for what impure names.
var stdlib = strings.Fields(`
	bytes cmp container/heap container/list crypto/ed25519 crypto/hmac crypto/sha256 crypto/subtle
	encoding/base32 encoding/base64 encoding/binary encoding/gob encoding/hex encoding/json errors fmt hash hash/fnv html io iter
	maps math math/big math/bits net/netip net/url path regexp regexp/syntax slices sort strconv strings text/template
	time unicode unicode/utf16 unicode/utf8
`)

// outside is what a package that decides may import of other modules.
var outside = map[string][]string{
	"entry": {"golang.org/x/mod/sumdb/note", "golang.org/x/mod/sumdb/tlog"},
	"tree":  {"github.com/goccy/go-yaml", "github.com/goccy/go-yaml/ast", "github.com/goccy/go-yaml/parser"},
	// embed for the font; archive/zip writes a DOCX file, and fpdf a PDF file, into memory: neither is given a name of a file
	"dossier": {"archive/zip", "embed", "text/template/parse", "codeberg.org/go-pdf/fpdf", "golang.org/x/mod/sumdb/note"},
	"sigma":   {"unsafe"}, // unsafe only to tell where in a line a value stands, and to look at bytes as text
}

// impure is what a package that decides may not use of a package that it may import.
var impure = map[string][]string{
	"time":                        {"Now", "Since", "Until", "Sleep", "After", "Tick", "NewTimer", "NewTicker", "AfterFunc", "Local", "LoadLocation"},
	"fmt":                         {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
	"crypto/ed25519":              {"GenerateKey"},
	"golang.org/x/mod/sumdb/note": {"GenerateKey"},
	"text/template":               {"ParseFiles", "ParseGlob", "ParseFS"},
	"archive/zip":                 {"OpenReader"},
	"codeberg.org/go-pdf/fpdf":    {"SetDefaultCreationDate", "SetDefaultModificationDate"},
}

// forbidden are the words that name nothing (doc/design.md, section 1).
var forbidden = strings.Fields("event info item manager service controller helper util common core engine")

// A source is one Go file of ours.
type source struct {
	name  string // from the module's folder
	pkg   string // as the map names it
	test  bool
	text  string
	fset  *token.FileSet
	ast   *ast.File
	lines int
}

// sources reads every Go file of the module.
func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if d.IsDir() {
			base := path.Base(name)
			if base == "testdata" || base == "vendor" || base == "bin" || name != "." && strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
				return filepath.SkipDir
			}
			return nil
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		s := source{name: name, test: strings.HasSuffix(name, "_test.go"), text: string(text), fset: token.NewFileSet(), lines: strings.Count(string(text), "\n")}
		s.pkg = strings.TrimPrefix(path.Dir(name), "internal/")
		if s.pkg == "." {
			s.pkg = "main"
		}
		s.ast, err = parser.ParseFile(s.fset, name, text, parser.ParseComments)
		out = append(out, s)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// readLayers reads the map, with FACE and TEST resolved.
func readLayers(t *testing.T) (allowed map[string][]string, pure map[string]bool) {
	t.Helper()
	allowed, pure = map[string][]string{}, map[string]bool{}
	var deciding, all []string
	for l := range strings.Lines(layers) {
		left, right, ok := strings.Cut(l, ":")
		if !ok {
			continue
		}
		f := strings.Fields(left)
		name := f[0]
		if _, twice := allowed[name]; twice {
			t.Fatalf("the map names %s twice", name)
		}
		allowed[name] = strings.Fields(right)
		all = append(all, name)
		if pure[name] = len(f) == 2; pure[name] {
			deciding = append(deciding, name)
		}
	}
	for name, list := range allowed {
		if slices.Contains(list, "FACE") {
			allowed[name] = append(list, deciding...)
		}
		if slices.Contains(list, "TEST") {
			allowed[name] = all
		}
		for _, to := range list {
			if _, known := allowed[to]; !known && to != "FACE" && to != "TEST" {
				t.Errorf("the map lets %s import %s, which it does not name", name, to)
			}
			if pure[name] && !pure[to] {
				t.Errorf("the map lets %s, which decides, import %s, which does not", name, to)
			}
		}
	}
	return allowed, pure
}

// TestLayers holds every file against the import map. Tests may import what they need.
func TestLayers(t *testing.T) {
	allowed, pure := readLayers(t)
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		if _, ok := allowed[s.pkg]; !ok {
			t.Errorf("%s: package %s is not in the map (section 4 of doc/design.md)", s.name, s.pkg)
			continue
		}
		for _, spec := range s.ast.Imports {
			p, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			to, ours := strings.CutPrefix(p, "tocsin/")
			to = strings.TrimPrefix(to, "internal/")
			switch {
			case ours && !slices.Contains(allowed[s.pkg], to):
				t.Errorf("%s: %s may not import %s", s.name, s.pkg, to)
			case ours || !pure[s.pkg]:
			case !slices.Contains(stdlib, p) && !slices.Contains(outside[s.pkg], p):
				t.Errorf("%s: %s decides, so it may not import %s", s.name, s.pkg, p)
			case spec.Name != nil && (spec.Name.Name == "." || spec.Name.Name == "_"):
				t.Errorf("%s: %s decides, so it imports %s under a name", s.name, s.pkg, p)
			default:
				for _, found := range uses(s, spec, p) {
					t.Errorf("%s: %s decides, so it may not use %s", s.name, s.pkg, found)
				}
			}
		}
		if pure[s.pkg] {
			for _, found := range localTimes(s) {
				t.Errorf("%s: %s decides, so it may not use the machine's time zone", found, s.pkg)
			}
		}
	}
}

// uses returns where s uses an impure name of the package p.
func uses(s source, spec *ast.ImportSpec, p string) (found []string) {
	local := path.Base(p)
	if spec.Name != nil {
		local = spec.Name.Name
	}
	ast.Inspect(s.ast, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == local && slices.Contains(impure[p], sel.Sel.Name) {
				found = append(found, fmt.Sprintf("%s.%s (%s)", p, sel.Sel.Name, s.fset.Position(sel.Pos())))
			}
		}
		return true
	})
	return found
}

// localTimes returns where s calls a method Local: time.Time's shows the zone of the machine.
func localTimes(s source) (found []string) {
	ast.Inspect(s.ast, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && len(call.Args) == 0 {
			if sel, ok := call.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Local" {
				found = append(found, s.fset.Position(call.Pos()).String())
			}
		}
		return true
	})
	return found
}

// TestWords holds the names of packages and of exported types and functions against the word list. Names of tests are free:
// they may be Sigma's terms.
func TestWords(t *testing.T) {
	for _, s := range sources(t) {
		if w := forbiddenIn(strings.TrimSuffix(s.ast.Name.Name, "_test")); w != "" {
			t.Errorf("%s: the package's name has the word %q", s.name, w)
		}
		if s.test {
			continue
		}
		for _, d := range s.ast.Decls {
			var names []*ast.Ident
			switch d := d.(type) {
			case *ast.FuncDecl:
				names = append(names, d.Name)
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if ts, ok := spec.(*ast.TypeSpec); ok {
						names = append(names, ts.Name)
					}
				}
			}
			for _, n := range names {
				if w := forbiddenIn(n.Name); w != "" && n.IsExported() {
					t.Errorf("%s: %s has the word %q", s.fset.Position(n.Pos()), n.Name, w)
				}
			}
		}
	}
}

// forbiddenIn returns the forbidden word among the words of a name in camel case, "" when there is none.
func forbiddenIn(name string) string {
	var words []string
	begin := 0
	for i, r := range name {
		if i > 0 && unicode.IsUpper(r) {
			words = append(words, name[begin:i])
			begin = i
		}
	}
	for _, w := range append(words, name[begin:]) {
		w = strings.ToLower(w)
		if slices.Contains(forbidden, w) || slices.Contains(forbidden, strings.TrimSuffix(w, "s")) {
			return w
		}
	}
	return ""
}

// TestHouse holds every file against the rules that a machine can check: at most 700 lines, no func init, a package comment,
// nothing unfinished, and no test's words in the program.
func TestHouse(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range sources(t) {
		if s.lines > 700 {
			t.Errorf("%s has %d lines; a file has at most 700", s.name, s.lines)
		}
		for _, d := range s.ast.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: no func init: what runs is called", s.fset.Position(f.Pos()))
			}
		}
		for _, g := range s.ast.Comments {
			for _, word := range []string{"TO" + "DO", "FIX" + "ME", "X" + "XX"} {
				if strings.Contains(g.Text(), word) {
					t.Errorf("%s: %s", s.fset.Position(g.Pos()), word)
				}
			}
		}
		if s.test {
			continue
		}
		documented[path.Dir(s.name)] = documented[path.Dir(s.name)] || s.ast.Doc != nil
		for _, spec := range s.ast.Imports {
			if spec.Path.Value == `"testing"` && s.pkg != "counterpart" {
				t.Errorf("%s: the program does not import testing", s.name)
			}
		}
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s: the package has no comment that says what it is", dir)
		}
	}
}
