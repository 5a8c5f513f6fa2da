package ui

// Programs lists what programs may ask. GET /api
var Programs = page[ProgramsView]("programs")

// ProgramsView is what Programs shows.
type ProgramsView struct {
	Frame
	Says     string
	Version  string
	Chapters []Chapter
}

// A Chapter is operations of one noun.
type Chapter struct {
	Name, Says, Href string
	Operations       []OperationLine
}

// An OperationLine is one operation in short.
type OperationLine struct {
	Method, Path, Says, Right, Href string
}

// ChapterPage documents the operations of a chapter. GET /api/{id}
var ChapterPage = page[ChapterView]("chapter")

// ChapterView is what ChapterPage shows.
type ChapterView struct {
	Frame
	Name, Says string
	Operations []Operation
}

// An Operation is one thing that a program may ask.
type Operation struct {
	ID, Method, Path string
	Says, About      string
	Right            string       // as the table of rights names it
	May              bool         // the reader has it
	Two, Once        bool         // a second person must approve; its answer is shown once
	Tables           []FieldTable // of what it takes and answers
	Answers          []Fact       // by status
	Curl             string
}

// A FieldTable is the fields of a part of a request, or of the answer.
type FieldTable struct {
	Caption, Label string
	Fields         []OperationField
}

// An OperationField is one field of a request or an answer.
type OperationField struct {
	Name, Type, Says string
	Must             bool
}
