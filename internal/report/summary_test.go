package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/report"
	"github.com/perfctl/perfctl/internal/sla"
)

var update = flag.Bool("update", false, "write the golden files anew")

func ptr[T any](v T) *T { return &v }

func testInputs() report.Inputs {
	return report.Inputs{
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
		Checks: []report.Check{
			{Name: "every task processed once", Passed: true, Detail: "3,168 published, 3,168 acked"},
			{Name: "queues empty", Passed: false, Detail: "perfctl.tasks holds 2 messages"},
		},
		Failures: []report.Failure{
			{Scenario: "tasks", Kind: "timeout", Count: 32, Example: "publish: no confirm within \x1b[2J\x1b]0;owned\x075s\nsecond line"},
			{Scenario: "cache", Kind: "timeout", Count: 8},
		},
		Generator: &report.GeneratorHealth{Status: "valid", CPU: ptr(35.2), MaxRSS: ptr(int64(81_234_567)), GCPauseMax: ptr(0.213)},
	}
}

// summarised records a run, summarises it as the ending run does and finishes
// its directory.
func summarised(t *testing.T, dir string, in report.Inputs) *report.Summary {
	t.Helper()
	totals := metrics.NewTotals()
	w, err := report.Create(dir, testInfo(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var elapsed time.Duration
	newRecorder(1).seconds(func(s *metrics.Snapshot) {
		totals.Add(s)
		w.Snapshot(s)
		elapsed = s.End
	})
	s, err := report.Summarise(report.NewRun(testInfo(), totals, elapsed), in)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Finish(s); err != nil {
		t.Fatal(err)
	}
	return s
}

func text(t *testing.T, s *report.Summary, o report.Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.Text(&b, s, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTextView(t *testing.T) {
	s := summarised(t, t.TempDir(), testInputs())
	for name, o := range map[string]report.Options{
		"text-120.golden": {Width: 120, Dir: "runs/r-4711"},
		"text-80.golden":  {Width: 80, Dir: "runs/r-4711"},
	} {
		golden(t, name, text(t, s, o))
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got; -update writes it anew):\n%s", name, d)
	}
}

func TestReportPrintsWhatTheRunPrinted(t *testing.T) {
	dir := t.TempDir()
	s := summarised(t, dir, testInputs())
	run, err := report.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if run.Incomplete || len(run.Notes) > 0 || run.Summary == nil {
		t.Fatalf("incomplete %v, notes %q", run.Incomplete, run.Notes)
	}
	for _, o := range []report.Options{{}, {Width: 80}, {Width: 120, Color: true}} {
		if d := cmp.Diff(text(t, s, o), text(t, run.Summary, o)); d != "" {
			t.Errorf("printed at the end of the run and later (-run +report):\n%s", d)
		}
	}
	again, err := report.Summarise(run, testInputs())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(s, again); d != "" {
		t.Errorf("summarised from memory and from the directory:\n%s", d)
	}
}

func TestAKilledRunIsSummarisedAsInterrupted(t *testing.T) {
	dir := t.TempDir()
	record(t, dir, 1)
	run, err := report.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := report.Summarise(run, report.Inputs{})
	if err != nil {
		t.Fatal(err)
	}
	if s.Verdict != report.VerdictInterrupted || s.ExitCode != 105 || !s.Run.Incomplete || s.Arrivals.Succeeded == 0 {
		t.Errorf("verdict %s, exit code %d, incomplete %v, %+v", s.Verdict, s.ExitCode, s.Run.Incomplete, s.Arrivals)
	}
	if len(s.Failures) != 2 || s.Failures[0].Kind != "timeout" || s.Failures[0].Count != 32 {
		t.Errorf("failures from the counters: %+v", s.Failures)
	}
	if out := text(t, s, report.Options{}); !strings.Contains(out, "INTERRUPTED: after 10.1s of 10s") || !strings.Contains(out, "summary.json: missing") {
		t.Errorf("printed:\n%s", out)
	}
}

func TestVerdicts(t *testing.T) {
	fail := []sla.Result{{Rule: "a", Status: "fail", Severity: "fail"}, {Rule: "b", Status: "pass"}}
	for name, c := range map[string]struct {
		in         report.Inputs
		incomplete bool
		verdict    report.Verdict
		code       int
		line       string
	}{
		"pass":        {in: report.Inputs{SLA: fail[1:]}, verdict: "pass", code: 0, line: "PASS: 1 of 1 rules held; exit code 0"},
		"no rules":    {verdict: "pass", code: 0, line: "PASS: there was no rule to hold"},
		"warning":     {in: report.Inputs{SLA: []sla.Result{{Rule: "a", Status: "warn", Severity: "warn"}}}, verdict: "pass", line: "PASS: no rule broken, 1 of 1 warning"},
		"rule missed": {in: report.Inputs{SLA: fail}, verdict: "fail", code: 99, line: "FAIL: 1 of 2 rules missed: a"},
		"no data": {in: report.Inputs{SLA: []sla.Result{{Rule: "a", Status: "no_data", Severity: "fail"}}},
			verdict: "fail", code: 99, line: "FAIL: 1 of 1 rule missed: a"},
		"check failed": {in: report.Inputs{Checks: []report.Check{{Name: "c"}}}, verdict: "fail", code: 99, line: "FAIL: 1 of 1 check failed: c"},
		"bottleneck": {in: report.Inputs{SLA: fail, Generator: &report.GeneratorHealth{Status: "invalid", Reasons: []string{"arrivals were released late"}}},
			verdict: "invalid", code: 111, line: "INVALID: arrivals were released late"},
		"incomplete":  {in: report.Inputs{SLA: fail}, incomplete: true, verdict: "invalid", code: 111, line: "INVALID: data is missing: disk full"},
		"interrupted": {in: report.Inputs{SLA: fail, Interrupted: true}, verdict: "interrupted", code: 105, line: "INTERRUPTED: after 3s of 10s"},
	} {
		run := report.NewRun(testInfo(), metrics.NewTotals(), 3*time.Second)
		if c.incomplete {
			run.Lose("disk full")
		}
		if c.in.Generator == nil {
			c.in.Generator = &report.GeneratorHealth{Status: "valid"}
		}
		s, err := report.Summarise(run, c.in)
		if err != nil {
			t.Fatal(err)
		}
		if s.Verdict != c.verdict || s.ExitCode != c.code {
			t.Errorf("%s: verdict %s, exit code %d, want %s, %d", name, s.Verdict, s.ExitCode, c.verdict, c.code)
		}
		lines := strings.Split(strings.TrimSpace(text(t, s, report.Options{})), "\n")
		if last := lines[len(lines)-1]; !strings.HasPrefix(last, c.line) {
			t.Errorf("%s: the last line is %q, want %q", name, last, c.line)
		}
	}
}

func TestStagesOfAStoppedRun(t *testing.T) {
	totals := metrics.NewTotals()
	due := metrics.Series{Desc: metrics.Arrivals, Tags: metrics.Tags{Scenario: "tasks", Stage: "steady"}}
	ok := metrics.Series{Desc: metrics.ArrivalsSucceeded, Tags: due.Tags}
	totals.AddCounter(&due, 100)
	totals.AddCounter(&ok, 90)
	info := testInfo()
	info.Stages = append(info.Stages, report.StageInfo{Name: "burst", Start: 10, Burst: 500, Planned: 500})
	s, err := report.Summarise(report.NewRun(info, totals, 3*time.Second), report.Inputs{Interrupted: true})
	if err != nil {
		t.Fatal(err)
	}
	steady := s.Stages[1]
	if steady.Duration != 1 || *steady.Offered != 100 || *steady.Achieved != 90 {
		t.Errorf("a stage stopped after 1 s of 4: %+v", steady)
	}
	for _, st := range s.Stages[2:] {
		if st.Duration != 0 || st.Offered != nil || st.Achieved != nil || st.ErrorRate != nil {
			t.Errorf("a stage that was not reached, or a burst: %+v", st)
		}
	}
}

func TestPercentilesThatTheCountCannotCarryAreNull(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 1200).Draw(t, "n")
		censored := rapid.IntRange(0, 3).Draw(t, "censored")
		h := &metrics.Hist{Censored: int64(censored)}
		for i := range n {
			h.Record(int64(i) * 1e6)
		}
		totals := metrics.NewTotals()
		totals.AddTrend(&metrics.Series{Desc: publish, Tags: metrics.Tags{Scenario: "tasks"}}, h)
		s, err := report.Summarise(report.NewRun(testInfo(), totals, time.Second), report.Inputs{})
		if err != nil {
			t.Fatal(err)
		}
		d := s.Metrics["rabbitmq_publish_latency"].Trend
		for _, q := range []struct {
			name string
			v    *float64
			need int
		}{{"med", d.Med, 2}, {"p90", d.P90, 10}, {"p95", d.P95, 20}, {"p99", d.P99, 100}, {"p999", d.P999, 1000}} {
			if want := n > 0 && n+censored >= q.need; (q.v != nil) != want {
				t.Fatalf("%s of %d values and %d censored: %v", q.name, n, censored, q.v)
			}
		}
		if bound := slices.Contains(d.AtLeast, "max"); bound != (censored > 0) {
			t.Fatalf("at least: %v with %d censored", d.AtLeast, censored)
		}
	})
}

