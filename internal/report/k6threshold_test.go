package report

import (
	"testing"

	"github.com/perfctl/perfctl/internal/sla"
)

// A condition is what the threshold's grammar calls one, however its tags are spaced.
func TestAThresholdIsNotedByItsCondition(t *testing.T) {
	for _, text := range []string{"response_time{stage:peak}: p(99)<2s", "response_time { stage : peak } : p(99)<2s"} {
		all := map[string]map[string]any{"response_time{stage:peak}": {}}
		k6Threshold(all, &sla.Result{Metric: "response_time{stage:peak}", Threshold: text, Status: sla.Failed})
		got, _ := all["response_time{stage:peak}"]["thresholds"].(map[string]bool)
		if missed, ok := got["p(99)<2s"]; !ok || !missed || len(got) != 1 {
			t.Errorf("%s: noted as %v", text, got)
		}
	}
}
