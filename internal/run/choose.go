package run

import (
	"errors"
	"fmt"
	"slices"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/all"
	"github.com/perfctl/perfctl/internal/suggest"
	"github.com/perfctl/perfctl/internal/targets"
)

// flowScenario is the scenario that walks through a file of steps.
const flowScenario = "flow"

// defaultScenarios are what arrivals do where neither the profile nor the user says.
var defaultScenarios = []string{"tasks", "voting", "crud", "cache"}

// chooseScenarios takes the scenarios that were asked for, else the profile's, else
// the default mix.
func (p *Plan) chooseScenarios() error {
	r := &p.request
	switch {
	case len(r.Scenarios) > 0:
		p.weights = r.Scenarios
	case r.Flow != "":
		p.weights = []profiles.Weight{{Scenario: flowScenario, Weight: 1}}
	case len(r.Profile.Scenarios) > 0:
		p.weights = r.Profile.Scenarios
	default:
		for _, n := range defaultScenarios {
			p.weights = append(p.weights, profiles.Weight{Scenario: n, Weight: 1})
		}
	}
	reg := all.Registry()
	for _, w := range p.weights {
		d, err := reg.Find(w.Scenario)
		if err != nil {
			if len(r.Scenarios) > 0 {
				return exitcode.UsageError("--scenario: %w", err)
			}
			return exitcode.ConfigError(fmt.Errorf("%s: %w", w.Pos, err))
		}
		p.defs = append(p.defs, d)
	}
	var err error
	if p.mix, err = profiles.NewMix(p.weights, r.Seed); err != nil {
		return exitcode.UsageError("--scenario: %w", err)
	}
	return nil
}

// has says whether a scenario is in the run.
func (p *Plan) has(scenario string) bool {
	return slices.ContainsFunc(p.weights, func(w profiles.Weight) bool { return w.Scenario == scenario })
}

// readValues resolves the scenarios' settings, the weakest first: the profile, the
// configuration file, the profile's stages, what the user gave.
func (p *Plan) readValues() error {
	by := map[string][]scenarios.Override{}
	var errs []error
	reg := all.Registry()
	add := func(list []profiles.Setting, stage int) {
		for _, s := range list {
			if _, err := reg.Find(s.Scenario); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", s.Pos, err))
				continue
			}
			by[s.Scenario] = append(by[s.Scenario], scenarios.Override{Key: s.Key, Value: s.Value, Stage: stage, Place: s.Pos.String()})
		}
	}
	const everyStage = -1
	add(p.request.Profile.Settings, everyStage)
	if p.request.File != nil {
		add(p.request.File.Scenarios, everyStage)
	}
	for i, stage := range p.request.Profile.Stages {
		add(stage.Settings, i)
	}
	if err := p.addGiven(by, everyStage); err != nil {
		return err
	}
	for _, d := range p.defs {
		v, bad := scenarios.NewValues(d, len(p.request.Profile.Stages), by[d.Name])
		p.values = append(p.values, v)
		errs = append(errs, bad...)
	}
	return exitcode.ConfigError(errors.Join(errs...))
}

// addGiven adds what the user gave, for the whole run.
func (p *Plan) addGiven(by map[string][]scenarios.Override, stage int) error {
	if f := p.request.Flow; f != "" {
		if !p.has(flowScenario) {
			return exitcode.UsageError("--flow %s: the scenario flow is not in this run; add it to --scenario, or leave --scenario out", f)
		}
		by[flowScenario] = append(by[flowScenario], scenarios.Override{Key: "file", Value: f, Stage: stage, Place: "--flow " + f})
	}
	for _, v := range p.request.Values {
		if !p.has(v.Scenario) {
			return exitcode.UsageError("%s: no scenario %q in this run%s", v.Place, v.Scenario, suggest.DidYouMean(v.Scenario, p.Scenarios()))
		}
		by[v.Scenario] = append(by[v.Scenario], scenarios.Override{Key: v.Key, Value: v.Value, Stage: stage, Place: v.Place})
	}
	return nil
}

// targetKinds returns the kinds of target that the scenarios need.
func (p *Plan) targetKinds() []targets.Kind {
	var out []targets.Kind
	for i := range p.defs {
		for _, k := range p.kindsOf(i) {
			if !slices.Contains(out, k) {
				out = append(out, k)
			}
		}
	}
	return out
}

// kindsOf lists the kinds of targets that scenario i needs.
func (p *Plan) kindsOf(i int) []targets.Kind {
	d := p.defs[i]
	if d.Also == nil {
		return d.Targets
	}
	return slices.Concat(d.Targets, d.Also(p.values[i]))
}
