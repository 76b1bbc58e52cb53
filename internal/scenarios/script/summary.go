package script

import (
	"encoding/json"
	"fmt"
)

// usualStats are the figures of a trend where the script's options name none.
var usualStats = []string{"avg", "min", "med", "max", "p(90)", "p(95)"}

// TrendStats are the figures of a trend that the script wants in its summary.
func (s *scenario) TrendStats() []string {
	if list := s.loaded.SummaryTrendStats; len(list) > 0 {
		return list
	}
	return usualStats
}

// forScript adds to the run's figures what only the script's own scenario knows: what
// setup returned, and what its options say of the summary.
func (s *scenario) forScript(figures []byte) ([]byte, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(figures, &all); err != nil {
		return nil, fmt.Errorf("the figures of the run: %w", err)
	}
	var err error
	if all["options"], err = json.Marshal(map[string]any{
		"summaryTrendStats": s.TrendStats(), "summaryTimeUnit": s.loaded.SummaryTimeUnit, "noColor": true}); err != nil {
		return nil, err
	}
	if s.data != nil {
		all["setup_data"] = s.data
	}
	return json.Marshal(all)
}
