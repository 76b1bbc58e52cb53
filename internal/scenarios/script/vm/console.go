package vm

import (
	"log/slog"
	"strings"

	"github.com/dop251/goja"
)

// maxSaid bounds the lines that a script may write: a script that says a line for
// each iteration would fill the terminal and hold up its users.
const maxSaid = 10_000

// spoken is the level of what a script says: above perfctl's own information, so
// that it is shown where that is not.
const spoken = slog.LevelInfo + 1

// console is the global of that name.
func (v *VM) console() *goja.Object {
	say := func(level slog.Level) func(goja.FunctionCall) goja.Value {
		return func(c goja.FunctionCall) goja.Value {
			n := v.s.said.Add(1)
			switch {
			case n < maxSaid:
				v.s.host.Log.Log(v.ctx, level, v.line(c.Arguments))
			case n == maxSaid:
				v.s.host.Log.Warn("the script has written 10,000 lines to its console: the rest is left out")
			}
			return goja.Undefined()
		}
	}
	return v.object(map[string]any{
		"log": say(spoken), "info": say(spoken), "debug": say(slog.LevelDebug), "trace": say(slog.LevelDebug),
		"warn": say(slog.LevelWarn), "error": say(slog.LevelError),
	})
}

func (v *VM) line(args []goja.Value) string {
	var b strings.Builder
	for i, x := range args {
		if i > 0 {
			b.WriteByte(' ')
		}
		o, ok := x.(*goja.Object)
		if !ok {
			b.WriteString(x.String())
			continue
		}
		if _, f := goja.AssertFunction(x); f || o.ClassName() == "Error" {
			b.WriteString(x.String())
			continue
		}
		b.WriteString(v.stringify(x))
	}
	return b.String()
}
