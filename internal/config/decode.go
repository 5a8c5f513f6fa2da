package config

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// A decoder walks the tree of a YAML file beside the fields of Config or Agent. The library's own decoder stops at the first
// problem; people mend a file faster when they see all.
type decoder struct {
	file     string
	problems []Problem
	places   map[string]place // of the values that were read, by key
	failed   map[string]bool  // keys whose value could not be read: nothing more is said of them
}

type place struct{ line, column int }

func placeOf(t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{}
	}
	return place{t.Position.Line, t.Position.Column}
}

func (d *decoder) wrong(at place, key, format string, args ...any) {
	says := fmt.Sprintf(format, args...)
	if key != "" {
		says = key + ": " + says
	}
	if d.failed != nil {
		d.failed[key] = true
	}
	d.problems = append(d.problems, Problem{File: d.file, Line: at.line, Column: at.column, Says: says})
}

// decode fills what c points to, a struct, from the file.
func (d *decoder) decode(data []byte, c any) {
	defer func() {
		if p := recover(); p != nil { // the YAML library is not ours: its panic is a broken file to us
			d.wrong(place{}, "", "the file cannot be read as YAML (%v)", p)
		}
	}()
	if len(data) > maxFile {
		d.wrong(place{}, "", "the file is longer than %d bytes: these are no settings", maxFile)
		return
	}
	f, err := parser.ParseBytes(data, 0)
	if err != nil {
		if s, ok := errors.AsType[*yaml.SyntaxError](err); ok {
			d.wrong(placeOf(s.Token), "", "this is not YAML: %s", s.Message)
			return
		}
		d.wrong(place{}, "", "this is not YAML: %v", err)
		return
	}
	bodies := 0
	for _, doc := range f.Docs {
		switch body := doc.Body.(type) {
		case nil, *ast.DirectiveNode, *ast.CommentGroupNode:
		default:
			if bodies++; bodies > 1 {
				d.wrong(start(body), "", `only one document fits in the file: remove "---" and what follows`)
				return
			}
			d.value("", body, reflect.ValueOf(c).Elem())
		}
	}
}

// value sets v from a node.
func (d *decoder) value(key string, n ast.Node, v reflect.Value) {
	at := start(n)
	d.places[key] = at
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		d.wrong(at, key, "anchors and aliases (& and *) are not known here: write the value itself")
		return
	case *ast.TagNode:
		d.wrong(at, key, "tags (!) are not known here: write the value alone")
		return
	}
	_, null := n.(*ast.NullNode)
	switch v.Kind() {
	case reflect.Struct:
		switch x := v.Addr().Interface().(type) {
		case *Network:
			d.network(key, n, x)
		case *Zone:
			d.zone(key, n, x)
		default:
			if !null {
				d.fields(key, n, v)
			}
		}
	case reflect.Slice:
		if _, list := n.(*ast.SequenceNode); !list && v.Type() == reflect.TypeFor[Files]() {
			one := reflect.New(v.Type().Elem()).Elem()
			if d.value(key, n, one); !d.failed[key] {
				v.Set(reflect.Append(v, one))
			}
			return
		}
		if !null {
			d.list(key, n, v)
		}
	case reflect.Map:
		if !null {
			d.table(key, n, v)
		}
	default:
		if null {
			d.wrong(at, key, "there is no value; remove the key for its default")
			return
		}
		d.scalar(key, n, v)
	}
}

// start returns where a node begins: a mapping at its first key.
func start(n ast.Node) place {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return placeOf(n.Values[0].Key.GetToken())
		}
	case *ast.MappingValueNode:
		return placeOf(n.Key.GetToken())
	}
	return placeOf(n.GetToken())
}

// kindOf says in words what a node is.
func kindOf(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a group of keys"
	case *ast.SequenceNode:
		return "a list"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.BoolNode:
		return "true or false"
	case *ast.NullNode:
		return "nothing"
	}
	return "text"
}

// pairs returns the keys of a mapping, or says that n is none.
func (d *decoder) pairs(key string, n ast.Node) []*ast.MappingValueNode {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	d.wrong(start(n), key, "keys are wanted here, each on its own line with a colon; this is %s", kindOf(n))
	return nil
}

// name returns the text of a key.
func (d *decoder) name(within string, n ast.MapKeyNode) (string, bool) {
	if s, ok := n.(*ast.StringNode); ok {
		return s.Value, true
	}
	if _, ok := n.(*ast.MergeKeyNode); ok {
		d.wrong(placeOf(n.GetToken()), within, "merging (<<) is not known here: write the keys themselves")
	} else {
		d.wrong(placeOf(n.GetToken()), within, "a key must be text; put quotes around it")
	}
	return "", false
}

func join(within, name string) string {
	if within == "" {
		return name
	}
	return within + "." + name
}

