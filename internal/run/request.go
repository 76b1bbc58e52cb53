package run

import (
	"fmt"
	"time"

	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/config"
	"github.com/perfctl/perfctl/internal/engine"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/faults"
	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/secrets"
	"github.com/perfctl/perfctl/internal/sla"
)

// Request is what is asked of a run, as values. A Plan is made of it.
type Request struct {
	// Profile is the load to offer, bent as it was asked for.
	Profile *profiles.Profile
	// Scenarios, where given, stand in place of the profile's.
	Scenarios []profiles.Weight
	// Flow names a file of steps; empty for none.
	Flow string
	// Faults are what is broken on purpose besides what the profile breaks; their
	// times are from the start of the run.
	Faults []faults.Fault
	// Values are settings of scenarios above those of the profile and of the
	// configuration file.
	Values []Value
	// MaxInFlight bounds the arrivals in flight, shared by the scenarios by weight.
	MaxInFlight int
	// MaxInFlightGiven says that somebody asked for it: then no more users may be.
	MaxInFlightGiven bool
	// Process is the arrival process, Seed that of everything that is random.
	Process profiles.Process
	Seed    uint64
	// Tolerance is within which time arrivals may be released together.
	Tolerance time.Duration
	// Queue bounds, for each scenario, the arrivals that wait for a worker; 0 is 30 s
	// of the highest rate. MaxLateness is how long one may wait.
	Queue       int
	MaxLateness time.Duration
	// GracefulStop is how long what is due may go on after the last arrival.
	GracefulStop time.Duration
	// SetupRate bounds the rows or keys that the set-up loads in a second; 0 does not.
	SetupRate float64
	// Shard and Shards say which part of the schedule to offer.
	Shard, Shards int
	// ID is the run's identity, empty for a random one.
	ID string
	// StartAt is the instant of the first arrival, zero for as soon as may be.
	StartAt time.Time
	// Watch names processes on this machine whose memory and CPU are read, Scrape
	// programs whose /metrics are.
	Watch, Scrape []string
	// Replicas say how the number of instances of programs is read.
	Replicas []string
	// Trace is the share of the arrivals that is traced.
	Trace float64
	// NoExemplars keeps no records of single arrivals.
	NoExemplars bool
	// NoProbes leaves out what the servers say of themselves.
	NoProbes bool
	// Rules are what the run is judged by.
	Rules *config.Rules
	// Judging says how the rules are judged.
	Judging sla.Options
	// AbortOnFail ends the run once a rule is missed whatever the rest of it brings.
	AbortOnFail bool
	// AllowTargets and AllowDatabases are what may be loaded besides this machine and
	// databases for tests.
	AllowTargets, AllowDatabases []string
	// AllowFaults lets faults of the profile run the commands that they give.
	AllowFaults bool
	// Settings are the layers of settings, File the configuration file among them.
	Settings *config.Layers
	File     *config.File
	// Lab starts throwaway servers for the run.
	Lab bool
	// Baseline holds the runs that this one is compared with.
	Baseline []*rundir.Run
	// Gate says by what they are compared.
	Gate compare.Options

	// What follows is recorded with the run and decides nothing about it.

	// Options are what the command was given, each with its origin.
	Options []rundir.Setting
	// Secrets are those that became known: nothing that is recorded shows them.
	Secrets *secrets.Redactor
	// Tags are labels of the run.
	Tags map[string]string
	// Command is the command line without secrets.
	Command []string
	// Version is perfctl's.
	Version string
}

// Value is one setting of a scenario, for the whole run.
type Value struct {
	Scenario, Key, Value string
	// Place says where it was given.
	Place string
}

// MostInFlight is the highest bound on arrivals in flight.
const MostInFlight = 1_000_000

// mostQueued is the highest bound on arrivals that wait.
const mostQueued = 1 << 24

// check refuses values that no run can have.
func (r *Request) check() error {
	switch {
	case r.Lab && r.Shards > 1:
		return exitcode.UsageError("--lab with --shard %d/%d: each shard would start servers of its own\n  next: start them once with perfctl lab up, and give all shards their settings", r.Shard, r.Shards)
	case r.Process != profiles.Uniform && r.Process != profiles.Poisson:
		return exitcode.UsageError("--arrivals %q: want uniform or poisson", r.Process)
	case r.MaxInFlight < 1:
		return exitcode.UsageError("--vus %d: at least 1 arrival must be allowed in flight", r.MaxInFlight)
	case r.MaxInFlight > MostInFlight:
		return exitcode.UsageError("--vus %d: at most %d", r.MaxInFlight, MostInFlight)
	case r.Judging.Confidence != 0 && !(r.Judging.Confidence >= 0.5 && r.Judging.Confidence <= 0.9999):
		return exitcode.UsageError("--confidence %g: want 0.5 to 0.9999, as in 0.95", r.Judging.Confidence)
	case r.Judging.AbortAfter < 0:
		return exitcode.UsageError("--abort-after %v is negative", r.Judging.AbortAfter)
	case !(r.Trace >= 0 && r.Trace <= 1):
		return exitcode.UsageError("--trace %g: want a share of the arrivals from 0 to 1, as in 0.1", r.Trace)
	case r.Tolerance < 0 || r.Tolerance > time.Second:
		return exitcode.UsageError("--tolerance %v: want 0 to 1s", r.Tolerance)
	case !(r.SetupRate >= 0 && r.SetupRate <= 1e9):
		return exitcode.UsageError("--setup-rate %g: want 0 or a number of rows a second", r.SetupRate)
	case r.Queue < 0 || r.Queue > mostQueued:
		return exitcode.UsageError("--queue %d: want 0 to %d", r.Queue, mostQueued)
	case r.MaxLateness <= 0 || r.GracefulStop <= 0:
		return exitcode.UsageError("--max-lateness and --graceful-stop must be above 0")
	case r.Shards < 1 || r.Shard < 0 || r.Shard >= r.Shards:
		return exitcode.UsageError("--shard %d/%d: want I/N with I from 0 to N-1", r.Shard, r.Shards)
	case r.Profile == nil || r.Rules == nil || r.Settings == nil || r.Secrets == nil:
		return fmt.Errorf("a run needs a profile, rules, settings and a redactor")
	}
	return nil
}

// The bounds where nobody says.
const (
	DefaultMaxLateness  = engine.DefaultMaxLateness
	DefaultGracefulStop = engine.DefaultGracefulStop
)
