package main

import (
	"github.com/perfctl/perfctl/internal/analysis"
	"github.com/perfctl/perfctl/internal/report"
)

// conclude summarises a run that is over and adds the answers that its directory
// gives. An analysis that fails costs the answers, not the summary: it is said
// in the notes.
func conclude(run *report.Run, dir string, in report.Inputs) (*report.Summary, error) {
	s, err := report.Summarise(run, in)
	if err != nil {
		return nil, err
	}
	a, failed := answer(dir, s)
	if failed != nil {
		s.Notes = append(s.Notes, "no analysis: "+failed.Error())
		return s, nil
	}
	in.Analysis = a
	return report.Summarise(run, in)
}

// answer analyses the run in a directory.
func answer(dir string, s *report.Summary) (*analysis.Analysis, error) {
	recorded, err := report.Open(dir)
	if err != nil {
		return nil, err
	}
	return analysis.Analyse(recorded, s)
}
