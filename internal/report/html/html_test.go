package html_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/analysis"
	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/report/html"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
)

const hostile = `</script><script>document.title="owned"</script><img src=x onerror="document.title='owned'">&"'` + "\u2028\x00\x1b[31m"

// recorded is what was recorded, to compare the page with.
type recorded struct {
	run     *rundir.Run
	summary *summary.Summary
	ok      int64 // arrivals that succeeded
}

// record writes a run of so many seconds into a folder and reads it again.
func record(t *testing.T, seconds int, killed bool) recorded {
	t.Helper()
	half := float64(seconds) / 2
	info := rundir.RunInfo{
		ID: "r1", Version: hostile, Profile: "load", Seed: 7, Process: "uniform", Shards: 1, MaxInFlight: 10, Started: time.Unix(1_750_000_000, 0),
		Scenarios: []rundir.ScenarioShare{{Name: "tasks", Weight: 1}},
		Stages: []rundir.StageInfo{
			{Name: "steady", Class: "normal", Judged: true, Duration: half, From: 100, To: 100, Planned: int64(50 * seconds)},
			{Name: "peak", Class: "high", Judged: true, Start: half, Duration: half, From: 200, To: 200, Planned: int64(100 * seconds)},
		},
		Settings: []rundir.Setting{{Name: "DB_HOST", Value: hostile, Origin: "flag -e"}},
	}
	dir := filepath.Join(t.TempDir(), "run")
	w, err := rundir.Create(dir, info, nil)
	if err != nil {
		t.Fatal(err)
	}
	reg := []*metrics.Series{
		{Desc: metrics.ResponseTime, Tags: metrics.Tags{Scenario: "tasks", Stage: "steady"}}, {Desc: metrics.ResponseTime, Tags: metrics.Tags{Scenario: "tasks", Stage: "peak"}},
		{Desc: metrics.ArrivalsSucceeded, Tags: metrics.Tags{Scenario: "tasks", Stage: "steady"}}, {Desc: metrics.ArrivalsSucceeded, Tags: metrics.Tags{Scenario: "tasks", Stage: "peak"}},
		{Desc: metrics.InFlight}, {Desc: metrics.Desc{Name: "rabbitmq_queue_length", Kind: metrics.KindGauge, Unit: metrics.UnitCount, Help: hostile}, Tags: metrics.Tags{Operation: hostile}},
		{Desc: metrics.Desc{Name: "db_pool_max", Kind: metrics.KindGauge, Unit: metrics.UnitCount, Help: "connections at most"}},
	}
	totals := metrics.NewTotals()
	out := recorded{}
	var end time.Duration
	for i := range seconds {
		stage := 2 * i / seconds
		h := new(metrics.Hist)
		for k := range 100 * (stage + 1) {
			h.Record(int64(1e6 * (1 + float64(k%100)/10) * (1 + math.Sin(float64(i)/20)/2)))
		}
		end = time.Duration(i+1) * time.Second
		s := &metrics.Snapshot{Number: i, Start: end - time.Second, End: end, At: info.Started.Add(end), Stage: stage, Last: i == seconds-1,
			Trends:   []metrics.TrendValue{{Series: reg[stage], Hist: h}},
			Counters: []metrics.CounterValue{{Series: reg[2+stage], Delta: h.N}},
			Rates:    []metrics.RateValue{{Series: &metrics.Series{Desc: metrics.Desc{Name: "cache_hit_ratio", Kind: metrics.KindRate, Unit: metrics.UnitRatio}, Tags: metrics.Tags{Scenario: "tasks", Stage: []string{"steady", "peak"}[stage]}}, Hits: 3, Total: int64(4 + 2*stage)}},
			Gauges:   []metrics.GaugeValue{{Series: reg[4], Value: float64(i % 7)}, {Series: reg[5], Value: float64(i % 10)}, {Series: reg[6], Value: 20}},
		}
		out.ok += h.N
		totals.Add(s)
		w.Snapshot(s)
	}
	five, two := 5.0, 2000.0
	in := summary.Inputs{
		SLA: []sla.Result{
			{Rule: hostile, Metric: "response_time", Target: "P95 < 5ms", Threshold: "response_time: p(95) < 5ms", TargetValue: &five, Actual: "9ms", Status: sla.Failed, Severity: sla.Fail, Action: hostile},
			{Rule: "P99", Metric: "response_time", Target: "P99 < 2s", Threshold: "response_time: p(99) < 2s", TargetValue: &two, Actual: "9ms", Status: sla.Passed, Severity: sla.Fail},
		},
		Checks:   []summary.Check{{Name: "tasks_lost", Detail: hostile}},
		Failures: []summary.Failure{{Scenario: "tasks", Kind: hostile, Count: 2, Example: hostile}},
		Analysis: &analysis.Analysis{Sentences: []string{hostile}, Findings: []analysis.Finding{{
			Severity: analysis.Critical, Title: hostile, Sentence: "s", Advice: "a", Evidence: analysis.Evidence{From: 1, To: 4}}}},
	}
	if killed {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	} else {
		s := summary.Summarise(rundir.NewRun(info, totals, end), in)
		if err := summary.Finish(w, s); err != nil {
			t.Fatal(err)
		}
	}
	if out.run, err = rundir.Open(dir); err != nil {
		t.Fatal(err)
	}
	if out.summary = summary.Read(out.run); out.summary == nil {
		out.summary = summary.Summarise(out.run, summary.Inputs{})
	}
	return out
}

