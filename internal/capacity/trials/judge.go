package trials

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/perfctl/perfctl/internal/capacity"
	"github.com/perfctl/perfctl/internal/engine"
	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/states"
	"github.com/perfctl/perfctl/internal/summary"
)

// backlogWatch reads the backlog of a trial: arrivals that were due and are
// not done, and what waits in the broker's queue.
type backlogWatch struct {
	rate     float64
	users    bool    // rate is a number of users, until the trial tells what came of them
	from, to float64 // the judged window, seconds since the start
	bound    int
	shares   []run.Share

	mu      sync.Mutex
	samples []capacity.Sample
	flying  []capacity.Sample // arrivals at the target
	waited  int               // the most that waited for a worker

	// Of a trial that goes on elsewhere: what there was so far.
	due, started, dropped, done int64
}

func newBacklogWatch(a capacity.Ask, users bool, bound int, shares []run.Share) *backlogWatch {
	from := warmUp(a.Length).Seconds()
	return &backlogWatch{rate: a.Rate, users: users, from: from, to: from + a.Length.Seconds(), bound: bound, shares: shares}
}

// observeEvery is how often the backlog is read: often enough for a mean of what
// is in flight.
const observeEvery = 25 * time.Millisecond

func (o *backlogWatch) run(ctx context.Context, e *engine.Engine) {
	tick := time.NewTicker(observeEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			o.sample(e.Elapsed(), e.Progress())
		}
	}
}

