package series

import (
	"context"
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

// Repeated are the runs that one plan was executed in, one after the other, and what
// they came to together.
type Repeated struct {
	summary.Repeated
	Runs []*rundir.Run
}

// CheckBase refuses a folder that repetitions cannot be written into.
func CheckBase(base string) error {
	if _, err := os.Stat(filepath.Join(base, rundir.InfoFile)); err == nil {
		return exitcode.UsageError("--run-dir %s is a run directory: the folders of the repetitions do not belong into it", base)
	}
	return nil
}

// Execute executes a plan and records it in a new run directory.
type Execute func(ctx context.Context, p *run.Plan, dir string) (*summary.Summary, error)

// Repeat executes a plan so many times, into the folders 1, 2 … of base. after is called
// behind each run.
func Repeat(ctx context.Context, execute Execute, p *run.Plan, base string, times int, say func(string), after func(dir string, s *summary.Summary)) (*Repeated, error) {
	out := &Repeated{}
	out.Asked = times
	for i := range times {
		dir := filepath.Join(base, strconv.Itoa(i+1))
		say(fmt.Sprintf("run %d of %d", i+1, times))
		again, err := p.With(ctx, func(r *run.Request) { r.ID = run.NewID() })
		if err != nil {
			return nil, err
		}
		ended, err := execute(ctx, again, dir)
		if err != nil {
			return nil, err
		}
		after(dir, ended)
		out.Ended = append(out.Ended, ended)
		r, err := rundir.Open(dir)
		if err != nil {
			return nil, err
		}
		out.Runs = append(out.Runs, r)
		if ended.Verdict == summary.VerdictInterrupted {
			break
		}
	}
	return out, nil
}

// Conclude finds what the runs come to together, compared with the baseline where there
// is one.
func (r *Repeated) Conclude(baseline []*rundir.Run, gate compare.Options) (err error) {
	if r.Mean, r.ExitCode, err = averaged(r.Runs, r.Ended); err != nil {
		return err
	}
	if r.Histories, err = compare.Histories(r.Runs, compare.Options{}); err != nil {
		return err
	}
	if len(baseline) > 0 {
		if r.Comparison = compare.Either(baseline, r.Runs, gate); r.Comparison.Fails {
			r.ExitCode = exitcode.Worst(r.ExitCode, exitcode.Regression)
		}
	}
	r.Verdict = word(r.ExitCode)
	return nil
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
// judges. A run that a rule ended early keeps its own: it is no whole run of the mean.
func exitOf(s *summary.Summary, mean *compare.Repeated) int {
	if s.ExitCode != exitcode.Breached || mean == nil || s.Stopped != nil {
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
