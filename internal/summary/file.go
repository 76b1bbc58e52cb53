package summary

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/perfctl/perfctl/internal/analysis"
	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
)

// Encode returns the summary as summary.json holds it: where there is no
// analysis its key holds an empty object.
func (s *Summary) Encode() ([]byte, error) {
	var v any = s
	if s.Analysis == nil {
		v = struct {
			*Summary
			Analysis   struct{}            `json:"analysis"`
			Comparison *compare.Comparison `json:"comparison,omitempty"`
		}{Summary: s, Comparison: s.Comparison}
	}
	text, err := rundir.Encode(v)
	if err != nil {
		return nil, fmt.Errorf("encode the summary: %w", err)
	}
	return text, nil
}

// Finish ends the writing of a run directory with the run's summary.
func Finish(w *rundir.Writer, s *Summary) error {
	text, err := s.Encode()
	if err != nil {
		return errors.Join(err, w.Close())
	}
	return w.Finish(text)
}

// Write writes a run directory's summary.json: for a directory that was merged,
// or judged again.
func Write(dir string, s *Summary) error {
	text, err := s.Encode()
	if err != nil {
		return err
	}
	return rundir.WriteSummary(dir, text)
}

// Read returns the summary that a run directory holds, nil where there is none.
// One that is damaged is noted in the run, which then counts as incomplete. An
// analysis or a comparison of a form that this version does not know is left out
// and noted; the rest stands.
func Read(run *rundir.Run) *Summary {
	if run.Outcome == nil {
		return nil
	}
	s := new(Summary)
	var file struct {
		*Summary
		Analysis   json.RawMessage `json:"analysis"`
		Comparison json.RawMessage `json:"comparison"`
	}
	file.Summary = s
	if err := json.Unmarshal(run.Outcome.Text, &file); err != nil {
		run.LoseOutcome(err)
		return nil
	}
	for i := range s.SLA {
		s.SLA[i].FillOlder()
	}
	s.mean(run)
	s.Analysis = part[analysis.Analysis](run, "analysis", file.Analysis)
	s.Comparison = part[compare.Comparison](run, "comparison", file.Comparison)
	return s
}

// mean gives the metrics what the run says of them.
func (s *Summary) mean(run *rundir.Run) {
	descs := map[string]metrics.Desc{}
	for _, t := range run.Totals.All() {
		descs[t.Series.Name] = t.Series.Desc
	}
	for key, m := range s.Metrics {
		name, _, _ := strings.Cut(key, "{")
		m.Role, m.Of = descs[name].Role, descs[name].Of
		s.Metrics[key] = m
	}
}

// part reads a part of a summary that other rooms define; nil where there is none.
func part[T any](run *rundir.Run, name string, text json.RawMessage) *T {
	var empty map[string]json.RawMessage
	if len(text) == 0 || json.Unmarshal(text, &empty) == nil && len(empty) == 0 {
		return nil
	}
	v := new(T)
	if err := json.Unmarshal(text, v); err != nil {
		run.Notes = append(run.Notes, fmt.Sprintf("%s: its %s is of a form that this perfctl does not know and is left out: %v", rundir.SummaryFile, name, err))
		return nil
	}
	return v
}
