package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/kballard/go-shellquote"
	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/rundir"
)

// turnFlags are those of a comparison that makes its runs itself.
type turnFlags struct {
	run, against string
	repeat       int
	dir          string
}

func (f *turnFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.run, "run", "", "make the new runs: the `ARGS` of perfctl run, as in 'load -d 1m'")
	fs.StringVar(&f.against, "against", "", "make the base runs: the `ARGS` of perfctl run; --run and --against take turns (base, new, new, base, …)")
	fs.IntVar(&f.repeat, "repeat", 5, "how many runs a side --run and --against make")
	fs.StringVar(&f.dir, "run-dir", "", "write the runs into the folders base and new of this new `DIR` (default: runs/compare-TIME)")
}

// turn is one run of a comparison.
type turn struct {
	side string
	args []string
	dir  string
}

// turns returns the runs of both sides in the order base, new, new, base, base …:
// what drifts evenly then adds as much to the one side as to the other.
func turns(base, next []string, repeat int, dir string) (out []turn) {
	for i := range repeat {
		pair := []turn{{side: "base", args: base}, {side: "new", args: next}}
		if i%2 == 1 {
			pair[0], pair[1] = pair[1], pair[0]
		}
		for _, t := range pair {
			t.dir = filepath.Join(dir, t.side, strconv.Itoa(i+1))
			out = append(out, t)
		}
	}
	return out
}

// compareTurns makes the runs of both sides by turns and compares them.
func (a *app) compareTurns(ctx context.Context, o compare.Options, f *compareFlags) error {
	if f.run == "" || f.against == "" {
		return exitcode.UsageError("--run and --against belong together: what is new, and what it is compared with")
	}
	if f.repeat < 1 || f.repeat > maxRepeat {
		return exitcode.UsageError("--repeat %d: want 1 to %d", f.repeat, maxRepeat)
	}
	next, err := runArgs("--run", f.run)
	if err != nil {
		return err
	}
	base, err := runArgs("--against", f.against)
	if err != nil {
		return err
	}
	dir := f.dir
	if dir == "" {
		dir = rundir.Free("compare", time.Now())
	}
	if _, err := os.Stat(dir); err == nil {
		return exitcode.UsageError("--run-dir %s: exists already\n  next: choose another", dir)
	}
	sides := map[string][]*rundir.Run{}
	all := turns(base, next, f.repeat, dir)
	for i, t := range all {
		fmt.Fprintf(a.Stderr, "run %d of %d: %s\n", i+1, len(all), t.side)
		r, err := a.turn(ctx, t)
		if err != nil {
			return err
		}
		sides[t.side] = append(sides[t.side], r)
	}
	return a.compareRuns(sides["base"], sides["new"], o, f)
}

// runArgs splits a command line as a shell does.
func runArgs(flag, text string) ([]string, error) {
	args, err := shellquote.Split(text)
	if err != nil {
		return nil, exitcode.UsageError("%s %q: %w", flag, text, err)
	}
	if len(args) > 0 && args[0] == "run" {
		args = args[1:]
	}
	if len(args) == 0 {
		return nil, exitcode.UsageError("%s %q: want the arguments of perfctl run, as in 'load -d 1m'", flag, text)
	}
	return append([]string{"run"}, args...), nil
}

// mostAttempts is how often a run whose generator was the bottleneck is made.
const mostAttempts = 3

// turn makes one run. A broken SLA is no hindrance to a comparison; a run that is
// INVALID is made again, into a folder beside it; all else ends the comparison.
func (a *app) turn(ctx context.Context, t turn) (*rundir.Run, error) {
	for attempt := 1; ; attempt++ {
		dir := t.dir
		if attempt > 1 {
			dir += "-again" + strconv.Itoa(attempt-1)
		}
		err := a.inside(ctx, append(slices.Clone(t.args), "--run-dir", dir, "--quiet"))
		code, isVerdict := errors.AsType[verdictCode](err)
		switch {
		case err == nil, isVerdict && int(code) == exitcode.Breached, isVerdict && int(code) == exitcode.Regression:
			return rundir.Open(dir)
		case isVerdict && int(code) == exitcode.Invalid && attempt < mostAttempts:
			fmt.Fprintf(a.Stderr, "the run in %s is INVALID: once more\n", dir)
		case isVerdict:
			return nil, exitcode.With(int(code), fmt.Errorf("the %s run in %s ended with exit code %d and cannot be compared\n  next: perfctl report %s", t.side, dir, int(code), dir))
		default:
			return nil, err
		}
	}
}

// inside executes a command line inside this one, without its results: they are
// in its run directory.
func (a *app) inside(ctx context.Context, args []string) error {
	return a.inner(args).execute(ctx)
}
