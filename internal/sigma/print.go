package sigma

// Print writes a document as YAML: every key that it had, also those that this program does not know, in their order,
// without comments. Parsing what Print wrote gives the same document, but for places and Version.
func (d Document) Print() []byte {
	if m := d.Meta(); m != nil && m.root != nil {
		return []byte(m.root.Print())
	}
	return nil
}
