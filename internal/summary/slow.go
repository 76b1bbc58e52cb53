package summary

import "github.com/perfctl/perfctl/internal/analysis/slow"

// Slow returns why the slow arrivals were slow, nil where that was not looked at.
func (s *Summary) Slow() *slow.Report {
	if s.Analysis == nil {
		return nil
	}
	return s.Analysis.Slow
}
