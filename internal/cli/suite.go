package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/config"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/summary"
)

// suiteFlags are the flags of suite.
type suiteFlags struct {
	runDir, baseline string
	out              []string
	json, failFast   bool
}

func (a *app) suiteCommand() *cobra.Command {
	f := &suiteFlags{}
	c := &cobra.Command{
		Use:   "suite <file> [-- <arguments of every run>]",
		Short: "Make several runs in turn and give one verdict",
		Long: `Suite makes the runs of a file one after the other, each as perfctl run would, and
tells what all of them came to: one table, one page (index.html), one exit code, that
of the worst run. Every run is checked before the first one begins.

A run's folder has its name, so that the folder of one suite is the baseline of the
next (--baseline): each run is compared with the one of its name there. What stands
behind -- goes to every run, as in -- --lab.

The file (see configs/examples/suite.yaml):

  name: nightly
  pause: 10s                       # between two runs
  reset: true                      # first remove what killed runs left behind
  args: --env-file .env.test       # for every run
  runs:
    - {name: load, run: load --time-scale 0.1}
    - {name: spike, run: spike --time-scale 0.1 --peak 500}

Outputs (--out, perfctl report --format): text, json, html, markdown, junit, github.`,
		Example: `  perfctl suite configs/examples/suite.yaml -- --lab
  perfctl suite suite.yaml --run-dir runs/today --baseline runs/yesterday --out junit=perfctl.xml
  perfctl report runs/today --format markdown`,
		Args: func(c *cobra.Command, args []string) error {
			if n := c.ArgsLenAtDash(); len(args) == 0 || n == 0 || n > 1 || n < 0 && len(args) > 1 {
				return exitcode.UsageError("%s takes one file, and behind -- arguments of every run\n  usage: %s", c.CommandPath(), c.UseLine())
			}
			return nil
		},
	}
	fs := c.Flags()
	fs.StringVar(&f.runDir, "run-dir", "", "write the runs into folders of this new `DIR` (default: runs/suite-TIME)")
	fs.StringVar(&f.baseline, "baseline", "", "compare each run with the run, or the runs, in the folder of its name in `DIR`")
	fs.StringArrayVar(&f.out, "out", nil, "also write `FORMAT=WHERE`, as in junit=perfctl.xml (repeatable)")
	fs.BoolVar(&f.failFast, "fail-fast", false, "end with the first run that does not pass")
	fs.BoolVar(&f.json, "json", false, "print what the suite came to as JSON on stdout")
	c.RunE = func(c *cobra.Command, args []string) error { return a.suite(c.Context(), args[0], args[1:], f) }
	return c
}

// suiteRun is one run before it is made.
type suiteRun struct {
	name string
	dir  string
	// args are perfctl's, the command and the flags of the suite among them.
	args []string
}

func (a *app) suite(ctx context.Context, file string, every []string, f *suiteFlags) error {
	s, err := config.ReadSuite(file)
	if err != nil {
		return err
	}
	outs, err := viewsOf(f.out, f.json, suiteFormats)
	if err != nil {
		return err
	}
	dir := f.runDir
	if dir == "" {
		dir = rundir.Free("suite", time.Now())
	}
	if _, err := os.Stat(dir); err == nil {
		return exitcode.UsageError("--run-dir %s: exists already\n  next: choose another", dir)
	}
	runs := a.suiteRuns(s, every, dir, f.baseline)
	if err := a.checkSuite(ctx, runs); err != nil {
		return err
	}
	if err := checkViews(outs); err != nil {
		return err
	}
	place, err := run.Reserve(dir)
	if err != nil {
		return err
	}
	defer place.Release()
	done := a.makeSuite(ctx, s, runs, f.failFast)
	if err := writeSuite(dir, done); err != nil {
		return err
	}
	lost := exitcode.Pass
	for _, o := range append(outs, output{Format: "html", Where: filepath.Join(dir, "index.html")}) {
		if err := a.suiteView(o, done); err != nil {
			a.warn(err.Error())
			lost = exitcode.Unexpected
		}
	}
	if !onStdout(outs) {
		format := "text"
		if f.json {
			format = "json"
		}
		if err := a.suiteView(output{Format: format, Where: "-"}, done); err != nil {
			return err
		}
		if !f.json {
			fmt.Fprintf(a.Stdout, "\nall of it: perfctl report %s\nthe page:  %s\n", dir, filepath.Join(dir, "index.html"))
		}
	}
	return verdict(exitcode.Worst(done.ExitCode, lost))
}

// suiteRuns makes the command lines of the runs.
func (a *app) suiteRuns(s *config.Suite, every []string, dir, baseline string) (out []suiteRun) {
	for _, r := range s.Runs {
		x := suiteRun{name: r.Name, dir: filepath.Join(dir, r.Name)}
		x.args = slices.Concat([]string{"run"}, r.Args, s.Args, every, []string{"--run-dir", x.dir})
		if baseline != "" {
			old := filepath.Join(baseline, r.Name)
			if _, err := os.Stat(old); err == nil {
				x.args = append(x.args, "--baseline", old)
			} else {
				a.warn(fmt.Sprintf("%s has no baseline: there is no %s", r.Name, old))
			}
		}
		out = append(out, x)
	}
	return out
}

