package compare

import (
	"maps"
	"slices"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
)

// beyond is how many arrivals of each run must lie beyond a quantile for it to be
// in the gate: with fewer it is a matter of single arrivals.
const beyond = 10

// plan chooses the figures: those of the gate, and the others as notes. It is
// known before the runs are: of the response time p50, p95 and p99 and the error
// rate, of each scenario in each judged stage, what the rules name, and what
// --gate names. Only how many arrivals were due can take a quantile out of it.
func plan(runs []*rundir.Run, a, b []recording, rules, gates []named) []spec {
	p := planner{a: a, b: b}
	first := &runs[0].Info
	var stages []string
	for _, s := range first.Stages {
		if s.Judged {
			stages = append(stages, s.Name)
		}
	}
	p.cells(first.Scenarios, stages)
	kinds := map[string]metrics.Kind{}
	for _, r := range runs {
		for _, m := range r.Info.Metrics {
			kinds[m.Name] = m.Kind
		}
	}
	for _, n := range rules {
		if plain := n.metric == responseTime && n.tags == (metrics.Tags{}) && n.scenario == ""; plain {
			n.stats = slices.DeleteFunc(slices.Clone(n.stats), func(s stat) bool { return slices.Contains(usual, s) }) // the cells hold them
		}
		p.named(n, kinds[n.metric], false)
	}
	for _, n := range gates {
		p.named(n, kinds[n.metric], true)
	}
	p.notes(len(first.Scenarios) == 1, len(stages) == 1)
	return p.out
}

type planner struct {
	a, b []recording
	out  []spec
}

// due is the smallest number of arrivals of a cell that were due in a run.
func (p *planner) due(k key) (least int64) {
	least = -1
	for _, r := range append(slices.Clone(p.a), p.b...) {
		var n int64
		for _, s := range r[k] {
			n += s.due
		}
		if least < 0 || n < least {
			least = n
		}
	}
	return least
}

func (p *planner) add(s spec) {
	at := slices.IndexFunc(p.out, func(o spec) bool { return o.key == s.key && o.stat.name == s.stat.name })
	if at < 0 {
		p.out = append(p.out, s)
		return
	}
	p.out[at].gated = p.out[at].gated || s.gated
}

// cells adds the figures of each scenario in each judged stage. Where there is
// one stage, or one scenario, its name is left out.
func (p *planner) cells(scenarios []rundir.ScenarioShare, stages []string) {
	if len(stages) == 1 {
		stages = []string{""}
	}
	var errors []spec
	for _, stage := range stages {
		for _, sc := range scenarios {
			response, lost := key{responseTime, stage}, key{errorRate, stage}
			if len(scenarios) > 1 {
				response.metric = metrics.Series{Desc: metrics.Desc{Name: responseTime}, Tags: metrics.Tags{Scenario: sc.Name}}.Key()
				lost.metric = errorsOf(sc.Name)
			}
			due := p.due(lost)
			if due <= 0 {
				continue
			}
			for _, s := range usual {
				p.add(spec{key: response, stat: s, gated: float64(due)*(1-s.q) >= beyond-1e-9})
			}
			errors = append(errors, spec{key: lost, stat: stat{name: "rate"}, share: true, gated: true})
		}
	}
	p.out = append(p.out, errors...)
}

// named adds what a rule or --gate names, where it was recorded.
func (p *planner) named(n named, kind metrics.Kind, asked bool) {
	k := n.key()
	for _, s := range n.stats {
		switch {
		case n.metric == errorRate && s.name == "rate" && asked:
			p.add(spec{key: k, stat: s, share: true, gated: true})
		case kind == metrics.KindTrend && s.name != "rate" && p.has(k):
			p.add(spec{key: k, stat: s, gated: asked || p.carries(k, s)})
		case kind == metrics.KindRate && s.name == "rate" && p.has(k):
			p.add(spec{key: k, stat: s, share: true, lessIsWorse: n.lessIsWorse, gated: true})
		}
	}
}

// has says whether every run of one side at least recorded the key.
func (p *planner) has(k key) bool {
	all := func(side []recording) bool {
		return !slices.ContainsFunc(side, func(r recording) bool { return len(r[k]) == 0 })
	}
	return all(p.a) || all(p.b)
}

// carries says whether enough values of every run of the base lie beyond a
// quantile.
func (p *planner) carries(k key, s stat) bool {
	return !slices.ContainsFunc(p.a, func(r recording) bool {
		var n int64
		for _, x := range r[k] {
			n += x.n + x.censored
		}
		return float64(n)*(1-max(s.q, 0.5)) < beyond-1e-9
	})
}

// notes adds what else both sides have.
func (p *planner) notes(oneScenario, oneStage bool) {
	for _, k := range keys(p.a, p.b) {
		if double := k.stage != "" && oneStage || oneScenario && isResponseOf(k.metric); double {
			continue // it holds what another one holds
		}
		for _, s := range usual {
			p.add(spec{key: k, stat: s})
		}
	}
	all := map[key]bool{}
	for _, r := range append(slices.Clone(p.a), p.b...) {
		for k := range r {
			if isErrorRate(k.metric) {
				all[k] = true
			}
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(all), compareKeys) {
		if k.stage != "" && oneStage || oneScenario && k.metric != errorRate {
			continue
		}
		p.add(spec{key: k, stat: stat{name: "rate"}, share: true})
	}
}