func page(t *testing.T, r recorded) string {
	t.Helper()
	return pageBeside(t, r, nil)
}

func pageBeside(t *testing.T, r recorded, base *rundir.Run) string {
	t.Helper()
	var b bytes.Buffer
	if err := html.Write(&b, r.run, r.summary, base); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// chartData is the data that the page's script draws.
func chartData(t *testing.T, page string) (d struct {
	Bin    float64
	T      []float64
	Panels []struct {
		ID, Title, Note string
		Limits          []struct{ Value float64 }
		Series          []struct {
			Name         string
			Values, Base []*float64
		}
	}
	Curves []struct{ Base bool }
	Heat   struct {
		Rows  []float64
		Cells [][3]int64
	}
}) {
	t.Helper()
	_, rest, _ := strings.Cut(page, `<script type="application/json" id="data">`)
	text, _, ok := strings.Cut(rest, "</script>")
	if !ok {
		t.Fatal("the page holds no data")
	}
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatalf("the data is not JSON: %v", err)
	}
	return d
}

// A run of any length has a page of bounded size, in which no arrival is lost:
// points stand for longer intervals, and the heat map still counts everyone.
func TestLongRunsAreMergedNotPicked(t *testing.T) {
	for _, seconds := range []int{20, 1800, 3701} {
		r := record(t, seconds, false)
		text := page(t, r)
		d := chartData(t, text)
		if len(d.T) > 600 || len(d.T) < min(seconds, 300) {
			t.Errorf("%d s have %d points", seconds, len(d.T))
		}
		if len(text) > 5<<20 {
			t.Errorf("%d s make a page of %d bytes", seconds, len(text))
		}
		var n int64
		for _, c := range d.Heat.Cells {
			n += c[2]
		}
		if n != r.ok {
			t.Errorf("%d s: the heat map counts %d of %d arrivals", seconds, n, r.ok)
		}
		var achieved float64
		for _, v := range d.Panels[0].Series[1].Values {
			achieved += *v * d.Bin
		}
		if last := float64(seconds) - d.Bin*float64(len(d.T)-1); math.Abs(achieved-float64(r.ok)) > 1e-3*float64(r.ok)+200*(d.Bin-last) {
			t.Errorf("%d s: the load adds up to %.0f of %d arrivals", seconds, achieved, r.ok)
		}
		if l := d.Panels[1].Limits; len(l) != 2 || l[0].Value != 5 || l[1].Value != 2000 {
			t.Errorf("the rules' lines are %v", l)
		}
	}
}

