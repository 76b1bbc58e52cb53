package main

import (
	"time"

	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/engine"
)

// planFlags shape the load: they are the ones that inspect shares with run.
type planFlags struct {
	settingFlags
	scenario   string
	flow       string
	scrape     []string
	noProbes   bool
	setupRate  float64
	set        []string
	base       float64
	peak       float64
	rate       float64
	duration   time.Duration
	timeScale  float64
	vus        int
	arrivals   string
	seed       uint64
	tolerance  time.Duration
	thresholds []string
	sla        string
	// confidence, allowUndecided and abortAfter are how rules are judged.
	confidence     float64
	allowUndecided bool
	abortAfter     time.Duration
	shard          string
	queue          int
	maxLateness    time.Duration
	graceful       time.Duration
	watch          []string
}

// defaultVUs bounds the arrivals in flight where nobody says. It is well above
// what a healthy target needs at the built-in rates (Little's law: 1000/s at
// 500 ms is 500 in flight).
const defaultVUs = 1000

// register adds all of them.
func (f *planFlags) register(fs *pflag.FlagSet) {
	f.registerShape(fs)
	f.registerLoad(fs)
}

// registerShape adds the flags that bend a profile.
func (f *planFlags) registerShape(fs *pflag.FlagSet) {
	fs.Float64Var(&f.base, "base", 0, "arrivals/s of the profile's rate \"base\"")
	fs.Float64Var(&f.peak, "peak", 0, "arrivals/s of the profile's rate \"peak\"")
	fs.Float64Var(&f.rate, "rate", 0, "arrivals/s of the profile's rate \"rate\"")
	fs.DurationVarP(&f.duration, "duration", "d", 0, "total length: every stage is stretched or shrunk to fit")
	fs.Float64Var(&f.timeScale, "time-scale", 1, "multiply every stage's length, rates unchanged")
	fs.StringVar(&f.shard, "shard", "", "offer part `I/N` of the schedule, I from 0, as in 0/4")
}

// registerLoad adds the flags that say what an arrival does, how arrivals are
// offered whatever their rate, and what they are judged by.
func (f *planFlags) registerLoad(fs *pflag.FlagSet) {
	f.settingFlags.register(fs)
	fs.StringVar(&f.scenario, "scenario", "", "scenarios with weights, as in `tasks=4,voting=2,crud=3,cache=1` (default: the profile's)")
	fs.StringVar(&f.flow, "flow", "", "walk through the steps of a `FILE` of yours: short for --scenario flow --set flow.file=FILE (see configs/examples)")
	fs.StringArrayVar(&f.set, "set", nil, "set a scenario's setting, as in --set `tasks.agents=50` (repeatable; see perfctl scenarios)")
	fs.IntVarP(&f.vus, "vus", "u", defaultVUs, "bound on arrivals in flight, shared by the scenarios by weight")
	fs.StringVar(&f.arrivals, "arrivals", "uniform", "arrival process: uniform or poisson")
	fs.Uint64Var(&f.seed, "seed", 1, "seed of everything that is random: two runs with one seed offer the same load")
	fs.DurationVar(&f.tolerance, "tolerance", 0, "release arrivals due within this time together, for less CPU (0 or up to 1s)")
	fs.StringArrayVar(&f.thresholds, "threshold", nil, "judge the run by a rule as well, as in `'rabbitmq_publish_latency: p(95)<100ms'` or 'recovery_time: <60s' (repeatable)")
	fs.StringVar(&f.sla, "sla", "", "judge by the SLA tables in a `FILE` in place of the built-in ones")
	fs.Float64Var(&f.confidence, "confidence", 0, "let a rule pass or fail only where that is known at this `CONFIDENCE`, as 0.95 (default: the figure itself decides)")
	fs.BoolVar(&f.allowUndecided, "allow-undecided", false, "do not exit with 99 where a rule of your own stays undecided or without data")
	fs.StringArrayVar(&f.watch, "watch", nil, "watch the memory and CPU of a `PROCESS` on this machine: a program's name, NAME=PID or NAME=PROGRAM (repeatable; --lab's servers are watched)")
	fs.StringArrayVar(&f.scrape, "scrape", nil, "read the memory, CPU, garbage collection and event loop of a program from its `NAME=URL` for Prometheus, as in app=http://localhost:9464/metrics; #METRIC,METRIC behind it names metrics of its own to read as well (repeatable)")
	fs.BoolVar(&f.noProbes, "no-probes", false, "do not read what RabbitMQ, PostgreSQL and Redis say of themselves")
	fs.Float64Var(&f.setupRate, "setup-rate", 0, "load at most so many rows or keys a second in the set-up (0: as fast as the servers take them)")
	fs.IntVar(&f.queue, "queue", 0, "bound, for each scenario, on arrivals that wait for a worker (0: 30 s of the highest rate)")
	fs.DurationVar(&f.maxLateness, "max-lateness", engine.DefaultMaxLateness, "drop an arrival that waited longer for a worker")
	fs.DurationVar(&f.graceful, "graceful-stop", engine.DefaultGracefulStop, "how long what is due may go on after the last arrival")
}

// runFlags are the flags of run alone.
type runFlags struct {
	planFlags
	lab         bool
	abortOnFail bool
	runDir      string
	runID       string
	startAt     string
	baseline    string
	gateFlags
	repeat int
	out    []string
	json   bool
	quiet  bool
}

func (f *runFlags) register(fs *pflag.FlagSet) {
	f.planFlags.register(fs)
	fs.BoolVar(&f.lab, "lab", false, "start throwaway RabbitMQ, PostgreSQL and Redis servers, run, stop them")
	fs.BoolVar(&f.abortOnFail, "abort-on-fail", false, "stop as soon as a rule of severity fail is missed whatever the rest of the plan brings")
	fs.DurationVar(&f.abortAfter, "abort-after", 0, "let --abort-on-fail stop nothing before this time, as does \"after 30s\" behind one threshold")
	fs.StringVar(&f.runDir, "run-dir", "", "write the run to this new `DIR` (default: runs/PROFILE-TIME)")
	fs.IntVar(&f.repeat, "repeat", 1, "run so many times, one after the other, into the folders 1, 2 … of --run-dir; with --baseline they are compared with it together")
	fs.StringVar(&f.baseline, "baseline", "", "compare the run with the one in `DIR`, or with those in it; exits with 112 where something regressed")
	f.gateFlags.register(fs)
	fs.StringVar(&f.runID, "run-id", "", "the run's `ID`, which the shards of a run have in common (default: random)")
	fs.StringVar(&f.startAt, "start-at", "", "start at this `TIME`, as in 2026-01-02T15:04:05Z, so that shards start together (default: when all is set up)")
	fs.StringArrayVar(&f.out, "out", nil, "also write `FORMAT=WHERE`, as in json=results.json (repeatable; see Outputs above)")
	fs.BoolVar(&f.json, "json", false, "print the summary as JSON on stdout")
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "print no progress")
}
