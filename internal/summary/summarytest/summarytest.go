// Package summarytest makes summaries for the tests of those who read them.
package summarytest

import (
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/rundir/rundirtest"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
)

func ptr[T any](v T) *T { return &v }

// Inputs are those of a run that missed a rule and failed a check.
func Inputs() summary.Inputs {
	return summary.Inputs{
		SLA: []sla.Result{
			{Rule: "P50 response time", Metric: "response_time", Stage: "steady", Target: "P50 < 100ms", Actual: "46.4ms", Status: "pass", Severity: "warn", Action: "Optimize the common path"},
			{Rule: "P50 response time", Metric: "response_time", Target: "P50 < 100ms", Actual: "47.5ms", Status: "pass", Severity: "warn", Action: "Optimize the common path"},
			{Rule: "P95 response time", Metric: "response_time", Stage: "peak", Target: "P95 < 155ms", Actual: "157ms", Status: "fail", Severity: "fail", Action: "Critical, must be met: find the bottleneck (database, cache or broker)"},
			{Rule: "P95 response time", Metric: "response_time", Target: "P95 < 155ms", Actual: "154ms", Status: "pass", Severity: "fail", Action: "Critical, must be met: find the bottleneck (database, cache or broker)"},
			{Rule: "Task enqueue P95", Metric: "rabbitmq_publish_latency", Target: "P95 < 5ms", Actual: "10.1ms", Status: "warn", Severity: "warn", Action: "The broker is slow to confirm: disk, flow control, or too few connections"},
			{Rule: "Insert P95", Metric: "db_query_duration{scenario:tasks,operation:insert}", Target: "P95 < 50ms", Actual: "7.03ms", Status: "pass", Severity: "fail"},
			{Rule: "Errors in normal operation", Metric: "error_rate", Stage: "steady", Target: "RATE < 0.1%", Actual: "0%", Status: "pass", Severity: "fail"},
			{Rule: "Target throughput", Metric: "throughput", Target: "VALUE > 2000/s", Actual: "offered at most 1000/s", Status: "not_exercised", Severity: "warn"},
			{Rule: "CPU of a process", Metric: "process_cpu_percent", Target: "AVG < 80%", Actual: "not measured", Status: "not_exercised", Severity: "warn"},
		},
		Checks: []summary.Check{
			{Name: "every task processed once", Passed: true, Detail: "3,168 published, 3,168 acked"},
			{Name: "queues empty", Passed: false, Detail: "perfctl.tasks holds 2 messages"},
		},
		Failures: []summary.Failure{
			{Scenario: "tasks", Kind: "timeout", Count: 32, Example: "publish: no confirm within \x1b[2J\x1b]0;owned\x075s\nsecond line"},
			{Scenario: "cache", Kind: "timeout", Count: 8},
		},
		Generator: &summary.GeneratorHealth{Status: "valid", CPU: ptr(35.2), MaxRSS: ptr(int64(81_234_567)), GCPauseMax: ptr(0.213)},
	}
}

// Finished records a run, summarises it as the ending run does and finishes
// its directory.
func Finished(tb testing.TB, dir string, in summary.Inputs) *summary.Summary {
	tb.Helper()
	totals := metrics.NewTotals()
	w, err := rundir.Create(dir, rundirtest.Info(), nil)
	if err != nil {
		tb.Fatal(err)
	}
	var elapsed time.Duration
	rundirtest.NewRecorder(1).Seconds(func(s *metrics.Snapshot) {
		totals.Add(s)
		w.Snapshot(s)
		elapsed = s.End
	})
	s := summary.Summarise(rundir.NewRun(rundirtest.Info(), totals, elapsed), in)
	if err := summary.Finish(w, s); err != nil {
		tb.Fatal(err)
	}
	return s
}
