package main

import (
	"github.com/perfctl/perfctl/internal/analysis"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
)

// conclude summarises a run that is over, adds the answers that its directory
// gives, and judges the rules about them; a run without a judge has none. An
// analysis that fails costs the answers, not the summary: it is said in the
// notes.
func conclude(run *rundir.Run, dir string, in summary.Inputs, judge *sla.Judge) *summary.Summary {
	s := summary.Summarise(run, in)
	a, why := answer(dir, s.SLA)
	if a == nil {
		s.Notes = append(s.Notes, "no analysis: "+why)
		return s
	}
	in.Analysis = a
	if judge != nil {
		in.SLA = append(in.SLA, judge.Answer(a.Answers())...)
	}
	return summary.Summarise(run, in)
}

// answer analyses the run in a directory, or says why that fails.
func answer(dir string, results []sla.Result) (*analysis.Analysis, string) {
	recorded, err := rundir.Open(dir)
	if err != nil {
		return nil, err.Error()
	}
	a, err := analysis.Analyse(recorded, results)
	if err != nil {
		return nil, err.Error()
	}
	return a, ""
}
