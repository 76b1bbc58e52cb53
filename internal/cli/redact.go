package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/secrets"
)

// otherSecrets are variables of the environment, besides perfctl's own settings,
// that libraries read and that hold secrets.
var otherSecrets = []string{"PGPASSWORD", "PGSSLPASSWORD", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
	"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"}

// rememberFlags makes the secrets of the command line known, so that nothing that is
// written shows them.
func (a *app) rememberFlags(c *cobra.Command) {
	c.Flags().Visit(func(f *pflag.Flag) {
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, v := range values {
			key, value, pair := strings.Cut(v, "=")
			switch {
			case f.Name == "set", f.Name == "env" && pair:
				a.secrets.Add(secrets.Of(key, value)...)
			default:
				a.secrets.Add(secrets.In(v)...)
			}
		}
	})
	for _, name := range otherSecrets {
		if v, ok := a.LookupEnv(name); ok {
			a.secrets.Add(secrets.Of(name, v)...)
		}
	}
}

// shownArgs returns the command line as it may be recorded.
func (a *app) shownArgs() []string {
	// A command of its own: making one gives its flags their defaults.
	t := *a.Terminal
	c, _, err := (&app{Terminal: &t}).rootCommand().Find(a.args)
	if err != nil {
		return nil
	}
	c.InheritedFlags() // merges the flags of the commands above
	flags := c.Flags()
	known := func(f *pflag.Flag) (secrets.Flag, bool) {
		if f == nil {
			return secrets.Flag{}, false
		}
		return secrets.Flag{Name: f.Name, Value: f.NoOptDefVal == ""}, true
	}
	out := secrets.Args(a.args,
		func(name string) (secrets.Flag, bool) { return known(flags.Lookup(name)) },
		func(letter string) (secrets.Flag, bool) { return known(flags.ShorthandLookup(letter)) })
	for i := range out {
		out[i] = a.secrets.Text(out[i])
	}
	return out
}
