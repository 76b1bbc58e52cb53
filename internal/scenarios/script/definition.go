// Package script is the scenario that a k6 script describes: it runs the script's
// functions as arrivals, with perfctl's schedule and measurement. It holds the
// scenario; bundling, options and the runtime live in the folders below.
package script

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/script/bundle"
	"github.com/perfctl/perfctl/internal/scenarios/script/options"
	"github.com/perfctl/perfctl/internal/scenarios/script/vm"
	"github.com/perfctl/perfctl/internal/targets"
)

// The names of the settings.
const (
	KeyFile    = "file"
	KeyRun     = "run"
	keyTimeout = "timeout"
	keyBound   = "iteration_timeout"
	keyReuse   = "reuse"

	keyConnections = "connections"
)

// Name is the scenario's name.
const Name = "script"

// Definition returns the scenario's definition.
func Definition() scenarios.Definition {
	return scenarios.Definition{
		Name:    Name,
		Summary: "runs a function of a k6 script (JavaScript or TypeScript) of yours; done when the function is",
		Settings: []scenarios.Option{
			{Key: KeyFile, Type: scenarios.File{Valid: validFile},
				Help: "the script; perfctl run FILE.js sets it"},
			{Key: KeyRun, Type: scenarios.Text{}, PerStage: true,
				Help: "the script's scenario that a stage runs, several with commas between, side by side; empty for its first"},
			{Key: keyTimeout, Default: "60s", Type: scenarios.Duration{Min: time.Millisecond, Max: time.Hour},
				Help: "bound on a request, a duration, where the script gives it none"},
			{Key: keyBound, Default: "5m", Type: scenarios.Duration{Min: time.Millisecond, Max: 24 * time.Hour},
				Help: "bound on an iteration, a duration, its pauses apart: one that takes longer is interrupted and counts as failed"},
			{Key: keyReuse, Default: "true", Type: scenarios.Bool{},
				Help: "keep HTTP connections open between requests"},
			{Key: keyConnections, Default: "20", Type: scenarios.Int{Min: 1, Max: 10_000},
				Help: "connections to each database and Redis server that the script opens, and channels to each RabbitMQ, of all users together, at most as many as there are users"},
		},
		// Which hosts a script loads is known only when it asks for them: its client
		// guards each connection.
		Reaches: []targets.Kind{targets.API},
		Also:    func(*scenarios.Values) []targets.Kind { return nil },
		Metrics: vm.Metrics(),
		Weigh:   weighSayings,
		New:     func(e scenarios.Env) (scenarios.Scenario, error) { return newScenario(e) },
	}
}

// validFile says whether there is such a file; what is in it is read when the
// scenario is made, with the settings that it may need.
func validFile(path string) error {
	_, err := scenarios.ReadFile(path)
	return err
}

// Source returns the text of a script's own file.
func Source(path string) ([]byte, error) { return scenarios.ReadFile(path) }

// Loaded is a script that was read: its first user, and what its options say.
type Loaded struct {
	*options.Options
	script *vm.Script
	first  *vm.VM
}

// ErrNoFile says that no script is named.
var ErrNoFile = errors.New("no script: perfctl run FILE.js names one, and so does --set script.file=FILE.js")

// Load reads a script, runs the part of it that is outside functions, and reads its
// options. Nothing is reached. Where ctx ends before, its cause is the error.
func Load(ctx context.Context, path string, h vm.Host, f options.Flags) (*Loaded, error) {
	if path == "" {
		return nil, ErrNoFile
	}
	p, err := bundle.Build(path)
	if err != nil {
		return nil, err
	}
	if h.ReadFile == nil {
		h.ReadFile = os.ReadFile
	}
	s, err := vm.Compile(p, h)
	if err != nil {
		return nil, err
	}
	first, err := s.NewVM(ctx, 1)
	if err != nil {
		return nil, err
	}
	text, err := first.Options()
	if err != nil {
		return nil, err
	}
	o, err := options.Parse(text, f, p.Place)
	if err != nil {
		return nil, err
	}
	for _, x := range o.Scenarios {
		if !first.Has(x.Exec) {
			return nil, &noFunctionError{path, x.Name, x.Exec}
		}
	}
	return &Loaded{Options: o, script: s, first: first}, nil
}

// Summarises says whether the script has a summary of its own.
func (l *Loaded) Summarises() bool { return l.first.Has("handleSummary") }

type noFunctionError struct{ file, scenario, exec string }

// Error says what to do.
func (e *noFunctionError) Error() string {
	if e.exec == "default" {
		return e.file + ": exports no default function: write export default function () { … }"
	}
	return e.file + ": the scenario " + e.scenario + " runs " + e.exec + ", and no function of that name is exported"
}
