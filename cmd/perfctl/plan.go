package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/configs"
	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/engine"
	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/all"
	"github.com/perfctl/perfctl/internal/secrets"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/targets/probe"
	"github.com/perfctl/perfctl/internal/targets/process"
)

// plan is everything that is decided before anything is reached: what would be
// offered, to which scenarios, with which settings.
type plan struct {
	flags    *planFlags
	config   *configFile
	profile  *profiles.Profile
	weights  []profiles.Weight
	schedule *profiles.Schedule
	mix      *profiles.Mix
	defs     []*scenarios.Definition
	values   []*scenarios.Values
	// origins says where each flag's value came from.
	origins map[string]string
	// judge ends the run early where that was asked for; nil otherwise.
	judge *sla.Judge
	// observe, where it is set, runs beside the engine until the run is over.
	observe func(context.Context, *engine.Engine)
	// runID is the run's identity where it was needed before its fixture.
	runID string
	// table is the SLA file, once it was read.
	table rundir.File
	// watches are the processes that are watched.
	watches []process.Watch
	// scrapes are the programs that tell of themselves.
	scrapes []probe.Scrape
	// baseline holds the runs that this one is compared with.
	baseline []*rundir.Run
	// gate is by what it is compared.
	gate compare.Options
	// startAt is the instant of the first arrival, zero for as soon as may be.
	startAt time.Time
	// streams receive the run's seconds; nil without any.
	streams       *streams
	shard, shards int
}

// makePlan checks the flags and the files that they name. Usage errors exit
// with 2, faults of files with 104.
func makePlan(name string, f *planFlags, fs *pflag.FlagSet) (*plan, error) {
	p, err := newPlan(f, fs)
	if err != nil {
		return nil, err
	}
	loaded, err := loadProfile(name)
	if err != nil {
		return nil, err
	}
	profile, err := loaded.Bend(f.bend(fs))
	if err != nil {
		return nil, usageError("profile %s: %w", loaded.Name, err)
	}
	return p, p.shape(profile)
}

// newPlan checks the flags and reads the configuration file; the profile is to
// come.
func newPlan(f *planFlags, fs *pflag.FlagSet) (*plan, error) {
	p := &plan{flags: f, origins: map[string]string{}}
	var err error
	if p.config, err = loadConfig(f.config, fs, p.origins); err != nil {
		return nil, err
	}
	fs.VisitAll(func(flag *pflag.Flag) {
		switch {
		case p.origins[flag.Name] != "":
		case flag.Changed:
			p.origins[flag.Name] = "flag"
		default:
			p.origins[flag.Name] = "default"
		}
	})
	if err := f.check(); err != nil {
		return nil, err
	}
	if p.watches, err = parseWatches(f.watch); err != nil {
		return nil, err
	}
	if p.scrapes, err = parseScrapes(f.scrape); err != nil {
		return nil, err
	}
	p.shard, p.shards, err = parseShard(f.shard)
	return p, err
}

// shape gives the plan its profile, and chooses the scenarios and their
// settings.
func (p *plan) shape(profile *profiles.Profile) (err error) {
	p.profile = profile
	p.schedule, err = profiles.Compile(p.profile.Stages, profiles.Options{Process: profiles.Process(p.flags.arrivals), Seed: p.flags.seed})
	if err != nil {
		return invalidConfig(fmt.Errorf("profile %s: %w", p.profile.Name, err))
	}
	if err := p.chooseScenarios(); err != nil {
		return err
	}
	if p.mix, err = profiles.NewMix(p.weights, p.flags.seed); err != nil {
		return usageError("--scenario: %w", err)
	}
	return p.readValues()
}

