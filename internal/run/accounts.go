package run

import (
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/all"
	"github.com/perfctl/perfctl/internal/summary"
)

// accountsOf are a shard's accounts as its summary holds them.
func accountsOf(accounts map[string]*scenarios.Account) map[string]*summary.Account {
	out := map[string]*summary.Account{}
	for name, a := range accounts {
		out[name] = &summary.Account{Sums: a.Sums, Peaks: a.Peaks, Facts: a.Facts, Named: a.Named, Parts: a.Parts}
	}
	return out
}

// weighParts judges what the shards of a run counted as one: by the scenarios' own
// checks. Where shards left no account, only what failed for certain is told.
func weighParts(info *rundir.RunInfo, counted []map[string]*summary.Account, missing int) ([]summary.Check, []rundir.Addition) {
	var defs []*scenarios.Definition
	whole := map[string]*scenarios.Account{}
	for _, s := range info.Scenarios {
		d, err := all.Registry().Find(s.Name)
		if err != nil {
			continue // of another version, which the merge refuses
		}
		defs = append(defs, d)
		for _, of := range counted {
			a := of[s.Name]
			if a == nil {
				continue
			}
			if whole[s.Name] == nil {
				whole[s.Name] = scenarios.NewAccount()
				whole[s.Name].Missing = missing + len(counted)
			}
			whole[s.Name].Add(&scenarios.Account{Sums: a.Sums, Peaks: a.Peaks, Facts: a.Facts, Named: a.Named, Parts: a.Parts})
			whole[s.Name].Missing--
		}
	}
	checks, values := weigh(defs, whole)
	var out []summary.Check
	for _, c := range checks {
		out = append(out, summary.Check{Name: c.Name, Passed: c.Passed, Detail: c.Detail})
	}
	var more []rundir.Addition
	for scenario, list := range values {
		for _, v := range list {
			more = append(more, rundir.Addition{At: v.At, Value: v.Value, Series: seriesOf(info, scenario, v)})
		}
	}
	for _, x := range balances(checks) {
		more = append(more, rundir.Addition{Count: x.n, Series: seriesOf(info, x.scenario, scenarios.Value{Desc: x.of, Stage: len(info.Stages) - 1})})
	}
	return out, more
}

// seriesOf is the series that a value counts for.
func seriesOf(info *rundir.RunInfo, scenario string, v scenarios.Value) metrics.Series {
	stage := ""
	if v.Stage >= 0 && v.Stage < len(info.Stages) {
		stage = info.Stages[v.Stage].Name
	}
	return metrics.Series{Desc: v.Desc, Tags: metrics.Tags{Scenario: scenario, Operation: v.Operation, Stage: stage}}
}
