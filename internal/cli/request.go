package cli

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/config"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/scripts"
	"github.com/perfctl/perfctl/internal/secrets"
)

// plan makes the plan of a command that takes a profile.
func (a *app) plan(ctx context.Context, name string, f *planFlags, fs *pflag.FlagSet, change func(*run.Request) error) (*run.Plan, error) {
	f.ownNames = scripts.Is(name)
	r, err := a.request(&f.loadFlags, fs)
	if err != nil {
		return nil, err
	}
	if f.ownNames {
		err = a.script(f, r, name, fs)
	} else if err = f.refuse(); err == nil {
		err = f.bend(r, name, fs)
	}
	if err != nil {
		return nil, err
	}
	if change != nil {
		if err := change(r); err != nil {
			return nil, err
		}
	}
	return run.NewPlan(ctx, *r)
}

// request makes a request of what a command was given; its profile is to come.
func (a *app) request(f *loadFlags, fs *pflag.FlagSet) (*run.Request, error) {
	options := &fileOptions{flags: fs, origins: map[string]string{}}
	r, err := a.scenarioRequest(&f.scenarioFlags, options)
	if err != nil {
		return nil, err
	}
	r.MaxInFlight, r.Process, r.Seed, r.Tolerance = f.vus, profiles.Process(f.arrivals), f.seed, f.tolerance
	r.Queue, r.MaxLateness, r.GracefulStop, r.SetupRate = f.queue, f.maxLateness, f.graceful, f.setupRate
	r.Watch, r.Scrape, r.NoProbes, r.NoExemplars = f.watch, f.scrape, f.noProbes, f.noRecords
	r.Judging.Confidence, r.Judging.AllowUndecided = f.confidence, f.allowUndecided
	r.Options = options.list()
	r.AllowFaults = f.allowFaults
	if r.Faults, err = parseFaults(f.faults); err != nil {
		return nil, err
	}
	r.Rules, err = config.ReadRules(f.sla, f.thresholds)
	return r, err
}

// scenarioRequest makes a request of the flags that every command with targets has.
// Whatever else a request needs stands at its default.
func (a *app) scenarioRequest(f *scenarioFlags, options *fileOptions) (*run.Request, error) {
	r := &run.Request{
		MaxInFlight: defaultVUs, Process: profiles.Uniform, Seed: 1, MaxLateness: run.DefaultMaxLateness, GracefulStop: run.DefaultGracefulStop,
		Shards: 1, Command: a.shownArgs(), Version: a.version, Secrets: &a.secrets,
	}
	var err error
	if f.config != "" {
		options.origin = "file " + f.config
		if r.File, err = config.ReadFile(f.config, options); err != nil {
			return nil, err
		}
	}
	r.Settings, err = config.Load(config.Sources{Env: f.env, Lookup: a.lookupSetting, EnvFile: f.envFile, File: r.File, OwnNames: f.ownNames})
	if err != nil {
		return nil, err
	}
	a.heed(r.Settings)
	if v, _, ok := r.Settings.Lookup(config.TestEnv); ok && v != "" {
		r.Tags = map[string]string{"env": v}
	}
	r.Flow, r.AllowTargets, r.AllowDatabases = f.flow, f.allowTargets, f.allowDatabases
	if r.Scenarios, err = parseWeights(f.scenario); err != nil {
		return nil, err
	}
	for _, s := range f.set {
		left, value, ok := strings.Cut(s, "=")
		scenario, key, dotted := strings.Cut(left, ".")
		if !ok || !dotted {
			return nil, exitcode.UsageError("--set %q: want SCENARIO.KEY=VALUE, as in tasks.agents=50", secrets.Label(s))
		}
		r.Values = append(r.Values, run.Value{Scenario: scenario, Key: key, Value: value, Place: "--set " + left})
	}
	r.Rules, err = config.ReadRules("", nil)
	return r, err
}

// heed takes over what settings say of perfctl itself, makes their secrets known and
// prints their warnings.
func (a *app) heed(l *config.Layers) {
	for _, source := range l.Sources() {
		a.rememberSettings(source)
	}
	if v, _, ok := l.Lookup(config.Verbose); ok && v == "true" {
		a.verbose = true
	}
	for _, text := range l.Warnings {
		a.warn(text)
	}
}

