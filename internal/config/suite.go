package config

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"time"

	"github.com/kballard/go-shellquote"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/strictyaml"
)

// Suite is a file of several runs, made in turn.
type Suite struct {
	Name string
	// Pause is how long the targets are left alone between two runs; Reset has what
	// killed runs left in them removed before each.
	Pause time.Duration
	Reset bool
	// Args are arguments of perfctl run that every run has.
	Args []string
	Runs []SuiteRun
}

// SuiteRun is one run of a suite. Its name is its folder's, too.
type SuiteRun struct {
	Name string
	// Args are the arguments of perfctl run.
	Args []string
}

// suiteName is what a run of a suite may be called: it is a folder.
var suiteName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// ReadSuite reads the file of a suite. All faults are reported at once, as
// configuration errors that name file, line and column.
func ReadSuite(path string) (*Suite, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, exitcode.ConfigError(fmt.Errorf("read the suite: %w", err))
	}
	s := &Suite{}
	err = strictyaml.Parse(path, data, func(root strictyaml.Value, _ *strictyaml.Collector) {
		root.Map("the suite",
			strictyaml.Required("name", strictyaml.String(&s.Name)),
			strictyaml.Optional("pause", strictyaml.Duration(&s.Pause)),
			strictyaml.Optional("reset", strictyaml.Bool(&s.Reset)),
			strictyaml.Optional("args", arguments(&s.Args)),
			strictyaml.Required("runs", s.readRuns),
		)
	})
	return s, exitcode.ConfigError(err)
}

func (s *Suite) readRuns(v strictyaml.Value) {
	empty := v.List("the runs", func(_ int, item strictyaml.Value) {
		var r SuiteRun
		name := func(v strictyaml.Value) {
			strictyaml.String(&r.Name)(v)
			switch {
			case r.Name == "":
			case !suiteName.MatchString(r.Name):
				v.Add("%q cannot be the name of a run, which is a folder: want letters, digits, dots, dashes and underscores", r.Name)
			case slices.ContainsFunc(s.Runs, func(o SuiteRun) bool { return o.Name == r.Name }):
				v.Add("there are two runs of the name %q", r.Name)
			}
		}
		item.Map("a run", strictyaml.Required("name", name), strictyaml.Required("run", arguments(&r.Args)))
		s.Runs = append(s.Runs, r)
	})
	if empty {
		v.Add("a suite needs at least one run")
	}
}

// arguments reads the arguments of perfctl run, written as in a shell.
func arguments(to *[]string) strictyaml.Reader {
	return func(v strictyaml.Value) {
		var text string
		strictyaml.String(&text)(v)
		args, err := shellquote.Split(text)
		if err != nil {
			v.Add("%q: %v", text, err)
			return
		}
		*to = args
	}
}
