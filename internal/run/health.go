package run

import (
	"fmt"
	"runtime"
	"time"

	"github.com/perfctl/perfctl/internal/engine"
	"github.com/perfctl/perfctl/internal/engine/health"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/summary"
)

// exhausted is the kind of failure of arrivals for which the generator itself had
// not what it takes.
const exhausted = "exhausted"

// generatorHealth weighs what the generator did. lost says what of the run could not
// be recorded.
func (p *Plan) generatorHealth(m *Measurement, lost error) *summary.GeneratorHealth {
	e := p.evidence(m.Totals)
	e.Planned, e.Released = m.Outcome.Due, m.Outcome.Due-p.droppedByGenerator(m.Totals)
	e.Usage, e.Figures = m.Usage, p.figures(m.Totals)
	if lost != nil {
		e.Missing = fmt.Sprintf("data is missing: %v", lost)
	}
	r := health.Judge(e)
	out := &summary.GeneratorHealth{Status: string(r.Status), Reasons: r.Reasons, Notes: r.Notes}
	if e.Lag.N > 0 {
		out.Lag = summary.LagMillis{P50: lagMillis(e.Lag, 0.5), P99: lagMillis(e.Lag, 0.99), P999: lagMillis(e.Lag, 0.999), Max: lagMillis(e.Lag, 1)}
	}
	gc := m.Usage.GCPauseMax.Seconds() * 1e3
	out.CPU, out.GCPauseMax = &m.Usage.CPUPercent, &gc
	if m.Usage.MaxRSS > 0 {
		out.MaxRSS = &m.Usage.MaxRSS
	}
	return out
}

// healthSoFar judges the generator in mid-run by what its metrics say.
func (p *Plan) healthSoFar(t *metrics.Totals) Health {
	mean := func(gauge string) (sum float64) {
		values := t.Gauge(metrics.Selector{Name: gauge})
		for _, v := range values {
			sum += v / float64(len(values))
		}
		return sum
	}
	e := p.evidence(t)
	e.Planned, _ = t.Counter(metrics.Selector{Name: metrics.Arrivals.Name})
	e.Released = e.Planned - p.droppedByGenerator(t)
	e.Usage = health.Usage{CPUShare: mean(health.CPUPercent) / 100 / float64(runtime.GOMAXPROCS(0)), RunQueue: mean(health.RunQueue)}
	e.Figures = overall(t)
	r := health.Judge(e)
	return Health{Status: string(r.Status), Reasons: r.Reasons}
}

// evidence gathers what metrics say of the generator.
func (p *Plan) evidence(t *metrics.Totals) health.Evidence {
	e := health.Evidence{Lag: new(metrics.Hist), Tolerance: p.request.Tolerance + p.burstAllowance()}
	if h := t.Trend(metrics.Selector{Name: metrics.DispatchLag.Name}); h != nil {
		e.Lag.Merge(h)
	}
	e.Started, _ = t.Counter(metrics.Selector{Name: metrics.ArrivalsStarted.Name})
	e.Exhausted, _ = t.Counter(metrics.Selector{Name: metrics.ArrivalsFailed.Name, Tags: metrics.Tags{Outcome: exhausted}})
	return e
}

// figures gathers what the run is judged by: the times of each scenario in each judged
// stage.
func (p *Plan) figures(t *metrics.Totals) (out []health.Figure) {
	for _, s := range p.request.Profile.Stages {
		if !s.Judged {
			continue
		}
		at := func(d metrics.Desc, scenario string) *metrics.Hist {
			return t.Trend(metrics.Selector{Name: d.Name, Tags: metrics.Tags{Scenario: scenario, Stage: s.Name}})
		}
		for _, d := range p.defs {
			out = append(out, health.Figure{
				Name:     fmt.Sprintf("%s in %s", d.Name, s.Name),
				Response: at(metrics.ResponseTime, d.Name), Service: at(metrics.ServiceTime, d.Name), Lag: at(metrics.DispatchLag, ""),
			})
		}
	}
	return out
}

// overall are the times of the whole run so far.
func overall(t *metrics.Totals) []health.Figure {
	of := func(d metrics.Desc) *metrics.Hist { return t.Trend(metrics.Selector{Name: d.Name}) }
	return []health.Figure{{Name: "the run", Response: of(metrics.ResponseTime), Service: of(metrics.ServiceTime), Lag: of(metrics.DispatchLag)}}
}

// droppedByGenerator is how many arrivals were released too late to be executed.
func (p *Plan) droppedByGenerator(t *metrics.Totals) int64 {
	n, _ := t.Counter(metrics.Selector{Name: metrics.ArrivalsDropped.Name, Tags: metrics.Tags{Outcome: engine.DroppedByGenerator}})
	return n
}

// startCost is what starting one arrival of a burst may cost before the generator
// counts as late: many times what it takes on an idle core.
const startCost = 20 * time.Microsecond

// burstAllowance is how long the generator may take to start the largest burst:
// arrivals that are due at one instant cannot all start at it.
func (p *Plan) burstAllowance() (d time.Duration) {
	for _, s := range p.request.Profile.Stages {
		d = max(d, time.Duration(s.Burst)*startCost)
	}
	return d
}

func lagMillis(h *metrics.Hist, q float64) *float64 {
	v, _, ok := h.Quantile(q)
	if !ok || q < 1 && !h.Carries(q) {
		return nil
	}
	ms := float64(v) / 1e6
	return &ms
}
