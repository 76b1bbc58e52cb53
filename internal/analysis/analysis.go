// Package analysis holds the answers that a recorded run gives to the questions
// of an engineer: how soon it recovered, whether it drifts, when it was steady,
// what broke first. It reads run directories through package rundir, records
// nothing, judges no rule and prints nothing.
//
// What the data cannot tell is said to be so, with the reason, and never
// guessed.
package analysis

import "github.com/perfctl/perfctl/internal/analysis/slow"

// Analysis is what was found in a run, as summary.json holds it under
// "analysis". Times are in seconds since the first arrival could be due unless a
// name says otherwise; response times are in milliseconds, rates in arrivals per
// second.
type Analysis struct {
	// Sentences are the answers in the order of their weight, for a reader who
	// sees nothing else.
	Sentences []string `json:"sentences"`
	// Findings are what is wrong, the gravest first; a healthy run has none.
	Findings []Finding `json:"findings"`
	// Recoveries has an entry for each spike of the profile.
	Recoveries []Recovery `json:"recoveries"`
	// Faults has an entry for each thing that was broken on purpose.
	Faults []FaultEffect `json:"faults"`
	// Replicas has an entry for each program whose instances were counted, if any were.
	Replicas []Scaling `json:"replicas,omitempty"`
	// Drift has an entry for each series that was tested for a drift.
	Drift []Drift `json:"drift"`
	// Steady has an entry for each stage of a constant rate.
	Steady []Steady `json:"steady"`
	// Levels are the figures at each level of load on the way up.
	Levels []Level `json:"levels"`
	// Breaks are the SLA rules that were broken on the way up.
	Breaks []Break `json:"breaks"`
	// Bottleneck is the resource that saturated first, nil where none did.
	Bottleneck *Bottleneck `json:"bottleneck"`
	// Slow is why the slow arrivals were slow, nil where no records of single arrivals
	// were kept.
	Slow *slow.Report `json:"slow,omitempty"`
	// CannotSay are the questions that stay open.
	CannotSay []Unknown `json:"cannot_say"`

	plan     driftPlan
	accounts accounts
}

// Severity is how grave a finding is.
type Severity string

// A Critical finding breaks what the system is for, a Warning will, or may.
const (
	Critical Severity = "critical"
	Warning  Severity = "warning"
)

// Finding is something wrong and the evidence of it.
type Finding struct {
	// ID names the kind of finding: memory_growing, queue_growing, …
	ID       string   `json:"id"`
	Severity Severity `json:"severity"`
	// Title is a few words, Sentence what was seen with its figures, Advice what
	// to do.
	Title    string   `json:"title"`
	Sentence string   `json:"sentence"`
	Advice   string   `json:"advice"`
	Evidence Evidence `json:"evidence"`
}

// Evidence is where a finding is to be seen.
type Evidence struct {
	// From and To bound the interval in which it was seen, in seconds.
	From float64 `json:"from_s"`
	To   float64 `json:"to_s"`
	// Series is the key of the series that shows it, without its stage, and
	// Unit that of the values in it.
	Series string `json:"series"`
	Unit   string `json:"unit,omitempty"`
	// First is the series that moved first, where several did.
	First string `json:"first,omitempty"`
	// Values are the figures of the sentence, by name.
	Values map[string]float64 `json:"values,omitempty"`
}

// Unknown is a question without an answer.
type Unknown struct {
	// Question is what was asked: recovery, drift(memory), steady state, …
	Question string `json:"question"`
	// Because says why there is no answer.
	Because string `json:"because"`
}

