package terminal

import (
	"io"
	"log/slog"
)

// spoken is the level of what a user's own script says: it is shown without -v.
const spoken = slog.LevelInfo + 1

// Log returns the program's log: warnings, errors and what a script says, and where all
// is asked for everything.
func Log(to io.Writer, asJSON, all bool) *slog.Logger {
	opts := &slog.HandlerOptions{Level: spoken, ReplaceAttr: func(_ []string, x slog.Attr) slog.Attr {
		if l, ok := x.Value.Any().(slog.Level); ok && x.Key == slog.LevelKey && l == spoken {
			x.Value = slog.StringValue("INFO")
		}
		return x
	}}
	if all {
		opts.Level = slog.LevelDebug
	}
	if asJSON {
		return slog.New(slog.NewJSONHandler(to, opts))
	}
	return slog.New(slog.NewTextHandler(to, opts))
}