func (f *planFlags) check() error {
	if f.arrivals != "uniform" && f.arrivals != "poisson" {
		return usageError("--arrivals %q: want uniform or poisson", f.arrivals)
	}
	if f.vus < 1 {
		return usageError("--vus %d: at least 1 arrival must be allowed in flight; the default is %d", f.vus, defaultVUs)
	}
	if f.vus > 1_000_000 {
		return usageError("--vus %d: at most 1000000", f.vus)
	}
	if f.confidence != 0 && (f.confidence < 0.5 || f.confidence > 0.9999) {
		return usageError("--confidence %g: want 0.5 to 0.9999, as in 0.95", f.confidence)
	}
	if f.abortAfter < 0 {
		return usageError("--abort-after %v is negative", f.abortAfter)
	}
	if f.tolerance < 0 || f.tolerance > time.Second {
		return usageError("--tolerance %v: want 0 to 1s", f.tolerance)
	}
	if f.setupRate < 0 || f.setupRate > 1e9 {
		return usageError("--setup-rate %g: want 0 or a number of rows a second", f.setupRate)
	}
	if f.duration < 0 {
		return usageError("--duration %v is negative", f.duration)
	}
	if f.queue < 0 || f.queue > 1<<24 {
		return usageError("--queue %d: want 0 to %d", f.queue, 1<<24)
	}
	if f.maxLateness <= 0 || f.graceful <= 0 {
		return usageError("--max-lateness and --graceful-stop must be above 0")
	}
	return nil
}

// bend returns how the flags bend the profile; a flag that nobody set bends
// nothing.
func (f *planFlags) bend(fs *pflag.FlagSet) profiles.Bend {
	var b profiles.Bend
	given := func(name string, v *float64) *float64 {
		if fs.Changed(name) {
			return v
		}
		return nil
	}
	b.Base, b.Peak, b.Rate = given("base", &f.base), given("peak", &f.peak), given("rate", &f.rate)
	b.Duration = f.duration
	if fs.Changed("time-scale") {
		b.TimeScale = f.timeScale
		if f.timeScale == 0 {
			b.TimeScale = -1 // asked for, and no scale: let it be refused
		}
	}
	return b
}

func parseShard(s string) (shard, shards int, err error) {
	if s == "" {
		return 0, 1, nil
	}
	a, b, ok := strings.Cut(s, "/")
	i, err1 := strconv.Atoi(a)
	n, err2 := strconv.Atoi(b)
	if !ok || err1 != nil || err2 != nil || n < 1 || n > 10000 || i < 0 || i >= n {
		return 0, 0, usageError("--shard %q: want I/N with I from 0 to N-1, as in 0/4", s)
	}
	return i, n, nil
}

// loadProfile finds a built-in profile by name or reads a file.
func loadProfile(name string) (*profiles.Profile, error) {
	if strings.ContainsAny(name, "/.") {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, invalidConfig(fmt.Errorf("read the profile: %w", err))
		}
		p, err := profiles.Decode(name, data)
		return p, invalidConfig(err)
	}
	file, data, err := configs.Profile(name)
	if err != nil {
		return nil, usageError("unknown profile %q%s\n  next: perfctl profiles lists them; a profile of your own is a FILE.yaml",
			name, didYouMean(name, configs.Profiles()))
	}
	p, err := profiles.Decode(file, data)
	return p, invalidConfig(err)
}

// chooseScenarios takes the scenarios of --scenario, else the profile's, else
// the four of the default mix.
func (p *plan) chooseScenarios() error {
	reg := all.Registry()
	switch {
	case p.flags.scenario == "" && p.flags.flow != "":
		p.weights = []profiles.Weight{{Scenario: flowScenario, Weight: 1}}
	case p.flags.scenario != "":
		w, err := parseWeights(p.flags.scenario)
		if err != nil {
			return err
		}
		p.weights = w
	case len(p.profile.Scenarios) > 0:
		p.weights = p.profile.Scenarios
	default:
		for _, n := range []string{"tasks", "voting", "crud", "cache"} {
			p.weights = append(p.weights, profiles.Weight{Scenario: n, Weight: 1})
		}
	}
	for _, w := range p.weights {
		d, err := reg.Find(w.Scenario)
		if err != nil {
			if p.flags.scenario != "" {
				return usageError("--scenario: %w", err)
			}
			return invalidConfig(fmt.Errorf("%s: %w", w.Pos, err))
		}
		p.defs = append(p.defs, d)
	}
	return nil
}