// A point's percentile is that of all arrivals of its interval.
func TestPercentilesOfMergedIntervals(t *testing.T) {
	r := record(t, 1800, false)
	d := chartData(t, page(t, r))
	h := new(metrics.Hist)
	err := r.run.Intervals(func(l *rundir.Line) bool { return l.Series.Name == "response_time" }, func(second int, _ *rundir.Line, x *metrics.Hist) {
		if second < int(d.Bin) {
			h.Merge(x)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	want, _, _ := h.Quantile(0.95)
	if got := d.Panels[1].Series[1]; got.Name != "p95" || math.Abs(*got.Values[0]-float64(want)/1e6) > 1e-3 {
		t.Errorf("%s is %v, want %v", got.Name, *got.Values[0], float64(want)/1e6)
	}
}

// What a target sent is text in the page, never markup, and the page may load
// nothing from anywhere.
func TestHostileTextsStayTexts(t *testing.T) {
	text := page(t, record(t, 20, false))
	if strings.Contains(text, "<script>document") || strings.Contains(text, "<img") {
		t.Error("a text became markup")
	}
	if n := strings.Count(text, "</script>"); n != 2 {
		t.Errorf("%d scripts end in the page", n)
	}
	if !strings.Contains(text, "default-src &#39;none&#39;") {
		t.Error("the page has no policy")
	}
	for _, bad := range []string{`src="`, `href="http`, "url(", "@import"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page holds %s", bad)
		}
	}
}

func TestAKilledRunHasAPage(t *testing.T) {
	text := page(t, record(t, 20, true))
	if !strings.Contains(text, "incomplete") || len(chartData(t, text).T) == 0 {
		t.Error("the page does not show what is there")
	}
}

// That a killed run has no summary is told by its verdict; what else is wrong is a note,
// whichever file it is of.
func TestAKilledRunsPageShowsItsOtherNotes(t *testing.T) {
	r := record(t, 20, true)
	r.run.Notes = append(r.run.Notes, "summary.json: another note")
	r.summary = summary.Summarise(r.run, summary.Inputs{})
	text := page(t, r)
	if r.run.NoOutcome == "" || strings.Contains(text, r.run.NoOutcome) || !strings.Contains(text, "summary.json: another note") {
		t.Errorf("the page shows %q, or no other note", r.run.NoOutcome)
	}
}

func TestAnEmptyRunHasAPage(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "r")
	w, err := rundir.Create(dir, rundir.RunInfo{ID: "x", Profile: "p", Shards: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := rundir.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := summary.Summarise(r, summary.Inputs{})
	if text := page(t, recorded{run: r, summary: s}); !strings.Contains(text, "</html>") {
		t.Error("the page is not whole")
	}
}

// Ratios stand by stage, and every counter is there.
func TestThePageCounts(t *testing.T) {
	got := page(t, record(t, 20, false))
	for _, want := range []string{"cache_hit_ratio", "75%", "30 of 40", "50%", "60%", "60 of 100"} {
		if !strings.Contains(strings.ReplaceAll(got, "\u202f", ""), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// What is left of a run is shown.
func TestARunWithoutItsHistogramsHasAPage(t *testing.T) {
	r := record(t, 20, false)
	if err := os.Remove(filepath.Join(r.run.Dir, rundir.LogFile)); err != nil {
		t.Fatal(err)
	}
	run, err := rundir.Open(r.run.Dir)
	if err != nil {
		t.Fatal(err)
	}
	d := chartData(t, page(t, recorded{run: run, summary: summary.Read(run)}))
	if v := d.Panels[0].Series[1].Values; len(v) != 20 || v[5] == nil {
		t.Errorf("the load is %v", v)
	}
}

// The old run stands behind the new one in every chart, second by second, however
// long either of them was.
func TestTheBaselineStandsBehindTheRun(t *testing.T) {
	for _, c := range []struct{ now, before int }{{20, 20}, {20, 12}, {12, 40}, {1300, 900}} {
		r, base := record(t, c.now, false), record(t, c.before, false)
		d := chartData(t, pageBeside(t, r, base.run))
		for _, p := range d.Panels {
			for _, s := range p.Series {
				if len(s.Base) != len(s.Values) {
					t.Fatalf("%d s beside %d s: %s %s has %d values of the baseline for %d of its own", c.now, c.before, p.ID, s.Name, len(s.Base), len(s.Values))
				}
			}
		}
		known := 0
		for _, v := range d.Panels[1].Series[0].Base {
			if v != nil {
				known++
			}
		}
		if most := int(math.Ceil(float64(min(c.now, c.before)) / d.Bin)); known < most-1 || known > most {
			t.Errorf("%d s beside %d s: %d points of the baseline, want about %d", c.now, c.before, known, most)
		}
		if n := len(d.Curves); n == 0 || !d.Curves[n-1].Base {
			t.Error("the percentile spectrum lacks the baseline")
		}
	}
	if d := chartData(t, page(t, record(t, 12, false))); d.Panels[0].Series[0].Base != nil {
		t.Error("a run without a baseline has one in its charts")
	}
}

// A run with a baseline shows how it differs from it; a settings text cannot be markup.
func TestPageShowsTheBaseline(t *testing.T) {
	r := record(t, 20, false)
	low, ratio, high, base, next := 1.4, 1.5, 1.6, 10.0, 15.0
	compared := &compare.Comparison{
		Base: []string{hostile}, New: []string{"run"}, Method: "bootstrap", MinEffect: 0.05, Differences: []string{hostile}, Word: compare.Regressed,
		Figures: []compare.Figure{
			{Metric: "response_time", Stat: "p95", Base: &base, New: &next, Ratio: &ratio, Low: &low, High: &high, Word: compare.Regressed},
			{Metric: "tasks db_query_duration", Stage: "peak", Stat: "p50", Base: &base, New: &base, Word: compare.OK},
		},
	}
	if got := page(t, r); strings.Contains(got, "Against the baseline") {
		t.Error("a run without a baseline shows one")
	}
	r.summary.Comparison = compared
	got := page(t, r)
	for _, want := range []string{"Against the baseline", "REGRESSED", "15ms", "&#43;50.0%", "all 2 figures"} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(got, hostile) {
		t.Error("text of the comparison is markup")
	}
}
