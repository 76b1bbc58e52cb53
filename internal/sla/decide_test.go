package sla

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/stats"
)

// judged evaluates one threshold over response times and returns its result.
func judged(t *testing.T, o Options, threshold string, own bool, times ...time.Duration) Result {
	t.Helper()
	plan := testPlan()
	plan.Options = o
	r := rule(t, threshold, nil)
	table, thresholds := []Rule{r}, []Rule(nil)
	if own {
		table, thresholds = nil, table
	}
	j, err := NewJudge(plan, table, thresholds)
	if err != nil {
		t.Fatal(err)
	}
	tot := metrics.NewTotals()
	h := new(metrics.Hist)
	for _, d := range times {
		h.Record(int64(d))
	}
	tags := metrics.Tags{Scenario: "cache", Stage: "steady"}
	tot.AddTrend(&metrics.Series{Desc: metrics.ResponseTime, Tags: tags}, h)
	for _, d := range []metrics.Desc{metrics.Arrivals, metrics.ArrivalsSucceeded} {
		tot.AddCounter(&metrics.Series{Desc: d, Tags: tags}, int64(len(times)))
	}
	for _, res := range j.Evaluate(tot) {
		if res.Rule == r.Name {
			return res
		}
	}
	t.Fatal("no result")
	return Result{}
}

func repeated(n int, d time.Duration) []time.Duration {
	out := make([]time.Duration, n)
	for i := range out {
		out[i] = d
	}
	return out
}

func TestFewSamplesDecideWhatTheyCan(t *testing.T) {
	for _, c := range []struct {
		threshold string
		n         int
		d         time.Duration
		want      Status
		actual    string
	}{
		{"response_time: p(95)<1ns", 12, time.Millisecond, Failed, "1ms"},
		{"response_time: p(95)<1s", 12, time.Millisecond, Undecided, "12 of 72 samples"},
		{"response_time: p(95)<1s", 71, time.Millisecond, Undecided, "71 of 72 samples"},
		{"response_time: p(95)<1s", 72, time.Millisecond, Passed, "1ms"},
		{"response_time: p(99)<1s", 367, time.Millisecond, Undecided, "367 of 368 samples"},
		{"response_time: p(99)<1s", 368, time.Millisecond, Passed, "1ms"},
		{"response_time: med<1s", 5, time.Millisecond, Undecided, "5 of 6 samples"},
		{"response_time: med<1s", 6, time.Millisecond, Passed, "1ms"},
		{"response_time: p(95)>1ns", 12, time.Millisecond, Passed, "1ms"},
		{"response_time: p(95)>1s", 12, time.Millisecond, Undecided, "12 of 72 samples"},
		{"response_time: p(95)<1ns", 1, time.Millisecond, Undecided, "1 of 72 samples"},
		{"response_time: max<1s", 1, time.Millisecond, Passed, "1ms"},
		{"response_time: avg<1s", 1, time.Millisecond, Passed, "1ms"},
	} {
		for _, own := range []bool{false, true} {
			got := judged(t, Options{}, c.threshold, own, repeated(c.n, c.d)...)
			if got.Status != c.want || got.Actual != c.actual {
				t.Errorf("%s of %d: %s %q, want %s %q", c.threshold, c.n, got.Status, got.Actual, c.want, c.actual)
			}
			// A built-in rule that a short run cannot decide is no breach, the user's own is.
			if want := c.want == Failed || c.want == Undecided && own; got.Breaches() != want {
				t.Errorf("%s of %d, own %v: breaches %v", c.threshold, c.n, own, got.Breaches())
			}
			if judged(t, Options{AllowUndecided: true}, c.threshold, own, repeated(c.n, c.d)...).Breaches() != (c.want == Failed) {
				t.Errorf("%s of %d, own %v: undecided was allowed, and breaches", c.threshold, c.n, own)
			}
		}
	}
}

