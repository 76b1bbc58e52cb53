package summary

import (
	"cmp"
	"math"
	"slices"

	"github.com/perfctl/perfctl/internal/analysis"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/states"
)

// Inputs is what a summary holds that the recorded data does not tell.
type Inputs struct {
	// Interrupted says that the run was stopped before its end.
	Interrupted bool
	SLA         []sla.Result
	// Stopped is the rule that ended the run before its end, if one did.
	Stopped  *sla.Breach
	Checks   []Check
	Failures []Failure
	// AbortedBy and Accounts are a shard's; see Summary.
	AbortedBy string
	Accounts  map[string]*Account
	// Generator is the judgement of the generator. Figures that it leaves out are
	// taken from the run's metrics. Without it the generator counts as suspect.
	Generator *GeneratorHealth
	// Notes say what else a reader must know, beside those on the data.
	Notes []string
	// Analysis is what was found beyond the rules, nil for nothing.
	Analysis *analysis.Analysis
}

// Summarise returns the summary of a run. A run read from a directory without
// a summary was killed: it is summarised as interrupted.
func Summarise(run *rundir.Run, in Inputs) *Summary {
	s := &Summary{
		Schema:   rundir.Schema,
		Run:      runBlock(run),
		SLA:      notNil(in.SLA),
		Checks:   notNil(in.Checks),
		Failures: notNil(in.Failures),
		Notes:    notNil(slices.Concat(run.Notes, in.Notes)),
		Analysis: in.Analysis,
		Stopped:  in.Stopped,

		AbortedBy: in.AbortedBy, Accounts: in.Accounts,
	}
	t := tally{run: run, all: run.Totals.All()}
	s.Arrivals = t.arrivals()
	for i := range run.Info.Stages {
		s.Stages = append(s.Stages, t.stage(&run.Info.Stages[i]))
	}
	s.Stages = notNil(s.Stages)
	s.SLA = excuse(s.SLA, s)
	s.Metrics = t.metrics()
	if in.Failures == nil {
		s.Failures = t.failures()
	}
	s.Generator = t.generator(in.Generator, run.Killed)
	s.Verdict, s.ExitCode = verdict(s, in.Interrupted, run.Killed)
	return s
}

// verdict weighs what was found: an interruption over data that cannot be
// trusted over a broken rule or a failed check.
func verdict(s *Summary, interrupted, killed bool) (Verdict, int) {
	switch {
	case interrupted:
		return VerdictInterrupted, exitcode.Interrupted
	case killed || s.Run.Incomplete:
		return VerdictIncomplete, exitcode.Invalid
	case s.Generator.Status == states.GeneratorInvalid:
		return VerdictInvalid, exitcode.Invalid
	case s.Stopped != nil, slices.ContainsFunc(s.SLA, sla.Result.Breaches),
		slices.ContainsFunc(s.Checks, func(c Check) bool { return !c.Passed }):
		return VerdictFail, exitcode.Breached
	}
	return VerdictPass, exitcode.Pass
}

// Lose says that data of the run is missing, which was found after it was
// summarised: it is no pass, and no fail that can be relied on.
func (s *Summary) Lose(what string) {
	if s.Run.Incomplete {
		s.Notes = append(s.Notes, what) // the first note is the cause
	} else {
		s.Notes = slices.Insert(s.Notes, 0, what)
	}
	s.Run.Incomplete = true
	if s.Verdict != VerdictInterrupted {
		s.Verdict = VerdictIncomplete
	}
	s.ExitCode = exitcode.Worst(s.ExitCode, exitcode.Invalid)
}

func notNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

func runBlock(run *rundir.Run) RunBlock {
	info := &run.Info
	b := RunBlock{
		ID: info.ID, Tags: info.Tags, Profile: info.Profile, Scenarios: notNil(info.Scenarios), Started: info.Started,
		Duration: run.Elapsed.Seconds(), GracefulStop: info.GracefulStop, Seed: info.Seed, Process: info.Process,
		MaxInFlight: info.MaxInFlight, Shard: info.Shard, Shards: info.Shards, Version: info.Version,
		Incomplete: run.Incomplete, Merged: info.Merged, Killed: run.Killed,
	}
	for _, s := range info.Stages {
		b.Planned += s.Duration
	}
	return b
}

// excuse takes the blame off rules for stages that the run did not reach, because it
// was stopped before: they have no data, and nobody missed them.
func excuse(all []sla.Result, s *Summary) []sla.Result {
	if s.Run.Duration >= s.Run.Planned {
		return all
	}
	reached := func(r sla.Result) bool {
		return slices.ContainsFunc(s.Stages, func(st StageResult) bool {
			if r.Stage != "" && r.Stage != st.Name || r.Stage == "" && (!st.Judged || r.Class != "" && r.Class != st.Class) {
				return false
			}
			return st.Due > 0 || st.Duration > 0
		})
	}
	out := slices.Clone(all)
	for i := range out {
		if r := &out[i]; r.Status == sla.NoData && !reached(*r) {
			r.Status, r.Actual = sla.NotExercised, "stage not reached"
		}
	}
	return out
}

