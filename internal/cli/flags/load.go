// Package flags holds the flags of the commands that make or follow runs, and the request
// that is made of them: where settings come from, which scenarios, what load, by what it
// is judged. A command that asks for little has its flags in its own file.
package flags

import (
	"time"

	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/run"
)

// Settings say where settings come from, and what may be loaded.
type Settings struct {
	env            []string
	envFile        string
	config         string
	allowTargets   []string
	allowDatabases []string
}

// Register adds the flags to a command's.
func (f *Settings) Register(fs *pflag.FlagSet) {
	fs.StringArrayVarP(&f.env, "env", "e", nil, "set `KEY=VALUE` above the environment, as in -e DB_HOST=db.test; a flow reads any KEY as {{env KEY}} (repeatable)")
	fs.StringVar(&f.envFile, "env-file", "", "read settings from a `FILE` of KEY=VALUE lines, below the environment")
	fs.StringVar(&f.config, "config", "", "read a configuration `FILE` (YAML; see configs/examples/perfctl.yaml)")
	fs.StringArrayVar(&f.allowTargets, "allow-target", nil, "allow a `HOST` that is not this machine to be loaded, read or sent figures (repeatable)")
	fs.StringArrayVar(&f.allowDatabases, "allow-database", nil, "allow a database `NAME` without the word test or perf in it (repeatable)")
}

// Scenarios choose the scenarios and their settings.
type Scenarios struct {
	Settings
	scenario string
	flow     string
	set      []string
	// ownNames says that -e may give names of a script's own.
	ownNames bool
}

// Register adds the flags to a command's.
func (f *Scenarios) Register(fs *pflag.FlagSet) {
	f.Settings.Register(fs)
	fs.StringVar(&f.scenario, "scenario", "", "scenarios with weights, as in `tasks=4,voting=2,crud=3,cache=1` (default: the profile's)")
	fs.StringVar(&f.flow, "flow", "", "walk through the steps of a `FILE` of yours: short for --scenario flow --set flow.file=FILE (see configs/examples)")
	fs.StringArrayVar(&f.set, "set", nil, "set a scenario's setting, as in --set `tasks.agents=50` (repeatable; see perfctl scenarios)")
}

// Load say how arrivals are offered whatever their rate, and what they are judged
// by.
type Load struct {
	Scenarios
	scrape     []string
	replicas   []string
	noProbes   bool
	noRecords  bool
	setupRate  float64
	vus        int
	Arrivals   string
	Seed       uint64
	tolerance  time.Duration
	thresholds []string
	sla        string
	// confidence and allowUndecided are how rules are judged.
	confidence     float64
	allowUndecided bool
	queue          int
	maxLateness    time.Duration
	graceful       time.Duration
	watch          []string
	faults         []string
	allowFaults    bool
}

// defaultVUs bounds the arrivals in flight where nobody says. It is well above what a
// healthy target needs at the built-in rates (Little's law: 1000/s at 500 ms is 500 in
// flight).
const defaultVUs = 1000

