package flags

import (
	"context"

	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/scripts"
)

// scriptFlags are what a k6 user types for a script besides -u, -d and -i.
type scriptFlags struct {
	stages []string
}

func (f *scriptFlags) Register(fs *pflag.FlagSet) {
	fs.StringArrayVarP(&f.stages, "stage", "s", nil, "of a k6 script: ramp to so many users, as in --stage `30s:100` (repeatable)")
}

// notForScripts are flags that bend a profile: a script says its load itself.
var notForScripts = []string{"base", "peak", "rate", "time-scale", "scenario", "flow", "pace", "pause"}

// script fills the request with what a k6 script says about its run, and a user in place
// of it.
func (f *Plan) script(ctx context.Context, r *run.Request, warn func(string), path string, fs *pflag.FlagSet) (err error) {
	for _, name := range notForScripts {
		if flag := fs.Lookup(name); flag != nil && flag.Changed {
			return exitcode.UsageError("--%s does nothing for a script, which says its load itself\n  next: choose its load with -u, -d, -i or --stage, or write the script so that it reads -e", name)
		}
	}
	if f.duration < 0 || f.iterations < 0 || fs.Changed("duration") && f.duration == 0 || fs.Changed("iterations") && f.iterations == 0 {
		return exitcode.UsageError("-d and -i must be above 0")
	}
	own := scripts.Flags{Duration: f.duration, Iterations: f.iterations}
	if fs.Changed("vus") {
		if own.VUs = f.vus; own.VUs < 1 {
			return exitcode.UsageError("-u %d: at least 1 user", f.vus)
		}
	}
	if f.users > 0 {
		own.VUs = f.users
	}
	if own.Stages, err = scripts.ParseStages(f.stages); err != nil {
		return err
	}
	return scripts.Fill(ctx, r, path, own, fs.Changed("graceful-stop"), warn)
}

// load reads a script until a signal ends it: what stands outside its functions may be
// an endless loop.
func (f *Plan) load(ctx context.Context, r *run.Request, from Source, path string, fs *pflag.FlagSet) error {
	ctx, stop := run.Interruptible(ctx, from.Interrupts)
	defer stop()
	return f.script(ctx, r, from.Warn, path, fs)
}

// refuse says what is for scripts alone.
func (f *scriptFlags) refuse() error {
	if len(f.stages) > 0 {
		return exitcode.UsageError("--stage is for a k6 script, as in perfctl run script.js --stage 30s:100")
	}
	return nil
}
