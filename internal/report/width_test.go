package report_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/perfctl/perfctl/internal/analysis"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/report"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/rundir/rundirtest"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/states"
	"github.com/perfctl/perfctl/internal/summary"
	"github.com/perfctl/perfctl/internal/summary/summarytest"
)

// hardToFit is a run with everything in it that is long.
func hardToFit(t *testing.T) *summary.Summary {
	t.Helper()
	in := summarytest.Inputs()
	for _, st := range []sla.Status{sla.Failed, sla.Undecided, sla.NoData, sla.Passed} {
		in.SLA = append(in.SLA, sla.Result{Rule: "a rule with a name that is longer than what there is room for in a table", Metric: "flow_step_duration{operation:" + string(st) + "}",
			Stage: "steady", Target: "VALUE between 1,000/s and 2,000/s", Actual: "offered at most 1,234,567/s", Status: st, Severity: sla.Fail, Strict: true, Near: true, Action: strings.Repeat("do this ", 30)})
	}
	in.Generator.Status, in.Generator.Reasons = states.GeneratorSuspect, []string{strings.Repeat("late ", 40)}
	s := summarytest.Finished(t, t.TempDir(), in)
	value := 1234567.0
	for _, key := range []string{"a_gauge_with_a_rather_long_name_that_goes_on{operation:and_an_operation_that_is_no_shorter_than_that}", "pg_wal_bytes"} {
		s.Metrics[key] = summary.Metric{Unit: metrics.UnitCount, Gauge: &summary.GaugeFigures{Avg: value, Min: 1, Med: value, Max: 1e9, Last: &value}}
	}
	s.Notes = append(s.Notes, strings.Repeat("a note ", 30))
	s.Analysis = &analysis.Analysis{Faults: []analysis.FaultEffect{
		{Name: "rabbitmq-blackhole-of-all-connections", What: "rabbitmq: blackhole share 30%", Target: "rabbitmq", From: 20, To: 28, Due: 12345, ErrorRate: &value, Time: &value,
			Course: analysis.Course{Known: true, Recovered: true, Before: &value, Peak: &value, PeakAtLeast: true}},
		{Name: "db", What: "postgres: refuse", From: 40, To: 48, Course: analysis.Course{Because: strings.Repeat("there is too little to compare with ", 5)}},
	}}
	return s
}

func TestNothingIsWiderThanTheTerminal(t *testing.T) {
	s := hardToFit(t)
	for _, width := range []int{80, 100, 120} {
		for _, full := range []bool{false, true} {
			for l := range strings.SplitSeq(text(t, s, report.Options{Width: width, Full: full, Dir: "runs/r-4711"}), "\n") {
				if n := utf8.RuneCountInString(l); n > width {
					t.Errorf("%d columns at %d, full %v: %q", n, width, full, l)
				}
			}
		}
	}
}

func TestFaultsHaveARowEach(t *testing.T) {
	at, before, peak, errors := 2.0, 12.0, 480.0, 0.25
	s := summary.Summarise(rundir.NewRun(rundirtest.Info(), metrics.NewTotals(), 60*time.Second), summary.Inputs{})
	s.Analysis = &analysis.Analysis{Faults: []analysis.FaultEffect{
		{Name: "db", What: "postgres: refuse", From: 20, To: 28, Due: 800, ErrorRate: &errors, Time: &at,
			Course: analysis.Course{Known: true, Recovered: true, Before: &before, Peak: &peak}},
		{Name: "cache", What: "redis: reset", From: 40, To: 44, Course: analysis.Course{Known: true, Watched: 16}},
		{Name: "late", What: "redis: reset", From: 58, To: 60, Course: analysis.Course{Because: "the run ended with it"}},
	}}
	for _, o := range []report.Options{{Width: 120}, {Width: 120, Full: true}} {
		out := text(t, s, o)
		for _, want := range []string{"25%", "12ms", "480ms", "after 2s", "not in 16s", "unknown", "? late: its recovery cannot be told, because the run ended with it"} {
			if !strings.Contains(out, want) {
				t.Errorf("full %v lacks %q:\n%s", o.Full, want, out)
			}
		}
	}
	var b strings.Builder
	if err := report.Markdown(&b, s); err != nil {
		t.Fatal(err)
	}
	if want := "| db | 20s | 8s | 800 | 25% | 12ms | 480ms | after 2s | postgres: refuse |"; !strings.Contains(b.String(), want) {
		t.Errorf("Markdown lacks %q:\n%s", want, b.String())
	}
}