// Recovery is what a spike did and how the system came back from it.
type Recovery struct {
	// Stage is the spike's stage, the one of the highest rate where several follow
	// one another; From and To bound them all.
	Stage string  `json:"stage"`
	From  float64 `json:"from_s"`
	To    float64 `json:"to_s"`
	Course
	// Time is how long after the end of the spike it had recovered; nil where it did not.
	Time *float64 `json:"time_s"`
	// Due, Failed, Dropped and Unfinished count arrivals due in the spike,
	// ErrorRate is the share of the latter three.
	Due        int64    `json:"due"`
	Failed     int64    `json:"failed"`
	Dropped    int64    `json:"dropped"`
	Unfinished int64    `json:"unfinished"`
	ErrorRate  *float64 `json:"error_rate"`
	// Backlogs are the queues and the arrivals in flight and waiting.
	Backlogs []Backlog `json:"backlogs"`
	// Memory has an entry for each reading of memory.
	Memory []Excursion `json:"memory"`

	// what it is a recovery from, in words.
	what string
}

// Course is how the system came back from a spike or a fault.
type Course struct {
	// Known is false where the recovery cannot be told; Because says why.
	Known   bool   `json:"known"`
	Because string `json:"because,omitempty"`
	// Recovered says whether the system came back to what it was before.
	Recovered bool `json:"recovered"`
	// Watched is how long it was watched after the end.
	Watched float64 `json:"watched_s"`
	// Waiting lists the conditions that did not hold at the end, where it did not
	// recover: response time, errors, arrivals in flight, queue length, achieved
	// load.
	Waiting []string `json:"waiting,omitempty"`
	// Before is P95 response time before, Limit up to where it counts as recovered,
	// Peak the worst second's from the beginning on; milliseconds. A figure that is not
	// known is nil; PeakAtLeast says that the peak is a lower bound.
	Before      *float64 `json:"before_p95_ms"`
	Limit       *float64 `json:"limit_p95_ms"`
	Peak        *float64 `json:"peak_p95_ms"`
	PeakAtLeast bool     `json:"peak_at_least,omitempty"`
	// Depth is peak over before.
	Depth *float64 `json:"depth"`
	// Area is the sum, over the arrivals from the beginning to the recovery, of their
	// response time above the mean before: seconds that users waited in vain.
	Area *float64 `json:"excess_wait_s"`
	// Within is how far the time of the recovery may be off to either side, in seconds (95 %
	// of such are not further); nil where it did not recover.
	Within *float64 `json:"recovery_within_s,omitempty"`

	// seen is when the first of the good seconds began, after the end: until then, what
	// was due earlier may still have failed.
	seen float64
}

// Excursion is a reading before, at its highest from the spike on, and at the
// end.
type Excursion struct {
	Series string  `json:"series"`
	Unit   string  `json:"unit"`
	Before float64 `json:"before"`
	Peak   float64 `json:"peak"`
	PeakAt float64 `json:"peak_at_s"`
	After  float64 `json:"after"`
}

// Backlog is the excursion of a queue.
type Backlog struct {
	Excursion
	// Drain is how many seconds after the end of the spike it was back, nil where
	// it was not; 0 where it was back before the end.
	Drain *float64 `json:"drain_s"`
}

// Drift is whether a series moved over the judged part of a run.
type Drift struct {
	// Group is what rules call it: latency, memory, connections, queue,
	// pool_wait, hit_ratio.
	Group  string `json:"group"`
	Series string `json:"series"`
	Unit   string `json:"unit"`
	// Figure is what was tested in each bin: p95, mean, ratio.
	Figure string  `json:"figure"`
	From   float64 `json:"from_s"`
	To     float64 `json:"to_s"`
	Bin    float64 `json:"bin_s"`
	Bins   int     `json:"bins"`
	// Known is false where it cannot be told; Because says why.
	Known   bool   `json:"known"`
	Because string `json:"because,omitempty"`
	// Drifts is the answer: the trend is significant and no less than a tenth of
	// the median over the run.
	Drifts bool `json:"drifts"`
	// P is how likely such a trend is without one, by Mann-Kendall's test corrected
	// for autocorrelation, or by that of the steps, and Limit below what it counts,
	// corrected for the number of series.
	P     float64 `json:"p"`
	Limit float64 `json:"p_limit"`
	// Slope is Sen's, per second, with its 95 % confidence interval; Change is
	// what it makes over the run as a part of the median.
	Slope  float64 `json:"slope_per_s"`
	Low    float64 `json:"slope_low"`
	High   float64 `json:"slope_high"`
	Median float64 `json:"median"`
	Change float64 `json:"change"`
	// Reaches is when a limit will be reached at that slope, nil where there is
	// no limit or it is not approached.
	Reaches *Reach `json:"reaches,omitempty"`
}

