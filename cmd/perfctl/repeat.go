package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/summary"
)

// maxRepeat bounds --repeat.
const maxRepeat = 1000

// checkRepeat refuses what cannot be repeated.
func (f *runFlags) checkRepeat() error {
	switch {
	case f.repeat < 1 || f.repeat > maxRepeat:
		return usageError("--repeat %d: want 1 to %d", f.repeat, maxRepeat)
	case f.repeat == 1:
	case f.runID != "" || f.startAt != "":
		return usageError("--repeat cannot be had with --run-id or --start-at, which are of one run")
	case len(f.out) > 0:
		return usageError("--repeat cannot be had with --out, which is of one run\n  next: perfctl report DIR/1 --format ... writes every view later")
	}
	return nil
}

// repeat executes a run several times, shows the runs side by side and compares
// them, together, with the baseline. Its exit code is that of the worst run, or of
// the comparison.
func (w *world) repeat(ctx context.Context, o *oneRun) error {
	base, p := o.dir(), o.p
	if _, err := os.Stat(filepath.Join(base, rundir.InfoFile)); err == nil {
		return usageError("--run-dir %s is a run directory: the folders of the repetitions do not belong into it", base)
	}
	baseline := p.baseline
	p.baseline = nil // each run alone is not compared
	exit := exitcode.Pass
	var runs []*rundir.Run
	for i := range o.f.repeat {
		p.runID = newRunID()
		dir := filepath.Join(base, strconv.Itoa(i+1))
		o.pr.say("run %d of %d", i+1, o.f.repeat)
		s, err := w.once(ctx, o, dir)
		if err != nil {
			return err
		}
		w.writeViews(withPage(nil, dir), dir, s, o.pr)
		exit = exitcode.Worst(exit, s.ExitCode)
		r, err := rundir.Open(dir)
		if err != nil {
			return err
		}
		runs = append(runs, r)
		if s.Verdict == summary.VerdictInterrupted {
			break
		}
	}
	o.pr.done()
	all, err := compare.Histories(runs, compare.Options{})
	if err != nil {
		return err
	}
	var c *compare.Comparison
	if len(baseline) > 0 {
		if c, err = compare.Runs(baseline, runs, p.gate); err != nil {
			fmt.Fprintf(w.stderr, "warning: not compared with the baseline: %v\n", err)
		} else if c.Fails {
			exit = exitcode.Worst(exit, exitcode.Regression)
		}
	}
	if err := w.showRepeated(o, all, c); err != nil || exit == exitcode.Pass {
		return err
	}
	return verdictCode(exit)
}

func (w *world) showRepeated(o *oneRun, all []*compare.History, c *compare.Comparison) error {
	if o.f.json {
		enc := json.NewEncoder(w.stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(object{"runs": all, "comparison": c})
	}
	for _, h := range all {
		if err := compare.HistoryText(w.stdout, h, true); err != nil {
			return err
		}
	}
	if c == nil {
		return nil
	}
	fmt.Fprintln(w.stdout)
	return compare.Text(w.stdout, c, w.verbose)
}
