package run

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios/all"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/targets/probe"
)

// judge checks the rules against the plan and the metrics that were declared.
func (p *Plan) judge(declared *metrics.Registry, table, own []sla.Rule) (*sla.Judge, error) {
	in := sla.Plan{
		Metrics: declared.Descs(), Known: all.Registry().Names(), Series: declared.Series(),
		Own: p.request.Rules.Given, Options: p.request.Judging, Anywhere: metricNames(),
	}
	// A shard judges nothing: only that what it did alone misses a rule of the whole.
	in.Options.Part = p.request.Shards > 1
	for _, d := range p.defs {
		in.Scenarios = append(in.Scenarios, d.Name)
		in.Metrics = append(in.Metrics, d.Metrics...)
	}
	in.Metrics = append(in.Metrics, metrics.Standard()...)
	in.Metrics = append(in.Metrics, probe.Metrics()...)
	in.Metrics = append(in.Metrics, faultMetrics()...)
	in.Metrics = append(in.Metrics, accountMetrics()...)
	for _, f := range p.faults {
		in.Faults = append(in.Faults, f.Name)
	}
	for i, s := range p.request.Profile.Stages {
		in.Stages = append(in.Stages, sla.Stage{
			Name: s.Name, Class: string(s.Class), Judged: s.Judged, Duration: s.Duration,
			PlannedOf: map[string]int64{},
		})
		in.Stages[i].Planned, in.Stages[i].OpenEnded = p.schedule.StageTotal(i), p.schedule.Closed(i)
	}
	for i, d := range p.defs {
		for s, n := range p.part(i, 1).StageArrivals {
			if !in.Stages[s].OpenEnded {
				in.Stages[s].PlannedOf[d.Name] = n
			}
		}
	}
	j, err := sla.NewJudge(in, table, own)
	return j, exitcode.ConfigError(err)
}

// stagePlan is how many arrivals of this shard are planned in stage i; known is false
// where only the time that they take bounds them.
func (p *Plan) stagePlan(i int) (n int64, known bool) {
	if p.schedule.Closed(i) { // the most is known at times, and that is no plan
		return 0, false
	}
	return p.shardOf(p.schedule.StageTotal(i)), true
}

// checkRules makes the run's scenarios once, to nobody's cost but memory's, and
// checks the rules against the metrics that they declare. Rules about metrics of
// other programs wait until those were read.
func (p *Plan) checkRules() error {
	offline, cancel := context.WithCancel(context.Background())
	cancel() // what would be reached is not
	s := &Session{Environment: Environment{Observer: silent{}, Log: slog.New(slog.DiscardHandler)}}
	request := p.request
	rules := *request.Rules
	rules.Table, rules.Own = p.ownRules(rules.Table), p.ownRules(rules.Own)
	request.Rules = &rules
	dry := *p
	dry.request = request
	x, err := s.assemble(offline, &dry)
	if err != nil {
		return err
	}
	p.shares = x.shares()
	p.rules = slices.Concat(request.Rules.Table, request.Rules.Own)
	return nil
}

// ownRules leaves out the rules about metrics that --scrape reads of other programs.
func (p *Plan) ownRules(list []sla.Rule) []sla.Rule {
	return slices.DeleteFunc(slices.Clone(list), func(r sla.Rule) bool {
		metric, _, _ := strings.Cut(r.Metric, "{")
		for _, s := range p.scrapes {
			if slices.Contains(s.Also, metric) {
				return true
			}
		}
		return false
	})
}

// silent is an observer that shows nothing.
type silent struct{}

func (silent) Step(string, func() string)                   {}
func (silent) Minor(string)                                 {}
func (silent) Idle()                                        {}
func (silent) Say(string)                                   {}
func (silent) Note(string)                                  {}
func (silent) Warn(string)                                  {}
func (silent) Begin(View)                                   {}
func (silent) Second(*metrics.Snapshot, *metrics.Collector) {}
func (silent) Broken()                                      {}
