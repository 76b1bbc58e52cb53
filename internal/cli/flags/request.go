package flags

import (
	"context"

	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/config"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/scripts"
	"github.com/perfctl/perfctl/internal/secrets"
)

// Source is what of its process a request is made of, besides flags.
type Source struct {
	LookupEnv func(name string) (string, bool)
	// Environ is the environment as os.Environ lists it.
	Environ []string
	// Secrets learns those of the settings.
	Secrets *secrets.Redactor
	// Interrupts end the reading of a script, which may take long.
	Interrupts <-chan struct{}
	// Version is perfctl's, Command the command line without secrets.
	Version string
	Command []string
	// Warn prints a warning; Verbose is called where settings ask for more words.
	Warn    func(text string)
	Verbose func()
}

// Make makes the plan of a command that takes a profile or a script. change adds to the
// request what that command alone has; nil for nothing.
func (f *Plan) Make(ctx context.Context, from Source, name string, fs *pflag.FlagSet, change func(*run.Request) error) (*run.Plan, error) {
	f.ownNames = scripts.Is(name)
	r, err := f.Request(from, fs)
	if err != nil {
		return nil, err
	}
	if f.ownNames {
		err = f.load(ctx, r, from, name, fs)
	} else if err = f.refuse(); err == nil {
		err = f.bend(r, name, fs)
	}
	if err == nil {
		r.Shard, r.Shards, err = parseShard(f.shard)
	}
	if err == nil && change != nil {
		err = change(r)
	}
	if err != nil {
		return nil, err
	}
	return run.NewPlan(ctx, *r)
}

// Request makes a request of what a command was given; its profile is to come.
func (f *Load) Request(from Source, fs *pflag.FlagSet) (*run.Request, error) {
	options := &FileOptions{Flags: fs}
	r, err := f.Scenarios.request(from, options)
	if err != nil {
		return nil, err
	}
	r.MaxInFlight, r.Process, r.Seed, r.Tolerance = f.vus, profiles.Process(f.Arrivals), f.Seed, f.tolerance
	r.Queue, r.MaxLateness, r.GracefulStop, r.SetupRate = f.queue, f.maxLateness, f.graceful, f.setupRate
	r.Watch, r.Scrape, r.NoProbes, r.NoExemplars = f.watch, f.scrape, f.noProbes, f.noRecords
	r.Judging.Confidence, r.Judging.AllowUndecided = f.confidence, f.allowUndecided
	r.Options = options.list()
	r.AllowFaults, r.Replicas = f.allowFaults, f.replicas
	if r.Faults, err = parseFaults(f.faults); err != nil {
		return nil, err
	}
	r.Rules, err = config.ReadRules(f.sla, f.thresholds)
	return r, err
}

// Request makes a request of the flags that every command with targets has. Whatever
// else a request needs stands at its default; its profile is to come.
func (f *Scenarios) Request(from Source, fs *pflag.FlagSet) (*run.Request, error) {
	return f.request(from, &FileOptions{Flags: fs})
}

func (f *Scenarios) request(from Source, options *FileOptions) (*run.Request, error) {
	r := &run.Request{
		MaxInFlight: defaultVUs, Process: profiles.Uniform, Seed: 1, MaxLateness: run.DefaultMaxLateness, GracefulStop: run.DefaultGracefulStop,
		Shards: 1, Command: from.Command, Version: from.Version, Secrets: from.Secrets,
	}
	var err error
	if f.config != "" {
		options.origin = "file " + f.config
		if r.File, err = config.ReadFile(f.config, options); err != nil {
			return nil, err
		}
	}
	r.Settings, err = config.Load(config.Sources{Env: f.env, Lookup: from.LookupEnv, Environ: from.Environ, EnvFile: f.envFile, File: r.File, OwnNames: f.ownNames})
	if err != nil {
		return nil, err
	}
	from.heed(r.Settings)
	if v, _, ok := r.Settings.Lookup(config.TestEnv); ok && v != "" {
		r.Tags = map[string]string{"env": v}
	}
	r.Flow, r.AllowTargets, r.AllowDatabases = f.flow, f.allowTargets, f.allowDatabases
	if r.Scenarios, err = parseWeights(f.scenario); err != nil {
		return nil, err
	}
	if r.Values, err = parseValues(f.set); err != nil {
		return nil, err
	}
	r.Rules, err = config.ReadRules("", nil)
	return r, err
}

// heed takes over what settings say of perfctl itself, makes their secrets known and
// prints their warnings.
func (from Source) heed(l *config.Layers) {
	for _, source := range l.Sources() {
		from.Secrets.Add(secrets.OfSettings(source)...)
	}
	from.Secrets.Add(secrets.OfSettings(l.Environ())...) // a script may read any of it
	if v, _, ok := l.Lookup(config.Verbose); ok && v == "true" {
		from.Verbose()
	}
	for _, text := range l.Warnings {
		from.Warn(text)
	}
}

// bend gives the request its profile.
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
	return nil
}
