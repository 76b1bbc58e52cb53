package flags

import (
	"time"

	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/outputs"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/series"
)

// Run are the flags of run.
type Run struct {
	Plan
	Barrier
	Gate
	Kubernetes
	// Lab is whether throwaway servers are started for it.
	Lab bool
	// RunDir is the directory that is written, "" for one of the profile's name.
	RunDir string
	// RunID is what the shards of a run have in common, "" for a random one.
	RunID string
	// Baseline is where the runs are that it is compared with.
	Baseline string
	// Repeat is how often it is made.
	Repeat int
	// LogFailures is the file that failed arrivals are written to.
	LogFailures string
	JSON        bool
	Quiet       bool

	// trace is the share of the arrivals that is traced.
	trace       float64
	tags, out   []string
	abortOnFail bool
	abortAfter  time.Duration
	startAt     string
	// export is the file that k6's form of the summary is written to.
	export string
}

// Register makes the flags.
func (f *Run) Register(fs *pflag.FlagSet) {
	f.Plan.Register(fs)
	fs.BoolVar(&f.Lab, "lab", false, "start throwaway RabbitMQ, PostgreSQL and Redis servers, run, stop them")
	fs.BoolVar(&f.abortOnFail, "abort-on-fail", false, "stop as soon as a rule of severity fail is missed whatever the rest of the plan brings")
	fs.DurationVar(&f.abortAfter, "abort-after", 0, "let --abort-on-fail stop nothing before this time, as does \"after 30s\" behind one threshold")
	fs.StringVar(&f.RunDir, "run-dir", "", "write the run to this new `DIR` (default: runs/PROFILE-TIME)")
	fs.IntVar(&f.Repeat, "repeat", 1, "run so many times, one after the other, into the folders 1, 2 … of --run-dir; with --baseline they are compared with it together")
	fs.StringVar(&f.Baseline, "baseline", "", "compare the run with the one in `DIR`, or with those in it; exits with 112 where something regressed")
	f.Gate.Register(fs)
	f.Kubernetes.Register(fs)
	fs.StringVar(&f.RunID, "run-id", "", "the run's `ID`, which the shards of a run have in common (default: random)")
	f.Barrier.Register(fs)
	fs.StringVar(&f.startAt, "start-at", "", "start at this `TIME`, as in 2026-01-02T15:04:05Z, so that shards start together (default: when all is set up)")
	fs.StringArrayVarP(&f.out, "out", "o", nil, "also write `FORMAT=WHERE`, as in json=results.json (repeatable; see Outputs above)")
	fs.Float64Var(&f.trace, "trace", 0, "trace this `SHARE` of the arrivals, as in --trace=0.1: a traceparent in HTTP and AMQP headers, spans over OTLP to where OTEL_EXPORTER_OTLP_ENDPOINT says")
	fs.Lookup("trace").NoOptDefVal = "0.1"
	fs.StringVar(&f.LogFailures, "log-failures", "", "write a line of JSON for each arrival that fails to this `FILE`, 500 a second at most")
	fs.StringVar(&f.export, "summary-export", "", "write the summary to `FILE` in the form of k6's: short for --out k6-summary=FILE")
	fs.StringArrayVar(&f.tags, "tag", nil, "label the run with `KEY=VALUE`, as in branch=main (repeatable; TEST_ENV is the label env)")
	fs.BoolVar(&f.JSON, "json", false, "print the summary as JSON on stdout")
	fs.BoolVarP(&f.Quiet, "quiet", "q", false, "print no progress")
}

// Outputs are what --out and its like ask for.
func (f *Run) Outputs() (streams, views []outputs.Output, err error) {
	f.out = withExport(f.out, f.export)
	f.export = ""
	if err := f.checkRepeat(); err != nil {
		return nil, nil, err
	}
	if f.Repeat > 1 {
		views, err = outputs.Repeated(f.out, f.JSON)
		return nil, views, err
	}
	return outputs.Split(f.out, f.JSON)
}

// Complete adds to the request what only run has.
func (f *Run) Complete(r *run.Request) (err error) {
	if err := AddTags(r, f.tags); err != nil {
		return err
	}
	r.Trace = f.trace
	r.Lab, r.AbortOnFail, r.Judging.AbortAfter = f.Lab, r.AbortOnFail || f.abortOnFail, f.abortAfter
	if r.Gate, err = f.Options(); err != nil {
		return err
	}
	if r.ID, err = ParseRunID(f.RunID); err != nil {
		return err
	}
	if r.StartAt, err = ParseStart(f.startAt); err != nil {
		return err
	}
	if f.Baseline != "" && f.Repeat == 1 {
		if r.Baseline, err = OpenBaseline(f.Baseline); err != nil {
			return err
		}
	}
	return nil
}

// OpenBaseline reads the runs that --baseline names.
func OpenBaseline(dir string) ([]*rundir.Run, error) {
	runs, err := rundir.OpenAll(dir)
	if err != nil {
		return nil, exitcode.UsageError("--baseline: %w", err)
	}
	return runs, nil
}

// checkRepeat refuses what cannot be repeated.
func (f *Run) checkRepeat() error {
	if err := series.CheckRepeat(f.Repeat); err != nil {
		return err
	}
	switch {
	case f.Repeat == 1:
	case f.RunID != "" || f.startAt != "":
		return exitcode.UsageError("--repeat does not go with --run-id or --start-at, which belong to one run")
	}
	return nil
}

// withExport adds the output that --summary-export is short for.
func withExport(out []string, export string) []string {
	if export == "" {
		return out
	}
	return append(out, "k6-summary="+export)
}