// Register adds the flags to a command's.
func (f *Load) Register(fs *pflag.FlagSet) {
	f.Scenarios.Register(fs)
	fs.IntVarP(&f.vus, "vus", "u", defaultVUs, "bound on arrivals in flight, shared by the scenarios by weight; these are no users: see --users")
	fs.StringVar(&f.Arrivals, "arrivals", "uniform", "arrival process: uniform or poisson")
	fs.Uint64Var(&f.Seed, "seed", 1, "seed of everything that is random: two runs with one seed offer the same load")
	fs.DurationVar(&f.tolerance, "tolerance", 0, "release arrivals due within this time together, for less CPU (0 or up to 1s)")
	fs.StringArrayVar(&f.thresholds, "threshold", nil, "judge the run by a rule as well, as in `'rabbitmq_publish_latency: p(95)<100ms'` or 'recovery_time: <60s' (repeatable)")
	fs.StringVar(&f.sla, "sla", "", "judge by the SLA tables in a `FILE` in place of the built-in ones")
	fs.Float64Var(&f.confidence, "confidence", 0, "let a rule pass or fail only where that is known at this `CONFIDENCE`, as 0.95 (default: the figure itself decides)")
	fs.BoolVar(&f.allowUndecided, "allow-undecided", false, "do not exit with 99 where a rule of your own stays undecided or without data")
	fs.StringArrayVar(&f.faults, "fault", nil, "break something on purpose, as in `'redis: delay 50ms±20ms at 30s for 20s'` (repeatable; see docs/faults.md); --time-scale scales its times")
	fs.BoolVar(&f.allowFaults, "allow-faults", false, "let the faults of a profile run the commands that they give, which break servers of yours and mend them")
	fs.StringArrayVar(&f.watch, "watch", nil, "watch the memory and CPU of a `PROCESS` on this machine: a program's name, NAME=PID or NAME=PROGRAM (repeatable; --lab's servers are watched)")
	fs.StringArrayVar(&f.scrape, "scrape", nil, "read the memory, CPU, garbage collection and event loop of a program from its `NAME=URL` for Prometheus, as in app=http://localhost:9464/metrics; #METRIC,METRIC behind it names metrics of its own to read as well (repeatable)")
	fs.StringArrayVar(&f.replicas, "replicas", nil, "count the instances of a program that serve, by `NAME=COMMAND` that prints their number, or by 'NAME=URL SERIES' for Prometheus, as in app='http://localhost:9090/metrics http_requests_total by pod' (repeatable; see docs/analysis.md)")
	fs.BoolVar(&f.noProbes, "no-probes", false, "do not read what RabbitMQ, PostgreSQL and Redis say of themselves")
	fs.BoolVar(&f.noRecords, "no-exemplars", false, "keep no records of single arrivals (perfctl slow shows them)")
	fs.Float64Var(&f.setupRate, "setup-rate", 0, "load at most so many rows or keys a second in the set-up (0: as fast as the servers take them)")
	fs.IntVar(&f.queue, "queue", 0, "bound, for each scenario, on arrivals that wait for a worker (0: 30 s of the highest rate)")
	fs.DurationVar(&f.maxLateness, "max-lateness", run.DefaultMaxLateness, "drop an arrival that waited longer for a worker")
	fs.DurationVar(&f.graceful, "graceful-stop", run.DefaultGracefulStop, "how long what is due may go on after the last arrival")
}

// shapeFlags bend a profile.
type shapeFlags struct {
	base, peak, rate float64
	duration         time.Duration
	timeScale        float64
	shard            string
	userFlags
}

func (f *shapeFlags) Register(fs *pflag.FlagSet) {
	fs.Float64Var(&f.base, "base", 0, "arrivals/s of the profile's rate \"base\"")
	fs.Float64Var(&f.peak, "peak", 0, "arrivals/s of the profile's rate \"peak\"")
	fs.Float64Var(&f.rate, "rate", 0, "arrivals/s of the profile's rate \"rate\"")
	fs.DurationVarP(&f.duration, "duration", "d", 0, "total length: every stage is stretched or shrunk to fit")
	fs.Float64Var(&f.timeScale, "time-scale", 1, "multiply every stage's length, rates unchanged")
	f.userFlags.Register(fs)
	fs.StringVar(&f.shard, "shard", "", "offer part `I/N` of the schedule, I from 0, as in 0/4")
}

// Plan are what run shares with inspect and doctor: everything that decides what
// would be done.
type Plan struct {
	shapeFlags
	scriptFlags
	Load
}

// Register adds the flags to a command's.
func (f *Plan) Register(fs *pflag.FlagSet) {
	f.shapeFlags.Register(fs)
	f.scriptFlags.Register(fs)
	f.Load.Register(fs)
}