// fields sets the fields of a struct from a mapping.
func (d *decoder) fields(within string, n ast.Node, v reflect.Value) {
	names := keysOf(v.Type())
	for _, pair := range d.pairs(within, n) {
		name, ok := d.name(within, pair.Key)
		if !ok {
			continue
		}
		i := slices.Index(names, name)
		if i < 0 {
			d.wrong(placeOf(pair.Key.GetToken()), within, "unknown key %q; %s", name, advise(name, within, names))
			continue
		}
		d.value(join(within, name), pair.Value, v.Field(i))
	}
}

// keysOf returns the names of a struct's fields, in order.
func keysOf(t reflect.Type) []string {
	names := make([]string, t.NumField())
	for i := range names {
		names[i] = t.Field(i).Tag.Get("yaml")
	}
	return names
}

func (d *decoder) list(key string, n ast.Node, v reflect.Value) {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		d.wrong(start(n), key, `a list is wanted here, each value on a line of its own after "- "; this is %s`, kindOf(n))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(s.Values), len(s.Values)))
	for i, x := range s.Values {
		d.value(fmt.Sprintf("%s[%d]", key, i+1), x, v.Index(i))
	}
}

func (d *decoder) table(key string, n ast.Node, v reflect.Value) {
	pairs := d.pairs(key, n)
	if len(pairs) == 0 {
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, pair := range pairs {
		if name, ok := d.name(key, pair.Key); ok {
			x := reflect.New(v.Type().Elem()).Elem()
			d.value(join(key, name), pair.Value, x)
			v.SetMapIndex(reflect.ValueOf(name), x)
		}
	}
}

// scalar sets a text, number, truth value or time.
func (d *decoder) scalar(key string, n ast.Node, v reflect.Value) {
	at := start(n)
	if t, ok := v.Addr().Interface().(*Duration); ok {
		text, ok := textOf(n)
		if !ok {
			d.wrong(at, key, `a time is wanted here, such as 90s, 5m, 24h or 30d; this is %s`, kindOf(n))
			return
		}
		x, err := ParseDuration(text)
		if text == "never" && (strings.HasPrefix(key, "silent") || key == "agents.lost_after" || key == "test_calls") {
			x, err = 0, nil
		}
		if err != nil {
			d.wrong(at, key, "%v", err)
			return
		}
		*t = Duration(x)
		return
	}
	if t, ok := v.Addr().Interface().(*Size); ok {
		text, ok := textOf(n)
		if !ok {
			d.wrong(at, key, `a size is wanted here, such as 500MB or 20GB; this is %s`, kindOf(n))
			return
		}
		x, err := ParseSize(text)
		if err != nil {
			d.wrong(at, key, "%v", err)
			return
		}
		*t = Size(x)
		return
	}
	switch v.Kind() {
	case reflect.String:
		text, ok := textOf(n)
		switch {
		case !ok:
			d.wrong(at, key, "text is wanted here; this is %s", kindOf(n))
			return
		case kindOf(n) != "text":
			d.wrong(at, key, "text is wanted here, and without quotes this is %s: write %q", kindOf(n), text)
			return
		}
		if strings.TrimSpace(text) != text || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			d.wrong(at, key, "the text begins or ends with white space, or holds a line end or control character: %q", text)
			return
		}
		v.SetString(text)
	case reflect.Int:
		text, _ := textOf(n)
		x, err := strconv.Atoi(text)
		if _, number := n.(*ast.IntegerNode); !number || err != nil {
			d.wrong(at, key, "a whole number is wanted here; this is %s", kindOf(n))
			return
		}
		v.SetInt(int64(x))
	case reflect.Bool:
		b, ok := n.(*ast.BoolNode)
		if !ok {
			d.wrong(at, key, "true or false is wanted here; this is %s", kindOf(n))
			return
		}
		v.SetBool(b.Value)
	default:
		panic("config: internal error: a field of type " + v.Type().String())
	}
}

// textOf returns the text of a scalar as it stands in the file.
func textOf(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// network reads an address, which is a network of its own, or a network.
func (d *decoder) network(key string, n ast.Node, p *Network) {
	text, ok := textOf(n)
	if !ok {
		d.wrong(start(n), key, "an address or network is wanted here, such as 203.0.113.7 or 2001:db8::/32; this is %s", kindOf(n))
		return
	}
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		*p = Network(netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()))
		return
	}
	x, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		d.wrong(start(n), key, "%q is no address or network; write 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32", text)
	case x != x.Masked():
		d.wrong(start(n), key, "%q is an address inside a network; write %s for the network or %s for the address", text, x.Masked(), x.Addr())
	case x.Bits() == 0:
		d.wrong(start(n), key, "%s is every address there is", x)
	default:
		*p = Network(x)
	}
}

// zone reads a name of the IANA time zone database.
func (d *decoder) zone(key string, n ast.Node, z *Zone) {
	text, _ := textOf(n)
	l, err := time.LoadLocation(text)
	if text == "" || err != nil || strings.EqualFold(text, "local") {
		d.wrong(start(n), key, "%q is no time zone; write UTC or a name such as Europe/Berlin", text)
		return
	}
	z.Location = l
}
