package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/report"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/summary"
)

type compareFlags struct {
	json  bool
	force bool
	least float64
}

func (w *world) compareCommand() *cobra.Command {
	f := &compareFlags{}
	c := &cobra.Command{
		Use:   "compare <base> <new>",
		Short: "Tell whether a run is slower than another, and how sure that is",
		Long: `Compare sets the response times and error rates of runs beside each other, by
stage and by operation: the difference, its confidence interval, and one word.

  REGRESSED, IMPROVED   significant, and no smaller than --min-effect
  OK                    a difference that matters is as good as excluded
  INCONCLUSIVE          the data cannot tell

Each side is a run directory, several with commas between, or a folder that holds
run directories. From four runs a side the runs themselves are compared, and what
differs from run to run is in the answer; with fewer, the seconds within them.
Exits with 112 where something regressed.`,
		Example: `  perfctl compare runs/load-20260102-150405 runs/load-20260109-150405
  perfctl compare runs/main-1,runs/main-2,runs/main-3,runs/main-4 runs/branch   # a folder of four`,
		Args: cobra.MatchAll(func(c *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usageError("%s takes a base and a new run, got %d arguments\n  usage: %s", c.CommandPath(), len(args), c.UseLine())
			}
			return nil
		}),
		RunE: func(_ *cobra.Command, args []string) error { return w.compare(args[0], args[1], f) },
	}
	fs := c.Flags()
	fs.BoolVar(&f.json, "json", false, "print the comparison as JSON")
	fs.BoolVar(&f.force, "force", false, "compare runs of different profiles or scenarios, too")
	fs.Float64Var(&f.least, "min-effect", 100*compare.DefaultMinEffect, "smallest difference that counts, in `PERCENT`")
	return c
}

func (w *world) compare(base, next string, f *compareFlags) error {
	if f.least <= 0 || f.least >= 100 {
		return usageError("--min-effect %g: want a percentage above 0 and below 100", f.least)
	}
	a, err := openRuns(base)
	if err != nil {
		return usageError("%w", err)
	}
	b, err := openRuns(next)
	if err != nil {
		return usageError("%w", err)
	}
	c, err := compare.Runs(a, b, compare.Options{MinEffect: f.least / 100, Force: f.force})
	if err != nil {
		return usageError("%w", err)
	}
	if f.json {
		enc := json.NewEncoder(w.stdout)
		enc.SetIndent("", "  ")
		err = enc.Encode(c)
	} else {
		err = compare.Text(w.stdout, c, w.verbose)
	}
	if err == nil && c.Word == compare.Regressed {
		return verdictCode(exitcode.Regression)
	}
	return err
}

// openRuns opens the runs that a side names: a run directory, several with
// commas between, or a folder that holds some.
func openRuns(side string) (out []*rundir.Run, err error) {
	for _, dir := range strings.Split(side, ",") {
		if _, err := os.Stat(filepath.Join(dir, rundir.InfoFile)); err == nil {
			r, err := rundir.Open(dir)
			if err != nil {
				return nil, err
			}
			out = append(out, r)
			continue
		}
		inside, _ := filepath.Glob(filepath.Join(dir, "*", rundir.InfoFile))
		if len(inside) == 0 {
			_, err := rundir.Open(dir) // says what is wrong with it
			return nil, errors.Join(err, errNoRuns(dir))
		}
		for _, file := range inside {
			r, err := rundir.Open(filepath.Dir(file))
			if err != nil {
				return nil, err
			}
			out = append(out, r)
		}
	}
	return out, nil
}

type errNoRuns string

func (e errNoRuns) Error() string {
	return fmt.Sprintf("%s is no run directory and holds none", string(e))
}

// against compares a run that has just ended with its baseline, into its
// summary. A baseline that cannot be compared is a note, and the run keeps its
// verdict: what was measured is not lost for it.
func against(base []*rundir.Run, dir string, s *summary.Summary) {
	note := func(err error) {
		s.Notes = append(s.Notes, fmt.Sprintf("not compared with the baseline: %v", err))
	}
	next, err := rundir.Open(dir)
	if err != nil {
		note(err)
		return
	}
	c, err := compare.Runs(base, []*rundir.Run{next}, compare.Options{})
	if err != nil {
		note(err)
		return
	}
	s.Comparison = c
	if c.Word == compare.Regressed {
		s.ExitCode = exitcode.Worst(s.ExitCode, exitcode.Regression)
	}
}

// writeText writes the summary for a terminal, and below it how the run differs
// from its baseline, where it has one.
func writeText(w io.Writer, s *summary.Summary, o report.Options) error {
	if err := report.Text(w, s, o); err != nil || s.Comparison == nil {
		return err
	}
	fmt.Fprintln(w)
	return compare.Text(w, s.Comparison, false)
}