func TestSummaryKeepsItsKeys(t *testing.T) {
	s := summarised(t, t.TempDir(), testInputs())
	var b bytes.Buffer
	if err := report.JSON(&b, s); err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(b.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	at := func(path ...string) map[string]any {
		m := doc
		for _, k := range path {
			switch v := m[k].(type) {
			case map[string]any:
				m = v
			case []any:
				m = v[0].(map[string]any)
			default:
				t.Fatalf("%s is missing", strings.Join(path, "."))
			}
		}
		return m
	}
	for _, c := range []struct{ path, keys string }{
		{"", "schema run verdict exit_code arrivals stages metrics sla checks failures generator analysis notes"},
		{"run", "id profile scenarios started duration_s seed arrivals_process incomplete"},
		{"arrivals", "planned started succeeded failed dropped unfinished"},
		{"stages", "name class judged duration_s offered_rps achieved_rps error_rate response_time_ms"},
		{"stages response_time_ms", "count min avg med p90 p95 p99 p999 max"},
		{"metrics rabbitmq_publish_latency", "type unit count min avg med p90 p95 p99 p999 max"},
		{"metrics response_time{scenario:tasks}", "type unit count min avg med p90 p95 p99 p999 max at_least"},
		{"metrics db_query_duration{scenario:tasks,operation:insert}", "type unit count p99"},
		{"metrics data_sent", "type unit count rate"},
		{"metrics cache_hit_ratio", "type unit rate hits total"},
		{"metrics rabbitmq_queue_length", "type unit avg min med max last"},
		{"sla", "rule metric stage target actual status severity action"},
		{"checks", "name passed detail"},
		{"failures", "scenario kind count example"},
		{"generator", "status reasons schedule_lag_ms cpu_percent max_rss_bytes gc_pause_max_ms"},
		{"generator schedule_lag_ms", "p50 p99 max"},
	} {
		m := at(strings.Fields(c.path)...)
		for _, k := range strings.Fields(c.keys) {
			if _, ok := m[k]; !ok {
				t.Errorf("%q has no %q", c.path, k)
			}
		}
	}
	if doc["schema"] != 1.0 {
		t.Errorf("schema is %v", doc["schema"])
	}
}

func TestNoEscapeSequenceReachesTheTerminal(t *testing.T) {
	s := summarised(t, t.TempDir(), testInputs())
	if out := text(t, s, report.Options{}); strings.ContainsFunc(out, func(r rune) bool { return r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 }) {
		t.Errorf("control characters in\n%q", out)
	} else if !strings.Contains(out, "no confirm within 5s second line") || strings.Contains(out, "owned") {
		t.Errorf("the example of a failure was spoilt:\n%s", out)
	}
	if out := text(t, s, report.Options{Color: true}); !strings.Contains(out, "\x1b[31m") || strings.Contains(out, "\x1b[2J") {
		t.Errorf("colours: %q", out)
	}
}

func TestHostileTextStaysText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		evil := rapid.StringOf(rapid.SampledFrom([]rune("ab;[]0m\x1b\x07\\\u009b\u009d\u202e\x00\r\n…é"))).Draw(t, "evil")
		s := &report.Summary{
			Failures: []report.Failure{{Scenario: evil, Kind: evil, Example: evil}},
			Checks:   []report.Check{{Name: evil, Detail: evil}},
			SLA:      []sla.Result{{Rule: evil, Target: evil, Actual: evil, Action: evil, Status: sla.Status(evil)}},
			Metrics:  map[string]report.Metric{evil: {Type: "counter", Counter: &report.CounterFigures{}}},
			Notes:    []string{evil},
		}
		var b bytes.Buffer
		if err := report.Text(&b, s, report.Options{Dir: evil}); err != nil {
			t.Fatal(err)
		}
		if !utf8.Valid(b.Bytes()) || bytes.ContainsAny(b.Bytes(), "\x1b\x07\x00\r\u009b\u009d\u202e") {
			t.Fatalf("printed %q", b.String())
		}
	})
}