// Reach is when a series reaches a limit if it goes on as it does.
type Reach struct {
	Limit float64 `json:"limit"`
	// In is from the end of the run on, in seconds.
	In float64 `json:"in_s"`
}

// Steady is the steady part of a stage of constant rate.
type Steady struct {
	Stage string `json:"stage"`
	// Known is false where it cannot be told; Because says why.
	Known   bool   `json:"known"`
	Because string `json:"because,omitempty"`
	// WarmUp is how many of the stage's seconds come before the steady state, and
	// Before and After the median response times in them and after them, in
	// milliseconds; 0 and nil where these differ by less than a tenth.
	WarmUp float64  `json:"warm_up_s"`
	Before *float64 `json:"before_p50_ms"`
	After  *float64 `json:"after_p50_ms"`
	// From and To bound the steady part.
	From float64 `json:"from_s"`
	To   float64 `json:"to_s"`
	// Mean is the mean response time in the steady part, in milliseconds.
	Mean float64 `json:"mean_ms"`

	planned float64
}

// Level is a range of offered rates and what the system made of it on the way
// up.
type Level struct {
	// Rate is the mean offered rate; Low and High bound it.
	Rate float64 `json:"rate"`
	Low  float64 `json:"rate_low"`
	High float64 `json:"rate_high"`
	// Users is the mean number of users of a closed stage, nil for one with a rate;
	// UsersLow and UsersHigh bound it. Rate, and its bounds, are then what came.
	Users     *float64 `json:"users,omitempty"`
	UsersLow  *float64 `json:"users_low,omitempty"`
	UsersHigh *float64 `json:"users_high,omitempty"`
	// From and To bound the time in which it was offered.
	From float64 `json:"from_s"`
	To   float64 `json:"to_s"`
	Due  int64   `json:"due"`
	// Achieved is arrivals succeeded per second.
	Achieved  float64  `json:"achieved_rps"`
	ErrorRate *float64 `json:"error_rate"`
	// P50 to P99 are of response time in milliseconds, nil where there are too
	// few values; AtLeast names those that are only known to be no smaller.
	P50     *float64 `json:"p50_ms"`
	P95     *float64 `json:"p95_ms"`
	P99     *float64 `json:"p99_ms"`
	AtLeast []string `json:"at_least,omitempty"`
	// InFlight is the mean number of arrivals in flight, nil where not read.
	InFlight *float64 `json:"in_flight"`
}

// Break is where an SLA rule was first broken on the way up.
type Break struct {
	Rule string `json:"rule"`
	// Severity is the rule's: fail or warn.
	Severity string `json:"severity"`
	Metric   string `json:"metric"`
	Target   string `json:"target"`
	Actual   string `json:"actual"`
	// Rate is the offered rate at which it broke first, and Held the highest
	// level below at which it still held, nil where there is none.
	Rate float64  `json:"rate"`
	Held *float64 `json:"held_rate"`
	// Users and HeldUsers are the users at these levels, of a closed load; else nil.
	Users     *float64 `json:"users,omitempty"`
	HeldUsers *float64 `json:"held_users,omitempty"`
	From      float64  `json:"from_s"`
	To        float64  `json:"to_s"`
}

// Bottleneck is the resource that saturated first.
type Bottleneck struct {
	// Resource is its name: the database pool, the broker's queue, …
	Resource string  `json:"resource"`
	Series   string  `json:"series"`
	At       float64 `json:"at_s"`
	// Rate is the rate offered then.
	Rate     float64 `json:"rate"`
	Sentence string  `json:"sentence"`
}
