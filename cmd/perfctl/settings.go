package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/joho/godotenv"
	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/secrets"
	"github.com/perfctl/perfctl/internal/suggest"
	"github.com/perfctl/perfctl/internal/targets"
)

// settingFlags are the flags that say where settings come from.
type settingFlags struct {
	env            []string
	envFile        string
	config         string
	allowTargets   []string
	allowDatabases []string
}

func (f *settingFlags) register(fs *pflag.FlagSet) {
	fs.StringArrayVarP(&f.env, "env", "e", nil, "set `KEY=VALUE` above the environment, as in -e DB_HOST=db.test (repeatable)")
	fs.StringVar(&f.envFile, "env-file", "", "read settings from a `FILE` of KEY=VALUE lines, below the environment")
	fs.StringVar(&f.config, "config", "", "read a configuration `FILE` (YAML; see configs/examples/perfctl.yaml)")
	fs.StringArrayVar(&f.allowTargets, "allow-target", nil, "allow a `HOST` that is not this machine to be loaded, read or sent figures (repeatable)")
	fs.StringArrayVar(&f.allowDatabases, "allow-database", nil, "allow a database `NAME` without the word test or perf in it (repeatable)")
}

// layer is one source of settings.
type layer struct {
	origin string
	get    func(name string) (string, bool)
}

// layers is every source, the strongest first: -e, the environment, the
// environment file, the configuration file. Defaults are the reader's.
type layers []layer

// lookup returns a setting and where it came from. A URL counts only where no
// stronger source sets one of the pieces that it is made of: who says -e
// DB_HOST=x means it, whatever DATABASE_URL is in the environment.
func (l layers) lookup(name string) (value, origin string, ok bool) {
	pieces := targets.Pieces(name)
	for _, s := range l {
		if v, ok := s.get(name); ok {
			return v, s.origin, true
		}
		for _, p := range pieces {
			if _, ok := s.get(p); ok && p != "" {
				return "", "", false
			}
		}
	}
	return "", "", false
}

func mapLayer(origin string, m map[string]string) layer {
	return layer{origin, func(n string) (string, bool) { v, ok := m[n]; return v, ok }}
}

// loadLayers reads the sources that the flags name. The lab's settings, where
// there is a lab, stand above all: its servers are the ones that were asked
// for.
func (w *world) loadLayers(f *settingFlags, cfg *configFile, lab map[string]string) (layers, error) {
	known := settingNames()
	flagEnv := map[string]string{}
	for _, kv := range f.env {
		k, v, ok := strings.Cut(kv, "=")
		if !ok || k == "" {
			return nil, usageError("-e %q: want KEY=VALUE", secrets.Label(kv))
		}
		if !slices.Contains(known, k) {
			return nil, usageError("-e %s: unknown setting%s", k, didYouMean(k, known))
		}
		flagEnv[k] = v
	}
	var out layers
	fromFile := map[string]string{}
	defer func() {
		for _, l := range out {
			w.rememberSettings(l, fromFile)
		}
	}()
	if lab != nil {
		out = append(out, mapLayer("lab", lab))
	}
	out = append(out, mapLayer("flag -e", flagEnv), layer{"environment", w.lookupEnv})
	if f.envFile != "" {
		m, err := readEnvFile(f.envFile)
		if err != nil {
			return nil, invalidConfig(err)
		}
		fromFile = m
		out = append(out, mapLayer("file "+f.envFile, m))
	}
	if cfg != nil {
		out = append(out, mapLayer("file "+f.config, cfg.Settings))
	}
	return out, nil
}

// readEnvFile parses a file of KEY=VALUE lines. It never touches the process's
// environment.
func readEnvFile(path string) (map[string]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--env-file: %w", err)
	}
	defer file.Close()
	m, err := godotenv.Parse(file)
	if err != nil {
		// The parser's error quotes the file, which holds passwords.
		return nil, fmt.Errorf("--env-file %s: a line is not of the form KEY=VALUE", path)
	}
	return m, nil
}

// settingNames lists every setting that may be given by name.
func settingNames() []string {
	return append(targets.Names(), managementURL, prometheusURL, "VERBOSE", "TEST_ENV")
}

func didYouMean(word string, choices []string) string {
	if near, ok := suggest.Nearest(word, choices); ok {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return "; there are " + strings.Join(choices, ", ")
}

// resolveTargets resolves the addresses; faults are configuration errors.
func resolveTargets(l layers) (*targets.Settings, error) {
	s, err := targets.Resolve(l.lookup)
	return s, withCode(exitcode.InvalidConfig, err)
}
