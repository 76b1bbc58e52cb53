package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/config"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/outputs"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/series"
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
  perfctl suite suite.yaml --run-dir runs/today --baseline runs/yesterday \
      --out junit=perfctl.xml
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

func (a *app) suite(ctx context.Context, file string, every []string, f *suiteFlags) error {
	read, err := config.ReadSuite(file)
	if err != nil {
		return err
	}
	outs, err := outputs.Of(f.out, f.json, outputs.SuiteFormats)
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
	var place *rundir.Reservation
	s := series.Suite{Suite: read, Every: every, Dir: dir, Baseline: f.baseline, FailFast: f.failFast, Interrupts: a.Interrupts}
	done, err := s.Make(ctx, maker{a}, func() error {
		if err := outputs.Check(outs); err != nil {
			return err
		}
		place, err = run.Reserve(dir)
		return err
	})
	if err != nil {
		return err
	}
	defer place.Release()
	if err := summary.WriteSuite(dir, done); err != nil {
		return err
	}
	return a.showSuite(done, dir, outs, f.json)
}

// showSuite writes the views of a suite, its page among them, and prints it where none of
// them has stdout.
func (a *app) showSuite(done *summary.Suite, dir string, outs []outputs.Output, asJSON bool) error {
	lost := exitcode.Pass
	page := outputs.Output{Format: "html", Where: filepath.Join(dir, "index.html")}
	for _, o := range append(outs, page) {
		if err := a.writer().Suite(o, done); err != nil {
			a.warn(err.Error())
			lost = exitcode.Unexpected
		}
	}
	if !outputs.HaveStdout(outs) {
		format := "text"
		if asJSON {
			format = "json"
		}
		if err := a.writer().Suite(outputs.Output{Format: format, Where: outputs.Stdout}, done); err != nil {
			return err
		}
		if !asJSON {
			fmt.Fprintf(a.Stdout, "\nall of it: perfctl report %s\nthe page:  %s\n", dir, page.Where)
		}
	}
	return verdict(exitcode.Worst(done.ExitCode, lost))
}
