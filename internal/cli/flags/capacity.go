package flags

import (
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/capacity"
	"github.com/perfctl/perfctl/internal/capacity/trials"
	"github.com/perfctl/perfctl/internal/exitcode"
)

// Capacity are the flags of capacity.
type Capacity struct {
	Load
	Kubernetes
	// Lab is whether throwaway servers are started for it.
	Lab, JSON, Quiet bool

	start, max, require float64
	precision           string
	trial, maxTime      time.Duration
	each, users         bool
	pause               time.Duration
	runDir              string
}

// Register makes the flags.
func (f *Capacity) Register(fs *pflag.FlagSet) {
	f.Load.Register(fs)
	f.Kubernetes.Register(fs)
	fs.Float64Var(&f.start, "start", 50, "`rate` of the first trial, arrivals/s (10 with --users)")
	fs.Float64Var(&f.max, "max", 0, "highest `rate` to try, arrivals/s (0: what this machine can generate)")
	fs.DurationVar(&f.trial, "trial", 10*time.Second, "length of a trial that decides, longer at low rates; short ones take a third, the confirming one twice as long")
	fs.StringVar(&f.precision, "precision", "5%", "how far apart the bounds may be, in `percent` of the lower one")
	fs.DurationVar(&f.maxTime, "max-time", 20*time.Minute, "bound on the time of a search: what is known by then is said")
	fs.Float64Var(&f.require, "require", 0, "exit with 99 unless it is known to hold this `rate`, arrivals/s; as --threshold 'capacity: >= RATE'")
	fs.BoolVar(&f.users, "users", false, "search how many users it holds, each of whom begins again when answered, in place of a rate: --start, --max and --require are users then")
	fs.DurationVar(&f.pause, "pause", 0, "with --users: how long a user waits between two arrivals")
	fs.BoolVar(&f.each, "each", false, "search each scenario by itself, in place of the mix")
	fs.BoolVar(&f.Lab, "lab", false, "start throwaway RabbitMQ, PostgreSQL and Redis servers, search, stop them")
	fs.StringVar(&f.runDir, "run-dir", "", "write capacity.json and the trials' run directories to this new `DIR` (default: runs/capacity-TIME)")
	fs.BoolVar(&f.JSON, "json", false, "print what was found as JSON on stdout")
	fs.BoolVarP(&f.Quiet, "quiet", "q", false, "print no progress")
}

// Options returns what the flags ask to search for.
func (f *Capacity) Options(fs *pflag.FlagSet) (trials.Options, error) {
	if f.users && !fs.Changed("start") {
		f.start = 10
	}
	number, percent := strings.CutSuffix(strings.TrimSpace(f.precision), "%")
	p, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil {
		return trials.Options{}, exitcode.UsageError("--precision %q: want a percentage, as in 5%%", f.precision)
	}
	if percent {
		p /= 100
	}
	if f.pause < 0 || f.pause > 0 && !f.users {
		return trials.Options{}, exitcode.UsageError("--pause %v: it is above 0, and belongs to --users", f.pause)
	}
	return trials.Options{
		Config:  capacity.Config{Start: f.start, Max: f.max, Users: f.users, Precision: p, Trial: f.trial, MaxTime: f.maxTime},
		Require: f.require, Pause: f.pause, Each: f.each, Dir: f.runDir,
	}, nil
}