// tally sums up a run's totals. all is sorted by key, so that a run read back
// gives the same sums to the last bit as the run that ended.
type tally struct {
	run *rundir.Run
	all []*metrics.Total
}

func (t *tally) count(d metrics.Desc, stage string) (n int64) {
	for _, e := range t.all {
		if e.Series.Name == d.Name && (stage == "" || e.Series.Stage == stage) {
			n += e.Count
		}
	}
	return n
}

// hist returns the merged histogram of a trend, nil if there is none.
func (t *tally) hist(name, stage string) *metrics.Hist {
	var sum *metrics.Hist
	for _, e := range t.all {
		if e.Hist != nil && e.Series.Name == name && (stage == "" || e.Series.Stage == stage) {
			if sum == nil {
				sum = new(metrics.Hist)
			}
			sum.Merge(e.Hist)
		}
	}
	return sum
}

func (t *tally) arrivals() Arrivals {
	scheduled := t.run.Info.Planned
	for i := range t.run.Info.Stages {
		if p := &t.run.Info.Stages[i]; p.Users != nil {
			scheduled += t.count(metrics.Arrivals, p.Name)
		}
	}
	a := Arrivals{
		Scheduled:  scheduled,
		Planned:    min(scheduled, t.count(metrics.Arrivals, "")),
		Started:    t.count(metrics.ArrivalsStarted, ""),
		Succeeded:  t.count(metrics.ArrivalsSucceeded, ""),
		Failed:     t.count(metrics.ArrivalsFailed, ""),
		Dropped:    t.count(metrics.ArrivalsDropped, ""),
		Unfinished: t.count(metrics.ArrivalsUnfinished, ""),
	}
	if t.run.Killed || t.run.Incomplete {
		// What was due and had no end when the record ends was under way or waited.
		a.Unfinished += max(a.Planned-a.Succeeded-a.Failed-a.Dropped-a.Unfinished, 0)
	}
	return a
}

func (t *tally) stage(p *rundir.StageInfo) StageResult {
	took := min(p.Duration, max(t.run.Elapsed.Seconds()-p.Start, 0))
	due := t.count(metrics.Arrivals, p.Name)
	missed := t.count(metrics.ArrivalsFailed, p.Name) + t.count(metrics.ArrivalsDropped, p.Name) +
		t.count(metrics.ArrivalsUnfinished, p.Name)
	offered := p.Planned
	if took < p.Duration || p.Users != nil {
		offered = due
	}
	return StageResult{
		Name: p.Name, Class: p.Class, Judged: p.Judged, Duration: took, Due: due,
		Offered:   ratio(float64(offered), took),
		Achieved:  ratio(float64(t.count(metrics.ArrivalsSucceeded, p.Name)), took),
		ErrorRate: ratio(float64(missed), float64(due)),
		Response:  distribution(t.hist(metrics.ResponseTime.Name, p.Name)),
		Users:     t.users(p, took),
	}
}

// failures counts failures from the counters, where no examples were kept.
func (t *tally) failures() []Failure {
	out := []Failure{}
	for _, e := range t.all {
		if e.Series.Name != metrics.ArrivalsFailed.Name || e.Count == 0 {
			continue
		}
		i := slices.IndexFunc(out, func(f Failure) bool {
			return f.Scenario == e.Series.Scenario && f.Kind == e.Series.Outcome
		})
		if i < 0 {
			i = len(out)
			out = append(out, Failure{Scenario: e.Series.Scenario, Kind: e.Series.Outcome})
		}
		out[i].Count += e.Count
	}
	slices.SortStableFunc(out, func(a, b Failure) int { return cmp.Compare(b.Count, a.Count) })
	return out
}

// generator completes the judgement with the figures that the run recorded.
func (t *tally) generator(given *GeneratorHealth, killed bool) GeneratorHealth {
	var g GeneratorHealth
	if given != nil {
		g = *given
	} else {
		g.Status = states.GeneratorSuspect
		g.Reasons = []string{"the generator was not judged"}
		if killed {
			g.Reasons[0] += ": the run did not come to its end"
		}
	}
	g.Reasons = notNil(g.Reasons)
	if g.Lag == (LagMillis{}) {
		d := distribution(t.hist(metrics.DispatchLag.Name, ""))
		g.Lag = LagMillis{d.Med, d.P99, d.P999, d.Max}
	}
	if f := t.gaugeOf(metrics.RoleGeneratorCPU); f != nil && g.CPU == nil {
		g.CPU = &f.Avg
	}
	if f := t.gaugeOf(metrics.RoleGeneratorMemory); f != nil && g.MaxRSS == nil {
		n := int64(f.Max)
		g.MaxRSS = &n
	}
	if f := t.gaugeOf(metrics.RoleGeneratorPause); f != nil && g.GCPauseMax == nil {
		v := math.Round(f.Max*1e9) / 1e6
		g.GCPauseMax = &v
	}
	return g
}

func (t *tally) gaugeOf(role metrics.Role) *GaugeFigures {
	var values []float64
	for _, e := range t.all {
		if e.Series.Role == role {
			values = append(values, e.Values...)
		}
	}
	return gauge(values, false)
}
