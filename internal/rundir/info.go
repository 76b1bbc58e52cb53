package rundir

import (
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
)

// RunInfo is run.json: everything about a run that is known when it starts. It
// holds no secret; who fills it in redacts.
type RunInfo struct {
	Schema int    `json:"schema"`
	ID     string `json:"id"`
	// Version is perfctl's, Drivers those of the libraries it talks with, by
	// module, and Servers those of the targets, by target.
	Version string            `json:"version"`
	Drivers map[string]string `json:"drivers,omitempty"`
	Servers map[string]string `json:"servers,omitempty"`
	Machine Machine           `json:"machine"`
	// Command is the command line, redacted.
	Command []string `json:"command,omitempty"`
	// Tags are labels that the user gave the run, TEST_ENV as env among them.
	Tags map[string]string `json:"tags,omitempty"`
	// Profile is the profile's name.
	Profile   string          `json:"profile"`
	Scenarios []ScenarioShare `json:"scenarios"`
	Stages    []StageInfo     `json:"stages"`
	// Planned is how many arrivals this run, or this shard of it, offers in stages
	// with a rate.
	Planned int64  `json:"planned"`
	Seed    uint64 `json:"seed"`
	// Process is how arrivals are spaced: uniform or poisson.
	Process string `json:"arrivals_process"`
	// Schedule tells the times of the arrivals and what each does from all others.
	Schedule string `json:"schedule,omitempty"`
	// Shard of Shards is the part of the whole that was offered here: the
	// arrivals k with k ≡ Shard (mod Shards).
	Shard  int `json:"shard"`
	Shards int `json:"shards"`
	// MaxInFlight bounds the arrivals in flight.
	MaxInFlight int `json:"max_in_flight"`
	// Tolerance is within how much time arrivals could be coalesced.
	Tolerance float64 `json:"tolerance_s"`
	// GracefulStop is how long started arrivals had at the end.
	GracefulStop float64 `json:"graceful_stop_s"`
	// Settings are the resolved settings and where each came from.
	Settings []Setting `json:"settings,omitempty"`
	// Rules are the thresholds, as text, and Table is the SLA file: by both a
	// merged run is judged.
	Rules []string `json:"rules,omitempty"`
	Table File     `json:"sla_table,omitzero"`
	// Programs are which target each watched program is, by its name in figures:
	// postgres, redis, rabbitmq, or api for one of the user's own.
	Programs map[string]string `json:"programs,omitempty"`
	// Judging is how the rules are judged.
	Judging Judging `json:"judging,omitzero"`
	// Faults are what was broken on purpose, in the order of their beginnings.
	Faults []FaultInfo `json:"faults,omitempty"`
	// FaultCost is what the proxy of the faults adds to a round trip, at the median,
	// in microseconds: measured before the run, on its machine.
	FaultCost float64 `json:"fault_proxy_p50_us,omitempty"`
	// Late is by how many seconds all was set up after the instant that --start-at
	// gave: nothing was sent then.
	Late float64 `json:"late_s,omitempty"`
	// Started is when the first arrival could be due.
	Started time.Time `json:"started"`
	// Roles says that the metrics are described with their roles.
	Roles bool `json:"roles,omitempty"`
	// Subjects says that they are described with whose figures they hold, and with the
	// roles that came with that.
	Subjects bool `json:"subjects,omitempty"`
	// Metrics describes every metric declared at the start.
	Metrics []MetricInfo `json:"metrics"`
	// Merged is set where this run was merged of shards.
	Merged *MergeInfo `json:"merged,omitempty"`
}

// Judging is how a run is judged by its rules.
type Judging struct {
	// Confidence, above 0, is that at which a rule must be known to pass or fail.
	Confidence float64 `json:"confidence,omitempty"`
	// AllowUndecided lets rules of the user's own stay undecided.
	AllowUndecided bool `json:"allow_undecided,omitempty"`
	// OwnTable says that the SLA file is the user's, not the built-in one.
	OwnTable bool `json:"own_table,omitempty"`
}

// File is a file that a run was given.
type File struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// MergeInfo says what a merged run was made of.
type MergeInfo struct {
	Shards int `json:"shards"`
	// Missing are the shards of which there is nothing, Doubled those that were run
	// more than once.
	Missing []int `json:"missing,omitempty"`
	Doubled []int `json:"doubled,omitempty"`
	// Starts are when each shard could send its first arrival, by its own clock.
	Starts []ShardStart `json:"starts,omitempty"`
	// Incomplete says that data of a shard is missing, Notes what was wrong with
	// them.
	Incomplete bool     `json:"incomplete"`
	Notes      []string `json:"notes,omitempty"`
}

