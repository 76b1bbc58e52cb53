package compare

import (
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/sla"
)

// Rules are judged by the mean over the runs: one bad run does not decide, and a
// mean near the target says so.
func TestRepeatedRunsAreJudgedByTheirMean(t *testing.T) {
	run := func(p95 float64) []sla.Result {
		target, status := 50.0, sla.Passed
		if p95 >= target {
			status = sla.Failed
		}
		return []sla.Result{{Rule: "P95", Metric: "response_time", Threshold: "response_time: p(95)<50ms", Target: "P95 < 50ms", Severity: sla.Fail, Status: status, ActualValue: &p95, TargetValue: &target}}
	}
	of := func(values ...float64) *Repeated {
		var results [][]sla.Result
		for _, v := range values {
			results = append(results, run(v))
		}
		s := system{calm: true, restless: 0.01}
		r, err := Average(s.runs(t, 3, 1), results)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	one := of(40, 41, 58)
	if x := one.Rules[0]; one.Breaches || x.Status != sla.Passed || !x.Near || x.Missed != 1 {
		t.Errorf("one run of three misses: %+v", x)
	}
	if r := of(49, 58, 59); !r.Breaches || r.Rules[0].Missed != 2 {
		t.Errorf("the mean misses: %+v", r.Rules[0])
	}
	f := one.Figures[0]
	if f.Stat != "p50" || f.Mean < 4.8 || f.Mean > 5.2 || f.Low >= f.Mean || f.High <= f.Mean || f.Spread <= 0 || f.Spread > 0.03 {
		t.Errorf("p50 is %+v", f)
	}
	var b strings.Builder
	if err := RepeatedText(&b, one); err != nil || !strings.Contains(b.String(), "missed in 1 of 3") {
		t.Errorf("%v:\n%s", err, b.String())
	}
}