// checkSuite plans every run, and tells what is wrong with all of them at once.
func (a *app) checkSuite(ctx context.Context, runs []suiteRun) error {
	var errs []error
	code := exitcode.Usage
	for _, r := range runs {
		inner := a.inner(r.args)
		inner.checkOnly = true
		if err := inner.execute(ctx); err != nil {
			code = exitcode.Of(err)
			errs = append(errs, fmt.Errorf("run %s: %s", r.name, inner.secrets.Text(err.Error())))
		}
	}
	if len(errs) > 0 {
		return exitcode.With(code, errors.Join(errs...))
	}
	return nil
}

// makeSuite makes the runs in turn. Its result has every run, made or not.
func (a *app) makeSuite(ctx context.Context, s *config.Suite, runs []suiteRun, failFast bool) *summary.Suite {
	out := &summary.Suite{Name: s.Name, Started: time.Now()}
	stopped := ""
	for i, r := range runs {
		x := summary.SuiteRun{Name: r.name, Command: a.shown(r.args[1:])}
		if i > 0 && stopped == "" && !a.pause(ctx, s.Pause) {
			stopped = "the suite was interrupted"
			out.ExitCode = exitcode.Interrupted
		}
		if x.NotRun = stopped; stopped == "" {
			fmt.Fprintf(a.Stderr, "run %d of %d: %s\n", i+1, len(runs), r.name)
			a.makeRun(ctx, s.Reset, r, &x)
			out.ExitCode = exitcode.Worst(out.ExitCode, x.ExitCode)
			switch {
			case x.ExitCode == exitcode.Interrupted:
				stopped = "the suite was interrupted"
			case failFast && x.ExitCode != exitcode.Pass:
				stopped = "the run before it did not pass"
			}
		}
		out.Runs = append(out.Runs, x)
	}
	out.Duration = time.Since(out.Started).Seconds()
	out.Verdict = suiteVerdict(out.ExitCode)
	return out
}

// suiteVerdict is the word for an exit code.
func suiteVerdict(code int) string {
	switch code {
	case exitcode.Pass:
		return string(summary.VerdictPass)
	case exitcode.Interrupted:
		return string(summary.VerdictInterrupted)
	case exitcode.Invalid:
		return string(summary.VerdictInvalid)
	}
	return string(summary.VerdictFail)
}

// makeRun makes one run and takes in what it came to.
func (a *app) makeRun(ctx context.Context, reset bool, r suiteRun, x *summary.SuiteRun) {
	inner := a.inner(r.args)
	inner.resetFirst = reset
	err := inner.execute(ctx)
	if code, is := errors.AsType[verdictCode](err); is {
		x.ExitCode = int(code)
	} else if err != nil {
		x.ExitCode, x.Error = exitcode.Of(err), inner.secrets.Text(err.Error())
		a.printError(errors.New(x.Error), x.ExitCode, false)
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
func (a *app) pause(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return true
	}
	select {
	case <-time.After(d):
		return true
	case <-a.Interrupts:
	case <-ctx.Done():
	}
	return false
}

// shown are arguments without their secrets.
func (a *app) shown(args []string) []string {
	return a.inner(append([]string{"run"}, args...)).shownArgs()
}

// inner is a command line inside this one, which prints no results: they are in its run
// directory.
func (a *app) inner(args []string) *app {
	t := *a.Terminal
	x := &app{Terminal: &t, args: args, version: a.version, logFormat: a.logFormat, verbose: a.verbose}
	x.Stdout, x.Stderr = io.Discard, x.secrets.Writer(a.Stderr, true)
	return x
}

// execute executes the command line.
func (a *app) execute(ctx context.Context) error {
	root := a.rootCommand()
	root.SetArgs(a.args)
	return root.ExecuteContext(ctx)
}

func writeSuite(dir string, s *summary.Suite) error {
	text, err := s.Encode()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the folder of the suite: %w", err)
	}
	if err := rundir.Replace(filepath.Join(dir, summary.SuiteFile), text); err != nil {
		return fmt.Errorf("write %s: %w", summary.SuiteFile, err)
	}
	return nil
}

// readSuite reads the suite that a folder holds; nil for a folder that holds none.
func readSuite(dir string) (*summary.Suite, error) {
	text, err := os.ReadFile(filepath.Join(dir, summary.SuiteFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, exitcode.UsageError("read the suite: %w", err)
	}
	s, err := summary.DecodeSuite(text)
	if err != nil {
		return nil, exitcode.UsageError("read %s: %w", filepath.Join(dir, summary.SuiteFile), err)
	}
	return s, nil
}
