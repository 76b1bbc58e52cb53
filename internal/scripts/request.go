package scripts

import (
	"context"
	"time"

	"github.com/perfctl/perfctl/internal/run"
)

// Fill fills a request with what a script says about its run, where a user did not say
// otherwise: own is what he gave in its place, and keepStop leaves the graceful stop as
// it is. Nothing is reached.
func Fill(ctx context.Context, r *run.Request, path string, own Flags, keepStop bool, warn func(text string)) error {
	o, err := Load(ctx, path, func(name string) (string, bool) {
		v, _, ok := r.Settings.Lookup(name)
		return v, ok
	}, own)
	if err != nil {
		return err
	}
	r.MaxInFlightGiven = true // what is in flight is what the script says
	r.Profile = Profile(path, o)
	if n, warning := maxInFlight(o); n > 0 && own.VUs == 0 {
		if r.MaxInFlight = n; warning != "" {
			warn(warning)
		}
	}
	if !keepStop {
		r.GracefulStop = max(gracefulStop(o), time.Millisecond)
	}
	r.Rules, r.AbortOnFail, err = judging(r.Rules, o)
	return err
}
