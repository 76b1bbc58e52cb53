// Package voting is the scenario of agents that vote on proposals in
// PostgreSQL: the vote and the tally in one transaction, and at the end every
// vote recounted against the client's own log. How PostgreSQL is reached lives
// in targets/postgres, when arrivals come in the engine.
package voting

import (
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/postgres"
)

// Definition describes the scenario.
func Definition() scenarios.Definition {
	return scenarios.Definition{
		Name:     "voting",
		Summary:  "an agent's vote on a proposal and its tally in one transaction; done when it is committed. A round is every agent's vote on every proposal",
		Targets:  []targets.Kind{targets.Postgres},
		Settings: settings(),
		Metrics:  append(postgres.Metrics(), votingLatency, consensusTime, consensusLag, allTime, visibleTime, visibilityLag, votesCast, votesRefused, accuracy, decided),
		Weigh:    weighVotes,
		New:      func(e scenarios.Env) (scenarios.Scenario, error) { return newScenario(e) },
	}
}

var (
	votingLatency = metrics.Desc{Name: "voting_latency", Kind: metrics.KindTrend, Unit: metrics.UnitTime, Role: metrics.RoleLatency,
		Help: "from when a vote was due until it was committed with its tally, successes only"}
	consensusTime = metrics.Desc{Name: "voting_consensus_time", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "for each proposal, from when its first vote was due until the vote that gave one choice the quorum was committed"}
	consensusLag = metrics.Desc{Name: "voting_consensus_lag", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "for each proposal, from when the last of the votes that made the quorum was due until the quorum was committed: voting_consensus_time without the schedule of the votes"}
	allTime = metrics.Desc{Name: "voting_all_time", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "for each proposal, from when its first vote was due until the last agent's vote was committed"}
	visibleTime = metrics.Desc{Name: "voting_visible_time", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "for each proposal, from when its first vote was due until a reader on another connection saw a tally with the quorum"}
	visibilityLag = metrics.Desc{Name: "voting_visibility_lag", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "for each proposal, from when the deciding vote was committed until the reader saw a tally with the quorum, the reader's own query included"}
	votesCast = metrics.Desc{Name: "votes_cast", Kind: metrics.KindCounter, Unit: metrics.UnitCount,
		Help: "votes that were committed"}
	votesRefused = metrics.Desc{Name: "votes_duplicate", Kind: metrics.KindCounter, Unit: metrics.UnitCount,
		Help: "votes sent again, or twice at the same time for two choices, on purpose, that the database refused as it must"}
	accuracy = metrics.Desc{Name: "voting_accuracy", Kind: metrics.KindGauge, Unit: metrics.UnitRatio,
		Help: "1 − (lost + phantom + flipped votes + tallies that are not the recount) ÷ votes, set by the recount at the end"}
	decided = metrics.Desc{Name: "proposals_decided", Kind: metrics.KindGauge, Adds: true, Unit: metrics.UnitCount,
		Help: "proposals on which one choice has the quorum"}
)

// The names of the settings.
const (
	keyAgents    = "agents"
	keyProposals = "proposals"
	keyOpen      = "open"
	keyQuorum    = "quorum"
	keyTally     = "tally"
	keyResubmit  = "resubmit"
	keyConflict  = "conflict"
	keyPool      = "pool_size"
	keyStatement = "statement_timeout"
	keyLock      = "lock_timeout"
)

// The tally modes.
const (
	hotRow   = "hot-row"
	slotted  = "slotted"
	computed = "computed"
)

func settings() []scenarios.Option {
	return []scenarios.Option{
		{Key: keyAgents, Default: "100", Type: scenarios.Int{Min: 1, Max: 100_000}, Help: "agents, each of which votes once on every proposal of a round"},
		{Key: keyProposals, Default: "50", Type: scenarios.Int{Min: 1, Max: 100_000}, Help: "proposals of a round"},
		{Key: keyOpen, Default: "5", Type: scenarios.Int{Min: 1, Max: 100_000},
			Help: "proposals that are voted on at the same time, in turn; the next ones are opened when every agent has voted on these. Fewer make more agents meet on one tally"},
		{Key: keyQuorum, Default: "0", Type: scenarios.Int{Min: 0, Max: 100_000}, Help: "equal votes that decide a proposal; 0 for more than half of the agents"},
		{Key: keyTally, Default: hotRow, Type: scenarios.Enum{hotRow, slotted, computed},
			Help: "how votes are counted: hot-row (one row for each choice of a proposal), slotted (16 rows for each, which do not contend), computed (only when asked for)"},
		{Key: keyResubmit, Default: "0", Type: scenarios.Float{Min: 0, Max: 1}, PerStage: true, Help: "share of votes that are sent a second time, as a client that missed the answer does"},
		{Key: keyConflict, Default: "0", Type: scenarios.Float{Min: 0, Max: 1}, PerStage: true, Help: "share of votes that the agent casts twice at the same time, once for each of two choices, of which exactly one may be taken"},
		{Key: keyPool, Default: "20", Type: scenarios.Int{Min: 1, Max: 5000}, Help: "connections, all opened before the run"},
		{Key: keyStatement, Default: "10s", Type: scenarios.Duration{Max: time.Hour}, Help: "the server ends a statement after this time; 0s leaves the server's own setting"},
		{Key: keyLock, Default: "5s", Type: scenarios.Duration{Max: time.Hour}, Help: "the server ends a wait for a lock after this time; 0s leaves the server's own setting"},
	}
}
