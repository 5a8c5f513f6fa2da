package inlet

import (
	"errors"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// A shape says which fields of a message hold text, and which hold further messages. It is what mend must know of OTLP 1.x.
type shape uint8

const (
	otherShape shape = iota
	textShape
	recordShape
	resourceShape
	scopeShape
	pairShape
	valueShape
	listShape
	mapShape
)

// shapeOf returns the shape of a field.
func shapeOf(in shape, field protowire.Number) shape {
	type at struct {
		in    shape
		field protowire.Number
	}
	return map[at]shape{
		{recordShape, 3}: textShape, {recordShape, 5}: valueShape, {recordShape, 6}: pairShape, {recordShape, 12}: textShape,
		{resourceShape, 1}: pairShape,
		{scopeShape, 1}:    textShape, {scopeShape, 2}: textShape, {scopeShape, 3}: pairShape,
		{pairShape, 1}: textShape, {pairShape, 2}: valueShape,
		{valueShape, 1}: textShape, {valueShape, 5}: listShape, {valueShape, 6}: mapShape,
		{listShape, 1}: valueShape,
		{mapShape, 1}:  pairShape,
	}[at{in, field}]
}

var errDeep = errors.New("its messages lie too deep in each other")

// mend returns a message in which all text is UTF-8: what was none is U+FFFD.
func mend(b []byte, is shape, deep int) (out []byte, err error) {
	if deep == 0 {
		return nil, errDeep
	}
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		m := protowire.ConsumeFieldValue(field, kind, b[n:])
		if m < 0 {
			return nil, protowire.ParseError(m)
		}
		whole := b[:n+m]
		b = b[n+m:]
		inner := shapeOf(is, field)
		if kind != protowire.BytesType || inner == otherShape {
			out = append(out, whole...)
			continue
		}
		value, _ := protowire.ConsumeBytes(whole[n:])
		if inner == textShape {
			value = []byte(strings.ToValidUTF8(string(value), "\ufffd"))
		} else if value, err = mend(value, inner, deep-1); err != nil {
			return nil, err
		}
		out = protowire.AppendBytes(protowire.AppendTag(out, field, protowire.BytesType), value)
	}
	return out, nil
}
