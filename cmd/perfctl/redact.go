package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/secrets"
	"github.com/perfctl/perfctl/internal/targets"
)

// otherSecrets are variables of the environment, besides perfctl's own settings,
// that libraries read and that hold secrets.
var otherSecrets = []string{"PGPASSWORD", "PGSSLPASSWORD", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_METRICS_HEADERS", otlpEndpoint, metricsEndpoint}

// rememberFlags makes the secrets of the command line known, so that nothing that is
// written shows them.
func (w *world) rememberFlags(c *cobra.Command) {
	c.Flags().Visit(func(f *pflag.Flag) {
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, v := range values {
			key, value, pair := strings.Cut(v, "=")
			switch {
			case f.Name == "set", f.Name == "env" && pair:
				w.secrets.Add(secrets.Of(key, value)...)
			default:
				w.secrets.Add(secrets.In(v)...)
			}
		}
	})
	for _, name := range otherSecrets {
		if v, ok := w.lookupEnv(name); ok {
			w.secrets.Add(secrets.Of(name, v)...)
		}
	}
}

// rememberSettings makes the secrets of a source of settings known. A password that
// stands elsewhere as a user's or a host's name is no secret to be found in texts.
func (w *world) rememberSettings(l layer, more map[string]string) {
	values := map[string]string{}
	for _, name := range settingNames() {
		if v, ok := l.get(name); ok {
			values[name] = v
		}
	}
	for name, v := range more {
		values[name] = v
	}
	for name, v := range values {
		for _, s := range secrets.Of(name, v) {
			if !publicValue(values, s) {
				w.secrets.Add(s)
			}
		}
	}
}

// publicValue says whether a setting that is shown has this value.
func publicValue(values map[string]string, secret string) bool {
	for name, v := range values {
		if v == secret && !secrets.Name(name) {
			return true
		}
	}
	return false
}

// rememberTargets makes the secrets of the addresses known.
func (w *world) rememberTargets(s *targets.Settings) {
	for _, k := range []targets.Kind{targets.RabbitMQ, targets.Postgres, targets.Redis, targets.API} {
		w.secrets.Add(s.Address(k).Secrets()...)
	}
}

// shownArgs returns the command line as it may be recorded.
func (w *world) shownArgs() []string {
	c, _, err := w.rootCommand().Find(w.args)
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
	out := secrets.Args(w.args,
		func(name string) (secrets.Flag, bool) { return known(flags.Lookup(name)) },
		func(letter string) (secrets.Flag, bool) { return known(flags.ShorthandLookup(letter)) })
	for i := range out {
		out[i] = w.secrets.Text(out[i])
	}
	return out
}
