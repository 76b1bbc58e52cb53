package scripts

import (
	"context"
	"strconv"
	"strings"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/scenarios/script"
	"github.com/perfctl/perfctl/internal/scenarios/script/options"
	"github.com/perfctl/perfctl/internal/scenarios/script/vm"
)

// Flags are what a user types in place of the script's own load.
type Flags = options.Flags

// Load reads a script and what it says about its run. lookup finds what __ENV holds.
// Nothing is reached.
func Load(ctx context.Context, path string, lookup func(name string) (string, bool), f Flags) (*options.Options, error) {
	l, err := script.Load(ctx, path, vm.Host{Lookup: lookup, Seed: 1}, f)
	if ctx.Err() != nil {
		return nil, run.InterruptedOr(ctx, err)
	}
	if err != nil {
		return nil, exitcode.ConfigError(err)
	}
	return l.Options, nil
}

// ParseStages reads stages as a k6 user types them: 30s:100 for a ramp to 100 users
// in 30 s.
func ParseStages(list []string) (out []options.Stage, err error) {
	for _, text := range list {
		for item := range strings.SplitSeq(text, ",") {
			d, target, ok := strings.Cut(strings.TrimSpace(item), ":")
			s := options.Stage{}
			if ok {
				if s.Duration, err = options.Duration(d); err == nil {
					s.Target, err = strconv.ParseFloat(target, 64)
				}
			}
			if !ok || err != nil || s.Target < 0 {
				return nil, exitcode.UsageError("--stage %q: want TIME:USERS, as in 30s:100", item)
			}
			out = append(out, s)
		}
	}
	return out, nil
}
