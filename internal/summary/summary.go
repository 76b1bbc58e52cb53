// Package summary holds what a run came to: its verdict, every figure of every
// view, the SLA results, the analysis and the comparison, in one value. It is
// what summary.json is made of. It reads run directories through package rundir;
// how a summary is shown is the business of package report.
package summary

import (
	"time"

	"github.com/perfctl/perfctl/internal/analysis"
	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/states"
)

// Verdict is what a run came to.
type Verdict string

// The verdicts.
const (
	VerdictPass        Verdict = states.Pass
	VerdictFail        Verdict = states.Fail
	VerdictIncomplete  Verdict = states.Incomplete
	VerdictInvalid     Verdict = states.Invalid
	VerdictInterrupted Verdict = states.Interrupted
)

// Summary is summary.json and the output of --json: the verdict and every
// figure of every view. Times are in milliseconds, rates per second. A figure
// that the data cannot carry is null.
type Summary struct {
	Schema   int      `json:"schema"`
	Run      RunBlock `json:"run"`
	Verdict  Verdict  `json:"verdict"`
	ExitCode int      `json:"exit_code"`
	Arrivals Arrivals `json:"arrivals"`
	// Stages are in the order of the profile.
	Stages []StageResult `json:"stages"`
	// Metrics holds each metric over the whole run under its name, and where it
	// has several series each of them under its name and tags, as thresholds
	// write them.
	Metrics map[string]Metric `json:"metrics"`
	// SLA holds what came of each rule and threshold.
	SLA       []sla.Result    `json:"sla"`
	Checks    []Check         `json:"checks"`
	Failures  []Failure       `json:"failures"`
	Generator GeneratorHealth `json:"generator"`
	// Notes say what is wrong with the data.
	Notes []string `json:"notes"`
	// Stopped is the rule that ended the run before its end, where one did.
	Stopped *sla.Breach `json:"stopped,omitempty"`
	// AbortedBy says why another shard of the run, or who drives them, ended it before
	// its end.
	AbortedBy string `json:"aborted_by,omitempty"`
	// Accounts are what a shard counted, by scenario, of which the checks of the whole
	// are made.
	Accounts map[string]*Account `json:"accounts,omitempty"`
	// Analysis is what was found beyond the rules, nil for nothing.
	Analysis *analysis.Analysis `json:"analysis"`
	// Comparison is how the run differs from its baseline, where it was given one.
	Comparison *compare.Comparison `json:"comparison,omitempty"`
}

// RunBlock says what the run was.
type RunBlock struct {
	ID      string `json:"id"`
	Profile string `json:"profile"`
	// Tags are labels that the user gave the run.
	Tags      map[string]string      `json:"tags,omitempty"`
	Scenarios []rundir.ScenarioShare `json:"scenarios"`
	Started   time.Time              `json:"started"`
	// Duration is how long it took in seconds, graceful stop included, and
	// Planned how long the profile's stages are.
	Duration float64 `json:"duration_s"`
	Planned  float64 `json:"planned_s"`
	// GracefulStop is how long started arrivals had at the end, in seconds.
	GracefulStop float64 `json:"graceful_stop_s"`
	Seed         uint64  `json:"seed"`
	Process      string  `json:"arrivals_process"`
	MaxInFlight  int     `json:"max_in_flight"`
	// Shard of Shards is which part of a run this is; a whole one is 0 of 1.
	Shard   int    `json:"shard"`
	Shards  int    `json:"shards"`
	Version string `json:"version"`
	// Merged says of which shards a merged run was made, and when they started.
	Merged *rundir.MergeInfo `json:"merged,omitempty"`
	// Incomplete says that data is missing.
	Incomplete bool `json:"incomplete"`
	// Killed says that the run was ended without a chance to conclude; Duration is
	// then up to the last second that was written.
	Killed bool `json:"killed,omitempty"`
}

// Arrivals accounts for every arrival: planned = succeeded + failed + dropped +
// unfinished.
type Arrivals struct {
	// Scheduled is how many the profile holds, Planned how many of them were to
	// come due while the run went on: all, unless it was stopped early.
	Scheduled  int64 `json:"scheduled"`
	Planned    int64 `json:"planned"`
	Started    int64 `json:"started"`
	Succeeded  int64 `json:"succeeded"`
	Failed     int64 `json:"failed"`
	Dropped    int64 `json:"dropped"`
	Unfinished int64 `json:"unfinished"`
}

// StageResult is what a stage came to. Arrivals count for the stage in which
// they were due.
type StageResult struct {
	Name   string `json:"name"`
	Class  string `json:"class"`
	Judged bool   `json:"judged"`
	// Duration is how long it took, in seconds; less than planned where the run
	// was stopped in it, 0 where it was not reached.
	Duration float64 `json:"duration_s"`
	// Due is how many of its arrivals came due.
	Due int64 `json:"due"`
	// Offered is arrivals planned over duration, or due over duration where the
	// stage was cut short. Achieved is arrivals succeeded over duration. Both
	// are null for a stage without a duration: a burst has no rate.
	Offered  *float64 `json:"offered_rps"`
	Achieved *float64 `json:"achieved_rps"`
	// ErrorRate is the share of the arrivals due that failed, were dropped or
	// did not finish; null where none was due.
	ErrorRate *float64     `json:"error_rate"`
	Response  Distribution `json:"response_time_ms"`
	// Users is how the users of a closed stage did; null for one with a rate, whose
	// Offered does not follow the target.
	Users *Users `json:"users,omitempty"`
}

// Check is the outcome of a consistency check.
type Check struct {
	Name   string `json:"name"`
	Passed bool   `json:"passed"`
	Detail string `json:"detail"`
}

// Account is what a shard counted of a scenario's work: sums, the highest of something,
// words, examples of faults, and what is in a form of the scenario's own.
type Account struct {
	Sums  map[string]int64    `json:"sums,omitempty"`
	Peaks map[string]int64    `json:"peaks,omitempty"`
	Facts map[string]string   `json:"facts,omitempty"`
	Named map[string][]string `json:"named,omitempty"`
	Parts [][]byte            `json:"parts,omitempty"`
}

// Failure is one kind of failure of one scenario.
type Failure struct {
	Scenario string `json:"scenario"`
	Kind     string `json:"kind"`
	Count    int64  `json:"count"`
	// Example is the text of the first one. It may hold anything that a target
	// sent.
	Example string `json:"example"`
}

// GeneratorHealth says how far the figures can be trusted.
type GeneratorHealth struct {
	// Status is valid, suspect or invalid.
	Status  string   `json:"status"`
	Reasons []string `json:"reasons"`
	// Notes are signals past a limit that changed no figure by more than matters.
	Notes []string `json:"notes,omitempty"`
	// Lag is how late the generator released arrivals.
	Lag LagMillis `json:"schedule_lag_ms"`
	// CPU is in percent of one core, over the run.
	CPU *float64 `json:"cpu_percent"`
	// MaxRSS is the largest resident memory seen.
	MaxRSS *int64 `json:"max_rss_bytes"`
	// GCPauseMax is the longest stop for garbage collection.
	GCPauseMax *float64 `json:"gc_pause_max_ms"`
}

// LagMillis is a lag's distribution in milliseconds. A quantile is null where too few
// arrivals tell it. Max is the longest time for which nothing that was due was
// released.
type LagMillis struct {
	P50  *float64 `json:"p50"`
	P99  *float64 `json:"p99"`
	P999 *float64 `json:"p999"`
	Max  *float64 `json:"max"`
}
