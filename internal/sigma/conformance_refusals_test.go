package sigma

import (
	"slices"
	"strings"
	"testing"
)

const refusalHead = "title: c\nid: c1\nlogsource: {category: application}\n"

// filterText is a filter document with lines of its own; correlationText a correlation's section.
func filterText(section string) string {
	return "title: c\nid: c1\nlogsource: {category: application}\nfilter: " + section + "\n"
}

func correlationText(section string) string {
	return "title: c\nid: c1\ncorrelation: {" + section + "}\n"
}

const detectionText = "detection: {s: {f: 1}, condition: s}\n"

var refusals = []refusal{
	// what makes a document
	{"rules: Yaml File", "title: c\n\tx: y\n", "YAML"},
	{"rules: Yaml File", "title: c\nx: [1\n", "YAML"},
	{"rules: Yaml File", "title: \xff\n", "YAML"},
	{"rules: Yaml File", "title: c\ntitle: d\n", "YAML"},
	{"rules: Yaml File", "title: &a [x]\nx: *a\n", "YAML"},
	{"rules: Yaml File", "title: c\na: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n", "YAML"},
	{"rules: Yaml File", "title: c\nx: !!binary YQ==\n", "YAML"},
	{"rules: Yaml File", "title: c\nx: " + strings.Repeat("[", 2000) + "\n", "YAML"},
	{"rules: Yaml File", "title: c\nx: " + strings.Repeat("{a: ", 300) + strings.Repeat("}", 300) + "\n", "YAML"},
	{"rules: Yaml File", "- title: c\n", "document"},
	{"rules: File Structure", refusalHead + detectionText + "correlation: {}\n", "document"},
	{"rules: File Structure", refusalHead + detectionText + "filter: {}\n", "document"},
	{"rules: File Structure", "title: c\naction: global\n", "action"},
	{"rules: Title", "title:\nid: c1\nlogsource: {category: application}\n" + detectionText, "title"},
	{"rules: Title", "title: " + strings.Repeat("ä", 257) + "\nlogsource: {category: application}\n" + detectionText, "title"},
	{"rules: Title", "title: [a]\nid: c1\nlogsource: {category: application}\n" + detectionText, "title"},
	{"rules: Status", refusalHead + "status: testing\n" + detectionText, "status"},
	{"rules: Level", refusalHead + "level: hihg\n" + detectionText, "level"},
	{"rules: Level", refusalHead + "level: 3\n" + detectionText, "level"},
	{"rules: Taxonomy", refusalHead + "taxonomy: ecs\n" + detectionText, "taxonomy"},
	{"rules: Identification", refusalHead + "related: {id: x, type: derived}\n" + detectionText, "related"},
	{"rules: Identification", refusalHead + "related: [{id: x, type: copied}]\n" + detectionText, "type"},
	{"rules: Identification", refusalHead + "related: [{type: derived}]\n" + detectionText, "related"},
	{"rules: Tags", refusalHead + "tags: [{a: b}]\n" + detectionText, "tags"},
	{"rules: Fields", refusalHead + "fields: {a: b}\n" + detectionText, "fields"},
	{"rules: LogSource", "title: c\n" + detectionText, "logsource"},
	{"rules: LogSource", "title: c\nlogsource: webserver\n" + detectionText, "logsource"},
	{"rules: LogSource", "title: c\nlogsource: {definition: x}\n" + detectionText, "logsource"},
	{"rules: LogSource", "title: c\nlogsource: {category: Webserver}\n" + detectionText, "logsource"},
	{"rules: LogSource", "title: c\nlogsource: {product: check point fw1}\n" + detectionText, "logsource"},
	{"rules: LogSource", "title: c\nlogsource: {category: [webserver]}\n" + detectionText, "category"},
	{"rules: Detection", refusalHead, "detection"},
	{"rules: Detection", refusalHead + "detection: [a]\n", "detection"},
	{"rules: Detection", refusalHead + "detection: {condition: s}\n", "condition"},
	{"rules: Detection", refusalHead + "detection: {s: {f: 1}}\n", "condition"},

	// selections
	{"rules: Lists", "s: []\ncondition: s", "empty list"},
	{"rules: Lists", "s: [[a]]\ncondition: s", "list in a list"},
	{"rules: Maps", "s: {}\ncondition: s", "empty map"},
	{"rules: Maps", "s: {f: []}\ncondition: s", "empty list"},
	{"rules: Maps", "s: {f: {g: 1}}\ncondition: s", "value"},
	{"rules: Maps", "s: {f: [[1]]}\ncondition: s", "value"},
	{"rules: Maps", "s: {'': a}\ncondition: s", "field"},
	{"rules: Maps", "s: null\ncondition: s", "selection"},
	{"rules: Maps", "s: true\ncondition: s", "selection"},
	{"rules: Special Field Values", "s: {f: [a, null]}\ncondition: s", "null in a list"},
	{"rules: Special Field Values", "s: {f|contains: null}\ncondition: s", "null"},
	{"rules: Keywords search", "s: [null]\ncondition: s", "null"},
	{"rules: Keywords search", "s: ['']\ncondition: s", "keyword"},
	{"rules: Field Usage", "title: c\nlogsource: {category: webserver}\ndetection: {s: {cs-uri-qery: a}, condition: s}\n", "field cs-uri-qery"},
	{"rules: Field Usage", "title: c\nlogsource: {category: proxy}\ndetection: {s: {c-usragent: a}, condition: s}\n", "field c-usragent"},

	// modifiers
	{"modifiers: Generic", "s: {f|contians: a}\ncondition: s", "modifier contians"},
	{"modifiers: Generic", "s: {f|Contains: a}\ncondition: s", "modifier Contains"},
	{"modifiers: Generic", "s: {'f|': a}\ncondition: s", "modifier "},
	{"modifiers: Generic", "s: {f|contains|all: [a]}\ncondition: s", "modifier all"},
	{"modifiers: Generic", "s: {f|contains|all: a}\ncondition: s", "modifier all"},
	{"modifiers: Generic", "s: {'|all': a}\ncondition: s", "modifier all"},
	{"modifiers: Generic", "s: {f|exists: yes}\ncondition: s", "modifier exists"},
	{"modifiers: Generic", "s: {f|exists: 1}\ncondition: s", "modifier exists"},
	{"modifiers: Generic", "s: {f|exists|neq: true}\ncondition: s", "modifier exists"},
	{"modifiers: Generic", "s: {'|exists': true}\ncondition: s", "modifier"},
	{"modifiers: Generic", "s: {'|startswith': a}\ncondition: s", "modifier startswith"},
	{"modifiers: Generic", "s: {f|cased|re: a}\ncondition: s", "modifier cased"},
	{"modifiers: String", "s: {f|windash|wide: -a}\ncondition: s", "modifier windash"},
	{"modifiers: String", "s: {f|windash|re: -a}\ncondition: s", "modifier windash"},
	{"modifiers: Regular Expression", "s: {f|re: 'a(?=b)'}\ncondition: s", "regular expression"},
	{"modifiers: Regular Expression", "s: {f|re: 'a(?!b)'}\ncondition: s", "regular expression"},
	{"modifiers: Regular Expression", "s: {f|re: '(?<=a)b'}\ncondition: s", "regular expression"},
	{"modifiers: Regular Expression", "s: {f|re: '(a)\\1'}\ncondition: s", "regular expression"},
	{"modifiers: Regular Expression", "s: {f|re: '(?>a)'}\ncondition: s", "regular expression"},
	{"modifiers: Regular Expression", "s: {f|re: 'a++'}\ncondition: s", "regular expression"},
	{"modifiers: Regular Expression", "s: {f|re: '(a'}\ncondition: s", "regular expression"},
	{"modifiers: Regular Expression", "s: {f|re: 'a{2,1}'}\ncondition: s", "regular expression"},
	{"modifiers: Regular Expression", "s: {f|re: '(x{1000}){1000}'}\ncondition: s", "regular expression"},
	{"modifiers: Regular Expression", "s: {f|re: null}\ncondition: s", "modifier re"},
	{"modifiers: Regular Expression", "s: {f|re|contains: a}\ncondition: s", "modifier contains"},
	{"modifiers: Regular Expression", "s: {f|base64|re: a}\ncondition: s", "modifier base64"},
	{"modifiers: re sub-modifiers", "s: {f|i: a}\ncondition: s", "modifier i"},
	{"modifiers: re sub-modifiers", "s: {f|i|re: a}\ncondition: s", "modifier i"},
	{"modifiers: re sub-modifiers", "s: {f|re|x: a}\ncondition: s", "modifier x"},
	{"modifiers: Encoding", "s: {f|base64: 'a*'}\ncondition: s", "modifier base64"},
	{"modifiers: Encoding", "s: {f|contains|base64: a}\ncondition: s", "modifier base64"},
	{"modifiers: Encoding", "s: {f|base64offset: 'a?b'}\ncondition: s", "modifier base64offset"},
	{"modifiers: Encoding", "s: {f|base64offset|base64: a}\ncondition: s", "modifier base64"},
	{"modifiers: Encoding", "s: {f|base64: ''}\ncondition: s", "modifier base64"},
	{"modifiers: Encoding", "s: {f|base64: null}\ncondition: s", "null"},
	{"modifiers: Numeric", "s: {f|lt: ten}\ncondition: s", "number"},
	{"modifiers: Numeric", "s: {f|gte: '123'}\ncondition: s", "number"},
	{"modifiers: Numeric", "s: {f|gt: true}\ncondition: s", "number"},
	{"modifiers: Numeric", "s: {f|lt|gt: 5}\ncondition: s", "modifier gt"},
	{"modifiers: Numeric", "s: {f|contains|lt: 5}\ncondition: s", "modifier contains"},
	{"modifiers: Time", "s: {f|hour: noon}\ncondition: s", "number"},
	{"modifiers: Time", "s: {f|hour: 1.5}\ncondition: s", "number"},
	{"modifiers: Time", "s: {f|hour|day: 1}\ncondition: s", "modifier day"},
	{"modifiers: Time", "s: {f|lt|hour: 1}\ncondition: s", "modifier hour"},
	{"modifiers: IP", "s: {f|cidr: 10.0.0.0/33}\ncondition: s", "modifier cidr"},
	{"modifiers: IP", "s: {f|cidr: 10.0.0.*}\ncondition: s", "modifier cidr"},
	{"modifiers: IP", "s: {f|cidr: host}\ncondition: s", "modifier cidr"},
	{"modifiers: IP", "s: {f|cidr|contains: 10.0.0.0/8}\ncondition: s", "modifier contains"},
	{"modifiers: Specific", "s: {f|fieldref: 5}\ncondition: s", "modifier fieldref"},
	{"modifiers: Specific", "s: {f|fieldref: 'g*'}\ncondition: s", "modifier fieldref"},
	{"modifiers: Specific", "s: {f|fieldref|base64: g}\ncondition: s", "modifier base64"},
	{"modifiers: Specific", "s: {f|fieldref|re: g}\ncondition: s", "modifier re"},
	{"modifiers: Specific", "s: {f|expand|gt: 5}\ncondition: s", "modifier expand"},
	{"rules: Placeholders", "s: {f|expand: '%nobody%'}\ncondition: s", "placeholder %nobody%"},
	{"rules: Placeholders", "s: {f|contains|expand: ['%admins%', 'x%admin%']}\ncondition: s", "placeholder %admin%"},
	{"rules: Placeholders", "s: {f|expand: '" + strings.Repeat("%two%", 20) + "'}\ncondition: s", "placeholder %two%"},

	// conditions
	{"rules: Condition", "s: {f: 1}\ncondition: t", "condition"},
	{"rules: Condition", "s: {f: 1}\ncondition: S", "condition"},
	{"rules: Condition", "s: {f: 1}\ncondition: ''", "condition"},
	{"rules: Condition", "s: {f: 1}\ncondition: []", "condition"},
	{"rules: Condition", "s: {f: 1}\ncondition: [s, 5]", "condition"},
	{"rules: Condition", "s: {f: 1}\ncondition: {a: s}", "condition"},
	{"rules: Condition", "s: {f: 1}\ncondition: s and", "condition"},
	{"rules: Condition", "s: {f: 1}\ncondition: s s", "condition"},
	{"rules: Condition", "s: {f: 1}\ncondition: or s", "condition"},
	{"rules: Condition", "s: {f: 1}\ncondition: (s", "condition"},
	{"rules: Condition", "s: {f: 1}\ncondition: s)", "condition"},
	{"rules: Condition", "s: {f: 1}\ncondition: " + strings.Repeat("not ", 100) + "s", "condition"},
	{"rules: 1/all of them", "s: {f: 1}\ncondition: 2 of them", "condition 2 of"},
	{"rules: 1/all of them", "s: {f: 1}\ncondition: most of them", "condition most of"},
	{"rules: 1/all of them", "s: {f: 1}\ncondition: 1 of", "condition"},
	{"rules: 1/all of them", "_s: {f: 1}\ncondition: 1 of them", "condition"},
	{"rules: 1/all of search-identifier-pattern", "s: {f: 1}\ncondition: 1 of t*", "condition"},
	{"correlation: Expression of Relationships", "s: {f: 1}\ncondition: s | count() > 5", "aggregation"},
	{"correlation: Expression of Relationships", "s: {f: 1}\ncondition: s | count(f) by g > 5", "aggregation"},
	{"correlation: Expression of Relationships", "s: {f: 1}\nt: {f: 2}\ncondition: s | near t", "near"},
	{"correlation: Expression of Relationships", "s: {f: 1}\ncondition: near s", "near"},
	{"correlation: Expression of Relationships", "s: {f: 1}\ntimeframe: 5m\ncondition: s", "timeframe"},

	// correlations
	{"correlation: Correlation section", "title: c\ncorrelation: [a]\n", "correlation"},
	{"correlation: Correlation section", correlationText("type: event_count, rules: [a], timespan: 1m, condition: {gte: 1}, groupby: [f]"), "correlation key"},
	{"correlation: Correlation type", correlationText("rules: [a], timespan: 1m, condition: {gte: 1}"), "type"},
	{"correlation: Correlation type", correlationText("type: count, rules: [a], timespan: 1m, condition: {gte: 1}"), "correlation type"},
	{"correlation: Related rules", correlationText("type: event_count, timespan: 1m, condition: {gte: 1}"), "rules"},
	{"correlation: Related rules", correlationText("type: event_count, rules: [], timespan: 1m, condition: {gte: 1}"), "rules"},
	{"correlation: Related rules", correlationText("type: event_count, rules: {a: b}, timespan: 1m, condition: {gte: 1}"), "rules"},
	{"correlation: Related rules", correlationText("type: event_count, rules: [" + strings.Repeat("a, ", 200) + "b], timespan: 1m, condition: {gte: 1}"), "rules"},
	{"correlation: Aliases", correlationText("type: temporal, rules: [a], timespan: 1m, aliases: [x]"), "aliases"},
	{"correlation: Aliases", correlationText("type: temporal, rules: [a], timespan: 1m, aliases: {x: f}"), "aliases"},
	{"correlation: Grouping", correlationText("type: temporal, rules: [a], timespan: 1m, group-by: {a: b}"), "group-by"},
	{"correlation: Time Selection", correlationText("type: temporal, rules: [a]"), "timespan"},
	{"correlation: Time Selection", correlationText("type: temporal, rules: [a], timespan: 1M"), "timespan"},
	{"correlation: Time Selection", correlationText("type: temporal, rules: [a], timespan: 1h30m"), "timespan"},
	{"correlation: Time Selection", correlationText("type: temporal, rules: [a], timespan: 90"), "timespan"},
	{"correlation: Time Selection", correlationText("type: temporal, rules: [a], timespan: 0s"), "timespan"},
	{"correlation: Condition", correlationText("type: event_count, rules: [a], timespan: 1m"), "condition"},
	{"correlation: Condition", correlationText("type: event_count, rules: [a], timespan: 1m, condition: 5"), "condition"},
	{"correlation: Condition", correlationText("type: temporal, rules: [a, b], timespan: 1m, condition: a and b"), "condition"},
	{"correlation: Condition", correlationText("type: event_count, rules: [a], timespan: 1m, condition: {ge: 5}"), "the condition key"},
	{"correlation: Condition", correlationText("type: event_count, rules: [a], timespan: 1m, condition: {gte: '5'}"), "condition"},
	{"correlation: Condition", correlationText("type: event_count, rules: [a], timespan: 1m, condition: {gte: -1}"), "condition"},
	{"correlation: Condition", correlationText("type: event_count, rules: [a], timespan: 1m, condition: {gt: 5, lt: 6}"), "condition"},
	{"correlation: Condition", correlationText("type: event_count, rules: [a], timespan: 1m, condition: {lt: 1}"), "condition"},
	{"correlation: Condition", correlationText("type: temporal, rules: [a, b], timespan: 1m, condition: {gte: 3}"), "condition"},
	{"correlation: Condition", correlationText("type: temporal_ordered, rules: [a, b], timespan: 1m, condition: {gt: 2}"), "condition"},
	{"correlation: Condition", correlationText("type: value_percentile, rules: [a], timespan: 1m, condition: {field: f, gt: 100}"), "condition"},
	{"correlation: Condition", correlationText("type: value_percentile, rules: [a], timespan: 1m, condition: {field: f, lt: 0}"), "condition"},
	{"correlation: Condition", correlationText("type: value_avg, rules: [a], timespan: 1m, condition: {field: f, gt: 5, lt: 5}"), "condition"},
	{"correlation: Condition", correlationText("type: value_sum, rules: [a], timespan: 1m, condition: {field: f, eq: 5, neq: 5}"), "condition"},
	{"correlation: Value Count", correlationText("type: value_count, rules: [a], timespan: 1m, condition: {gte: 1}"), "field"},
	{"correlation: Value Sum", correlationText("type: value_sum, rules: [a], timespan: 1m, condition: {gte: 1}"), "field"},
	{"correlation: Value Average", correlationText("type: value_avg, rules: [a], timespan: 1m, condition: {gte: 1}"), "field"},
	{"correlation: Value Average", correlationText("type: value_avg, rules: [a], timespan: 1m, condition: {gte: 1, field: [f, g]}"), "field"},
	{"correlation: Value Percentile", correlationText("type: value_percentile, rules: [a], timespan: 1m, condition: {gte: 1}"), "field"},
	{"correlation: Value Percentile", correlationText("type: value_percentile, rules: [a], timespan: 1m, condition: {gte: 1, field: f, percentile: 101}"), "percentile"},
	{"correlation: Value Percentile", correlationText("type: value_sum, rules: [a], timespan: 1m, condition: {gte: 1, field: f, percentile: 50}"), "percentile"},
	{"correlation: Event Count", correlationText("type: event_count, rules: [a], timespan: 1m, condition: {gte: 1, field: f}"), "field"},
	{"correlation: Event Count", correlationText("type: event_count, rules: [a], timespan: 1m, condition: {gte: 1000000}"), "condition"},
	{"correlation: Generate", correlationText("type: temporal, rules: [a], timespan: 1m, generate: 'yes'"), "generate"},
	{"correlation: Generate", "title: c\ngenerate: 1\ncorrelation: {type: temporal, rules: [a], timespan: 1m}\n", "generate"},

	// filters
	{"filters: Global Filter", filterText("[a]"), "filter"},
	{"filters: Log source", "title: c\nfilter: {rules: [a], selection: {f: 1}, condition: selection}\n", "logsource"},
	{"filters: title", "id: c1\nx: 'title:'\nlogsource: {category: application}\nfilter: {rules: [a], selection: {f: 1}, condition: selection}\n", "title"},
	{"filters: Relative rules", filterText("{selection: {f: 1}, condition: selection}"), "rules"},
	{"filters: Relative rules", filterText("{rules: [], selection: {f: 1}, condition: selection}"), "rules"},
	{"filters: Relative rules", filterText("{rules: any, selection: {f: 1}, condition: selection}"), "rules"},
	{"filters: Relative rules", filterText("{rules: {a: b}, selection: {f: 1}, condition: selection}"), "rules"},
	{"filters: filter selection", filterText("{rules: [a], condition: selection}"), "condition"},
	{"filters: filter selection", filterText("{rules: [a], selection: {f|contians: 1}, condition: selection}"), "modifier contians"},
	{"filters: filter selection", filterText("{rules: [a], selection: {f|expand: '%nobody%'}, condition: selection}"), "placeholder %nobody%"},
	{"filters: filter condition", filterText("{rules: [a], selection: {f: 1}}"), "condition"},
	{"filters: filter condition", filterText("{rules: [a], selection: {f: 1}, condition: [selection, not selection]}"), "condition"},
	{"filters: filter condition", filterText("{rules: [a], selection: {f: 1}, condition: not filter}"), "condition"},
	{"filters: filter condition", filterText("{rules: [a], selection: {f: 1}, timeframe: 5m, condition: selection}"), "timeframe"},
}

// TestBadInputStopsNothing puts every document that is refused into one file, a right one behind each. The right ones load,
// and each refusal names a place within its own document.
func TestBadInputStopsNothing(t *testing.T) {
	var file strings.Builder
	var ends []int // the last line of each refused document
	line := 0
	write := func(s string) {
		file.WriteString(s + "\n---\n")
		line += strings.Count(s, "\n") + 2
	}
	good := refusalHead + detectionText
	for _, c := range refusals {
		text := c.text
		if !strings.Contains(text, "title:") {
			text = document(text)
		}
		write(text)
		ends = append(ends, line)
		write(good)
	}
	docs, err := conformOptions.Parse("all.yml", []byte(file.String()))
	if len(docs) != len(refusals) {
		t.Errorf("%d documents loaded, want %d", len(docs), len(refusals))
	}
	found := Refusals(err)
	for i, end := range ends {
		begin := 1
		if i > 0 {
			begin = ends[i-1] + 1
		}
		if !slices.ContainsFunc(found, func(e *Error) bool {
			return e.Line >= begin && e.Line <= end && e.Column > 0 && e.Feature == refusals[i].feature
		}) {
			t.Errorf("lines %d to %d are not refused for %q", begin, end, refusals[i].feature)
		}
	}
}
