package query

// What a text may ask for, and what an answer may hold. The bounds are far above what people write; they are there for links and for the API.
const (
	MaxText     = 4096  // bytes of a query, as written and as printed
	maxDepth    = 40    // conditions within conditions
	maxNesting  = 120   // "(", "-" and "not" within each other, as written
	maxLeaves   = 256   // of a condition
	maxPrograms = 2000  // instructions of all regular expressions together
	maxStages   = 8     //
	maxBy       = 5     // fields that a stage groups by
	maxColumns  = 20    // fields that a line is shown with
	maxTop      = 1000  // rows of top and rare
	maxRows     = 10000 // lines that are listed, and what head and tail may ask for
)
