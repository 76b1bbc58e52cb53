// Package config reads what a user gives perfctl besides flags: settings in layers,
// each with its origin, configuration files, profiles and SLA tables. It decides
// nothing about a run and reaches no target.
package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/secrets"
	"github.com/perfctl/perfctl/internal/suggest"
	"github.com/perfctl/perfctl/internal/targets"
)

// Sources says where settings come from, the strongest first.
type Sources struct {
	// Env holds what -e gives, as KEY=VALUE.
	Env []string
	// Lookup reads the environment.
	Lookup func(name string) (string, bool)
	// Environ lists the environment as os.Environ does: scripts may ask what there is.
	Environ []string
	// EnvFile names a file of KEY=VALUE lines; empty for none.
	EnvFile string
	// File is the configuration file, nil for none.
	File *File
	// OwnNames says that the run has settings of its own, as a script has: a name that
	// perfctl does not know is no sign of a typing error.
	OwnNames bool
}

// The settings that say where a broker publishes its own figures.
const (
	ManagementURL = "RABBITMQ_MANAGEMENT_URL"
	PrometheusURL = "RABBITMQ_PROMETHEUS_URL"
)

// The settings that are about perfctl itself.
const (
	// Verbose asks for more on stderr, as -v does.
	Verbose = "VERBOSE"
	// TestEnv names the environment that is tested: a label of the run.
	TestEnv = "TEST_ENV"
	// BarrierKey is what the shards of a run have in common that meet over a network.
	BarrierKey = "PERFCTL_BARRIER_KEY"
)

// Names lists every setting that perfctl knows by name. Flows read others, too.
func Names() []string {
	return append(targets.Names(), ManagementURL, PrometheusURL, Verbose, TestEnv, BarrierKey)
}

// layer is one source of settings.
type layer struct {
	origin string
	get    func(name string) (string, bool)
	// all is everything in the source, nil for the environment.
	all map[string]string
}

// Layers holds every source of settings, the strongest first.
type Layers struct {
	layers []layer
	// environ is all of the environment.
	environ map[string]string
	// Warnings say what looks like a mistake and is none for certain.
	Warnings []string
}

// Load reads the sources.
func Load(s Sources) (*Layers, error) {
	l := &Layers{}
	var strays []stray
	given := map[string]string{}
	for _, kv := range s.Environ {
		if k, v, ok := strings.Cut(kv, "="); ok && k != "" {
			if l.environ == nil {
				l.environ = map[string]string{}
			}
			l.environ[k] = v
		}
	}
	for _, kv := range s.Env {
		k, v, ok := strings.Cut(kv, "=")
		if !ok || k == "" {
			return nil, exitcode.UsageError("-e %q: want KEY=VALUE", secrets.Label(kv))
		}
		if !s.OwnNames {
			strays = append(strays, stray{"-e", k})
		}
		given[k] = v
	}
	l.layers = append(l.layers, mapLayer("flag -e", given), layer{origin: "environment", get: s.Lookup})
	if s.EnvFile != "" {
		f, err := readEnvFile(s.EnvFile, s.Lookup)
		if err != nil {
			return nil, exitcode.ConfigError(err)
		}
		l.Warnings = append(l.Warnings, f.notes...)
		for _, k := range f.keys {
			strays = append(strays, stray{fmt.Sprintf("--env-file %s, line %d:", s.EnvFile, k.line), k.name})
		}
		l.layers = append(l.layers, mapLayer("file "+s.EnvFile, f.values))
	}
	if s.File != nil {
		l.layers = append(l.layers, mapLayer("file "+s.File.Path, s.File.Settings))
	}
	l.warnOfStrays(strays)
	addresses, _ := targets.Resolve(l.Lookup) // faults are of those who use the address
	l.Warnings = append(l.Warnings, addresses.Warnings...)
	return l, nil
}

// warnOfTypo warns of a name that is not a setting's and near to one.
func (l *Layers) warnOfTypo(where, name string) {
	known := Names()
	if slices.Contains(known, name) {
		return
	}
	if near, ok := suggest.Nearest(name, known); ok {
		l.Warnings = append(l.Warnings, fmt.Sprintf("%s %s: perfctl has no such setting; did you mean %s? Only {{env %s}} in a flow reads it", where, name, near, name))
	}
}

// Sources returns what each source holds: of the environment the settings that perfctl
// knows, of the others everything.
func (l *Layers) Sources() (out []map[string]string) {
	for _, s := range l.layers {
		values := maps.Clone(s.all)
		if values == nil {
			values = map[string]string{}
			for _, name := range Names() {
				if v, ok := s.get(name); ok {
					values[name] = v
				}
			}
		}
		out = append(out, values)
	}
	return out
}

// Environ returns all of the environment.
func (l *Layers) Environ() map[string]string { return l.environ }

// Names returns every name that a source sets, in order.
func (l *Layers) Names() []string {
	all := maps.Clone(l.environ)
	if all == nil {
		all = map[string]string{}
	}
	for _, s := range l.layers {
		maps.Copy(all, s.all)
	}
	return slices.Sorted(maps.Keys(all))
}

// Above returns the layers with one more, stronger than all: a lab's servers are
// the ones that were asked for.
func (l *Layers) Above(origin string, settings map[string]string) *Layers {
	return &Layers{layers: slices.Insert(slices.Clone(l.layers), 0, mapLayer(origin, settings)), Warnings: l.Warnings, environ: l.environ}
}

// Lookup returns a setting and where it came from. What changes one thing of a URL, as
// DB_PASSWORD and REDIS_DB do, counts only where no stronger source sets the URL; where
// one does, ok is false, and origin says who set what does not count.
func (l *Layers) Lookup(name string) (value, origin string, ok bool) {
	whole := targets.URLOf(name)
	covered := false
	for _, s := range l.layers {
		if v, ok := s.get(name); ok {
			return v, s.origin, !covered
		}
		if v, _ := s.get(whole); v != "" && whole != "" {
			covered = true
		}
	}
	return "", "", false
}

func mapLayer(origin string, m map[string]string) layer {
	return layer{origin, func(n string) (string, bool) { v, ok := m[n]; return v, ok }, m}
}
