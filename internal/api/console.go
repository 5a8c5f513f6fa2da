package api

// consoleRoutes are the routes of the console, comma apart, that do what an operation of an incident's command or of the plan does.
func consoleRoutes(id string) string {
	const at = " /incidents/{id}/"
	return map[string]string{
		"listWork": "GET /tasks", "getCommand": "GET" + at + "triage, GET" + at + "cause, GET" + at + "files, GET" + at + "related, GET" + at + "steps/{n}/{step}", "getTimeline": "GET" + at + "moments/{n}",
		"putKnown": "POST" + at + "state", "setScope": "POST" + at + "scope", "triage": "POST" + at + "triage", "putCause": "POST" + at + "cause", "putLessons": "POST" + at + "lessons", "putAffected": "POST" + at + "affected", "setLabel": "POST" + at + "label",
		"mergeIncident": "POST" + at + "merge", "unmergeIncident": "POST" + at + "unmerge",
		"beginRun": "POST" + at + "begin", "changeRun": "POST" + at + "runs/{n}/stop, POST" + at + "runs/{n}/move, POST" + at + "runs/{n}/switch", "watchReturn": "POST" + at + "watch/longer, POST" + at + "watch/end",
		"answerFact":  "POST" + at + "steps/{n}/{step}/correct",
		"workStep":    "POST" + at + "steps/{n}/{step}/take, POST" + at + "steps/{n}/{step}/leave, POST" + at + "steps/{n}/{step}/done, POST" + at + "steps/{n}/{step}/skip, POST" + at + "steps/{n}/{step}/reopen, POST" + at + "steps/{n}/{step}/approve, POST" + at + "steps/{n}/{step}/deny",
		"askDecision": "POST" + at + "decisions, POST" + at + "decisions/{n}/anew", "choose": "POST" + at + "decisions/{n}/choose", "withdrawDecision": "POST" + at + "decisions/{n}/withdraw",
		"askQuestion": "POST" + at + "questions", "answerQuestion": "POST" + at + "questions/{n}/answer", "withdrawQuestion": "POST" + at + "questions/{n}/withdraw",
		"handOver": "POST" + at + "handovers", "takeOver": "POST" + at + "handovers/{n}/take", "correctHandover": "POST" + at + "handovers/{n}/correct", "withdrawHandover": "POST" + at + "handovers/{n}/withdraw",
		"addMeasure": "POST" + at + "review/measures", "callReview": "POST" + at + "review/call", "holdReview": "POST" + at + "review/held",
		"addTask": "POST" + at + "tasks", "changeTask": "POST" + at + "tasks/{n}/change", "finishTask": "POST" + at + "tasks/{n}/done", "dropTask": "POST" + at + "tasks/{n}/drop",
		"editNote": "POST" + at + "moments/{n}/edit", "pinLine": "POST" + at + "moments/{n}/pin",
		"addAttachment": "POST" + at + "files", "passAttachment": "POST" + at + "files/{n}/pass", "openAttachment": "POST" + at + "files/{n}/read",
		"listPlaybooks": "GET /plan, GET /plan/glossary", "getPlaybook": "GET /plan/{id}", "diffPlaybook": "GET /plan/{id}/diff", "putPlaybook": "POST /plan/{id}/edit", "retirePlaybook": "POST /plan/{id}/retire", "takeOffered": "POST /plan/{id}/offered",
		"exportPlaybook": "GET /plan/{id}/export", "importPlaybook": "POST /plan/import",
	}[id]
}
