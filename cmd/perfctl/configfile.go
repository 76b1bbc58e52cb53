package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/strictyaml"
)

// configFile is what --config names: defaults for flags, settings of targets
// and of scenarios.
type configFile struct {
	// Settings are settings by the names of the environment.
	Settings map[string]string
	// Scenarios are the scenarios' settings.
	Scenarios []profiles.Setting
	// AllowTargets and AllowDatabases add to the flags.
	AllowTargets, AllowDatabases []string
}

// loadConfig reads the file that --config names, and gives the flags that it
// names their values unless the command line did. It returns nil without a
// file. origins receives where each flag's value came from.
func loadConfig(path string, fs *pflag.FlagSet, origins map[string]string) (*configFile, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, invalidConfig(fmt.Errorf("--config: %w", err))
	}
	cfg := &configFile{Settings: map[string]string{}}
	err = strictyaml.Parse(path, data, func(root strictyaml.Value, _ *strictyaml.Collector) {
		root.Map("the configuration",
			strictyaml.Optional("settings", cfg.readSettings),
			strictyaml.Optional("scenarios", cfg.readScenarios),
			strictyaml.Optional("allow_targets", texts("the allowed targets", &cfg.AllowTargets)),
			strictyaml.Optional("allow_databases", texts("the allowed databases", &cfg.AllowDatabases)),
			strictyaml.Optional("options", func(v strictyaml.Value) { readOptions(v, path, fs, origins) }),
		)
	})
	return cfg, invalidConfig(err)
}

func (c *configFile) readSettings(v strictyaml.Value) {
	known := settingNames()
	v.Entries("the settings", func(key string, _ strictyaml.Pos, value strictyaml.Value) {
		if !slices.Contains(known, key) {
			value.Add("unknown setting %q%s", key, didYouMean(key, known))
			return
		}
		if s, ok := value.Scalar(); ok {
			c.Settings[key] = s
		}
	})
}

func (c *configFile) readScenarios(v strictyaml.Value) {
	v.Entries("the scenarios", func(scenario string, _ strictyaml.Pos, of strictyaml.Value) {
		of.Entries("the settings of "+scenario, func(key string, at strictyaml.Pos, value strictyaml.Value) {
			if s, ok := value.Scalar(); ok {
				c.Scenarios = append(c.Scenarios, profiles.Setting{Scenario: scenario, Key: key, Value: s, Pos: at})
			}
		})
	})
}

func texts(what string, p *[]string) strictyaml.Reader {
	return func(v strictyaml.Value) {
		v.List(what, func(_ int, item strictyaml.Value) {
			if s, ok := item.Scalar(); ok {
				*p = append(*p, s)
			}
		})
	}
}

// readOptions sets flags. A flag that the command line set keeps its value.
func readOptions(v strictyaml.Value, path string, fs *pflag.FlagSet, origins map[string]string) {
	var names []string
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Name != "config" && f.Name != "help" {
			names = append(names, f.Name)
		}
	})
	v.Entries("the options", func(key string, at strictyaml.Pos, value strictyaml.Value) {
		if !slices.Contains(names, key) {
			value.Add("unknown option %q%s", key, strings.Replace(didYouMean(key, names), "; there are", "; options are", 1))
			return
		}
		f := fs.Lookup(key)
		if f.Changed && origins[key] == "" {
			return
		}
		set := func(s string) {
			if err := fs.Set(key, s); err != nil {
				value.Add("%s: %v", key, err)
			}
			origins[key] = "file " + path
		}
		if _, repeatable := f.Value.(pflag.SliceValue); repeatable {
			value.List("the option "+key, func(_ int, item strictyaml.Value) {
				if s, ok := item.Scalar(); ok {
					set(s)
				}
			})
			return
		}
		if s, ok := value.Scalar(); ok {
			set(s)
		}
	})
}
