package flow

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A statement is looked at by its words only, as far as is needed to know what it
// does to its connection: each step takes any connection of the pool, so what
// a statement leaves behind on one would meet strangers.

// unsafeStatement says what is wrong with a statement that is executed on any
// connection, or, with inside set, as a part of a transaction; nil for one that may
// be executed.
func unsafeStatement(sql string, inside bool) error {
	words, several := sqlWords(sql)
	if len(words) == 0 {
		return errors.New("the query is empty")
	}
	if several {
		return fmt.Errorf("a query is one statement: write a step for each, under transaction: {steps: […]} where they belong together")
	}
	first, second := words[0], ""
	if len(words) > 1 {
		second = words[1]
	}
	name := first
	if second != "" && slices.Contains(twoWords, first) {
		name += " " + second
	}
	if err := unsafeCall(words, inside); err != nil {
		return err
	}
	if slices.Contains([]string{"LISTEN", "UNLISTEN", "LOAD", "DISCARD", "DEALLOCATE", "EXECUTE", "RESET"}, first) || first == "PREPARE" && second != "TRANSACTION" {
		return fmt.Errorf("%s cannot be a step: it changes its connection, which other arrivals use as well", name)
	}
	if temporary(words) {
		return fmt.Errorf("a temporary table is of one connection, and not there where the statements that use it are prepared: make a table in setup, with {{run}} or a column for the arrival")
	}
	if inside {
		return unsafeInside(words, first, second, name)
	}
	switch first {
	case "BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "PREPARE":
		return fmt.Errorf("%s cannot be a step: each step takes another connection, so nothing would be rolled back or committed together; write transaction: {steps: […]}", name)
	case "SAVEPOINT", "RELEASE", "LOCK", "DECLARE", "FETCH", "MOVE", "CLOSE":
		return fmt.Errorf("%s belongs to a transaction: write it under transaction: {steps: […]}", name)
	case "SET":
		return fmt.Errorf("SET cannot be a step: it changes its connection, which other arrivals use as well, and the next step takes another one; write SET LOCAL under transaction: {steps: […]}, or options=-c%%20NAME=VALUE in DATABASE_URL")
	}
	return nil
}

// twoWords are the first words that say little by themselves.
var twoWords = []string{"START", "SET", "PREPARE", "COMMIT", "ROLLBACK", "CREATE"}

func unsafeInside(words []string, first, second, name string) error {
	switch first {
	case "BEGIN", "START", "COMMIT", "END", "ABORT", "PREPARE":
		return fmt.Errorf("%s cannot be a step of a transaction: it begins with its first step and is committed after its last", name)
	case "ROLLBACK":
		if !slices.Contains(words, "TO") {
			return fmt.Errorf("%s cannot be a step of a transaction: it is rolled back where a step fails, or with end: rollback", name)
		}
	case "SET":
		if !slices.Contains([]string{"LOCAL", "CONSTRAINTS", "TRANSACTION"}, second) {
			return fmt.Errorf("SET would outlast the transaction on a connection that other arrivals use as well: write SET LOCAL")
		}
	case "VACUUM", "REINDEX", "CLUSTER":
		return fmt.Errorf("%s cannot be a step of a transaction: the server executes it by itself only", first)
	case "DECLARE":
		if at := slices.Index(words, "HOLD"); at > 0 && words[at-1] == "WITH" {
			return fmt.Errorf("a cursor WITH HOLD outlasts its transaction on a connection that other arrivals use as well")
		}
	}
	return nil
}

// temporary says whether CREATE, or SELECT … INTO, makes something of the
// connection's own.
func temporary(words []string) bool {
	for i, w := range words {
		if w != "TEMP" && w != "TEMPORARY" || i == 0 {
			continue
		}
		switch before := words[i-1]; {
		case before == "INTO",
			words[0] == "CREATE" && i < 4 && slices.Contains([]string{"CREATE", "REPLACE", "GLOBAL", "LOCAL"}, before):
			return true
		}
	}
	return false
}

