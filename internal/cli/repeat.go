package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
)

// maxRepeat bounds --repeat.
const maxRepeat = 1000

// checkRepeat refuses what cannot be repeated.
func (f *runFlags) checkRepeat() error {
	switch {
	case f.repeat < 1 || f.repeat > maxRepeat:
		return exitcode.UsageError("--repeat %d: want 1 to %d", f.repeat, maxRepeat)
	case f.repeat == 1:
	case f.runID != "" || f.startAt != "":
		return exitcode.UsageError("--repeat does not go with --run-id or --start-at, which belong to one run")
	case len(f.out) > 0:
		return exitcode.UsageError("--repeat does not go with --out, which belongs to one run\n  next: perfctl report DIR/1 --format ... writes every view later")
	}
	return nil
}

// repeat executes a run several times, shows the runs side by side and compares them,
// together, with the baseline. SLA rules are judged by the mean over the runs; its
// exit code is that of the worst run in all else, or of the comparison.
func (a *app) repeat(ctx context.Context, env run.Environment, p *run.Plan, base string, f *runFlags) error {
	if _, err := os.Stat(filepath.Join(base, rundir.InfoFile)); err == nil {
		return exitcode.UsageError("--run-dir %s is a run directory: the folders of the repetitions do not belong into it", base)
	}
	gate, err := f.options()
	if err != nil {
		return err
	}
	var baseline []*rundir.Run
	if f.baseline != "" {
		if baseline, err = openBaseline(f.baseline); err != nil {
			return err
		}
		if err := p.CheckBaseline(baseline, gate); err != nil {
			return err
		}
	}
	place, err := run.Reserve(base)
	if err != nil {
		return err
	}
	defer place.Release()
	session, err := run.Open(ctx, env, p)
	if err != nil {
		return err
	}
	defer session.Close()
	var ended []*summary.Summary
	var runs []*rundir.Run
	lost := exitcode.Pass
	for i := range f.repeat {
		dir := filepath.Join(base, strconv.Itoa(i+1))
		env.Observer.Say(fmt.Sprintf("run %d of %d", i+1, f.repeat))
		again, err := p.With(ctx, func(r *run.Request) { r.ID = run.NewID() })
		if err != nil {
			return err
		}
		result, err := session.Execute(ctx, again, dir, nil)
		if err != nil {
			return err
		}
		lost = exitcode.Worst(lost, a.writeViews(withPage(nil, dir), dir, result.Summary, a.progress))
		ended = append(ended, result.Summary)
		r, err := rundir.Open(dir)
		if err != nil {
			return err
		}
		runs = append(runs, r)
		if result.Summary.Verdict == summary.VerdictInterrupted {
			break
		}
	}
	a.progress.Done()
	err = a.showRepeated(runs, ended, baseline, gate, f.json)
	if err == nil {
		err = verdict(lost)
	}
	return err
}

// averaged is what the runs come to together, and the exit code of all; nil for a
// single run.
func averaged(runs []*rundir.Run, ended []*summary.Summary) (mean *compare.Repeated, exit int, err error) {
	if len(runs) > 1 {
		var results [][]sla.Result
		for _, s := range ended {
			results = append(results, s.SLA)
		}
		if mean, err = compare.Average(runs, results); err != nil {
			return nil, 0, err
		}
		if mean.Breaches {
			exit = exitcode.Breached
		}
	}
	for _, s := range ended {
		exit = exitcode.Worst(exit, exitOf(s, mean))
	}
	return mean, exit, nil
}

// exitOf is a run's exit code without the rules that the mean over the runs
// judges.
func exitOf(s *summary.Summary, mean *compare.Repeated) int {
	if s.ExitCode != exitcode.Breached || mean == nil {
		return s.ExitCode
	}
	for i := range s.SLA {
		if s.SLA[i].Breaches() && !mean.Judged(&s.SLA[i]) {
			return s.ExitCode
		}
	}
	if slices.ContainsFunc(s.Checks, func(c summary.Check) bool { return !c.Passed }) {
		return s.ExitCode
	}
	return exitcode.Pass
}

// showRepeated shows runs side by side, what they come to together, and how they
// differ from the baseline.
func (a *app) showRepeated(runs []*rundir.Run, ended []*summary.Summary, baseline []*rundir.Run, gate compare.Options, asJSON bool) error {
	mean, exit, err := averaged(runs, ended)
	if err != nil {
		return err
	}
	all, err := compare.Histories(runs, compare.Options{})
	if err != nil {
		return err
	}
	var c *compare.Comparison
	if len(baseline) > 0 {
		if c = compare.Either(baseline, runs, gate); c.Fails {
			exit = exitcode.Worst(exit, exitcode.Regression)
		}
	}
	if asJSON {
		err = writeJSON(a.Stdout, map[string]any{"runs": all, "repeated": mean, "comparison": c})
		return errors.Join(err, verdict(exit))
	}
	for _, h := range all {
		if err := compare.HistoryText(a.Stdout, h, true); err != nil {
			return err
		}
	}
	if mean != nil {
		fmt.Fprintln(a.Stdout)
		if err := compare.RepeatedText(a.Stdout, mean); err != nil {
			return err
		}
	}
	if c != nil {
		fmt.Fprintln(a.Stdout)
		if err := compare.Text(a.Stdout, c, a.verbose); err != nil {
			return err
		}
	}
	return verdict(exit)
}
