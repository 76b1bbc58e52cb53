package schema

// The part of the schema that is about files of steps and of requests.

// templated is a text that holds fields in double braces.
func templated(text string) object {
	return described(text+"; may hold fields, as in {{n}}", object{"type": []string{"string", "number", "boolean"}})
}

// anyKeys is an object with keys of the user's own.
func anyKeys(text string) object {
	return object{"type": "object", "additionalProperties": templated(text)}
}

func requestKeys() object {
	return object{
		"method":    described("GET if left out", word("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")),
		"endpoint":  described("name of another server, of the setting endpoints", object{"type": "string"}),
		"path":      templated("path and query below API_BASE_URL, or a whole address that may be reached"),
		"headers":   anyKeys("the value of a header"),
		"body":      templated("body of the request"),
		"body_file": described("file that is the body, as it is", object{"type": "string"}),
		"form":      anyKeys("the value of a field of a form"),
		"multipart": object{"type": "object", "minProperties": 1, "additionalProperties": object{"anyOf": []object{
			{"type": []string{"string", "number", "boolean"}},
			closed(object{
				"file": described("file that is the part, as it is", object{"type": "string"}), "value": templated("text that is the part"),
				"filename": templated("name that the server is told"), "type": described("content type of the part", object{"type": "string"}),
			}),
		}}},
	}
}

// streamKeys are the keys of a request whose answer may be a stream of events.
func streamKeys() object {
	keys := requestKeys()
	keys["events"] = described("read server-sent events until one is as asked for, or the stream ends", closed(object{
		"until": described("what the last event must be", anyKeys("what is wanted")), "max": object{"type": "integer", "minimum": 1},
	}))
	return keys
}

func checkSchema() object {
	return described("what the answer must be: a place in it, and what that must equal; a place may be followed by contains, matches, above, below, not or present",
		anyKeys("what is wanted"))
}

// requestsSchema is about files for the scenario api.
func requestsSchema() object {
	keys := requestKeys()
	keys["name"] = object{"type": "string"}
	keys["weight"] = object{"type": "integer", "minimum": 1}
	keys["check"] = checkSchema()
	return closed(object{"requests": object{"type": "array", "minItems": 1, "items": closed(keys, "path")}}, "requests")
}

// flowSchema is about files for the scenario flow.
func flowSchema() object {
	steps := described("steps, executed in turn", ref("steps"))
	return closed(object{
		"description": object{"type": "string"},
		"data": described("rows of a file, of which each arrival uses one: {{data.COLUMN}}", closed(object{
			"file":  described("a .csv, .tsv, .ndjson, .jsonl or .json file, found from this file's folder", object{"type": "string"}),
			"order": described("which row an arrival uses", word("sequential", "random", "unique", "sticky")),
		}, "file")),
		"setup":    described("steps executed once, before the first arrival; what they capture holds for all", ref("steps")),
		"vars":     described("variables, evaluated at the start of each arrival", anyKeys("value of a variable")),
		"steps":    steps,
		"teardown": described("steps executed once, after the run", ref("steps")),
	}, "steps")
}

func stepsSchema() object {
	duration, flag, text := ref("duration"), object{"type": "boolean"}, object{"type": "string"}
	expression := described(`an expression, as in state == "done" && n % 2 == 0`, object{"type": []string{"string", "boolean"}})
	command := object{"type": "array", "minItems": 1, "items": object{"type": []string{"string", "number", "boolean"}}}
	commands := object{"type": "array", "minItems": 1, "items": command}
	step := closed(object{
		"name":       described("name under which the step is measured", text),
		"group":      described("name under which the step is measured together with others", text),
		"check":      checkSchema(),
		"capture":    described("variables, each with the place in the answer that it is taken from", object{"type": "object", "additionalProperties": text}),
		"on_failure": described("stop ends the arrival, continue goes on", word("stop", "continue")),
		"http":       described("send a request", closed(streamKeys(), "path")),
		"sql": described("execute a statement", closed(object{
			"query": text,
			"args":  object{"type": "array", "items": argumentSchema()},
		}, "query")),
		"transaction": described("statements on one connection, committed together or not at all", closed(object{
			"steps": ref("steps"), "isolation": word("read committed", "repeatable read", "serializable"),
			"retries": described("how often it is tried again where the server asks for it (40001, 40P01); 3 if left out", object{"type": "integer", "minimum": 0, "maximum": 1000}),
			"end":     described("commit if left out", word("commit", "rollback")),
		}, "steps")),
		"redis": described("execute a command, or several in one round trip", object{"anyOf": []object{
			command, closed(object{"pipeline": commands}, "pipeline"), closed(object{"multi": commands}, "multi"),
		}}),
		"publish": described("publish a message, done at its confirm", closed(object{
			"exchange": templated("exchange"), "key": templated("routing key, or without an exchange the name of a queue"),
			"body": templated("body"), "content_type": templated("content type"), "message_id": templated("message id"),
			"correlation_id": templated("correlation id"), "reply_to": templated("where to reply"), "headers": anyKeys("value of a header"),
			"persistent": flag, "mandatory": flag, "priority": object{"type": "integer", "minimum": 0, "maximum": 255}, "timeout": duration,
		})),
		"consume": described("wait for a message", closed(object{
			"queue": described("a queue of yours, from which every message is taken", text), "own_queue": described("a queue that the run makes", text),
			"exchange": described("what own_queue is bound to", text), "key": described("by which key", text), "timeout": duration,
			"match": described("which message: one place in it, and what that must equal", anyKeys("what is wanted")),
		})),
		"think": described("pause: a duration, min and max, or the mean of an exponential distribution", object{"anyOf": []object{
			duration, closed(object{"min": duration, "max": duration, "mean": duration}),
		}}),
		"repeat": described("execute steps several times, or until an expression holds", closed(object{
			"times": object{"type": "integer", "minimum": 1}, "every": duration, "until": expression, "steps": ref("steps"),
		}, "times", "steps")),
		"if": expression, "then": ref("steps"), "else": ref("steps"),
	})
	return object{"type": "array", "minItems": 1, "items": step}
}

// argumentSchema is about the value of a statement's parameter.
func argumentSchema() object {
	return object{"anyOf": []object{
		{"type": []string{"string", "number", "boolean", "null", "array"}},
		closed(object{"json": described("JSON, or a text with JSON in it", object{})}, "json"),
		closed(object{"bytes": templated("the bytes of a text")}, "bytes"),
		closed(object{"base64": templated("bytes in base64")}, "base64"),
	}}
}
