package flags

import (
	"strings"

	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/secrets"
)

// otherSecrets are variables of the environment, besides perfctl's own settings,
// that libraries read and that hold secrets.
var otherSecrets = []string{"PGPASSWORD", "PGSSLPASSWORD", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
	"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"}

// Remember makes the secrets of a command line and of its environment known, so that
// nothing that is written shows them.
func Remember(fs *pflag.FlagSet, lookup func(name string) (string, bool), known *secrets.Redactor) {
	fs.Visit(func(f *pflag.Flag) {
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, v := range values {
			key, value, pair := strings.Cut(v, "=")
			switch {
			case f.Name == "set", f.Name == "env" && pair:
				known.Add(secrets.Of(key, value)...)
			default:
				known.Add(secrets.In(v)...)
			}
		}
	})
	for _, name := range otherSecrets {
		if v, ok := lookup(name); ok {
			known.Add(secrets.Of(name, v)...)
		}
	}
}

// Shown returns arguments of a command with these flags as they may be recorded.
func Shown(args []string, fs *pflag.FlagSet, known *secrets.Redactor) []string {
	flag := func(f *pflag.Flag) (secrets.Flag, bool) {
		if f == nil {
			return secrets.Flag{}, false
		}
		return secrets.Flag{Name: f.Name, Value: f.NoOptDefVal == ""}, true
	}
	out := secrets.Args(args,
		func(name string) (secrets.Flag, bool) { return flag(fs.Lookup(name)) },
		func(letter string) (secrets.Flag, bool) { return flag(fs.ShorthandLookup(letter)) })
	for i := range out {
		out[i] = known.Text(out[i])
	}
	return out
}
