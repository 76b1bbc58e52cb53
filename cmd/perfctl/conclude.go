package main

import (
	"github.com/perfctl/perfctl/internal/analysis"
	"github.com/perfctl/perfctl/internal/report"
	"github.com/perfctl/perfctl/internal/sla"
)

// conclude summarises a run that is over, adds the answers that its directory
// gives, and judges the rules about them; a run without a judge has none. An
// analysis that fails costs the answers, not the summary: it is said in the
// notes.
func conclude(run *report.Run, dir string, in report.Inputs, judge *sla.Judge) (*report.Summary, error) {
	s, err := report.Summarise(run, in)
	if err != nil {
		return nil, err
	}
	a, why := answer(dir, s)
	if a == nil {
		s.Notes = append(s.Notes, "no analysis: "+why)
		return s, nil
	}
	in.Analysis = a
	if judge != nil {
		in.SLA = append(in.SLA, judge.Answer(a.Answers())...)
	}
	return report.Summarise(run, in)
}

// answer analyses the run in a directory, or says why that fails.
func answer(dir string, s *report.Summary) (*analysis.Analysis, string) {
	recorded, err := report.Open(dir)
	if err != nil {
		return nil, err.Error()
	}
	a, err := analysis.Analyse(recorded, s)
	if err != nil {
		return nil, err.Error()
	}
	return a, ""
}
