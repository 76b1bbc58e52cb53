package cli

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/capacity/trials"
	"github.com/perfctl/perfctl/internal/cli/flags"
	"github.com/perfctl/perfctl/internal/cluster"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/pods"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
)

// searchFlags are flags of capacity that its trials are not told.
var searchFlags = []string{"start", "max", "require", "precision", "trial", "max-time", "users", "pause", "each", "lab", "seed"}

// trialsOnPods has the trials of a search executed by pods; close removes what was made
// here for them.
func (a *app) trialsOnPods(f *capacityFlags, fs *pflag.FlagSet, r *run.Request) (away trials.Away, closing func(), err error) {
	client, err := cluster.Connect(f.Access())
	if err != nil {
		return nil, nil, exitcode.With(exitcode.Unreachable, err)
	}
	folder, err := os.MkdirTemp("", "perfctl-capacity-")
	if err != nil {
		return nil, nil, err
	}
	j := &pods.Job{Client: client, Keep: f.Keep, Options: pods.Options{
		Pods: f.Pods, Image: f.Image, Values: f.Values, Namespace: client.Namespace, Wait: f.Wait, Version: a.version,
		Settings: r.Settings, LookupEnv: a.LookupEnv, Secrets: &a.secrets, Profile: filepath.Join(folder, "capacity.yaml"),
	}}
	given := slices.DeleteFunc(flags.ShardArguments(fs), func(x pods.Argument) bool { return slices.Contains(searchFlags, x.Name) })
	away = func(ctx context.Context, t trials.Trial) (*summary.Summary, *sla.Breach, error) {
		if j.Show == nil {
			j.Show, j.Stops = a.progress, pods.Stops(a.Interrupts, a.progress)
		}
		if err := os.WriteFile(j.Profile, []byte(t.Load), 0o600); err != nil {
			return nil, nil, err
		}
		j.Arguments = trialArguments(given, t.Only, r.Seed+uint64(t.Number-1))
		ended, err := j.Execute(ctx, t.Plan, t.Dir, takesSeconds(t.Second))
		if err != nil {
			return nil, nil, err
		}
		return ended.Summary, ended.Breach, nil
	}
	return away, func() { _ = os.RemoveAll(folder) }, nil // it is the system's to clean up what is left
}

// trialArguments are what the shards of a trial are told: of one scenario that is searched
// by itself, only what is about it.
func trialArguments(given []pods.Argument, only string, seed uint64) []pods.Argument {
	out := []pods.Argument{{Name: "seed", Values: []string{strconv.FormatUint(seed, 10)}}}
	if only != "" {
		out = append(out, pods.Argument{Name: "scenario", Values: []string{only}})
	}
	for _, x := range given {
		switch {
		case only == "":
		case x.Name == "scenario", x.Name == "flow" && only != "flow":
			continue
		case x.Name == "set":
			x.Values = slices.DeleteFunc(slices.Clone(x.Values), func(s string) bool { return !strings.HasPrefix(s, only+".") })
		}
		out = append(out, x)
	}
	return out
}

// takesSeconds is run.Sinks of one function.
type takesSeconds func(*metrics.Snapshot)

// Subscribers returns it.
func (f takesSeconds) Subscribers() []func(*metrics.Snapshot) {
	return []func(*metrics.Snapshot){f}
}

// Close has nothing to close.
func (takesSeconds) Close() (notes []string, kept bool) { return nil, false }
