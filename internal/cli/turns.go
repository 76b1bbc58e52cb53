package cli

import (
	"context"
	"os"
	"time"

	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/series"
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

// compareTurns makes the runs of both sides by turns and compares them.
func (a *app) compareTurns(ctx context.Context, o compare.Options, f *compareFlags) error {
	if f.run == "" || f.against == "" {
		return exitcode.UsageError("--run and --against belong together: what is new, and what it is compared with")
	}
	err := series.CheckRepeat(f.repeat)
	if err != nil {
		return err
	}
	t := series.Turns{Repeat: f.repeat, Dir: f.dir}
	if t.New, err = series.Args("--run", f.run); err != nil {
		return err
	}
	if t.Base, err = series.Args("--against", f.against); err != nil {
		return err
	}
	if t.Dir == "" {
		t.Dir = rundir.Free("compare", time.Now())
	}
	if _, err := os.Stat(t.Dir); err == nil {
		return exitcode.UsageError("--run-dir %s: exists already\n  next: choose another", t.Dir)
	}
	base, next, err := t.Make(ctx, maker{a})
	if err != nil {
		return err
	}
	return a.compareRuns(base, next, o, f)
}