func TestNearTheTargetTheUncertaintyIsSaid(t *testing.T) {
	times := repeated(930, 400*time.Millisecond)
	for i := range 70 { // the 95th percentile is that of i = 20
		times = append(times, time.Duration(477+i)*time.Millisecond)
	}
	got := judged(t, Options{}, "response_time: p(95)<500ms", true, times...)
	if got.Status != Passed || !got.Near || got.Breaches() {
		t.Errorf("the figure decides: %+v", got)
	}
	if got.Actual != "496ms (482 to 510)" || *got.Low > 484 || *got.High < 510 {
		t.Errorf("%q, %g to %g", got.Actual, *got.Low, *got.High)
	}
	if got := judged(t, Options{}, "response_time: p(95)<490ms", true, times...); got.Status != Failed || !got.Near {
		t.Errorf("the figure decides: %+v", got)
	}
	if got := judged(t, Options{}, "response_time: p(95)<520ms", true, times...); got.Status != Passed || got.Near || got.Actual != "496ms" {
		t.Errorf("far from the limits: %+v", got)
	}
	for _, own := range []bool{false, true} {
		got = judged(t, Options{Confidence: 0.95}, "response_time: p(95)<500ms", own, times...)
		if got.Status != Undecided || !got.Breaches() || got.Actual != "496ms (482 to 510)" {
			t.Errorf("a confidence was asked for: %+v", got)
		}
	}
	if got := judged(t, Options{Confidence: 0.95, AllowUndecided: true}, "response_time: p(95)<500ms", true, times...); got.Breaches() {
		t.Errorf("undecided was allowed: %+v", got)
	}
}

// TestVerdictsErrAsOftenAsTheBinomialSays draws runs from a distribution whose 95th
// percentile is the target, or a little beside it, and counts words. Each count is
// binomial with a probability that is known in closed form.
func TestVerdictsErrAsOftenAsTheBinomialSays(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 11))
	const runs, q, alpha = 250, 0.95, 0.025
	for _, n := range []int64{12, 71, 72, 150} {
		for _, share := range []float64{0.02, 0.05, 0.12, 0.4} { // of values above the target
			for _, confidence := range []float64{0, 0.95} {
				o := Options{Confidence: confidence}
				got := map[Status]float64{}
				for range runs {
					times := make([]time.Duration, n)
					for i := range times {
						// Exponential, 1 s at the share.
						times[i] = time.Duration(math.Log(rng.Float64()) / math.Log(share) * 1e9)
					}
					got[judged(t, o, "response_time: p(95)<1s", true, times...).Status]++
				}
				// above is the number of values above the target, Bin(n, share).
				atMost := func(k int64) float64 { return stats.BinomialAtMost(n, k, share) }
				low, high := stats.QuantileRanks(n, q, alpha)
				rank := metrics.QuantileRank(n, q)
				want := map[Status]float64{}
				if n >= 72 && confidence == 0 {
					want[Passed] = atMost(n - rank)
				} else {
					low, high = max(low, 0), min(high, n+1)
					want[Passed] = atMost(n - high)
					want[Undecided] = atMost(n-low) - atMost(n-high)
				}
				want[Failed] = 1 - want[Passed] - want[Undecided]
				for s, p := range want {
					if sd := math.Sqrt(p * (1 - p) / runs); math.Abs(got[s]/runs-p) > 4.5*sd+0.004 {
						t.Errorf("n %d, %g above, confidence %g: %s in %.3f of the runs, the binomial says %.3f", n, share, confidence, s, got[s]/runs, p)
					}
				}
				if n < 72 && share == 0.05 && got[Failed]/runs > alpha+0.03 {
					t.Errorf("n %d: fails at the target in %.3f of the runs", n, got[Failed]/runs)
				}
			}
		}
	}
}

