package analysis

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/sla"
)

// breaks judges each level by the rules of the results, and returns where on the
// way up each was first broken. A rule is broken at a level if it is at the next
// one, too, or there is none: a single bad second is no limit.
func (a *axis) breaks(steps []step, levels []Level, results []sla.Result) ([]Break, error) {
	judge, err := a.levelJudge(steps, levels, results)
	if err != nil {
		return nil, fmt.Errorf("judge the levels of load: %w", err)
	}
	all := metrics.NewTotals()
	for i := range steps {
		merge(all, steps[i].totals)
	}
	type at struct{ results []sla.Result }
	byRule := map[string]*at{}
	var order []string
	for _, r := range judge.Evaluate(all) {
		if r.Stage == "" {
			continue
		}
		if byRule[r.Rule] == nil {
			byRule[r.Rule] = &at{make([]sla.Result, len(steps))}
			order = append(order, r.Rule)
		}
		for i := range steps {
			if steps[i].name == r.Stage {
				byRule[r.Rule].results[i] = r
			}
		}
	}
	out := []Break{}
	for _, rule := range order {
		if b, broken := firstBreak(byRule[rule].results, levels); broken {
			out = append(out, b)
		}
	}
	return out, nil
}

// levelJudge returns a judge to whom each level is a stage.
func (a *axis) levelJudge(steps []step, levels []Level, results []sla.Result) (*sla.Judge, error) {
	plan := sla.Plan{}
	for _, sc := range a.run.Info.Scenarios {
		plan.Scenarios = append(plan.Scenarios, sc.Name)
	}
	for _, m := range a.run.Info.Metrics {
		plan.Metrics = append(plan.Metrics, metrics.Desc(m))
	}
	plan.Metrics = append(plan.Metrics, metrics.Standard()...)
	for i := range steps {
		plan.Stages = append(plan.Stages, sla.Stage{Name: steps[i].name, Class: steps[i].class, Judged: true,
			Duration: time.Duration((steps[i].to - steps[i].from) * 1e9), Planned: levels[i].Due})
	}
	var rules []sla.Rule
	for _, r := range rulesOf(results) {
		// A rule of one stage says nothing of a rate, and a throughput that is not
		// offered yet is not missed.
		if r.Tags.Stage != "" || r.Metric == sla.Throughput {
			continue
		}
		r.PerStage = true
		rules = append(rules, r)
	}
	return sla.NewJudge(plan, rules, nil)
}

// merge adds the totals of b to a.
func merge(a, b *metrics.Totals) {
	for _, e := range b.All() {
		switch e.Series.Kind {
		case metrics.KindTrend:
			a.AddTrend(&e.Series, e.Hist)
		case metrics.KindCounter:
			a.AddCounter(&e.Series, e.Count)
		case metrics.KindRate:
			a.AddRate(&e.Series, e.Hits, e.Count)
		case metrics.KindGauge:
			for _, v := range e.Values {
				a.AddGauge(&e.Series, v)
			}
		}
	}
}

func firstBreak(results []sla.Result, levels []Level) (Break, bool) {
	var held, heldUsers *float64
	for i := range results {
		r := &results[i]
		if r.Status == sla.Passed {
			held, heldUsers = number(levels[i].Rate), levels[i].Users
		}
		if broken(r) && (i+1 == len(results) || broken(&results[i+1])) {
			l := &levels[i]
			return Break{Rule: r.Rule, Severity: string(r.Severity), Metric: r.Metric, Target: r.Target, Actual: r.Actual,
				Rate: l.Rate, Held: held, Users: l.Users, HeldUsers: heldUsers, From: l.From, To: l.To}, true
		}
	}
	return Break{}, false
}

// broken says whether a level misses a rule. That a rare thing did not happen in
// it does not; that no arrival succeeded does.
func broken(r *sla.Result) bool {
	return r.Status == sla.Failed || r.Status == sla.Warned || r.Status == sla.NoData && r.Metric == metrics.ResponseTime.Name
}

// risen is by what factor the rate must rise for a way up.
const risen = 1.2

// sayLevels says where what broke, if there was a way up.
func (o *Analysis) sayLevels() {
	if len(o.Levels) == 0 {
		return
	}
	low, high := o.Levels[0], o.Levels[len(o.Levels)-1]
	if amount(high.Rate, high.Users) < risen*amount(low.Rate, low.Users) {
		return // there was no way up
	}
	if !slices.ContainsFunc(o.Levels, func(l Level) bool { return l.Achieved > 0 }) {
		return // where nothing succeeds, the rate is not what broke
	}
	if len(o.Breaks) == 0 {
		o.say("No rule of the SLA was broken on the way up from %s to %s.", load(low.Rate, low.Users), load(high.Rate, high.Users))
		return
	}
	first := o.Breaks[0]
	for _, b := range o.Breaks {
		graver := b.Severity == string(sla.Fail) && first.Severity != string(sla.Fail)
		at, earliest := amount(b.Rate, b.Users), amount(first.Rate, first.Users)
		if at < earliest || at == earliest && graver {
			first = b
		}
	}
	held := "it held at no lower load"
	if first.Held != nil {
		held = "it held at " + load(*first.Held, first.HeldUsers)
	}
	o.say("The first rule to break on the way up was %q (%s) at %s, with %s; %s.", first.Rule, first.Target, load(first.Rate, first.Users), first.Actual, held)
	if n := len(o.Breaks) - 1; n > 0 {
		o.say("In all, %d rules broke on the way up to %s.", n+1, load(high.Rate, high.Users))
	}
}

// amount is how much load there is: users, where it is closed, else the rate.
func amount(rate float64, users *float64) float64 {
	if users != nil {
		return *users
	}
	return rate
}

// load prints how much load there is.
func load(rate float64, users *float64) string {
	if users == nil {
		return perSecond(rate)
	}
	n := figure.Value(math.Round(*users), metrics.UnitCount)
	if n == "1" {
		return "1 user (" + perSecond(rate) + ")"
	}
	return n + " users (" + perSecond(rate) + ")"
}

// perSecond prints a rate of arrivals.
func perSecond(v float64) string { return figure.Value(v, metrics.UnitPerSec) }
