package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/perfctl/perfctl/configs"
	"github.com/perfctl/perfctl/internal/engine/health"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/scenarios/all"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
	"github.com/perfctl/perfctl/internal/targets/probe"
)

// makeJudge reads the SLA tables and the thresholds and checks them against
// the plan.
func (p *plan) makeJudge(f *fixture) (*sla.Judge, error) {
	table, own, err := p.readRules()
	if err != nil {
		return nil, err
	}
	return p.judgeBy(f, table, own)
}

// readRules reads the SLA tables and the thresholds.
func (p *plan) readRules() (table, own []sla.Rule, err error) {
	file, data, err := configs.SLA()
	if p.flags.sla != "" {
		file = p.flags.sla
		data, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, nil, invalidConfig(fmt.Errorf("read the SLA tables: %w", err))
	}
	p.table = rundir.File{Name: file, Text: string(data)}
	return decodeRules(p.table, p.flags.thresholds)
}

// decodeRules reads SLA tables and thresholds.
func decodeRules(file rundir.File, thresholds []string) (table, own []sla.Rule, err error) {
	if table, err = sla.DecodeTable(file.Name, []byte(file.Text)); err != nil {
		return nil, nil, invalidConfig(err)
	}
	var errs []error
	for _, t := range thresholds {
		r, err := sla.ParseThreshold(t)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		own = append(own, r)
	}
	return table, own, invalidConfig(errors.Join(errs...))
}

// judgeBy checks the rules against the plan.
func (p *plan) judgeBy(f *fixture, table, own []sla.Rule) (*sla.Judge, error) {
	in := sla.Plan{Metrics: f.registry.Descs(), Known: all.Registry().Names(), Series: f.registry.Series(),
		Own: p.flags.sla != "", Options: p.judging()}
	for _, d := range p.defs {
		in.Scenarios = append(in.Scenarios, d.Name)
		in.Metrics = append(in.Metrics, d.Metrics...)
	}
	in.Metrics = append(in.Metrics, metrics.Standard()...)
	in.Metrics = append(in.Metrics, probe.Metrics()...)
	for i, s := range p.profile.Stages {
		in.Stages = append(in.Stages, sla.Stage{
			Name: s.Name, Class: string(s.Class), Judged: s.Judged, Duration: s.Duration,
			PlannedOf: map[string]int64{},
		})
		n, known := p.stagePlan(i)
		in.Stages[i].Planned, in.Stages[i].OpenEnded = n, !known
	}
	for i, d := range p.defs {
		for s, n := range p.part(i, 1, nil).StageArrivals {
			if !in.Stages[s].OpenEnded {
				in.Stages[s].PlannedOf[d.Name] = p.shardOf(n)
			}
		}
	}
	j, err := sla.NewJudge(in, table, own)
	return j, invalidConfig(err)
}

// judging is how the flags have the run judged.
func (p *plan) judging() sla.Options {
	return sla.Options{Confidence: p.flags.confidence, AllowUndecided: p.flags.allowUndecided, AbortAfter: p.flags.abortAfter}
}

// stagePlan is how many arrivals of this shard are planned in stage i; known is false
// where only the time that they take bounds them.
func (p *plan) stagePlan(i int) (n int64, known bool) {
	n, known = p.schedule.StageTotal(i), true
	if p.schedule.Closed(i) {
		n, known = p.schedule.UserArrivals(i)
	}
	return p.shardOf(n), known
}

// shardOf returns this shard's part of a number of arrivals, rounded up.
func (p *plan) shardOf(n int64) int64 { return (n + int64(p.shards) - 1) / int64(p.shards) }

// judgeGenerator weighs what the generator did.
func (p *plan) judgeGenerator(m *measurement, writeErr error) *summary.GeneratorHealth {
	e := health.Evidence{
		Lag: m.lag, Planned: m.outcome.Due, Released: m.outcome.Due - m.generatorDrops,
		Started: m.started, Exhausted: m.exhausted, Usage: m.usage, Tolerance: p.flags.tolerance + p.burstAllowance(),
	}
	if writeErr != nil {
		e.Missing = fmt.Sprintf("data is missing: %v", writeErr)
	}
	r := health.Judge(e)
	out := &summary.GeneratorHealth{Status: string(r.Status), Reasons: r.Reasons}
	if m.lag.N > 0 {
		out.Lag = summary.LagMillis{P50: lagMillis(m.lag, 0.5), P99: lagMillis(m.lag, 0.99), Max: lagMillis(m.lag, 1)}
	}
	gc := m.usage.GCPauseMax.Seconds() * 1e3
	out.CPU, out.GCPauseMax = &m.usage.CPUPercent, &gc
	if m.usage.MaxRSS > 0 {
		out.MaxRSS = &m.usage.MaxRSS
	}
	return out
}

// startCost is what starting one arrival of a burst may cost before the
// generator counts as late: many times what it takes on an idle core.
const startCost = 20 * time.Microsecond

// burstAllowance is how long the generator may take to start the largest burst:
// arrivals that are due at one instant cannot all start at it.
func (p *plan) burstAllowance() (d time.Duration) {
	for _, s := range p.profile.Stages {
		d = max(d, time.Duration(s.Burst)*startCost)
	}
	return d
}

func lagMillis(h *metrics.Hist, q float64) *float64 {
	v, _, ok := h.Quantile(q)
	if !ok {
		return nil
	}
	ms := float64(v) / 1e6
	return &ms
}

// inputs gathers what the summary holds beyond the recorded data.
func (p *plan) inputs(m *measurement, results []sla.Result, gen *summary.GeneratorHealth) summary.Inputs {
	in := summary.Inputs{Interrupted: m.interrupted, Generator: gen, SLA: results, Stopped: m.aborted, Failures: []summary.Failure{}}
	for _, c := range m.checks {
		in.Checks = append(in.Checks, summary.Check(c))
	}
	for _, f := range m.failures {
		in.Failures = append(in.Failures, summary.Failure{
			Scenario: f.Scenario, Kind: string(f.Kind), Count: f.Count, Example: strings.TrimSpace(f.Example),
		})
	}
	return in
}