func TestAchievedCountsWhatSucceeded(t *testing.T) {
	plan := testPlan()
	plan.Stages = append(plan.Stages, Stage{Name: "burst", Class: "spike", Judged: true, Duration: 10 * time.Second, Planned: 1000})
	j, err := NewJudge(plan, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	tot := metrics.NewTotals()
	add := func(stage, outcome string, d metrics.Desc, n int64) {
		tot.AddCounter(&metrics.Series{Desc: d, Tags: metrics.Tags{Scenario: "cache", Stage: stage, Outcome: outcome}}, n)
	}
	add("steady", "", metrics.Arrivals, 1000)
	add("steady", "refused", metrics.ArrivalsFailed, 1000)
	add("peak", "", metrics.Arrivals, 20000)
	add("peak", "", metrics.ArrivalsSucceeded, 18000)
	add("peak", "queue_full", metrics.ArrivalsDropped, 1500)
	add("peak", "too_late", metrics.ArrivalsDropped, 300)
	add("peak", "generator_late", metrics.ArrivalsDropped, 200)
	add("burst", "", metrics.Arrivals, 1000)
	add("burst", "", metrics.ArrivalsSucceeded, 960)
	add("burst", "timeout", metrics.ArrivalsFailed, 40)
	var got []string
	for _, r := range j.Evaluate(tot) {
		got = append(got, strings.Join([]string{r.Stage, r.Target, r.Actual, string(r.Status)}, "|"))
	}
	want := []string{
		"steady|RATE >= 99%|0%|fail",
		"peak|RATE >= 99%|90%, 9% held back by -u|fail",
		"burst|RATE >= 95%|96%|pass", // the guide lets 5 % of a spike fail
		"|RATE >= 99%|85.7%, 8.57% held back by -u|fail",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestNamesOfK6AreUnderstood(t *testing.T) {
	plan := testPlan()
	plan.Metrics = append(plan.Metrics, metrics.Desc{Name: "http_req_duration", Kind: metrics.KindTrend, Unit: metrics.UnitTime},
		metrics.Desc{Name: "flow_step_duration", Kind: metrics.KindTrend, Unit: metrics.UnitTime})
	for text, want := range map[string]string{
		"http_req_failed: rate<0.01":                                        "error_rate",
		"iterations: rate>100":                                              "arrivals_succeeded",
		"iteration_duration: p(95)<500":                                     "response_time",
		"dropped_iterations: count==0":                                      "arrivals_dropped",
		"vus: max<100":                                                      "arrivals_in_flight",
		"http_req_duration{expected_response:true}: p(95)<9":                "http_req_duration",
		"group_duration{group:::login}: p(95)<9":                            "flow_step_duration{group:login}",
		"http_req_duration{scenario:cache,expected_response:true}: p(95)<9": "http_req_duration{scenario:cache}",
		"http_req_duration{expected_response:true,scenario:cache}: p(95)<9": "http_req_duration{scenario:cache}",
	} {
		j, err := NewJudge(plan, nil, []Rule{rule(t, text, nil)})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		res := j.Evaluate(metrics.NewTotals())
		if got := res[len(res)-1]; got.Metric != want || got.Rule != text {
			t.Errorf("%s: judges %s as %s", text, got.Metric, got.Rule)
		}
	}
	for text, want := range map[string]string{
		"vus_max: value<5": "arrivals_in_flight: max",
		"http_req_duration{expected_response:false}: p(95)<1s": "failure_time",
		"group_duration: p(95)<1s":                             "flow_step_duration, which this run does not record",
	} {
		r, err := ParseThreshold(text)
		if err == nil {
			_, err = NewJudge(testPlan(), nil, []Rule{r})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// seconds feeds a judge with one second for each time: a hundred arrivals that took
// so long, 0 for a second in which all of them failed.
func seconds(j *Judge, stage int, times ...time.Duration) {
	tags := metrics.Tags{Scenario: "cache", Stage: j.plan.Stages[stage].Name}
	trend := &metrics.Series{Desc: metrics.ResponseTime, Tags: tags}
	due, failed := &metrics.Series{Desc: metrics.Arrivals, Tags: tags}, &metrics.Series{Desc: metrics.ArrivalsFailed, Tags: tags}
	for i, d := range times {
		at := time.Duration(i) * time.Second
		h := new(metrics.Hist)
		s := metrics.Snapshot{Number: i, Stage: stage, Start: at, End: at + time.Second}
		s.Counters = []metrics.CounterValue{{Series: due, Delta: 100}}
		if d > 0 {
			h.RecordN(int64(d), 100)
			s.Trends = []metrics.TrendValue{{Series: trend, Hist: h}}
		} else {
			s.Counters = append(s.Counters, metrics.CounterValue{Series: failed, Delta: 100})
		}
		j.Second(&s)
	}
}

func TestEveryWindowOfARuleMustHold(t *testing.T) {
	const ms = time.Millisecond
	quick, slow := 20*ms, 800*ms
	cold := []time.Duration{slow, slow, slow, quick, quick, quick, quick, quick, quick, quick, slow, quick}
	for _, c := range []struct {
		threshold string
		stage     int
		want      Status
		actual    string
	}{
		{"response_time: p(95)<500ms over 3s", 1, Failed, "800ms at 3s"},
		{"response_time: p(95)<500ms over 3s after 4s", 1, Failed, "800ms at 11s"},
		{"response_time: p(60)<500ms over 4s after 3s", 1, Passed, "20.0ms at 11s"},
		{"response_time: p(95)<500ms over 30s", 1, Undecided, "no window of 30s"},
		{"response_time: p(99)<1s over 2s", 1, Undecided, "fewer than 368 in 2s"},
		{"response_time: max<1s over 2s", 1, Passed, "800ms at 2s"},
		{"response_time: p(95)<500ms over 3s", 0, Undecided, "no window of 3s"}, // not judged
		{"response_time{stage:warm-up}: max<500ms over 3s", 0, Failed, "800ms at 3s"},
		{"arrivals: rate>=100 over 5s", 1, Passed, "100/s at 5s"},
		{"arrivals: rate>100 over 5s", 1, Failed, "100/s at 5s"},
		{"error_rate: rate<1% over 1s", 1, Passed, "0% at 1s"},
	} {
		j, err := NewJudge(testPlan(), nil, []Rule{rule(t, c.threshold, nil)})
		if err != nil {
			t.Fatal(err)
		}
		seconds(j, c.stage, cold...)
		all := j.Evaluate(metrics.NewTotals())
		got := all[len(all)-1]
		if got.Status != c.want || got.Actual != c.actual {
			t.Errorf("%s: %s %q, want %s %q", c.threshold, got.Status, got.Actual, c.want, c.actual)
		}
		if b := j.Breached(metrics.NewTotals(), 12*time.Second); (b != nil) != (c.want == Failed) {
			t.Errorf("%s: ends the run: %v", c.threshold, b)
		}
	}
	for text, want := range map[string]string{
		"response_time: p(95)<1s over":             "behind over",
		"response_time: p(95)<1s over 3":           `"3" behind over: want a time of 1s or more`,
		"response_time: p(95)<1s over 100ms":       "1s or more",
		"response_time: p(95)<1s after x":          "behind after",
		"response_time: p(95)<1s after 1s over 3s": "is too much",
		"recovery_time: <1s over 3s":               "has no window",
	} {
		if _, err := ParseThreshold(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	r := rule(t, "throughput: value>50 over 3s", nil)
	if _, err := NewJudge(testPlan(), nil, []Rule{r}); err == nil || !strings.Contains(err.Error(), "arrivals_succeeded: rate > 50/s over 3s") {
		t.Errorf("a throughput with a window: %v", err)
	}
}

// TestWhatEndsARunCouldNotHaveBeenWonBack plays runs to their end, in any order of
// their arrivals: a rule that ended one was missed at the end, too.
func TestWhatEndsARunCouldNotHaveBeenWonBack(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	checks := metrics.Desc{Name: "checks", Kind: metrics.KindRate, Unit: metrics.UnitRatio}
	thresholds := []string{
		"response_time: p(95)<500ms", "response_time: p(50)>=500ms", "response_time: med<=500ms", "response_time: avg<300ms", "response_time: min>10ms",
		"error_rate: rate<10%", "error_rate: rate>60%", "achieved_ratio: rate>=90%", "checks: rate>0.9", "checks: rate<=0.5",
		"arrivals_succeeded: count>180", "arrivals_succeeded: rate>18", "arrivals_failed: count<10", "throughput: value>18/s", "response_time: count<150",
	}
	ended := map[string]int{}
	for range 150 {
		var rules []Rule
		for _, text := range thresholds {
			rules = append(rules, rule(t, text, nil))
		}
		plan := Plan{Stages: []Stage{{Name: "steady", Judged: true, Duration: 10 * time.Second, Planned: 200}},
			Metrics: append(metrics.Standard(), checks), Scenarios: []string{"cache"}}
		slow, fails, passes := rng.Float64()*0.2, 0.8*rng.Float64()*rng.Float64(), rng.Float64()
		tot := metrics.NewTotals()
		tags := metrics.Tags{Scenario: "cache", Stage: "steady"}
		series := func(d metrics.Desc) *metrics.Series { return &metrics.Series{Desc: d, Tags: tags} }
		first := map[string]string{}
		for k := range 200 {
			tot.AddCounter(series(metrics.Arrivals), 1)
			h := new(metrics.Hist)
			switch {
			case rng.Float64() < fails:
				tot.AddCounter(series(metrics.ArrivalsFailed), 1)
				h.Censored = 1
			case rng.Float64() < slow:
				tot.AddCounter(series(metrics.ArrivalsSucceeded), 1)
				h.Record(int64(900 * time.Millisecond))
			default:
				tot.AddCounter(series(metrics.ArrivalsSucceeded), 1)
				h.Record(int64(rng.IntN(400)) * 1e6)
			}
			tot.AddTrend(series(metrics.ResponseTime), h)
			for range 2 {
				hit := int64(0)
				if rng.Float64() < passes {
					hit = 1
				}
				tot.AddRate(series(checks), hit, 1)
			}
			if k%20 != 0 {
				continue
			}
			for _, r := range rules {
				j, err := NewJudge(plan, nil, []Rule{r})
				if err != nil {
					t.Fatal(err)
				}
				for _, i := range j.items() {
					if because := j.lost(tot, i); because != "" && i.rule.Name == r.Name && first[r.Name] == "" {
						first[r.Name] = fmt.Sprintf("after %d: %s", k+1, because)
					}
				}
			}
		}
		j, err := NewJudge(plan, nil, rules)
		if err != nil {
			t.Fatal(err)
		}
		for _, res := range j.Evaluate(tot) {
			if because := first[res.Rule]; because != "" {
				ended[res.Rule]++
				if res.Status != Failed {
					t.Errorf("%s: ended %s, and came to %s %s", res.Rule, because, res.Status, res.Actual)
				}
			}
		}
	}
	for _, text := range thresholds {
		if ended[text] == 0 {
			t.Errorf("%s never ended a run", text)
		}
	}
}

func TestWhatUsersWillDoIsNotPlanned(t *testing.T) {
	plan := Plan{Stages: []Stage{{Name: "steady", Judged: true, Duration: 10 * time.Second, OpenEnded: true}},
		Metrics: metrics.Standard(), Scenarios: []string{"cache"}}
	tot := totals(recorded{"steady", 500, 5, time.Second})
	for text, ends := range map[string]bool{
		"response_time: p(95)<500ms": false, "error_rate: rate<1%": false, "arrivals: count>10000": false, "throughput: value>1000/s": false,
		"arrivals_dropped: count==0": true, "response_time: max<500ms": true,
	} {
		j, err := NewJudge(plan, nil, []Rule{rule(t, text, nil)})
		if err != nil {
			t.Fatal(err)
		}
		if b := j.Breached(tot, time.Second); (b != nil) != ends {
			t.Errorf("%s: %v", text, b)
		}
	}
	j, err := NewJudge(plan, nil, []Rule{rule(t, "throughput: value>1000/s", nil), rule(t, "response_time: max<5s", nil)})
	if err != nil {
		t.Fatal(err)
	}
	if res := j.Evaluate(tot)[1]; res.Status != Failed {
		t.Errorf("a throughput that users did not reach: %+v", res)
	}
	if res := j.Evaluate(metrics.NewTotals())[2]; res.Status != NoData {
		t.Errorf("users that nobody saw: %+v", res)
	}
}

func TestAStageWhoseUsersWereNotBackIsNotExercised(t *testing.T) {
	plan := Plan{Stages: []Stage{
		{Name: "up", Judged: true, Duration: 2 * time.Second, OpenEnded: true}, {Name: "down", Judged: true, Duration: time.Second, OpenEnded: true},
	}, Metrics: metrics.Standard(), Scenarios: []string{"cache"}}
	j, err := NewJudge(plan, nil, []Rule{rule(t, "response_time{stage:down}: p(95)<500ms", nil)})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]Status{}
	for _, res := range j.Evaluate(totals(recorded{"up", 4, 0, time.Millisecond})) {
		seen[res.Rule+" in "+res.Stage] = res.Status
		if res.Stage == "down" && res.Status != NotExercised && res.Status != Undecided {
			t.Errorf("all four users were still at what they began on the way up, and %s is %s: %s", res.Rule, res.Status, res.Actual)
		}
	}
	if len(seen) < 3 {
		t.Fatalf("judged: %v", seen)
	}
}
