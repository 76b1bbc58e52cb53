// Package scenarios holds the contract of a scenario and the registry that
// finds one by name. A folder below holds one scenario, or what several have in
// common; the engine, the profiles and every view are elsewhere.
package scenarios

import (
	"context"
	"log/slog"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/targets"
)

// Definition describes a scenario: everything about it that is known before a
// run.
type Definition struct {
	// Name is its name in profiles, flags and reports.
	Name string
	// Summary says in one sentence what an arrival does and when it is done.
	Summary string
	// Targets are the targets that it needs.
	Targets []targets.Kind
	// Also, where it is not nil, returns the targets that the settings ask for
	// beyond Targets.
	Also func(*Values) []targets.Kind
	// Reaches are the kinds of targets that it may reach besides, at addresses that are
	// known only when it does: what it opens goes by their routes.
	Reaches []targets.Kind
	// Settings are what a profile, a configuration file or --set may change.
	Settings []Option
	// Fields are what may stand in double braces in the scenario's texts, each with
	// what it stands for.
	Fields [][2]string
	// Metrics are all metrics that it emits.
	Metrics []metrics.Desc
	// New makes the scenario for a run. It reads its settings and declares its
	// metrics; it connects to nothing. Its errors are configuration errors.
	New func(Env) (Scenario, error)
	// Weigh makes the consistency checks of the account of a whole run, where the
	// scenario is an Accountant. It is pure: account comes of the run that has just
	// ended, or of what its shards left.
	Weigh func(account *Account) (Weighed, error)
}

// Env is what a scenario is given.
type Env struct {
	// RunID is the run's identity, fit for names of queues and keys:
	// lower-case letters, digits and hyphens.
	RunID string
	// Seed is the run's seed.
	Seed uint64
	// Clock is the run's clock, on which arrivals are due.
	Clock work.Clock
	// Metrics declares metrics; see Tags.
	Metrics *metrics.Registry
	// Targets holds the addresses.
	Targets *targets.Settings
	// Values holds the scenario's settings.
	Values *Values
	// Pace bounds how fast seed data is loaded.
	Pace Pace
	// Plan says what will be asked of the scenario.
	Plan Plan
	// Log is for what a user should know; it is never used for each arrival.
	Log *slog.Logger
	// Scenario is the name that its metrics are tagged with.
	Scenario string
}

// Plan is what will be asked of a scenario in a run.
type Plan struct {
	// Arrivals is how many arrivals the whole run will offer it, over all
	// shards, and StageArrivals how many in each stage: Arrival.N is below it. Of
	// stages with users that nothing but the time they take bounds, these are
	// guesses, and OpenEnded is true: then there may be more, and a scenario that
	// brought something for each of them is a work.Rationed.
	Arrivals      int64
	StageArrivals []int64
	OpenEnded     bool
	// Closed says which stages are of users: their arrivals take their numbers
	// after those of all other stages, as they come.
	Closed []bool
	// MaxRate is the highest rate of its arrivals in open stages in this process,
	// per second.
	MaxRate float64
	// Workers bounds its arrivals in flight, those of users included;
	// Arrival.Worker is below it.
	Workers int
	// Users is how many users the whole run has at most: Arrival.User is at most it.
	Users int
	// Stages are the names of the run's stages.
	Stages []string
	// Shard and Shards say which part of the run this process offers: the
	// arrivals k with k ≡ Shard (mod Shards).
	Shard, Shards int
	// Owner returns which shard offers arrival n of the scenario; nil where the run
	// has one.
	Owner func(n int64) int
}

// Tags returns the tags of the scenario's metrics, with the given operation.
func (e Env) Tags(operation string) metrics.Tags {
	return metrics.Tags{Scenario: e.Scenario, Operation: operation}
}

// Scenario is what an arrival does. The optional interfaces Drainer,
// Accountant, Sharer, Sampler, Aborter, Summariser, ProgressReporter and Resetter
// are found by type assertion.
type Scenario interface {
	work.Executor
	// Setup reaches the targets, creates what the scenario needs, opens every
	// connection and prepares every statement, so that the first arrival finds
	// everything warm. A target that cannot be used is a
	// *targets.UnreachableError.
	Setup(ctx context.Context) error
	// Close gives everything back. It is called once, also after a Setup that
	// failed. It removes what the scenario made for this run alone.
	Close(ctx context.Context) error
}

// Drainer is a scenario with work that goes on after its arrivals are done.
type Drainer interface {
	// Drain returns when that work is finished, or with ctx.
	Drain(ctx context.Context) error
}

// Check is the outcome of one consistency check.
type Check struct {
	Name   string `json:"name"`
	Passed bool   `json:"passed"`
	// Detail gives the figures.
	Detail string `json:"detail"`
	// Balance, on one check of a scenario that accounts for what it did, is what that
	// came to.
	Balance *Balance `json:"-"`
}

// Balance is what became of what a scenario did, as it and its target have it.
type Balance struct {
	// Kept is how many operations the target confirmed, Lost how many of them left
	// nothing behind, Duplicated how many took effect more than once. Unknown are those
	// of which the client does not know whether they did.
	Kept, Lost, Duplicated, Unknown int64
}

// Sampler is a scenario with readings to take.
type Sampler interface {
	// Sample takes the readings and sets the gauges. It is called about once a
	// second by one goroutine, and must give up with ctx.
	Sample(ctx context.Context)
}

// Aborter is a scenario that may end the run itself.
type Aborter interface {
	// Aborted returns why no more arrivals are wanted, nil while they are. It may be
	// called by any goroutine.
	Aborted() error
}

// Summariser is a scenario that makes something of a finished run's figures.
type Summariser interface {
	// Summarise takes the figures of the run as JSON and returns texts by the name of
	// the file that each is for, "stdout" and "stderr" among them; nil where it wants
	// nothing.
	Summarise(ctx context.Context, figures []byte) (map[string]string, error)
	// TrendStats are the figures of a trend that it wants, in the words of a threshold:
	// avg, min, med, max, count, p(N).
	TrendStats() []string
}

// ProgressReporter is a scenario that can tell how far it has come with what it does besides
// arrivals: its set-up, its drain, its check.
type ProgressReporter interface {
	// Progress says so in a few words, with figures: "5000 of 10000 keys written". It
	// is empty where there is nothing to tell. It may be called by any goroutine
	// at any time.
	Progress() string
}

// Resetter is a scenario that can remove what killed runs left behind.
type Resetter interface {
	// Reset removes every object of the scenario's own that is in the target,
	// of any run, and says what it removed.
	Reset(ctx context.Context) (removed []string, err error)
}
