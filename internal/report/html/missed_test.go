package html

import (
	"testing"

	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
)

func TestAMissedRuleIsOneRowWithItsStages(t *testing.T) {
	r := func(stage string, status sla.Status, actual string) sla.Result {
		return sla.Result{Rule: "P95", Metric: "response_time", Stage: stage, Status: status, Actual: actual, Severity: sla.Fail}
	}
	steady, peak, whole := r("steady", sla.Passed, "3ms"), r("peak", sla.Failed, "9ms"), r("", sla.Failed, "8ms")
	v := view{Summary: &summary.Summary{SLA: []sla.Result{steady, peak, whole}}, Missed: []sla.Result{peak, whole}}
	rows := v.MissedRules()
	if len(rows) != 1 || rows[0].Actual != "8ms" || len(rows[0].In) != 2 {
		t.Errorf("rows: %+v", rows)
	}
	whole.Status = sla.Passed
	v = view{Summary: &summary.Summary{SLA: []sla.Result{steady, peak, whole}}, Missed: []sla.Result{peak}}
	if rows := v.MissedRules(); len(rows) != 1 || rows[0].Actual != "9ms" {
		t.Errorf("where the whole held the figure is %+v, want that of the stage that was missed", rows)
	}
}
