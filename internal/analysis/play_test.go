package analysis

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/sla"
)

// player makes the snapshots of a system's run.
type player struct {
	system
	rng     *rand.Rand
	wanders map[string]*wander
	series  map[string]*metrics.Series
	carry   float64
}

// play calls f with each second of the run.
func (y system) play(f func(*metrics.Snapshot)) {
	p := &player{system: y, rng: rand.New(rand.NewPCG(y.seed, 11)), wanders: map[string]*wander{}, series: map[string]*metrics.Series{}}
	end := 0.0
	for _, s := range y.stages {
		end = max(end, s.Start+s.Duration)
	}
	for i := 0; float64(i) < end; i++ {
		s := &metrics.Snapshot{Number: i, Start: time.Duration(i) * time.Second, End: time.Duration(i+1) * time.Second}
		s.At = time.Unix(int64(i), 0)
		at := float64(i) + 0.5
		for s.Stage < len(y.stages)-1 && at >= y.stages[s.Stage+1].Start {
			s.Stage++
		}
		p.second(s, at)
		if y.silent == nil || !y.silent(at) {
			f(s)
		}
	}
}

// noisy returns v with the noise of the series of that name.
func (p *player) noisy(name string, v float64) float64 {
	w := p.wanders[name]
	if w == nil {
		w = &wander{rng: p.rng, phi: p.phi}
		p.wanders[name] = w
	}
	return max(0, v*(1+p.noise*w.next()))
}

func (p *player) of(d metrics.Desc, t metrics.Tags) *metrics.Series {
	s := metrics.Series{Desc: d, Tags: t}
	if known := p.series[s.Key()]; known != nil {
		return known
	}
	p.series[s.Key()] = &s
	return &s
}

func (p *player) second(s *metrics.Snapshot, at float64) {
	stage := p.stages[s.Stage]
	rate := stage.From
	if stage.Duration > 0 {
		rate += (stage.To - stage.From) * (at - stage.Start) / stage.Duration
	}
	slow := or(p.slow, 5)(at)
	if u := stage.Users; u != nil { // who come back as soon as they are answered
		n := usersAt(&stage, at)
		rate = n / (slow/1e3 + u.Pause)
		s.Gauges = append(s.Gauges, metrics.GaugeValue{Series: p.of(metrics.Users, metrics.Tags{Stage: stage.Name}), Value: math.Round(n)})
	}
	p.carry += rate
	due := math.Floor(p.carry)
	p.carry -= due
	for i, name := range p.scenarios {
		part := int(due) / len(p.scenarios)
		if i == 0 {
			part += int(due) % len(p.scenarios)
		}
		p.arrivals(s, at, part, metrics.Tags{Scenario: name, Stage: stage.Name})
	}
	all := metrics.Tags{Stage: stage.Name}
	s.Gauges = append(s.Gauges, metrics.GaugeValue{Series: p.of(metrics.InFlight, all), Value: math.Round(rate * slow / 1e3)})
	for _, d := range sorted(p.gauges) {
		v := p.gauges[d](at)
		if !math.IsNaN(v) {
			s.Gauges = append(s.Gauges, metrics.GaugeValue{Series: p.of(d, all), Value: p.noisy(d.Name, v)})
		}
	}
	for _, d := range sorted(p.counters) {
		if n := int64(p.counters[d](at)); n != 0 {
			s.Counters = append(s.Counters, metrics.CounterValue{Series: p.of(d, all), Delta: n})
		}
	}
	for _, d := range sorted(p.trends) {
		if h := p.hist(int(due), p.noisy(d.Name, p.trends[d](at))); h.N > 0 {
			s.Trends = append(s.Trends, metrics.TrendValue{Series: p.of(d, all), Hist: h})
		}
	}
}

// usersAt is how many users a closed stage has.
func usersAt(s *rundir.StageInfo, at float64) float64 {
	return float64(s.Users.From) + float64(s.Users.To-s.Users.From)*(at-s.Start)/s.Duration
}

func sorted(m map[metrics.Desc]func(float64) float64) []metrics.Desc {
	var out []metrics.Desc
	for d := range m {
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b metrics.Desc) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func (p *player) arrivals(s *metrics.Snapshot, at float64, due int, t metrics.Tags) {
	var failed, dropped int
	for range due {
		switch r := p.rng.Float64(); {
		case r < or(p.failing, 0)(at):
			failed++
		case r < or(p.failing, 0)(at)+or(p.dropping, 0)(at):
			dropped++
		}
	}
	done := due - failed - dropped
	slow := p.noisy("response_time", or(p.slow, 5)(at))
	h := p.hist(done, slow)
	h.Censored = int64(dropped)
	s.Trends = append(s.Trends, metrics.TrendValue{Series: p.of(metrics.ResponseTime, t), Hist: h})
	count := func(d metrics.Desc, n int, outcome string) {
		if n > 0 {
			t := t
			t.Outcome = outcome
			s.Counters = append(s.Counters, metrics.CounterValue{Series: p.of(d, t), Delta: int64(n)})
		}
	}
	count(metrics.Arrivals, due, "")
	count(metrics.ArrivalsStarted, due-dropped, "")
	count(metrics.ArrivalsSucceeded, done, "")
	count(metrics.ArrivalsFailed, failed, "timeout")
	count(metrics.ArrivalsDropped, dropped, "queue_full")
}

// hist returns n times of the mean in milliseconds: a fixed part and an
// exponential one.
func (p *player) hist(n int, mean float64) *metrics.Hist {
	h := new(metrics.Hist)
	for range n {
		h.Record(int64(mean * 1e6 * (0.5 + 0.5*p.rng.ExpFloat64())))
	}
	return h
}

// judge judges the run by the rules of the system.
func (y system) judge(t testing.TB, run *rundir.Run) []sla.Result {
	t.Helper()
	plan := sla.Plan{Scenarios: y.scenarios, Metrics: metrics.Standard()}
	for _, s := range y.stages {
		plan.Stages = append(plan.Stages, sla.Stage{Name: s.Name, Class: s.Class, Judged: s.Judged,
			Duration: time.Duration(s.Duration * 1e9), Planned: s.Planned})
	}
	var rules []sla.Rule
	for _, name := range slices.Sorted(keys(y.rules)) {
		r, err := sla.ParseThreshold(y.rules[name])
		if err != nil {
			t.Fatal(err)
		}
		r.Name, r.PerStage = name, true
		rules = append(rules, r)
	}
	j, err := sla.NewJudge(plan, rules, nil)
	if err != nil {
		t.Fatal(err)
	}
	return j.Evaluate(run.Totals)
}

func keys(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}
