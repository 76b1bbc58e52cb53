package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/sla"
)

// Analyse answers from a run that was read from its directory and from the SLA
// results, which name the rules that it was judged by. It changes neither. The
// error is one of reading the run's histograms.
func Analyse(run *rundir.Run, results []sla.Result) (*Analysis, error) {
	a := newAxis(run)
	out := &Analysis{Recoveries: []Recovery{}, Faults: []FaultEffect{}, Drift: []Drift{}, Steady: []Steady{}, Levels: []Level{}, Breaks: []Break{}}
	if a.n == 0 {
		out.unknown("everything", "the run recorded no second")
		return out.finish(), nil
	}
	plan := a.planDrift()
	out.plan = plan
	steps := a.wayUp()
	p := pass{axis: a, drift: &plan, steps: steps, rules: rulesOf(results)}
	if err := p.read(); err != nil {
		return nil, fmt.Errorf("analyse the run: %w", err)
	}
	if sum(a.due, 0, a.n) > 0 && sum(a.succeeded, 0, a.n) == 0 {
		out.unknown("what the system holds", "no arrival succeeded: the target failed from the first one on")
	}
	out.Recoveries = a.recoveries()
	out.sayRecoveries()
	out.Faults = a.faultEffects()
	out.accounts = a.accounts()
	out.attribute()
	out.sayFaults(run.Info.FaultCost)
	out.Replicas = a.scalings(p.rules)
	out.sayReplicas()
	if err := out.load(a, steps, results); err != nil {
		return nil, fmt.Errorf("analyse the run: %w", err)
	}
	if plan.asked && plan.why != "" && plan.planned >= fleeting {
		out.unknown("drift", plan.why)
	}
	if plan.bins > 0 {
		out.Drift = plan.drifts(p.binned(), a.limits(results))
		for _, d := range out.Drift {
			if !d.Known {
				out.unknown("drift of "+d.Series, d.Because)
			}
		}
		out.sayDrifts(&plan)
	}
	out.flag(a, results)
	out.bottleneck(a)
	out.explainSlow(run)
	return out.finish(), nil
}

// load answers what a profile that raises the load is run for.
func (o *Analysis) load(a *axis, steps []step, results []sla.Result) (err error) {
	a.addCounts(steps)
	var known []step
	for i := range steps {
		if l, ok := a.level(&steps[i]); ok {
			o.Levels = append(o.Levels, l)
			known = append(known, steps[i])
		}
	}
	if len(known) > 0 {
		if o.Breaks, err = a.breaks(known, o.Levels, results); err != nil {
			return err
		}
	}
	o.sayLevels()
	o.Steady = a.steady()
	o.saySteady()
	return nil
}

// fleeting is how many seconds a load must last for anybody to ask whether it is
// steady.
const fleeting = 20.0

func (o *Analysis) unknown(question, because string) {
	o.CannotSay = append(o.CannotSay, Unknown{question, because})
}

// finish puts everything into its order and leaves nothing nil that JSON shows
// as a list.
func (o *Analysis) finish() *Analysis {
	if o.Findings == nil {
		o.Findings = []Finding{}
	}
	if o.Sentences == nil {
		o.Sentences = []string{}
	}
	if o.CannotSay == nil {
		o.CannotSay = []Unknown{}
	}
	slices.SortStableFunc(o.Findings, func(a, b Finding) int { return cmp.Compare(rank(a.Severity), rank(b.Severity)) })
	for i := range o.Findings {
		for name, v := range o.Findings[i].Evidence.Values {
			if math.IsNaN(v) || math.IsInf(v, 0) { // JSON has no word for it
				delete(o.Findings[i].Evidence.Values, name)
			}
		}
	}
	return o
}

func rank(s Severity) int {
	if s == Critical {
		return 0
	}
	return 1
}

// pass reads the run's histograms once and hands them to all who need them
// merged over more than a second.
type pass struct {
	*axis
	drift *driftPlan
	bins  []binned
	steps []step
	rules []sla.Rule
}

func (p *pass) read() error {
	if p.comesBack() {
		p.shapes = make([][]bucket, p.n)
	}
	response := newRolling(func(second int, h *metrics.Hist) {
		p.response[second] = trendValueOf(h)
		if p.shapes != nil {
			p.shapes[second] = shapeOf(h)
		}
	})
	trends := map[string]*rolling{}
	for _, l := range p.run.Lines {
		group := groupOf(&l.Series)
		if l.Trend == nil || group == "" || trends[l.Series.Name] != nil || p.drift.bins == 0 {
			continue
		}
		at := len(p.bins)
		p.bins = append(p.bins, binned{group, l.Series.Name, string(l.Series.Unit), "p95", unread(p.drift.bins)})
		trends[l.Series.Name] = newRolling(func(bin int, h *metrics.Hist) { p.bins[at].values[bin] = trendValueOf(h).p95 })
	}
	ruled := map[string]bool{metrics.ResponseTime.Name: true}
	for _, r := range p.rules {
		ruled[r.Metric] = true
	}
	want := func(l *rundir.Line) bool { return ruled[l.Series.Name] || trends[l.Series.Name] != nil }
	err := p.run.Intervals(want, func(second int, l *rundir.Line, h *metrics.Hist) {
		if l.Series.Name == metrics.ResponseTime.Name {
			response.add(second, h)
		}
		if bin := p.drift.binOf(p.axis, second); bin >= 0 && trends[l.Series.Name] != nil {
			trends[l.Series.Name].add(bin, h)
		}
		if level := levelOf(p.steps, p.axis, second); level >= 0 && ruled[l.Series.Name] {
			p.steps[level].addTrend(l, h)
		}
	})
	response.end()
	for _, t := range trends {
		t.end()
	}
	return err
}

// binned returns every series that is tested for a drift.
func (p *pass) binned() []binned { return append(slices.Clone(p.bins), p.binGauges(p.drift)...) }
