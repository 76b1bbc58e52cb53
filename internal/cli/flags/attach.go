package flags

import (
	"time"

	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/cluster"
	"github.com/perfctl/perfctl/internal/outputs"
	"github.com/perfctl/perfctl/internal/pods"
	"github.com/perfctl/perfctl/internal/run"
)

// Attach are the flags of kubernetes attach.
type Attach struct {
	ClusterAccess
	Gate
	// RunDir is the directory that is written, "" for one of the profile's name.
	RunDir string
	// Keep is whether the Job stays.
	Keep, JSON, Quiet bool

	baseline     string
	abortOnFail  bool
	abortAfter   time.Duration
	allowTargets []string
	export       string
	out          []string
}

// Register makes the flags.
func (f *Attach) Register(fs *pflag.FlagSet) {
	f.ClusterAccess.Register(fs)
	f.Gate.Register(fs)
	fs.StringVar(&f.RunDir, "run-dir", "", "write the run to this new `DIR` (default: runs/PROFILE-TIME)")
	fs.StringVar(&f.baseline, "baseline", "", "compare the run with the one in `DIR`, or with those in it; exits with 112 where something regressed")
	fs.BoolVar(&f.abortOnFail, "abort-on-fail", false, "stop as soon as a rule of severity fail is missed whatever the rest brings (default: as the command had it that made the run)")
	fs.DurationVar(&f.abortAfter, "abort-after", 0, "let --abort-on-fail stop nothing before this time of the run")
	fs.StringArrayVar(&f.allowTargets, "allow-target", nil, "allow to send figures to this `HOST` (repeatable)")
	fs.StringVar(&f.export, "summary-export", "", "write the summary to `FILE` in the form of k6's: short for --out k6-summary=FILE")
	fs.StringArrayVarP(&f.out, "out", "o", nil, "also write `FORMAT=WHERE`, as in json=results.json (repeatable; see Outputs in perfctl run --help)")
	fs.BoolVar(&f.JSON, "json", false, "print the summary as JSON on stdout")
	fs.BoolVarP(&f.Quiet, "quiet", "q", false, "print no progress")
	fs.BoolVar(&f.Keep, "kubernetes-keep", false, "leave the Job behind, for its logs")
}

// Base reads what the run is to be compared with.
func (f *Attach) Base() (base pods.Baseline, err error) {
	if base.Gate, err = f.Options(); err == nil && f.baseline != "" {
		base.Runs, err = OpenBaseline(f.baseline)
	}
	return base, err
}

// Outputs are what --out and its like ask for.
func (f *Attach) Outputs() (streams, views []outputs.Output, err error) {
	return outputs.Split(withExport(f.out, f.export), f.JSON)
}

// Named is what is known of a run that was found, and what the flags change of it.
func (f *Attach) Named(id string, found *cluster.Found, fs *pflag.FlagSet) run.Named {
	known := run.Named{ID: id, Profile: found.Profile, AllowTargets: f.allowTargets, AbortOnFail: found.AbortOnFail, AbortAfter: found.AbortAfter}
	if fs.Changed("abort-on-fail") || fs.Changed("abort-after") {
		known.AbortOnFail, known.AbortAfter = f.abortOnFail, f.abortAfter
	}
	return known
}