// unsafeCall says what is wrong with a function that is called.
func unsafeCall(words []string, inside bool) error {
	for _, w := range words {
		switch w {
		case "SET_CONFIG":
			if !inside {
				return errors.New("set_config changes its connection, which other arrivals use as well: call it with true as third argument under transaction: {steps: […]}")
			}
		case "PG_ADVISORY_LOCK", "PG_ADVISORY_LOCK_SHARED", "PG_TRY_ADVISORY_LOCK", "PG_TRY_ADVISORY_LOCK_SHARED":
			low := strings.ToLower(w)
			return fmt.Errorf("%s holds a lock on its connection, which other arrivals use as well: call %s under transaction: {steps: […]}",
				low, strings.Replace(low, "advisory_", "advisory_xact_", 1))
		case "PG_ADVISORY_UNLOCK", "PG_ADVISORY_UNLOCK_SHARED", "PG_ADVISORY_UNLOCK_ALL":
			return fmt.Errorf("%s would look for a lock on whatever connection it gets: call pg_advisory_xact_lock under transaction: {steps: […]}, whose end frees it", strings.ToLower(w))
		}
	}
	return nil
}

// sqlWords returns the words of a text in capitals, without comments, strings and
// quoted names, and whether something follows a semicolon.
func sqlWords(sql string) (words []string, several bool) {
	ended := false
	for i := 0; i < len(sql); {
		n := skipped(sql[i:])
		switch c := sql[i]; {
		case n > 0:
			several = several || ended && sql[i] != '-' && sql[i] != '/'
			i += n
		case c == ';':
			ended = true
			i++
		case isSpace(c):
			i++
		case isLetter(c):
			n := 1
			for i+n < len(sql) && (isLetter(sql[i+n]) || sql[i+n] >= '0' && sql[i+n] <= '9' || sql[i+n] == '$') {
				n++
			}
			words = append(words, strings.ToUpper(sql[i:i+n]))
			several = several || ended
			// E'…' has backslashes of its own.
			if n == 1 && (c == 'e' || c == 'E') && i+1 < len(sql) && sql[i+1] == '\'' {
				n += quoted(sql[i+1:], true)
			}
			i += n
		default:
			several = several || ended
			i++
		}
	}
	return words, several
}

// skipped returns the length of a comment, a string or a quoted name that a text
// begins with; 0 for anything else.
func skipped(s string) int {
	switch {
	case strings.HasPrefix(s, "--"):
		if n := strings.IndexByte(s, '\n'); n >= 0 {
			return n + 1
		}
		return len(s)
	case strings.HasPrefix(s, "/*"):
		return comment(s)
	case s[0] == '\'' || s[0] == '"':
		return quoted(s, false)
	case s[0] == '$':
		return dollared(s)
	}
	return 0
}

// comment returns the length of a comment, which may hold others.
func comment(s string) int {
	depth := 0
	for i := 0; i < len(s); {
		switch {
		case strings.HasPrefix(s[i:], "/*"):
			depth++
			i += 2
		case strings.HasPrefix(s[i:], "*/"):
			i += 2
			if depth--; depth == 0 {
				return i
			}
		default:
			i++
		}
	}
	return len(s)
}

// quoted returns the length of what stands in the quotes that a text begins with; a
// doubled quote is seen as the end and a new beginning, which comes to the same.
func quoted(s string, escapes bool) int {
	for i := 1; i < len(s); i++ {
		if escapes && s[i] == '\\' {
			i++
		} else if s[i] == s[0] {
			return i + 1
		}
	}
	return len(s)
}

// dollared returns the length of a string such as $$…$$ or $name$…$name$; 0 for a
// parameter.
func dollared(s string) int {
	end := 1
	for end < len(s) && (isLetter(s[end]) || end > 1 && s[end] >= '0' && s[end] <= '9') {
		end++
	}
	if end == len(s) || s[end] != '$' {
		return 0
	}
	tag := s[:end+1]
	if n := strings.Index(s[len(tag):], tag); n >= 0 {
		return n + 2*len(tag)
	}
	return len(s)
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' }

func isLetter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}
