package record

import "strconv"

// A Kind is the type of a value.
type Kind uint8

const (
	KindText Kind = iota
	KindInt
	KindFloat
	KindBool
)

// A Value is one typed value. Text is always set: it is what the line said.
type Value struct {
	Text  string
	Kind  Kind
	Int   int64   // of KindInt; of KindBool 0 or 1
	Float float64 // of KindInt and KindFloat
}

// Text returns a text value.
func Text(s string) Value { return Value{Text: s} }

// Int returns a whole number, with the text that the line had for it.
func Int(n int64, text string) Value {
	return Value{Text: text, Kind: KindInt, Int: n, Float: float64(n)}
}

// Float returns a number, with the text that the line had for it.
func Float(x float64, text string) Value {
	return Value{Text: text, Kind: KindFloat, Float: x}
}

// Bool returns a truth value.
func Bool(b bool) Value {
	v := Value{Text: strconv.FormatBool(b), Kind: KindBool}
	if b {
		v.Int = 1
	}
	return v
}