// bend gives the request its profile and its shard.
func (f *shapeFlags) bend(r *run.Request, name string, fs *pflag.FlagSet) error {
	if f.duration < 0 {
		return exitcode.UsageError("--duration %v is negative", f.duration)
	}
	if fs.Changed("time-scale") && !(f.timeScale > 0) {
		return exitcode.UsageError("--time-scale %g: want a factor above 0", f.timeScale)
	}
	loaded, err := config.Profile(name)
	if err != nil {
		return err
	}
	given := func(name string, v *float64) *float64 {
		if fs.Changed(name) {
			return v
		}
		return nil
	}
	if err := f.checkUsers(fs); err != nil {
		return err
	}
	b := profiles.Bend{Users: f.asked(fs), Base: given("base", &f.base), Peak: given("peak", &f.peak), Rate: given("rate", &f.rate), Duration: f.duration}
	if fs.Changed("time-scale") {
		b.TimeScale = f.timeScale
		scaleFaults(r.Faults, f.timeScale)
	}
	if r.Profile, err = loaded.Bend(b); err != nil {
		return exitcode.UsageError("profile %s: %w", loaded.Name, err)
	}
	r.MaxInFlightGiven = fs.Changed("vus")
	r.Shard, r.Shards, err = parseShard(f.shard)
	return err
}

// mostShards bounds the parts of a run.
const mostShards = 10_000

func parseShard(s string) (shard, shards int, err error) {
	if s == "" {
		return 0, 1, nil
	}
	a, b, ok := strings.Cut(s, "/")
	i, err1 := strconv.Atoi(a)
	n, err2 := strconv.Atoi(b)
	if !ok || err1 != nil || err2 != nil || n < 1 || n > mostShards || i < 0 || i >= n {
		return 0, 0, exitcode.UsageError("--shard %q: want I/N with I from 0 to N-1, as in 0/4", s)
	}
	return i, n, nil
}

// parseWeights reads tasks=4,voting=2; a name alone weighs 1, a weight of 0 leaves the
// scenario out.
func parseWeights(s string) ([]profiles.Weight, error) {
	if s == "" {
		return nil, nil
	}
	var out []profiles.Weight
	for item := range strings.SplitSeq(s, ",") {
		name, weight, has := strings.Cut(strings.TrimSpace(item), "=")
		n := 1
		if has {
			var err error
			if n, err = strconv.Atoi(weight); err != nil || n < 0 || n > 1000 {
				return nil, exitcode.UsageError("--scenario %s: the weight %q is not a whole number from 0 to 1000", item, weight)
			}
		}
		if slices.ContainsFunc(out, func(w profiles.Weight) bool { return w.Scenario == name }) {
			return nil, exitcode.UsageError("--scenario names %s twice", name)
		}
		if n > 0 {
			out = append(out, profiles.Weight{Scenario: name, Weight: n})
		}
	}
	if len(out) == 0 {
		return nil, exitcode.UsageError("--scenario %q leaves no scenario", s)
	}
	return out, nil
}

// fileOptions lets a configuration file set flags, and remembers where each flag's
// value came from.
type fileOptions struct {
	flags   *pflag.FlagSet
	origin  string
	origins map[string]string
}

// Names lists the flags that a file may set.
func (o *fileOptions) Names() (names []string) {
	o.flags.VisitAll(func(f *pflag.Flag) {
		if f.Name != "config" && f.Name != "help" {
			names = append(names, f.Name)
		}
	})
	return names
}

// Repeatable says whether a flag is a list.
func (o *fileOptions) Repeatable(name string) bool {
	_, list := o.flags.Lookup(name).Value.(pflag.SliceValue)
	return list
}

// Set sets a flag, unless the command line did.
func (o *fileOptions) Set(name, value string) error {
	if o.flags.Lookup(name).Changed && o.origins[name] == "" {
		return nil
	}
	o.origins[name] = o.origin
	return o.flags.Set(name, value)
}

// list returns the flags with their values and origins, for inspect and run.json.
func (o *fileOptions) list() (out []rundir.Setting) {
	o.flags.VisitAll(func(f *pflag.Flag) {
		switch f.Name {
		case "help", "env", "set", "config", "json", "quiet":
			return
		}
		origin := o.origins[f.Name]
		switch {
		case origin != "":
		case f.Changed:
			origin = "flag"
		default:
			origin = "default"
		}
		out = append(out, rundir.Setting{Name: "--" + f.Name, Value: secrets.Shown(f.Name, f.Value.String()), Origin: origin})
	})
	return out
}
