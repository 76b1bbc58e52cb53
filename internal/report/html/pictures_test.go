package html_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/states"
	"github.com/perfctl/perfctl/internal/summary"
)

// crowded is a run with what makes a page hard to read: long names, targets that are
// close to one another, checks, a reason why the generator is suspect.
func crowded(t *testing.T, seconds int) recorded {
	t.Helper()
	r := record(t, seconds, false)
	for i, ms := range []float64{9, 9.5, 10, 40, 42, 5000} {
		r.summary.SLA = append(r.summary.SLA, sla.Result{Rule: fmt.Sprintf("P95 of response_time{scenario:tasks,operation:number_%d}", i), Metric: "response_time", Target: fmt.Sprintf("P95 < %gms", ms),
			Threshold: fmt.Sprintf("response_time: p(95) < %gms", ms), TargetValue: &ms, Actual: "9ms", Status: sla.Passed, Severity: sla.Fail})
	}
	some, few := 0.5, 0.01
	r.summary.SLA = append(r.summary.SLA, sla.Result{Rule: "errors", Metric: "error_rate{scenario:tasks,operation:insert_into_the_table_of_tasks}", Target: "RATE < 1%",
		Threshold: "error_rate{scenario:tasks,operation:insert_into_the_table_of_tasks}: rate < 0.01", TargetValue: &few, Actual: "0%", Status: sla.Passed, Severity: sla.Fail})
	r.summary.SLA = append(r.summary.SLA, sla.Result{Rule: "hits", Metric: "cache_hit_ratio{scenario:tasks,stage:peak}", Target: "RATE > 50%", Threshold: "cache_hit_ratio{scenario:tasks}: rate > 0.5",
		TargetValue: &some, Actual: "40%", Status: sla.Failed, Severity: sla.Fail})
	r.summary.Checks = []summary.Check{{Name: "tasks: tasks_lost", Detail: "0 of 7577 confirmed tasks were never processed", Passed: true}, {Name: "tasks: tasks_duplicated", Detail: "2 of 7577"}}
	r.summary.Generator.Status, r.summary.Generator.Reasons = states.GeneratorSuspect, []string{"the machine is too busy"}
	return r
}

// overlap lists the pairs of elements of a selection that are drawn over one another.
const overlap = `(sel => { const out = [];
	for (const figure of document.querySelectorAll('figure.chart')) {
		const all = [...figure.querySelectorAll(sel)].map(e => [e.textContent, e.getBoundingClientRect()]);
		all.forEach(([a, x], i) => all.slice(i + 1).forEach(([b, y]) => { if (x.left < y.right - 1 && y.left < x.right - 1 && x.top < y.bottom - 3 && y.top < x.bottom - 3) out.push(a + ' over ' + b); }));
	}
	return out; })`

// cut lists what reaches beyond the window or out of the box that holds it.
const cut = `[...document.querySelectorAll('header *, main *')].filter(e => e.getClientRects().length && !e.closest('.scroll, svg, .skip') && e.getBoundingClientRect().right > innerWidth + .5)
	.map(e => e.tagName + ' ' + e.textContent.slice(0, 60))`

// What is written can be read at any width: nothing is cut, and nothing is written over
// anything else.
func TestNothingIsCutOrWrittenOver(t *testing.T) {
	w := open(t)
	crowd, many := show(t, crowded(t, 30)), show(t, recordMany(t))
	for _, of := range []struct {
		width int64
		at    string
	}{{1440, crowd}, {820, crowd}, {390, crowd}, {390, many}} {
		w.do(chromedp.EmulateViewport(of.width, 900), chromedp.Navigate(of.at))
		eval[bool](w, `(document.querySelectorAll('details').forEach(d => d.open = true), true)`)
		for what, list := range map[string]string{
			"cut":                         cut,
			"a target away from its name": `[...document.querySelectorAll('figure.chart')].flatMap(f => [...f.querySelectorAll('line.limit')].filter((l, i) => Math.abs((f.querySelectorAll('text.limit-name')[i]?.getAttribute('y') ?? -99) - l.getAttribute('y1')) > 13).map(l => f.dataset.panel))`,
			"names of targets":            overlap + `('text.limit-name')`,
			"ticks":                       overlap + `('text:not(.limit-name):not(.stage-name)')`,
			"a mark over its own row":     `[...document.querySelectorAll('td.mark')].filter(m => { const a = m.getBoundingClientRect(), r = document.createRange(); r.selectNodeContents(m.nextElementSibling); const b = r.getBoundingClientRect(); const label = parseFloat(getComputedStyle(m.parentElement).paddingLeft) + 1; return a.width && b.left < a.left + 8 && label < 8; }).map(m => m.parentElement.textContent)`,
		} {
			if got := eval[[]string](w, list); len(got) > 0 {
				t.Errorf("at %d px, %s: %q", of.width, what, got)
			}
		}
	}
	w.quiet()
}

// A run with users shows how many there were to be and how many there were.
func TestUsersHaveAChart(t *testing.T) {
	r := recordUsers(t)
	text := page(t, r)
	d := chartData(t, text)
	for _, p := range d.Panels {
		if p.ID != "gauge-users" {
			continue
		}
		if len(p.Series) != 2 || p.Series[0].Name != "wanted" || *p.Series[0].Values[0] != 1 || *p.Series[0].Values[9] != 19 || *p.Series[1].Values[5] != 8 {
			t.Errorf("the chart of users is %+v", p)
		}
		if !strings.Contains(text, `data-panels="load gauge-users`) || !strings.Contains(text, "20 users") {
			t.Error("the users are not on the first screen")
		}
		return
	}
	t.Error("a run with users has no chart of them")
}

// recordUsers is a run of ten seconds that goes from 0 to 20 users.
func recordUsers(t *testing.T) recorded {
	t.Helper()
	info := rundir.RunInfo{ID: "u", Profile: "p", Shards: 1, Stages: []rundir.StageInfo{{Name: "ramp", Judged: true, Duration: 10, Users: &rundir.UsersInfo{To: 20}}}}
	dir := filepath.Join(t.TempDir(), "run")
	w, err := rundir.Create(dir, info, nil)
	if err != nil {
		t.Fatal(err)
	}
	there := &metrics.Series{Desc: metrics.Users}
	for i := range 10 {
		w.Snapshot(&metrics.Snapshot{Number: i, Start: time.Duration(i) * time.Second, End: time.Duration(i+1) * time.Second, Last: i == 9,
			Gauges: []metrics.GaugeValue{{Series: there, Value: float64(i + 3)}}})
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := rundir.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return recorded{run: r, summary: summary.Summarise(r, summary.Inputs{})}
}

// A percentile has one colour in all charts, whichever others are told beside it.
func TestAPercentileHasOneColour(t *testing.T) {
	r := recordMany(t) // in one of whose charts the 95th and the 99th cannot be told
	w := open(t)
	w.do(chromedp.EmulateViewport(1440, 900), chromedp.Navigate(show(t, r)))
	got := eval[[]string](w, `[...new Set([...document.querySelectorAll('[data-panel] .legend button')].filter(b => b.textContent.startsWith('max')).map(b => b.querySelector('i').className))]`)
	if !slices.Equal(got, []string{"s3"}) {
		t.Errorf("the maximum has the colours %q", got)
	}
}