// flowScenario is the scenario that --flow is about.
const flowScenario = "flow"

// parseWeights reads tasks=4,voting=2; a name alone weighs 1, a weight of 0
// leaves the scenario out.
func parseWeights(s string) ([]profiles.Weight, error) {
	var out []profiles.Weight
	for item := range strings.SplitSeq(s, ",") {
		name, weight, has := strings.Cut(strings.TrimSpace(item), "=")
		n := 1
		if has {
			var err error
			if n, err = strconv.Atoi(weight); err != nil || n < 0 || n > 1000 {
				return nil, usageError("--scenario %s: the weight %q is not a whole number from 0 to 1000", item, weight)
			}
		}
		if slices.ContainsFunc(out, func(w profiles.Weight) bool { return w.Scenario == name }) {
			return nil, usageError("--scenario names %s twice", name)
		}
		if n > 0 {
			out = append(out, profiles.Weight{Scenario: name, Weight: n})
		}
	}
	if len(out) == 0 {
		return nil, usageError("--scenario %q leaves no scenario", s)
	}
	return out, nil
}

// readValues resolves the scenarios' settings, the weakest first: the profile,
// the configuration file, the profile's stages, --set.
func (p *plan) readValues() error {
	byScenario := map[string][]scenarios.Override{}
	var errs []error
	reg := all.Registry()
	add := func(s profiles.Setting, stage int) {
		if _, err := reg.Find(s.Scenario); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.Pos, err))
			return
		}
		byScenario[s.Scenario] = append(byScenario[s.Scenario],
			scenarios.Override{Key: s.Key, Value: s.Value, Stage: stage, Place: s.Pos.String()})
	}
	for _, s := range p.profile.Settings {
		add(s, -1)
	}
	if p.config != nil {
		for _, s := range p.config.Scenarios {
			add(s, -1)
		}
	}
	for i, stage := range p.profile.Stages {
		for _, s := range stage.Settings {
			add(s, i)
		}
	}
	if err := p.addSets(byScenario); err != nil {
		return err
	}
	for _, d := range p.defs {
		v, bad := scenarios.NewValues(d, len(p.profile.Stages), byScenario[d.Name])
		p.values = append(p.values, v)
		errs = append(errs, bad...)
	}
	return invalidConfig(errors.Join(errs...))
}

// addSets adds what --set says, for the whole run and every stage.
func (p *plan) addSets(by map[string][]scenarios.Override) error {
	if p.flags.flow != "" {
		if !slices.ContainsFunc(p.weights, func(w profiles.Weight) bool { return w.Scenario == flowScenario }) {
			return usageError("--flow %s: the scenario flow is not in this run; add it to --scenario, or leave --scenario out", p.flags.flow)
		}
		by[flowScenario] = append(by[flowScenario], scenarios.Override{Key: "file", Value: p.flags.flow, Stage: -1, Place: "--flow " + p.flags.flow})
	}
	for _, s := range p.flags.set {
		left, value, ok := strings.Cut(s, "=")
		scenario, key, dotted := strings.Cut(left, ".")
		if !ok || !dotted {
			return usageError("--set %q: want SCENARIO.KEY=VALUE, as in tasks.agents=50", secrets.Label(s))
		}
		if !slices.ContainsFunc(p.weights, func(w profiles.Weight) bool { return w.Scenario == scenario }) {
			var names []string
			for _, w := range p.weights {
				names = append(names, w.Scenario)
			}
			return usageError("--set %s: no scenario %q in this run%s", left, scenario, didYouMean(scenario, names))
		}
		by[scenario] = append(by[scenario], scenarios.Override{Key: key, Value: value, Stage: -1, Place: "--set " + left})
	}
	return nil
}

// shares returns the scenarios' weights, in the order of the mix.
func (p *plan) shares() []int {
	out := make([]int, len(p.weights))
	for i, w := range p.weights {
		out[i] = w.Weight
	}
	return out
}
