package run

import (
	"testing"

	"github.com/perfctl/perfctl/internal/sla"
)

func TestAScriptsThresholdIsNotedByItsCondition(t *testing.T) {
	for _, text := range []string{"response_time{stage:peak}: p(99)<2s", "response_time { stage : peak } : p(99)<2s"} {
		m := &scriptMetric{}
		noteThreshold(map[string]*scriptMetric{"response_time{stage:peak}": m}, &sla.Result{Metric: "response_time{stage:peak}", Threshold: text, Status: sla.Failed, Severity: sla.Fail})
		if got, ok := m.Thresholds["p(99)<2s"]; !ok || got.OK || len(m.Thresholds) != 1 {
			t.Errorf("%s: noted as %v", text, m.Thresholds)
		}
	}
}
