// Package series makes several runs one after the other and says what they come to
// together: the runs of a suite, repetitions of one run, two sides by turns. How one run
// is made and how anything is shown is not known here.
package series

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/perfctl/perfctl/internal/config"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/states"
	"github.com/perfctl/perfctl/internal/summary"
)

// Maker makes runs of the arguments of perfctl, the command among them.
type Maker interface {
	// Check decides a run and makes nothing.
	Check(ctx context.Context, args []string) error
	// Make makes it, after it removed what killed runs left behind where reset asks for
	// that. It returns the run's exit code; the error is why there was no run.
	Make(ctx context.Context, args []string, reset bool) (exit int, err error)
	// Shown are arguments as they may be recorded.
	Shown(args []string) []string
	// Say shows a line, Warn one that must be seen, Fail why there was no run.
	Say(text string)
	Warn(text string)
	Fail(err error)
}

// Suite is a suite that is to be made.
type Suite struct {
	*config.Suite
	// Every are arguments of every run, besides those of the file.
	Every []string
	// Dir gets a folder for each run. Baseline, where it is not empty, is the folder of a
	// suite whose runs these are compared with.
	Dir, Baseline string
	// FailFast ends with the first run that does not pass.
	FailFast bool
	// Interrupts end it between two runs.
	Interrupts <-chan struct{}
}

// member is one run before it is made.
type member struct {
	name string
	dir  string
	args []string
}

// Make checks every run, has prepare do what is to be done before the first, and makes
// the runs in turn. The result has every run, made or not. An error means that none was
// made.
func (s *Suite) Make(ctx context.Context, m Maker, prepare func() error) (*summary.Suite, error) {
	runs := s.members(m)
	if err := check(ctx, m, runs); err != nil {
		return nil, err
	}
	if err := prepare(); err != nil {
		return nil, err
	}
	out := &summary.Suite{Name: s.Name, Started: time.Now()}
	stopped := ""
	for i, r := range runs {
		x := summary.SuiteRun{Name: r.name, Command: m.Shown(r.args[1:])}
		if i > 0 && stopped == "" && !s.pause(ctx) {
			stopped = "the suite was interrupted"
			out.ExitCode = exitcode.Interrupted
		}
		if x.NotRun = stopped; stopped == "" {
			m.Say(fmt.Sprintf("run %d of %d: %s", i+1, len(runs), r.name))
			s.make(ctx, m, r, &x)
			out.ExitCode = exitcode.Worst(out.ExitCode, x.ExitCode)
			switch {
			case x.ExitCode == exitcode.Interrupted:
				stopped = "the suite was interrupted"
			case s.FailFast && x.ExitCode != exitcode.Pass:
				stopped = "the run before it did not pass"
			}
		}
		out.Runs = append(out.Runs, x)
	}
	out.Duration = time.Since(out.Started).Seconds()
	out.Verdict = word(out.ExitCode)
	return out, nil
}

// members makes the command lines of the runs.
func (s *Suite) members(m Maker) (out []member) {
	for _, r := range s.Runs {
		x := member{name: r.Name, dir: filepath.Join(s.Dir, r.Name)}
		x.args = slices.Concat([]string{"run"}, r.Args, s.Args, s.Every, []string{"--run-dir", x.dir})
		if s.Baseline != "" {
			old := filepath.Join(s.Baseline, r.Name)
			if _, err := os.Stat(old); err == nil {
				x.args = append(x.args, "--baseline", old)
			} else {
				m.Warn(fmt.Sprintf("%s has no baseline: there is no %s", r.Name, old))
			}
		}
		out = append(out, x)
	}
	return out
}

// check plans every run, and returns what is wrong with all of them at once.
func check(ctx context.Context, m Maker, runs []member) error {
	var errs []error
	code := exitcode.Usage
	for _, r := range runs {
		if err := m.Check(ctx, r.args); err != nil {
			code = exitcode.Of(err)
			errs = append(errs, fmt.Errorf("run %s: %s", r.name, err.Error()))
		}
	}
	if len(errs) > 0 {
		return exitcode.With(code, errors.Join(errs...))
	}
	return nil
}

// word is the verdict for an exit code.
func word(code int) string {
	switch code {
	case exitcode.Pass:
		return states.Pass
	case exitcode.Interrupted:
		return states.Interrupted
	case exitcode.Invalid:
		return states.Invalid
	}
	return states.Fail
}

// make makes one run and takes in what it came to.
func (s *Suite) make(ctx context.Context, m Maker, r member, x *summary.SuiteRun) {
	var err error
	if x.ExitCode, err = m.Make(ctx, r.args, s.Reset); err != nil {
		x.Error = err.Error()
		m.Fail(err)
	}
	recorded, err := rundir.Open(r.dir)
	if err != nil {
		return
	}
	if x.Summary = summary.Read(recorded); x.Summary == nil {
		x.Summary = run.Summarise(recorded, r.dir, summary.Inputs{}, nil)
	}
}

// pause leaves the targets alone; false says that it was interrupted.
func (s *Suite) pause(ctx context.Context) bool {
	if s.Pause == 0 {
		return true
	}
	select {
	case <-time.After(s.Pause):
		return true
	case <-s.Interrupts:
	case <-ctx.Done():
	}
	return false
}
