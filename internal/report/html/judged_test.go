package html_test

import (
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/sla"
)

// What was missed has a chart of its own, with its target as a line, before all others;
// what never changed has none.
func TestWhatWasMissedComesFirst(t *testing.T) {
	r := record(t, 20, false)
	nine := 0.99
	r.summary.SLA = append(r.summary.SLA,
		sla.Result{Rule: "hits", Metric: "cache_hit_ratio{scenario:tasks}", Target: "RATE > 99%", Threshold: "cache_hit_ratio{scenario:tasks}: rate > 0.99", TargetValue: &nine,
			Actual: "60%", Status: sla.Failed, Severity: sla.Fail},
		sla.Result{Rule: "elsewhere", Metric: "not_recorded", Target: "MAX < 1", Threshold: "not_recorded: max < 1", Actual: "no data", Status: sla.NoData, Severity: sla.Fail})
	text := page(t, r)
	d := chartData(t, text)
	titles := map[string]string{}
	for _, p := range d.Panels {
		titles[p.Title] = p.ID
		if p.Title == "cache_hit_ratio{scenario:tasks}" && (len(p.Limits) != 1 || p.Limits[0].Value != nine || !strings.Contains(p.Note, "60%") || *p.Series[0].Values[15] != 0.5) {
			t.Errorf("the chart of what was missed is %+v", p)
		}
		if p.Title == "db_pool_max" {
			t.Error("what never changed has a chart")
		}
	}
	want := `data-panels="response ` + titles["cache_hit_ratio{scenario:tasks}"] + ` load"`
	if !strings.Contains(text, want) {
		t.Errorf("the charts do not begin with %s", want)
	}
	if !strings.Contains(text, `1 reading that did not change`) || !strings.Contains(text, "db_pool_max") {
		t.Error("what never changed is not told")
	}
}

func TestRulesWithoutDataAreOneRowWhereNothingSucceeded(t *testing.T) {
	r := record(t, 20, false)
	r.summary.SLA = nil
	for _, name := range []string{"P50", "P95", "P99"} {
		r.summary.SLA = append(r.summary.SLA, sla.Result{Rule: name, Metric: "response_time", Actual: "no data", Status: sla.NoData, Severity: sla.Fail})
	}
	r.summary.Arrivals.Succeeded = 0
	if text := page(t, r); !strings.Contains(text, "3 rules without data") || strings.Contains(text, "<td>P95</td>") {
		t.Error("each rule without data has a row")
	}
}
