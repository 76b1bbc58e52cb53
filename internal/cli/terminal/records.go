package terminal

import (
	"bytes"
	"io"
	"log/slog"
	"strings"
)

// Records returns a writer that makes of each message written to it, by one call, a
// record of JSON with time, level, what happened and what to do next. Records that are
// JSON already go through as they are.
func Records(w io.Writer) io.Writer {
	return records{w, slog.New(slog.NewJSONHandler(w, nil))}
}

type records struct {
	to  io.Writer
	log *slog.Logger
}

func (r records) Write(p []byte) (int, error) {
	if bytes.HasPrefix(p, []byte(`{"time":`)) {
		return r.to.Write(p)
	}
	text := strings.Trim(strings.ReplaceAll(string(p), "\r", ""), "\n")
	if strings.TrimSpace(text) == "" {
		return len(p), nil
	}
	say := r.log.Info
	for _, of := range []struct {
		prefix string
		say    func(string, ...any)
	}{{"error: ", r.log.Error}, {"perfctl: panic: ", r.log.Error}, {"warning: ", r.log.Warn}} {
		if rest, is := strings.CutPrefix(text, of.prefix); is {
			text, say = rest, of.say
			break
		}
	}
	if what, next, is := strings.Cut(text, "\n  next: "); is {
		say(what, "next", next)
	} else {
		say(text)
	}
	return len(p), nil
}