func (o *backlogWatch) sample(at time.Duration, p engine.Progress) {
	s := at.Seconds()
	if s < o.from || s > o.to {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.samples = append(o.samples, capacity.Sample{At: s, Backlog: float64(p.InFlight + p.Queued)})
	o.flying = append(o.flying, capacity.Sample{At: s, Backlog: float64(p.InFlight)})
	o.waited = max(o.waited, p.Queued)
}

// judge says what a trial came to.
func (o *backlogWatch) judge(t *capacity.Trial, sum *summary.Summary, m *run.Measurement) {
	t.CutShort = m.Aborted != nil
	t.Dead = sum.Arrivals.Planned > 0 && sum.Arrivals.Succeeded == 0
	t.Breaches, t.Reasons = []capacity.Breach{}, sum.Generator.Reasons
	if o.users {
		n, _ := m.Totals.Counter(metrics.Selector{Name: metrics.Arrivals.Name, Tags: metrics.Tags{Stage: trialStage}})
		o.rate = float64(n) / (o.to - o.from)
	}
	to := o.to
	if t.CutShort {
		to = min(to, m.Outcome.Length.Seconds())
	}
	backlog, _ := capacity.MeasureBacklog(o.samples, o.from, to)
	queue, _ := capacity.MeasureBacklog(o.queueLength(m.Totals), o.from, to)
	o.load(t, m.Totals, to, backlog, queue)

	o.rules(t, sum, m)
	if !t.CutShort && !o.users && !backlog.Sustained(o.rate*(to-o.from)) {
		o.grows(t, o.worst(metrics.ResponseTime.Name, m.Totals), "arrivals due and not done", backlog.Growth, to)
	}
	if !t.CutShort && !queue.Sustained(o.rate*(to-o.from)) {
		o.grows(t, o.worst(backlogName(m.Totals), m.Totals), "tasks in the queue", queue.Growth, to)
	}
	for _, c := range sum.Checks {
		if !c.Passed {
			t.Breaches = append(t.Breaches, capacity.Breach{Rule: "Consistency", Metric: c.Name, Target: "consistent", Actual: c.Name + ": " + c.Detail})
		}
	}
	t.Outcome = capacity.Held
	if len(t.Breaches) > 0 {
		t.Outcome = capacity.Broke
	}
	if t.Outcome == capacity.Broke && m.Usage.Exhausted() {
		t.Outcome = capacity.Invalid
		t.Reasons = append([]string{fmt.Sprintf("%s, while the machine's CPU was used up, %s of it by the generator",
			t.Breaches[0], figure.Share(m.Usage.MachineShare))}, t.Reasons...)
	}
	if sum.Generator.Status == states.GeneratorInvalid {
		t.Outcome = capacity.Invalid
	}
	if t.Outcome == capacity.Invalid {
		t.Breaches = []capacity.Breach{}
	}
	if t.Outcome == capacity.Broke {
		o.resources(t, sum)
	}
}

func (o *backlogWatch) grows(t *capacity.Trial, scenario, what string, growth, to float64) {
	t.Breaches = append(t.Breaches, capacity.Breach{
		Rule: capacity.KeepingUp, Metric: what,
		Target: "< " + figure.Value(capacity.Unsustained*o.rate, metrics.UnitPerSec),
		Actual: figure.Value(growth/(to-o.from), metrics.UnitPerSec), Scenario: scenario,
	})
}

// load gathers what the trial measured. What waits in the broker's queue is in
// flight too, and not done.
func (o *backlogWatch) load(t *capacity.Trial, totals *metrics.Totals, to float64, b, queue capacity.Backlog) {
	at := metrics.Tags{Stage: trialStage}
	count := func(d metrics.Desc) float64 {
		n, _ := totals.Counter(metrics.Selector{Name: d.Name, Tags: at})
		return float64(n)
	}
	due := count(metrics.Arrivals)
	lost := count(metrics.ArrivalsFailed) + count(metrics.ArrivalsDropped) + count(metrics.ArrivalsUnfinished)
	if due > 0 {
		t.Load.ErrorRate = lost / due
	}
	if span := to - o.from; span > 0 {
		t.Load.Achieved = max(due-b.Growth-queue.Growth, 0) / span * (1 - t.Load.ErrorRate)
	}
	if f, ok := capacity.MeasureBacklog(o.flying, o.from, to); ok {
		t.Load.Concurrency = f.Mean + queue.Mean
	}
	if h := totals.Trend(metrics.Selector{Role: metrics.RoleDone, Tags: at}); h != nil && h.N >= 20 {
		v, _, _ := h.Quantile(0.95)
		ms := float64(v) / 1e6
		t.Load.Task = &ms
	}
	h := totals.Trend(metrics.Selector{Name: metrics.ResponseTime.Name, Tags: at})
	if h == nil || h.N == 0 {
		return
	}
	mean := h.Mean() / 1e6
	t.Load.Mean = &mean
	t.Load.AtLeast = h.Censored > 0
	for q, p := range map[float64]**float64{0.5: &t.Load.P50, 0.95: &t.Load.P95, 0.99: &t.Load.P99} {
		if v, _, ok := h.Quantile(q); ok && float64(h.N+h.Censored)*(1-q) >= 1-1e-9 {
			ms := float64(v) / 1e6
			*p = &ms
		}
	}
}

// rules adds the SLA rules that were broken, first the one that ended the trial.
func (o *backlogWatch) rules(t *capacity.Trial, sum *summary.Summary, m *run.Measurement) {
	for _, r := range sum.SLA {
		// What a trial is too short to decide does not break it.
		if !r.Breaches() || r.Status == sla.Undecided || slices.ContainsFunc(t.Breaches, func(b capacity.Breach) bool { return b.Rule == r.Rule }) {
			continue
		}
		b := o.breach(r.Rule, r.Metric, r.Target, r.Actual, m.Totals)
		if m.Aborted != nil && m.Aborted.Rule == r.Rule {
			t.Breaches = slices.Insert(t.Breaches, 0, b)
			continue
		}
		t.Breaches = append(t.Breaches, b)
	}
	if a := m.Aborted; len(t.Breaches) == 0 && a != nil {
		t.Breaches = append(t.Breaches, o.breach(a.Rule, a.Metric, a.Target, a.Actual, m.Totals))
	}
}

func (o *backlogWatch) breach(rule, metric, target, actual string, totals *metrics.Totals) capacity.Breach {
	return capacity.Breach{Rule: rule, Metric: metric, Target: target, Actual: actual, Scenario: o.worst(metric, totals)}
}

// resources adds what was over its target, without breaking the SLA by itself,
// while the trial broke it: what may have been exhausted.
func (o *backlogWatch) resources(t *capacity.Trial, sum *summary.Summary) {
	for _, r := range sum.SLA {
		name := picked(r.Metric).Name
		if r.Status == sla.Warned && name != metrics.ResponseTime.Name && name != sla.ErrorRate {
			t.Breaches = append(t.Breaches, capacity.Breach{Rule: r.Rule, Metric: r.Metric, Target: r.Target, Actual: r.Actual, Warning: true})
		}
	}
	if o.waited > 0 {
		t.Breaches = append(t.Breaches, capacity.Breach{
			Rule: "the bound on arrivals in flight (-u)", Metric: metrics.InFlight.Name, Warning: true,
			Target: "none waits", Actual: fmt.Sprintf("%d, and up to %d arrivals waited", o.bound, o.waited),
		})
	}
}

// picked is what a rule's metric picks: its name and its tags.
func picked(metric string) metrics.Series {
	if s, ok := metrics.ParseKey(metric); ok {
		return s
	}
	return metrics.Series{Desc: metrics.Desc{Name: metric}} // an answer's, as drift(memory)
}

// worst names the scenario that a figure is about: the one that the rule names,
// the only one that has the metric, or in a mix the one that is furthest off. It
// is empty where there is only one scenario.
func (o *backlogWatch) worst(metric string, totals *metrics.Totals) (name string) {
	if len(o.shares) < 2 {
		return ""
	}
	of, owners := picked(metric), 0
	for _, d := range o.shares {
		if d.Name == of.Scenario {
			return d.Name
		}
		if slices.Contains(d.Metrics, of.Name) {
			owners, name = owners+1, d.Name
		}
	}
	if owners > 0 {
		if owners > 1 {
			name = ""
		}
		return name
	}
	worst := math.Inf(-1)
	for _, d := range o.shares {
		if v := badness(of.Name, metrics.Tags{Scenario: d.Name, Stage: trialStage}, totals); v > worst {
			worst, name = v, d.Name
		}
	}
	return name
}

// badness is how bad a scenario's part of a figure of the mix is; -Inf where it
// has none.
func badness(metric string, tags metrics.Tags, totals *metrics.Totals) float64 {
	switch metric {
	case metrics.ResponseTime.Name:
		h := totals.Trend(metrics.Selector{Name: metric, Tags: tags})
		if h == nil {
			break
		}
		v, atLeast, ok := h.Quantile(0.95)
		switch {
		case !ok:
		case atLeast:
			return math.MaxFloat64
		default:
			return float64(v)
		}
	case sla.ErrorRate, sla.AchievedRatio:
		due, _ := totals.Counter(metrics.Selector{Name: metrics.Arrivals.Name, Tags: tags})
		done, _ := totals.Counter(metrics.Selector{Name: metrics.ArrivalsSucceeded.Name, Tags: tags})
		if due > 0 {
			return 1 - float64(done)/float64(due)
		}
	}
	return math.Inf(-1)
}

// backlogName is the name of the gauge of what waits to be done after its arrival was.
func backlogName(totals *metrics.Totals) string {
	for _, t := range totals.Select(metrics.Selector{Role: metrics.RoleBacklog}) {
		return t.Series.Name
	}
	return ""
}

// queueLength returns the readings of the broker's queue in the trial's stage,
// which are a second apart.
func (o *backlogWatch) queueLength(totals *metrics.Totals) []capacity.Sample {
	values := totals.Gauge(metrics.Selector{Role: metrics.RoleBacklog, Tags: metrics.Tags{Stage: trialStage}})
	out := make([]capacity.Sample, 0, len(values))
	for i, v := range values {
		out = append(out, capacity.Sample{At: o.from + float64(i) + 0.5, Backlog: v})
	}
	return out
}
