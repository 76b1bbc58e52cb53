package run

import (
	"strings"

	"github.com/perfctl/perfctl/internal/analysis"
	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
)

// conclude judges what was measured and analyses what was recorded. lost says what of
// the run could not be recorded.
func (x *Prepared) conclude(m *Measurement, run *rundir.Run, dir string, lost error) *summary.Summary {
	if lost != nil {
		run.Lose(lost.Error())
	}
	x.session.Observer.Step("analysing …", nil)
	results := x.results(m)
	in := summary.Inputs{
		Interrupted: m.Interrupted, Generator: x.plan.generatorHealth(m, lost), SLA: results, Stopped: m.Aborted, Failures: []summary.Failure{},
		Notes: x.plan.endNotes(&m.Outcome), AbortedBy: m.AbortedBy,
	}
	if x.plan.request.Shards > 1 {
		in.Accounts = accountsOf(m.Accounts)
	}
	for _, c := range m.Checks {
		in.Checks = append(in.Checks, summary.Check{Name: c.Name, Passed: c.Passed, Detail: c.Detail})
	}
	for _, f := range m.Failures {
		in.Failures = append(in.Failures, summary.Failure{
			Scenario: f.Scenario, Kind: string(f.Kind), Count: f.Count, Example: strings.TrimSpace(f.Example),
		})
	}
	if x.plan.request.Shards > 1 {
		s := Summarise(run, dir, in, nil)
		x.missOthers(s)
		return s
	}
	return Summarise(run, dir, in, x.judge)
}

// results judges the rules. A shard is not judged by them: the whole is, of which it has
// a part.
func (x *Prepared) results(m *Measurement) []sla.Result {
	if x.plan.request.Shards > 1 {
		return nil
	}
	results := x.judge.Evaluate(m.Totals)
	if m.Aborted != nil {
		results = sla.Unreached(results)
	}
	return results
}

// soFar judges the rules and the generator in mid-run.
func (x *Prepared) soFar(t *metrics.Totals) ([]sla.Result, Health) {
	if x.plan.request.Shards > 1 {
		return nil, x.plan.healthSoFar(t)
	}
	return x.judge.SoFar(t), x.plan.healthSoFar(t)
}

// Summarise summarises a run that is over, adds the answers that its directory
// gives, and judges the rules about them; a run without a judge has none. An
// analysis that fails costs the answers, not the summary: it is said in the notes.
func Summarise(run *rundir.Run, dir string, in summary.Inputs, judge *sla.Judge) *summary.Summary {
	s := summary.Summarise(run, in)
	a, failed := analyse(dir, s.SLA)
	if failed != nil {
		s.Notes = append(s.Notes, "no analysis: "+failed.Error())
		return s
	}
	in.Analysis = a
	if judge != nil {
		in.SLA = append(in.SLA, judge.Answer(a.Answers())...)
	}
	return summary.Summarise(run, in)
}

// analyse analyses the run in a directory.
func analyse(dir string, results []sla.Result) (*analysis.Analysis, error) {
	recorded, err := rundir.Open(dir)
	if err != nil {
		return nil, err
	}
	return analysis.Analyse(recorded, results)
}

// Against compares a run that has just ended with its baseline, into its summary. Where
// that cannot be done, the word is INCONCLUSIVE, and the run keeps its verdict: what was
// measured is not lost for it.
func Against(base []*rundir.Run, dir string, s *summary.Summary, o compare.Options) {
	next, err := rundir.Open(dir)
	if err != nil {
		s.Comparison = compare.Impossible(base, nil, o, err)
	} else {
		// Its summary.json is not written yet.
		next.Outcome = &rundir.Outcome{Verdict: string(s.Verdict), ExitCode: s.ExitCode, Generator: s.Generator.Status}
		next.Incomplete = s.Run.Incomplete
		s.Comparison = compare.Either(base, []*rundir.Run{next}, o)
	}
	if s.Comparison.Fails {
		s.ExitCode = exitcode.Worst(s.ExitCode, exitcode.Regression)
	}
}