// ShardStart is when a shard started.
type ShardStart struct {
	Shard   int       `json:"shard"`
	Started time.Time `json:"started"`
	// Offset is how much later than the first shard that was, in milliseconds.
	Offset float64 `json:"offset_ms"`
}

// Machine is where the generator ran.
type Machine struct {
	OS         string `json:"os"`
	Arch       string `json:"arch"`
	Kernel     string `json:"kernel,omitempty"`
	CPUs       int    `json:"cpus"`
	GOMAXPROCS int    `json:"gomaxprocs"`
	Memory     int64  `json:"memory_bytes,omitempty"`
}

// ScenarioShare is a scenario and its weight among the run's scenarios.
type ScenarioShare struct {
	Name   string `json:"name"`
	Weight int    `json:"weight"`
}

// StageInfo is a stage as planned. Times are in seconds, rates in arrivals/s.
type StageInfo struct {
	Name     string  `json:"name"`
	Class    string  `json:"class"`
	Judged   bool    `json:"judged"`
	Start    float64 `json:"start_s"`
	Duration float64 `json:"duration_s"`
	From     float64 `json:"from"`
	To       float64 `json:"to"`
	Burst    int64   `json:"burst,omitempty"`
	// Planned is how many arrivals are due in it (of this shard); 0 for users, who
	// have as many as they come to.
	Planned int64 `json:"planned"`
	// OpenEnded says that it has users, and that only the time they take bounds how
	// many arrivals are due.
	OpenEnded bool `json:"open_ended,omitempty"`
	// Users, where it is not nil, are what a closed stage has in place of a rate.
	Users *UsersInfo `json:"users,omitempty"`
}

// UsersInfo are the users of a closed stage, of all shards. Times are in seconds.
type UsersInfo struct {
	From  int     `json:"from"`
	To    int     `json:"to"`
	Pace  float64 `json:"pace_s,omitempty"`
	Pause float64 `json:"pause_s,omitempty"`
	// Iterations ends the stage after so many arrivals, PerUser after so many of
	// each user.
	Iterations int64 `json:"iterations,omitempty"`
	PerUser    int64 `json:"iterations_per_user,omitempty"`
	// Guide says in words what guides the users where they do not loop by themselves.
	Guide string `json:"guide,omitempty"`
}

// FaultInfo is one thing that was broken on purpose, as planned. Times are in seconds
// from the start of the run.
type FaultInfo struct {
	Name string `json:"name"`
	// Target is rabbitmq, postgres, redis or http; Endpoint the one server of it.
	Target   string `json:"target"`
	Endpoint string `json:"endpoint,omitempty"`
	Kind     string `json:"kind"`
	// Text is the fault as it is written, without its times.
	Text  string  `json:"text"`
	Start float64 `json:"start_s"`
	End   float64 `json:"end_s"`
	// Share is the share of connections that it is done to.
	Share float64 `json:"share"`
	// Hits is which watched process it may end: a server of a lab by its name, AnyProcess
	// for one that nobody knows, and empty for none.
	Hits string `json:"hits,omitempty"`
}

// AnyProcess is what a command of the user's may end.
const AnyProcess = "*"

// Setting is a resolved setting and its origin.
type Setting struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Origin string `json:"origin"`
}

// MetricInfo describes a metric, so that a reader needs no registry.
type MetricInfo struct {
	Name string       `json:"name"`
	Kind metrics.Kind `json:"kind"`
	Unit metrics.Unit `json:"unit"`
	Help string       `json:"help,omitempty"`
	// Role and Part say what it is to an analysis; runs recorded before there were
	// roles have none, and are given them as they are read.
	Role metrics.Role `json:"role,omitempty"`
	Part string       `json:"part,omitempty"`
	// Of is whose figures it holds.
	Of metrics.Subject `json:"of,omitempty"`
	// Adds says of a gauge that the readings of shards add up.
	Adds bool `json:"adds,omitempty"`
}

func infoOf(d metrics.Desc) MetricInfo { return MetricInfo(d) }

func (m MetricInfo) desc() metrics.Desc { return metrics.Desc(m) }
