package main

import (
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
	gateFlags
	turnFlags
	json  bool
	force bool
	need  string
}

func (w *world) compareCommand() *cobra.Command {
	f := &compareFlags{}
	c := &cobra.Command{
		Use:   "compare <base> <new>",
		Short: "Tell whether a system is slower than before, and how sure that is",
		Long: `Compare sets the response times and error rates of runs beside each other: the
difference, the interval in which it lies, and one word.

  REGRESSED      the whole interval is beyond the least effect that matters
  IMPROVED       the same, for the better
  OK             the whole interval is within the least effect: shown to be equal
  INCONCLUSIVE   neither; what would settle it is said, as in "6 more runs a side"

The gate holds response time p50, p95, p99 and the error rate of each scenario in
each judged stage, what SLA rules and thresholds name, and what --gate names. Its
intervals hold together in 98 % of comparisons. Other figures are notes.

Each side is a run directory, several with commas between, or a folder that holds
run directories. From four runs a side their own spread decides; fewer tell only
large differences. With --run and --against, compare makes the runs itself, by
turns, so that a machine that drifts does so for both sides. With --need, it
tells from past runs how many a gate needs.

Exits with 112 where something regressed (see --fail-on), with 111 where a run is
INVALID and cannot be compared.`,
		Example: `  perfctl compare runs/main runs/branch            # two folders of five runs each
  perfctl compare runs/main-1,runs/main-2 runs/branch-1,runs/branch-2 --fail-on inconclusive
  perfctl compare --against 'load -e API_BASE_URL=http://127.0.0.1:8080' --run 'load -e API_BASE_URL=http://127.0.0.1:8081' --repeat 5
  perfctl compare runs/main runs/branch --min-effect 3% --min-effect 'response_time p99=10%,5ms'
  perfctl compare --need 5% runs/main`,
		RunE: func(c *cobra.Command, args []string) error { return w.compareAny(c, args, f) },
	}
	fs := c.Flags()
	f.gateFlags.register(fs)
	f.turnFlags.register(fs)
	fs.BoolVar(&f.json, "json", false, "print the comparison as JSON")
	fs.BoolVar(&f.force, "force", false, "compare runs of different profiles or scenarios, too")
	fs.StringVar(&f.need, "need", "", "tell how many runs a gate with this least `EFFECT` needs, as in 5%, from the past runs of one folder")
	return c
}

// compareAny compares runs that there are, or makes them, or tells how many it
// takes.
func (w *world) compareAny(c *cobra.Command, args []string, f *compareFlags) error {
	turns := f.run != "" || f.against != ""
	want, what := 2, "a base and a new run"
	switch {
	case f.need != "" && turns:
		return usageError("--need is about past runs, and --run makes new ones: give one of them")
	case f.need != "":
		want, what = 1, "one folder of past runs with --need"
	case turns:
		want, what = 0, "no run directories with --run and --against"
	}
	if len(args) != want {
		return usageError("%s takes %s, got %d arguments\n  usage: %s", c.CommandPath(), what, len(args), c.UseLine())
	}
	if f.need != "" {
		f.least = append(f.least, f.need)
	}
	o, err := f.options()
	if err != nil {
		return err
	}
	o.Force = f.force
	switch {
	case f.need != "":
		return w.compareNeed(args[0], o, f.json)
	case turns:
		return w.compareTurns(c.Context(), o, f)
	}
	a, err := openRuns(args[0])
	if err != nil {
		return usageError("%w", err)
	}
	b, err := openRuns(args[1])
	if err != nil {
		return usageError("%w", err)
	}
	return w.compareRuns(a, b, o, f.json)
}

// compareRuns compares, prints, and returns the word as an exit code.
func (w *world) compareRuns(a, b []*rundir.Run, o compare.Options, asJSON bool) error {
	c, err := compare.Runs(a, b, o)
	if errors.Is(err, compare.ErrInvalid) {
		return withCode(exitcode.Invalid, err)
	}
	if err != nil {
		return usageError("%w", err)
	}
	if asJSON {
		err = w.printJSON(c)
	} else {
		err = compare.Text(w.stdout, c, w.verbose)
	}
	if err == nil && c.Fails {
		return verdictCode(exitcode.Regression)
	}
	return err
}

// compareNeed tells from past runs what a gate needs.
func (w *world) compareNeed(dir string, o compare.Options, asJSON bool) error {
	runs, err := openRuns(dir)
	if err != nil {
		return usageError("%w", err)
	}
	n, err := compare.Needs(runs, o)
	if err != nil {
		return usageError("%w", err)
	}
	if asJSON {
		return w.printJSON(n)
	}
	return compare.NeedText(w.stdout, n)
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
func against(base []*rundir.Run, dir string, s *summary.Summary, o compare.Options) {
	note := func(err error) {
		s.Notes = append(s.Notes, fmt.Sprintf("not compared with the baseline: %v", err))
	}
	next, err := rundir.Open(dir)
	if err != nil {
		note(err)
		return
	}
	// Its summary.json is not written yet.
	next.Outcome = &rundir.Outcome{Verdict: string(s.Verdict), ExitCode: s.ExitCode, Generator: s.Generator.Status}
	next.Incomplete = s.Run.Incomplete
	c, err := compare.Runs(base, []*rundir.Run{next}, o)
	if err != nil {
		note(err)
		return
	}
	s.Comparison = c
	if c.Fails {
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
