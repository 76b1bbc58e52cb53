package config

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/strictyaml"
	"github.com/perfctl/perfctl/internal/suggest"
)

// File is a configuration file: settings of targets and of scenarios, and what may
// be loaded. What it says of options goes to the Options that read it.
type File struct {
	// Path is the file's name as the user gave it.
	Path string
	// Settings are settings by the names of the environment.
	Settings map[string]string
	// Scenarios are the scenarios' settings.
	Scenarios []profiles.Setting
	// AllowTargets and AllowDatabases are hosts and databases that may be loaded.
	AllowTargets, AllowDatabases []string
}

// Options receives the options that a configuration file sets: the defaults of a
// command's flags.
type Options interface {
	// Names lists the options that a file may set.
	Names() []string
	// Repeatable says whether an option is a list.
	Repeatable(name string) bool
	// Set gives an option a value, unless something stronger did, and says what is
	// wrong with it.
	Set(name, value string) error
}

// ReadFile reads a configuration file. All faults are reported at once, as
// configuration errors that name file, line and column.
func ReadFile(path string, options Options) (*File, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, exitcode.ConfigError(fmt.Errorf("--config: %w", err))
	}
	f := &File{Path: path, Settings: map[string]string{}}
	err = strictyaml.Parse(path, data, f.read(options))
	return f, exitcode.ConfigError(err)
}

// DescribeFile returns what a configuration file may hold.
func DescribeFile(options Options) strictyaml.Description {
	return strictyaml.Describe(func(root strictyaml.Value, c *strictyaml.Collector) {
		(&File{Settings: map[string]string{}}).read(options)(root, c)
	})
}

func (f *File) read(options Options) func(strictyaml.Value, *strictyaml.Collector) {
	return func(root strictyaml.Value, _ *strictyaml.Collector) {
		root.Map("the configuration",
			strictyaml.Optional("settings", f.readSettings).Help("settings of targets, by the names of the environment"),
			strictyaml.Optional("scenarios", f.readScenarios).Help("settings of scenarios"),
			strictyaml.Optional("allow_targets", texts("the allowed targets", &f.AllowTargets)).
				Help("hosts besides this machine that may be loaded"),
			strictyaml.Optional("allow_databases", texts("the allowed databases", &f.AllowDatabases)).
				Help("databases without test or perf in their name that may be loaded"),
			strictyaml.Optional("options", func(v strictyaml.Value) { readOptions(v, options) }).
				Help("any flag of perfctl run, without its dashes"),
		)
	}
}

func (f *File) readSettings(v strictyaml.Value) {
	known := Names()
	v.Keys(known...)
	v.Entries("the settings", func(key string, _ strictyaml.Pos, value strictyaml.Value) {
		if !slices.Contains(known, key) {
			value.Add("unknown setting %q%s", key, suggest.DidYouMean(key, known))
			return
		}
		if s, ok := value.Scalar(); ok {
			f.Settings[key] = s
		}
	})
}

func (f *File) readScenarios(v strictyaml.Value) {
	v.Named(profiles.ShapeSettings)
	v.Entries("the scenarios", func(scenario string, _ strictyaml.Pos, of strictyaml.Value) {
		of.Entries("the settings of "+scenario, func(key string, at strictyaml.Pos, value strictyaml.Value) {
			if s, ok := value.Scalar(); ok {
				f.Scenarios = append(f.Scenarios, profiles.Setting{Scenario: scenario, Key: key, Value: s, Pos: at})
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

func readOptions(v strictyaml.Value, options Options) {
	names := options.Names()
	v.Keys(names...)
	v.Entries("the options", func(key string, _ strictyaml.Pos, value strictyaml.Value) {
		if !slices.Contains(names, key) {
			value.Add("unknown option %q%s", key, strings.Replace(suggest.DidYouMean(key, names), "; there are", "; options are", 1))
			return
		}
		set := func(s string) {
			if err := options.Set(key, s); err != nil {
				value.Add("%s: %v", key, err)
			}
		}
		if options.Repeatable(key) {
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
